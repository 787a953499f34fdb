"""Arctangent and pi as intervals."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from proofs_check.exact.interval import BITS, Interval, enclosure, square_root

__all__ = ["arctangent", "pi"]

_HALVINGS = 4
"""Each halves the angle; after four the series below needs one term for every eight bits."""


def arctangent(x: Interval | Fraction | int, bits: int = BITS) -> Interval:
    """Return arctan x; its slope is at most 1, so that an interval grows by no more than its own width.

    The angle is halved by x -> x / (1 + sqrt(1 + x^2)), then the alternating series is summed; it errs by less than
    the first term left out. The error is absolute, of the order of 2^-bits. Cost: some bits / 8 multiplications.

    Args:
        x: a number or an interval.
        bits: significant bits, unless the interval says otherwise.

    Example:
        >>> quarter = arctangent(Fraction(1))
        >>> (4 * quarter - pi()).contains(0), quarter.width < Fraction(1, 2**110)
        (True, True)
        >>> arctangent(Interval(Fraction(1), Fraction(3, 2))).contains(quarter)
        True

    Reference: the series of Gregory and Leibniz.
    """
    given = enclosure(x, bits)
    half = given.width / 2
    middle = _at(given.lower + half, given.bits)
    return middle if given.is_point else middle + Interval(-half, half, given.bits)


def _at(x: Fraction, bits: int) -> Interval:
    """Return arctan of one number."""
    z = Interval.point(x, bits)
    for _ in range(_HALVINGS):
        z = z / (1 + enclosure(square_root(1 + z.square()), bits))
    square, power, total, k = z.square(), z, z, 1
    while max(abs(power.lower), abs(power.upper)) > Fraction(1, 2**bits):
        power = -(power * square)
        k += 2
        total = total + power / k
    rest = max(abs(power.lower), abs(power.upper))
    return (total + Interval(-rest, rest, bits)) * 2**_HALVINGS


@lru_cache(maxsize=8)
def pi(bits: int = BITS) -> Interval:
    """Return pi = 16 arctan(1/5) - 4 arctan(1/239) (Machin).

    Example:
        >>> pi().contains(Fraction(355, 113)), float(pi().lower)
        (False, 3.141592653589793)
    """
    return 16 * _at(Fraction(1, 5), bits) - 4 * _at(Fraction(1, 239), bits)
