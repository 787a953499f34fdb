"""G2: when the segment between two minima of the teacher-student model consists of minima."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import are_linearly_connected
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.g_minima import WELL_FORMED, exact_rows, minima
from proofs_check.exact.teacher import is_segment_minimal, is_teacher

__all__ = ["CLAIM"]

SHAPES = ((1, 1), (2, 3), (2, 4), (3, 5), (3, 7))
"""(M, m)."""
ROOM = SHAPES[1:]
"""With a single neuron there is but one minimum."""
Criterion = Callable[[np.ndarray, np.ndarray], bool]


def _pairs(shape: Shape) -> SearchStrategy[Instance]:
    """Return pairs of minima; in half of them the second differs from the first in two rows at most."""
    M, m = shape

    def near(instance: Instance, i: int, k: int) -> Instance:
        labels = [*instance["first"]["labels"]]
        labels[i], labels[k] = labels[k], labels[i]
        return {**instance, "second": {**instance["second"], "labels": labels}}

    drawn = st.fixed_dictionaries({"M": st.just(M), "first": minima(M, m), "second": minima(M, m)})
    return st.one_of(drawn, st.builds(near, drawn, st.integers(0, m - 1), st.integers(0, m - 1)))


def _decided_by(criterion: Criterion) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the segment consists of minima iff the criterion holds."""

    def check(instance: Instance) -> Outcome:
        M = instance["M"]
        first, second = (exact_rows(instance[key], M) for key in ("first", "second"))
        middle = [[(a + b) / 2 for a, b in zip(u, v, strict=True)] for u, v in zip(first, second, strict=True)]
        connected = is_segment_minimal(first, second, M)
        if not connected and is_teacher(middle, M):
            raise AssertionError("neither shown to be minimal nor to have a midpoint that is no minimum")
        expected = criterion(np.array(instance["first"]["labels"]), np.array(instance["second"]["labels"]))
        return Outcome(Fraction(0 if connected == expected else -1), detail={"connected": connected})

    return check


CLAIM = Claim(
    id="G2",
    statement=(
        "the segment between two minima consists of minima iff in every row one of them is 0 or both lie on the same "
        "axis (exact: every row on one ray and both ends minima, or a midpoint that does not compute the teacher)"
    ),
    source="Lin, Li, Wu (2024), Lemma 7",
    rests_on=("G1",),
    instances=_pairs,
    shapes=SHAPES,
    check=_decided_by(lambda first, second: bool(are_linearly_connected(first, second))),
    hypotheses=(WELL_FORMED,),
    controls=(
        Control(
            "any-two",
            "the segment between any two minima consists of minima",
            shapes=ROOM,
            check=_decided_by(lambda a, b: True),
        ),
        Control(
            "one-is-zero",
            "it does iff in every row one of them is 0",
            shapes=ROOM,
            check=_decided_by(lambda first, second: bool(((first == 0) | (second == 0)).all())),
        ),
        Control(
            "same-labels",
            "it does iff both lie on the same axis in every row, or both are 0",
            shapes=ROOM,
            check=_decided_by(lambda first, second: bool((first == second).all())),
        ),
    ),
)
