"""Spurious minima of the teacher-student loss, found in the five numbers that symmetry leaves free."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.optimize import minimize

from modeconn.errors import InputError
from modeconn.precision import in_float64

__all__ = ["symmetric_minimum", "symmetric_weights"]

NEWTON_STEPS = 6


@in_float64
def symmetric_minimum(k: int) -> Float[np.ndarray, " 5"]:
    """Return a, b, c, d, e of a symmetric critical point of the Gaussian teacher-student loss that is not global.

    Student and teacher have k neurons, the teacher's are the unit vectors; see :func:`symmetric_weights`. Descent from
    a net whose first neuron points the wrong way, then Newton's method. A proposal: floats only, and at k = 5 the
    point is a saddle; :func:`proofs_check.exact.symmetric_minimum.verify_symmetric_minimum` decides. Cost: independent
    of k.

    Args:
        k: neurons, at least 3.

    Example:
        >>> symmetric_minimum(7).round(4).tolist()
        [-0.6327, 0.186, 0.2617, 0.9969, -0.0351]

    Reference: Safran and Shamir (2018), Spurious local minima are common in two-layer ReLU networks; claim SAF.
    """
    if k < 3:
        raise InputError(f"symmetric_minimum: expected k >= 3 neurons, found {k}; the family needs three")
    value, gradient, hessian = _programs()
    size = float(k)
    start = np.array([-0.5, 2 / k, 2 / k, 1.0, 0.0])
    found: Any = minimize(lambda p: float(value(p, size)), start, jac=lambda p: np.asarray(gradient(p, size)))
    point = np.asarray(found.x)
    for _ in range(NEWTON_STEPS):
        point = point - np.linalg.solve(np.asarray(hessian(point, size)), np.asarray(gradient(point, size)))
    return point


def symmetric_weights(k: int, parameters: Float[np.ndarray, " 5"]) -> Float[np.ndarray, "k k"]:
    """Return W (k, k), one neuron a column: w_0 = a e_0 + b sum e_j and w_i = c e_0 + d e_i + e sum_(j != 0, i) e_j.

    Example:
        >>> symmetric_weights(3, np.array([1.0, 2.0, 3.0, 4.0, 5.0])).tolist()
        [[1.0, 3.0, 3.0], [2.0, 4.0, 5.0], [2.0, 5.0, 4.0]]
    """
    a, b, c, d, e = np.asarray(parameters, np.float64)
    W = np.full((k, k), e) + (d - e) * np.eye(k)
    W[:, 0], W[0, :] = b, c
    W[0, 0] = a
    return W


def _loss(p: Array, k: Any) -> Array:
    """Return the population loss of the symmetric net, by its kinds of pairs of neurons."""
    a, b, c, d, e = p
    n = k - 1
    first, other = a**2 + n * b**2, c**2 + d**2 + (n - 1) * e**2
    students = [
        (n, a * c + b * d + (n - 1) * b * e, first, other),
        (n * (n - 1) / 2, c**2 + 2 * d * e + (n - 2) * e**2, other, other),
    ]
    teachers = [(1.0, a, first), (n, b, first), (n, c, other), (n, d, other), (n * (n - 1), e, other)]
    total = sum(count * _correlation(C, P, Q) for count, C, P, Q in students)
    total -= sum(count * _correlation(C, P, 1.0) for count, C, P in teachers)
    return jnp.asarray(total + (first + n * other) / 4 + k / 4 + k * n / (4 * jnp.pi))


def _correlation(C: Any, P: Any, Q: Any) -> Array:
    """Return E relu(u.x) relu(v.x) from u.v, |u|^2 and |v|^2."""
    S = jnp.sqrt(P * Q - C**2)
    return (S + (jnp.pi / 2 + jnp.arctan2(C, S)) * C) / (2 * jnp.pi)


@lru_cache(maxsize=1)
def _programs() -> tuple[Any, Any, Any]:
    """Return the loss, its gradient and its Hessian, compiled once for all k."""
    return jax.jit(_loss), jax.jit(jax.grad(_loss)), jax.jit(jax.hessian(_loss))
