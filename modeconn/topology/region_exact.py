"""Exact decisions about a region: is a net inside it, does a dual vector prove that a cell avoids it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from modeconn.cells import is_positive_semidefinite, solve_rational
from modeconn.errors import InputError
from modeconn.topology.complex import Cell
from modeconn.topology.landscape import Landscape
from modeconn.topology.points import Point, dot
from modeconn.topology.problem import Problem, ProductRegion, Vector

__all__ = ["Avoidance", "is_avoided", "is_in_region", "region_of", "support_square"]


@dataclass(frozen=True)
class Avoidance:
    """Exact evidence that no net of one cell inside the region has loss <= level.

    Attributes:
        cell: the sorted types.
        nu: residual vector (n,).
        mu: non-negative multipliers of the hyperplane sides, for each neuron (n,).
        shape: symmetric positive definite, trace 1 (spectral hidden ball only).
    """

    cell: Cell
    nu: Vector
    mu: tuple[Vector, ...]
    shape: tuple[Vector, ...] | None


def region_of(problem: Problem) -> ProductRegion:
    """Return the region of a problem; raises :class:`InputError` if it has none."""
    if problem.region is None:
        raise InputError('region: expected {"norm": ..., "radius": ...}, found null; give the problem a region')
    return problem.region


def _gradients(landscape: Landscape, found: Avoidance) -> list[list[Fraction]]:
    """Return g_j = s_j X^T D_j nu + X^T diag(sigma_j) mu_j for every neuron."""
    problem = landscape.problem
    result = []
    for t, mu in zip(found.cell, found.mu, strict=True):
        kind = landscape.types[t]
        weights = [
            (kind.face.s * v if sign > 0 else Fraction(0)) + sign * m
            for sign, v, m in zip(kind.signs, found.nu, mu, strict=True)
        ]
        result.append([dot(weights, [x[k] for x in problem.X]) for k in range(problem.dimension)])
    return result


def support_square(
    problem: Problem, gradients: Sequence[Sequence[Fraction]], shape: Sequence[Vector] | None
) -> Fraction:
    """Return h^2, the square of (an upper bound of) the support function of the region in u-coordinates."""
    region = region_of(problem)
    fixed = problem.output_weights == "fixed"
    scale = region.W.radius**2 * (1 if fixed else region.A.radius**2)
    if region.W.norm == "linf":
        sums = [sum((abs(v) for v in g), Fraction(0)) for g in gradients]
        total = sum(sums, Fraction(0)) ** 2
        if region.A.norm == "spectral" and not fixed:
            total = sum((v * v for v in sums), Fraction(0))
        return scale * total
    assert shape is not None, "the spectral ball comes with a shape"
    forms = []
    for g in gradients:
        solved = solve_rational(shape, g)
        assert solved is not None, "the shape is definite"
        forms.append(dot(solved, g))
    return scale * (max(forms) if region.A.norm == "spectral" and not fixed else sum(forms, Fraction(0)))


def is_avoided(landscape: Landscape, found: Avoidance, level: Fraction) -> bool:
    """Return whether the evidence proves loss > level inside the region on its cell: exact, no tolerance.

    nu . y - h > 0 and (nu . y - h)^2 > 2 level nu . nu, with h = sqrt(H): a > sqrt(H) + sqrt(T) is decided by squares.
    """
    if any(m < 0 for mu in found.mu for m in mu):
        return False
    if found.shape is not None and not is_positive_semidefinite(found.shape, definite=True):
        return False
    a = dot(found.nu, landscape.problem.y)
    H = support_square(landscape.problem, _gradients(landscape, found), found.shape)
    T = 2 * level * dot(found.nu, found.nu)
    rest = a * a - H - T
    return a > 0 and rest > 0 and rest * rest > 4 * H * T


def is_in_region(problem: Problem, point: Point, split: Sequence[Fraction] | None = None) -> bool:
    """Return whether some net over a u-point is inside the region, exactly.

    Args:
        problem: the problem with its region.
        point: the u-point.
        split: alpha_j^2 of that net; needed for a spectral hidden ball with |alpha|_2 bounded, else ignored.
    """
    region = region_of(problem)
    fixed = problem.output_weights == "fixed"
    radius, output = region.W.radius, Fraction(1) if fixed else region.A.radius
    if region.W.norm == "linf":
        largest = [max(abs(v) for v in neuron.u) for neuron in point]
        if region.A.norm == "spectral" and not fixed:
            return sum((v * v for v in largest), Fraction(0)) <= (radius * output) ** 2
        return max(largest) <= radius * output
    beta = list(split or []) if region.A.norm == "spectral" and not fixed else [output**2] * len(point)
    if len(beta) != len(point) or (region.A.norm == "spectral" and not fixed and sum(beta) > output**2):
        return False
    if any(b < 0 or (b == 0 and not neuron.is_zero) for b, neuron in zip(beta, point, strict=True)):
        return False
    d = problem.dimension
    gram = [[(radius**2 if i == k else Fraction(0)) for k in range(d)] for i in range(d)]
    for b, neuron in zip(beta, point, strict=True):
        if not neuron.is_zero:
            for i in range(d):
                for k in range(d):
                    gram[i][k] -= neuron.u[i] * neuron.u[k] / b
    return is_positive_semidefinite(gram)
