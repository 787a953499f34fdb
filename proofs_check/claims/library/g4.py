"""G4: any two minima of width at least 2M - 1 are joined by four segments of minima."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import four_piece_path
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.g_minima import WELL_FORMED, accept_path, label_steps, minima, minimum_of

__all__ = ["CLAIM"]

SHAPES = ((1, 1), (2, 3), (3, 5), (3, 7), (4, 7), (6, 11))
"""(M, m)."""


def _pairs(shape: Shape) -> SearchStrategy[Instance]:
    """Return pairs of minima; in half of them both have one neuron a teacher, on the same M places: the hard case."""
    M, m = shape

    def tight(first: list[int], second: list[int], order: list[int]) -> Instance:
        both = [[*labels, *[0] * (m - M)] for labels in (first, second)]
        drawn = [{"labels": [labels[i] for i in order], "sizes": [1] * m} for labels in both]
        return {"M": M, "first": drawn[0], "second": drawn[1]}

    permutation = st.permutations(range(1, M + 1))
    return st.one_of(
        st.fixed_dictionaries({"M": st.just(M), "first": minima(M, m), "second": minima(M, m)}),
        st.builds(tight, permutation, permutation, st.permutations(range(m))),
    )


def _is_wide(instance: Instance) -> bool:
    return len(instance["first"]["labels"]) >= 2 * instance["M"] - 1


def _theorem(instance: Instance) -> Outcome:
    """Return margin 0, the path certified by the checker; raises if the construction finds none."""
    M = instance["M"]
    first, second = (minimum_of(instance[key], M) for key in ("first", "second"))
    path = four_piece_path(first, second)
    accept_path(path, (first, second), 4, M)
    return Outcome(Fraction(0), certified=True, detail={"pieces": len(path) - 1})


def _pieces_suffice(limit: int) -> Callable[[Instance], Outcome]:
    """Return the exact check, by search over all labellings, of: so many pieces suffice."""

    def check(instance: Instance) -> Outcome:
        steps = label_steps(instance, limit)
        return Outcome(Fraction(-1 if steps is None else limit - steps), detail={"steps": steps})

    return check


WIDE = Hypothesis("m >= 2M - 1", _is_wide)

CLAIM = Claim(
    id="G4",
    statement="m >= 2M - 1: any two minima are joined by four segments of minima, which the checker accepts (margin 0)",
    source="Lin, Li, Wu (2024), Theorem 9",
    rests_on=("G2",),
    instances=_pairs,
    shapes=SHAPES,
    check=_theorem,
    hypotheses=(WELL_FORMED, WIDE),
    controls=(
        Control(
            "narrower",
            "the same for m = 2M - 2",
            check=_pieces_suffice(4),
            shapes=((2, 2), (3, 4)),
            hypotheses=(WELL_FORMED,),
        ),
        Control(
            "two-pieces",
            "two segments suffice for any two minima of width >= 2M - 1",
            check=_pieces_suffice(2),
            shapes=((2, 3), (3, 5)),
        ),
    ),
    cost=1.5,
)
