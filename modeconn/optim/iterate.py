"""Iterations that go on until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

__all__ = ["until_still"]

MAX_STEPS = 80


def until_still(
    step: Callable[[Float[Array, "r c"]], Float[Array, "r c"]], X: Float[Array, "r c"], roundings: float
) -> Float[Array, "r c"]:
    """Return X after steps until one changes no entry by more than ``roundings`` eps, at most 80 of them.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(until_still(lambda x: 0.5 * (x + 2 / x), jnp.array([[1.0]]), 8)[0, 0] ** 2), 5)
        2.0
    """
    tolerance = roundings * float(jnp.finfo(X.dtype).eps)

    def moving(state: tuple[Array, Array, Array]) -> Array:
        count, _, change = state
        return (change > tolerance) & (count < MAX_STEPS)

    def again(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        count, X, _ = state
        new = step(X)
        return count + 1, new, jnp.max(jnp.abs(new - X))

    start = (jnp.zeros((), jnp.int32), X, jnp.full((), jnp.inf, X.dtype))
    return jax.lax.while_loop(moving, again, start)[1]
