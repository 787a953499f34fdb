"""R4: a box lies in a spectral ball sqrt(d m) times as large, and a spectral ball in the box of the same radius."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.capacity.inclusion import inclusion_facts, is_in_spectral_ball
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape

__all__ = ["CLAIM"]

SHAPES: tuple[Shape, ...] = ((1, 1), (1, 3), (2, 2), (2, 3), (3, 3), (3, 5), (4, 8))
"""Inputs and width."""

TINY = Fraction(1, 10**18)

WIDTH = Fraction(1, 10**9)
"""In units of |W|_inf^2: wider than the interval that holds ||W||^2; a larger violation is no rounding."""


def _matrices(shape: Shape) -> SearchStrategy[Instance]:
    """Return small integer matrices, constant and sparse ones among them."""
    d, m = shape
    entries = st.one_of(st.integers(-3, 3), st.sampled_from([-1, 1]), st.sampled_from([0, 0, 0, 2]))
    free = st.lists(st.lists(entries, min_size=m, max_size=m), min_size=d, max_size=d)
    rank_one = st.builds(
        lambda a, b: [[x * y for y in b] for x in a],
        st.lists(st.sampled_from([-1, 1]), min_size=d, max_size=d),
        st.lists(st.sampled_from([-1, 1]), min_size=m, max_size=m),
    )
    return st.fixed_dictionaries({"W": st.one_of(free, rank_one)})


def _matrix(instance: Instance) -> list[list[Fraction]]:
    return [[Fraction(v) for v in row] for row in instance["W"]]


def _check(instance: Instance) -> Outcome:
    """Return the smaller of ||W||^2 - |W|_inf^2 and d m |W|_inf^2 - ||W||^2, 0 where an inequality is an equality."""
    W = _matrix(instance)
    facts = inclusion_facts(W)
    low, high = facts.operator_square
    entry = max(abs(v) for row in W for v in row) ** 2
    margin = min(low - entry, len(W) * len(W[0]) * entry - high)
    is_rounding = margin >= -WIDTH * entry
    margin = max(margin, Fraction(0)) if facts.holds and is_rounding else min(margin, -TINY)
    return Outcome(margin, detail={"operator": float(high), "entry": str(facts.entry_square)})


def _within(constant: Callable[[int, int], int]) -> Callable[[Instance], Outcome]:
    """Return the exact check of ||W||^2 <= constant(d, m) |W|_inf^2."""

    def check(instance: Instance) -> Outcome:
        W = _matrix(instance)
        facts = inclusion_facts(W)
        claimed = constant(len(W), len(W[0])) * facts.entry_square
        if is_in_spectral_ball(W, claimed):
            return Outcome(Fraction(0))
        return Outcome(min(claimed - facts.operator_square[0], -TINY), detail={"claimed": str(claimed)})

    return check


CLAIM = Claim(
    id="R4",
    statement=(
        "|W|_inf <= ||W||_op <= sqrt(d m) |W|_inf for every W (d, m), by exact elimination: the ball of radius r lies "
        "in the box of radius r, the box of radius r in the ball of radius sqrt(d m) r (margin: the smaller difference "
        "of squares)"
    ),
    source="theory R4; folklore",
    instances=_matrices,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control("sqrt-max", "||W||_op <= sqrt(max(d, m)) |W|_inf", check=_within(max)),
        Control("sqrt-sum", "||W||_op <= sqrt(d + m) |W|_inf", check=_within(lambda d, m: d + m)),
        Control("same-radius", "the box lies in the ball of the same radius", check=_within(lambda d, m: 1)),
    ),
    cost=1.0,
)
