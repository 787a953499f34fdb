"""Interpolators of least norm that are not unique: different functions, the same data, the same certified norm."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from modeconn.errors import InputError
from modeconn.regularised.constraint import Slope
from modeconn.regularised.gap import slopes_to_json
from modeconn.regularised.optimal_set import OptimalSet
from modeconn.topology import Point, Problem, point_to_json
from modeconn.topology.points import dot

__all__ = ["MinimumNormInterpolators", "certify_minimum_norm", "minimum_norm_interpolators"]


@dataclass(frozen=True)
class MinimumNormInterpolators:
    """Nets that fit (X, y) exactly with the least sum_j |u_j|_2, and an input that tells them apart.

    Attributes:
        problem: X and y, no ridge term.
        norm: the least norm, nu . y.
        nets: the nets, one for each vertex of the optimal polytope.
        x: an input at which their predictions differ.
        predictions: these.
        nu: dual point of |nu . relu(X u)| <= |u|.
        slopes: why it is feasible.
    """

    problem: Problem
    norm: Fraction
    nets: tuple[Point, ...]
    x: tuple[Fraction, ...]
    predictions: tuple[Fraction, ...]
    nu: tuple[Fraction, ...]
    slopes: tuple[Slope, ...]


def minimum_norm_interpolators(found: OptimalSet) -> MinimumNormInterpolators:
    """Return the interpolators of least norm of (X, y*), y* the fit of an exact optimal set: its irreducible nets.

    nu* / beta is dual feasible for the norm problem, and tight on the same directions: c is optimal for
    min sum_j |u_j| subject to f(X) = y* iff it is in the optimal polytope.

    Raises:
        InputError: the set is not exact, has one vertex only, or no input was found that separates the nets.

    Example:
        >>> from modeconn.regularised import optimal_set
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1, 1, 1, 1], [-1, -1, -1, 1]], "y": [1, 1], "ridge": "1/10"})
        >>> both = minimum_norm_interpolators(optimal_set(problem))
        >>> both.norm, len(both.nets)
        (Fraction(19, 20), 2)

    Reference: Kim, Mishkin and Pilanci 2025 (non-unique minimum-norm interpolators); theory.md section 4.
    """
    if not found.is_exact or len(found.vertices) < 2:
        raise InputError(
            "interpolators: expected an exact optimal set with two vertices at least, found "
            f"{len(found.vertices)}; plant one with ties, see planted_optimal_set"
        )
    beta, problem = found.problem.ridge, found.problem
    fit = tuple(Fraction(v) for v in found.fit)
    nu = tuple(Fraction(v) / beta for v in found.nu)
    nets = tuple(found.vertex_net(vertex) for vertex in found.vertices)
    x, values = _separating_input(found, nets)
    slopes = tuple(
        Slope(s.kind, tuple(v / beta for v in s.p), tuple(v / beta for v in s.mu), s.square / beta**2)
        for s in found.slopes
    )
    return MinimumNormInterpolators(Problem(problem.X, fit), dot(nu, fit), nets, x, values, nu, slopes)


def _separating_input(found: OptimalSet, nets: tuple[Point, ...]) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Return an input at which all nets predict differently: combinations of tight directions are tried."""
    directions = [tuple(Fraction(v) for v in t.p) for t in found.directions]
    for weights in itertools.product((0, 1, -2, 3, -5), repeat=min(len(directions), 4)):
        x = tuple(
            sum((w * p[k] for w, p in zip(weights, directions, strict=False)), Fraction(0))
            for k in range(found.problem.dimension)
        )
        values = tuple(sum((n.s * max(dot(x, n.u), Fraction(0)) for n in net), Fraction(0)) for net in nets)
        if len(set(values)) == len(values):
            return x, values
    raise InputError("interpolators: no input found at which all nets differ; take fewer vertices")


def certify_minimum_norm(both: MinimumNormInterpolators) -> dict[str, Any]:
    """Return a "minimum-norm" certificate for the checker; the problem it is about is ``both.problem``."""
    statement = {"norm": str(both.norm), "nets": [point_to_json(net) for net in both.nets]}
    evidence = {
        "nu": [str(v) for v in both.nu],
        "slopes": slopes_to_json(both.slopes),
        "x": [str(v) for v in both.x],
    }
    return {"format": "modeconn.certificate/1", "kind": "minimum-norm", "statement": statement, "evidence": evidence}
