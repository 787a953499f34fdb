"""W3: in a box a width of 2 (R / delta + 2 P) joins all nets of a level set; delta and R are computed exactly."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.capacity import type_system
from proofs_check.checker import check_certificate
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_problems import ROWS
from proofs_check.claims.library.w_boxes import (
    BoxBound,
    box_bound,
    box_radii,
    filled_nets,
    hull_vectors,
    joined_box,
    least_hull_distance,
)
from proofs_check.claims.library.w_cases import ALLOWANCE, Joined, pair_of
from proofs_check.claims.library.w_exact import exact, loss_of, sums_of
from proofs_check.claims.library.w_segment import highest_on_segment
from proofs_check.exact.interval import enclosure, square_root

__all__ = ["CLAIM"]

SHAPES: tuple[Shape, ...] = ((1, 1), (2, 1), (1, 2), (3, 1), (2, 2))
"""Numbers of data points and inputs: delta is a minimum over all small sets of vertices."""

WIDEST = 400
"""Instances whose bound is larger are left out."""


def _boxes(shape: Shape) -> SearchStrategy[Instance]:
    """Return instances ``{"X", "y", "B1", "B2", "seed"}``: the nets follow from the seed, as wide as the bound."""
    n, d = shape

    def build(rows: str, hidden: str, output: str, seed: int) -> Instance:
        rng = np.random.default_rng(seed)
        X, y = ROWS[rows](rng, n, d), rng.integers(-2, 3, n)
        return {
            "X": X.tolist(),
            "y": y.tolist(),
            "B1": hidden,
            "B2": output,
            "seed": seed % 2**16,
            "route": "cell-program",
        }

    radii = st.sampled_from(["1", "2"])
    return st.builds(build, st.sampled_from(list(ROWS)), radii, radii, st.integers(0, 2**32 - 1))


def _level(instance: Instance) -> Fraction:
    pair = pair_of(instance)
    X, Y = exact(pair.X), exact(pair.Y)
    ends = ((pair.W0, pair.A0), (pair.W1, pair.A1))
    return max(loss_of(sums_of(exact(W), exact(A), X).prediction, Y) for W, A in ends)


def _bound_of(instance: Instance) -> tuple[int, BoxBound] | None:
    """Return a width at which the seed's nets are at least as many neurons wide as their level's bound asks for."""
    return _wide_enough(json.dumps(instance, sort_keys=True))


@lru_cache(maxsize=256)
def _wide_enough(text: str) -> tuple[int, BoxBound] | None:
    instance = json.loads(text)
    width = 4
    while width <= WIDEST:
        bound = box_bound(instance, _level(filled_nets(instance, width)))
        needed = math.ceil(2 * bound.live)
        if needed <= width:
            return width, bound
        width = needed
    return None


def _has_vertices(instance: Instance) -> bool:
    return any(any(row) for row in instance["X"])


def _is_small(instance: Instance) -> bool:
    return _has_vertices(instance) and _bound_of(instance) is not None


SMALL = Hypothesis(f"X is not 0, and the bound is at most {WIDEST}", _is_small)


def _joined(instance: Instance) -> tuple[Joined, BoxBound]:
    found = _bound_of(instance)
    assert found is not None, "by hypothesis"
    width, bound = found
    return joined_box(instance, width), bound


def _check(instance: Instance) -> Outcome:
    """Return the least of: R / delta + 2 P minus the live counts, and 1e-9 minus what rounding moved."""
    joined, bound = _joined(instance)
    found = joined.found
    detail = {
        "width": found.width,
        "live": [found.live0, found.live1],
        "live_bound": float(bound.live),
        "delta_squared": str(bound.square),
        "patterns": bound.patterns,
        "slots_needed": found.needed,
    }
    room = bound.live - max(found.live0, found.live1)
    return Outcome(min(room, ALLOWANCE - joined.rounding), certified=True, detail=detail)


def _single_point(shape: Shape) -> SearchStrategy[Instance]:
    """Return one data point and the prediction of ``count`` neurons that fill the box."""
    sizes = (st.integers(1, 4), st.integers(1, 24), st.integers(0, 8), st.sampled_from(["1", "2"]))

    def build(x: int, count: int, part: int, radius: str) -> Instance:
        scale = x * Fraction(radius) ** 2
        return {"X": [[x]], "y": [str(count * scale * part / 8)], "B1": radius, "B2": radius, "counts": [count]}

    return st.builds(build, *sizes)


def _opposite_points(shape: Shape) -> SearchStrategy[Instance]:
    """Return two data points of opposite sign and the prediction of some neurons of each side that fill the box."""
    sizes = (st.integers(1, 3), st.integers(1, 3), st.integers(1, 24), st.integers(1, 24), st.integers(0, 8))

    def build(p: int, q: int, first: int, last: int, part: int) -> Instance:
        y = [str(Fraction(part * value, 8)) for value in (first * p, last * q)]
        return {"X": [[p], [-q]], "y": y, "B1": "1", "B2": "1", "counts": [first, last]}

    return st.builds(build, *sizes)


def _prediction(instance: Instance) -> list[Fraction]:
    """Return F of so many neurons that fill the box, each active on one point: no net makes F with fewer."""
    hidden, output = box_radii(instance)
    rows = zip(instance["counts"], instance["X"], strict=True)
    return [count * hidden * output * abs(Fraction(x)) for count, (x,) in rows]


def _half_as_many(instance: Instance) -> Outcome:
    """Check: (R / delta + 2 P) / 2 live neurons are enough, against a prediction that takes |F| / (B1 B2 |x|)."""
    (F,) = _prediction(instance)
    bound = box_bound(instance, (F - Fraction(instance["y"][0])) ** 2 / 2)
    return Outcome(bound.live / 2 - instance["counts"][0], detail={"bound": float(bound.live)})


def _nearest_vertex(instance: Instance) -> Outcome:
    """Check: delta may be the least length of a vertex, in place of a distance to hulls: total gauge <= R / delta."""
    F, y = _prediction(instance), [Fraction(v) for v in instance["y"]]
    vectors = hull_vectors(type_system(instance["X"], [0] * len(y)), Fraction(1))
    shortest = min(sum((v * v for v in vector), Fraction(0)) for vector in vectors)
    assert shortest >= least_hull_distance(vectors)
    R = square_root(sum((v * v for v in y), Fraction(0))) + square_root(
        sum(((f - v) ** 2 for f, v in zip(F, y, strict=True)), Fraction(0))
    )
    claimed = enclosure(R / square_root(shortest)).upper
    return Outcome(claimed - sum(instance["counts"]), detail={"claimed": float(claimed)})


def _smaller_box(instance: Instance) -> Outcome:
    """Check: the path stays in the box smaller by a millionth; both nets fill the box."""
    joined, _ = _joined(instance)
    hidden, output = (radius * (1 - Fraction(1, 10**6)) for radius in box_radii(instance))
    region = {"W": {"norm": "linf", "radius": str(hidden)}, "A": {"norm": "linf", "radius": str(output)}}
    verdict = check_certificate(joined.found.certificate(), {**joined.problem, "region": region})
    margin = hidden - max(abs(Fraction(v)) for v in joined.pair.W0.ravel().tolist())
    return Outcome(Fraction(1) if verdict.accepted else margin, detail={"checker": verdict.reason})


def _segment(instance: Instance) -> Outcome:
    """Check: the straight segment is such a path."""
    found = _bound_of(instance)
    assert found is not None, "by hypothesis"
    level, highest = highest_on_segment(pair_of(filled_nets(instance, found[0])))
    return Outcome(level - highest, detail={"level": float(level), "highest": float(highest)})


def _only(strategy: Any, shape: Shape) -> dict[str, Any]:
    return {"instances": strategy, "shapes": (shape,), "hypotheses": ()}


CLAIM = Claim(
    id="W3",
    statement=(
        "in the boxes |W|_inf <= B1, |alpha|_inf <= B2 every net of loss <= c reduces to at most R(c) / delta + 2 P "
        "live neurons, R(c) = |y| + sqrt(2 c), P the number of patterns, delta the least positive distance of 0 from a "
        "hull of vertices s D X v (computed exactly), and any two nets of m >= 2 (R(c) / delta + 2 P) neurons are "
        "joined by an explicit path of loss <= c in the box that the checker accepts (margin: the bound minus the live "
        "counts, or 1e-9 minus what rounding adds)"
    ),
    source="theory W3, proved there",
    instances=_boxes,
    shapes=SHAPES,
    check=_check,
    hypotheses=(SMALL,),
    controls=(
        Control(
            "half-as-many",
            "(R / delta + 2 P) / 2 live neurons suffice",
            check=_half_as_many,
            **_only(_single_point, (1, 1)),
        ),
        Control(
            "nearest-vertex",
            "delta may be replaced by the least length of a vertex",
            check=_nearest_vertex,
            **_only(_opposite_points, (2, 1)),
        ),
        Control("smaller-box", "the path stays in the box of radii (1 - 1e-6) B1, B2", check=_smaller_box),
        Control("straight-segment", "the straight segment is such a path", check=_segment),
    ),
    cost=3.0,
)
