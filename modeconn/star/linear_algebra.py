"""Three questions about a matrix, answered exactly for rationals and to rounding for floats."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

from modeconn.cells.rational import null_space, rank, solve_rational

__all__ = ["annihilator", "matrix_rank", "solve_left"]

RELATIVE_RANK = 1e-10
"""Singular values below this share of the largest count as zero."""


def matrix_rank(M: Shaped[np.ndarray, "m k"]) -> int:
    """Return the rank.

    Example:
        >>> matrix_rank(np.array([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    if M.size == 0:
        return 0
    if M.dtype == object:
        return rank(M.tolist())
    return int(np.linalg.matrix_rank(M, rtol=RELATIVE_RANK))


def annihilator(M: Shaped[np.ndarray, "m k"]) -> Shaped[np.ndarray, "r m"]:
    """Return rows that span {z : z M = 0}; orthonormal ones for floats, integers for rationals.

    Example:
        >>> annihilator(np.array([[1], [2]], object)).tolist()
        [[-2, 1]]
    """
    m = M.shape[0]
    if M.dtype == object:
        rows = null_space(M.T.tolist(), m)
        found = np.empty((len(rows), m), object)
        if rows:
            found[:] = rows
        return found
    if M.size == 0:
        return np.eye(m)
    left, values, _ = np.linalg.svd(M)
    keep = int((values > RELATIVE_RANK * max(values[0], np.finfo(float).tiny)).sum())
    return left[:, keep:].T


def solve_left(M: Shaped[np.ndarray, "m k"], R: Shaped[np.ndarray, "c k"]) -> Shaped[np.ndarray, "c m"] | None:
    """Return some X with X M = R: for rationals exactly, or ``None`` if there is none; for floats the least squares.

    A float solution is the one of least norm and has to be tried by its user: rounding hides whether one exists.

    Example:
        >>> solve_left(np.array([[2], [0]], object), np.array([[1]], object)).tolist()
        [[Fraction(1, 2), Fraction(0, 1)]]
    """
    if M.dtype != object:
        return np.linalg.lstsq(M.T, R.T, rcond=RELATIVE_RANK)[0].T
    columns = M.T.tolist()
    found = np.empty((R.shape[0], M.shape[0]), object)
    for i, target in enumerate(R.tolist()):
        row = solve_rational(columns, target)
        if row is None:
            return None
        found[i] = row
    return found
