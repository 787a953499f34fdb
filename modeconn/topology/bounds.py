"""Exact bounds for the convex programs over cells with a ridge term or a region: what a solver's answer is worth.

On a cell (or an intersection of two), with M the map u -> prediction, any nu and any mu_j >= 0 on the sides of neuron j
(of any sign where it is on the hyperplane) give g_j = s_j X^T D_j nu + X^T diag(sigma_j) mu_j with
nu . M u <= sum_j g_j . u_j, so that for every theta >= 0

    1/2 |M u - y|^2 >= theta (nu . y - sum_j g_j . u_j) - theta^2 |nu|^2 / 2.

* Ridge term beta sum_j |u_j|_2: theta max_j |g_j|_2 <= beta makes the term pay for g.     (claim N4)
* Ridge term beta/2 sum_j |u_j|^2 (output weights fixed): sum_j |g_j|^2 / beta joins |nu|^2.
* Region with support function h:  (nu . y - h(g))^2 / (2 |nu|^2).                         (claim N3)

Everything is rational; square roots are rounded in the direction that keeps the bound true.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from modeconn.cells import RegionCell, is_positive_semidefinite
from modeconn.errors import InputError
from modeconn.topology.points import Neuron, Point, dot, point_loss
from modeconn.topology.problem import Problem, Vector
from modeconn.topology.region_exact import is_in_region, region_of, support_square

__all__ = ["dual_bound", "float_above", "float_below", "inside_region", "objective_bounds", "sqrt_above", "sqrt_below"]

ROOT_BITS = 80
"""Relative precision of rational square roots, in bits."""


def sqrt_above(value: Fraction) -> Fraction:
    """Return a rational number >= sqrt(value), by a relative 2^-79 at most (exact for squares of rationals).

    Example:
        >>> sqrt_above(Fraction(9, 4)), sqrt_below(Fraction(9, 4))
        (Fraction(3, 2), Fraction(3, 2))
        >>> sqrt_below(Fraction(2)) ** 2 < 2 < sqrt_above(Fraction(2)) ** 2
        True
    """
    return _sqrt(value, 1)


def sqrt_below(value: Fraction) -> Fraction:
    """Return a rational number <= sqrt(value), by a relative 2^-79 at most."""
    return _sqrt(value, 0)


def _sqrt(value: Fraction, up: int) -> Fraction:
    p, q = value.numerator, value.denominator
    product = p * q  # sqrt(p / q) = sqrt(p q) / q
    root = math.isqrt(product)
    if root * root == product:
        return Fraction(root, q)
    shift = max(0, ROOT_BITS - product.bit_length() // 2)
    return Fraction(math.isqrt(product << 2 * shift) + up, q << shift)


def float_below(value: Fraction) -> float:
    """Return the greatest float <= value."""
    near = float(value)
    return near if Fraction(near) <= value else math.nextafter(near, -math.inf)


def float_above(value: Fraction) -> float:
    """Return the least float >= value."""
    return 0.0 - float_below(-value)


def objective_bounds(problem: Problem, point: Point) -> tuple[Fraction, Fraction]:
    """Return rational numbers below and above the objective of a u-point: half squared error and least ridge term.

    They differ only where a norm |u_j|_2 is irrational.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1, 0]], "y": [4], "ridge": "1/10"})
        >>> objective_bounds(problem, (Neuron((Fraction(3), Fraction(4)), 1),))
        (Fraction(1, 1), Fraction(1, 1))
    """
    loss = point_loss(problem, point)
    if not problem.ridge:
        return loss, loss
    squares = [dot(neuron.u, neuron.u) for neuron in point]
    if problem.output_weights == "fixed":
        value = loss + problem.ridge / 2 * sum(squares, Fraction(0))
        return value, value
    below, above = (sum(map(root, squares), Fraction(0)) for root in (sqrt_below, sqrt_above))
    return loss + problem.ridge * below, loss + problem.ridge * above


def dual_bound(
    problem: Problem,
    view: RegionCell,
    nu: np.ndarray,
    mu: np.ndarray,
    shape: np.ndarray | None = None,
) -> Fraction:
    """Return a lower bound of the objective over a cell inside the problem's region, from proposed multipliers.

    True whatever is proposed: multipliers are rounded into their cones, scaled to be feasible, evaluated exactly.

    Args:
        problem: with a ridge term or a region.
        view: the cell.
        nu: residual (n,), of any length.
        mu: multipliers of the sides (k, n), on the same scale.
        shape: d x d multiplier of trace 1 (spectral hidden ball only).
    """
    size = float(np.abs(nu).max(initial=0.0))
    if not (size > 0 and math.isfinite(size) and np.isfinite(mu).all()):
        return Fraction(0)
    exact_nu = [_dyadic(v) for v in nu / size]
    gradients = []
    for signs, tight, s, row in zip(view.signs, view.tight, view.outputs.tolist(), mu / size, strict=True):
        weights = []
        for sign, on, v, m in zip(signs.tolist(), tight.tolist(), exact_nu, row, strict=True):
            side = _dyadic(m) if on else max(_dyadic(m), Fraction(0))
            weights.append((s * v if sign > 0 else 0) + sign * side)
        gradients.append([dot(weights, column) for column in zip(*problem.X, strict=True)])
    gain, square = dot(exact_nu, problem.y), dot(exact_nu, exact_nu)
    if gain <= 0 or not square:
        return Fraction(0)
    norms = [dot(g, g) for g in gradients]
    if problem.ridge and problem.output_weights == "fixed":
        return gain**2 / (2 * (square + sum(norms, Fraction(0)) / problem.ridge))
    if problem.ridge:
        theta, largest = gain / square, sqrt_above(max(norms, default=Fraction(0)))
        if theta * largest > problem.ridge:
            theta = problem.ridge / largest
        return theta * gain - theta**2 * square / 2
    return max(
        (
            (gain - h) ** 2 / (2 * square)
            for definite in _definite(shape)
            if (h := sqrt_above(support_square(problem, gradients, definite))) < gain
        ),
        default=Fraction(0),
    )


def _dyadic(value: float) -> Fraction:
    return Fraction(round(float(value) * 2**60), 2**60)


def _definite(shape: np.ndarray | None) -> list[tuple[Vector, ...] | None]:
    """Return rational positive definite matrices of trace 1 near a float one: the nearer, the worse conditioned."""
    if shape is None:
        return [None]
    d = len(shape)
    found: list[tuple[Vector, ...] | None] = []
    for weight in (1e-5, 1e-7, 1e-9, 1e-11):
        loose = (1 - weight) * (shape + shape.T) / 2 + weight * np.eye(d) / d
        rows = [[_dyadic(v) for v in row] for row in loose]
        trace = sum((rows[k][k] for k in range(d)), Fraction(0))
        if is_positive_semidefinite(rows, definite=True):
            found.append(tuple(tuple(v / trace for v in row) for row in rows))
    return found


def inside_region(problem: Problem, point: Point, split: Sequence[Fraction] | None = None) -> Point | None:
    """Return the u-point shrunk towards zero until it is inside the region, exactly; ``None`` if that fails.

    Shrinking keeps the cell. By nothing if the point is inside, by rounding if it is just outside.

    Args:
        problem: the problem with its region.
        point: the u-point.
        split: alpha_j^2 of a net over it; needed for a spectral hidden ball with |alpha|_2 bounded, else ignored.
    """
    if is_in_region(problem, point, split):
        return point
    region, fixed = region_of(problem), problem.output_weights == "fixed"
    room = region.W.radius * (1 if fixed else region.A.radius)
    if region.W.norm == "linf":
        largest = [max((abs(v) for v in neuron.u), default=Fraction(0)) for neuron in point]
        euclid = region.A.norm == "spectral" and not fixed
        size = sqrt_above(sum((v * v for v in largest), Fraction(0))) if euclid else max(largest)
        candidates = [room / size] if size else []
    else:
        beta = np.array([1.0] * len(point) if fixed else [float(region.A.radius) ** 2] * len(point))
        if region.A.norm == "spectral" and not fixed:
            if split is None:
                raise InputError("split: expected alpha_j^2 for the spectral ball, found none; give one a neuron")
            beta = np.array([float(v) for v in split])
        U = np.array([[float(v) for v in neuron.u] for neuron in point]).T
        with np.errstate(divide="ignore", invalid="ignore"):
            W = np.where(U != 0, U / np.sqrt(beta), 0.0)
        if not np.isfinite(W).all():
            return None
        size_of_W = float(np.linalg.norm(W, 2))
        near = Fraction(min(float(region.W.radius) / size_of_W, 1.0)) if size_of_W > 0 else Fraction(1)
        candidates = [near * (1 - Fraction(1, 2**bits)) for bits in (44, 36, 24, 12)]
    for factor in candidates:
        shrunk = tuple(Neuron(tuple(factor * v for v in neuron.u), neuron.s) for neuron in point)
        if is_in_region(problem, shrunk, split):
            return shrunk
    return None
