"""Problems with a ridge term: reading them, the objective of a net, and the dual constraint cone by cone.

The problem is that of :mod:`proofs_check.checker.narrow_read` with "ridge": beta > 0, one output, output weights free,
no region. Balancing every neuron leaves, in u-coordinates (u_j = |alpha_j| w_j, s_j = sign alpha_j),

    P(u, s) = 1/2 |sum_j s_j relu(X u_j) - y|^2 + beta sum_j |u_j|_2.

*Weak duality.* Let |nu . relu(X u)| <= beta |u| for all u. Then with f the prediction of any net, of any width,
P >= 1/2 |f - y|^2 + nu . f >= nu . y - 1/2 |nu|^2 (the least value over f).

*The constraint, cone by cone.* On the closed cone C = {u : sigma_i x_i . u >= 0} of a pattern sigma, with s = 1 or -1
and any mu >= 0, let D = diag(sigma > 0) and p = s X^T D nu + X^T diag(sigma) mu. There

    s nu . relu(X u) = s (X^T D nu) . u = p . u - sum_i mu_i sigma_i x_i . u <= p . u <= |p| |u|,

so |p| <= beta for every pattern and sign shows the constraint. No mu makes |p| smaller than that of the projection of
s X^T D nu onto C (Moreau), and there, if p is not 0, u = p / |p| alone attains it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from proofs_check.checker.cells import MAX_CELLS, types
from proofs_check.checker.frame import CertificateError, ProblemError, WrittenFloat
from proofs_check.checker.narrow_read import Point, Problem, integer, items, loss, parts, rational, read_problem, vector
from proofs_check.exact.cell_linear import dot

__all__ = [
    "DualPoint",
    "RidgeProblem",
    "Slope",
    "objective_above",
    "read_dual_point",
    "read_ridge_problem",
    "root_above",
    "root_below",
]

ROOT_BITS = 128
"""Relative precision of the rational square roots, in bits."""


class RidgeProblem(NamedTuple):
    """The data, and beta > 0."""

    data: Problem
    ridge: Fraction


class Slope(NamedTuple):
    """What the evidence says about one closed cone and output sign.

    Attributes:
        pattern: the sides of the cone, 0 for zero rows of X.
        s: the output sign.
        mu: multipliers of the sides, non-negative.
        p: s X^T D nu + X^T diag(pattern) mu.
        square: |p|^2.
    """

    pattern: tuple[int, ...]
    s: int
    mu: tuple[Fraction, ...]
    p: tuple[Fraction, ...]
    square: Fraction


class DualPoint(NamedTuple):
    """nu, and for every cone and sign a slope that bounds s nu . relu(X u) / |u| from above."""

    nu: tuple[Fraction, ...]
    slopes: tuple[Slope, ...]


def read_ridge_problem(value: Mapping[str, Any], ridge: Fraction | None = None) -> RidgeProblem:
    """Return a problem with a ridge term, free output weights and no region.

    Args:
        value: the user's JSON object.
        ridge: takes the place of the problem's own, which may then be missing.

    Raises:
        ProblemError: it is another problem, or beta is not positive.
    """
    own = value.get("ridge", 0)
    try:
        stated = rational(own.text if isinstance(own, WrittenFloat) else own, "problem ridge")
    except CertificateError as error:
        raise ProblemError(str(error)) from error
    found = RidgeProblem(read_problem({**value, "ridge": 0}), stated if ridge is None else ridge)
    if found.ridge <= 0:
        raise ProblemError(f"problem ridge: expected a positive number, found {found.ridge}")
    if found.data.fixed or found.data.region is not None:
        raise ProblemError("problem: expected free output weights and no region; other problems are not covered")
    return found


def read_dual_point(nu_: Any, slopes_: Any, setting: RidgeProblem, max_cells: int = MAX_CELLS) -> DualPoint:
    """Return nu with a slope for every cone and sign, each of length <= beta: so nu is dual feasible.

    A slope is ``{"pattern": [...], "s": 1 | -1, "mu": [[i, value], ...]}``; sides that are not named have mu_i = 0.
    Cones are enumerated here, from X alone. Cost: O(cones n d) rational operations.

    Raises:
        CertificateError: a cone is missing, a multiplier is negative, or a slope is longer than beta.
    """
    X = setting.data.X
    n = len(X)
    nu = vector(nu_, "nu", n)
    kinds = types(setting.data, 1, max_cells)
    wanted = {(pattern, s) for pattern in kinds.cones.patterns for s in (1, -1)}
    found: dict[tuple[tuple[int, ...], int], Slope] = {}
    for entry in items(slopes_, "slopes"):
        pattern_, s, mu_ = parts(entry, "a slope", ("pattern", "s", "mu"))
        pattern = tuple(integer(side, "pattern", -1) for side in items(pattern_, "pattern", n))
        if type(s) is not int or (pattern, s) not in wanted:
            raise CertificateError("slopes: a pattern and sign that no neuron has")
        mu = _multipliers(mu_, n)
        weight = [s * (side > 0) * v + side * m for side, v, m in zip(pattern, nu, mu, strict=True)]
        p = tuple(dot(weight, column) for column in zip(*X, strict=True))
        found[pattern, s] = Slope(pattern, s, mu, p, dot(p, p))
    if missing := wanted - found.keys():
        raise CertificateError(f"slopes: {len(missing)} of {len(wanted)} cones and signs are missing")
    if any(slope.square > setting.ridge**2 for slope in found.values()):
        raise CertificateError("slopes: one is longer than beta, so nu is not shown to be dual feasible")
    return DualPoint(nu, tuple(found.values()))


def _multipliers(value: Any, n: int) -> tuple[Fraction, ...]:
    mu = [Fraction(0)] * n
    for pair in items(value, "mu"):
        i_, amount = items(pair, "mu, a pair", 2)
        i = integer(i_, "mu, a row")
        if i >= n or (value_of := rational(amount, "mu")) < 0:
            raise CertificateError("mu: expected pairs [row, value] with 0 <= row < n and value >= 0")
        mu[i] = value_of
    return tuple(mu)


def objective_above(net: Point, setting: RidgeProblem) -> Fraction:
    """Return a rational number >= the objective, by a relative 2^-127 of the norms (exact where these are rational)."""
    return loss(net, setting.data) + setting.ridge * norms_above(net)


def norms_above(net: Point) -> Fraction:
    """Return a rational number >= sum_j |u_j|_2."""
    return sum((root_above(dot(neuron.u, neuron.u)) for neuron in net), Fraction(0))


def root_above(value: Fraction) -> Fraction:
    """Return a rational number >= sqrt(value), equal to it for squares of rationals.

    Example:
        >>> root_above(Fraction(9, 4)), root_below(Fraction(2)) ** 2 < 2 < root_above(Fraction(2)) ** 2
        (Fraction(3, 2), True)
    """
    return _root(value, 1)


def root_below(value: Fraction) -> Fraction:
    """Return a rational number <= sqrt(value), equal to it for squares of rationals."""
    return _root(value, 0)


def _root(value: Fraction, up: int) -> Fraction:
    product = value.numerator * value.denominator  # sqrt(p / q) = sqrt(p q) / q
    root = math.isqrt(product)
    if root * root == product:
        return Fraction(root, value.denominator)
    shift = max(0, ROOT_BITS - product.bit_length() // 2)
    return Fraction(math.isqrt(product << 2 * shift) + up, value.denominator << shift)


def column_of(p: Sequence[Fraction], s: int, X: Sequence[Sequence[Fraction]]) -> tuple[Fraction, ...]:
    """Return s relu(X p)."""
    return tuple(s * max(dot(row, p), Fraction(0)) for row in X)
