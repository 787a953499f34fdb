"""L2: one step of implicit Lion-K lowers a Hamiltonian, up to the smoothness of the loss."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.optim import lion_k, potential_from_name
from modeconn.precision import in_float64
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.decision import Decision, decide
from proofs_check.claims.library.runs import ALL, BETAS, at_shape, measure_of
from proofs_check.claims.library.tensors import tensors
from proofs_check.exact.hamiltonian import HamiltonianConstants, hamiltonian_constants, hamiltonian_step
from proofs_check.exact.lion_k import Quadratic

__all__ = ["CLAIM"]

ALLOWANCE = 1e-11
SHAPES = ((1, 1), (2, 3), (4, 3))


def _steps(shape: Shape, potentials: tuple[str, ...] = ALL) -> SearchStrategy[Instance]:
    """Return states and steps of shape (d, m): F = sum q x^2 / 2 - linear x, convex or not, of smoothness max |q|.

    The states reach from the inside of the ball to its boundary. Half of them have the momentum grad F(x), where mt and
    m_{t+1} point to opposite sides whenever 1/2 lies between b1 and b2: there D2 counts.
    """
    d, m = shape
    betas = st.integers(0, 63).map(lambda k: k / 64)

    def build(drawn: dict[str, Any]) -> Instance:
        scale = 1 / (measure_of(drawn).reach(d, m) * drawn["decay"])
        drawn["x"] = [[scale * entry for entry in row] for row in drawn["x"]]
        if drawn.pop("at_gradient"):
            q, x, linear = (np.asarray(drawn[key], float) for key in ("curvature", "x", "linear"))
            drawn["momentum"] = (q * x - linear).tolist()
        return drawn

    return st.fixed_dictionaries(
        {
            "potential": st.sampled_from(at_shape(potentials, d, m)),
            "lr": st.integers(1, 64).map(lambda k: k / 64),
            "decay": st.sampled_from([0.25, 0.5, 1.0, 2.0]),
            "b1": betas,
            "b2": betas,
            "x": tensors((d, m)),
            "momentum": tensors((d, m), 2.0),
            "at_gradient": st.booleans(),
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


@functools.cache
def _program(name: str) -> Callable[..., tuple[jax.Array, jax.Array]]:
    potential = potential_from_name(name)

    def run(
        lr: Any, decay: Any, b1: Any, b2: Any, x: jax.Array, momentum: jax.Array, gradient: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        optimizer = lion_k(lr, potential, decay, b1, b2, "implicit")
        first, *others = optimizer.init(x)
        state = (first._replace(momentum=-momentum), *others)  # the statement's momentum is of minus the gradient
        move, (first, *_) = optimizer.update(gradient, state, x)
        return move, -first.momentum

    return jax.jit(run)


@in_float64
def _margins(instance: Instance, constants: HamiltonianConstants, with_domain: bool) -> dict[str, float]:
    """Return the relative margins of the inequality, of descent, D1 >= 0 and D2 >= 0, for the step the code takes.

    The step comes from the optimizer; H, gradK(m_{t+1}) and a subgradient of K* are computed here.
    """
    K = measure_of(instance)
    lr, lam, b1, b2 = (np.float64(instance[key]) for key in ("lr", "decay", "b1", "b2"))
    x, m, q, linear = (np.asarray(instance[key], float) for key in ("x", "momentum", "curvature", "linear"))
    a, b, c = map(float, constants)
    gradient = q * x - linear
    move, after = map(np.asarray, _program(instance["potential"])(lr, lam, b1, b2, x, m, gradient))
    x_after, gap, mixed = x + move, move / lr, b1 * m - (1 - b1) * gradient
    direction = gap + lam * x_after

    def hamiltonian(x: np.ndarray, m: np.ndarray) -> float:
        if with_domain and K.size(lam * x) > 1 + 1e-9:
            return np.inf
        loss, penalty = float((q * x * x / 2 - linear * x).sum()), float(K.conjugate(lam * x))
        return loss + penalty / lam + c * (penalty + float(K.value(m)) - lam * float((m * x).sum()))

    before, now = hamiltonian(x, m), hamiltonian(x_after, after)
    d1 = float((gap * (mixed - K.conjugate_gradient(lam * x_after))).sum())
    d2 = float(((direction - K.gradient(after)) * (mixed - after)).sum())
    square = float(np.abs(q).max() * lr**2 / 2 * (gap * gap).sum())
    reach = 1 + float(np.abs(mixed).sum() + np.abs(after).sum()) * (1 + float(np.abs(gap).max()))
    if not np.isfinite(now):
        return {"inequality": -1.0, "descent": -1.0, "D1": d1 / reach, "D2": d2 / reach}
    size = 1 + abs(before) + abs(now) + float(lr) * (a * abs(d1) + abs(b * d2)) + square
    descent = square - (now - before)
    inequality = descent - float(lr) * (a * d1 + b * d2)
    return {"inequality": inequality / size, "descent": descent / size, "D1": d1 / reach, "D2": d2 / reach}


def _decide(variant: Variant) -> Decision:
    """Return the decision of the inequality, or of a change of it; confirmed exactly for the l1 norm."""

    def parts(instance: Instance) -> set[str]:
        """Return what has to be non-negative."""
        if variant.descent:
            return {"descent"}
        if variant != THEOREM:
            return {"inequality"}
        return {"inequality", "D1", "D2"} | ({"descent", "b"} if instance["b1"] < instance["b2"] else set())

    def check(instance: Instance) -> Outcome:
        constants = variant.constants(instance)
        margins = {**_margins(instance, constants, variant.with_domain), "b": float(constants.b)}
        return Outcome(min(margins[part] for part in parts(instance)) + ALLOWANCE, detail=margins)

    def violated(instance: Instance) -> bool | None:
        if instance["potential"] != "l1":
            return None
        x, m, q, linear = ([e for row in instance[k] for e in row] for k in ("x", "momentum", "curvature", "linear"))
        objective = Quadratic.of([[value if i == j else 0 for j in range(len(q))] for i, value in enumerate(q)], linear)
        lr, lam, b1, b2 = (instance[key] for key in ("lr", "decay", "b1", "b2"))
        constants = variant.constants(instance)
        step = hamiltonian_step(
            x, m, objective, max(map(abs, q)), lr, lam, b1, b2, constants, with_domain=variant.with_domain
        )
        margins = {
            "inequality": step.margin, "descent": step.descent_margin, "D1": step.d1, "D2": step.d2, "b": constants.b
        }  # fmt: skip
        return any(margins[part] < 0 for part in parts(instance))

    return decide(check, violated)


def _of_l1(shape: Shape) -> SearchStrategy[Instance]:
    return _steps(shape, ("l1",))


def _sorted(low: str, high: str) -> Callable[[Shape], SearchStrategy[Instance]]:
    """Return the strategy of l1 steps whose betas are ordered."""

    def order(step: Instance) -> Instance:
        return {**step, low: min(step["b1"], step["b2"]), high: max(step["b1"], step["b2"])}

    return lambda shape: _of_l1(shape).map(order)


def _outside(shape: Shape) -> SearchStrategy[Instance]:
    return _sorted("b1", "b2")(shape).map(
        lambda step: {**step, "x": [[4 * entry for entry in row] for row in step["x"]]}
    )


def _size(instance: Instance) -> float:
    return float(measure_of(instance).size(np.asarray(instance["x"], float) * instance["decay"]))


RATES = Hypothesis("eps, lam > 0", lambda i: i["lr"] > 0 and i["decay"] > 0)
INSIDE = Hypothesis("lam x_0 in dom K*", lambda i: _size(i) <= 1)
OUTSIDE = Hypothesis("lam x_0 outside dom K*", lambda i: _size(i) > 1)
DISTINCT = Hypothesis("b1 != b2", lambda i: i["b1"] != i["b2"])
ORDERED = Hypothesis("b1 < b2", lambda i: i["b1"] < i["b2"])
REVERSED = Hypothesis("b1 > b2", lambda i: i["b1"] > i["b2"])

CLAIM = Claim(
    id="L2",
    statement=(
        "implicit decay, momentum of minus the gradient, b1 != b2: H_{t+1} - H_t <= -eps (a D1 + b D2) + "
        "(L_s eps^2 / 2) ||gradK(mt) - lam x_{t+1}||^2 with D1, D2 >= 0 and the constants of the theory; for b1 < b2 "
        "b >= 0, so the last term alone bounds it too: descent (separable quadratics, convex or not, "
        f"to {ALLOWANCE:g} relative)"
    ),
    source="Chen, Liu, Liang, Liu (2024), Lion secretly solves constrained optimization, discrete phase II",
    instances=_steps,
    shapes=SHAPES,
    hypotheses=(RATES, BETAS, INSIDE, DISTINCT),
    controls=(
        Control(
            "descent-b1-above-b2",
            "descent, H_{t+1} - H_t <= the smoothness term alone, for b1 > b2",
            instances=_sorted("b2", "b1"),
            hypotheses=(RATES, BETAS, INSIDE, REVERSED),
            **_decide(Variant(descent=True))._asdict(),
        ),
        Control(
            "twice-b",
            "the inequality with twice the constant b, b1 < b2",
            instances=_sorted("b1", "b2"),
            hypotheses=(RATES, BETAS, INSIDE, ORDERED),
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
            hypotheses=(RATES, BETAS, OUTSIDE, ORDERED),
            **_decide(Variant(descent=True, with_domain=False))._asdict(),
        ),
    ),
    **_decide(THEOREM)._asdict(),
)
