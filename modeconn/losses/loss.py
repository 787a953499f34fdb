"""Losses ell(F) that are convex in the prediction F (n, c), summed over the data points."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from modeconn.errors import InputError, unknown_name
from modeconn.nets import AnyArray, Net, predict

__all__ = ["LOSSES", "Loss", "loss_from_name", "net_loss"]


class Loss(NamedTuple):
    """A convex loss of the prediction.

    Attributes:
        name: key in :data:`LOSSES`.
        value: (F (n, c), Y (n, c)) -> scalar, the sum over data points. Finite for finite F and never negative;
            raises :class:`InputError` when the shapes of F and Y differ (they would broadcast).
        gradient: (F, Y) -> (n, c), the derivative of ``value`` with respect to F.
        check_targets: raises :class:`InputError` when Y (n, c) is outside the loss's domain.
        lipschitz: largest l1 norm of the gradient in one row of F, or ``inf``.

    They compute in JAX's current float: call them inside :func:`modeconn.precision.float64` for a verdict.
    """

    name: str
    value: Callable[[AnyArray, AnyArray], Array]
    gradient: Callable[[AnyArray, AnyArray], Array]
    check_targets: Callable[[np.ndarray], None]
    lipschitz: float


def _check_shapes(F: AnyArray, Y: AnyArray) -> None:
    """Raise unless F and Y are both (n, c): F (n, 1) less y (n,) would broadcast to (n, n)."""
    if F.ndim != 2 or F.shape != Y.shape:
        raise InputError(f"loss: expected predictions and targets (n, c), found {F.shape} and {Y.shape}; reshape Y")


def _squared_value(F: AnyArray, Y: AnyArray) -> Float[Array, ""]:
    _check_shapes(F, Y)
    return 0.5 * jnp.sum((F - Y) ** 2)


def _squared_gradient(F: AnyArray, Y: AnyArray) -> Array:
    _check_shapes(F, Y)
    return jnp.asarray(F - Y)


def _logistic_value(F: AnyArray, Y: AnyArray) -> Float[Array, ""]:
    _check_shapes(F, Y)
    return jnp.sum(jax.nn.softplus(-Y * F))


def _logistic_gradient(F: AnyArray, Y: AnyArray) -> Array:
    _check_shapes(F, Y)
    return jnp.asarray(-Y * jax.nn.sigmoid(-Y * F))


def _cross_entropy_value(F: AnyArray, Y: AnyArray) -> Float[Array, ""]:
    """Return - sum Y log softmax(F). The shift by the row's maximum keeps it exact to rounding at any size of F."""
    _check_shapes(F, Y)
    return -jnp.sum(Y * jax.nn.log_softmax(F, axis=1))


def _cross_entropy_gradient(F: AnyArray, Y: AnyArray) -> Array:
    """Return |y_i| softmax(f_i) - y_i; |y_i|, the sum of the row, is 1 up to the rounding of the targets."""
    _check_shapes(F, Y)
    return jax.nn.softmax(F, axis=1) * jnp.sum(Y, axis=1, keepdims=True) - jnp.asarray(Y)


def _check_finite_matrix(name: str, Y: np.ndarray) -> None:
    if np.ndim(Y) != 2:
        raise InputError(f"{name}: expected targets (n, c), found shape {np.shape(Y)}; reshape to one column an output")
    if not np.isfinite(Y).all():
        raise InputError(f"{name}: expected finite targets, found NaN or infinity; clean the data first")


def _check_any_real(Y: np.ndarray) -> None:
    _check_finite_matrix("half_squared_error", Y)


def _check_signs(Y: np.ndarray) -> None:
    _check_finite_matrix("logistic", Y)
    if Y.shape[1] != 1 or not np.isin(Y, (-1.0, 1.0)).all():
        raise InputError(
            f"logistic: expected one column of targets in {{-1, +1}}, found shape {Y.shape} with values "
            f"{np.unique(Y)[:4].tolist()}; recode the classes"
        )


def _check_distributions(Y: np.ndarray) -> None:
    _check_finite_matrix("cross_entropy", Y)
    if Y.shape[1] < 2 or (Y < 0).any() or not np.allclose(Y.sum(1), 1.0):
        raise InputError(
            f"cross_entropy: expected rows that are class probabilities over >= 2 classes, found shape {Y.shape}; "
            "one-hot encode the labels"
        )


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("half_squared_error", _squared_value, _squared_gradient, _check_any_real, float("inf")),
        Loss("logistic", _logistic_value, _logistic_gradient, _check_signs, 1.0),
        Loss("cross_entropy", _cross_entropy_value, _cross_entropy_gradient, _check_distributions, 2.0),
    )
}


def loss_from_name(name: str) -> Loss:
    """Return the loss called ``name``; raise :class:`InputError` with the nearest name otherwise."""
    if name not in LOSSES:
        raise unknown_name("loss", name, LOSSES)
    return LOSSES[name]


def net_loss(loss: Loss, net: Net, X: Float[AnyArray, "n d"], Y: AnyArray) -> Float[Array, ""]:
    """Return L(theta) = ell(f(X)).

    Raises:
        InputError: when f(X) and Y differ in shape.

    Example:
        >>> import jax.numpy as jnp
        >>> net = Net(W=jnp.array([[1.0]]), A=jnp.array([[2.0]]))
        >>> float(net_loss(LOSSES["half_squared_error"], net, jnp.array([[3.0]]), jnp.array([[5.0]])))
        0.5
    """
    return loss.value(predict(net, X), Y)
