"""The exact segment search in JAX, for many pairs of nets at once on an accelerator.

The shapes are static, so nothing is left out as on the host: all n m sign changes of a pair are sorted, first by data
point (what the prediction is before each), then all together (what the loss is between them). A pre-activation without
a sign change counts as one at s = 1 that gains nothing. Notation as in :mod:`modeconn.paths.segment`.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.paths.inputs import Weights
from modeconn.paths.quartic import (
    BISECTIONS,
    Bracket,
    Poly,
    Step,
    bernstein_quartic,
    critical_points,
    horner,
    to_unit_interval,
)
from modeconn.paths.segment import UNIT

__all__ = ["Peaks", "batch_ends", "batch_peaks"]

LIVE_ENTRIES = 1 << 22
"""Sign changes, over all outputs' arrays, that are worked on at a time; larger batches go chunk by chunk."""

MAX_INTERVALS = 256
"""Pieces searched inside for one pair; what is left out shows in the upper bound."""


class Peaks(NamedTuple):
    """What the search returns for each of B pairs, arrays (B,): see :class:`modeconn.paths.chain.Peak`."""

    value: Array
    t: Array
    upper: Array
    max_loss: Array


class _Lines(NamedTuple):
    """Pre-activations P + s Q and output weights U + s V of one pair."""

    P: Array
    Q: Array
    U: Array
    V: Array


@jax.jit
def batch_ends(
    nets0: Weights, nets1: Weights, X: Float[Array, "n d"], Y: Float[Array, "n c"]
) -> tuple[Float[Array, " B"], Float[Array, " B"]]:
    """Return the losses of both ends of every pair; leaves have a leading axis (B, ...). Call it in float64."""

    def ends(pair: tuple[Weights, Weights]) -> tuple[Array, Array]:
        lines = _lines(*pair, X)
        return _loss(lines, Y, -1.0), _loss(lines, Y, 1.0)

    return jax.lax.map(ends, (nets0, nets1), batch_size=_chunk(nets0, X))


@jax.jit
def batch_peaks(
    nets0: Weights,
    nets1: Weights,
    X: Float[Array, "n d"],
    Y: Float[Array, "n c"],
    ends: tuple[Float[Array, " B"], Float[Array, " B"]],
    tilts: tuple[Float[Array, " B"], Float[Array, " B"]],
) -> Peaks:
    """Return the peak of the half squared error above an affine function on the segment of every pair.

    Cost O(n m (log(n m) + c)) time and O(n m) memory a pair and chunk. Call it in float64.

    Args:
        nets0: nets at t = 0, leaves (B, ...).
        nets1: nets at t = 1, leaves (B, ...).
        X: data (n, d).
        Y: targets (n, c).
        ends: losses of both ends, from :func:`batch_ends`.
        tilts: values of the affine function at t = 0 and t = 1, each (B,).
    """

    def peaks(pair: tuple[Weights, Weights, tuple[Array, Array], tuple[Array, Array]]) -> Peaks:
        net0, net1, (start, end), (first, last) = pair
        lines = _lines(net0, net1, X)
        knots, poly, drift = _pieces(lines, Y)

        def above(first: Array, last: Array) -> tuple[Array, Array, Array]:
            slope = 0.5 * (last - first)
            _, s, upper = _search(knots, (poly[0] - (first + slope), poly[1] - slope, *poly[2:]), start + end)
            t = 0.5 * (s + 1.0)
            inside = jnp.where((t > 0.0) & (t < 1.0), _loss(lines, Y, s) - (first + (last - first) * t), -jnp.inf)
            heights = jnp.stack([start - first, end - last, inside])  # the ends win ties
            k = jnp.argmax(heights)
            return heights[k], jnp.stack([jnp.zeros_like(t), jnp.ones_like(t), t])[k], upper + 2.0 * drift

        zero = jnp.zeros_like(first)
        (value, max_loss), (t, _), (upper, _) = jax.vmap(above)(jnp.stack([first, zero]), jnp.stack([last, zero]))
        return Peaks(value, t, jnp.maximum(value, upper), max_loss)

    return jax.lax.map(peaks, (nets0, nets1, ends, tilts), batch_size=_chunk(nets0, X))


def _chunk(nets: Weights, X: Array) -> int:
    batch, _, m = nets.W.shape
    return max(1, min(batch, LIVE_ENTRIES // (X.shape[0] * m)))


def _lines(net0: Weights, net1: Weights, X: Float[Array, "n d"]) -> _Lines:
    """Return pre-activations and output weights as midpoint and half difference."""
    middle = jax.tree.map(lambda a, b: 0.5 * b + 0.5 * a, net0, net1)
    gap = jax.tree.map(lambda a, b: 0.5 * b - 0.5 * a, net0, net1)
    P, Q = X @ middle.W, X @ gap.W
    return _Lines(P + middle.b, Q + gap.b, middle.A, gap.A)


def _loss(lines: _Lines, Y: Float[Array, "n c"], s: Float[Array, ""] | float) -> Float[Array, ""]:
    F = jax.nn.relu(lines.P + s * lines.Q) @ (lines.U + s * lines.V).T
    return 0.5 * jnp.sum((F - Y) ** 2)


def _pieces(lines: _Lines, Y: Float[Array, "n c"]) -> tuple[Float[Array, " K"], Poly, Float[Array, ""]]:
    """Return the ends of the pieces, their coefficients in s, and a bound on the rounding of the sums."""
    P, Q, U, V = lines
    switches = jnp.abs(Q) > jnp.abs(P)
    place = jnp.where(switches, -P / jnp.where(switches, Q, 1.0), 1.0)
    order = jnp.argsort(place, axis=1)
    place = jnp.take_along_axis(place, order, axis=1)
    slope = jnp.take_along_axis(jnp.where(switches, jnp.abs(Q), 0.0), order, axis=1)
    active = jnp.where(switches, Q < 0, P > 0)
    P, Q = P * active, Q * active

    depth = 4.0 * math.log2(place.size + 1) + 16.0  # jnp.cumsum adds in a tree: per data point, then over all

    def add_output(
        total: tuple[Poly, Poly, Array], output: tuple[Array, Array, Array]
    ) -> tuple[tuple[Poly, Poly, Array], None]:
        gains, base, drift = total
        u, v, y = output
        residual = (P @ u - y, P @ v + Q @ u, Q @ v)
        u, v = u[order], v[order]
        gain = (-slope * place * u, slope * u - slope * place * v, slope * v)
        before = tuple(r[:, None] + _sum_before(g) for r, g in zip(residual, gain, strict=True))
        added = _product(gain, tuple(b + 0.5 * g for b, g in zip(before, gain, strict=True)))
        square = _product(residual, tuple(0.5 * r for r in residual))
        terms = _product(_absolute(gain), tuple(abs(b) + 0.5 * abs(g) for b, g in zip(before, gain, strict=True)))
        squares = _product(_absolute(residual), tuple(0.5 * abs(r) for r in residual))
        drift = drift + UNIT * (depth * sum(t.sum() for t in terms) + (Y.size + 8) * sum(q.sum() for q in squares))
        gains = tuple(a + b for a, b in zip(gains, added, strict=True))
        return (gains, tuple(a + b.sum() for a, b in zip(base, square, strict=True)), drift), None

    zero = jnp.zeros((), place.dtype)
    nothing: tuple[Poly, Poly, Array] = ((jnp.zeros_like(place),) * 5, (zero,) * 5, zero)
    (gains, base, drift), _ = jax.lax.scan(add_output, nothing, (U, V, Y.T))
    order = jnp.argsort(place.ravel())
    knots = jnp.concatenate([jnp.array([-1.0]), place.ravel()[order], jnp.array([1.0])])
    gains = tuple(g.ravel()[order] for g in gains)
    poly = tuple(b + jnp.concatenate([jnp.zeros(1), jnp.cumsum(g)]) for b, g in zip(base, gains, strict=True))
    return knots, poly, drift


def _absolute(poly: Poly) -> Poly:
    """Return the polynomial with the absolute values of its coefficients."""
    return tuple(abs(q) for q in poly)


def _sum_before(gain: Float[Array, "n m"]) -> Float[Array, "n m"]:
    """Return, for each entry of a row, the sum of those before it."""
    return jnp.pad(jnp.cumsum(gain, axis=1)[:, :-1], ((0, 0), (1, 0)))


def _product(a: Poly, b: Poly) -> Poly:
    """Return the coefficients of the product of two quadratics."""
    return (
        a[0] * b[0],
        a[0] * b[1] + a[1] * b[0],
        a[0] * b[2] + a[1] * b[1] + a[2] * b[0],
        a[1] * b[2] + a[2] * b[1],
        a[2] * b[2],
    )


def _in_loop(step: Step, state: Bracket) -> Bracket:
    return jax.lax.fori_loop(0, BISECTIONS, lambda _, bracket: step(bracket), state)


def _search(knots: Array, poly: Poly, scale: Array) -> tuple[Array, Array, Array]:
    """Return (value, s, upper) of the largest value of the pieces.

    The best knot first; then, in order of their Bernstein bounds, the inside of every piece that could beat it by more
    than a few roundings of a number of size ``scale``.
    """
    left, width = knots[:-1], knots[1:] - knots[:-1]
    local = to_unit_interval(poly, left, width)
    bounds = functools.reduce(jnp.maximum, bernstein_quartic(local))
    k = jnp.argmax(local[0])
    last = horner(local, 1.0)[-1]
    value, s = jax.lax.cond(last > local[0][k], lambda: (last, knots[-1]), lambda: (local[0][k], left[k]))

    least = 8.0 * UNIT * (scale + jnp.max(jnp.abs(local[0])))

    def unsettled(state: tuple[Array, Array, Array, Array]) -> Array:
        bounds, value, _, count = state
        return (jnp.max(bounds) > value + least) & (count < MAX_INTERVALS)

    def settle(state: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        bounds, value, s, count = state
        k = jnp.argmax(bounds)
        piece = tuple(q[k] for q in local)
        points = critical_points(piece, _in_loop)
        heights = horner(piece, points)
        j = jnp.argmax(heights)
        better = heights[j] > value
        s = jnp.where(better, left[k] + width[k] * points[j], s)
        return bounds.at[k].set(-jnp.inf), jnp.where(better, heights[j], value), s, count + 1

    bounds, value, s, _ = jax.lax.while_loop(unsettled, settle, (bounds, value, s, jnp.zeros((), jnp.int32)))
    return value, s, jnp.maximum(value, jnp.max(bounds))
