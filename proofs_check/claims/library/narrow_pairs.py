"""Pairs of narrow nets with the certified barrier between them: what N2 and N7 are about."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, Point, Problem, point_from_json
from proofs_check.claims.claim import Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import accept_barrier, farthest_pair
from proofs_check.claims.library.narrow_problems import level_set_of, problems, zero_loss

__all__ = ["Pair", "pair_of", "pairs", "posing"]


def pairs(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems of shape (n, d, m) with two nets: ``null`` names two global minima, else nets of small integers.

    Two thirds are global minima: those in the two components with the highest barrier, or one and its permutation.
    """

    def build(instance: dict[str, Any], minima: bool, seed: int) -> Instance:
        if minima:
            return {**instance, "nets": None, "seed": seed}
        rng = np.random.default_rng(seed)
        signs = (1, -1) if instance["problem"]["output_weights"] == "free" else (1,)
        nets = [
            [{"u": rng.integers(-2, 3, shape[1]).tolist(), "s": int(rng.choice(signs))} for _ in range(shape[2])]
            for _ in range(2)
        ]
        return {**instance, "nets": nets, "seed": seed}

    return st.builds(build, problems(shape), st.sampled_from([True, True, False]), st.integers(0, 2**32 - 1))


class Pair(NamedTuple):
    """Two nets with their barrier.

    Attributes:
        cells: the cells of their width.
        start: one net.
        end: the other.
        value: the communication barrier, accepted by the checker.
        worse_end: the larger of their losses.
    """

    cells: CellComplex
    start: Point
    end: Point
    value: Fraction
    worse_end: Fraction

    @property
    def problem(self) -> Problem:
        """The problem they belong to."""
        return self.cells.landscape.problem

    @property
    def zero(self) -> Fraction:
        """The loss of the zero net."""
        return zero_loss(self.problem)


def pair_of(instance: Instance) -> Pair:
    """Return the nets of an instance; raises unless the checker accepts their barrier."""
    found = level_set_of(instance)
    if instance["nets"] is not None:
        start, end = (point_from_json(net) for net in instance["nets"])
    else:
        farthest = farthest_pair(found)
        a, b = (0, 0) if farthest is None else farthest[:2]
        start, end = found.components[a].representative, found.components[b].representative
        if a == b:
            end = (*start[1:], start[0])
    barrier = accept_barrier(found.complex, start, end)
    return Pair(found.complex, start, end, barrier.value, max(barrier.start_loss, barrier.end_loss))


def posing(
    value: Callable[[Pair, Instance], Fraction], allowance: Fraction = Fraction(0)
) -> Callable[[Instance], Outcome]:
    """Return the exact check of: this value is the barrier, to ``allowance`` of the loss of the zero net."""

    def check(instance: Instance) -> Outcome:
        pair = pair_of(instance)
        other = value(pair, instance)
        detail = {"barrier": str(pair.value), "posing": str(other)}
        return Outcome(allowance * pair.zero - abs(other - pair.value), detail=detail)

    return check
