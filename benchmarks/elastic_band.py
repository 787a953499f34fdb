"""A nudged elastic band between two nets, as a path finder in common use: the peer of the exact barrier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from modeconn.topology import Point, lift

__all__ = ["elastic_band", "parameters"]


def elastic_band(X: jax.Array, y: jax.Array, images: int, steps: int) -> Callable[..., jax.Array]:
    """Return (start, end, keys, rate) -> chains (restarts, images, P): a nudged elastic band with a climbing image."""
    d = X.shape[1]

    def loss(theta: jax.Array) -> jax.Array:
        weights = theta.reshape(d + 1, -1)
        return 0.5 * jnp.sum((jax.nn.relu(X @ weights[:d]) @ weights[d] - y) ** 2)

    value_and_slope = jax.vmap(jax.value_and_grad(loss))

    def descent(chain: jax.Array, spring: float = 1.0) -> jax.Array:
        values, slopes = value_and_slope(chain)
        ahead, behind = chain[2:] - chain[1:-1], chain[1:-1] - chain[:-2]
        tangent = jnp.where((values[2:] > values[:-2])[:, None], ahead, behind)
        tangent /= jnp.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
        along = jnp.sum(slopes[1:-1] * tangent, axis=1, keepdims=True) * tangent
        stretch = jnp.linalg.norm(ahead, axis=1, keepdims=True) - jnp.linalg.norm(behind, axis=1, keepdims=True)
        band = slopes[1:-1] - along - spring * stretch * tangent
        climbs = jnp.arange(1, images - 1) == jnp.argmax(values[1:-1]) + 1
        return jnp.where(climbs[:, None], slopes[1:-1] - 2 * along, band)

    def run(start: jax.Array, end: jax.Array, key: jax.Array, rate: jax.Array) -> jax.Array:
        t = jnp.linspace(0.0, 1.0, images)[:, None]
        bump = jax.random.normal(key, start.shape) * jnp.sin(jnp.pi * t)
        chain = (1 - t) * start + t * end + bump
        optimizer = optax.adam(optax.cosine_decay_schedule(1.0, steps))

        def step(carry: Any, _: None) -> tuple[Any, jax.Array]:
            chain, state, best, best_value = carry
            updates, state = optimizer.update(descent(chain), state)
            chain = chain.at[1:-1].add(rate * updates)
            top = jnp.max(value_and_slope(chain)[0])
            best = jnp.where(top < best_value, chain, best)
            return (chain, state, best, jnp.minimum(top, best_value)), top

        first = (chain, optimizer.init(chain[1:-1]), chain, jnp.inf)
        return jax.lax.scan(step, first, None, length=steps)[0][2]

    return jax.jit(jax.vmap(run, in_axes=(None, None, 0, None)))


def parameters(point: Point) -> jax.Array:
    """Return a net over a u-point with balanced weights, as one vector."""
    net = lift(point)
    size = np.sqrt(np.linalg.norm(net.W, axis=0))
    scale = np.where(size > 0, size, 1.0)
    return jnp.asarray(np.concatenate([np.asarray(net.W) / scale, np.asarray(net.A) * size]).ravel())
