"""A certified interval for the optimal value of a ridge problem: a rational net above, a rational dual point below."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from modeconn.regularised.constraint import DualConstraint, Slope
from modeconn.regularised.dual import DualOptimum, dual_optimum
from modeconn.topology import Neuron, Point, Problem, point_to_json
from modeconn.topology.bounds import objective_bounds, sqrt_above
from modeconn.topology.points import dot

__all__ = ["RidgeGap", "certify_gap", "feasible_dual_point", "ridge_gap", "slopes_to_json"]


@dataclass(frozen=True)
class RidgeGap:
    """lower <= optimal value <= upper.

    Attributes:
        lower: nu . y - |nu|^2 / 2, rational; below the objective of every net of every width.
        upper: the objective of ``net``, rational.
        nu: a dual feasible point (n,).
        slopes: why it is feasible, one for each cell and sign.
        net: a net of the width at hand.
    """

    lower: Fraction
    upper: Fraction
    nu: tuple[Fraction, ...]
    slopes: tuple[Slope, ...]
    net: Point

    @property
    def width(self) -> Fraction:
        """upper - lower."""
        return self.upper - self.lower


def feasible_dual_point(
    constraint: DualConstraint, nu: tuple[Fraction, ...], ridge: Fraction
) -> tuple[tuple[Fraction, ...], tuple[Slope, ...]]:
    """Return theta nu with the largest theta <= 1 that the rounded slopes show to be feasible, and these slopes."""
    slopes = constraint.rounded_slopes(nu)
    longest = sqrt_above(max((slope.square for slope in slopes), default=Fraction(0)))
    theta = ridge / longest if longest > ridge else Fraction(1)
    scaled = tuple(
        Slope(
            slope.kind,
            tuple(theta * v for v in slope.p),
            tuple(theta * v for v in slope.mu),
            theta**2 * slope.square,
        )
        for slope in slopes
    )
    return tuple(theta * v for v in nu), scaled


def ridge_gap(problem: Problem, optimum: DualOptimum | None = None) -> RidgeGap:
    """Return a rigorous interval for the least objective over nets of all widths >= that of the net it comes with.

    Whatever the solver answered, both ends are evaluated in rationals, square roots rounded outward.

    Cost: that of :func:`dual_optimum`, then O(cells n d) rational operations.

    Args:
        problem: with ridge > 0 and free output weights.
        optimum: its dual optimum, if there already.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> gap = ridge_gap(problem_from_json({"X": [[1], [-1]], "y": [1, 1], "ridge": "1/10"}))
        >>> gap.lower <= Fraction(19, 100) <= gap.upper, float(gap.width) < 1e-12   # 2 beta (1 - beta) + beta^2
        (True, True)

    Reference: Pilanci and Ergen 2020 (the convex program); theory.md section 4.
    """
    found = dual_optimum(problem) if optimum is None else optimum
    nu, slopes = feasible_dual_point(found.constraint, tuple(Fraction(float(v)) for v in found.nu), problem.ridge)
    zero = Neuron((Fraction(0),) * problem.dimension, 1)
    net = tuple(
        Neuron(tuple(Fraction(float(v)) for v in u), int(s)) for u, s in zip(found.u, found.s, strict=True)
    ) or (zero,)
    return RidgeGap(dot(nu, problem.y) - dot(nu, nu) / 2, objective_bounds(problem, net)[1], nu, slopes, net)


def certify_gap(gap: RidgeGap) -> dict[str, Any]:
    """Return a "ridge-gap" certificate of an interval, for :func:`proofs_check.checker.check_certificate`."""
    statement = {"width": len(gap.net), "lower": str(gap.lower), "upper": str(gap.upper)}
    evidence = {"nu": [str(v) for v in gap.nu], "slopes": slopes_to_json(gap.slopes), "net": point_to_json(gap.net)}
    return {"format": "modeconn.certificate/1", "kind": "ridge-gap", "statement": statement, "evidence": evidence}


def slopes_to_json(slopes: tuple[Slope, ...]) -> list[dict[str, Any]]:
    """Return ``[{"pattern": [...], "s": 1, "mu": [[i, "p/q"], ...]}, ...]``."""
    return [
        {
            "pattern": list(slope.kind.pattern),
            "s": slope.kind.s,
            "mu": [[i, str(v)] for i, v in enumerate(slope.mu) if v],
        }
        for slope in slopes
    ]
