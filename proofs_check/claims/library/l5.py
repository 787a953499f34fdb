"""L5: with decoupled decay, Lion-K steps are Frank-Wolfe steps on the ball."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.decision import Decision, decide
from proofs_check.claims.library.exact_runs import EXACT, any_above, ball_of, exact_run, gradients_of
from proofs_check.claims.library.runs import BETAS, NORMS_ONLY, STEP_AT_MOST_ONE, measure_of, run_instances, trajectory
from proofs_check.exact.interval import Scalar, enclosure
from proofs_check.exact.lion_k import distance_to_ball, exact_matrix
from proofs_check.exact.potentials import Matrix, exact_potential, total

__all__ = ["CLAIM"]

ALLOWANCE = 1e-12
SHAPES = ((4, 1, 1), (4, 2, 3), (4, 4, 3))


def _weight(instance: Instance) -> Fraction:
    """Return the weight g of the step: eps lam, or eps lam / (1 + eps lam) for implicit decay."""
    product = Fraction(instance["lr"]) * Fraction(instance["decay"])
    return product if instance["form"] == "explicit" else product / (1 + product)


def _is_frank_wolfe(of_gradient: bool = False, coupled: bool = False) -> Decision:
    """Return the decision of: every step is x' = (1 - g) x + g v with v the linear minimiser at c_t.

    The point is read off the step, v = (x' - (1 - g) x) / g, and put to the test as a minimiser: it lies in the ball
    and <c_t, v> reaches the least value over the ball, minus its support function at c_t.

    Args:
        of_gradient: claim it of the plain gradient g_t instead of c_t.
        coupled: run with the decay inside the gradient.
    """

    def check(instance: Instance) -> Outcome:
        decay, step, ball = instance["decay"], float(_weight(instance)), measure_of(instance)
        x, arguments = trajectory(instance, coupled=coupled)
        if of_gradient:
            arguments = np.asarray(gradients_of(instance))
        vertices = decay * (x[1:] - (1 - step) * x[:-1]) / step
        outside = float(ball.size(vertices).max()) - 1
        support = ball.support(arguments)
        unit = float(support.max()) or 1.0
        gap = float(((arguments * vertices).sum((1, 2)) + support).max()) / unit
        rounding = ALLOWANCE * (1 + decay * float(np.abs(x).max())) / step
        return Outcome(rounding - max(outside, gap), detail={"outside": outside, "gap": gap, "g": step})

    def violated(instance: Instance) -> bool | None:
        states = exact_run(instance, form="coupled" if coupled else None)
        if states is None:
            return None
        support = exact_potential("l1" if ball_of(instance) == "linf" else "frobenius").value
        decay, b1, step = Fraction(instance["decay"]), Fraction(instance["b1"]), _weight(instance)
        excess: list[Scalar] = []
        for state, after, gradient in zip(states, states[1:], gradients_of(instance), strict=False):
            g = exact_matrix(gradient)
            if coupled:
                g = _sum(g, Fraction(1), state.x, decay)
            c = g if of_gradient else _sum(state.momentum, b1, g, 1 - b1)
            vertex = _sum(after.x, decay / step, state.x, decay * (step - 1) / step)
            excess.append(distance_to_ball(vertex, Fraction(1), ball_of(instance)))
            excess.append(enclosure(_inner(c, vertex)) + support(c))
        return any_above(excess)

    return decide(check, violated)


def _stays_inside() -> Decision:
    """Return the decision of: x stays in the ball."""

    def check(instance: Instance) -> Outcome:
        x = trajectory(instance).x
        return Outcome(1 + ALLOWANCE - float(measure_of(instance).size(instance["decay"] * x).max()))

    def violated(instance: Instance) -> bool | None:
        states = exact_run(instance)
        if states is None:
            return None
        decay = Fraction(instance["decay"])
        scaled = (_sum(state.x, decay, state.x, Fraction(0)) for state in states)
        return any_above(distance_to_ball(x, Fraction(1), ball_of(instance)) for x in scaled)

    return decide(check, violated)


def _sum(x: Matrix, p: Fraction, y: Matrix, q: Fraction) -> Matrix:
    return tuple(tuple(a * p + b * q for a, b in zip(*rows, strict=True)) for rows in zip(x, y, strict=True))


def _inner(x: Matrix, y: Matrix) -> Scalar:
    return total(
        tuple(tuple(a * b for a, b in zip(*rows, strict=True)) for rows in zip(x, y, strict=True)), lambda e: e
    )


def _from_inside(shape: Shape, potentials: tuple[str, ...] = NORMS_ONLY) -> SearchStrategy[Instance]:
    """Return runs that start in the ball, up to its boundary."""

    def shrink(run: Instance) -> Instance:
        scale = 1 / (16 * measure_of(run).reach(*shape[1:]) * run["decay"])
        return {**run, "x0": [[scale * entry for entry in row] for row in run["x0"]]}

    return run_instances(shape, potentials).map(shrink)


_EXACT_NORMS = tuple(name for name in EXACT if name in NORMS_ONLY)


def _exact(shape: Shape) -> SearchStrategy[Instance]:
    return _from_inside(shape, _EXACT_NORMS)


def _smoothed(shape: Shape) -> SearchStrategy[Instance]:
    return _from_inside(shape, ("huber_l1",))


def _long_steps(shape: Shape) -> SearchStrategy[Instance]:
    return st.tuples(_exact(shape), st.integers(65, 120)).map(
        lambda drawn: {**drawn[0], "form": "explicit", "lr": drawn[1] / 64 / drawn[0]["decay"]}
    )


def _starts_inside(instance: Instance) -> bool:
    return bool(measure_of(instance).size(np.asarray(instance["x0"]) * instance["decay"]) <= 1)


INSIDE = Hypothesis("lam x_0 in the dual ball", _starts_inside)
_theorem = _is_frank_wolfe()
_plain = _is_frank_wolfe(of_gradient=True)
_coupled = _is_frank_wolfe(coupled=True)
_inside = _stays_inside()

CLAIM = Claim(
    id="L5",
    statement=(
        "x_{t+1} = (1 - g) x_t + g LMO(c_t) for all b1, b2, with g = eps lam for explicit decay and eps lam / (1 + eps "
        "lam) for implicit decay: the point read off the step lies in the ball and minimises <c_t, .> there (4 steps, "
        f"to {ALLOWANCE:g} relative to the step and the largest gradient)"
    ),
    source="Frank-Wolfe view of Lion and Muon: Chen, Li, Liu (2025), Muon under spectral norm constraints; theory L5",
    rests_on=("L3",),
    instances=_from_inside,
    shapes=SHAPES,
    hypotheses=(STEP_AT_MOST_ONE, BETAS, INSIDE),
    controls=(
        Control(
            "plain-gradient", "the argument is the plain gradient for b1 > 0 too", instances=_exact, **_plain._asdict()
        ),
        Control(
            "coupled-decay", "the same with the decay added to the gradient", instances=_exact, **_coupled._asdict()
        ),
        Control("smoothed-potential", "the same for a Huber potential, which is not a norm", instances=_smoothed),
        Control(
            "step-above-one",
            "iterates stay in the ball for 1 < eps lam < 2",
            instances=_long_steps,
            hypotheses=(Hypothesis("1 < eps lam < 2", lambda i: 1 < i["lr"] * i["decay"] < 2), BETAS, INSIDE),
            **_inside._asdict(),
        ),
    ),
    **_theorem._asdict(),
)
