"""The data set record: its checks, coding of labels, standardisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modeconn.data import TASKS, Dataset, encode_labels, infer_task, standardise
from modeconn.errors import InputError
from modeconn.losses import LOSSES

ONES = np.ones((2, 1))


@pytest.mark.parametrize(
    ("X", "Y", "task", "says"),
    [
        (np.ones((2, 2)), np.ones(2), "regression", "Y as a float64 matrix"),
        (np.ones(2), ONES, "regression", "X as a float64 matrix"),
        (np.ones((2, 2), np.float32), ONES, "regression", "found float32"),
        (np.ones((2, 2)), np.ones((3, 1)), "regression", "2 rows and Y has 3"),
        (np.ones((0, 2)), np.ones((0, 1)), "regression", "at least one row"),
        (np.ones((2, 0)), ONES, "regression", "at least one row and column"),
        (np.array([[1.0, np.nan], [np.inf, 1.0]]), ONES, "regression", "2 NaN or infinite entries.* row 0, column 1"),
        (np.ones((2, 2)), np.array([[1.0], [-np.inf]]), "regression", "Y holds 1 NaN.* row 1, column 0"),
        (np.ones((2, 2)), ONES, "regresion", "did you mean 'regression'"),
        (np.ones((2, 2)), np.array([[0.0], [1.0]]), "binary", "-1 and \\+1"),
        (np.ones((2, 2)), np.ones((2, 2)), "binary", "-1 and \\+1"),
        (np.ones((2, 2)), ONES, "multiclass", "probabilities"),
        (np.ones((2, 2)), np.array([[0.5, 0.6], [1.0, 0.0]]), "multiclass", "probabilities"),
        (np.ones((2, 2)), np.array([[1.5, -0.5], [1.0, 0.0]]), "multiclass", "probabilities"),
    ],
)
def test_a_record_that_exists_is_valid(X: np.ndarray, Y: np.ndarray, task: str, says: str) -> None:
    """Oracle: by construction; each has one fault, named with the data set in one line."""
    with pytest.raises(InputError, match=says) as caught:
        Dataset(X, Y, "mine", task)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("Y", "task", "loss"),
    [
        (np.array([[0.5], [-3.0]]), "regression", "half_squared_error"),
        (np.array([[1.0], [-1.0]]), "binary", "logistic"),
        (np.array([[1.0, 0.0], [0.25, 0.75]]), "multiclass", "cross_entropy"),
    ],
)
def test_codings_are_those_of_the_losses(Y: np.ndarray, task: str, loss: str) -> None:
    """Oracle: the losses' own checks of their domains."""
    data = Dataset(np.eye(2), Y, "mine", task)
    LOSSES[loss].check_targets(data.Y)
    assert infer_task(Y) == task
    assert (data.n, data.d, data.c) == (2, 2, Y.shape[1])
    assert task in TASKS


def test_encode_labels() -> None:
    """Oracle: by hand."""
    labels = np.array([3, 1, 3])
    assert encode_labels(labels, (1, 3), "binary").tolist() == [[1.0], [-1.0], [1.0]]
    assert encode_labels(labels, (3, 1), "binary").tolist() == [[-1.0], [1.0], [-1.0]]
    assert encode_labels(labels, (3, 1), "multiclass").tolist() == [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    assert encode_labels(labels, (1, 2, 3), "multiclass").tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    for classes, task, says in (
        ((1,), "binary", "two different"),
        ((3, 3), "binary", "two different"),
        ((1, 2, 3), "binary", "two different"),
        ((3,), "multiclass", "two or more"),
        ((3, 4), "binary", r"found \[1\] outside"),
    ):
        with pytest.raises(InputError, match=says):
            encode_labels(labels, classes, task)


@given(hnp.arrays(np.float64, (7, 3), elements=st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-3)))
def test_standardise(X: np.ndarray) -> None:
    """Oracle: definition; mean 0 and variance 1 in every column that is not constant, 0 in those that are."""
    Z = standardise(X)
    assert np.isfinite(Z).all()
    for column, values in zip(Z.T, X.T, strict=True):
        if np.ptp(values) == 0:
            assert not column.any()
        elif np.ptp(values) > 1e-6 * np.abs(values).max():
            assert abs(column.mean()) <= 1e-8
            assert abs(column.var() - 1) <= 1e-8


def test_fingerprint_and_rows() -> None:
    """Oracle: by construction; the fingerprint sees values and shapes, not names or memory layout."""
    X = np.arange(6.0).reshape(3, 2)
    data = Dataset(X, np.ones((3, 1)), "a", "regression")
    assert data.sha256 == Dataset(np.asfortranarray(X), np.ones((3, 1)), "b", "regression").sha256
    others = [X.reshape(2, 3), X + np.eye(3, 2) * 1e-12]
    assert all(data.sha256 != Dataset(Z, np.ones((len(Z), 1)), "a", "regression").sha256 for Z in others)
    part = data.rows(np.array([2, 0]), "[2,0]")
    assert part.X.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert part.name == "a[2,0]"
    assert data.with_bias_column().X[:, -1].tolist() == [1.0] * 3
