"""The loss of a student against a teacher on a finite sample of inputs."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.errors import InputError

__all__ = ["sample_loss"]


def sample_loss(
    W: Float[Array, "d m"],
    V: Float[Array, "d M"],
    X: Float[Array, "n d"],
    A: Float[Array, "c m"] | None = None,
    B: Float[Array, "c M"] | None = None,
) -> Float[Array, ""]:
    r"""Return half the mean squared error on the inputs X, $\frac{1}{2n} \sum_i |f_W(x_i) - f_V(x_i)|^2$.

    An unbiased estimate of :func:`~modeconn.population.population_loss` when the rows of X are drawn from its law. A
    minimum of the population loss is one of every sample; with few inputs a sample has others. Cost O(n d (m + M)).

    Args:
        W: student neurons, one a column.
        V: teacher neurons, one a column.
        X: inputs, one a row.
        A: output weights of the student; all 1 (one output) when ``None``.
        B: output weights of the teacher; all 1 when ``None``.

    Raises:
        InputError: inputs of another dimension than the neurons.

    Example:
        >>> import numpy as np
        >>> float(sample_loss(np.full((2, 2), 0.5), np.eye(2), np.array([[1.0, -1.0], [1.0, 1.0]])))
        0.25
    """
    W, V, X = jnp.asarray(W), jnp.asarray(V), jnp.asarray(X)
    if X.ndim != 2 or not X.shape[1] == W.shape[0] == V.shape[0]:
        raise InputError(f"sample_loss: expected X (n, d), W (d, m), V (d, M), found {X.shape}, {W.shape}, {V.shape}")
    student, teacher = jnp.maximum(X @ W, 0), jnp.maximum(X @ V, 0)
    F = student.sum(1, keepdims=True) if A is None else student @ jnp.asarray(A).T
    Y = teacher.sum(1, keepdims=True) if B is None else teacher @ jnp.asarray(B).T
    return jnp.sum((F - Y) ** 2) / (2 * X.shape[0])
