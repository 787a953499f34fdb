"""K5: from min(m* + M*, n + 1) neurons on, the set of global optima is connected."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis.strategies import SearchStrategy

from modeconn.cells import rank
from modeconn.regularised import OptimalSet
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.k_counts import count_check, counts_at
from proofs_check.claims.library.k_problems import NONZERO, PLANTED, SHAPES, nonzero_problems, optima_of

__all__ = ["CLAIM"]


def _threshold(found: OptimalSet) -> int:
    return min(found.smallest_support + found.largest_support, len(found.problem.y) + 1)


_scalar = count_check(_threshold, lambda c: 1 - c.components, paths=True)


def _check(instance: Instance) -> Outcome:
    outcome = _scalar(instance)
    found = optima_of(instance)
    sharper = min(_threshold(found), rank([[Fraction(v) for v in t.feature] for t in found.directions]) + 1)
    count = counts_at(found, max(sharper, found.smallest_support)).components
    detail = {**outcome.detail, "rank_width": sharper}
    return Outcome(min(Fraction(outcome.margin), Fraction(1 - count)), outcome.certified, detail)


def _connected_at(width_of: Callable[[OptimalSet], int]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the optima of this width, which some net attains, are connected."""
    return count_check(width_of, lambda c: 1 - c.components)


def _at_threshold(shape: Shape) -> SearchStrategy[Instance]:
    return nonzero_problems(shape).map(lambda instance: {**instance, "extra": 0})


def _two_diagonals(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems with rows +-e_i whose polytope is a segment: two vertices of disjoint supports of size 2."""
    return _at_threshold(shape).map(lambda i: {**i, "weights": [i["extra"] + 1, 0, 0, i["extra"] + 1]})


def _one_or_two(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems with rows (+-sqrt 3, 1) and m* = 1, M* = 2."""
    return _at_threshold(shape).map(lambda i: {**i, "weights": [0, 0, 1 + i["weights"][0]]})


CLAIM = Claim(
    id="K5",
    statement=(
        "with m >= min(m* + M*, n + 1) neurons the set of global optima is connected, and already with min(m* + M*, "
        "rank(Phi) + 1): counted by the checker from nu* and by the graph of cells, with accepted paths between all "
        "vertices in opposite orders (margin: minus the surplus of components, or what is amiss)"
    ),
    source="Kim, Mishkin and Pilanci 2025, staircase of connectivity (v); our formulation. Several outputs: K5V",
    rests_on=("K1", "W1"),
    instances=nonzero_problems,
    shapes=SHAPES,
    check=_check,
    hypotheses=(PLANTED, NONZERO),
    controls=(
        Control(
            "one-neuron-fewer",
            "with m >= min(m* + M*, n + 1) - 1 neurons the set of global optima is connected",
            check=_connected_at(lambda found: _threshold(found) - 1),
            instances=_at_threshold,
            shapes=SHAPES,
        ),
        Control(
            "M-star-plus-one",
            "with m >= M* + 1 neurons the set of global optima is connected",
            check=_connected_at(lambda found: found.largest_support + 1),
            instances=_two_diagonals,
            shapes=((4, 2),),
        ),
        Control(
            "twice-m-star",
            "with m >= 2 m* neurons the set of global optima is connected",
            check=_connected_at(lambda found: 2 * found.smallest_support),
            instances=_one_or_two,
            shapes=((2, 2),),
        ),
    ),
    cost=6.0,
)
