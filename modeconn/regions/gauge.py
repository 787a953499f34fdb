"""The l_p gauge of a vector of magnitudes s >= 0: its value, its gradient, and the projection onto its ball.

Every norm of the registry is a gauge of magnitudes: of the absolute entries, of the lengths of the columns or
rows, or of the singular values. Value, subgradient and projection of the norm are those of the gauge, carried back
along the directions of the magnitudes (von Neumann, Lewis).
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

__all__ = ["dual_exponent", "gauge_gradient", "gauge_projection", "gauge_value", "rescaled"]

_NEWTON_STEPS = 16


def dual_exponent(p: float) -> float:
    """Return q with 1/p + 1/q = 1.

    Example:
        >>> dual_exponent(1.0), dual_exponent(2.0), dual_exponent(1.5)
        (inf, 2.0, 3.0)
    """
    if p == 1.0:
        return math.inf
    return 1.0 if math.isinf(p) else p / (p - 1.0)


def rescaled(s: Float[Array, ...], axis: int | None = None) -> tuple[Float[Array, ...], Float[Array, ...]]:
    """Return (s / scale, scale) with scale = max |s| along ``axis`` (kept), 1 where all of s is zero.

    Squares and powers of the first neither overflow nor underflow to zero as a whole, whatever the unit of s.
    Magnitudes below the smallest normal number of the dtype count as zero: they have lost their digits already.
    """
    top = jnp.max(jnp.abs(s), axis=axis, keepdims=True)
    normal = ~(top < jnp.finfo(s.dtype).tiny)
    scale = jnp.where(normal, top, 1)
    return jnp.where(normal, s / scale, 0), scale


def _raw_value(s: Float[Array, " k"], p: float) -> Float[Array, ""]:
    """Return ||s||_p of magnitudes whose powers are safe."""
    if math.isinf(p):
        return jnp.max(s)
    if p == 1.0:
        return jnp.sum(s)
    return jnp.sqrt(jnp.sum(s * s)) if p == 2.0 else jnp.sum(s**p) ** (1.0 / p)


def gauge_value(s: Float[Array, " k"], p: float) -> Float[Array, ""]:
    """Return ||s||_p for s >= 0, free of overflow and underflow.

    Example:
        >>> import jax.numpy as jnp
        >>> float(gauge_value(jnp.array([3e-30, 4e-30], jnp.float32), 2.0)) / 5e-30 - 1 < 1e-6
        True
    """
    unit, scale = rescaled(s)
    return _raw_value(unit, p) * scale[0]


def gauge_gradient(s: Float[Array, " k"], p: float) -> Float[Array, " k"]:
    """Return the least element of the subdifferential of ||.||_p at s >= 0, among vectors that vanish where s does.

    p = 1: 1 where s > 0. 1 < p < inf: (s / ||s||_p)^(p-1). p = inf: equal weights on the largest magnitudes. Zero at
    s = 0. Its gauge of the dual exponent is 1 unless s = 0.
    """
    unit, _ = rescaled(s)
    if p == 1.0:
        return jnp.where(unit == 0, jnp.zeros_like(unit), 1)
    norm = _raw_value(unit, p)
    safe = jnp.where(norm > 0, norm, 1)
    if math.isinf(p):
        largest = ((unit == norm) & (unit > 0)).astype(s.dtype)
        return largest / jnp.maximum(jnp.sum(largest), 1)
    return (unit / safe) ** (p - 1.0)


def _project_sum(s: Float[Array, " k"], radius: Float[Array, ""]) -> Float[Array, " k"]:
    """Return the projection of s >= 0, sum s > radius, onto the l1 ball: max(s - tau, 0).

    Counted down from the largest, max(s) - s and max(s) - tau: no digits are lost when the radius is small against s.
    """
    drop = jnp.max(s) - s
    depth = (radius + jnp.cumsum(jnp.sort(drop))) / jnp.arange(1, s.shape[0] + 1, dtype=s.dtype)
    return jnp.maximum(jnp.min(depth) - drop, 0)


def _balance(s: Float[Array, " k"], a: Float[Array, ""], b: Float[Array, ""], k: float) -> Float[Array, " k"]:
    """Return the root t >= 0 of a t + b t^k = s, k >= 1: Newton from above on a convex function, so it descends."""

    def step(_: Array, t: Array) -> Array:
        power = t ** (k - 1.0)
        # (k - 1) b t^k + s over a + k b t^(k-1): the Newton step without its cancellation.
        return jnp.minimum(t, ((k - 1.0) * b * power * t + s) / (a + k * b * power))

    start = jnp.minimum(s / a, (s / b) ** (1.0 / k))
    return jax.lax.fori_loop(0, _NEWTON_STEPS, step, start)


def _project_power(s: Float[Array, " k"], p: float) -> Float[Array, " k"]:
    """Return the projection of s >= 0, ||s||_p > 1, onto the unit l_p ball, 1 < p < inf.

    Optimality is t + mu t^(p-1) = s with ||t||_p = 1, so mu = <t, s - t> lies in [0, ||s||_q]. The norm of t(mu)
    decreases: bisect. For p < 2 the equation is solved in u = t^(p-1), which makes it convex again.
    """

    def point(mu: Array) -> Array:
        one = jnp.ones_like(mu)
        if p >= 2.0:
            return _balance(s, one, mu, p - 1.0)
        return _balance(s, mu, one, 1.0 / (p - 1.0)) ** (1.0 / (p - 1.0))

    def halve(_: Array, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * low + 0.5 * high
        outside = _raw_value(point(middle), p) > 1
        return jnp.where(outside, middle, low), jnp.where(outside, high, middle)

    top = gauge_value(s, dual_exponent(p))
    low, high = jax.lax.fori_loop(0, jnp.finfo(s.dtype).nmant + 6, halve, (jnp.zeros_like(top), top))
    t = point(0.5 * low + 0.5 * high)
    return t / _raw_value(t, p)


def gauge_projection(s: Float[Array, " k"], radius: Float[Array, ""], p: float) -> Float[Array, " k"]:
    """Return the Euclidean projection of s >= 0 onto {||t||_p <= radius}, radius >= 0 or infinite.

    Cost O(k) for p = 2 and inf, O(k log k) for p = 1, a bisection of O(k) Newton solves otherwise.
    """
    radius = jnp.asarray(radius, s.dtype)
    if math.isinf(p):
        return jnp.minimum(s, radius)
    unit, scale = rescaled(s)
    r = jnp.maximum(radius / scale[0], jnp.finfo(s.dtype).tiny)
    inside = _raw_value(unit, p) <= r
    finite = jnp.where(inside, 1, r)
    if p == 1.0:
        t = _project_sum(unit, finite)
    elif p == 2.0:
        t = unit * (finite / jnp.maximum(_raw_value(unit, p), finite))
    else:
        t = _project_power(unit / finite, p) * finite
    return jnp.where(inside, s, jnp.where(radius > 0, t * scale[0], 0))
