"""The polar factor of one large matrix: polynomials lift the singular values, dynamically weighted Halley finishes."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float

from modeconn.optim.iterate import until_still
from modeconn.optim.newton_schulz import POLAR_EXPRESS, quintic_step
from modeconn.regions.gauge import gauge_value, rescaled
from modeconn.regions.singular import product

__all__ = ["MIN_ROWS", "halley_polar", "halley_weights"]

MIN_ROWS = 256
"""Below, a factorisation costs more than the products it saves."""

_LIFTS = 4
_SMALLEST = 1e-5
"""Singular values above this share of the largest are at 1 to rounding after the weighted steps; others take more."""
_POWER_STEPS = 16
_SAFETY = 1.1

Weights = tuple[float, float, float]


def halley_weights(smallest: float) -> tuple[Weights, float]:
    """Return (a, b, c) of the best step x -> x (a + b x^2) / (1 + c x^2) for x in [smallest, 1], and its least value.

    Example:
        >>> weights, least = halley_weights(0.5)
        >>> [round(w, 3) for w in weights], round(least, 4)
        ([4.359, 2.821, 6.181], 0.995)

    Reference: Nakatsukasa, Bai, Gygi (2010), Optimizing Halley's iteration for computing the matrix polar
    decomposition, equation (3.9).
    """
    square = smallest * smallest
    d = (4 * (1 - square) / (square * square)) ** (1 / 3)
    root = math.sqrt(1 + d)
    a = root + 0.5 * math.sqrt(8 - 4 * d + 8 * (2 - square) / (square * root))
    b = (a - 1) ** 2 / 4
    c = a + b - 1
    return (a, b, c), min(1.0, smallest * (a + b * square) / (1 + c * square))


def _schedule() -> tuple[float, tuple[Weights, ...]]:
    """Return the largest value after the lifts, and the weights of the steps that follow."""
    smallest, largest = _SMALLEST, 1.0
    for a, b, c in POLAR_EXPRESS[:_LIFTS]:
        smallest = a * smallest + b * smallest**3 + c * smallest**5
        grid = [largest * k / 1000 for k in range(1, 1001)]
        largest = max(a * x + b * x**3 + c * x**5 for x in grid)
    smallest /= largest
    rows = []
    while 1 - smallest > 1e-4:
        row, smallest = halley_weights(smallest)
        rows.append(row)
    return largest, tuple(rows)


_LARGEST, _ROWS = _schedule()


def _largest_singular_value(G: Float[Array, "r c"]) -> Float[Array, ""]:
    """Return an estimate from below by the power method."""
    start = jnp.cos(jnp.arange(G.shape[1], dtype=G.dtype))[:, None]

    def step(_: int, v: Array) -> Array:
        w = product(G.T, product(G, v))
        return w / jnp.maximum(gauge_value(w.ravel(), 2.0), jnp.finfo(G.dtype).tiny)

    v = jax.lax.fori_loop(0, _POWER_STEPS, step, start / gauge_value(start.ravel(), 2.0))
    return gauge_value(product(G, v).ravel(), 2.0)


def halley_polar(G: Float[Array, "r c"]) -> Float[Array, "r c"]:
    """Return the polar factor of G, r <= c, of full rank.

    Four quintic steps lift the singular values above 1e-5 of the largest by a factor of 250; three weighted Halley
    steps, each a Cholesky factorisation of I + c X X^T, bring them to 1; steps of Newton-Schulz go on until nothing
    moves, so smaller singular values only take longer. After the lifts c is at most 4200, and Cholesky keeps the
    digits; without them it would be 10^9 and lose them all.

    Cost: about 21 products of this size where the singular values span five decades, against 15 of five quintic steps
    (which do not converge) and about 33 of quintic steps that do. Error: a few eps times the condition number.

    Args:
        G: matrix (r, c), r <= c, not zero.

    Reference: Nakatsukasa, Higham (2013), Stable and efficient spectral divide and conquer algorithms.
    """
    unit, _ = rescaled(G)
    X = unit / (_SAFETY * jnp.maximum(_largest_singular_value(unit), jnp.finfo(G.dtype).tiny))
    for row in POLAR_EXPRESS[:_LIFTS]:
        X = quintic_step(X, row)
    X = X / _LARGEST
    identity = jnp.eye(G.shape[0], dtype=G.dtype)
    for a, b, c in _ROWS:
        factor = jnp.linalg.cholesky(identity + c * product(X, X.T))
        X = (b / c) * X + (a - b / c) * cho_solve((factor, True), X)
    return until_still(lambda X: 1.5 * X - 0.5 * product(product(X, X.T), X), X, 16)
