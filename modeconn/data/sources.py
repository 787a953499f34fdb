"""The data sets known by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from modeconn.data.dataset import standardise
from modeconn.data.idx import read_idx
from modeconn.errors import InputError
from modeconn.io import parse_npz, read_bytes

__all__ = ["DATASETS", "Source", "Table"]


class Table(NamedTuple):
    """Data as stored, before rows and classes are chosen.

    Attributes:
        X: inputs (n, d) of any real dtype.
        Y: targets (n, c), or ``None`` where labels are given.
        labels: class of each row (n,), or ``None``.
        classes: all classes, in the order of the coding.
        divisor: X / divisor are the inputs of the data set (255 for pixels).
    """

    X: np.ndarray
    Y: np.ndarray | None = None
    labels: np.ndarray | None = None
    classes: tuple[int, ...] = ()
    divisor: float = 1.0


class Source(NamedTuple):
    """A data set known by name: what it is, its task, and how it is loaded."""

    name: str
    description: str
    task: str
    load: Callable[[], Table]


def _breast_cancer() -> Table:
    from sklearn.datasets import load_breast_cancer

    X, labels = load_breast_cancer(return_X_y=True)
    return Table(standardise(X), labels=labels, classes=(0, 1))


def _digits() -> Table:
    from sklearn.datasets import load_digits

    X, labels = load_digits(return_X_y=True)
    return Table(standardise(X), labels=labels, classes=tuple(range(10)))


def _diabetes() -> Table:
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return Table(standardise(X), Y=standardise(y[:, None]))


def _data_folder(name: str) -> Path:
    folder = os.environ.get("MODECONN_DATA", "")
    if not folder:
        raise InputError(f"{name}: set the environment variable MODECONN_DATA to the folder that holds {name}'s files")
    if not Path(folder).is_dir():
        raise InputError(f"{name}: MODECONN_DATA is {folder!r}, which is not a folder; set it to the data folder")
    return Path(folder)


def _idx_pair(name: str, prefix: str) -> Table:
    """Return images and labels of one of the two parts of an MNIST-like set."""
    folder = _data_folder(name) / name.removesuffix("_test")
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", ndim=3)
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", ndim=1)
    return _images_table(images, labels, str(folder))


def _images_table(images: np.ndarray, labels: np.ndarray, where: str) -> Table:
    if len(images) != len(labels) or images.size == 0:
        raise InputError(f"{where}: found {len(images)} images and {len(labels)} labels; download the files again")
    if images.dtype != np.uint8 or labels.dtype.kind not in "iu" or not np.isin(labels, np.arange(10)).all():
        raise InputError(f"{where}: expected byte images and labels 0..9, found others; download the files again")
    flat = images.reshape(len(images), -1)
    return Table(flat, labels=labels.astype(np.int64), classes=tuple(range(10)), divisor=255.0)


def _cifar(name: str, part: str) -> Table:
    path = _data_folder(name) / "cifar10" / "cifar10_lossless_train4000_test1000.npz"
    arrays = parse_npz(read_bytes(path), str(path))
    if f"x_{part}" not in arrays or f"y_{part}" not in arrays:
        raise InputError(f"{path}: expected x_{part} and y_{part}, found {sorted(arrays)[:6]}; download it again")
    images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"].reshape(-1)
    if images.shape[1:] != (32, 32, 3):
        raise InputError(f"{path}: expected images (n, 32, 32, 3), found {images.shape}; download it again")
    return _images_table(images, labels, str(path))


_FROM_FOLDER = "read from the folder MODECONN_DATA, pixels / 255"

DATASETS: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source(
            "breast_cancer",
            "Wisconsin breast cancer, 569 x 30 (scikit-learn), standardised; malignant -1, benign +1",
            "binary",
            _breast_cancer,
        ),
        Source("digits", "8x8 digits, 1797 x 64 (scikit-learn), standardised; one-hot", "multiclass", _digits),
        Source("diabetes", "diabetes, 442 x 10 (scikit-learn), X and y standardised", "regression", _diabetes),
        Source("mnist", f"60,000 x 784, {_FROM_FOLDER}", "multiclass", lambda: _idx_pair("mnist", "train")),
        Source("mnist_test", f"10,000 x 784, {_FROM_FOLDER}", "multiclass", lambda: _idx_pair("mnist_test", "t10k")),
        Source(
            "fashion_mnist", f"60,000 x 784, {_FROM_FOLDER}", "multiclass", lambda: _idx_pair("fashion_mnist", "train")
        ),
        Source(
            "fashion_mnist_test",
            f"10,000 x 784, {_FROM_FOLDER}",
            "multiclass",
            lambda: _idx_pair("fashion_mnist_test", "t10k"),
        ),
        Source(
            "cifar10_part",
            f"the first 4,000 training images of CIFAR-10 (a part of it), 4,000 x 3072, {_FROM_FOLDER}",
            "multiclass",
            lambda: _cifar("cifar10_part", "train"),
        ),
        Source(
            "cifar10_part_test",
            f"the first 1,000 test images of CIFAR-10 (a part of it), 1,000 x 3072, {_FROM_FOLDER}",
            "multiclass",
            lambda: _cifar("cifar10_part_test", "test"),
        ),
    )
}
"""The data sets by name. :func:`modeconn.data.load_dataset` also takes files and ``synthetic:`` teachers."""
