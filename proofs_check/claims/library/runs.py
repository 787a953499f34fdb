"""Runs of Lion-K as instances: how they are drawn, and what the optimizer makes of them in float64."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from modeconn.optim import POTENTIALS, lion_k, potential_from_name
from modeconn.precision import in_float64
from proofs_check.claims.claim import Hypothesis, Instance
from proofs_check.claims.library.tensors import tensors

__all__ = [
    "BETAS",
    "NORMS_ONLY",
    "STEP_AT_MOST_ONE",
    "Trajectory",
    "ball_norms",
    "run_instances",
    "trajectory",
]

ALL = tuple(POTENTIALS)
NORMS_ONLY = tuple(name for name, potential in POTENTIALS.items() if potential.is_norm)

STEP_AT_MOST_ONE = Hypothesis("0 < eps lam <= 1", lambda i: 0 < i["lr"] * i["decay"] <= 1)
BETAS = Hypothesis("b1, b2 in [0, 1)", lambda i: 0 <= i["b1"] < 1 and 0 <= i["b2"] < 1)


class Trajectory(NamedTuple):
    """A run in float64.

    Attributes:
        x: parameters (T + 1, d, m), the start included.
        argument: what gradK is taken of, c_t (T, d, m).
        direction: gradK(c_t) (T, d, m).
        distance: Euclidean distance of lam x_t to the unit ball of the dual norm (T + 1,).
        size: dual norm of lam x_t (T + 1,).
    """

    x: np.ndarray
    argument: np.ndarray
    direction: np.ndarray
    distance: np.ndarray
    size: np.ndarray


def run_instances(
    shape: Sequence[int],
    potentials: Sequence[str] = ALL,
    steps: st.SearchStrategy[float] | None = None,
    constant_gradient: bool = False,
) -> st.SearchStrategy[Instance]:
    """Return runs of shape (T, d, m): potential, rates, start and gradients.

    ``lr * decay`` is drawn first (``steps``, default multiples of 1/64 up to 1), then the decay: both stay dyadic.
    """
    T, d, m = shape
    products = st.integers(1, 64).map(lambda k: k / 64) if steps is None else steps
    decays = st.sampled_from([0.125, 0.25, 0.5, 1.0, 2.0, 4.0])
    betas = st.integers(0, 63).map(lambda k: k / 64)

    def build(draws: dict[str, Any]) -> Instance:
        return {**draws, "lr": draws.pop("product") / draws["decay"]}

    return st.fixed_dictionaries(
        {
            "potential": st.sampled_from(list(potentials)),
            "form": st.sampled_from(["explicit", "implicit"]),
            "product": products,
            "decay": decays,
            "b1": betas,
            "b2": betas,
            "x0": tensors((d, m), 16.0),
            "gradients": tensors((1 if constant_gradient else T, d, m), 4.0),
        }
    ).map(build)


@functools.cache
def _program(name: str, form: str, coupled: bool) -> Callable[..., Trajectory]:
    potential = potential_from_name(name)

    def run(lr: Any, decay: Any, b1: Any, b2: Any, x0: jax.Array, gradients: jax.Array) -> Trajectory:
        optimizer = lion_k(lr, potential, 0.0 if coupled else decay, b1, b2, form)  # type: ignore[arg-type]

        def step(carry: Any, gradient: jax.Array) -> Any:
            x, state = carry
            if coupled:
                gradient = gradient + decay * x
            argument = b1 * state[0].momentum + (1 - b1) * gradient
            move, state = optimizer.update(gradient, state, x)
            return (x + move, state), (x + move, argument, potential.gradient(argument))

        _, (xs, arguments, directions) = jax.lax.scan(step, (x0, optimizer.init(x0)), gradients)
        x = jnp.concatenate([x0[None], xs])
        distance = jax.vmap(lambda p: potential.ball.distance(decay * p, 1.0))(x)
        size = jax.vmap(lambda p: potential.ball.value(decay * p))(x)
        return Trajectory(x, arguments, directions, distance, size)

    return jax.jit(run)


@functools.cache
def _norms(name: str) -> Callable[[jax.Array], tuple[jax.Array, jax.Array]]:
    ball = potential_from_name(name).ball
    return jax.jit(jax.vmap(lambda x: (ball.value(x), ball.dual.value(x))))


@in_float64
def ball_norms(instance: Instance, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for points (T, d, m), the norm of the instance's ball and its dual: gauge and support function."""
    size, support = _norms(instance["potential"])(np.asarray(points, np.float64))
    return np.asarray(size), np.asarray(support)


@in_float64
def trajectory(instance: Instance, coupled: bool = False, repeat: int | None = None) -> Trajectory:
    """Return what the optimizer does on an instance.

    Args:
        instance: as drawn by :func:`run_instances`.
        coupled: add the decay to the gradient instead of decoupling it (a control of L1).
        repeat: take the first gradient this many times instead of the list.
    """
    gradients = np.asarray(instance["gradients"], np.float64)
    if repeat is not None:
        gradients = np.broadcast_to(gradients[0], (repeat, *gradients.shape[1:]))
    run = _program(instance["potential"], instance["form"], coupled)
    numbers = (np.float64(instance[key]) for key in ("lr", "decay", "b1", "b2"))
    return Trajectory(*map(np.asarray, run(*numbers, np.asarray(instance["x0"], np.float64), gradients)))
