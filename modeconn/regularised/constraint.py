"""The dual constraint of the ridge problem, |nu . relu(X u)| <= beta |u|_2, over all cells of the arrangement.

On the closed cone C of a pattern sigma, s nu . relu(X u) = g . u with g = s X^T D nu, and its largest value over
|u| <= 1 is the length of the projection p of g onto C, attained at p / |p| alone. By Moreau p = g + X^T diag(sigma) mu
with mu >= 0, which is also the proof that no u in C does better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from modeconn.cells import Arrangement, ConeProgram, arrangement, common_denominator, float_nnls
from modeconn.errors import InputError
from modeconn.topology import Problem
from modeconn.topology.points import dot

__all__ = ["DualConstraint", "Kind", "Slope", "check_ridge_problem"]

Vector = tuple[Fraction, ...]

EXTREME = Fraction(10**150)
"""Larger sizes, and smaller ones than its inverse, are refused: floats could not hold their squares."""

TRUSTED = 1e-8
"""Float projections that miss their optimality conditions by more, relatively, are computed again in rationals."""


def check_ridge_problem(problem: Problem) -> None:
    """Raise :class:`InputError` unless the problem has a ridge term, free output weights, no region, and ridge, y and X
    of a size whose square is a float."""
    if problem.ridge <= 0 or problem.output_weights != "free" or problem.region is not None:
        raise InputError(
            "problem: expected ridge > 0, free output weights and no region, found "
            f"ridge {problem.ridge}, {problem.output_weights} output weights"
            f"{'' if problem.region is None else ' and a region'}; state the ridge-regularised problem"
        )
    for name, entries in (("ridge", [problem.ridge]), ("y", problem.y), ("X", [v for row in problem.X for v in row])):
        size = max(map(abs, entries))
        if size and not 1 / EXTREME <= size <= EXTREME:
            found = "larger" if size > 1 else "smaller"
            raise InputError(f"{name}: expected a largest entry between 1e-150 and 1e150, found a {found} one; rescale")


class Kind(NamedTuple):
    """A neuron's activation pattern (entries 1, -1, and 0 for zero rows of X) and output sign."""

    pattern: tuple[int, ...]
    s: int


@dataclass(frozen=True)
class Slope:
    """The exact projection p of s X^T D nu onto the cone of a kind, with its multipliers mu >= 0.

    Attributes:
        kind: pattern and sign.
        p: the projection (d,).
        mu: p = s X^T D nu + X^T diag(pattern) mu, mu (n,).
        square: |p|^2.
    """

    kind: Kind
    p: Vector
    mu: Vector
    square: Fraction


class DualConstraint:
    """All cells of one neuron, with the projections that decide the dual constraint.

    Cost: the arrangement once, O(n^(d-1)) cones; then one small non-negative least squares problem a cone and sign.

    Args:
        X: rational rows (n, d).

    Attributes:
        X: the rows.
        cells: the arrangement.
        kinds: all patterns with both signs.

    Example:
        >>> constraint = DualConstraint([[Fraction(1)], [Fraction(-1)]])
        >>> len(constraint.kinds), constraint.largest(np.array([0.5, -2.0]))
        (4, 2.0)
    """

    def __init__(self, X: Sequence[Sequence[Fraction]]) -> None:
        self.X = tuple(tuple(row) for row in X)
        self.cells: Arrangement = arrangement(self.X)
        self.kinds = [Kind(cone.signs, s) for cone in self.cells.cones for s in (1, -1)]
        self._rows = np.array([[float(v) for v in row] for row in self.X])
        self._rays = np.array(self.cells.rays, float).reshape(-1, len(self.X[0]))
        self._rays /= np.maximum(np.linalg.norm(self._rays, axis=1, keepdims=True), 1e-300)
        self._scales = [common_denominator(row) for row in self.X]
        self._active = np.array([[side > 0 for side in kind.pattern] for kind in self.kinds])
        self._signs = np.array([kind.s for kind in self.kinds])

    def projections(self, nu: Float[np.ndarray, " n"]) -> Float[np.ndarray, "T d"]:
        """Return the projection of s X^T D nu onto the cone of every kind, in floats."""
        g = (self._signs[:, None] * self._active * nu) @ self._rows
        found = np.zeros_like(g)
        for k, slope in enumerate(g):
            rays = self._rays[list(self.cells.cones[k // 2].rays)]
            if not len(rays) or not (rays @ slope > 0).any():
                continue
            p = rays.T @ float_nnls(np.ascontiguousarray(rays.T), slope)
            rest, size = slope - p, np.linalg.norm(slope)
            if (rays @ rest).max() > TRUSTED * size or abs(p @ rest) > TRUSTED * size**2:
                # the solver lies once in a while
                p = np.array(self._slope(self.kinds[k], tuple(Fraction(float(v)) for v in slope)).p, float)
            found[k] = p
        return found

    def largest(self, nu: Float[np.ndarray, " n"]) -> float:
        """Return max_{|u| <= 1} |nu . relu(X u)|, in floats."""
        return float(np.linalg.norm(self.projections(nu), axis=1).max(initial=0.0))

    def slopes(self, nu: Sequence[Fraction]) -> list[Slope]:
        """Return the exact projection for every kind.

        Cost: one exact non-negative least squares problem a kind: some 0.2 ms each at n = 5, d = 2.
        """
        found = []
        for kind in self.kinds:
            weights = [kind.s * v if side > 0 else Fraction(0) for side, v in zip(kind.pattern, nu, strict=True)]
            g = tuple(dot(weights, column) for column in zip(*self.X, strict=True))
            found.append(self._slope(kind, g))
        return found

    def rounded_slopes(self, nu: Sequence[Fraction]) -> list[Slope]:
        """Return for every kind a rational p that bounds the constraint, with mu from floats: nearly the projection.

        Cost: one float non-negative least squares problem and O(n d) rational operations a kind.
        """
        found = []
        values = np.array([float(v) for v in nu])
        for kind in self.kinds:
            pattern = np.array(kind.pattern)
            sides = pattern[:, None] * self._rows
            g = kind.s * (values * (pattern > 0)) @ self._rows
            mu = float_nnls(np.ascontiguousarray(-sides.T), g)
            p, size = g + sides.T @ mu, np.linalg.norm(g)
            if (sides @ p).min() < -TRUSTED * size or abs(mu * (sides @ p)).max() > TRUSTED * size**2:
                mu = np.array(self._slope(kind, tuple(Fraction(float(v)) for v in g)).mu, float)
            exact = tuple(Fraction(round(float(m) * 2**60), 2**60) for m in mu)
            found.append(self._finish(kind, nu, exact))
        return found

    def _slope(self, kind: Kind, g: Vector) -> Slope:
        """Return the exact projection of g: the residual of min |g - sum_i mu_i (-sigma_i x_i)|, mu >= 0."""
        scale = common_denominator(g)
        rows = [i for i, side in enumerate(kind.pattern) if side]
        columns = [tuple(int(-kind.pattern[i] * self._scales[i] * v) for v in self.X[i]) for i in rows]
        mu = [Fraction(0)] * len(self.X)
        if columns and any(g):
            fit = ConeProgram(columns, [v * scale for v in g]).solve(range(len(columns)))
            for k, amount in zip(fit.support, fit.coefficients, strict=True):
                mu[rows[k]] = amount * self._scales[rows[k]] / scale
        weights = [side * m for side, m in zip(kind.pattern, mu, strict=True)]
        p = tuple(a + dot(weights, column) for a, column in zip(g, zip(*self.X, strict=True), strict=True))
        return Slope(kind, p, tuple(mu), dot(p, p))

    def _finish(self, kind: Kind, nu: Sequence[Fraction], mu: Vector) -> Slope:
        weights = [(kind.s * v if side > 0 else 0) + side * m for side, v, m in zip(kind.pattern, nu, mu, strict=True)]
        p = tuple(dot(weights, column) for column in zip(*self.X, strict=True))
        return Slope(kind, p, mu, dot(p, p))
