"""L2: one step of implicit Lion-K lowers a Hamiltonian, up to the smoothness of the loss."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.optim import POTENTIALS, Huber, Potential, SoftThreshold, potential_from_name
from modeconn.precision import in_float64
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.decision import Decision
from proofs_check.claims.library.tensors import tensors
from proofs_check.exact.hamiltonian import HamiltonianConstants, hamiltonian_constants, hamiltonian_step
from proofs_check.exact.lion_k import Quadratic

__all__ = ["CLAIM"]

ALLOWANCE = 1e-11
SHAPES = ((1, 1), (2, 3), (4, 3))


def _steps(shape: Shape, potentials: tuple[str, ...] = tuple(POTENTIALS)) -> SearchStrategy[Instance]:
    """Return states and steps of shape (d, m): F = sum q x^2 / 2 - linear x, convex or not, of smoothness max |q|."""
    d, m = shape
    betas = st.integers(0, 63).map(lambda k: k / 64)

    def build(drawn: dict[str, Any]) -> Instance:
        scale = 1 / (d * m * drawn["decay"])  # then lam x lies in every dual ball
        return {**drawn, "x": [[scale * entry for entry in row] for row in drawn["x"]]}

    return st.fixed_dictionaries(
        {
            "potential": st.sampled_from(list(potentials)),
            "lr": st.integers(1, 64).map(lambda k: k / 64),
            "decay": st.sampled_from([0.25, 0.5, 1.0, 2.0]),
            "b1": betas,
            "b2": betas,
            "x": tensors((d, m)),
            "momentum": tensors((d, m), 2.0),
            "curvature": tensors((d, m), 4.0),
            "linear": tensors((d, m), 2.0),
        }
    ).map(build)


@dataclass(frozen=True)
class Variant:
    """The inequality, or a change of it.

    Attributes:
        descent: leave out D1 and D2: what is left is descent.
        factor_b: multiplies the constant b.
        factor_c: multiplies the constant c.
        with_domain: whether K* is infinite outside the ball.
    """

    descent: bool = False
    factor_b: int = 1
    factor_c: Fraction = Fraction(1)
    with_domain: bool = True

    def constants(self, instance: Instance) -> HamiltonianConstants:
        """Return the constants claimed for this step."""
        exact = hamiltonian_constants(*(Fraction(instance[key]) for key in ("lr", "decay", "b1", "b2")))
        c = exact.c * self.factor_c
        return HamiltonianConstants(1 + c * Fraction(instance["decay"]), exact.b * self.factor_b, c)


THEOREM = Variant()


def _penalty_gradient(potential: Potential, y: jax.Array) -> jax.Array:
    """Return a subgradient of K* at a point of the ball: 0 for a norm, whose K* is the indicator."""
    if isinstance(potential, Huber):
        return potential.delta * y
    if isinstance(potential, SoftThreshold):
        return potential.delta * potential.norm.subgradient(y)
    return jnp.zeros_like(y)


@functools.cache
def _program(name: str, with_domain: bool) -> Callable[..., tuple[jax.Array, jax.Array, jax.Array]]:
    potential = potential_from_name(name)

    def conjugate(y: jax.Array) -> jax.Array:
        return potential.conjugate(y, 1e-9 if with_domain else jnp.inf)

    def run(step: dict[str, Any], constants: tuple[Any, Any, Any]) -> tuple[jax.Array, jax.Array, jax.Array]:
        a, b, c = constants
        eps, lam, x, m, q = (step[key] for key in ("lr", "decay", "x", "momentum", "curvature"))
        gradient = q * x - step["linear"]
        mixed, after = (step[key] * m - (1 - step[key]) * gradient for key in ("b1", "b2"))
        direction = potential.gradient(mixed)
        x_after = (x + eps * direction) / (1 + eps * lam)

        def hamiltonian(x: jax.Array, m: jax.Array) -> jax.Array:
            loss = jnp.sum(q * x * x / 2 - step["linear"] * x)
            penalty = conjugate(lam * x)
            return loss + penalty / lam + c * (penalty + potential.value(m) - lam * jnp.vdot(m, x))

        gap = direction - lam * x_after
        d1 = jnp.vdot(gap, mixed - _penalty_gradient(potential, lam * x_after))
        d2 = jnp.vdot(direction - potential.gradient(after), mixed - after)
        square = jnp.max(jnp.abs(q)) * eps**2 / 2 * jnp.vdot(gap, gap)
        before, now = hamiltonian(x, m), hamiltonian(x_after, after)
        size = 1 + jnp.abs(before) + jnp.abs(now) + eps * (a * jnp.abs(d1) + jnp.abs(b * d2)) + square
        return (square - eps * (a * d1 + b * d2) - (now - before)) / size, (square - (now - before)) / size, d1

    return jax.jit(run)


def _decide(variant: Variant) -> Decision:
    """Return the decision of the inequality, or of a change of it; confirmed exactly for the l1 norm."""

    @in_float64
    def check(instance: Instance) -> Outcome:
        run = _program(instance["potential"], variant.with_domain)
        step = {key: np.asarray(value, np.float64) for key, value in instance.items() if key != "potential"}
        inequality, descent, d1 = run(step, tuple(map(float, variant.constants(instance))))
        margin = float(descent if variant.descent else inequality)
        if variant == THEOREM and instance["b1"] < instance["b2"]:
            margin = min(margin, float(descent))
        return Outcome(margin + ALLOWANCE, detail={"D1": float(d1)})

    def confirm(instance: Instance) -> bool | None:
        if instance["potential"] != "l1":
            return None
        x, m, q, linear = ([e for row in instance[k] for e in row] for k in ("x", "momentum", "curvature", "linear"))
        objective = Quadratic.of([[value if i == j else 0 for j in range(len(q))] for i, value in enumerate(q)], linear)
        numbers = (instance[key] for key in ("lr", "decay", "b1", "b2"))
        step = hamiltonian_step(
            x, m, objective, max(map(abs, q)), *numbers, variant.constants(instance), with_domain=variant.with_domain
        )
        claims_descent = variant.descent or (variant == THEOREM and instance["b1"] < instance["b2"])
        return (claims_descent and step.descent_margin < 0) or (not variant.descent and step.margin < 0)

    return Decision(check, confirm)


def _of_l1(shape: Shape) -> SearchStrategy[Instance]:
    return _steps(shape, ("l1",))


def _outside(shape: Shape) -> SearchStrategy[Instance]:
    size = 4 * shape[0] * shape[1]
    return _of_l1(shape).map(lambda step: {**step, "x": [[size * entry for entry in row] for row in step["x"]]})


def _size(instance: Instance) -> float:
    return _norm(instance["potential"])(np.asarray(instance["x"], np.float64) * instance["decay"])


@functools.cache
def _norm(name: str) -> Callable[[np.ndarray], float]:
    value = jax.jit(potential_from_name(name).ball.value)
    return in_float64(lambda x: float(value(x)))


INSIDE = Hypothesis("lam x_0 in dom K*", lambda i: _size(i) <= 1)
OUTSIDE = Hypothesis("lam x_0 outside dom K*", lambda i: _size(i) > 1)
DISTINCT = Hypothesis("b1 != b2", lambda i: i["b1"] != i["b2"])
ORDERED = Hypothesis("b1 < b2", lambda i: i["b1"] < i["b2"])
REVERSED = Hypothesis("b1 > b2", lambda i: i["b1"] > i["b2"])

CLAIM = Claim(
    id="L2",
    statement=(
        "implicit decay, momentum of minus the gradient, b1 != b2: H_{t+1} - H_t <= -eps (a D1 + b D2) + "
        "(L_s eps^2 / 2) ||gradK(mt) - lam x_{t+1}||^2, with the constants of the theory; for b1 < b2 the last term "
        f"alone bounds it too: descent (to {ALLOWANCE:g} relative)"
    ),
    source="Chen, Liu, Liang, Liu (2024), Lion secretly solves constrained optimization, discrete phase II",
    instances=_steps,
    shapes=SHAPES,
    hypotheses=(INSIDE, DISTINCT),
    controls=(
        Control(
            "descent-b1-above-b2",
            "descent, H_{t+1} - H_t <= the smoothness term alone, for b1 > b2",
            instances=_of_l1,
            hypotheses=(INSIDE, REVERSED),
            **_decide(Variant(descent=True))._asdict(),
        ),
        Control(
            "twice-b",
            "the inequality with twice the constant b, b1 < b2",
            instances=_of_l1,
            hypotheses=(INSIDE, ORDERED),
            **_decide(Variant(factor_b=2))._asdict(),
        ),
        Control(
            "half-c",
            "the inequality with half the constant c (and a = 1 + c lam accordingly)",
            instances=_of_l1,
            **_decide(Variant(factor_c=Fraction(1, 2)))._asdict(),
        ),
        Control(
            "outside-the-ball",
            "descent for b1 < b2 from lam x_0 outside dom K*, the indicator left out of K*",
            instances=_outside,
            hypotheses=(OUTSIDE, ORDERED),
            **_decide(Variant(descent=True, with_domain=False))._asdict(),
        ),
    ),
    **_decide(THEOREM)._asdict(),
)
