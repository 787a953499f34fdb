"""N4: with a ridge term a narrow net has the landscape of the loss plus beta sum_j |u_j|, convex on every cell."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import (
    EnclosedLevelSet,
    Enclosures,
    Point,
    enclosed_barrier_between,
    enclosed_level_set,
    point_from_json,
    problem_from_json,
)
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_pairs import pairs
from proofs_check.claims.library.narrow_paths import find_path, path_loss, straight_path
from proofs_check.claims.library.narrow_problems import level_set_of, problem_data, several_orbits
from proofs_check.claims.library.narrow_ridge import minimax_path

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 2), (2, 2, 2), (3, 2, 2), (4, 2, 2), (3, 1, 3))
FREE_SHAPES = ((3, 2, 2), (4, 2, 2))
RIDGES = ("1/10", "1/2", "1")
WIDTH_OF_INTERVAL = Fraction(1, 10**6)
"""Largest distance between the ends that enclose a barrier, relative to the barrier plus that of the zero net."""

MAX_CELLS = 10_000


def _ridged(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems of shape (n, d, m) with a ridge term and two nets: optimal ones, or nets of small integers."""

    def build(instance: dict[str, Any], ridge: str) -> Instance:
        nets = "minima" if isinstance(instance["nets"], str) else instance["nets"]
        return {**instance, "problem": {**instance["problem"], "ridge": ridge}, "nets": nets}

    return st.builds(build, pairs(shape), st.sampled_from(RIDGES))


def _free(shape: Shape) -> SearchStrategy[Instance]:
    return _ridged(shape).map(lambda i: {**i, "problem": {**i["problem"], "output_weights": "free"}})


def _several(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems whose zero-loss nets fall into several orbits, and a ridge."""
    named = several_orbits(shape, output_weights=("free",))
    return st.builds(lambda instance, ridge: {**instance, "ridge": ridge}, named, st.sampled_from(RIDGES))


@lru_cache(maxsize=16)
def _optima_of(problem: str, width: int) -> EnclosedLevelSet:
    return enclosed_level_set(Enclosures(problem_from_json(json.loads(problem)), width, MAX_CELLS))


def _optima(instance: Instance, **changes: Any) -> EnclosedLevelSet:
    """Return the (nearly) optimal set of an instance."""
    return _optima_of(json.dumps({**instance["problem"], **changes}, sort_keys=True), instance["width"])


class RidgePair(NamedTuple):
    """Two nets and what encloses the barrier between them.

    Attributes:
        enclosures: cells of the problem.
        nets: the two.
        lower: a level below which they are apart, from dual bounds.
        path: nodes of an explicit path.
        upper: the largest objective of that path.
    """

    enclosures: Enclosures
    nets: tuple[Point, Point]
    lower: Fraction
    path: list[Point]
    upper: Fraction


def _pair(instance: Instance) -> RidgePair:
    found = _optima(instance)
    if isinstance(instance["nets"], str):
        start, end = found.components[0].representative, found.components[-1].representative
        if len(found.components) == 1:
            end = (*start[1:], start[0])
    else:
        start, end = (point_from_json(net) for net in instance["nets"])
    lower = Fraction(enclosed_barrier_between(found.enclosures, start, end)[0])
    path = minimax_path(found.enclosures, start, end)
    return RidgePair(found.enclosures, (start, end), lower, path, path_loss(found.enclosures.problem, path))


def _check(instance: Instance) -> Outcome:
    pair = _pair(instance)
    problem = pair.enclosures.problem
    allowed = WIDTH_OF_INTERVAL * (pair.enclosures.zero + pair.upper)
    trial = path_loss(problem, find_path(problem, *pair.nets, instance["seed"]))
    margin = min(trial - pair.lower, pair.upper - pair.lower, allowed - (pair.upper - pair.lower))
    detail = {"lower": float(pair.lower), "upper": float(pair.upper), "path_found": float(trial)}
    return Outcome(margin, detail={**detail, "nodes": len(pair.path)})


def _straight(instance: Instance) -> Outcome:
    """Check: the straight path in u-coordinates shows the barrier, to 1/100 of the objective of the zero net."""
    pair = _pair(instance)
    problem = pair.enclosures.problem
    value = path_loss(problem, straight_path(*pair.nets))
    margin = pair.enclosures.zero / 100 - (value - pair.upper)
    return Outcome(margin, detail={"upper": float(pair.upper), "straight": float(value)})


def _half_the_price(instance: Instance) -> Outcome:
    """Check: the least objective is the one with beta/2 sum_j |u_j|, to the ends of both intervals."""
    half = _optima(instance, ridge=str(Fraction(instance["problem"]["ridge"]) / 2)).least[1]
    whole = _optima(instance).least[0]
    return Outcome(Fraction(half) - Fraction(whole), detail={"half": half, "whole": whole})


def _as_without_ridge(instance: Instance) -> Outcome:
    """Check: the optimal set has as many components as the set of global minima without the ridge term."""
    data = problem_data(instance)
    fewest, most = _optima({**instance, "problem": data}, ridge=instance["ridge"]).count
    plain = len(level_set_of(instance).components)
    distance = max(fewest - plain, plain - most, 0)
    return Outcome(-Fraction(distance), detail={"problem": data, "with": [fewest, most], "without": plain})


CLAIM = Claim(
    id="N4",
    statement=(
        "L + (beta/2) sum_j (|w_j|^2 + alpha_j^2) has the barriers of L + beta sum_j |u_j|_2 (fixed outputs: L + "
        "(beta/2) sum_j |u_j|_2^2) over the graph of cells: an explicit path reaches the lower end that dual bounds "
        f"give, to {float(WIDTH_OF_INTERVAL):g} of the barrier plus the objective of the zero net, and no path that "
        "trials find is below it; all evaluated in rationals (margin: the least room, absolute)"
    ),
    source="theory N4, proved there",
    rests_on=("N1", "N2"),
    instances=_ridged,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "straight-path",
            "the straight path in u-coordinates shows the barrier, to 1/100 of the objective of the zero net",
            check=_straight,
        ),
        Control(
            "half-the-price",
            "the ridge term leaves beta/2 sum_j |u_j|_2: the least objective is that with half of beta",
            check=_half_the_price,
            instances=_free,
            shapes=FREE_SHAPES,
        ),
        Control(
            "as-without-ridge",
            "the optimal set has as many components as the set of global minima without the ridge term",
            check=_as_without_ridge,
            instances=_several,
            shapes=((4, 2, 2), (5, 2, 2)),
        ),
    ),
    cost=3.0,
)
