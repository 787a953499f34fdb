"""What the functions of this package accept: exact numbers of a size that their float solvers can hold."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction
from numbers import Integral

from modeconn.cells import as_fraction
from modeconn.errors import InputError

__all__ = ["LARGEST", "LARGEST_WIDTH", "check_sizes", "exact_radius", "short", "whole_width"]

LARGEST = Fraction(10**30)
"""Data, radii and decays beyond, and those other than 0 below its inverse, are refused: products leave the floats."""

LARGEST_WIDTH = 10**12


def short(value: Fraction) -> str:
    """Return the number as it is if it is short, else six digits of it.

    Example:
        >>> short(Fraction(1, 3)), short(Fraction(1, 10**300)), short(Fraction(2, 10**400))
        ('1/3', '1e-300', '2e-400')
    """
    if value.numerator.bit_length() + value.denominator.bit_length() <= 64:
        return str(value)
    quotient = Context(prec=6, Emax=10**9, Emin=-(10**9)).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{quotient.normalize():.6g}"


def check_sizes(values: Iterable[Fraction], where: str) -> None:
    """Raise :class:`InputError` for a number other than 0 that is too large or too small for the solvers."""
    for value in values:
        if value and not 1 / LARGEST <= abs(value) <= LARGEST:
            raise InputError(
                f"{where}: expected numbers of size 1e-30 to 1e30, found {short(value)}; choose another unit"
            )


def exact_radius(value: object, where: str = "radius") -> Fraction:
    """Return a positive number of a size that the solvers can hold, exactly.

    Raises:
        InputError: anything else.
    """
    found = as_fraction(value, where)
    if found <= 0:
        raise InputError(f"{where}: expected a positive number, found {short(found)}")
    check_sizes([found], where)
    return found


def whole_width(value: object, where: str = "width") -> int:
    """Return a width as an integer.

    Raises:
        InputError: anything but an integer from 1 to :data:`LARGEST_WIDTH`.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or not 1 <= int(value) <= LARGEST_WIDTH:
        raise InputError(f"{where}: expected an integer from 1 to {LARGEST_WIDTH}, found {value}")
    return int(value)
