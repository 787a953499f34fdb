"""Spectral probes of a weight matrix: singular values, stable rank, effective rank. Leading axes are batches."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from modeconn.errors import InputError

__all__ = ["Spectrum", "effective_rank", "singular_values", "spectrum", "stable_rank"]

Matrix = Float[Array | np.ndarray, "*batch r c"]


def _rescaled(W: Matrix) -> tuple[Array, Array]:
    """Return W divided by its largest entry (a matrix with norms near 1 in any unit) and that entry, 1 for W = 0."""
    W = jnp.asarray(W)
    if W.ndim < 2 or 0 in W.shape[-2:]:
        raise InputError(f"spectrum: expected matrices (..., r, c) with r, c >= 1, found shape {W.shape}")
    top = jnp.max(jnp.abs(W), axis=(-2, -1), keepdims=True)
    scale = jnp.where(top > 0, top, 1)
    return W / scale, scale[..., 0]


@jax.jit
def singular_values(W: Matrix) -> Float[Array, "*batch k"]:
    """Return the singular values in decreasing order, k = min(r, c). Cost O(r c k) a matrix.

    Padded (zero) columns or rows add zeros only.

    Raises:
        InputError: fewer than two axes, or an empty matrix.

    Example:
        >>> import jax.numpy as jnp
        >>> singular_values(jnp.array([[0.0, 2.0], [1.0, 0.0]])).tolist()
        [2.0, 1.0]
    """
    unit, scale = _rescaled(W)
    return jnp.linalg.svd(unit, compute_uv=False) * scale


def stable_rank(W: Matrix) -> Float[Array, " *batch"]:
    """Return ||W||_F^2 / ||W||_op^2, between 1 and the rank; 0 for W = 0.

    Example:
        >>> import jax.numpy as jnp
        >>> float(stable_rank(jnp.diag(jnp.array([2.0, 1.0]))))
        1.25

    Reference: theory, claim W2.
    """
    return spectrum(W).stable_rank


def effective_rank(W: Matrix) -> Float[Array, " *batch"]:
    """Return exp(-sum p_i log p_i), p_i = s_i / sum s: the rank of the spectrum's entropy; 0 for W = 0.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(effective_rank(jnp.eye(3))), 12)
        3.0

    Reference: Roy, Vetterli (2007), The effective rank, definition 1.
    """
    return spectrum(W).effective_rank


class Spectrum(NamedTuple):
    """Summary of the singular values of a matrix, batched over its leading axes.

    Attributes:
        operator: largest singular value.
        smallest: smallest of the min(r, c) singular values.
        frobenius: root of their sum of squares.
        nuclear: their sum.
        stable_rank: (frobenius / operator)^2, 0 for the zero matrix.
        effective_rank: exponential of the entropy of s / nuclear, 0 for the zero matrix.
    """

    operator: Array
    smallest: Array
    frobenius: Array
    nuclear: Array
    stable_rank: Array
    effective_rank: Array


@jax.jit
def spectrum(W: Matrix) -> Spectrum:
    """Return the spectral summary of each matrix, from one singular value decomposition.

    Homogeneous: a matrix of 1e-30 in float32 has the ranks of the same matrix at scale 1.

    Raises:
        InputError: fewer than two axes, or an empty matrix.

    Example:
        >>> import jax.numpy as jnp
        >>> s = spectrum(jnp.stack([jnp.eye(2), jnp.ones((2, 2))]))
        >>> [round(v, 6) for v in s.stable_rank.tolist()], [round(v, 6) for v in s.nuclear.tolist()]
        ([2.0, 1.0], [2.0, 2.0])
    """
    unit, scale = _rescaled(W)
    s = jnp.linalg.svd(unit, compute_uv=False)
    scale = scale[..., 0]
    top, total = s[..., 0], jnp.sum(s, axis=-1)
    square = jnp.sum(s * s, axis=-1)
    zero = top == 0
    p = s / jnp.where(zero, 1, total)[..., None]
    entropy = -jnp.sum(jnp.where(p > 0, p * jnp.log(jnp.where(p > 0, p, 1)), 0), axis=-1)
    return Spectrum(
        operator=top * scale,
        smallest=s[..., -1] * scale,
        frobenius=jnp.sqrt(square) * scale,
        nuclear=total * scale,
        stable_rank=jnp.where(zero, 0, square / jnp.where(zero, 1, top) ** 2),
        effective_rank=jnp.where(zero, 0, jnp.exp(entropy)),
    )
