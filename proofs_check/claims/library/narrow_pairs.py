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
from proofs_check.claims.library.narrow_cases import accept_barrier, farthest_pair, pad
from proofs_check.claims.library.narrow_problems import level_set_of, problems, zero_loss

__all__ = ["Pair", "pair_of", "pairs", "posing"]


def pairs(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems of shape (n, d, m) with two nets, named or given: see :func:`pair_of`.

    Most are global minima: of this width, or of one neuron less with a zero neuron added. The others are nets of small
    integers.
    """

    def build(instance: dict[str, Any], nets: str, seed: int) -> Instance:
        if nets != "given":
            return {**instance, "nets": nets, "seed": seed}
        rng = np.random.default_rng(seed)
        signs = (1, -1) if instance["problem"]["output_weights"] == "free" else (1,)
        given = [
            [{"u": rng.integers(-2, 3, shape[1]).tolist(), "s": int(rng.choice(signs))} for _ in range(shape[2])]
            for _ in range(2)
        ]
        return {**instance, "nets": given, "seed": seed}

    kinds = ["minima", "minima", "given", "padded" if shape[2] > 1 else "minima"]
    return st.builds(build, problems(shape), st.sampled_from(kinds), st.integers(0, 2**32 - 1))


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
    """Return the nets of an instance; raises unless the checker accepts their barrier.

    ``"nets"``: two lists of neurons; or ``"minima"``, global minima in the two components with the highest barrier (one
    and its permutation if there is only one); or ``"padded"``, minima of width m - 1 with a zero neuron added, of two
    orbits where there are several.
    """
    cells = level_set_of(instance).complex
    nets = instance["nets"]
    if isinstance(nets, str):
        start, end = _minima(instance) if nets == "minima" else _of_two_orbits(instance)
        start, end = pad(start, cells.width), pad(end, cells.width)
    else:
        start, end = (point_from_json(net) for net in nets)
    barrier = accept_barrier(cells, start, end)
    return Pair(cells, start, end, barrier.value, max(barrier.start_loss, barrier.end_loss))


def _minima(instance: Instance) -> tuple[Point, Point]:
    found = level_set_of(instance)
    farthest = farthest_pair(found)
    if farthest is None:
        only = found.components[0].representative
        return only, (*only[1:], only[0])
    return found.components[farthest[0]].representative, found.components[farthest[1]].representative


def _of_two_orbits(instance: Instance) -> tuple[Point, Point]:
    narrow = {**instance, "width": instance["width"] - 1}
    found = level_set_of(narrow)
    if found.orbits == 1:
        return _minima(narrow)
    return found.components[0].representative, found.components[found.orbit_of.index(1)].representative


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
