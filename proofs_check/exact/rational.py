"""Numbers in and out of exact arithmetic: every spelling denotes one rational, nothing is rounded on the way in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

__all__ = [
    "ExactInputError",
    "ceil_dyadic",
    "common_denominator",
    "floor_dyadic",
    "matrix_from",
    "number_from",
    "number_to_string",
    "round_down",
    "round_up",
    "vector_from",
]

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,6}))?")
_HEXADECIMAL = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?[0-9]{1,6}))?")
_LARGEST_EXPONENT = 20_000
_DECIMAL_BITS = 12_000  # longer integers are written in hexadecimal: Python refuses decimals of more than 4300 digits


class ExactInputError(ValueError):
    """A number, vector or matrix that has no exact meaning; the message says what was found and what to give."""


def number_from(value: Any, name: str = "number") -> Fraction:
    """Return the rational that ``value`` denotes, exactly.

    Integers and fractions are themselves; a float is the dyadic rational it stores; the string ``"0.1"`` is one tenth,
    ``"3/7"`` a ratio of integers, and ``"0x1.8p-3"`` a hexadecimal float of any length. Arrays of one number count.

    Args:
        value: the number.
        name: what it is called in the error.

    Raises:
        ExactInputError: NaN, infinity, booleans, other text or types; the remedy is in the message.

    Example:
        >>> number_from("0.1"), number_from(0.5), number_from("-3/7"), number_from("0x1.8p-3")
        (Fraction(1, 10), Fraction(1, 2), Fraction(-3, 7), Fraction(3, 16))
        >>> number_from(0.1) == number_from("0.1")
        False
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ExactInputError(f"{name}: expected a finite number, found {value}")
        return Fraction(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str):
        return _from_string(value.strip(), name)
    if hasattr(value, "tolist") and not isinstance(value.tolist(), list):
        return number_from(value.tolist(), name)
    raise ExactInputError(f"{name}: expected an integer, a float or a string such as '3/7', found {_short(value)}")


def _from_string(text: str, name: str) -> Fraction:
    numerator, slash, denominator = text.partition("/")
    try:
        if slash:
            top, bottom = _scalar_from_string(numerator), _scalar_from_string(denominator)
            if top.denominator == bottom.denominator == 1 and bottom > 0:
                return top / bottom
        else:
            return _scalar_from_string(text)
    except ValueError:
        pass
    raise ExactInputError(
        f"{name}: expected a number such as '3/7', '0.1' or '0x1.8p-3' (hexadecimal beyond 4300 digits), "
        f"found {_short(text)}"
    )


def _scalar_from_string(text: str) -> Fraction:
    if found := _DECIMAL.fullmatch(text):
        if abs(int(found[1] or 0)) > _LARGEST_EXPONENT:
            raise ValueError
        return Fraction(text)
    if found := _HEXADECIMAL.fullmatch(text):
        sign, whole, part, exponent = found[1], found[2], found[3] or "", int(found[4] or 0)
        if abs(exponent) > _LARGEST_EXPONENT:
            raise ValueError
        magnitude = int(whole + part, 16) * Fraction(2) ** (exponent - 4 * len(part))
        return -magnitude if sign == "-" else magnitude
    raise ValueError


def number_to_string(value: Fraction) -> str:
    """Return ``"p/q"`` (or ``"p"``), which :func:`number_from` reads back to the same rational.

    Example:
        >>> number_to_string(Fraction(6, -4)), number_to_string(Fraction(2))
        ('-3/2', '2')
    """

    def digits(integer: int) -> str:
        return str(integer) if integer.bit_length() <= _DECIMAL_BITS else hex(integer)

    if value.denominator == 1:
        return digits(value.numerator)
    return f"{digits(value.numerator)}/{digits(value.denominator)}"


def vector_from(values: Any, name: str = "vector") -> list[Fraction]:
    """Return a list of exact numbers.

    Raises:
        ExactInputError: not a sequence of numbers, or empty.

    Example:
        >>> vector_from([1, "1/2"])
        [Fraction(1, 1), Fraction(1, 2)]
    """
    items = _items(values, name)
    return [number_from(item, f"{name}[{k}]") for k, item in enumerate(items)]


def matrix_from(values: Any, name: str = "matrix") -> list[list[Fraction]]:
    """Return a list of equally long rows of exact numbers.

    Raises:
        ExactInputError: not a sequence of rows, empty, or ragged.

    Example:
        >>> matrix_from([[1, 2], [3, "4"]])[1]
        [Fraction(3, 1), Fraction(4, 1)]
    """
    rows = [vector_from(row, f"{name}[{k}]") for k, row in enumerate(_items(values, name))]
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ExactInputError(f"{name}: expected rows of one length, found lengths {sorted(lengths)}")
    return rows


def _items(values: Any, name: str) -> list[Any] | tuple[Any, ...]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    if not isinstance(values, list | tuple):
        raise ExactInputError(f"{name}: expected a list, found {_short(values)}")
    if not values:
        raise ExactInputError(f"{name}: expected at least one entry, found none")
    return values


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str | bool) or value is None else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def common_denominator(values: Iterable[Fraction]) -> int:
    """Return the least common denominator: multiplying by it makes every value an integer.

    Example:
        >>> common_denominator([Fraction(1, 4), Fraction(5, 6)])
        12
    """
    return math.lcm(*{value.denominator for value in values})


def floor_dyadic(value: Fraction, bits: int) -> Fraction:
    """Return the largest multiple of ``2**-bits`` that is at most ``value``.

    Example:
        >>> floor_dyadic(Fraction(1, 3), 2), ceil_dyadic(Fraction(1, 3), 2)
        (Fraction(1, 4), Fraction(1, 2))
    """
    unit = Fraction(2) ** bits
    return math.floor(value * unit) / unit


def ceil_dyadic(value: Fraction, bits: int) -> Fraction:
    """Return the least multiple of ``2**-bits`` that is at least ``value``."""
    return -floor_dyadic(-value, bits)


def round_down(value: Fraction) -> float:
    """Return the largest float that is at most ``value`` (``-inf`` below the range of floats).

    Example:
        >>> round_down(Fraction(1, 3)) < Fraction(1, 3) < round_up(Fraction(1, 3))
        True
    """
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf if value > 0 else -math.inf
    if math.isinf(nearest):
        return math.nextafter(math.inf, 0.0) if nearest > 0 else -math.inf
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def round_up(value: Fraction) -> float:
    """Return the least float that is at least ``value`` (``inf`` above the range of floats)."""
    return 0.0 - round_down(-value)
