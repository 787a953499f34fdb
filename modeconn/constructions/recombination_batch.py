"""Recombination of many small point sets at once: a compiled simplex push, the same steps for every set.

Start from a basis B of N points (rows that LU with partial pivoting picks). Every other point is pushed out: its
weight falls to zero if the basis allows it; otherwise it changes places with the basic point that reaches zero first.
Points are taken in panels, so that the inverse of the basis is applied and updated in matrix products.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from modeconn.memory import in_halves, say_halved
from modeconn.precision import in_float64

__all__ = ["recombine_batch"]

_PANEL = 16
_BLOCK = 16
"""Sets that run through the steps together: few enough for the cache of a core."""
_SMALL = 1e-12


class _Panel(NamedTuple):
    """A panel under way: its tableau, whose columns turn into those of the basis change; weights; basis; rows."""

    tile: Array
    x: Array
    basis: Array
    rows: Array


def _push(i: Array, state: _Panel, points: Array, p: Array) -> _Panel:
    """Push point i of the panel out of the support."""
    tile, x, basis, rows = state
    w = tile[:, i]
    amount = p[points[i]]
    down = jnp.where(w < -_SMALL, x / jnp.where(w < -_SMALL, -w, 1), jnp.inf)
    up = jnp.where(w > _SMALL, x / jnp.where(w > _SMALL, w, 1), jnp.inf)
    r_down, r_up = jnp.argmin(down), jnp.argmin(up)
    falls = amount <= down[r_down]
    rises = ~falls & jnp.isfinite(up[r_up]) & (w[r_up] > -w[r_down])
    r = jnp.where(rises, r_up, r_down)
    step = jnp.where(falls, amount, jnp.where(rises, -up[r], down[r]))
    x = jnp.maximum(x + step * w, 0)
    swap = ~falls
    x = x.at[r].set(jnp.where(swap, amount - step, x[r]))
    fresh = swap & ~jnp.any(rows == r)
    # point i is done with: its column becomes column r of the basis change, if that row is new
    tile = tile.at[:, i].set(jnp.where(fresh & (jnp.arange(len(x)) == r), 1.0, 0.0))
    row = tile[r] / jnp.where(swap, w[r], 1)
    changed = (tile - w[:, None] * row[None]).at[r].set(row)
    return _Panel(
        jnp.where(swap, changed, tile),
        x,
        basis.at[r].set(jnp.where(swap, points[i], basis[r])),
        rows.at[i].set(jnp.where(fresh, r, -1)),
    )


def _recombine(M: Float[Array, "N m"]) -> Float[Array, " m"]:
    """Return t >= 0 with at most N positive entries and M t = M 1; the columns of M have full rank N < m."""
    N, m = M.shape
    unit = jnp.sqrt(jnp.sum(M * M, axis=0))
    unit = jnp.where(unit > 0, unit, 1)
    Q = M / unit
    p = unit
    _, _, order = jax.lax.linalg.lu(Q.T)
    basis, rest = order[:N], order[N:]
    panels = -(-(m - N) // _PANEL)
    # the last panel is filled up with a point of weight 0, which pushes nothing
    queue = jnp.concatenate([rest, jnp.full(panels * _PANEL - (m - N), m)]).reshape(panels, _PANEL)
    Q = jnp.concatenate([Q, jnp.zeros((N, 1))], axis=1)
    p = jnp.concatenate([p, jnp.zeros(1)])

    def panel(state: tuple[Array, Array, Array], points: Array) -> tuple[tuple[Array, Array, Array], None]:
        inverse, x, basis = state
        start = _Panel(inverse @ Q[:, points], x, basis, jnp.full(_PANEL, -1))
        done = jax.lax.fori_loop(0, _PANEL, lambda i, s: _push(i, s, points, p), start)
        used = done.rows >= 0
        change = done.tile - (jnp.arange(N)[:, None] == done.rows[None])
        inverse = inverse + jnp.where(used, change, 0) @ inverse[jnp.where(used, done.rows, 0)]
        return (inverse, done.x, done.basis), None

    state = jnp.linalg.inv(Q[:, basis]), p[basis], basis
    (inverse, x, basis), _ = jax.lax.scan(panel, state, queue)
    target = jnp.sum(M, axis=1)
    for _ in range(3):
        x = x + inverse @ (target - Q[:, basis] @ x)
    return jnp.zeros(m + 1).at[basis].set(x)[:m] / unit


@jax.jit
def _recombine_block(M: Float[Array, "B N m"]) -> tuple[Array, Array]:
    t = jax.vmap(_recombine)(M)
    drift = jnp.max(jnp.abs(jnp.einsum("bnm,bm->bn", M, t - 1)), axis=1)
    scale = jnp.max(jnp.sum(jnp.abs(M), axis=2), axis=1)
    return t, jnp.where(jnp.all(t >= 0, axis=1), drift / jnp.where(scale > 0, scale, 1), jnp.inf)


@in_float64
def recombine_batch(M: Float[np.ndarray, "B N m"]) -> tuple[Float[np.ndarray, "B m"], Float[np.ndarray, " B"]]:
    """Return weights t >= 0 with M t = M 1 and at most N positive entries for each of B sets, and their relative drift.

    The drift is infinite or not a number where a set has dependent rows or rounding took over; those sets are for
    :func:`modeconn.constructions.recombination.recombine`. Needs m > N. Cost O(m N^2) a set. Sets run in blocks of 16,
    several blocks at a time where there are cores: compiled once for (N, m), and the result for a set does not depend
    on the number of sets. As many blocks are on the device as fit, with a warning when that is not all.

    Raises:
        MemoryError: one block does not fit.

    Example:
        >>> M = np.stack([np.stack([np.ones(50), np.arange(50.0)])] * 3)
        >>> t, drift = recombine_batch(M)
        >>> (t > 0).sum(1).tolist(), bool(drift.max() < 1e-14)
        ([2, 2, 2], True)
    """
    B = len(M)
    rows = np.minimum(np.arange(-(-B // _BLOCK) * _BLOCK), B - 1).reshape(-1, _BLOCK)  # the last set fills the block

    def work(start: int, stop: int) -> list[tuple[np.ndarray, np.ndarray]]:
        found = [_recombine_block(jnp.asarray(M[block])) for block in rows[start:stop]]  # dispatched without waiting
        return [(np.asarray(t), np.asarray(drift)) for t, drift in found]

    parts, halved = in_halves(work, 0, len(rows))
    say_halved("recombine_batch", halved)
    t, drift = (np.concatenate([found[k] for part in parts for found in part])[:B] for k in range(2))
    return t, drift
