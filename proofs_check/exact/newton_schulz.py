"""Practical Newton-Schulz on a 1 x 1 matrix: what it makes of a singular value, rigorously enclosed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice, repeat
from typing import Any

from proofs_check.exact.interval import Interval, Scalar, absolute, enclosure
from proofs_check.exact.rational import ExactInputError, number_from, vector_from

__all__ = ["newton_schulz_scalar"]


def newton_schulz_scalar(
    g: Scalar, coefficients: Sequence[Sequence[Any]], steps: int = 5, epsilon: Any = 0
) -> Interval:
    """Return an interval around ``steps`` quintics ``s -> a s + b s**3 + c s**5`` from ``s = g / (|g| + epsilon)``.

    Args:
        g: the only entry of the matrix; 0, where it is known exactly, gives 0.
        coefficients: (a, b, c) of the successive steps; the last ones repeat.
        steps: number of quintics, at least 1.
        epsilon: added to the norm.

    Raises:
        ExactInputError: no step, no coefficients, or numbers that are none.

    Example:
        >>> from fractions import Fraction
        >>> s = newton_schulz_scalar(Fraction(3), [("3.4445", "-4.775", "2.0315")], steps=1)
        >>> s.contains(Fraction("0.701"))  # a + b + c, where the polar factor is 1
        True

    Reference:
        Jordan et al. 2024, Muon; a control of statement L4.
    """
    if steps < 1 or not coefficients:
        raise ExactInputError(f"newton_schulz: expected steps >= 1 and coefficients, found {steps} and {coefficients}")
    entry = enclosure(g)
    if entry.is_point and entry.lower == 0:
        return entry
    s = entry / (enclosure(absolute(entry)) + number_from(epsilon, "epsilon"))
    rows = [vector_from(list(row), "coefficients") for row in coefficients]
    for a, b, c in islice(chain(rows, repeat(rows[-1])), steps):
        square = s.square()
        s = s * (square * (square * c + b) + a)
    return s
