"""The population loss of a student against a teacher, in closed form."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.errors import InputError
from modeconn.population.relu_kernel import relu_correlation

__all__ = ["population_loss"]


def population_loss(
    W: Float[Array, "d m"],
    V: Float[Array, "d M"],
    A: Float[Array, "c m"] | None = None,
    B: Float[Array, "c M"] | None = None,
    law: str = "sphere",
) -> Float[Array, ""]:
    r"""Return half the expected squared error of a two-layer ReLU student against a teacher.

    $$L = \tfrac12 E_x \Bigl|\sum_i a_i \mathrm{relu}(w_i \cdot x) - \sum_j b_j \mathrm{relu}(v_j \cdot x)\Bigr|^2
        = \tfrac12 \operatorname{tr}\bigl[A K_{WW} A^T - 2 A K_{WV} B^T + B K_{VV} B^T\bigr].$$

    The half is that of the project's squared error on data. It can be differentiated and batched with ``jax.grad``
    and ``jax.vmap``, see :func:`relu_correlation` about parallel and zero neurons. Terms of size |A|^2 |W|^2 cancel
    at a minimum, so a loss of 0 comes out as rounding of that size, possibly negative; in float64 for a verdict.
    Cost O((m + M)^2 d).

    Args:
        W: student neurons, one a column.
        V: teacher neurons, one a column.
        A: output weights of the student; all 1 (one output) when ``None``.
        B: output weights of the teacher; all 1 when ``None``.
        law: ``"sphere"`` or ``"gaussian"``.

    Raises:
        InputError: shapes that do not fit, or an unknown law.

    Example:
        >>> import numpy as np
        >>> swapped_halfway = np.array([[0.5, 0.5], [0.5, 0.5]])  # between (e_1, e_2) and (e_2, e_1)
        >>> loss = population_loss(swapped_halfway, np.eye(2), law="gaussian")
        >>> abs(float(loss) - (1 / 4 - 1 / (2 * np.pi))) < 1e-6
        True

    Reference: theory section 5; Safran and Shamir (2018) for the closed form.
    """
    W, V = jnp.asarray(W), jnp.asarray(V)
    if W.ndim != 2 or V.ndim != 2 or W.shape[0] != V.shape[0]:
        raise InputError(
            f"population_loss: expected W (d, m) and V (d, M), found {W.shape} and {V.shape}; a neuron is a column"
        )
    A = jnp.ones((1, W.shape[1]), W.dtype) if A is None else jnp.asarray(A)
    B = jnp.ones((1, V.shape[1]), V.dtype) if B is None else jnp.asarray(B)
    if A.ndim != 2 or B.ndim != 2 or A.shape[1] != W.shape[1] or B.shape != (A.shape[0], V.shape[1]):
        raise InputError(
            f"population_loss: expected A (c, {W.shape[1]}) and B (c, {V.shape[1]}), found {A.shape} and {B.shape}"
        )
    Z, C = jnp.concatenate([W, V], 1), jnp.concatenate([A, -B], 1)
    return jnp.sum(C * (C @ relu_correlation(Z, Z, law))) / 2
