"""Walks along the edges of {z >= 0: M z = M z_start} to the point that minimises a linear cost: a primal simplex.

The vertices visited are the product, not only the last one: between two of them at most rank + 1 entries are positive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Bool, Float
from numpy.typing import NDArray

__all__ = ["Polytope", "Walk", "WalkError"]

Reals = NDArray[np.float64]

_REFACTOR = 40
_PIVOT = 1e-9
_COST = 1e-10
_ROUNDS = 10
"""Rounds of equilibration."""
_STALLED = 200
"""Degenerate pivots in a row after which the least index enters and leaves (Bland), which cannot cycle."""


class WalkError(Exception):
    """Rounding broke the walk: a vertex lost its sign or its equations."""


class Walk(NamedTuple):
    """A walk to the optimum of a linear cost.

    Attributes:
        points: vertices (K, k), the start first; consecutive ones are joined by an edge.
        reduced: reduced costs (k,) at the end: the optimal face is where z vanishes on their positive entries.
    """

    points: list[Reals]
    reduced: Float[np.ndarray, " k"]


class Polytope:
    """{z >= 0: M z = b}, with rows and columns of M scaled to like sizes and rows compressed to full rank.

    The columns have unit length in the end: ``unit`` is what a column was divided by.

    Args:
        M: (N, k).
        b: (N,), attained by some z >= 0.
    """

    def __init__(self, M: Float[np.ndarray, "N k"], b: Float[np.ndarray, " N"]) -> None:
        rows = _row_sizes(M)
        M, b = M / rows[:, None], b / rows
        size = np.linalg.norm(M, axis=0)
        self.unit = np.where(size > 0, size, 1.0)
        factor, R, order = scipy.linalg.qr(M / self.unit, mode="economic", pivoting=True, check_finite=False)
        diagonal = np.abs(np.diag(R))
        limit = max(M.shape) * float(np.finfo(np.float64).eps)
        self.rank = int(np.count_nonzero(diagonal > limit * diagonal[0]))
        self.C = np.empty((self.rank, M.shape[1]))
        self.C[:, order] = R[: self.rank]
        self.b = factor[:, : self.rank].T @ b

    def basis_of(self, z: Reals) -> NDArray[np.int_]:
        """Return rank M columns that hold the support of the vertex z, completed by pivoted columns.

        Raises:
            WalkError: the support is dependent: z is no vertex.
        """
        support = np.flatnonzero(z > 0)
        chosen = support
        if len(support) < self.rank:
            rest = np.flatnonzero(z == 0)
            factor = scipy.linalg.qr(self.C[:, support], check_finite=False)[0][:, len(support) :]
            order = scipy.linalg.qr(factor.T @ self.C[:, rest], mode="r", pivoting=True, check_finite=False)[1]
            chosen = np.r_[support, rest[order[: self.rank - len(support)]]]
        if len(chosen) != self.rank or np.linalg.cond(self.C[:, chosen]) > 1e12:
            raise WalkError(f"{len(support)} columns of rank below that: no vertex")
        return chosen

    def walk(
        self,
        start: Float[np.ndarray, " k"],
        cost: Float[np.ndarray, " k"],
        allowed: Bool[np.ndarray, " k"] | None = None,
        max_pivots: int | None = None,
        visit: Callable[[Reals], None] | None = None,
    ) -> Walk:
        """Return the vertices of a walk from the vertex ``start`` that minimises ``cost``.

        Cost O(rank (rank + k)) a pivot.

        Args:
            start: a vertex, z >= 0 with M z = b.
            cost: bounded below on the polytope.
            allowed: columns that may become positive; default all.
            max_pivots: default 40 (rank + k).
            visit: called with every vertex after the start; what it raises ends the walk.

        Raises:
            WalkError: rounding took over, or too many pivots.
        """
        C, k = self.C, self.C.shape[1]
        c = cost / self.unit
        permitted = np.ones(k, bool) if allowed is None else allowed
        basis = self.basis_of(start)
        x = start[basis] * self.unit[basis]
        points, stalled = [start.copy()], 0
        inverse = np.linalg.inv(C[:, basis])
        for pivot in range(max_pivots or 40 * (self.rank + k)):
            if pivot % _REFACTOR == _REFACTOR - 1:
                inverse = np.linalg.inv(C[:, basis])
            reduced = c - (c[basis] @ inverse) @ C
            reduced[basis] = 0.0
            tempting = permitted & (reduced < -_COST * max(1.0, float(np.abs(c).max())))
            if not tempting.any():
                return Walk(points, reduced * self.unit)
            bland = stalled > _STALLED
            enter = int(np.flatnonzero(tempting)[0] if bland else np.where(tempting, reduced, 0.0).argmin())
            leave = _leaving(inverse @ C[:, enter], x, basis, bland)
            direction = inverse @ C[:, enter]
            length = x[leave] / direction[leave]
            x = np.asarray(x - length * direction, np.float64)
            x[leave] = length
            row = inverse[leave] / direction[leave]
            inverse = inverse - np.outer(direction, row)
            inverse[leave] = row
            basis[leave] = enter
            x = self._settled(basis, np.asarray(inverse, np.float64), x)
            stalled = stalled + 1 if length <= _PIVOT * float(x.max()) * 1e-3 else 0
            z = np.zeros(k)
            z[basis] = x / self.unit[basis]
            if not stalled or ((points[-1] > 0) & (z == 0)).any():  # a neuron that left has made room
                points.append(z)
                if visit is not None:
                    visit(z)
        raise WalkError("too many pivots")

    def _settled(self, basis: NDArray[np.int_], inverse: Reals, x: Reals) -> Reals:
        """Return the basic values after one step of refinement, zero where they vanish to rounding."""
        x = x + inverse @ (self.b - self.C[:, basis] @ x)
        scale = float(np.abs(x).max())
        if x.min() < -1e-7 * scale:
            raise WalkError(f"an entry of a vertex became {x.min():.3g}")
        return np.where(x <= 1e-13 * scale, 0.0, x)


def _row_sizes(M: Reals) -> Reals:
    """Return what to divide the rows by, so that rows and columns have like sizes: a few rounds of equilibration."""
    rows, columns = np.ones(len(M)), np.ones(M.shape[1])
    for _ in range(_ROUNDS):
        scaled = np.abs(M) / rows[:, None] / columns
        for sizes, found in ((rows, scaled.max(1, initial=0.0)), (columns, scaled.max(0, initial=0.0))):
            sizes *= np.where(found > 0, np.sqrt(found), 1.0)
    return rows


def _leaving(direction: Reals, x: Reals, basis: NDArray[np.int_], bland: bool) -> int:
    """Return the row whose basic entry reaches zero first; of near ties the one with the largest pivot."""
    falling = np.flatnonzero(direction > _PIVOT * max(1.0, float(np.abs(direction).max())))
    if not len(falling):
        raise WalkError("an edge without an end")
    ratio = x[falling] / direction[falling]
    ties = falling[ratio <= ratio.min() + 1e-13 * float(x.max())]
    return int(ties[basis[ties].argmin()] if bland else ties[direction[ties].argmax()])
