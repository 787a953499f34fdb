"""The exact polar factor: what the theory's Muon steps along. Practical Newton-Schulz is a different function."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from numpy.typing import DTypeLike

from modeconn.errors import InputError, unknown_name
from modeconn.optim.lifting import lifted_isometry
from modeconn.optim.schedules import HALLEY, PRODUCTS
from modeconn.regions.gauge import gauge_value
from modeconn.regions.jacobi import MAX_ROWS
from modeconn.regions.norm import Leaf, as_matrix
from modeconn.regions.singular import SvdMethod, partial_isometry, product

__all__ = ["METHODS", "PolarResidual", "polar_factor", "polar_residual"]

METHODS = ("auto", "svd", "jacobi", "iteration", "halley")
MAX_ROWS_OF_PRODUCTS = 64
"""On a CPU in float32: up to here a batch takes half the time by products that LAPACK takes."""
MIN_ROWS = 256
"""Fewer rows: a factorisation costs more than the products it saves."""

_SCHEDULES = {"iteration": PRODUCTS, "halley": HALLEY}
_SVD_METHODS: dict[str, SvdMethod] = {"auto": "auto", "svd": "lapack", "jacobi": "jacobi"}


def polar_factor(G: Leaf, method: str = "auto") -> Float[Array, ...]:
    """Return the polar factor sum_i u_i v_i^T over the nonzero singular values of G = sum_i s_i u_i v_i^T.

    It is the gradient of the nuclear norm, and the matrix X with singular values <= 1 that maximises <G, X>.
    Homogeneous of degree 0: the unit of G does not matter, down to 1e-30 in float32. A rank-deficient G gives the
    partial isometry, G = 0 gives 0, whatever the method: what differs is where a singular value counts as zero.

    Args:
        G: a matrix (r, c), or a vector taken as one row.
        method: how. Errors are of X in the spectral norm, over eps times the condition number (of the nonzero part).
            ``"svd"``: LAPACK, cuSOLVER on a GPU. Zero: max(r, c) eps. Error: about 20.
            ``"jacobi"``: rotations, at most 8 rows or columns, elementwise over ``vmap``. Zero: the same. Error: 4.
            ``"iteration"``: products alone. Zero: about 1e-6 in float32, 1e-12 in float64. Error: 5 sqrt(min(r, c)).
            ``"halley"``: fewer products, two Cholesky factors. Zero: the same. Error: 20; 2000 for deficient rank.
            ``"auto"``: on a CPU Jacobi up to 8 rows (and 256 columns), in float32 the iteration up to 64, the SVD
            above; on an accelerator Jacobi up to 8 rows, the iteration up to 255, Halley above. Rows are those of the
            wide one of G and its transpose.

    Reasons for ``"auto"``: on one core in float32 a batch of 32 x 128 takes LAPACK 2.2 times as long as the iteration;
    at 1024 x 1024 the SVD takes 1.0 times as long as five Newton-Schulz steps, Halley 1.5, the iteration 2.1. On an
    accelerator products are what is fast, and the SVD of a batch runs matrix by matrix; see
    :data:`modeconn.optim.schedules.HALLEY` for the model, not measured on a GPU.

    The last two end by a residual, not after a fixed number of steps: where no singular value is zero,
    X X^T - I has entries below 1e-5 in float32 (1e-6 up to 4096 x 4096). See :func:`polar_residual` for a certificate.

    Mind the cut-off of the SVD in float32: a Gaussian matrix of n rows has a condition of several n, so from about 1000
    rows on its least singular value may count as zero (X X^T is then not I); the last two keep it.

    Cost: O(r c min(r, c)) for all; 32 products of that size for the iteration, about 19 for Halley; twice as much
    where singular values are zero or below 1e-5.

    Raises:
        InputError: for an unknown method, or Jacobi asked for more than 8 rows and columns.

    Example:
        >>> import jax.numpy as jnp
        >>> polar_factor(1e-30 * jnp.array([[0.0, 2.0], [-3.0, 0.0]])).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]

    Reference: Higham (2008), Functions of Matrices, chapter 8; claim L4.
    """
    matrix = as_matrix(G)
    if method not in METHODS:
        raise unknown_name("polar method", method, METHODS)
    if method == "jacobi" and min(matrix.shape) > MAX_ROWS:
        raise InputError(f"jacobi: expected at most {MAX_ROWS} rows or columns, found {matrix.shape}; use method='svd'")
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    chosen = _by_shape(wide.shape, jax.default_backend(), matrix.dtype) if method == "auto" else method
    if chosen in _SCHEDULES:
        factor = lifted_isometry(wide, _SCHEDULES[chosen])
    else:
        factor = partial_isometry(wide, _SVD_METHODS[chosen])
    return (factor.T if tall else factor).reshape(jnp.shape(G))


def _by_shape(shape: tuple[int, ...], platform: str, dtype: DTypeLike) -> str:
    """Return the method that ``"auto"`` stands for: ``"auto"`` itself leaves the choice to the decomposition."""
    by_products = jnp.dtype(dtype) == jnp.float32 and shape[0] <= MAX_ROWS_OF_PRODUCTS
    if shape[0] <= MAX_ROWS or (platform == "cpu" and not by_products):
        return "auto"
    return "halley" if shape[0] >= MIN_ROWS else "iteration"


class PolarResidual(NamedTuple):
    """How far a matrix is from being the polar factor of another; both are 0 for the polar factor alone.

    Attributes:
        orthogonality: largest entry of X X^T - I (X^T X - I for a tall X).
        alignment: |G - H X|_F / |G|_F with H the symmetric part of G X^T: what G keeps that X does not explain.
        smallest: least eigenvalue of H over the largest, which must not be below rounding: H >= 0 tells the polar
            factor from other matrices with orthonormal rows that commute with it so.
    """

    orthogonality: Float[Array, ""]
    alignment: Float[Array, ""]
    smallest: Float[Array, ""]


def polar_residual(X: Float[Array, "r c"], G: Float[Array, "r c"]) -> PolarResidual:
    """Return the certificate that X is the polar factor of G: X X^T = I and G = H X with H symmetric, H >= 0.

    Cost: three products and one symmetric eigenvalue problem; in the precision of its arguments.

    Example:
        >>> import jax.numpy as jnp
        >>> G = jnp.array([[0.0, 2.0], [-3.0, 0.0]])
        >>> [float(number) for number in polar_residual(polar_factor(G), G)[:2]]
        [0.0, 0.0]
    """
    if X.shape[0] > X.shape[1]:
        X, G = X.T, G.T
    gap = product(X, X.T) - jnp.eye(X.shape[0], dtype=X.dtype)
    H = product(G, X.T)
    H = 0.5 * (H + H.T)
    spectrum = jnp.linalg.eigvalsh(H)
    alignment = gauge_value((G - product(H, X)).ravel(), 2.0) / gauge_value(G.ravel(), 2.0)
    return PolarResidual(jnp.max(jnp.abs(gap)), alignment, spectrum[0] / spectrum[-1])
