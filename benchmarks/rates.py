"""What this machine can do at best: the rates behind every floor."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from records import timed

__all__ = ["bandwidth_of_a_copy", "product_rate"]


def bandwidth_of_a_copy() -> float:
    """Return bytes a second, read and written, of a copy in main memory larger than the caches, at best."""
    source = np.zeros(2**24)
    target = np.empty_like(source)
    return 2 * source.nbytes / timed({"copy": lambda: np.copyto(target, source)}, 5)["copy"]


def product_rate(size: int = 512) -> float:
    """Return float64 operations a second of one square matrix product, at best."""
    a = jnp.ones((size, size), jnp.float64)
    product = jax.jit(lambda x: jnp.matmul(x, x, precision="highest"))
    return 2 * size**3 / timed({"product": lambda: product(a)}, 5)["product"]
