"""One-sided Jacobi for thousands of small matrices at once: every operation is elementwise over the batch.

LAPACK visits the matrices of a batch one by one, and a batched product of 4 x 4 matrices wastes the vector units.
Here the batch is the last, contiguous axis ("lanes"): ``vmap`` appends to it, whatever the nesting. On a CPU the
lanes are worked off in blocks of 64 that stay in cache, and a short batch is filled up with zeros: the result for a
matrix depends, to the last bit, neither on the size of its batch nor on its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

__all__ = ["MAX_ROWS", "jacobi_polar", "jacobi_svd"]

MAX_ROWS = 8
"""Most rows of a matrix: the k (k - 1) / 2 rotations of a sweep are unrolled."""
_BLOCK = 64
_MAX_SWEEPS = 20

Lanes = Callable[[Array], Array]


def _rotate(x: Float[Array, "w L"], y: Float[Array, "w L"], n: int) -> tuple[Array, Array, Array]:
    """Return rows x, y rotated so that their first n entries are orthogonal, and whether each lane moved."""
    a, b, c = jnp.sum(x[:n] ** 2, 0), jnp.sum(y[:n] ** 2, 0), jnp.sum(x[:n] * y[:n], 0)
    limits = jnp.finfo(x.dtype)
    floor = jnp.sqrt(limits.tiny)  # shorter rows are far below the rank cut-off, and their squares underflow
    coupled = jnp.abs(c) > limits.eps * jnp.maximum(jnp.sqrt(a), floor) * jnp.maximum(jnp.sqrt(b), floor)
    z = (b - a) / jnp.where(coupled, 2 * c, 1)
    tangent = jnp.where(z < 0, -1, 1).astype(x.dtype) / (jnp.abs(z) + jnp.sqrt(1 + z * z))  # of at most 45 degrees
    t = jnp.where(coupled, tangent, 0)
    cosine = 1 / jnp.sqrt(1 + t * t)
    sine = cosine * t
    return cosine * x - sine * y, sine * x + cosine * y, jnp.any(t != 0)


def _orthogonalised(X: Float[Array, "k n L"]) -> Float[Array, "k n+k L"]:
    """Return rows (J X, J) with J orthogonal and the rows of J X mutually orthogonal.

    Cyclic sweeps until no pair is coupled above rounding; a settled lane is left exactly as it is while others go on.
    """
    k, n, lanes = X.shape
    identity = jnp.broadcast_to(jnp.eye(k, dtype=X.dtype)[:, :, None], (k, k, lanes))
    rows = tuple(jnp.concatenate([X, identity], axis=1))
    if k == 1:
        return jnp.stack(rows)

    def sweep(state: tuple[Array, tuple[Array, ...], Array]) -> tuple[Array, tuple[Array, ...], Array]:
        count, rows, _ = state
        work, moving = list(rows), jnp.array(False)
        for p, q in combinations(range(k), 2):
            work[p], work[q], moved = _rotate(work[p], work[q], n)
            moving |= moved
        return count + 1, tuple(work), moving

    start = (jnp.zeros((), jnp.int32), rows, jnp.array(True))
    _, rows, _ = jax.lax.while_loop(lambda state: state[2] & (state[0] < _MAX_SWEEPS), sweep, start)
    return jnp.stack(rows)


def _isometry(X: Float[Array, "k n L"]) -> Float[Array, "k n L"]:
    """Return J^T V: V the rows of J X at unit length, those at and below the rank cut-off at zero."""
    k, n, _ = X.shape
    rows = _orthogonalised(X)
    length = jnp.sqrt(jnp.sum(rows[:, :n] ** 2, axis=1))
    cutoff = jnp.max(length, axis=0) * (n * float(jnp.finfo(X.dtype).eps))
    null = length <= cutoff
    V = jnp.where(null[:, None], 0, rows[:, :n] / jnp.where(null, 1, length)[:, None])
    return sum((rows[p, n:, None] * V[p, None] for p in range(k)), jnp.zeros_like(X))


def _in_blocks(function: Lanes) -> Lanes:
    """Return ``function`` applied to blocks of lanes, the last one filled up with zero matrices."""

    def blockwise(X: Float[Array, "k n L"]) -> Array:
        k, n, lanes = X.shape
        blocks = -(-lanes // _BLOCK)
        filled = jnp.pad(X, ((0, 0), (0, 0), (0, blocks * _BLOCK - lanes)))
        parts = jax.lax.map(function, jnp.moveaxis(filled.reshape(k, n, blocks, _BLOCK), 2, 0))
        return jnp.moveaxis(parts, 0, 2).reshape(*parts.shape[1:3], blocks * _BLOCK)[:, :, :lanes]

    return blockwise


def _over_lanes(function: Lanes) -> Lanes:
    """Return (k, n, L) -> ``function`` of it, such that ``vmap`` appends to the lanes; in blocks on a CPU."""
    blockwise = _in_blocks(function)

    @jax.custom_batching.custom_vmap
    def apply(X: Float[Array, "k n L"]) -> Array:
        return jax.lax.platform_dependent(X, cpu=blockwise, default=function)

    @apply.def_vmap
    def rule(axis_size: int, in_batched: list[bool], X: Float[Array, "B k n L"]) -> tuple[Array, bool]:
        del in_batched
        _, k, n, lanes = X.shape
        out = apply(jnp.moveaxis(X, 0, 2).reshape(k, n, axis_size * lanes))
        return jnp.moveaxis(out.reshape(*out.shape[:2], axis_size, lanes), 2, 0), True

    return apply


_isometry_lanes = _over_lanes(_isometry)
_orthogonalised_lanes = _over_lanes(_orthogonalised)


def jacobi_polar(X: Float[Array, "k n"]) -> Float[Array, "k n"]:
    """Return sum of u_i v_i^T over the nonzero singular values of X (largest entry about 1), k <= n, k <= 8.

    Cost about 6 sweeps of k (k - 1) / 2 rotations, each 6 (n + k) multiplications.
    """
    return _isometry_lanes(X[:, :, None])[:, :, 0]


def jacobi_svd(X: Float[Array, "k n"]) -> tuple[Float[Array, "k k"], Float[Array, " k"], Float[Array, "k n"]]:
    """Return (U, s, Vt) with X = U diag(s) Vt (largest entry of X about 1), k <= n, k <= 8; s decreasing.

    A row of Vt that belongs to a singular value 0 is 0.
    """
    n = X.shape[1]
    rows = _orthogonalised_lanes(X[:, :, None])[:, :, 0]
    length = jnp.sqrt(jnp.sum(rows[:, :n] ** 2, axis=1))
    order = jnp.argsort(-length)
    s, rows = length[order], rows[order]
    return rows[:, n:].T, s, rows[:, :n] / jnp.where(s > 0, s, 1)[:, None]
