"""L4: a constant gradient drives the parameters to the boundary of the ball, and to nothing else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import jax
import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.optim import optimizer_from_name
from modeconn.optim.newton_schulz import KELLER_JORDAN
from modeconn.precision import in_float64
from modeconn.regions import NORMS
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.decision import Decision, decide
from proofs_check.claims.library.exact_runs import any_above, ball_of, gradients_of, potential_of
from proofs_check.claims.library.runs import BETAS, NORMS_ONLY, measure_of, run_instances, trajectory
from proofs_check.exact.interval import Scalar, absolute, enclosure, maximum
from proofs_check.exact.lion_k import lion_k_trajectory
from proofs_check.exact.newton_schulz import newton_schulz_scalar
from proofs_check.exact.potentials import ExactPotential, Matrix, exact_potential, norm

__all__ = ["CLAIM"]

ALLOWANCE = 1e-9
STEPS = 400
SHAPES = ((1, 1, 1), (1, 2, 3), (1, 4, 3))
ALLOWANCES = {"float64": ALLOWANCE, "float32": 3e-6}
SCALES = (1.0, 1e-30, 1e-8, 1e12)


def _constant_gradients(
    shape: Shape, potentials: tuple[str, ...] = NORMS_ONLY, scales: tuple[float, ...] = SCALES
) -> SearchStrategy[Instance]:
    """Return runs with one gradient for all steps, in several units; eps lam between 5/64 and 120/64."""
    steps = st.integers(5, 120).map(lambda k: k / 64)
    runs = run_instances(shape, potentials, steps=steps, scales=scales, constant_gradient=True)
    return runs.map(lambda run: {**run, "dtype": "float64"})


def _in_both_precisions(shape: Shape, potentials: tuple[str, ...] = NORMS_ONLY) -> SearchStrategy[Instance]:
    dtypes = st.sampled_from(["float64", "float32"])
    return st.tuples(_constant_gradients(shape, potentials), dtypes).map(lambda drawn: {**drawn[0], "dtype": drawn[1]})


def _outcome(size: float, allowance: float = ALLOWANCE) -> Outcome:
    return Outcome(allowance - abs(size - 1), detail={"lam_norm": size})


def _check(instance: Instance) -> Outcome:
    x = trajectory(instance, repeat=STEPS, dtype=instance["dtype"]).x[-1]
    return _outcome(float(measure_of(instance).size(instance["decay"] * x)), ALLOWANCES[instance["dtype"]])


def _largest(x: Matrix, ball: str) -> Scalar:
    if ball == "l2":
        return norm(x)
    return functools.reduce(maximum, (absolute(entry) for row in x for entry in row))


def _misses(instance: Instance, direction: ExactPotential, betas: tuple[Any, Any]) -> bool | None:
    """Decide whether lam ||x_T|| is further than the allowance from 1, every number enclosed."""
    states = lion_k_trajectory(
        instance["x0"],
        gradients_of(instance) * STEPS,
        direction,
        instance["lr"],
        instance["decay"],
        *betas,
        decay=instance["form"],
        bits=160,
    )
    size = _largest(states[-1].x, ball_of(instance)) * Fraction(instance["decay"])
    return any_above([absolute(enclosure(size) - 1)], Fraction(ALLOWANCES[instance["dtype"]]))


def _violated(instance: Instance) -> bool | None:
    potential = potential_of(instance)
    return None if potential is None else _misses(instance, potential, (instance["b1"], instance["b2"]))


@functools.cache
def _practical(name: str) -> Callable[..., jax.Array]:
    def run(lr: Any, decay: Any, x0: jax.Array, gradient: jax.Array) -> jax.Array:
        optimizer = optimizer_from_name(name).build(lr, decay)
        params = {"W": x0}

        def step(carry: Any, _: None) -> Any:
            params, state = carry
            move, state = optimizer.update({"W": gradient}, state, params)
            return ({"W": params["W"] + move["W"]}, state), None

        (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), None, length=STEPS)
        return NORMS["spectral"].value(decay * params["W"])

    return jax.jit(run)


def _practical_muon(name: str, betas: tuple[float, float], epsilon: float) -> Decision:
    """Return the decision of L4 for Muon with five Newton-Schulz steps, by its name in the registry of optimizers."""

    def direction(x: Matrix) -> Matrix:
        if (len(x), len(x[0])) != (1, 1):
            raise ValueError(f"exact Newton-Schulz: expected a 1 x 1 matrix, found {len(x)} x {len(x[0])}")
        return ((newton_schulz_scalar(x[0][0], KELLER_JORDAN, 5, epsilon),),)

    @in_float64
    def check(instance: Instance) -> Outcome:
        x0, gradient = np.asarray(instance["x0"], np.float64), np.asarray(gradients_of(instance)[0], np.float64)
        return _outcome(float(_practical(name)(instance["lr"], instance["decay"], x0, gradient)))

    def violated(instance: Instance) -> bool | None:
        if len(instance["x0"]) * len(instance["x0"][0]) > 1:
            return None
        return _misses(instance, replace(exact_potential("nuclear"), gradient=direction), betas)

    return decide(check, violated)


def _explicit_muon(shape: Shape) -> SearchStrategy[Instance]:
    return _constant_gradients(shape, ("nuclear",), (1.0,)).map(lambda run: {**run, "form": "explicit"})


def _smoothed(name: str) -> Callable[[Shape], SearchStrategy[Instance]]:
    return lambda shape: _constant_gradients(shape, (name,), (1.0, 1 / 64))


def _nonzero(instance: Instance) -> bool:
    return any(entry != 0 for row in gradients_of(instance)[0] for entry in row)


GRADIENT = Hypothesis("G != 0", _nonzero)
RATE = Hypothesis("0 < eps lam < 2", lambda i: 0 < i["lr"] * i["decay"] < 2)

CLAIM = Claim(
    id="L4",
    statement=(
        "K a norm: a constant gradient G != 0 drives lam ||x||_dual to exactly 1, in any unit of G down to 1e-30 "
        f"(after {STEPS} steps with eps lam in [5/64, 120/64], to {ALLOWANCE:g} in float64 and "
        f"{ALLOWANCES['float32']:g} in float32)"
    ),
    source="theory L4, proved there",
    instances=_in_both_precisions,
    shapes=SHAPES,
    **decide(_check, _violated)._asdict(),
    hypotheses=(GRADIENT, RATE, BETAS),
    controls=(
        Control(
            "newton-schulz",
            "the same for Muon with five Newton-Schulz steps in place of the polar factor",
            instances=_explicit_muon,
            **_practical_muon("muon_newton_schulz", (0.95**2, 0.95), 1e-7)._asdict(),
        ),
        Control(
            "stock-muon",
            "the same for the Muon that optax ships",
            instances=_explicit_muon,
            **_practical_muon("muon_optax", (0.0, 0.0), 1e-8)._asdict(),
        ),
        Control("huber", "the same for the Huber-smoothed l1 potential", instances=_smoothed("huber_l1")),
        Control("soft-threshold", "the same for the soft-thresholded l1 potential", instances=_smoothed("soft_l1")),
    ),
)
