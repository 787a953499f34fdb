"""Singular value decomposition that keeps its digits for matrices of any unit, and the partial isometry in it."""

from __future__ import annotations

import functools
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.regions.gauge import rescaled
from modeconn.regions.jacobi import MAX_ROWS, jacobi_polar, jacobi_svd

__all__ = ["SvdMethod", "partial_isometry", "product", "rank_cutoff", "thin_svd"]

_MAX_COLUMNS = 256

SvdMethod = Literal["auto", "lapack", "jacobi"]


def product(A: Float[Array, "r k"], B: Float[Array, "k c"]) -> Float[Array, "r c"]:
    """Return A B in full precision: accelerators would multiply in TF32."""
    return jnp.matmul(A, B, precision=jax.lax.Precision.HIGHEST)


def _takes_jacobi(shape: tuple[int, ...], method: SvdMethod) -> bool:
    """Return whether to use batched Jacobi: it beats LAPACK up to 8 rows or columns, and up to 256 of the other."""
    return method == "jacobi" or (method == "auto" and min(shape) <= MAX_ROWS and max(shape) <= _MAX_COLUMNS)


def rank_cutoff(s: Float[Array, " k"], shape: tuple[int, ...]) -> Float[Array, ""]:
    """Return the level max(shape) * eps * max(s) at and below which a computed singular value is rounding of zero."""
    return jnp.max(s) * (max(shape) * float(jnp.finfo(s.dtype).eps))


def _svd(x: Float[Array, "*B r c"]) -> tuple[Array, Array, Array]:
    return tuple(jnp.linalg.svd(x, full_matrices=False))


_svd_alone = jax.custom_batching.custom_vmap(_svd)


@_svd_alone.def_vmap
def _one_by_one(axis_size: int, in_batched: list[bool], x: Float[Array, "B r c"]) -> tuple[Any, Any]:
    """Return the decompositions of a batch; on a CPU one after the other, as LAPACK does them, with the same result.

    JAX 0.10.0 to 0.11.0 cut a batch in pieces for the pool of threads that runs the program, and wait for them on one
    of these threads. As many such waits at a time as there are threads, be it in one program or in several, have no
    end. A single matrix is decomposed on the spot.
    """
    del axis_size, in_batched
    return jax.lax.platform_dependent(x, cpu=functools.partial(jax.lax.map, _svd_alone), default=_svd), (True,) * 3


@jax.custom_jvp
def _lapack_svd(x: Float[Array, "r c"]) -> tuple[Array, Array, Array]:
    return _svd_alone(x)


@_lapack_svd.defjvp
def _lapack_svd_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Any, Any]:
    return jax.jvp(_svd, primals, tangents)


def thin_svd(
    x: Float[Array, "r c"], method: SvdMethod = "auto"
) -> tuple[Float[Array, "r k"], Float[Array, " k"], Float[Array, "k c"]]:
    """Return (U, s, Vt) with x = U diag(s) Vt, k = min(r, c), s decreasing, exactly 0 at and below :func:`rank_cutoff`.

    Rows of Vt (columns of U, for a tall x) that belong to a singular value 0 are arbitrary. Homogeneous: x of 1e-30
    in float32 keeps its digits. Small matrices go through batched Jacobi, others through LAPACK.

    Example:
        >>> import jax.numpy as jnp
        >>> thin_svd(jnp.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]))[1].tolist()
        [2.0, 1.0]
    """
    unit, scale = rescaled(x)
    if not _takes_jacobi(x.shape, method):
        U, s, Vt = _lapack_svd(unit)
    elif x.shape[0] <= x.shape[1]:
        U, s, Vt = jacobi_svd(unit)
    else:
        V, s, Ut = jacobi_svd(unit.T)
        U, Vt = Ut.T, V.T
    return U, jnp.where(s <= rank_cutoff(s, x.shape), 0, s) * scale[0, 0], Vt


def partial_isometry(x: Float[Array, "r c"], method: SvdMethod = "auto") -> Float[Array, "r c"]:
    """Return sum of u_i v_i^T over the nonzero singular values of x, 0 for x = 0: the exact polar factor."""
    if _takes_jacobi(x.shape, method):
        unit, _ = rescaled(x)
        return jacobi_polar(unit) if x.shape[0] <= x.shape[1] else jacobi_polar(unit.T).T
    U, s, Vt = thin_svd(x, method)
    return product(jnp.where(s == 0, 0, U), Vt)
