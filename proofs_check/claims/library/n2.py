"""N2: the communication barrier between two narrow nets is the minimax path value of the intersection graph."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, Point, point_from_json
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import accept_barrier, accept_separated, farthest_pair
from proofs_check.claims.library.narrow_paths import find_path, parameter_segment_loss, path_loss
from proofs_check.claims.library.narrow_problems import level_set_of, problems, zero_loss

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 1, 3), (4, 2, 3), (4, 3, 2))
CONTROL_SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2))


def _pairs(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems of shape (n, d, m) with two nets: global minima in two components, or nets of small integers."""

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
    """Two nets with their certified barrier."""

    cells: CellComplex
    start: Point
    end: Point
    value: Fraction
    worse_end: Fraction

    @property
    def unit(self) -> Fraction:
        """The loss of the zero net, the highest level of interest."""
        return zero_loss(self.cells.landscape.problem)


def _pair(instance: Instance) -> Pair:
    """Return the nets of an instance; raises unless the checker accepts their barrier."""
    found = level_set_of(instance)
    if instance["nets"] is None:
        a, b = (farthest_pair(found) or (0, 0, None))[:2]
        start, end = found.components[a].representative, found.components[b].representative
        if a == b:
            end = (*start[1:], start[0])
    else:
        start, end = (point_from_json(net) for net in instance["nets"])
    barrier = accept_barrier(found.complex, start, end)
    return Pair(found.complex, start, end, barrier.value, max(barrier.start_loss, barrier.end_loss))


def _best_found(pair: Pair, seed: int) -> Fraction:
    """Return the largest loss of the best path that trials found, exactly."""
    problem = pair.cells.landscape.problem
    return path_loss(problem, find_path(problem, pair.start, pair.end, seed))


def _check(instance: Instance) -> Outcome:
    pair = _pair(instance)
    found = _best_found(pair, instance["seed"])
    detail = {"barrier": str(pair.value), "path_found": float(found), "worse_end": str(pair.worse_end)}
    return Outcome(found - pair.value, certified=True, detail=detail)


def _posing(value: Callable[[Pair, int], Fraction], allowance: Fraction = Fraction(0)) -> Callable[[Instance], Outcome]:
    """Return the exact check of: this value is the barrier, to ``allowance`` of the loss of the zero net."""

    def check(instance: Instance) -> Outcome:
        pair = _pair(instance)
        posing = value(pair, instance["seed"])
        detail = {"barrier": str(pair.value), "posing": str(posing)}
        return Outcome(allowance * pair.unit - abs(posing - pair.value), detail=detail)

    return check


def _joined_below(instance: Instance) -> Outcome:
    """Check: two nets are joined halfway between the worse of them and their barrier already."""
    pair = _pair(instance)
    below = (pair.value + pair.worse_end) / 2
    if below < pair.value:
        accept_separated(pair.cells, pair.start, pair.end, below)
    return Outcome(below - pair.value, detail={"barrier": str(pair.value), "worse_end": str(pair.worse_end)})


def _straight(pair: Pair, seed: int) -> Fraction:
    return path_loss(pair.cells.landscape.problem, find_path(*_ends(pair), seed, rounds=0, nodes=1))


def _straight_in_parameters(pair: Pair, seed: int) -> Fraction:
    return parameter_segment_loss(*_ends(pair))


def _ends(pair: Pair) -> tuple[Any, Point, Point]:
    return pair.cells.landscape.problem, pair.start, pair.end


CLAIM = Claim(
    id="N2",
    statement=(
        "the least, over all paths between two nets, of the largest loss is max(L_0, L_1, the minimax path value of "
        "the intersection graph), a rational number: the checker accepts a path at this level and a cut below it, and "
        "no path that trials find stays below (margin: by how much the best of them exceeds it)"
    ),
    source="theory N2, proved there",
    instances=_pairs,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "straight-in-parameters",
            "the largest loss on the straight segment between the parameters (at t = 0, 1/16, ..., 1) is the barrier, "
            "to 1/100 of the loss of the zero net",
            check=_posing(_straight_in_parameters, Fraction(1, 100)),
            shapes=CONTROL_SHAPES,
        ),
        Control(
            "straight-in-u",
            "the largest loss on the straight segment in u-coordinates is the barrier",
            check=_posing(_straight),
            shapes=CONTROL_SHAPES,
        ),
        Control(
            "path-finder",
            "the best path that trials find shows the barrier, to 1/100 of the loss of the zero net",
            check=_posing(_best_found, Fraction(1, 100)),
            shapes=CONTROL_SHAPES,
        ),
        Control(
            "joined-below",
            "two nets are joined halfway between the worse of them and their barrier already",
            check=_joined_below,
            shapes=CONTROL_SHAPES,
        ),
    ),
    cost=2.0,
)
