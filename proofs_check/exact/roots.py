"""Sums of two square roots against a rational, decided by squaring twice."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["compare_with_sum_of_roots"]


def compare_with_sum_of_roots(a: Fraction, p: Fraction, q: Fraction) -> int:
    """Return the sign of a - sqrt(p) - sqrt(q), exactly, for p, q >= 0: -1, 0 or 1.

    For a >= 0, squared: a^2 - p - q against 2 sqrt(p q), and again.

    Example:
        >>> [compare_with_sum_of_roots(Fraction(a), Fraction(4), Fraction(9)) for a in (6, 5, 4, -6)]
        [1, 0, -1, -1]
    """
    if a < 0:
        return -1
    rest = a * a - p - q
    gap = rest * rest - 4 * p * q if rest >= 0 else Fraction(-1)
    return (gap > 0) - (gap < 0)
