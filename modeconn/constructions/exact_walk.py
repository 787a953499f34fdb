"""The walks of :mod:`modeconn.constructions.polytope_walk` in rational arithmetic: for vertices that floats confuse.

Neurons of two nets that are nearly equal, or of very different sizes, make bases whose condition number exceeds 1e12;
floats then lose a sign and the walk its way. Here nothing is rounded until a vertex is known. The tableau is kept in
integers over one denominator (Edmonds): every entry is a minor of the matrix, which bounds its length.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from modeconn.cells import common_denominator
from modeconn.constructions.polytope_walk import Walk, WalkError

__all__ = ["ExactPolytope"]

Reals = NDArray[np.float64]
Integers = NDArray[Any]  # Python integers of any length

_STALLED = 50
"""Degenerate pivots in a row after which the least index enters (Bland), which cannot cycle."""


class ExactPolytope:
    """{z >= 0: M z = b} for rational M and b, with the walks of :class:`Polytope`.

    Example:
        >>> M = np.array([[Fraction(1), Fraction(1), Fraction(1)]], object)
        >>> walk = ExactPolytope(M, [Fraction(1, 3)]).walk(np.array([1 / 3, 0, 0]), np.array([1.0, 0.0, -1.0]))
        >>> [point.tolist() for point in walk.points], walk.reduced.tolist()
        ([[0.3333333333333333, 0.0, 0.0], [0.0, 0.0, 0.3333333333333333]], [1.0, 1.0, 0.0])

    Args:
        M: (N, k) of Fractions.
        b: (N,) Fractions, attained by some z >= 0.
    """

    def __init__(self, M: NDArray[Any], b: list[Fraction]) -> None:
        size = np.linalg.norm(M.astype(np.float64), axis=0)
        exponents = np.where(size > 0, np.frexp(np.where(size > 0, size, 1.0))[1], 0)
        self.unit = np.ldexp(1.0, exponents)  # powers of two: nothing is rounded
        columns = M * np.array([Fraction(2) ** -int(e) for e in exponents], object)
        rows = []
        for row, target in zip(columns.tolist(), b, strict=True):
            scale = common_denominator([*row, target])
            rows.append([int(v * scale) for v in (*row, target)])
        self.rows = np.array(rows, object)

    @cached_property
    def rank(self) -> int:
        """Return the rank of M."""
        return len(self._solved(np.zeros(len(self.unit), bool))[1])

    def _solved(self, support: Bool[np.ndarray, " k"]) -> tuple[Integers, list[int], int]:
        """Return the tableau (rank, k + 1) over its denominator, basis columns eliminated, those of ``support`` first.

        Raises:
            WalkError: the support is dependent.
        """
        table, denominator = self.rows.copy(), 1
        basis: list[int] = []
        wanted = np.flatnonzero(support).tolist()
        for column in [*wanted, *np.flatnonzero(~support).tolist()]:
            row = next((i for i in range(len(basis), len(table)) if table[i, column]), None)
            if row is None:
                if len(basis) < len(wanted):
                    raise WalkError("the live neurons are dependent: no vertex")
                continue
            table[np.array([len(basis), row])] = table[np.array([row, len(basis)])]
            if table[len(basis), column] < 0:
                table[len(basis)] = -table[len(basis)]
            table, denominator = _pivoted(table, len(basis), column, denominator)
            basis.append(column)
            if len(basis) == len(table):
                break
        return table[: len(basis)], basis, denominator

    def walk(
        self,
        start: Float[np.ndarray, " k"],
        cost: Float[np.ndarray, " k"],
        allowed: Bool[np.ndarray, " k"] | None = None,
        max_pivots: int | None = None,
        visit: Callable[[Reals], None] | None = None,
    ) -> Walk:
        """Return the vertices of a walk from the vertex with the support of ``start`` that minimises ``cost``.

        Arguments are those of :meth:`Polytope.walk`; the points are rounded, the decisions are not, and ``reduced`` is
        1 where a reduced cost is positive.

        Raises:
            WalkError: the start is no vertex, or too many pivots.
        """
        k = len(start)
        table, basis, denominator = self._solved(start > 0)
        prices = [Fraction(float(c)) / Fraction(float(u)) for c, u in zip(cost, self.unit, strict=True)]
        scale = common_denominator(prices)
        row = np.array([int(p * scale) * denominator for p in prices] + [0], object)
        for i, column in enumerate(basis):
            row = row - int(prices[column] * scale) * table[i]
        table = np.concatenate([table, row[None]])  # the last row: reduced costs
        if any(v < 0 for v in table[:-1, k]):
            raise WalkError("the start is outside: no vertex")
        permitted = np.ones(k, bool) if allowed is None else allowed
        points, stalled = [start.copy()], 0
        for _ in range(max_pivots or 40 * (self.rank + k)):
            tempting = [j for j in np.flatnonzero(permitted).tolist() if table[-1, j] < 0]
            if not tempting:
                return Walk(points, np.array([float(v > 0) for v in table[-1, :k]]))
            enter = tempting[0] if stalled > _STALLED else min(tempting, key=lambda j: table[-1, j])
            falling = [i for i in range(len(basis)) if table[i, enter] > 0]
            if not falling:
                raise WalkError("an edge without an end")
            leave = min(falling, key=lambda i: (Fraction(table[i, k], table[i, enter]), basis[i]))
            stalled = stalled + 1 if table[leave, k] == 0 else 0
            table, denominator = _pivoted(table, leave, enter, denominator)
            basis[leave] = enter
            if not stalled:
                z = np.zeros(k)
                z[basis] = [v / denominator for v in table[:-1, k]] / self.unit[basis]
                points.append(z)
                if visit is not None:
                    visit(z)
        raise WalkError("too many pivots")


def _pivoted(table: Integers, row: int, column: int, denominator: int) -> tuple[Integers, int]:
    """Return the tableau after a pivot on a positive entry, and its new denominator; all divisions are exact."""
    pivot = table[row, column]
    after = (pivot * table - np.outer(table[:, column], table[row])) // denominator
    after[row] = table[row]
    return after, pivot
