"""Interval arithmetic with rational ends, rounded outward to a fixed number of bits so that long runs stay short."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from proofs_check.exact.rational import ExactInputError, number_from

__all__ = ["BITS", "Interval", "Scalar", "absolute", "enclosure", "maximum", "minimum", "sign", "square_root"]

BITS = 128
"""Significant bits of the ends unless an interval says otherwise."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The closed interval ``[lower, upper]``: it contains the number that it stands for, whatever happened to it.

    Every operation returns an interval that contains all results for operands in the given ones. Ends whose numerator
    and denominator fit in ``bits`` bits are kept as they are; longer ones are rounded outward to a dyadic rational of
    ``bits`` significant bits. Comparisons are methods that answer ``True``, ``False`` or, where the intervals overlap,
    ``None``: "not shown" is not "false".

    Attributes:
        lower: lower end.
        upper: upper end, not below ``lower``.
        bits: significant bits kept; of two operands the larger number counts.

    Example:
        >>> third = Interval.point(1) / 3
        >>> third.is_point, square_root(Interval.point(2)).contains(Fraction(1414, 1000))
        (True, False)
        >>> Interval(Fraction(0), Fraction(2)).is_below(1) is None
        True
    """

    lower: Fraction
    upper: Fraction
    bits: int = BITS

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise ExactInputError(f"interval: expected lower <= upper, found {self.lower} > {self.upper}")

    @staticmethod
    def point(value: int | float | str | Fraction, bits: int = BITS) -> Interval:
        """Return the tightest interval around one number (the number itself unless it is longer than ``bits``)."""
        exact = number_from(value)
        return _outward(exact, exact, bits)

    @property
    def is_point(self) -> bool:
        """Whether the interval is one number, hence exact."""
        return self.lower == self.upper

    @property
    def width(self) -> Fraction:
        """Return ``upper - lower``."""
        return self.upper - self.lower

    def contains(self, value: Scalar | int) -> bool:
        """Whether a number, or every number of an interval, lies inside."""
        lower, upper, _ = _ends(value)
        return self.lower <= lower and upper <= self.upper

    def is_below(self, other: Scalar | int) -> bool | None:
        """Decide ``self < other``: ``None`` when the intervals do not tell."""
        lower, upper, _ = _ends(other)
        return True if self.upper < lower else False if self.lower >= upper else None

    def is_at_most(self, other: Scalar | int) -> bool | None:
        """Decide ``self <= other``: ``None`` when the intervals do not tell."""
        lower, upper, _ = _ends(other)
        return True if self.upper <= lower else False if self.lower > upper else None

    def is_equal(self, other: Scalar | int) -> bool | None:
        """Decide ``self == other`` as numbers: ``None`` when the intervals overlap without both being that number."""
        lower, upper, _ = _ends(other)
        if self.upper < lower or upper < self.lower:
            return False
        return True if self.is_point and lower == upper else None

    def __neg__(self) -> Interval:
        return Interval(-self.upper, -self.lower, self.bits)

    def __abs__(self) -> Interval:
        if self.lower >= 0:
            return self
        if self.upper <= 0:
            return -self
        return Interval(Fraction(0), max(-self.lower, self.upper), self.bits)

    def __add__(self, other: Scalar | int) -> Interval:
        lower, upper, bits = _ends(other)
        return _outward(self.lower + lower, self.upper + upper, max(self.bits, bits))

    def __sub__(self, other: Scalar | int) -> Interval:
        return self + -other

    def __rsub__(self, other: Fraction | int) -> Interval:
        return -self + other

    def __mul__(self, other: Scalar | int) -> Interval:
        lower, upper, bits = _ends(other)
        ends = [a * b for a in (self.lower, self.upper) for b in (lower, upper)]
        return _outward(min(ends), max(ends), max(self.bits, bits))

    def __truediv__(self, other: Scalar | int) -> Interval:
        lower, upper, bits = _ends(other)
        if lower <= 0 <= upper:
            raise ZeroDivisionError(f"division by an interval that contains 0: [{lower}, {upper}]")
        ends = [a / b for a in (self.lower, self.upper) for b in (lower, upper)]
        return _outward(min(ends), max(ends), max(self.bits, bits))

    def __rtruediv__(self, other: Fraction | int) -> Interval:
        return Interval(Fraction(other), Fraction(other), self.bits) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def square(self) -> Interval:
        """Return the squares, tighter than ``self * self`` when 0 lies inside."""
        size = abs(self)
        return _outward(size.lower * size.lower, size.upper * size.upper, self.bits)


Scalar = Fraction | Interval
"""A number known exactly, or one known to lie in an interval."""


def _ends(value: Scalar | int) -> tuple[Fraction, Fraction, int]:
    """Return the ends, unrounded, and the bits that the value asks for: none unless it is an interval."""
    if isinstance(value, Interval):
        return value.lower, value.upper, value.bits
    return Fraction(value), Fraction(value), 0


def enclosure(value: Scalar | int, bits: int = BITS) -> Interval:
    """Return ``value`` as an interval."""
    return value if isinstance(value, Interval) else _outward(Fraction(value), Fraction(value), bits)


def maximum(a: Scalar | int, b: Scalar | int) -> Scalar:
    """Return ``max(a, b)``, exact if both are.

    Example:
        >>> maximum(Fraction(1, 2), 0), maximum(Interval(Fraction(-1), Fraction(1)), 0).lower
        (Fraction(1, 2), Fraction(0, 1))
    """
    if isinstance(a, Interval) or isinstance(b, Interval):
        (p, q, bits), (r, s, more) = _ends(a), _ends(b)
        return Interval(max(p, r), max(q, s), max(bits, more))
    return max(Fraction(a), Fraction(b))


def minimum(a: Scalar | int, b: Scalar | int) -> Scalar:
    """Return ``min(a, b)``, exact if both are."""
    return -maximum(-a, -b)


def absolute(x: Scalar) -> Scalar:
    """Return ``|x|``."""
    if isinstance(x, Interval):
        return abs(x)
    return abs(x)


def sign(x: Scalar) -> Scalar:
    """Return -1, 0 or 1; an interval around 0 gives ``[-1, 1]``, which is its set of subgradients of ``|x|``.

    Example:
        >>> sign(Fraction(-3, 2)), sign(Interval(Fraction(-1), Fraction(1))).lower
        (Fraction(-1, 1), Fraction(-1, 1))
    """
    if isinstance(x, Fraction):
        return Fraction((x > 0) - (x < 0))
    if x.lower > 0 or x.upper < 0 or x.is_point:
        return Fraction((x.lower > 0) - (x.upper < 0))
    return Interval(Fraction(-1), Fraction(1), x.bits)


def square_root(x: Scalar, bits: int = BITS) -> Scalar:
    """Return the square root: exact for the square of a rational, else an interval.

    Raises:
        ExactInputError: ``x`` reaches below 0.

    Example:
        >>> square_root(Fraction(9, 4))
        Fraction(3, 2)
        >>> square_root(Fraction(2)).width < Fraction(1, 2**120)
        True
    """
    low, high = (x, x) if isinstance(x, Fraction) else (x.lower, x.upper)
    if low < 0:
        raise ExactInputError(f"square root: expected a number >= 0, found one that reaches {low}")
    if isinstance(x, Interval):
        bits = x.bits
    lower, upper = _root(low, bits)[0], _root(high, bits)[1]
    return lower if isinstance(x, Fraction) and lower == upper else _outward(lower, upper, bits)


def _root(x: Fraction, bits: int) -> tuple[Fraction, Fraction]:
    """Return bounds of the root of ``x >= 0`` that differ in the last of ``bits`` bits, or are equal and the root."""
    top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
    if top * top == x.numerator and bottom * bottom == x.denominator:
        return Fraction(top, bottom), Fraction(top, bottom)
    unit = Fraction(2) ** (bits + 1 - _magnitude(x) // 2)
    steps = math.isqrt(math.floor(x * unit * unit))
    return steps / unit, (steps + 1) / unit


def _magnitude(x: Fraction) -> int:
    """Return e with ``2**(e-1) < |x| < 2**(e+1)``."""
    return x.numerator.bit_length() - x.denominator.bit_length()


def _outward(lower: Fraction, upper: Fraction, bits: int) -> Interval:
    return Interval(_down(lower, bits), -_down(-upper, bits), bits)


def _down(x: Fraction, bits: int) -> Fraction:
    if x.numerator.bit_length() <= bits and x.denominator.bit_length() <= bits:
        return x
    shift = bits - _magnitude(x)
    if shift >= 0:
        return Fraction((x.numerator << shift) // x.denominator, 1 << shift)
    return Fraction((x.numerator // (x.denominator << -shift)) << -shift)
