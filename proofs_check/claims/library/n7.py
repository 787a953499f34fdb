"""N7: two narrow nets are joined through a best net of fewer neurons, once each has given up enough of its own."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from modeconn.topology import CellComplex
from proofs_check.claims.claim import Claim, Control, Instance, Outcome
from proofs_check.claims.library.narrow_cases import accept_minimum, texts
from proofs_check.claims.library.narrow_levels import levels_of_fewer_neurons
from proofs_check.claims.library.narrow_pairs import Pair, pair_of, pairs

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 2, 2), (4, 1, 3), (4, 2, 3))
THREE = ((3, 1, 3), (3, 2, 3), (4, 2, 3))


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
    pair = pair_of(instance)
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


def _one_neuron_too_many(levels: Levels) -> Fraction:
    rests = [*reversed(levels.least[2:]), levels.least[-1]]
    return min(max(a, b, rest) for a, b, rest in zip(levels.a, levels.b, rests, strict=True))


CLAIM = Claim(
    id="N7",
    statement=(
        "the barrier between A and B is at most min over k < m of max(e_A(k), e_B(k), L*_{m-k}): e_A(k) the least level "
        "at which A joins a net with at most k live neurons, L*_j the least loss of width j; so at most max(L_A, L_B, "
        "L*_m, loss of the zero net). Everything exact; certified where the accepted barrier stays below accepted lower "
        "bounds of the right side (margin: right side minus barrier)"
    ),
    source="theory N7, proved there",
    instances=pairs,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "one-gives-up",
            "the bound without e_B: it is enough that A gives up neurons",
            check=_bounded_by(_one_gives_up),
        ),
        Control(
            "no-transfer",
            "the bound without L*_{m-k}: two nets with at most k < m live neurons are joined at their level",
            check=_bounded_by(_without_transfer),
            shapes=THREE,
        ),
        Control(
            "no-free-neuron",
            "the bound with L*_{m-k+1} in place of L*_{m-k}: as if one more neuron were free",
            check=_bounded_by(_one_neuron_too_many),
        ),
    ),
    cost=2.0,
)
