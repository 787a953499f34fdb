"""Exact numbers: reading them, writing them, and small exact linear algebra over the integers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational

from modeconn.errors import InputError

__all__ = [
    "as_fraction",
    "common_denominator",
    "fraction_text",
    "is_positive_semidefinite",
    "null_space",
    "primitive",
    "rank",
    "row_space_basis",
    "solve_integer",
    "solve_rational",
]

IntVector = tuple[int, ...]

_NUMBER = re.compile(r"\s*[+-]?(\d+(/\d+)?|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?)\s*", re.ASCII)


def as_fraction(value: object, where: str = "number") -> Fraction:
    """Return the rational number that ``value`` denotes.

    Integers and :class:`~fractions.Fraction` are taken as they are, strings as ``"3/7"`` or as the decimal that is
    written, and floats as their shortest decimal: 0.1 is one tenth.

    Args:
        value: the number.
        where: its place in the input, for the message.

    Raises:
        InputError: ``value`` is no finite rational number.

    Example:
        >>> as_fraction("0.1"), as_fraction("-3/7"), as_fraction(2)
        (Fraction(1, 10), Fraction(-3, 7), Fraction(2, 1))
    """
    if isinstance(value, Rational) and not isinstance(value, bool):
        return Fraction(value)
    text = repr(float(value)) if isinstance(value, float) else value
    if isinstance(text, str) and len(text) <= 2000 and _NUMBER.fullmatch(text):
        try:
            return Fraction(text.strip())
        except ZeroDivisionError:
            pass
    raise InputError(f'{where}: expected a finite rational such as 2, 0.1 or "3/7", found {value!r}; write it as one')


def fraction_text(value: Fraction) -> str:
    """Return ``"p/q"``, or ``"p"`` for an integer."""
    return str(value)


def common_denominator(values: Sequence[Fraction]) -> int:
    """Return the least positive q with every q * value an integer."""
    return math.lcm(1, *(v.denominator for v in values))


def primitive(vector: Sequence[int]) -> IntVector:
    """Return ``vector`` divided by the greatest common divisor of its entries (the zero vector unchanged)."""
    divisor = math.gcd(*vector) or 1
    return tuple(v // divisor for v in vector)


def is_positive_semidefinite(matrix: Sequence[Sequence[Fraction]], *, definite: bool = False) -> bool:
    """Return whether a symmetric rational matrix is positive semidefinite (definite), by exact elimination.

    Example:
        >>> is_positive_semidefinite([[Fraction(1), Fraction(2)], [Fraction(2), Fraction(4)]])
        True
        >>> is_positive_semidefinite([[Fraction(1), Fraction(2)], [Fraction(2), Fraction(3)]])
        False
    """
    work = [list(row) for row in matrix]
    for k, row in enumerate(work):
        pivot = row[k]
        if pivot < 0 or (pivot == 0 and (definite or any(row[k:]))):
            return False
        if pivot:
            for other in work[k + 1 :]:
                factor = other[k] / pivot
                other[k:] = [a - factor * b for a, b in zip(other[k:], row[k:], strict=True)]
    return True


def solve_rational(matrix: Sequence[Sequence[Fraction]], target: Sequence[Fraction]) -> list[Fraction] | None:
    """Return some x with M x = b (free coordinates zero), ``None`` if there is none."""
    columns = len(matrix[0])
    reduced, pivots = _reduced_rows([[*row, b] for row, b in zip(matrix, target, strict=True)])
    if pivots and pivots[-1] == columns:
        return None
    x = [Fraction(0)] * columns
    for row, pivot in zip(reduced, pivots, strict=True):
        x[pivot] = row[columns]
    return x


def _reduced_rows(rows: Sequence[Sequence[Fraction]]) -> tuple[list[list[Fraction]], list[int]]:
    """Return the reduced row echelon form without its zero rows, and the pivot columns."""
    work = [[Fraction(v) for v in row] for row in rows]
    columns = len(work[0]) if work else 0
    pivots: list[int] = []
    for column in range(columns):
        top = len(pivots)
        found = next((i for i in range(top, len(work)) if work[i][column]), None)
        if found is None:
            continue
        work[top], work[found] = work[found], work[top]
        scale = work[top][column]
        work[top] = [v / scale for v in work[top]]
        for i, row in enumerate(work):
            if i != top and row[column]:
                factor = row[column]
                work[i] = [a - factor * b for a, b in zip(row, work[top], strict=True)]
        pivots.append(column)
    return work[: len(pivots)], pivots


def rank(rows: Sequence[Sequence[Fraction]]) -> int:
    """Return the rank of a rational matrix given by its rows."""
    return len(_reduced_rows(rows)[1])


def row_space_basis(rows: Sequence[Sequence[Fraction]]) -> list[IntVector]:
    """Return an integer basis of the row space, in reduced echelon form (the unit vectors at full column rank)."""
    basis = []
    for row in _reduced_rows(rows)[0]:
        scale = common_denominator(row)
        basis.append(primitive([int(v * scale) for v in row]))
    return basis


def null_space(rows: Sequence[Sequence[Fraction]], columns: int) -> list[IntVector]:
    """Return an integer basis of {v : M v = 0}, M given by its rows of length ``columns``."""
    reduced, pivots = _reduced_rows(rows)
    basis = []
    for free in sorted(set(range(columns)) - set(pivots)):
        vector = [Fraction(0)] * columns
        vector[free] = Fraction(1)
        for row, pivot in zip(reduced, pivots, strict=True):
            vector[pivot] = -row[free]
        scale = common_denominator(vector)
        basis.append(primitive([int(v * scale) for v in vector]))
    return basis


def solve_integer(matrix: Sequence[Sequence[int]], target: Sequence[int]) -> tuple[list[int], int] | None:
    """Return integers (z, q) with M z = q b and q = |det M|, or ``None`` when M is singular.

    Fraction-free Gauss-Jordan elimination (Bareiss), O(k^3) integer operations for a k x k matrix.

    Example:
        >>> solve_integer([[2, 1], [1, 3]], [1, 1])   # z = (2/5, 1/5)
        ([2, 1], 5)
    """
    size = len(matrix)
    work = [[*row, b] for row, b in zip(matrix, target, strict=True)]
    previous = 1
    for k in range(size):
        found = next((i for i in range(k, size) if work[i][k]), None)
        if found is None:
            return None
        work[k], work[found] = work[found], work[k]
        pivot_row = work[k]
        pivot = pivot_row[k]
        for i, row in enumerate(work):
            if i != k:
                factor = row[k]
                work[i] = [(pivot * a - factor * b) // previous for a, b in zip(row, pivot_row, strict=True)]
        previous = pivot
    sign = 1 if previous > 0 else -1
    return [sign * row[size] for row in work], sign * previous
