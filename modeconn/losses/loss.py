"""Losses ell(F) that are convex in the prediction F (n, c), summed over the data points."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from modeconn.errors import InputError, unknown_name
from modeconn.nets import Net, predict

__all__ = ["LOSSES", "Loss", "loss_from_name", "net_loss"]


class Loss(NamedTuple):
    """A convex loss of the prediction.

    Attributes:
        name: key in :data:`LOSSES`.
        value: (F (n, c), Y (n, c)) -> scalar, the sum over data points.
        gradient: (F, Y) -> (n, c), the derivative of ``value`` with respect to F.
        check_targets: raises :class:`InputError` when Y (n, c) is outside the loss's domain.
        lipschitz: largest l1 norm of the gradient in one row of F, or ``inf``.
    """

    name: str
    value: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]
    check_targets: Callable[[np.ndarray], None]
    lipschitz: float


def _squared_value(F: Float[Array, "n c"], Y: Float[Array, "n c"]) -> Float[Array, ""]:
    return 0.5 * jnp.sum((F - Y) ** 2)


def _squared_gradient(F: Float[Array, "n c"], Y: Float[Array, "n c"]) -> Float[Array, "n c"]:
    return F - Y


def _logistic_value(F: Float[Array, "n c"], Y: Float[Array, "n c"]) -> Float[Array, ""]:
    return jnp.sum(jax.nn.softplus(-Y * F))


def _logistic_gradient(F: Float[Array, "n c"], Y: Float[Array, "n c"]) -> Float[Array, "n c"]:
    return -Y * jax.nn.sigmoid(-Y * F)


def _cross_entropy_value(F: Float[Array, "n c"], Y: Float[Array, "n c"]) -> Float[Array, ""]:
    return jnp.sum(jax.nn.logsumexp(F, axis=1) - jnp.sum(Y * F, axis=1))


def _cross_entropy_gradient(F: Float[Array, "n c"], Y: Float[Array, "n c"]) -> Float[Array, "n c"]:
    return jax.nn.softmax(F, axis=1) - Y


def _check_any_real(Y: np.ndarray) -> None:
    if not np.isfinite(Y).all():
        raise InputError("half_squared_error: expected finite targets, found NaN or infinity; clean the data first")


def _check_signs(Y: np.ndarray) -> None:
    if Y.shape[1] != 1 or not np.isin(Y, (-1.0, 1.0)).all():
        raise InputError(
            f"logistic: expected one column of targets in {{-1, +1}}, found shape {Y.shape} with values "
            f"{np.unique(Y)[:4]}; recode the classes"
        )


def _check_distributions(Y: np.ndarray) -> None:
    if Y.shape[1] < 2 or not np.isfinite(Y).all() or (Y < 0).any() or not np.allclose(Y.sum(1), 1.0):
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


def net_loss(loss: Loss, net: Net, X: Float[Array, "n d"], Y: Float[Array, "n c"]) -> Float[Array, ""]:
    """Return L(theta) = ell(f(X)).

    Example:
        >>> import jax.numpy as jnp
        >>> net = Net(W=jnp.array([[1.0]]), A=jnp.array([[2.0]]))
        >>> float(net_loss(LOSSES["half_squared_error"], net, jnp.array([[3.0]]), jnp.array([[5.0]])))
        0.5
    """
    return loss.value(predict(net, X), Y)
