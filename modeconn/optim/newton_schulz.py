"""Practical Newton-Schulz: a few tuned quintic steps. Not the polar factor: singular values end in about [0.7, 1.2]."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice, repeat
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from modeconn.errors import InputError
from modeconn.optim.schedules import Coefficients
from modeconn.regions.gauge import gauge_value
from modeconn.regions.norm import Leaf, as_matrix
from modeconn.regions.singular import product

__all__ = [
    "KELLER_JORDAN",
    "POLAR_EXPRESS",
    "cubic_step",
    "newton_schulz",
    "newton_schulz_keller",
    "newton_schulz_optax",
    "quintic_step",
]

KELLER_JORDAN: tuple[Coefficients, ...] = ((3.4445, -4.7750, 2.0315),)
"""Keller Jordan's coefficients: the slope at 0 as large as possible, without convergence to 1."""

_SAFETY = 1.01
_POLAR_EXPRESS_ROWS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
)

POLAR_EXPRESS: tuple[Coefficients, ...] = (
    *((a / _SAFETY, b / _SAFETY**3, c / _SAFETY**5) for a, b, c in _POLAR_EXPRESS_ROWS),
    (1.875, -1.25, 0.375),
)
"""Minimax quintics, to be composed, for singular values in [1e-3, 1] (Amsel, Persson, Musco, Gower 2025)."""


def _scaled(a: float, X: Array) -> Array:
    """Return a X, with a not rounded to bfloat16 first."""
    wide = jnp.promote_types(X.dtype, jnp.float32)
    return (jnp.asarray(a, wide) * X.astype(wide)).astype(X.dtype)


def quintic_step(X: Float[Array, "r c"], coefficients: Coefficients) -> Float[Array, "r c"]:
    """Return a X + b (X X^T) X + c (X X^T)^2 X: the odd polynomial of the singular values of X."""
    a, b, c = coefficients
    A = product(X, X.T)
    return _scaled(a, X) + product(_scaled(b, A) + product(_scaled(c, A), A), X)


def cubic_step(X: Float[Array, "r c"]) -> tuple[Float[Array, "r c"], Float[Array, ""]]:
    """Return X + R X / 2 with R = I - X X^T, and |R|_F.

    For |R|_2 <= d < 1 the new residual is at most 3/4 d^2 + 1/4 d^3: the norm returned certifies the X returned.
    """
    R = jnp.eye(X.shape[0], dtype=X.dtype) - product(X, X.T)
    return X + 0.5 * product(R, X), gauge_value(R.ravel(), 2.0)


def newton_schulz(
    G: Leaf,
    steps: int = 5,
    coefficients: Sequence[Coefficients] = KELLER_JORDAN,
    eps: float = 1e-7,
    dtype: Any = None,
) -> Float[Array, ...]:
    """Return ``steps`` quintic steps from G / (|G| + eps), |.| the Frobenius norm.

    Each step maps every singular value s to a s + b s^3 + c s^5. The result has the singular vectors of G but not the
    singular values of its polar factor: with Keller Jordan's coefficients they end anywhere in about [0.7, 1.2], and
    once |G| is not large against eps the result shrinks with G. Claim L4 fails for it: it is that claim's control.

    Args:
        G: a matrix (r, c), or a vector taken as one row.
        steps: number of steps; the last coefficients repeat.
        coefficients: (a, b, c) of the successive steps: :data:`KELLER_JORDAN`, :data:`POLAR_EXPRESS`, or your own.
        eps: added to the norm.
        dtype: of the arithmetic; ``None`` for that of G. The result has the dtype of G.

    Raises:
        InputError: for fewer than one step or no coefficients.

    Example:
        >>> import jax.numpy as jnp
        >>> S = newton_schulz(jnp.diag(jnp.array([1.0, 0.5])))
        >>> [round(s, 2) for s in jnp.diag(S).tolist()]
        [0.69, 1.11]

    Reference: Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks; Amsel, Persson, Musco,
    Gower (2025), arXiv 2505.16932, algorithm 1, for :data:`POLAR_EXPRESS`.
    """
    if steps < 1 or not coefficients:
        raise InputError(f"newton_schulz: expected steps >= 1 and coefficients, found {steps} and {coefficients}")
    matrix = as_matrix(G)
    X = matrix if dtype is None else matrix.astype(dtype)
    tall = X.shape[0] > X.shape[1]
    X = X.T if tall else X
    X = X / (jnp.linalg.norm(X) + jnp.asarray(eps, X.dtype))
    for row in islice(chain(coefficients, repeat(coefficients[-1])), steps):
        X = quintic_step(X, row)
    return (X.T if tall else X).astype(matrix.dtype).reshape(jnp.shape(G))


def newton_schulz_keller(G: Leaf, steps: int = 5, dtype: Any = jnp.bfloat16) -> Float[Array, ...]:
    """Return Keller Jordan's ``zeropower_via_newtonschulz5(G)``, as published in bfloat16 unless ``dtype`` differs.

    Run eagerly it agrees with the published code bit for bit; under ``jit`` XLA keeps more digits between operations.
    """
    return newton_schulz(G, steps, KELLER_JORDAN, eps=1e-7, dtype=dtype)


def newton_schulz_optax(G: Leaf, steps: int = 5) -> Float[Array, ...]:
    """Return the orthogonalisation of ``optax.contrib.scale_by_muon`` with its defaults (eps 1e-8, dtype of G)."""
    matrix = as_matrix(G)
    transformation = optax.contrib.scale_by_muon(ns_steps=steps, beta=0.0, nesterov=False)
    with jax.numpy_dtype_promotion("standard"):
        X, _ = transformation.update(matrix, transformation.init(matrix))
    return X.reshape(jnp.shape(G))
