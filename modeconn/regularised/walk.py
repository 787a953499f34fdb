"""Walks in {c >= 0 : Phi c = b} along which few amounts are positive at a time: rational simplex steps.

A walk is a list of amounts c (K,), straight in between, so the fit Phi c is affine. Three of them build every path of
this package: to fewer features, to a vertex of least cost, and after a right-hand side that moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import compress

from modeconn.cells import null_space, rank, solve_rational
from modeconn.topology.points import dot

__all__ = ["follow", "minimise", "reduce_support"]

Vector = Sequence[Fraction]
Amounts = tuple[Fraction, ...]


def reduce_support(columns: Sequence[Vector], costs: Vector, start: Vector) -> list[Amounts]:
    """Return a walk with constant fit and non-increasing cost to amounts whose columns are independent.

    Nothing that is 0 becomes positive. Cost: one null space for each amount that vanishes.

    Args:
        columns: phi_k (K, n).
        costs: positive (K,).
        start: amounts (K,), non-negative.

    Example:
        >>> one, two = Fraction(1), Fraction(2)
        >>> reduce_support([(one,), (one,)], (one, two), (one, one))[-1]
        (Fraction(2, 1), Fraction(0, 1))
    """
    walk = [tuple(start)]
    while True:
        here = walk[-1]
        live = [k for k, amount in enumerate(here) if amount]
        kernel = null_space(list(zip(*(columns[k] for k in live), strict=True)), len(live)) if live else []
        if not kernel:
            return walk
        away = [Fraction(v) for v in kernel[0]]
        slope = dot(away, [costs[k] for k in live])
        if slope > 0 or (slope == 0 and min(away) >= 0):
            away = [-v for v in away]
        step = min(here[k] / -v for k, v in zip(live, away, strict=True) if v < 0)
        following = list(here)
        for k, v in zip(live, away, strict=True):
            following[k] += step * v
        walk.append(tuple(following))


class _Basis:
    """A set of independent columns that spans all of them, with the amounts that reproduce a vector."""

    def __init__(self, columns: Sequence[Vector], live: Sequence[int]) -> None:
        self.columns = columns
        self.members = list(live)
        full = rank(columns)
        for k in range(len(columns)):
            if len(self.members) == full:
                break
            if k not in self.members and rank([columns[j] for j in (*self.members, k)]) > len(self.members):
                self.members.append(k)

    def coordinates(self, vector: Vector) -> list[Fraction]:
        """Return x with sum_j x_j columns[members[j]] = vector, a vector in the span."""
        if not self.members:
            return []
        found = solve_rational(list(zip(*(self.columns[k] for k in self.members), strict=True)), vector)
        assert found is not None, "the members span all columns"
        return found

    def reduced_costs(self, costs: Vector) -> dict[int, tuple[Fraction, list[Fraction]]]:
        """Return for every other column its reduced cost and its coordinates."""
        base = [costs[k] for k in self.members]
        found = {}
        for k, column in enumerate(self.columns):
            if k not in self.members:
                x = self.coordinates(column)
                found[k] = (costs[k] - dot(base, x), x)
        return found


def _minimise(columns: Sequence[Vector], costs: Vector, start: Vector) -> tuple[list[Amounts], _Basis]:
    """Return the walk of :func:`minimise` and an optimal basis of its end: Bland's rule, so it ends."""
    walk = [tuple(start)]
    basis = _Basis(columns, [k for k, amount in enumerate(start) if amount])
    while True:
        entering = next(((k, x) for k, (cost, x) in basis.reduced_costs(costs).items() if cost < 0), None)
        if entering is None:
            return walk, basis
        k, x = entering
        here = list(walk[-1])
        step, leaving = min((here[j] / v, j) for j, v in zip(basis.members, x, strict=True) if v > 0)
        if step:
            here[k] = step
            for j, v in zip(basis.members, x, strict=True):
                here[j] -= step * v
            walk.append(tuple(here))
        basis.members[basis.members.index(leaving)] = k


def minimise(columns: Sequence[Vector], costs: Vector, start: Vector) -> list[Amounts]:
    """Return a walk along edges, with constant fit and falling cost, to a vertex of least cost.

    At most rank(Phi) + 1 amounts are positive at any time.

    Args:
        columns: phi_k (K, n).
        costs: non-negative (K,).
        start: a vertex: amounts whose columns are independent.

    Example:
        >>> one = Fraction(1)
        >>> minimise([(one,), (2 * one,)], (one, one), (one, 0 * one))[-1]
        (Fraction(0, 1), Fraction(1, 2))
    """
    return _minimise(columns, costs, start)[0]


def follow(columns: Sequence[Vector], costs: Vector, start: Vector, end: Vector) -> list[Amounts]:
    """Return a walk of least cost while the fit moves straight from that of ``start`` to that of ``end``.

    First as :func:`minimise`, then the parametric simplex method: the least cost V(s) of the fit b(s) is convex, the
    walk is continuous (a basis is left when an amount reaches 0), at most rank(Phi) amounts are positive. It ends at
    a vertex of the end's fit that costs no more than the end. If the end minimises a convex function of the fit plus
    the cost, this function never rises along the walk.

    Args:
        columns: phi_k (K, n).
        costs: positive (K,).
        start: a vertex (K,).
        end: any amounts (K,).
    """
    walk, basis = _minimise(columns, costs, start)
    begin, goal = _fit(columns, start), _fit(columns, end)
    speed = [b - a for a, b in zip(begin, goal, strict=True)]
    left = Fraction(1)
    while left:
        here = walk[-1]
        rates = basis.coordinates(speed)
        step, leaving = min(
            ((-here[j] / v, j) for j, v in zip(basis.members, rates, strict=True) if v < 0), default=(left, -1)
        )
        step = min(step, left)
        if step:
            following = list(here)
            for j, v in zip(basis.members, rates, strict=True):
                following[j] += step * v
            walk.append(tuple(following))
            left -= step
        if left:
            row = basis.members.index(leaving)
            others = basis.reduced_costs(costs).items()
            entering = min((cost / -x[row], k) for k, (cost, x) in others if x[row] < 0)[1]
            basis.members[row] = entering
    return walk


def _fit(columns: Sequence[Vector], amounts: Vector) -> list[Fraction]:
    """Return sum_k c_k phi_k."""
    live = [bool(amount) for amount in amounts]
    parts = list(zip(compress(amounts, live), compress(columns, live), strict=True))
    return [sum((c * column[i] for c, column in parts), Fraction(0)) for i in range(len(columns[0]))]
