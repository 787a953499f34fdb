"""Net files: exact round trips, and one clear line for everything that is not a net."""

import io
import warnings
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modeconn.errors import InputError
from modeconn.io import npz_bytes, read_arrays, read_net, write_net
from modeconn.nets import Net, check_net

SUFFIXES = (".npz", ".safetensors")


@st.composite
def nets(draw: st.DrawFn) -> Net:
    """Return nets of any float dtype and form, subnormal and negative zero entries included."""
    d, m, c = (draw(st.integers(1, 4)) for _ in range(3))
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    entries = st.floats(width=np.dtype(dtype).itemsize * 8, allow_nan=False, allow_infinity=False)

    def matrix(shape: tuple[int, ...]) -> np.ndarray:
        return draw(hnp.arrays(dtype, shape, elements=entries))

    A = draw(st.none() | st.just(matrix((c, m))))
    return Net(matrix((d, m)), A, draw(st.none() | st.just(matrix((m,)))))


def identical(one: Net, other: Net) -> bool:
    return all(
        (u is None and v is None)
        or (
            u is not None and v is not None and u.dtype == v.dtype and u.shape == v.shape and u.tobytes() == v.tobytes()
        )
        for u, v in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(net=nets())
def test_round_trip_is_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, suffix: str, net: Net) -> None:
    """Oracle: the net itself, dtype and sign of zero included; writing twice gives the same bytes."""
    path = tmp_path_factory.getbasetemp() / f"round_trip{suffix}"
    write_net(path, net)
    first = path.read_bytes()
    assert identical(read_net(path), net)
    write_net(path, read_net(path))
    assert path.read_bytes() == first


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_jax_nets_and_other_layouts(tmp_path: Path, suffix: str) -> None:
    """Oracle: the same numbers; JAX leaves, transposed (Fortran) and big-endian arrays are written alike."""
    rng = np.random.default_rng(0)
    net = Net(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
    for other in (
        jax.tree.map(jnp.asarray, net),
        jax.tree.map(np.asfortranarray, net),
        jax.tree.map(lambda leaf: leaf.astype(">f8"), net),
    ):
        assert identical(read_net(write_net(tmp_path / f"net{suffix}", other)), net)


def test_the_file_holds_what_the_format_says(tmp_path: Path) -> None:
    """Oracle: numpy.load; a is (m,) for one output, ones with a flag when fixed, and b is there only if used."""
    W = np.arange(6.0).reshape(2, 3)
    for net, keys in (
        (Net(W, np.ones((1, 3))), {"W": (2, 3), "a": (3,)}),
        (Net(W, np.ones((2, 3)), np.zeros(3)), {"W": (2, 3), "a": (2, 3), "b": (3,)}),
        (Net(W), {"W": (2, 3), "a": (3,), "fixed_output": ()}),
    ):
        with np.load(write_net(tmp_path / "net.npz", net)) as arrays:
            assert {key: arrays[key].shape for key in arrays} == keys


def test_hand_made_files(tmp_path: Path) -> None:
    """Oracle: by hand; whole numbers become float64, (m,) becomes (1, m), compressed files are read too."""
    path = tmp_path / "net.npz"
    np.savez_compressed(path, W=np.array([[1, -1]]), a=[2, 3], b=np.float32([0.5, 0.25]))
    net = read_net(path)
    assert net.W.dtype == np.float64
    assert net.A.tolist() == [[2.0, 3.0]]
    assert net.b.dtype == np.float32
    np.savez(path, W=np.array([[1.0, -1.0]]), a=[1.0, 1.0], fixed_output=np.array([1]))
    assert read_net(path).A is None


GOOD = {"W": np.ones((2, 3)), "a": np.ones(3)}
BAD_ARRAYS = {
    "no a": ({"W": np.ones((2, 3))}, "no a; a net has W"),
    "nothing": ({}, "no W and no a"),
    "misspelt bias": (GOOD | {"bias": np.ones(3)}, "unknown bias"),
    "width 0": ({"W": np.ones((2, 0)), "a": np.ones(0)}, "at least one neuron"),
    "W vector": (GOOD | {"W": np.ones(3)}, "shape (d, m)"),
    "W transposed": (GOOD | {"W": np.ones((3, 2))}, "output weights (c, 2)"),
    "a cube": (GOOD | {"a": np.ones((1, 1, 3))}, "output weights"),
    "a scalar": (GOOD | {"a": np.array(1.0)}, "output weights"),
    "b column": (GOOD | {"b": np.ones((3, 1))}, "biases of shape (3,)"),
    "NaN": (GOOD | {"W": np.full((2, 3), np.nan)}, "W: holds 6 NaN"),
    "infinite": (GOOD | {"a": np.array([1.0, np.inf, 1.0])}, "a: holds 1 NaN or infinite"),
    "complex": (GOOD | {"W": np.ones((2, 3), complex)}, "expected real numbers"),
    "boolean": (GOOD | {"a": np.ones(3, bool)}, "expected real numbers"),
    "text": (GOOD | {"a": np.array(["1", "2", "3"])}, "expected real numbers"),
    "big integers": (GOOD | {"a": np.array([2**53 + 1, 1, 1])}, "beyond 2^53"),
    "big unsigned": (GOOD | {"a": np.array([2**64 - 1, 1, 1], np.uint64)}, "beyond 2^53"),
    "flag without ones": (GOOD | {"a": np.zeros(3), "fixed_output": np.array(True)}, "not all ones"),
    "flag of two outputs": (GOOD | {"a": np.ones((2, 3)), "fixed_output": np.array(True)}, "not all ones"),
    "flag 2": (GOOD | {"fixed_output": np.array(2)}, "one true or false"),
    "flag text": (GOOD | {"fixed_output": np.array("yes")}, "one true or false"),
    "pickled": (GOOD | {"a": np.array([None, 1, 2])}, "never loaded"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_files_that_are_no_net(tmp_path: Path, case: str) -> None:
    """Oracle: by construction; each file has one fault, and the line names file and fault."""
    arrays, says = BAD_ARRAYS[case]
    path = tmp_path / "net.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError) as caught:
        read_net(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_empty_foreign_and_renamed_files(tmp_path: Path) -> None:
    """Oracle: by construction."""
    good = write_net(tmp_path / "good.npz", Net(np.ones((2, 3))))
    other = write_net(tmp_path / "good.safetensors", Net(np.ones((2, 3))))
    (tmp_path / "swapped.npz").write_bytes(other.read_bytes())
    (tmp_path / "swapped.safetensors").write_bytes(good.read_bytes())
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("W,a\n1,2\n")
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    (tmp_path / "folder.npz").mkdir()
    for name, says in (
        ("missing.npz", "no such file"),
        ("empty.npz", "is empty"),
        ("text.npz", "not a readable .npz"),
        ("array.npz", "not a readable .npz"),
        ("swapped.npz", "not a readable .npz"),
        ("swapped.safetensors", "not a readable .safetensors"),
        ("folder.npz", "cannot be read"),
        ("net.pt", "suffix '.pt'"),
        ("net", "suffix ''"),
    ):
        with pytest.raises(InputError, match=says):
            read_net(tmp_path / name)
    with pytest.raises(InputError, match=r"suffix '\.pkl'"):
        write_net(tmp_path / "net.pkl", Net(np.ones((2, 3))))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bad_nets_are_not_written(tmp_path: Path, suffix: str) -> None:
    """Oracle: by construction; NaN, width 0 and a dtype without an exact form leave no file."""
    path = tmp_path / f"net{suffix}"
    for net in (
        Net(np.array([[np.nan]])),
        Net(np.ones((2, 0))),
        Net(jnp.ones((1, 1), jnp.bfloat16)),
        Net(np.ones((1, 1), np.int64)),
    ):
        with pytest.raises(InputError):
            write_net(path, net)
    assert not path.exists()


def npy(header: str, numbers: bytes = bytes(8)) -> bytes:
    """Return the bytes of an .npy with a header of one's own."""
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + numbers


@pytest.mark.parametrize(
    ("shape", "descr", "says"),
    [
        ("(1000000, 1000000)", "'<f8'", "another length"),
        ("(4611686018427387904, 4611686018427387904, 0)", "'<f8'", "plain array"),
        ("(-1, -1)", "'<f8'", "plain array"),
        ("(True, 1)", "'<f8'", "plain array"),
        ("1", "'<f8'", "plain array"),
        ("(1, 1)", "'2f4'", "plain array"),
        ("(1, 1)", "'f4,f4'", "plain array"),
        ("(1, 1)", "[('x', '<f8')]", "plain array"),
        ("(1, 1)", "'<q9'", "not a readable array"),
        ("(1, 1)", "'V0'", "another length"),
        ("(1, 1)", "'O'", "never loaded"),
        ("(1, 1)", "__import__('os')", "not a readable array"),
        ("(1, " + "(" * 300 + ")" * 300 + ")", "'<f8'", "not a readable array"),
        ("(1, " + "-" * 5000 + "1)", "'<f8'", "not a readable array"),
        ("(1, 1), 'more': 1", "'<f8'", "three keys"),
    ],
)
def test_headers_that_lie(tmp_path: Path, shape: str, descr: str, says: str) -> None:
    """Oracle: by construction; 8 bytes of data and a header that asks for 8 TB, objects, code or nothing plain."""
    path = tmp_path / "net.npz"
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"
    path.write_bytes(zipped(npy(header)))
    with pytest.raises(InputError, match=says):
        read_arrays(path)


def test_headers_in_any_order_and_column_major(tmp_path: Path) -> None:
    """Oracle: by hand; the format does not fix the order of the keys."""
    path = tmp_path / "net.npz"
    numbers = np.arange(4.0).astype(">f4").tobytes()
    path.write_bytes(zipped(npy("{'shape':(2,2,),'fortran_order':True,'descr':'>f4'}", numbers)))
    assert read_arrays(path)["W"].tolist() == [[0.0, 2.0], [1.0, 3.0]]


def test_two_arrays_of_one_name(tmp_path: Path) -> None:
    """Oracle: by construction; which of the two is meant cannot be known."""
    path = write_net(tmp_path / "net.npz", Net(np.ones((2, 3))))
    with zipfile.ZipFile(path) as archive:
        member = archive.read("W.npy")
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("W.npy", member)
    with pytest.raises(InputError, match="one name"):
        read_net(path)


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the bytes with one to three of: a flipped bit, a random byte, a few bytes cut out or put in."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        position = int(rng.integers(len(changed)))
        match rng.integers(4):
            case 0:
                changed[position] ^= 1 << int(rng.integers(8))
            case 1:
                changed[position] = int(rng.integers(256))
            case 2:
                del changed[position : position + int(rng.integers(1, 9))]
            case _:
                changed[position:position] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(changed)


def zipped(member: bytes) -> bytes:
    """Return an archive with the member as W.npy, its check sum right: damage to the header gets to the parser."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("W.npy", member)
        archive.writestr("a.npy", zipfile.ZipFile(io.BytesIO(npz_bytes({"a": np.ones(3)}))).read("a.npy"))
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["npz", "compressed", "header", "safetensors"])
def test_only_input_errors_come_out_of_damaged_files(tmp_path: Path, kind: str) -> None:
    """Oracle: the contract; truncations and 300 random damages give a checked net or a one-line InputError."""
    rng = np.random.default_rng(7)
    net = Net(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=3))
    path = tmp_path / ("net.safetensors" if kind == "safetensors" else "net.npz")
    whole = write_net(path, net).read_bytes()
    if kind == "compressed":
        np.savez_compressed(path, **GOOD)
        whole = path.read_bytes()
    if kind == "header":
        member = zipfile.ZipFile(io.BytesIO(whole)).read("W.npy")
        damaged = [zipped(damage(member[:128], rng) + member[128:]) for _ in range(300)]
    else:
        damaged = [whole[:k] for k in range(0, len(whole), 11)] + [damage(whole, rng) for _ in range(300)]
    messages = []
    for data in damaged:
        path.write_bytes(data)
        try:
            check_net(read_net(path))
        except InputError as error:
            messages.append(str(error))
    assert len(messages) >= len(damaged) // 3
    assert not any("\n" in message for message in messages)


def test_damage_to_the_numbers_of_an_npz_is_found(tmp_path: Path) -> None:
    """Oracle: the check sum of the format; any flipped bit inside an array is refused, never read as a number."""
    path = write_net(tmp_path / "net.npz", Net(np.full((2, 3), np.pi)))
    whole = path.read_bytes()
    start = whole.index(np.float64(np.pi).tobytes())
    for bit in range(0, 6 * 64, 5):
        data = bytearray(whole)
        data[start + bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"not a readable \.npz"):
            read_arrays(path)
