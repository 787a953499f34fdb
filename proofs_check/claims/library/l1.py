"""L1: decoupled decay pulls the parameters into the ball at a fixed rate, whatever the gradients."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.decision import Decision, decide
from proofs_check.claims.library.exact_runs import EXACT, any_above, ball_of, exact_run
from proofs_check.claims.library.runs import BETAS, STEP_AT_MOST_ONE, measure_of, run_instances, trajectory
from proofs_check.exact.interval import enclosure
from proofs_check.exact.lion_k import squared_distance_to_ball

__all__ = ["CLAIM"]

ALLOWANCE = 1e-12
SHAPES = ((4, 1, 1), (4, 2, 3), (4, 4, 3))


def _rate(instance: Instance, form: str) -> Fraction:
    step = Fraction(instance["lr"]) * Fraction(instance["decay"])
    return abs(1 - step) if form == "explicit" else 1 / (1 + step)


def _contracts(rate_of: str | None = None, factor: int = 1, coupled: bool = False) -> Decision:
    """Return the decision of: dist(t) <= rate^(t-s) dist(s) for all s < t.

    Args:
        rate_of: form whose rate is claimed; ``None`` for the instance's own.
        factor: 1 claims the rate of the theorem, 2 that of a decay twice as strong.
        coupled: run with the decay inside the gradient.
    """

    def rate(instance: Instance) -> Fraction:
        claimed = _rate(instance, rate_of or instance["form"])
        return max(1 - factor * (1 - claimed), Fraction(0))

    def check(instance: Instance) -> Outcome:
        x = trajectory(instance, coupled=coupled).x
        distance = measure_of(instance).distance(instance["decay"] * x)
        first, last = np.triu_indices(len(distance), 1)
        slack = float(rate(instance)) ** (last - first) * distance[first] - distance[last]
        worst = int(np.argmin(slack))
        s, t = int(first[worst]), int(last[worst])
        return Outcome(
            float(slack[worst] / (1 + distance.max())) + ALLOWANCE,
            detail={"s": s, "t": t, "before": float(distance[s]), "after": float(distance[t])},
        )

    def violated(instance: Instance) -> bool | None:
        states = exact_run(instance, form="coupled" if coupled else None)
        if states is None:
            return None
        decay, ball, bound = Fraction(instance["decay"]), ball_of(instance), rate(instance) ** 2
        squares = [
            enclosure(squared_distance_to_ball(tuple(tuple(decay * e for e in row) for row in s.x), Fraction(1), ball))
            for s in states
        ]
        pairs = combinations(range(len(squares)), 2)
        return any_above(squares[t] - squares[s] * bound ** (t - s) for s, t in pairs)

    return decide(check, violated)


_theorem = _contracts()
_coupled = _contracts(coupled=True)
_faster = _contracts(factor=2)
_explicit_rate = _contracts(rate_of="explicit")


def _exact_runs(shape: Shape) -> SearchStrategy[Instance]:
    return run_instances(shape, EXACT)


def _long_steps(shape: Shape) -> SearchStrategy[Instance]:
    return run_instances(shape, EXACT, steps=st.integers(65, 128).map(lambda k: k / 64)).map(
        lambda run: {**run, "form": "explicit"}
    )


def _implicit(shape: Shape) -> SearchStrategy[Instance]:
    return _exact_runs(shape).map(lambda run: {**run, "form": "implicit"})


CLAIM = Claim(
    id="L1",
    statement=(
        "dist(lam x_t, dom K*) <= (1 - eps lam)^(t-s) dist(lam x_s, dom K*) for explicit decay, "
        "(1 + eps lam)^-(t-s) for implicit decay, for any gradients and all s < t "
        f"(4 steps, to {ALLOWANCE:g} relative; the distance is Euclidean where dom K* is an l_2 or l_inf type of ball, "
        "else in the norm of that ball)"
    ),
    source="Chen, Liu, Liang, Liu (2024), Lion secretly solves constrained optimization, phase I",
    instances=run_instances,
    shapes=SHAPES,
    hypotheses=(STEP_AT_MOST_ONE, BETAS),
    controls=(
        Control(
            "coupled-decay",
            "the same rate when the decay is added to the gradient instead of decoupled",
            **_coupled._asdict(),
            instances=_exact_runs,
        ),
        Control(
            "twice-the-rate",
            "the distance shrinks at the rate of a decay twice as strong",
            **_faster._asdict(),
            instances=_exact_runs,
        ),
        Control(
            "implicit-at-the-explicit-rate",
            "implicit decay shrinks the distance by (1 - eps lam) as well",
            **_explicit_rate._asdict(),
            instances=_implicit,
        ),
        Control(
            "step-above-one",
            "the rate |1 - eps lam| holds for 1 < eps lam <= 2 as well",
            instances=_long_steps,
            hypotheses=(Hypothesis("1 < eps lam <= 2", lambda i: 1 < i["lr"] * i["decay"] <= 2), BETAS),
        ),
    ),
    **_theorem._asdict(),
)
