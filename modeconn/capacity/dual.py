"""Lower bounds on radii, in rationals: a vector nu that no neuron of unit gauge predicts well (claim R3).

For every type (sigma, s) and any mu >= 0 the vector g = s X^T D nu + X^T diag(sigma) mu satisfies, for u in the cone,
nu . (s D X u) <= g . u. If g^T Lambda^-1 g <= 1 for all types, Lambda positive definite of trace 1, then for a net with
||W|| <= r_W, |alpha| <= r_A (Cauchy-Schwarz twice)

    nu . f <= sum_j |alpha_j| g_j . w_j <= |alpha| (sum_j w_j^T Lambda w_j)^(1/2) <= r_A r_W;

if |g|_1 <= 1 for all types, then nu . f <= m r_A r_W in the boxes of width m. Mixed regions pay sqrt(m), since
|alpha|_2 <= sqrt(m) |alpha|_inf and |alpha|_1 <= sqrt(m) |alpha|_2. A net of loss <= c has
nu . f >= nu . y - |nu| sqrt(2c).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from modeconn.capacity.inputs import short
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.capacity.rounding import decimal_below, decimal_root
from modeconn.cells import as_fraction, common_denominator, float_nnls, is_positive_semidefinite, solve_rational
from modeconn.errors import InputError

__all__ = ["Dual", "Norm", "dual_certificate", "least_gradients", "round_dual", "unattainable_dual"]

Vector = tuple[Fraction, ...]
Norm = Literal["spectral", "linf"]

DIGITS = (13, 11, 9)
"""Digits kept of the dual vectors, tried in turn (fewer need a larger step into the cone)."""


@dataclass(frozen=True, eq=False)
class Dual:
    """A certified bound: every type has gauge at most 1 against it.

    Attributes:
        system: the data.
        norm: norm of the ball of the hidden matrix it is meant for.
        nu: (n,).
        mu: for every type (n,), non-negative.
        shape: Lambda (d, d), positive definite, trace 1 (spectral only).
    """

    system: TypeSystem
    norm: Norm
    nu: Vector
    mu: tuple[Vector, ...]
    shape: tuple[Vector, ...] | None

    @cached_property
    def _whole_gradients(self) -> tuple[int, list[list[int]]]:
        """A number q and q g for all types, g = s X^T D nu + X^T diag(sigma) mu."""
        unit = common_denominator([*self.nu, *(v for row in self.mu for v in row)])
        nu = [int(v * unit) for v in self.nu]
        columns = list(zip(*self.system.whole, strict=True))
        found = []
        for kind, row in zip(self.system.types, self.mu, strict=True):
            weights = [kind.s * v if sign > 0 else 0 for sign, v in zip(kind.signs, nu, strict=True)]
            for i, v in enumerate(row):
                if v:
                    weights[i] += kind.signs[i] * int(v * unit)
            found.append([sum(a * w for a, w in zip(column, weights, strict=True)) for column in columns])
        return unit * self.system.scale, found

    @cached_property
    def gauge_square(self) -> Fraction:
        """The largest squared gauge of a type: g^T Lambda^-1 g, or |g|_1^2. At most 1 for a valid bound."""
        unit, gradients = self._whole_gradients
        if self.shape is None:
            return Fraction(max(sum(map(abs, g)) for g in gradients) ** 2, unit**2)
        inverse, divisor = _inverse(self.shape)
        forms = (sum(a * sum(m * b for m, b in zip(row, g, strict=True)) for a, row in zip(g, inverse, strict=True))
                 for g in gradients)  # fmt: skip
        return Fraction(max(forms), divisor * unit**2)

    def scaled(self, factor: Fraction) -> Dual:
        """Return the dual with nu and mu multiplied by a number."""
        mu = tuple(tuple(factor * v for v in row) for row in self.mu)
        return replace(self, nu=tuple(factor * v for v in self.nu), mu=mu)

    def lengthened(self) -> Dual:
        """Return the dual with a long multiple of the residual of the closest prediction, which no net predicts, added.

        At the least level c of all widths it makes nu . y - |nu| sqrt(2c) nu . f, f the closest prediction, nearly.
        """
        residual = [a - b for a, b in zip(self.system.y, self.system.closest, strict=True)]
        size = max(abs(v) for v in self.nu) / max(abs(v) for v in residual)
        factor = 10**12 * Fraction(float(size)).limit_denominator(1000) + 1
        return replace(self, nu=tuple(a + factor * b for a, b in zip(self.nu, residual, strict=True)))

    def product_bound(self, level: Fraction = Fraction(0), factor_square: int = 1) -> Fraction:
        """Return b, the largest 15-digit number with b sqrt(factor_square) <= nu . y - |nu| sqrt(2 level), at least 0.

        Args:
            level: loss <= level.
            factor_square: k^2 of the statement: 1 (both spectral), m (one of them), m^2 (none).
        """
        reach, cost = _dot(self.nu, self.system.y), 2 * level * _dot(self.nu, self.nu)
        room = reach - decimal_root(cost, up=True, digits=40)  # nu may be long: the difference cancels digits
        return (
            decimal_below(room / decimal_root(Fraction(factor_square), up=True, digits=40)) if room > 0 else Fraction(0)
        )


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True) if p and q), Fraction(0))


def _inverse(matrix: Sequence[Vector]) -> tuple[list[list[int]], int]:
    """Return integers (M, q > 0) with M / q the inverse of a definite matrix."""
    d = len(matrix)
    columns = [solve_rational(matrix, [Fraction(i == k) for i in range(d)]) for k in range(d)]
    values = [column for column in columns if column is not None]
    assert len(values) == d, "the matrix is definite"
    divisor = common_denominator([v for column in values for v in column])
    return [[int(v * divisor) for v in column] for column in values], divisor


def least_gradients(
    system: TypeSystem, nu: Float[np.ndarray, " n"], shape: Float[np.ndarray, "d d"], types: Sequence[int]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k n"]]:
    """Return for each type the least gauge min_mu |Lambda^(-1/2) g| over mu >= 0, and the mu, in floats.

    One small non-negative least squares problem a type: (n, rows of walls).
    """
    root = np.linalg.inv(np.linalg.cholesky(shape))
    gauges, mu = np.zeros(len(types)), np.zeros((len(types), system.n))
    for row, t in enumerate(types):
        kind = system.types[t]
        plain = root @ (system.maps[t].T @ nu)
        gauges[row] = np.linalg.norm(plain)
        if not kind.walls:
            continue
        columns = root @ system.walls(t).T
        size = np.linalg.norm(columns, axis=0)
        z = float_nnls(columns / size, -plain) / size
        moved = float(np.linalg.norm(plain + columns @ z))
        if moved < gauges[row]:  # NNLS may return nonsense
            gauges[row], mu[row, list(kind.walls)] = moved, z
    return gauges, mu


def _rounded(values: Float[np.ndarray, " k"], step: Fraction) -> Vector:
    size = float(step)
    return tuple(round(float(v) / size) * step if v else step * 0 for v in values)


def _step(size: float, digits: int) -> Fraction:
    """Return the power of ten that keeps so many digits of numbers of a size."""
    return Fraction(10) ** (math.floor(math.log10(size)) + 1 - digits) if size > 0 else Fraction(1)


def _round_shape(shape: Float[np.ndarray, "d d"], digits: int) -> tuple[Vector, ...] | None:
    """Return a rational matrix of trace 1 near a float one, blended with I / d so that it is definite; or ``None``."""
    d = len(shape)
    blend = 10.0 ** (-0.7 * digits)
    loose = (1 - blend) * (shape + shape.T) / 2 + blend * np.eye(d) / d
    step = Fraction(1, 10 ** (digits + 2))
    rows = [list(_rounded(row, step)) for row in loose]
    rows[-1][-1] += 1 - sum((rows[k][k] for k in range(d)), Fraction(0))
    return tuple(map(tuple, rows)) if is_positive_semidefinite(rows, definite=True) else None


def round_dual(
    system: TypeSystem,
    nu: Float[np.ndarray, " n"],
    shape: Float[np.ndarray, "d d"] | None,
    mu: Float[np.ndarray, "t n"] | None = None,
) -> Dual:
    """Return the exact dual near a float one, scaled until every type is accepted.

    nu, Lambda and mu are rounded, the largest gauge over all types is computed exactly, and nu and mu are divided by it
    (rounded up): the bound loses what the rounding was worth and nothing else.

    Args:
        system: the data.
        nu: float vector (n,).
        shape: float Lambda for the spectral ball; ``None`` for the box.
        mu: float multipliers of all types; ``None`` to find the best ones for the rounded nu and Lambda (spectral).

    Raises:
        InputError: no rounding is accepted (nu is zero).
    """
    best: Dual | None = None
    for digits in DIGITS:
        exact_nu = _rounded(nu, _step(float(np.abs(nu).max()), digits))
        matrix = None if shape is None else _round_shape(shape, digits)
        if not any(exact_nu) or (shape is not None and matrix is None):
            continue
        if mu is None:
            assert matrix is not None, "the box comes with its multipliers"
            floats = np.array([[float(v) for v in row] for row in matrix])
            chosen = least_gradients(system, np.array([float(v) for v in exact_nu]), floats, range(len(system.types)))[
                1
            ]
        else:
            chosen = np.maximum(mu, 0.0)
        step = _step(max(float(np.abs(nu).max()), float(chosen.max(initial=0.0))), digits + 1)
        rough = Dual(
            system,
            "linf" if shape is None else "spectral",
            exact_nu,
            tuple(_rounded(row, step) for row in chosen),
            matrix,
        )
        scale = _below_inverse_root(rough.gauge_square)
        found = rough.scaled(scale)
        if best is None or _dot(found.nu, system.y) > _dot(best.nu, system.y):
            best = found
    if best is None:
        raise InputError("dual: expected a nonzero vector nu, found zero; is y zero?")
    return best


def _below_inverse_root(square: Fraction) -> Fraction:
    """Return a short number t > 0 with t^2 square <= 1, close to equality; 1 for zero."""
    if not square:
        return Fraction(1)
    return decimal_root(1 / square, up=False)


def unattainable_dual(system: TypeSystem, level: Fraction, product: Fraction) -> Dual:
    """Return the dual that no net of any radius with loss <= level exists, as a bound above ``product``.

    The residual of the closest prediction is orthogonal to all predictions: every g is 0 and nu may be as long as one
    likes.

    Raises:
        InputError: the level is not below the least loss of all widths.
    """
    level = as_fraction(level, "level")
    if not level < system.least_loss:
        raise InputError(
            f"level: expected less than {short(system.least_loss)}, the least loss of any width, found {short(level)}"
        )
    residual = tuple(a - b for a, b in zip(system.y, system.closest, strict=True))
    mu = ((Fraction(0),) * system.n,) * len(system.types)
    d = system.d
    shape = tuple(tuple(Fraction(int(i == k), d) for k in range(d)) for i in range(d))
    found = Dual(system, "spectral", residual, mu, shape)
    while found.product_bound(level) <= product:
        found = found.scaled(Fraction(10))
    return found


def dual_certificate(
    dual: Dual, level: Fraction, width: int | None, A: Norm | None = None, product: Fraction | None = None
) -> dict[str, Any]:
    """Return the "least-radius" certificate: every net of width <= m with loss <= level has r_W r_A >= b.

    Args:
        dual: the evidence; its norm is that of W.
        level: loss <= level.
        width: m; ``None`` for any width (both norms spectral).
        A: norm of the output weights (default: that of W).
        product: b, at most what the evidence gives (the default).

    Raises:
        InputError: the evidence gives less than ``product``, or a width is missing.
    """
    A = dual.norm if A is None else A
    boxes = (dual.norm == "linf") + (A == "linf")
    if boxes and width is None:
        raise InputError("width: expected a number unless both norms are spectral, found none; name the width")
    bound = dual.product_bound(level, (width or 1) ** boxes)
    if product is not None and product > bound:
        raise InputError(f"product: expected at most {bound}, which the evidence gives, found {product}")
    statement = {
        "W": dual.norm,
        "A": A,
        "width": width,
        "level": str(level),
        "radius_product_lower": str(bound if product is None else product),
    }
    types = [
        {"pattern": list(kind.signs), "sign": kind.s, "mu": [str(v) for v in mu]}
        for kind, mu in zip(dual.system.types, dual.mu, strict=True)
    ]
    evidence: dict[str, Any] = {"nu": [str(v) for v in dual.nu], "types": types}
    if dual.shape is not None:
        evidence["lambda"] = [[str(v) for v in row] for row in dual.shape]
    return {"format": "modeconn.certificate/1", "kind": "least-radius", "statement": statement, "evidence": evidence}
