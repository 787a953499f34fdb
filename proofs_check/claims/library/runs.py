"""Runs of Lion-K as instances: how they are drawn, and what the optimizer makes of them."""

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
from proofs_check.claims.library.exact_runs import EXACT, gradients_of
from proofs_check.claims.library.measures import Measure, measure
from proofs_check.claims.library.tensors import tensors

__all__ = ["ALL", "BETAS", "NORMS_ONLY", "STEP_AT_MOST_ONE", "Trajectory", "measure_of", "run_instances", "trajectory"]

ALL = tuple(POTENTIALS)
NORMS_ONLY = tuple(name for name, potential in POTENTIALS.items() if potential.is_norm)

SCALES = (1.0, 1e-30, 1e12)
"""Units of the gradients."""

STEP_AT_MOST_ONE = Hypothesis("0 < eps lam <= 1", lambda i: 0 < i["lr"] * i["decay"] <= 1)
BETAS = Hypothesis("b1, b2 in [0, 1)", lambda i: 0 <= i["b1"] < 1 and 0 <= i["b2"] < 1)


class Trajectory(NamedTuple):
    """A run: parameters x (T + 1, d, m), the start included, and c_t (T, d, m), what gradK has to be taken of."""

    x: np.ndarray
    argument: np.ndarray


def at_shape(potentials: Sequence[str], d: int, m: int) -> list[str]:
    """Return the potentials worth drawing: at 1 x 1, where all norms are |x|, those that exact runs can follow."""
    exact = [name for name in potentials if name in EXACT]
    return exact if d * m == 1 and exact else list(potentials)


def run_instances(
    shape: Sequence[int],
    potentials: Sequence[str] = ALL,
    steps: st.SearchStrategy[float] | None = None,
    scales: Sequence[float] = SCALES,
    constant_gradient: bool = False,
) -> st.SearchStrategy[Instance]:
    """Return runs of shape (T, d, m): potential, rates, start, and gradients with their unit ``scale``.

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
            "potential": st.sampled_from(at_shape(potentials, d, m)),
            "form": st.sampled_from(["explicit", "implicit"]),
            "product": products,
            "decay": decays,
            "b1": betas,
            "b2": betas,
            "x0": tensors((d, m), 16.0),
            "scale": st.sampled_from(list(scales)),
            "gradients": tensors((1 if constant_gradient else T, d, m), 4.0),
        }
    ).map(build)


@functools.cache
def _program(name: str, form: str, coupled: bool) -> Callable[..., tuple[jax.Array, jax.Array]]:
    potential = potential_from_name(name)

    def run(lr: Any, decay: Any, b1: Any, b2: Any, x0: jax.Array, gradients: jax.Array) -> tuple[jax.Array, jax.Array]:
        optimizer = lion_k(lr, potential, 0.0 if coupled else decay, b1, b2, form)

        def step(carry: Any, gradient: jax.Array) -> Any:
            x, state, momentum = carry  # the momentum of the statement, not the optimizer's own
            if coupled:
                gradient = gradient + decay * x
            move, state = optimizer.update(gradient, state, x)
            argument = b1 * momentum + (1 - b1) * gradient
            return (x + move, state, b2 * momentum + (1 - b2) * gradient), (x + move, argument)

        _, (xs, arguments) = jax.lax.scan(step, (x0, optimizer.init(x0), jnp.zeros_like(x0)), gradients)
        return jnp.concatenate([x0[None], xs]), arguments

    return jax.jit(run)


@in_float64
def trajectory(
    instance: Instance, coupled: bool = False, repeat: int | None = None, dtype: str = "float64"
) -> Trajectory:
    """Return what the optimizer does on an instance.

    Args:
        instance: as drawn by :func:`run_instances`.
        coupled: add the decay to the gradient instead of decoupling it (a control of L1).
        repeat: take the first gradient this many times instead of the list.
        dtype: in which the run is computed; the result is float64 in any case.
    """
    gradients = np.asarray(gradients_of(instance), dtype)
    if repeat is not None:
        gradients = np.broadcast_to(gradients[0], (repeat, *gradients.shape[1:]))
    run = _program(instance["potential"], instance["form"], coupled)
    numbers = (np.asarray(instance[key], dtype) for key in ("lr", "decay", "b1", "b2"))
    x, argument = run(*numbers, np.asarray(instance["x0"], dtype), gradients)
    return Trajectory(np.asarray(x, np.float64), np.asarray(argument, np.float64))


def measure_of(instance: Instance) -> Measure:
    """Return the measure of the instance's potential."""
    return measure(instance["potential"])
