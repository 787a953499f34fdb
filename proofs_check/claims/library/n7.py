"""N7: two narrow nets are joined through a best net of fewer neurons, once each has given up enough of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import accept_minimum, texts
from proofs_check.claims.library.narrow_levels import levels_of_fewer_neurons
from proofs_check.claims.library.narrow_pairs import Pair, pair_of, pairs
from proofs_check.claims.library.narrow_problems import problems

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 2, 2), (4, 1, 3), (4, 2, 3))
APART = (
    ([[-2, -1], [3, -1], [0, 1], [-1, 0], [-2, 1]], [0, 0, 0, 1, 2]),
    ([[-3, 1], [2, -3], [-1, 1], [-3, -1], [1, 0]], [2, -6, 2, -2, 0]),
    ([[1, -1], [2, 3], [-3, 0], [0, -3], [-3, -2]], [0, 0, 0, -3, -4]),
)
"""Problems (X, y) with two orbits of zero-loss nets of width 2 that a third, dead neuron does not join: one in fifty
of the problems with several orbits."""


def _with_dead_neuron(shape: Shape) -> SearchStrategy[Instance]:
    """Return pairs of zero-loss nets of width 2 with a dead third neuron, in the problems known to be apart."""

    def pair(data: tuple[list[list[int]], list[int]]) -> Instance:
        problem = {"X": data[0], "y": data[1], "output_weights": "free"}
        return {"problem": problem, "width": 3, "nets": "padded", "seed": 0}

    return st.sampled_from(APART).map(pair)


def _three_neurons(shape: Shape) -> SearchStrategy[Instance]:
    kinds = problems(shape, rows=("generic", "small"), targets=("one", "taught"))
    return kinds.map(lambda instance: {**instance, "nets": "minima", "seed": 0})


class Levels(NamedTuple):
    """What the bound is made of, by number k of live neurons.

    Attributes:
        pair: A and B, their barrier accepted by the checker.
        a: e_A(k), k = 0 .. m - 1.
        b: e_B(k).
        least: L*_k, k = 0 .. m, each accepted by the checker.
    """

    pair: Pair
    a: list[Fraction]
    b: list[Fraction]
    least: list[Fraction]

    def bounds(self) -> list[Fraction]:
        """Return max(e_A(k), e_B(k), L*_{m-k}) for every k."""
        return [max(a, b, rest) for a, b, rest in zip(self.a, self.b, reversed(self.least[1:]), strict=True)]

    def certified(self) -> Fraction:
        """Return a number below the least of the bounds that the accepted certificates show: e_A(k) >= L_A, L*_k."""
        m = len(self.a)
        return min(max(self.pair.worse_end, self.least[k], self.least[m - k]) for k in range(m))


def _levels(instance: Instance) -> Levels:
    return _levels_of(json.dumps(instance, sort_keys=True))


@lru_cache(maxsize=32)
def _levels_of(text: str) -> Levels:
    pair = pair_of(json.loads(text))
    landscape = pair.cells.landscape
    least = [accept_minimum(CellComplex(landscape, k)) for k in range(1, pair.cells.width + 1)]
    a, b = (levels_of_fewer_neurons(pair.cells, net) for net in (pair.start, pair.end))
    return Levels(pair, a, b, [pair.zero, *least])


def _detail(levels: Levels) -> dict[str, object]:
    return {
        "barrier": str(levels.pair.value),
        "e_A": texts(levels.a),
        "e_B": texts(levels.b),
        "least_loss": texts(levels.least),
    }


def _check(instance: Instance) -> Outcome:
    levels = _levels(instance)
    value = levels.pair.value
    return Outcome(min(levels.bounds()) - value, certified=value <= levels.certified(), detail=_detail(levels))


def _bounded_by(bound: Callable[[Levels], Fraction]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the barrier is at most this."""

    def check(instance: Instance) -> Outcome:
        levels = _levels(instance)
        return Outcome(bound(levels) - levels.pair.value, detail=_detail(levels))

    return check


def _one_gives_up(levels: Levels) -> Fraction:
    worse = levels.pair.worse_end
    return min(max(worse, a, rest) for a, rest in zip(levels.a, reversed(levels.least[1:]), strict=True))


def _without_transfer(levels: Levels) -> Fraction:
    return min(max(a, b) for a, b in zip(levels.a, levels.b, strict=True))


CLAIM = Claim(
    id="N7",
    statement=(
        "the barrier between A and B is at most min over k < m of max(e_A(k), e_B(k), L*_{m-k}): e_A(k) the least "
        "level at which A joins a net with at most k live neurons, L*_j the least loss of width j; in particular at "
        "most max(L_A, L_B, loss of the zero net). Everything exact; certified where the accepted barrier stays below "
        "accepted lower bounds of the right side (margin: right side minus barrier)"
    ),
    source="theory N7, proved there",
    rests_on=("N2",),
    instances=pairs,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "one-gives-up",
            "the bound without e_B: it is enough that A gives up neurons",
            check=_bounded_by(_one_gives_up),
            instances=_three_neurons,
            shapes=((4, 2, 3),),
        ),
        Control(
            "no-transfer",
            "the bound without L*_{m-k}: nets that have given up a neuron are joined at the level of that",
            check=_bounded_by(_without_transfer),
            instances=_with_dead_neuron,
            shapes=((5, 2, 3),),
        ),
        Control(
            "one-neuron-less",
            "the barrier is at most max(L_A, L_B, L*_{m-1}): nobody needs to give up neurons (claim N8)",
            check=_bounded_by(lambda levels: max(levels.pair.worse_end, levels.least[-2])),
            instances=_three_neurons,
            shapes=((4, 2, 3),),
        ),
    ),
    cost=2.0,
)
