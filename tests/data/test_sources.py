"""Data sets by name: embedded, image sets in a folder, synthetic."""

import gzip
import os
from pathlib import Path

import jax
import numpy as np
import pytest

from modeconn.data import DATASETS, load_dataset, read_idx
from modeconn.errors import InputError


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "task"),
    [
        ("breast_cancer", (569, 30), 1, "binary"),
        ("digits", (1797, 64), 10, "multiclass"),
        ("diabetes", (442, 10), 1, "regression"),
    ],
)
def test_embedded_sets(name: str, shape: tuple, outputs: int, task: str) -> None:
    """Oracle: the published sizes; columns have mean 0 and variance 1 unless constant."""
    data = load_dataset(name)
    assert data.X.shape == shape
    assert data.Y.shape == (shape[0], outputs)
    assert data.task == task == DATASETS[name].task
    assert data.name == name
    np.testing.assert_allclose(data.X.mean(0), 0.0, atol=1e-12)
    variances = data.X.var(0)
    assert np.all((np.abs(variances - 1) < 1e-12) | (variances == 0))
    if name == "breast_cancer":
        assert (data.Y == -1).sum() == 212  # malignant
        assert (data.Y == 1).sum() == 357
    if name == "digits":
        assert (variances == 0).sum() == 3
        assert data.Y.argmax(1)[:10].tolist() == list(range(10))
    if name == "diabetes":
        assert abs(data.Y.mean()) < 1e-12
        assert abs(data.Y.var() - 1) < 1e-12


def test_rows_classes_and_bias() -> None:
    """Oracle: by construction; nested draws, no row twice, chosen classes only, ones last."""
    small, large = load_dataset("digits", n=20, seed=3), load_dataset("digits", n=50, seed=3)
    assert np.array_equal(small.X, large.X[:20])
    assert np.array_equal(small.Y, large.Y[:20])
    assert not np.array_equal(small.X, load_dataset("digits", n=20, seed=4).X)
    everything = load_dataset("digits", n=1797)
    assert sorted(map(bytes, everything.X)) == sorted(map(bytes, load_dataset("digits").X))
    pair = load_dataset("digits", classes=(8, 3))
    assert pair.task == "binary"
    assert (pair.n, pair.c) == (174 + 183, 1)
    assert (pair.Y == 1).sum() == 183  # threes
    assert load_dataset("digits", classes=(8, 3), task="multiclass").c == 2
    triple = load_dataset("digits", classes=[1, 2, 3], n=10, bias=True)
    assert (triple.n, triple.d, triple.c) == (10, 65, 3)
    assert (triple.X[:, -1] == 1).all()
    assert triple.name == "digits[classes=1,2,3][n=10,seed=0]+bias"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"source": "digit"}, "did you mean 'digits'"),
        ({"source": "digits", "task": "regression"}, "is a multiclass task"),
        ({"source": "digits", "task": "binary"}, "two different classes"),
        ({"source": "digits", "classes": (1, 11)}, r"\[11\] are not among"),
        ({"source": "diabetes", "classes": (1, 2)}, "no class labels"),
        ({"source": "diabetes", "n": 443}, "n <= 442"),
        ({"source": "synthetic:m=3"}, "unknown option of synthetic data 'm'"),
        ({"source": "synthetic:n=three"}, "expected n=int"),
        ({"source": "synthetic:n=0"}, "n >= 1"),
        ({"source": "synthetic:d=0"}, "d >= 1"),
        ({"source": "synthetic:noise=-1"}, "noise level >= 0"),
        ({"source": "synthetic:noise=inf"}, "infinite"),
        ({"source": "synthetic:seed=-1"}, "seed"),
        ({"source": "synthetic:inputs=sfere"}, "did you mean 'sphere'"),
        ({"source": "synthetic:kind=orthogonal,teacher=5,d=4"}, "M <= d"),
        ({"source": "synthetic:kind=orthogonal,outputs=2"}, "one output"),
        ({"source": "synthetic:kind=ortho"}, "kind of teacher"),
        ({"source": "synthetic:", "task": "binary"}, "is a regression task"),
    ],
)
def test_bad_requests(call: dict, says: str) -> None:
    """Oracle: by construction; each has one fault."""
    with pytest.raises(InputError, match=says):
        load_dataset(**call)


def test_synthetic_names() -> None:
    """Oracle: closed form for the orthogonal teacher; float64 even while JAX is in 32-bit mode."""
    name = "synthetic:kind=orthogonal,d=3,teacher=2,n=8,inputs=sphere,seed=7"
    with jax.enable_x64(False):
        data = load_dataset(name)
    assert data.X.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(data.X, axis=1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(data.Y.ravel(), np.maximum(data.X[:, :2], 0).sum(1), rtol=1e-14)
    assert data.sha256 == load_dataset(name).sha256
    assert load_dataset("synthetic:outputs=3").Y.shape == (64, 3)


def idx_bytes(values: np.ndarray) -> bytes:
    """Return the idx form of a uint8 array: an independent writer."""
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    return header + values.tobytes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a six-image mnist."""
    monkeypatch.setenv("MODECONN_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 4, 5), dtype=np.uint8)
    for name, values in (("images-idx3", images), ("labels-idx1", np.array([0, 1, 2, 9, 1, 0], np.uint8))):
        (tmp_path / "mnist" / f"train-{name}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(values), mtime=0))
    return tmp_path


def test_idx_images(folder: Path) -> None:
    """Oracle: an independent writer of the format."""
    data = load_dataset("mnist")
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5), dtype=np.uint8)
    assert np.array_equal(np.round(data.X * 255).astype(int), images.reshape(6, 20))
    assert data.Y.argmax(1).tolist() == [0, 1, 2, 9, 1, 0]
    assert data.Y.shape == (6, 10)
    assert load_dataset("mnist", classes=(0, 1)).Y.ravel().tolist() == [-1.0, 1.0, 1.0, -1.0]


def test_idx_files_that_are_wrong(folder: Path) -> None:
    """Oracle: by construction; one fault each, the line says which file."""
    path = folder / "mnist" / "train-labels-idx1-ubyte.gz"
    good = idx_bytes(np.array([0, 1, 2, 9, 1, 0], np.uint8))
    for content, says in (
        (gzip.compress(good)[:-9], "gzip|header says"),
        (b"", "magic|gzip"),
        (good, "not a readable gzip"),
        (gzip.compress(good[:-1]), "header says 6 bytes, found 5"),
        (gzip.compress(good + b"\0"), "found more"),
        (gzip.compress(good[:6]), "ends early"),
        (gzip.compress(b"\0\0\x08\x03" + good[4:]), "magic number 00000801, found 00000803"),
        (gzip.compress(b"\0\0\x0d\x01" + good[4:]), "magic number 00000801, found 00000d01"),
        (gzip.compress(good[:4] + b"\xff\xff\xff\xff" + good[8:]), "header says 4294967295 bytes"),
        (gzip.compress(idx_bytes(np.array([0, 1], np.uint8))), "6 images and 2 labels"),
        (gzip.compress(idx_bytes(np.array([0, 1, 2, 10, 1, 0], np.uint8))), "labels 0..9"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=says) as caught:
            load_dataset("mnist")
        assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(InputError, match="no such file; set MODECONN_DATA"):
        load_dataset("mnist")


def test_only_input_errors_come_out_of_damaged_idx(folder: Path) -> None:
    """Oracle: the contract; gzip has a check sum, so nearly every change is refused."""
    rng = np.random.default_rng(1)
    path = folder / "mnist" / "train-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    accepted = 0
    for _ in range(300):
        data = bytearray(whole)
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data[: int(rng.integers(1, 2 * len(data)))])
        try:
            read_idx(path, ndim=1)
        except InputError:
            continue
        accepted += 1
    assert accepted < 100


def test_cifar_part(folder: Path) -> None:
    """Oracle: the pixels; missing keys and other shapes are refused."""
    (folder / "cifar10").mkdir()
    path = folder / "cifar10" / "cifar10_lossless_train4000_test1000.npz"
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    np.savez(path, x_train=images, y_train=np.array([[3], [0], [9]]))
    data = load_dataset("cifar10_part")
    assert np.array_equal(np.round(data.X * 255).astype(int), images.reshape(3, 3072))
    assert data.Y.argmax(1).tolist() == [3, 0, 9]
    with pytest.raises(InputError, match="expected x_test"):
        load_dataset("cifar10_part_test")
    np.savez(path, x_train=images[:, :, :, 0], y_train=np.arange(3))
    with pytest.raises(InputError, match=r"\(n, 32, 32, 3\)"):
        load_dataset("cifar10_part")


def test_image_sets_need_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: by construction; unset, empty and wrong variable."""
    for value in (None, "", str(tmp_path / "nowhere")):
        if value is None:
            monkeypatch.delenv("MODECONN_DATA", raising=False)
        else:
            monkeypatch.setenv("MODECONN_DATA", value)
        for name in ("mnist", "fashion_mnist_test", "cifar10_part"):
            with pytest.raises(InputError, match="MODECONN_DATA"):
                load_dataset(name)


@pytest.mark.skipif(not os.environ.get("MODECONN_DATA"), reason="MODECONN_DATA is not set: no image data")
@pytest.mark.parametrize(
    ("name", "n", "first_labels"),
    [
        ("mnist", 60_000, [5, 0, 4]),
        ("mnist_test", 10_000, [7, 2, 1]),
        ("fashion_mnist", 60_000, [9, 0, 0]),
        ("fashion_mnist_test", 10_000, [9, 2, 1]),
        ("cifar10_part", 4_000, [6, 9, 9]),
        ("cifar10_part_test", 1_000, [3, 8, 8]),
    ],
)
def test_real_image_sets(name: str, n: int, first_labels: list[int]) -> None:
    """Oracle: published sizes and the well-known first labels; a subset is converted without the whole."""
    table = DATASETS[name].load()
    assert table.X.shape == (n, 3072 if "cifar" in name else 784)
    assert table.labels is not None
    assert table.labels[:3].tolist() == first_labels
    data = load_dataset(name, n=100)
    assert data.X.min() == 0.0
    assert data.X.max() == 1.0
