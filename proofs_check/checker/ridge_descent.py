"""Certificates of paths along which the objective of a ridge problem does not rise: ``ridge-descent``.

The path runs straight between consecutive points. Each neuron keeps its direction and sign on such a piece, or is 0 at
one end (or both). So f is affine there, |u_j| is affine, and the objective h is convex, a quadratic: h(b) - h(a) for
a < b is at most h'(1) if that is positive, else at most 0, where

    h'(1) = (f(1) - y) . (f(1) - f(0)) + beta sum_j (|u_j(1)| - |u_j(0)|).

The sum of the positive ones bounds the rise max {h(b) - h(a) : a before b} of the path. Norms are rounded so that
the bound is true; where they are rational it is exact, and "rise": "0" says that the objective never rises.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from proofs_check.checker.cells import MAX_CELLS
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import Neuron, Point, brief, integer, parts, point, points, rational
from proofs_check.checker.ridge_problem import (
    RidgeProblem,
    objective_above,
    read_ridge_problem,
    root_above,
    root_below,
)
from proofs_check.exact.cell_linear import dot

__all__ = ["check_ridge_descent"]


def check_ridge_descent(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check a path from a net to another of objective <= ``value``, rising by at most ``rise``; return it in words."""
    setting = read_ridge_problem(problem)
    width_, start_, end_, value_, rise_ = parts(statement, "statement", ("width", "start", "end", "value", "rise"))
    (points_,) = parts(evidence, "evidence", ("points",))
    m, value, rise = integer(width_, "width", 1), rational(value_, "value"), rational(rise_, "rise")
    start, end = point(start_, "start", m, setting.data), point(end_, "end", m, setting.data)
    path = points(points_, "points", m, setting.data)
    if not path or path[0] != start or path[-1] != end:
        raise CertificateError("the points do not lead from start to end")
    if objective_above(path[-1], setting) > value:
        raise CertificateError("the end's objective is above the stated value")
    total = sum((max(_slope_above(*piece, setting), Fraction(0)) for piece in pairwise(path)), Fraction(0))
    if total > rise:
        raise CertificateError(f"the objective may rise by {brief(total)}, more than the stated {brief(rise)}")
    return f"a path of nets of width {m} leads from the start to objective <= {value} and rises by at most {rise}"


def _slope_above(before: Point, after: Point, setting: RidgeProblem) -> Fraction:
    """Return a rational number >= h'(1) on the piece from ``before`` to ``after``."""
    growth = Fraction(0)
    for p, q in zip(before, after, strict=True):
        if p == q:
            continue
        ratio = _ratio(p, q)
        if ratio is None:
            growth += root_above(dot(q.u, q.u)) - root_below(dot(p.u, p.u))
        elif ratio >= 1:  # |q| - |p| = (ratio - 1) |p|: one root, so that equal changes cancel up to its rounding
            growth += (ratio - 1) * root_above(dot(p.u, p.u))
        else:
            growth += (ratio - 1) * root_below(dot(p.u, p.u))
    old, new = _predictions(before, setting), _predictions(after, setting)
    moved = [b - a for a, b in zip(old, new, strict=True)]
    return dot([b - y for b, y in zip(new, setting.data.y, strict=True)], moved) + setting.ridge * growth


def _ratio(p: Neuron, q: Neuron) -> Fraction | None:
    """Return t with q = t p, t >= 0; ``None`` when p is 0; raises unless one of the two is 0 or they are parallel."""
    k = next((i for i, value in enumerate(p.u) if value), None)
    if k is None:
        return None
    if not any(q.u):
        return Fraction(0)
    ratio = q.u[k] / p.u[k]
    if p.s != q.s or ratio < 0 or any(b != ratio * a for a, b in zip(p.u, q.u, strict=True)):
        raise CertificateError("a neuron changes its direction or sign along a piece of the path")
    return ratio


def _predictions(net: Point, setting: RidgeProblem) -> list[Fraction]:
    return [
        sum((neuron.s * max(neuron.z[i], Fraction(0)) for neuron in net), Fraction(0))
        for i in range(len(setting.data.y))
    ]
