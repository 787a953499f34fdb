"""Data files of the user: .npz and .csv, good and bad."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modeconn.data import load_dataset
from modeconn.errors import InputError

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TABLES = st.tuples(st.integers(1, 4), st.integers(2, 4)).flatmap(lambda s: hnp.arrays(np.float64, s, elements=FLOATS))


@given(table=TABLES, header=st.booleans(), newline=st.sampled_from(["\n", "\r\n"]), blank=st.booleans())
def test_csv_round_trip(
    tmp_path_factory: pytest.TempPathFactory, table: np.ndarray, header: bool, newline: str, blank: bool
) -> None:
    """Oracle: the table; floats written by repr come back bit for bit, the last column is the target."""
    lines = [",".join(map(repr, row)) for row in table.tolist()]
    if header:
        lines.insert(0, ",".join(f"x{k}" for k in range(table.shape[1])))
    if blank:
        lines.insert(1, "")
    path = tmp_path_factory.getbasetemp() / "table.csv"
    path.write_bytes((newline.join(lines) + newline * blank).encode())
    data = load_dataset(path)
    assert np.concatenate([data.X, data.Y], axis=1).tobytes() == table.tobytes()


@given(table=TABLES, flat=st.booleans(), dtype=st.sampled_from([np.float32, np.float64]))
def test_npz_round_trip(tmp_path_factory: pytest.TempPathFactory, table: np.ndarray, flat: bool, dtype: type) -> None:
    """Oracle: the arrays; y (n,) and y (n, c), float32 is read exactly."""
    with np.errstate(over="ignore"):
        table = np.nan_to_num(table.astype(dtype), posinf=1.0, neginf=-1.0)
    path = tmp_path_factory.getbasetemp() / "data.npz"
    np.savez(path, X=table, y=table[:, 0] if flat else table)
    data = load_dataset(str(path))
    assert np.array_equal(data.X, table)
    assert np.array_equal(data.Y, table[:, :1] if flat else table)
    assert data.X.dtype == data.Y.dtype == np.float64


def test_csv_details(tmp_path: Path) -> None:
    """Oracle: by hand; byte order mark, quotes, spaces, header with commas in quotes, signs as a binary task."""
    path = tmp_path / "data.csv"
    path.write_bytes('\ufeff"age, in years",y\n 1.5 ,"-1"\n2e3,+1\n'.encode())
    data = load_dataset(path)
    assert data.X.tolist() == [[1.5], [2000.0]]
    assert data.Y.tolist() == [[-1.0], [1.0]]
    assert data.task == "binary"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x,y\n1,2\n3,abc\n", "line 3, column 2: 'abc' is not a number"),
        ("x,y\n1,2\n3,\n", "line 3, column 2: '' is not a number"),
        ("1,2\n\n3,nan\n", "line 3, column 2: 'nan' is not finite"),
        ("1,2\n1e999,4\n", "line 2, column 1: '1e999' is not finite"),
        ("1,2\n3,4,5\n", "line 2: found 3 cells, expected 2"),
        ("1,2\n3\n", "line 2: found 1 cells, expected 2"),
        ("x,1\n3,4\n", "line 1, column 1: 'x' is not a number"),
        ("1_0,2\n", "line 1, column 1: '1_0'"),
        ("1;2\n3;4\n", "line 1: one column"),
        ("1\n2\n", "line 1: one column"),
        ("x,y\n", "no line of numbers"),
        ("\n\n", "no line of numbers"),
        ("", "is empty"),
        ('1,2\n"3,4\n', "not comma-separated"),
        ("1,2\n3,4\0\n", "line 2"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, says: str) -> None:
    """Oracle: by construction; one fault each, named with its line and column."""
    path = tmp_path / "data.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        load_dataset(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"X": np.ones((2, 2))}, "exactly the arrays X"),
        ({"X": np.ones((2, 2)), "y": np.ones(2), "z": np.ones(2)}, "found X, y, z"),
        ({"x": np.ones((2, 2)), "y": np.ones(2)}, "found x, y"),
        ({}, "found none"),
        ({"X": np.ones(2), "y": np.ones(2)}, r"found \(2,\) and \(2,\)"),
        ({"X": np.ones((2, 2)), "y": np.ones(3)}, r"found \(2, 2\) and \(3,\)"),
        ({"X": np.ones((2, 2)), "y": np.array(1.0)}, "expected X"),
        ({"X": np.ones((2, 2)), "y": np.ones((2, 1, 1))}, "expected X"),
        ({"X": np.ones((0, 2)), "y": np.ones(0)}, "at least one row"),
        ({"X": np.ones((2, 2)), "y": np.ones((2, 0))}, "at least one row"),
        ({"X": np.full((2, 2), np.nan), "y": np.ones(2)}, "4 NaN"),
        ({"X": np.ones((2, 2)), "y": np.array(["a", "b"])}, "real numbers"),
        ({"X": np.ones((2, 2)), "y": np.array([None, 1])}, "never loaded"),
    ],
)
def test_bad_npz(tmp_path: Path, arrays: dict, says: str) -> None:
    """Oracle: by construction."""
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=says):
        load_dataset(path)


def test_files_that_are_none(tmp_path: Path) -> None:
    """Oracle: by construction."""
    (tmp_path / "latin.csv").write_bytes(b"1,2\n3,\xe9\n")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "data.xlsx").write_bytes(b"PK")
    (tmp_path / "text.npz").write_bytes(b"1,2\n")
    for name, says in (
        ("latin.csv", "not UTF-8"),
        ("folder.csv", "cannot be read"),
        ("missing.csv", "no such file"),
        ("data.xlsx", "suffix '.xlsx'"),
        ("text.npz", "not a readable .npz"),
        ("missing", "unknown data set"),
    ):
        with pytest.raises(InputError, match=says):
            load_dataset(tmp_path / name)


def write_labels(tmp_path: Path, y: np.ndarray) -> Path:
    path = tmp_path / "labels.npz"
    np.savez(path, X=np.arange(2.0 * len(y)).reshape(-1, 2), y=y)
    return path


@pytest.mark.parametrize(
    ("y", "task", "coded", "found"),
    [
        ([0, 1, 1], None, [[0.0], [1.0], [1.0]], "regression"),
        ([0, 1, 1], "binary", [[-1.0], [1.0], [1.0]], "binary"),
        ([0, 1, 1], "multiclass", [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], "multiclass"),
        ([7, 5, 9], "multiclass", [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "multiclass"),
        ([-1, 1, 1], None, [[-1.0], [1.0], [1.0]], "binary"),
        ([-1, 1, 1], "regression", [[-1.0], [1.0], [1.0]], "regression"),
        ([[0.5, 0.5], [1.0, 0.0]], None, [[0.5, 0.5], [1.0, 0.0]], "multiclass"),
        ([[0.5, 0.5], [1.0, 0.0]], "regression", [[0.5, 0.5], [1.0, 0.0]], "regression"),
    ],
)
def test_tasks_of_files(tmp_path: Path, y: list, task: str | None, coded: list, found: str) -> None:
    """Oracle: by hand."""
    data = load_dataset(write_labels(tmp_path, np.array(y)), task=task)
    assert data.Y.tolist() == coded
    assert data.task == found


@pytest.mark.parametrize(
    ("y", "options", "says"),
    [
        ([0.5, 1.0], {"task": "binary"}, "whole-number labels"),
        ([0, 1, 2], {"task": "binary"}, "two classes, found 3"),
        ([1, 1, 1], {"task": "multiclass"}, "two or more classes"),
        ([0, 1, 2], {"task": "multi"}, "did you mean 'multiclass'"),
        ([0, 1, 2], {"classes": (0, 1)}, "no class labels"),
        ([0, 1, 2], {"task": "multiclass", "classes": (0, 7)}, r"classes \[7\] are not among"),
        ([0, 1, 2], {"task": "multiclass", "classes": (0,)}, "two or more"),
        ([0, 1, 2], {"n": 4}, "n <= 3"),
        ([0, 1, 2], {"n": 0}, "1 <= n"),
        ([0, 1, 2], {"n": 2, "seed": -1}, "seed >= 0"),
    ],
)
def test_bad_options(tmp_path: Path, y: list, options: dict, says: str) -> None:
    """Oracle: by construction."""
    with pytest.raises(InputError, match=says):
        load_dataset(write_labels(tmp_path, np.array(y)), **options)


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_only_input_errors_come_out_of_damaged_data(tmp_path: Path, suffix: str) -> None:
    """Oracle: the contract; truncations and 300 random changes of bytes give a data set or a one-line InputError."""
    rng = np.random.default_rng(5)
    path = tmp_path / f"data{suffix}"
    if suffix == ".csv":
        path.write_text("x1,x2,y\n" + "".join(f"{u!r},{v!r},1.0\n" for u, v in rng.normal(size=(5, 2)).tolist()))
    else:
        np.savez(path, X=rng.normal(size=(5, 2)), y=rng.normal(size=5))
    whole = path.read_bytes()
    damaged = [bytearray(whole[:k]) for k in range(0, len(whole), 9)]
    for _ in range(300):
        data, k = bytearray(whole), int(rng.integers(len(whole)))
        if rng.random() < 0.3:
            del data[k : k + 3]
        else:
            data[k] = int(rng.integers(256))
        damaged.append(data)
    messages, accepted = [], 0
    for data in damaged:
        path.write_bytes(data)
        try:
            load_dataset(path)
            accepted += 1
        except InputError as error:
            messages.append(str(error))
    assert not any("\n" in message for message in messages)
    assert min(len(messages), accepted) >= 10  # both happen: a changed digit of a csv is a number like any other
