"""Lion-K: momentum, the gradient of a convex potential, decoupled weight decay; as optax transformations."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PyTree

from modeconn.errors import InputError, unknown_name
from modeconn.optim.potentials import TreePotential, tree_gradient

__all__ = [
    "DECAYS",
    "DecayState",
    "MomentumState",
    "Scalar",
    "check_hyperparameters",
    "lion_k",
    "nesterov_betas",
    "polyak_betas",
    "scale_by_decoupled_decay",
    "scale_by_direction",
    "scale_by_lion_k",
]

Scalar = float | Float[Array | np.ndarray, ""]

DECAYS = ("explicit", "implicit")
"""Forms of decoupled decay: of the old position, or of the new one."""


class MomentumState(NamedTuple):
    """Momentum m_t, a running mean of the gradients (not of their negatives); 0 at the start."""

    momentum: PyTree


class DecayState(NamedTuple):
    """Number of steps taken, for schedules of the learning rate."""

    step: Int[Array, ""]


def check_hyperparameters(
    learning_rate: Scalar | optax.Schedule = 0.0, weight_decay: Scalar = 0.0, b1: Scalar = 0.0, b2: Scalar = 0.0
) -> None:
    """Raise :class:`InputError` unless learning rate and decay are finite and >= 0, and b1, b2 in [0, 1).

    Traced values and schedules are not known yet and pass.
    """
    for name, value, bound in (
        ("learning rate", learning_rate, np.inf),
        ("weight decay", weight_decay, np.inf),
        ("b1", b1, 1.0),
        ("b2", b2, 1.0),
    ):
        if callable(value) or isinstance(value, jax.core.Tracer):
            continue
        if not np.all((np.asarray(value) >= 0) & (np.asarray(value) < bound)):
            interval = "a finite number >= 0" if bound == np.inf else "a number in [0, 1)"
            raise InputError(f"{name}: expected {interval}, found {value}")


def polyak_betas(momentum: float = 0.95) -> tuple[float, float]:
    """Return (b1, b2) = (beta, beta): the step uses the momentum just updated, m_{t+1}."""
    return momentum, momentum


def nesterov_betas(momentum: float = 0.95) -> tuple[float, float]:
    """Return (b1, b2) = (beta^2, beta): the step uses beta m_{t+1} + (1 - beta) g_t = beta^2 m_t + (1 - beta^2) g_t.

    Example:
        >>> nesterov_betas(0.5)
        (0.25, 0.5)
    """
    return momentum**2, momentum


def _mix(b: Scalar, x: Array, y: Array) -> Array:
    """Return b x + (1 - b) y in the dtype of x."""
    return jnp.asarray(b, x.dtype) * x + jnp.asarray(1 - b, x.dtype) * y


def scale_by_direction(direction: Callable[[PyTree], PyTree], b1: Scalar, b2: Scalar) -> optax.GradientTransformation:
    """Return g_t -> direction(b1 m_t + (1 - b1) g_t), with m_{t+1} = b2 m_t + (1 - b2) g_t and m_0 = 0."""
    check_hyperparameters(b1=b1, b2=b2)

    def init(params: PyTree) -> MomentumState:
        return MomentumState(jax.tree.map(jnp.zeros_like, params))

    def update(gradient: PyTree, state: MomentumState, params: PyTree | None = None) -> tuple[PyTree, MomentumState]:
        del params
        c = jax.tree.map(lambda m, g: _mix(b1, m, g), state.momentum, gradient)
        m = jax.tree.map(lambda m, g: _mix(b2, m, g), state.momentum, gradient)
        return direction(c), MomentumState(m)

    return optax.GradientTransformation(init, update)


def scale_by_lion_k(potential: TreePotential, b1: Scalar = 0.9, b2: Scalar = 0.99) -> optax.GradientTransformation:
    """Return g_t -> gradK(c_t), c_t = b1 m_t + (1 - b1) g_t, m_{t+1} = b2 m_t + (1 - b2) g_t, m_0 = 0.

    Ascent direction, as of every ``scale_by_*``: no learning rate, no sign change.

    Args:
        potential: K, or a mixture with one for each leaf name.
        b1: in [0, 1), may be traced.
        b2: in [0, 1), may be traced.

    Raises:
        InputError: for b1 or b2 outside [0, 1).

    Reference: Chen, Liu, Liang, Liu (2024), arXiv 2310.05898.
    """
    return scale_by_direction(lambda c: tree_gradient(potential, c), b1, b2)


def scale_by_decoupled_decay(
    learning_rate: Scalar | optax.Schedule,
    weight_decay: Scalar = 0.0,
    decay: str = "explicit",
) -> optax.GradientTransformation:
    """Return the transformation u_t -> x_{t+1} - x_t of a step eps with decoupled decay lam.

    explicit: x_{t+1} = (1 - eps lam) x_t - eps u_t. implicit: x_{t+1} = x_t - eps (u_t + lam x_{t+1}),
    that is (x_t - eps u_t) / (1 + eps lam).
    """
    check_hyperparameters(learning_rate, weight_decay)
    if decay not in DECAYS:
        raise unknown_name("form of decay", decay, DECAYS)

    def init(params: PyTree) -> DecayState:
        del params
        return DecayState(jnp.zeros((), jnp.int32))

    def update(direction: PyTree, state: DecayState, params: PyTree | None = None) -> tuple[PyTree, DecayState]:
        if params is None:
            raise InputError("decoupled weight decay needs the parameters: call update(gradient, state, params)")
        eps = learning_rate(state.step) if callable(learning_rate) else learning_rate

        def step(u: Array, x: Array) -> Array:
            rate, lam = jnp.asarray(eps, x.dtype), jnp.asarray(weight_decay, x.dtype)
            move = -rate * (u + lam * x)
            return move if decay == "explicit" else move / (1 + rate * lam)

        return jax.tree.map(step, direction, params), DecayState(state.step + 1)

    return optax.GradientTransformation(init, update)


def lion_k(
    learning_rate: Scalar | optax.Schedule,
    potential: TreePotential,
    weight_decay: Scalar = 0.0,
    b1: Scalar = 0.9,
    b2: Scalar = 0.99,
    decay: str = "explicit",
) -> optax.GradientTransformation:
    """Return the Lion-K optimizer of ``potential`` K.

    ``c_t = b1 m_t + (1 - b1) g_t,  m_{t+1} = b2 m_t + (1 - b2) g_t,  x_{t+1} = (1 - eps lam) x_t - eps gradK(c_t)``,
    m_0 = 0 (momentum tracks the gradient). With lam > 0 it solves min L(x) subject to lam x in dom K* (claims L1-L5).

    Args:
        learning_rate: eps >= 0, or an optax schedule of the step count.
        potential: K, or a mixture with one for each leaf name.
        weight_decay: lam >= 0, decoupled.
        b1: interpolation of the step, in [0, 1).
        b2: memory of the momentum, in [0, 1).
        decay: ``"explicit"``, or ``"implicit"`` for x_{t+1} = x_t - eps (gradK(c_t) + lam x_{t+1}).

    All numbers may be traced scalars: one compiled program then serves every member of a fleet.

    Raises:
        InputError: for a negative learning rate or decay, a beta outside [0, 1), an unknown form of decay.

    Example:
        >>> import jax.numpy as jnp
        >>> from modeconn.optim.potentials import POTENTIALS
        >>> optimizer = lion_k(0.1, POTENTIALS["l1"], weight_decay=0.5)
        >>> x = jnp.array([1.0, -1.0])
        >>> update, state = optimizer.update(jnp.array([3.0, 0.0]), optimizer.init(x), x)
        >>> [round(v, 3) for v in (x + update).tolist()]
        [0.85, -0.95]

    Reference: Chen, Liu, Liang, Liu (2024), arXiv 2310.05898; claims L1-L5.
    """
    return optax.chain(scale_by_lion_k(potential, b1, b2), scale_by_decoupled_decay(learning_rate, weight_decay, decay))
