"""Singular value decomposition that keeps its digits for matrices of any unit, and the partial isometry in it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.regions.gauge import rescaled

__all__ = ["partial_isometry", "rank_cutoff", "thin_svd"]


def rank_cutoff(s: Float[Array, " k"], shape: tuple[int, int]) -> Float[Array, ""]:
    """Return the level max(shape) * eps * max(s) at and below which a computed singular value is rounding of zero."""
    return jnp.max(s) * (max(shape) * float(jnp.finfo(s.dtype).eps))


def thin_svd(x: Float[Array, "r c"]) -> tuple[Float[Array, "r k"], Float[Array, " k"], Float[Array, "k c"]]:
    """Return (U, s, Vt) with x = U diag(s) Vt, k = min(r, c), s decreasing, zero at and below :func:`rank_cutoff`."""
    unit, scale = rescaled(x)
    U, s, Vt = jnp.linalg.svd(unit, full_matrices=False)
    s = jnp.where(s > rank_cutoff(s, x.shape), s, 0)
    return U, s * scale[0, 0], Vt


def partial_isometry(x: Float[Array, "r c"]) -> Float[Array, "r c"]:
    """Return sum of u_i v_i^T over the nonzero singular values of x; zero for x = 0."""
    U, s, Vt = thin_svd(x)
    return jnp.matmul(U * (s > 0).astype(x.dtype), Vt, precision=jax.lax.Precision.HIGHEST)
