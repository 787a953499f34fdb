"""N2: the communication barrier between two narrow nets is the minimax path value of the intersection graph."""

from __future__ import annotations

from fractions import Fraction

from proofs_check.claims.claim import Claim, Control, Instance, Outcome
from proofs_check.claims.library.narrow_cases import accept_separated
from proofs_check.claims.library.narrow_pairs import Pair, pair_of, pairs, posing
from proofs_check.claims.library.narrow_paths import find_path, parameter_segment_loss, path_loss, straight_path

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 1, 3), (4, 2, 3), (4, 3, 2))
CONTROL_SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2))
HUNDREDTH = Fraction(1, 100)


def _best_found(pair: Pair, instance: Instance) -> Fraction:
    """Return the largest loss of the best path that trials found, exactly."""
    return path_loss(pair.problem, find_path(pair.problem, pair.start, pair.end, instance["seed"]))


def _straight(pair: Pair, instance: Instance) -> Fraction:
    return path_loss(pair.problem, straight_path(pair.start, pair.end))


def _straight_in_parameters(pair: Pair, instance: Instance) -> Fraction:
    return parameter_segment_loss(pair.problem, pair.start, pair.end)


def _check(instance: Instance) -> Outcome:
    pair = pair_of(instance)
    found = _best_found(pair, instance)
    detail = {"barrier": str(pair.value), "path_found": float(found), "worse_end": str(pair.worse_end)}
    return Outcome(found - pair.value, certified=True, detail=detail)


def _joined_below(instance: Instance) -> Outcome:
    """Check: two nets are joined halfway between the worse of them and their barrier already."""
    pair = pair_of(instance)
    below = (pair.value + pair.worse_end) / 2
    if below < pair.value:
        accept_separated(pair.cells, pair.start, pair.end, below)
    return Outcome(below - pair.value, detail={"barrier": str(pair.value), "worse_end": str(pair.worse_end)})


CLAIM = Claim(
    id="N2",
    statement=(
        "the least, over all paths between two nets, of the largest loss is max(L_0, L_1, the minimax path value of "
        "the intersection graph), a rational number: the checker accepts a path at this level and a cut below it, and "
        "no path that trials find stays below (margin: by how much the best of them exceeds it)"
    ),
    source="theory N2, proved there",
    rests_on=("N1",),
    instances=pairs,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "straight-in-parameters",
            "the largest loss on the straight segment between the parameters (at t = 0, 1/16, ..., 1) is the barrier, "
            "to 1/100 of the loss of the zero net",
            check=posing(_straight_in_parameters, HUNDREDTH),
            shapes=CONTROL_SHAPES,
        ),
        Control(
            "straight-in-u",
            "the largest loss on the straight path in u-coordinates (neurons that change sign are zero midway) is the "
            "barrier",
            check=posing(_straight),
            shapes=CONTROL_SHAPES,
        ),
        Control(
            "path-finder",
            "the best path that trials find shows the barrier, to 1/100 of the loss of the zero net",
            check=posing(_best_found, HUNDREDTH),
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
