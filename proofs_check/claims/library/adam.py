"""ADAM: the convergence theorem of Adam's original paper, published and false."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.decision import Decision, decide
from proofs_check.claims.library.exact_runs import any_above
from proofs_check.exact.adam import adam_trajectory, inverse_sqrt_rate, linear_regret
from proofs_check.exact.interval import Interval, Scalar, enclosure, square_root

__all__ = ["CLAIM"]

SHAPES = ((150,), (300,))
DIAMETER = 2
"""Of the decision set [-1, 1]."""


def _games(shape: Shape) -> SearchStrategy[Instance]:
    """Return linear losses g_t x on [-1, 1]: slope C in every third round, -1 in the two after it."""

    def matched(game: dict[str, Any]) -> Instance:
        return {**game, "b2": 1 / (1 + game["C"] ** 2) if game["b2"] == "matched" else game["b2"]}

    return st.fixed_dictionaries(
        {
            "rounds": st.just(shape[0]),
            "C": st.integers(8, 40).map(lambda k: k / 4),
            "alpha": st.integers(1, 60).map(lambda k: k / 64),
            "b2": st.sampled_from(["matched", "matched", "matched", 0.99, 0.9, 0.5]),
            "x1": st.integers(-4, 4).map(lambda k: k / 4),
        }
    ).map(matched)


def _slopes(instance: Instance) -> list[float]:
    return [instance["C"] if t % 3 == 0 else -1.0 for t in range(instance["rounds"])]


def _play(instance: Instance) -> tuple[np.ndarray, np.ndarray, float]:
    """Return slopes, points and the bias-corrected second moment after the last round, in float64 (b1 = 0)."""
    slopes, b2 = np.array(_slopes(instance)), instance["b2"]
    points, x, v, corrected = [], float(instance["x1"]), 0.0, 0.0
    for t, g in enumerate(slopes, start=1):
        points.append(x)
        v = b2 * v + (1 - b2) * g * g
        corrected = v / (1 - b2**t)
        x = min(max(x - instance["alpha"] / math.sqrt(t) * g / math.sqrt(corrected), -1.0), 1.0)
    return slopes, np.array(points), corrected


def _regret(slopes: np.ndarray, points: np.ndarray) -> float:
    return float(slopes @ points + abs(slopes.sum()))


def _exact_play(instance: Instance) -> tuple[list[float], list[Any]]:
    slopes = _slopes(instance)
    path = adam_trajectory(
        instance["x1"], slopes, inverse_sqrt_rate(instance["alpha"]), b1=0, b2=instance["b2"], bounds=(-1, 1)
    )
    return slopes, path[:-1]


def _bounded(uniform: bool = False) -> Decision:
    """Return the decision of Theorem 4.1 at b1 = 0, lambda = 1/2, G_inf = C, D = 2, per round.

    R(T) <= D^2 sqrt(T v_T) / (2 alpha) + alpha G ||g_{1:T}|| / sqrt(1 - b2)
            + D^2 G sqrt(1 - b2) / (2 alpha (1 - lambda)^2).

    Args:
        uniform: Corollary 4.2 instead: G^2 in place of v_T and G sqrt(T) in place of ||g_{1:T}||.
    """

    def check(instance: Instance) -> Outcome:
        slopes, points, corrected = _play(instance)
        T, alpha, C, rest = len(slopes), instance["alpha"], instance["C"], 1 - instance["b2"]
        second, squares = (C * C, T * C * C) if uniform else (corrected, float(slopes @ slopes))
        bound = (
            DIAMETER**2 / (2 * alpha) * math.sqrt(T * second)
            + alpha * C * math.sqrt(squares / rest)
            + DIAMETER**2 * C * math.sqrt(rest) / (2 * alpha * 0.25)
        )
        regret = _regret(slopes, points)
        return Outcome((bound - regret) / T, detail={"regret": regret, "bound": bound, "rounds": T})

    def violated(instance: Instance) -> bool | None:
        slopes, points = _exact_play(instance)
        T, (alpha, C, b2) = len(slopes), (Fraction(instance[key]) for key in ("alpha", "C", "b2"))
        second: Scalar = Interval.point(0)
        for g in slopes:
            second = second * b2 + (1 - b2) * Fraction(g) ** 2
        second = second / (1 - b2**T)
        squares = sum((Fraction(g) ** 2 for g in slopes), Fraction(0))
        if uniform:
            second, squares = C * C, T * C * C
        bound = (
            enclosure(square_root(T * second)) * (DIAMETER**2 / (2 * alpha))
            + enclosure(square_root(squares / (1 - b2))) * alpha * C
            + enclosure(square_root(1 - b2)) * (DIAMETER**2 * C / (2 * alpha * Fraction(1, 4)))
        )
        return any_above([linear_regret(points, slopes, -1, 1) - bound])

    return decide(check, violated)


BOUNDED = Hypothesis(
    "b1^2 / sqrt(b2) < 1, gradients bounded by C >= 1, domain [-1, 1], alpha > 0",
    lambda i: 0 < i["b2"] < 1 <= i["C"] and abs(i["x1"]) <= 1 and i["alpha"] > 0,
)

CLAIM = Claim(
    id="ADAM",
    statement=(
        "Adam with alpha_t = alpha / sqrt(t) on convex losses with bounded gradients over a bounded set has regret "
        "R(T) <= D^2 sqrt(T v_T) / (2 alpha (1 - b1)) + alpha (1 + b1) G ||g_{1:T}|| / ((1 - b1) sqrt(1 - b2) "
        "(1 - gamma)^2) + D^2 G sqrt(1 - b2) / (2 alpha (1 - b1) (1 - lambda)^2), hence R(T) / T -> 0 (tried at b1 = 0)"
    ),
    source="Kingma, Ba (2015), Adam, Theorem 4.1; refuted by Reddi, Kale, Kumar (2018), Theorem 1",
    instances=_games,
    shapes=SHAPES,
    hypotheses=(BOUNDED,),
    expected="refuted",
    controls=(
        Control(
            "corollary",
            "Corollary 4.2 with its constants: R(T) <= (D^2 G / (2 alpha) + alpha G^2 / sqrt(1 - b2)) sqrt(T) + the "
            "last term of the theorem, so that R(T) / T -> 0",
            shapes=((900,),),
            **_bounded(uniform=True)._asdict(),
        ),
    ),
    **_bounded()._asdict(),
)
