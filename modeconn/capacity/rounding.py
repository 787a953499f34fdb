"""Short decimals on a known side of a square root."""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = ["decimal_below", "decimal_root"]


def decimal_root(square: Fraction, *, up: bool, digits: int = 15) -> Fraction:
    """Return a number of so many digits at most (at least, ``up``) the square root of a fraction >= 0.

    Example:
        >>> decimal_root(Fraction(2), up=False, digits=3), decimal_root(Fraction(4), up=True)
        (Fraction(141, 100), Fraction(2, 1))
    """
    if square <= 0:
        return Fraction(0)
    exponent = math.floor(math.log10(square.numerator) - math.log10(square.denominator)) // 2 - digits + 1
    step = Fraction(10) ** exponent
    scaled = square / step**2
    root = math.isqrt(scaled.numerator // scaled.denominator)
    return step * (root if not up or root * root == scaled else root + 1)


def decimal_below(value: Fraction, digits: int = 15) -> Fraction:
    """Return a number of so many digits at most a positive fraction.

    Example:
        >>> decimal_below(Fraction(2, 3), 2)
        Fraction(33, 50)
    """
    step = Fraction(10) ** (math.floor(math.log10(value.numerator) - math.log10(value.denominator)) - digits + 1)
    return step * math.floor(value / step)
