"""Certificates of the whole set of global optima of a ridge problem at one width: ``ridge-optimal-set``.

Let nu be dual feasible (see :mod:`proofs_check.checker.ridge_problem`) and y - nu = sum_k c_k phi_k, c >= 0, over the
*tight features* phi_k = s_k relu(X p_k), the slopes p_k of length exactly beta that lie in their cones. Then these
neurons c_k p_k attain the dual value nu . y - 1/2 |nu|^2, which is so the least objective of all widths.

*All optima.* A net attains it iff both inequalities of weak duality are equalities: f = y - nu, and every neuron has
s nu . relu(X u) = beta |u|, that is u = 0 or u = c p_k for one of the tight pairs (p_k, s_k): on each cone the
projection alone attains the bound. So optimal nets are assignments of slots to tight pairs, with amounts whose sums
c_k per pair lie in the *optimal polytope* P* = {c >= 0 : sum_k c_k phi_k = y - nu}; it is bounded, since
nu . (y - nu) = beta^2 sum_k c_k. In parameters an optimal neuron is balanced, |w| = |alpha|: the same set.

*Its components at width m.* Along a path the sums move continuously in P_m = {c in P* : |supp c| <= m}, a union of
faces of P*. Conversely, on a face with a support of at most m elements every pair can be given a slot of its own.

* A vertex with support of size m lies on no longer piece of P_m (a face through it has a larger support), and its m
  slots can only be filled in m! orders: m! isolated points.
* At a point with support smaller than m some slot is empty, or two share a pair and one can be emptied; through an
  empty slot neurons are exchanged, divided and united: over a connected piece of P_m with such a point the set is
  connected, and no point is isolated unless y = nu (then the set is one point, all neurons 0).
* A face is connected along its edges and an edge joins two vertices. So the pieces of P_m apart from those m! sets
  are the classes of the vertices v with |supp v| < m, joined when |supp v + supp w| <= m (the segment is in P_m).

There is no tolerance: nu, the slopes and the polytope are rational.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from proofs_check.checker.cells import MAX_CELLS
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import integer, parts, rational
from proofs_check.checker.ridge_problem import DualPoint, RidgeProblem, column_of, read_dual_point, read_ridge_problem
from proofs_check.exact.cell_linear import dot

__all__ = ["check_ridge_optimal_set"]

MAX_SUPPORTS = 50_000
"""Largest number of candidate supports of vertices."""


def check_ridge_optimal_set(
    statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS
) -> str:
    """Check the components of the set of global optima of one width; return the statement in words."""
    setting = read_ridge_problem(problem)
    names = ("width", "value", "smallest_support", "largest_support", "components", "isolated")
    width_, value_, *counts_ = parts(statement, "statement", names)
    nu_, slopes_ = parts(evidence, "evidence", ("nu", "slopes"))
    m, value = integer(width_, "width", 1), rational(value_, "value")
    stated = [integer(count, name) for count, name in zip(counts_, names[2:], strict=True)]
    dual = read_dual_point(nu_, slopes_, setting, max_cells)
    target = [y - v for y, v in zip(setting.data.y, dual.nu, strict=True)]
    supports = list(_vertex_supports(_tight_features(dual, setting), target))
    if not supports:
        raise CertificateError("y - nu is no combination of the tight features: nu is not the dual optimum")
    if dot(dual.nu, setting.data.y) - dot(dual.nu, dual.nu) / 2 != value:
        raise CertificateError("the optimal value is not the stated one")
    sizes = [len(support) for support in supports]
    orders = sizes.count(m) * math.factorial(m) if m in sizes else 0
    pieces = _pieces([set(v) for v in supports if len(v) < m], m)
    found = [min(sizes), max(sizes), orders + pieces, orders + (sizes == [0])]
    if found != stated:
        raise CertificateError(f"found {dict(zip(names[2:], found, strict=True))}, stated others")
    return (
        f"width {m}: the set of global optima, of objective {value}, has {found[2]} components, {found[3]} of them "
        f"points; m* = {found[0]}, M* = {found[1]}"
    )


def _tight_features(dual: DualPoint, setting: RidgeProblem) -> list[tuple[Fraction, ...]]:
    """Return s relu(X p) for the distinct slopes of length beta, after seeing that each is the projection."""
    found: dict[tuple[tuple[Fraction, ...], int], tuple[Fraction, ...]] = {}
    for slope in dual.slopes:
        if slope.square < setting.ridge**2:
            continue
        sides = [side * dot(row, slope.p) for side, row in zip(slope.pattern, setting.data.X, strict=True)]
        if min(sides) < 0 or any(m and side for m, side in zip(slope.mu, sides, strict=True)):
            raise CertificateError("a slope of length beta is not the projection onto its cone: it may not be tight")
        found[slope.p, slope.s] = column_of(slope.p, slope.s, setting.data.X)
    return list(found.values())


def _vertex_supports(features: Sequence[Sequence[Fraction]], target: Sequence[Fraction]) -> Iterator[tuple[int, ...]]:
    """Yield the supports of the vertices: independent features of which the target is a positive combination."""
    if not any(target):
        yield ()
        return
    bound = min(len(features), len(target))
    if sum(math.comb(len(features), k) for k in range(1, bound + 1)) > MAX_SUPPORTS:
        raise CertificateError(f"{len(features)} tight features have too many sets to look at")
    for size in range(1, bound + 1):
        for support in combinations(range(len(features)), size):
            amounts = _combination([features[k] for k in support], target)
            if amounts is not None and min(amounts) > 0:
                yield support


def _combination(columns: Sequence[Sequence[Fraction]], target: Sequence[Fraction]) -> list[Fraction] | None:
    """Return the only c with sum_k c_k columns_k = target; ``None`` if there is none or the columns are dependent."""
    rows = [[*row, b] for row, b in zip(zip(*columns, strict=True), target, strict=True)]
    size = len(columns)
    for k in range(size):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        head = [value / rows[k][k] for value in rows[k]]
        rows[k] = head
        for i, row in enumerate(rows):
            if i != k and (factor := row[k]):
                rows[i] = [a - factor * b for a, b in zip(row, head, strict=True)]
    return None if any(row[size] for row in rows[size:]) else [row[size] for row in rows[:size]]


def _pieces(supports: Sequence[set[int]], m: int) -> int:
    """Return the number of classes of supports of which two are joined when their union has at most m elements."""
    left = list(supports)
    pieces = 0
    while left:
        pieces += 1
        frontier = [left.pop()]
        while frontier:
            here = frontier.pop()
            near = [other for other in left if len(here | other) <= m]
            left = [other for other in left if len(here | other) > m]
            frontier += near
    return pieces
