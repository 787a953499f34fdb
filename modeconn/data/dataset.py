"""A data set: inputs, targets, and the task that says how the targets are coded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from modeconn.errors import InputError, unknown_name

__all__ = ["TASKS", "Dataset", "encode_labels", "infer_task", "standardise"]

TASKS: dict[str, str] = {
    "regression": "real targets (n, c)",
    "binary": "one column of -1 and +1",
    "multiclass": "rows of class probabilities over >= 2 classes; one-hot for hard labels",
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs X (n, d) and targets Y (n, c), NumPy float64, finite; checked when it is made.

    Attributes:
        X: inputs (n, d), one data point a row.
        Y: targets (n, c), coded as :data:`TASKS` says.
        name: where the data come from, with what was selected.
        task: "regression", "binary" or "multiclass".

    Raises:
        InputError: wrong shape or dtype, no data, NaN or infinity, or targets that do not fit the task.

    Example:
        >>> data = Dataset(np.eye(2), np.array([[1.0], [-1.0]]), "two points", "binary")
        >>> data.n, data.d, data.c
        (2, 2, 1)
    """

    X: np.ndarray
    Y: np.ndarray
    name: str
    task: str

    def __post_init__(self) -> None:
        for key, values in (("X", self.X), ("Y", self.Y)):
            if values.dtype != np.float64 or values.ndim != 2:
                raise InputError(
                    f"{self.name}: expected {key} as a float64 matrix, found {values.dtype} {values.shape}; convert it"
                )
            if values.size == 0:
                raise InputError(f"{self.name}: {key} has shape {values.shape}; expected at least one row and column")
            bad = np.argwhere(~np.isfinite(values))
            if bad.size:
                row, column = bad[0].tolist()
                raise InputError(
                    f"{self.name}: {key} holds {len(bad)} NaN or infinite entries, the first in row {row}, "
                    f"column {column} (from 0); clean the data first"
                )
        if len(self.X) != len(self.Y):
            raise InputError(f"{self.name}: X has {len(self.X)} rows and Y has {len(self.Y)}; give one target a row")
        if self.task not in TASKS:
            raise unknown_name("task", self.task, TASKS)
        if self.task == "binary" and not _is_signs(self.Y):
            raise InputError(f"{self.name}: a binary task needs one column of -1 and +1, found shape {self.Y.shape}")
        if self.task == "multiclass" and not _is_distribution(self.Y):
            raise InputError(f"{self.name}: a multiclass task needs rows of probabilities, found shape {self.Y.shape}")

    @property
    def n(self) -> int:
        """Number of data points."""
        return self.X.shape[0]

    @property
    def d(self) -> int:
        """Input dimension."""
        return self.X.shape[1]

    @property
    def c(self) -> int:
        """Number of outputs."""
        return self.Y.shape[1]

    @property
    def sha256(self) -> str:
        """SHA-256 of shapes, X and Y (little-endian), for manifests: it does not depend on the file format."""
        digest = hashlib.sha256(repr((self.X.shape, self.Y.shape)).encode())
        for values in (self.X, self.Y):
            digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
        return digest.hexdigest()

    def rows(self, index: Int[np.ndarray, " k"], note: str) -> Dataset:
        """Return the data points of the given rows, with ``note`` appended to the name."""
        return replace(self, X=self.X[index], Y=self.Y[index], name=f"{self.name}{note}")

    def with_bias_column(self) -> Dataset:
        """Return the data with a last column of ones: a bias as theory section 0 has it."""
        X = np.concatenate([self.X, np.ones((self.n, 1))], axis=1)
        return replace(self, X=X, name=f"{self.name}+bias")


def _is_signs(Y: np.ndarray) -> bool:
    return Y.shape[1] == 1 and bool(np.isin(Y, (-1.0, 1.0)).all())


def _is_distribution(Y: np.ndarray) -> bool:
    return Y.shape[1] >= 2 and bool((Y >= 0).all()) and bool(np.allclose(Y.sum(1), 1.0))


def infer_task(Y: Float[np.ndarray, "n c"]) -> str:
    """Return the task whose coding Y has: signs are binary, rows of probabilities multiclass, all else regression.

    Example:
        >>> infer_task(np.array([[1.0], [-1.0]])), infer_task(np.array([[0.0], [1.0]])), infer_task(np.eye(3))
        ('binary', 'regression', 'multiclass')
    """
    return "binary" if _is_signs(Y) else "multiclass" if _is_distribution(Y) else "regression"


def encode_labels(labels: Int[np.ndarray, " n"], classes: Sequence[int], task: str) -> Float[np.ndarray, "n c"]:
    """Return targets for labels drawn from ``classes``, coded as the task says.

    binary: -1 for the first class, +1 for the second. multiclass: one-hot, one column a class, in the order given.

    Raises:
        InputError: repeated classes, another number of classes than the task has, or a label outside of them.

    Example:
        >>> encode_labels(np.array([3, 8, 3]), (8, 3), "binary").ravel().tolist()
        [1.0, -1.0, 1.0]
    """
    fits = len(classes) == 2 if task == "binary" else len(classes) >= 2
    if not fits or len(set(classes)) != len(classes):
        wanted = "two" if task == "binary" else "two or more"
        raise InputError(f"a {task} task needs {wanted} different classes, found {tuple(classes)}; choose others")
    hot = labels[:, None] == np.asarray(classes)[None, :]
    if not (hot.sum(1) == 1).all():
        raise InputError(f"labels: found {sorted(set(labels.tolist()) - set(classes))[:5]} outside {tuple(classes)}")
    return np.where(hot[:, 1:], 1.0, -1.0) if task == "binary" else hot.astype(np.float64)


def standardise(X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Return the columns shifted to mean 0 and scaled to variance 1 (divisor n); constant columns become 0.

    Example:
        >>> standardise(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
    """
    constant = np.ptp(X, axis=0) == 0
    centred = np.where(constant, 0.0, X - X.mean(0))
    return centred / np.where(constant, 1.0, X.std(0))
