"""L3: where decoupled decay comes to rest is a KKT point of the problem over the ball."""

from __future__ import annotations

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

import jax
import numpy as np
import optax
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.optim import POTENTIALS, adamw, lion_k
from modeconn.precision import in_float64
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.decision import Decision, decide
from proofs_check.claims.library.exact_runs import any_above
from proofs_check.claims.library.measures import measure
from proofs_check.claims.library.runs import ALL, at_shape
from proofs_check.claims.library.tensors import tensors
from proofs_check.exact.interval import Scalar, absolute
from proofs_check.exact.lion_k import Quadratic, lion_k_trajectory
from proofs_check.exact.potentials import exact_potential

__all__ = ["CLAIM"]

TOLERANCE = 0.02
STEPS = 2000
HALVING = 50
SHAPES = ((1, 1), (2, 3))
OPTIMIZERS = ("adamw", *ALL)

Schedule = Literal["decaying", "constant"]


def _problems(shape: Shape, optimizers: tuple[str, ...] = OPTIMIZERS) -> SearchStrategy[Instance]:
    """Return runs on strongly convex F = sum q x^2 / 2 - linear x of shape (d, m), q in [1/4, 4], b1 <= b2."""
    known = at_shape(optimizers, *shape) + ["adamw"] * ("adamw" in optimizers and shape == (1, 1))
    betas = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)

    def build(drawn: dict[str, Any]) -> Instance:
        b1, b2 = (k / 64 for k in drawn.pop("betas"))
        curvature = [[0.25 + 3.75 * abs(entry) for entry in row] for row in drawn.pop("curvature")]
        return {**drawn, "lr": drawn.pop("product") / drawn["decay"], "b1": b1, "b2": b2, "curvature": curvature}

    return st.fixed_dictionaries(
        {
            "optimizer": st.sampled_from(known),
            "product": st.integers(4, 16).map(lambda k: k / 64),
            "decay": st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]),
            "betas": betas,
            "x0": tensors(shape, 2.0),
            "curvature": tensors(shape),
            "linear": tensors(shape, 4.0),
        }
    ).map(build)


def _rate(schedule: Schedule, lr: Any) -> Callable[[Any], Any]:
    return (lambda t: lr) if schedule == "constant" else (lambda t: lr / (1 + t / HALVING))


@functools.cache
def _program(name: str, schedule: Schedule, coupled: bool) -> Callable[..., jax.Array]:
    def run(lr: Any, decay: Any, b1: Any, b2: Any, x0: Any, q: Any, linear: Any) -> jax.Array:
        decoupled, rate = (0.0 if coupled else decay), _rate(schedule, lr)
        optimizer: optax.GradientTransformation = (
            adamw(rate, decoupled, b1, b2) if name == "adamw" else lion_k(rate, POTENTIALS[name], decoupled, b1, b2)
        )

        def step(carry: Any, _: None) -> Any:
            x, state = carry
            gradient = q * x - linear + (decay * x if coupled else 0.0)
            move, state = optimizer.update(gradient, state, x)
            return (x + move, state), None

        (x, _), _ = jax.lax.scan(step, (x0, optimizer.init(x0)), None, length=STEPS)
        return x

    return jax.jit(run)


def _comes_to_rest(schedule: Schedule = "decaying", coupled: bool = False) -> Decision:
    """Return the decision of: after the run the score is small and x is in the ball, up to the tolerance.

    The score K(grad F) + K*(lam x) + lam <grad F, x> is >= 0 in the ball and 0 at a KKT point. Its unit is what the
    gradient can be in the ball: ||linear|| + ||q|| / lam, in the norm behind K.
    """

    @in_float64
    def check(instance: Instance) -> Outcome:
        run = _program(instance["optimizer"], schedule, coupled)
        keys = ("lr", "decay", "b1", "b2", "x0", "curvature", "linear")
        numbers = [np.asarray(instance[key], np.float64) for key in keys]
        (_, decay, *_, q, linear), x = numbers, np.asarray(run(*numbers))
        K, gradient = measure("l1" if instance["optimizer"] == "adamw" else instance["optimizer"]), q * x - linear
        score = float(K.value(gradient) + K.conjugate(decay * x) + decay * (gradient * x).sum())
        score /= float(K.support(linear) + K.support(q) / decay)
        outside = float(K.size(decay * x)) - 1
        return Outcome(TOLERANCE - max(abs(score), outside), detail={"score": score, "outside": outside})

    def violated(instance: Instance) -> bool | None:
        if instance["optimizer"] != "l1":
            return None
        x0, q, linear = ([e for row in instance[key] for e in row] for key in ("x0", "curvature", "linear"))
        decay, rate = Fraction(instance["decay"]), _rate(schedule, Fraction(instance["lr"]))
        penalty = decay if coupled else Fraction(0)
        objective = Quadratic.of(
            [[Fraction(v) + penalty if i == j else 0 for j in range(len(q))] for i, v in enumerate(q)], linear
        )
        states = lion_k_trajectory(
            x0,
            objective,
            exact_potential("l1"),
            [rate(Fraction(t)) for t in range(STEPS)],
            0 if coupled else decay,
            instance["b1"],
            instance["b2"],
            steps=STEPS,
            bits=160,
        )
        x = states[-1].x[0]
        gradient = [e * Fraction(v) - Fraction(b) for e, v, b in zip(x, q, linear, strict=True)]
        score: Scalar = Fraction(0)
        for e, g in zip(x, gradient, strict=True):
            score = score + absolute(g) + g * e * decay
        bound = Fraction(TOLERANCE)
        scale = sum((abs(Fraction(b)) + Fraction(v) / decay for b, v in zip(linear, q, strict=True)), Fraction(0))
        excess = [absolute(score) - bound * scale, *(absolute(e) * decay - 1 - bound for e in x)]
        return any_above(excess)

    return decide(check, violated)


def _of_lion(shape: Shape) -> SearchStrategy[Instance]:
    return _problems(shape, ("l1",))


def _reversed(shape: Shape) -> SearchStrategy[Instance]:
    return _of_lion(shape).map(lambda run: {**run, "b1": run["b2"], "b2": run["b1"]})


CONVEX = Hypothesis("F strongly convex", lambda i: all(q >= 0.25 for row in i["curvature"] for q in row))
STEP = Hypothesis("0 < eps_0 lam <= 1/4", lambda i: 0 < i["lr"] * i["decay"] <= 0.25)
ORDERED = Hypothesis("b1 <= b2", lambda i: i["b1"] <= i["b2"])
REVERSED = Hypothesis("b1 > b2", lambda i: i["b1"] > i["b2"])

CLAIM = Claim(
    id="L3",
    statement=(
        "limits are KKT points of min F + K*(lam x) / lam, for a norm K of min F over ||x||_dual <= 1/lam: on strongly "
        f"convex quadratics, b1 <= b2, eps_t = eps_0 / (1 + t/{HALVING}), after {STEPS} steps the score K(grad F) + "
        f"K*(lam x) + lam <grad F, x> is within {TOLERANCE:g} of 0, in units of gradients in the ball, and lam "
        f"||x||_dual at most 1 + {TOLERANCE:g}; AdamW with K = l1"
    ),
    source="Chen, Liu, Liang, Liu (2024); Chen, Li, Liu (2025) for Muon; Xie, Li (2024) for AdamW",
    rests_on=("L1", "L2"),
    instances=_problems,
    shapes=SHAPES,
    hypotheses=(CONVEX, STEP, ORDERED),
    cost=2.0,
    controls=(
        Control(
            "b1-above-b2-constant-step",
            "the same for b1 > b2 at a constant step",
            instances=_reversed,
            shapes=SHAPES[:1],
            hypotheses=(CONVEX, STEP, REVERSED),
            **_comes_to_rest("constant")._asdict(),
        ),
        Control(
            "constant-step",
            "the same for b1 <= b2 at a constant step",
            instances=_of_lion,
            shapes=SHAPES[:1],
            **_comes_to_rest("constant")._asdict(),
        ),
        Control(
            "coupled-decay",
            "the same with the decay added to the gradient, whose limit is the ridge solution",
            instances=_of_lion,
            shapes=SHAPES[:1],
            **_comes_to_rest(coupled=True)._asdict(),
        ),
    ),
    **_comes_to_rest()._asdict(),
)
