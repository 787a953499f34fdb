"""How a box and a spectral ball contain one another, in exact arithmetic (claim R4)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from modeconn.cells import is_positive_semidefinite
from modeconn.errors import InputError

__all__ = ["InclusionFacts", "inclusion_facts", "is_in_spectral_ball", "operator_square"]


class InclusionFacts(NamedTuple):
    """|W|_inf <= ||W||_op <= sqrt(d m) |W|_inf for one matrix, squared and exact.

    Attributes:
        entry_square: |W|_inf^2.
        operator_square: an interval of width <= 1e-12 relative that holds ||W||_op^2.
        bound_square: d m |W|_inf^2.
        holds: both inequalities, decided without rounding.
    """

    entry_square: Fraction
    operator_square: tuple[Fraction, Fraction]
    bound_square: Fraction
    holds: bool


def is_in_spectral_ball(W: Sequence[Sequence[Fraction]], square: Fraction) -> bool:
    """Return whether ||W||_op^2 <= square, that is whether square I - W W^T is positive semidefinite, exactly."""
    return is_positive_semidefinite(_slack(W, square))


def _slack(W: Sequence[Sequence[Fraction]], square: Fraction) -> list[list[Fraction]]:
    return [
        [(square if i == k else Fraction(0)) - sum((a * b for a, b in zip(p, q, strict=True)), Fraction(0))
         for k, q in enumerate(W)]
        for i, p in enumerate(W)
    ]  # fmt: skip


def operator_square(W: Sequence[Sequence[Fraction]]) -> tuple[Fraction, Fraction]:
    """Return an interval that holds ||W||_op^2, from a float guess widened until exact elimination agrees."""
    guess = Fraction(float(np.linalg.norm(np.array([[float(v) for v in row] for row in W]), 2)) ** 2)
    width = Fraction(1, 10**13)
    while True:
        low, high = guess * (1 - width), guess * (1 + width)
        if is_in_spectral_ball(W, high) and not (low > 0 and is_positive_semidefinite(_slack(W, low), definite=True)):
            return max(low, Fraction(0)), high
        width *= 4


def inclusion_facts(W: Sequence[Sequence[Fraction]]) -> InclusionFacts:
    """Return the inclusion facts of a matrix of rationals (d, m), decided exactly.

    So the ball of radius r lies in the box of radius r, and the box of radius r in the ball of radius sqrt(d m) r.

    Example:
        >>> facts = inclusion_facts([[Fraction(1)] * 3] * 2)  # all ones: the right-hand side is attained
        >>> facts.holds, facts.bound_square, round(float(facts.operator_square[1]), 9)
        (True, Fraction(6, 1), 6.0)

    Reference: claim R4.
    """
    if not W or not W[0]:
        raise InputError("W: expected a matrix with at least one row and one column, found none")
    entry = max(abs(v) for row in W for v in row) ** 2
    bound = len(W) * len(W[0]) * entry
    below = entry == 0 or not is_positive_semidefinite(_slack(W, entry), definite=True)
    return InclusionFacts(entry, operator_square(W), bound, below and is_in_spectral_ball(W, bound))
