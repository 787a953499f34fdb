"""The correlation of two ReLU neurons under a rotation-invariant law of the inputs, in closed form."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.errors import InputError, unknown_name

__all__ = ["POPULATION_LAWS", "relu_correlation"]

POPULATION_LAWS: dict[str, str] = {
    "sphere": "x uniform on the unit sphere of R^d, E x x^T = I / d",
    "gaussian": "x ~ N(0, I_d), E x x^T = I",
}
"""Laws of the inputs with a closed-form correlation."""


def relu_correlation(U: Float[Array, "d p"], V: Float[Array, "d q"], law: str = "sphere") -> Float[Array, "p q"]:
    r"""Return the correlations E[relu(u.x) relu(v.x)] of the columns of U with those of V.

    $$E[\mathrm{relu}(u \cdot x)\,\mathrm{relu}(v \cdot x)]
      = \frac{|u||v|}{2\pi} \bigl(\sin a + (\pi - a) \cos a\bigr), \qquad a = \angle(u, v),$$

    for x ~ N(0, I_d); divided by d for x uniform on the unit sphere. The angle is computed from |u/|u| - v/|v|| and
    |u/|u| + v/|v||, which keeps all digits at parallel and opposite vectors. Derivatives of first and second order
    are exact there too. At a zero vector, where the function has a kink, its derivative is taken to be 0, as that of
    relu at 0. Cost O(p q d).

    Args:
        U: first neurons, one a column.
        V: second neurons, one a column.
        law: ``"sphere"`` or ``"gaussian"``, see :data:`POPULATION_LAWS`.

    Raises:
        InputError: unknown law, or U and V of different input dimension.

    Example:
        >>> import numpy as np
        >>> K = relu_correlation(np.eye(2), np.eye(2), law="gaussian")  # 1/2 for equal, 1/(2 pi) for orthogonal units
        >>> [round(float(k), 4) for k in K[0]]
        [0.5, 0.1592]

    Reference: Cho and Saul (2009), kernel methods for deep learning, arc-cosine kernel of order 1; theory section 5.
    """
    if law not in POPULATION_LAWS:
        raise unknown_name("input law", law, POPULATION_LAWS)
    if jnp.ndim(U) != 2 or jnp.ndim(V) != 2 or jnp.shape(U)[0] != jnp.shape(V)[0]:
        raise InputError(
            f"relu_correlation: expected (d, p) and (d, q), found {jnp.shape(U)} and {jnp.shape(V)}; "
            "a neuron is a column"
        )
    U, V = jnp.asarray(U), jnp.asarray(V)
    correlation = _gaussian(U, V)
    return correlation / U.shape[0] if law == "sphere" else correlation


def _norm(x: Array, axis: int) -> Array:
    """Return Euclidean norms whose derivative at 0 is 0."""
    squared = jnp.sum(x * x, axis)
    return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1.0)), 0.0)


def _unit(U: Array) -> tuple[Array, Array]:
    """Return the norms of the columns and the columns divided by them; zero columns stay zero."""
    scale = jnp.max(jnp.abs(U), axis=0)  # keeps tiny and huge columns from underflow and overflow
    scaled = U / jnp.where(scale > 0, scale, 1.0)
    norm = _norm(scaled, 0)
    return norm * scale, scaled / jnp.where(norm > 0, norm, 1.0)


def _angles(U: Array, V: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return both norms, sin a, cos a and pi - a; a zero vector is at right angles to all others."""
    (norm_u, unit_u), (norm_v, unit_v) = _unit(U), _unit(V)
    difference = _norm(unit_u[:, :, None] - unit_v[:, None, :], 0)
    total = _norm(unit_u[:, :, None] + unit_v[:, None, :], 0)
    sine = difference * total / 2
    cosine = (total + difference) * (total - difference) / 4
    return norm_u[:, None], norm_v[None, :], sine, cosine, 2 * jnp.arctan2(total, difference)


@jax.custom_jvp
def _gaussian(U: Array, V: Array) -> Array:
    norm_u, norm_v, sine, cosine, supplement = _angles(U, V)
    return norm_u * norm_v * (sine + supplement * cosine) / (2 * jnp.pi)


@_gaussian.defjvp
def _gaussian_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    """d E = [(pi - a)(v.du + u.dv) + sin a (|v| u.du / |u| + |u| v.dv / |v|)] / (2 pi): no quotient by sin a."""
    (U, V), (dU, dV) = primals, tangents
    norm_u, norm_v, sine, _, supplement = _angles(U, V)
    alive = (norm_u > 0) & (norm_v > 0)
    along_u = jnp.sum(_unit(U)[1] * dU, 0)[:, None] * norm_v
    along_v = jnp.sum(_unit(V)[1] * dV, 0)[None, :] * norm_u
    tangent = supplement * (dU.T @ V + U.T @ dV) + sine * (along_u + along_v)
    return _gaussian(U, V), jnp.where(alive, tangent, 0.0) / (2 * jnp.pi)
