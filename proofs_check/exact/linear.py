"""Small exact linear algebra on lists of rows of fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from proofs_check.exact.rational import ExactInputError

__all__ = ["inner", "is_positive_semidefinite", "matrix_vector"]


def inner(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    """Return the inner product of two vectors of one length.

    Example:
        >>> inner([Fraction(1, 2), Fraction(3)], [Fraction(4), Fraction(-1)])
        Fraction(-1, 1)
    """
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def matrix_vector(A: Sequence[Sequence[Fraction]], x: Sequence[Fraction]) -> list[Fraction]:
    """Return ``A x``."""
    return [inner(row, x) for row in A]


def is_positive_semidefinite(A: Sequence[Sequence[Fraction]]) -> bool:
    """Decide whether a symmetric matrix is positive semidefinite, exactly, by symmetric elimination in O(k**3).

    A pivot that is 0 needs a row of zeros; a negative pivot decides against.

    Raises:
        ExactInputError: the matrix is not symmetric.

    Example:
        >>> one, two = Fraction(1), Fraction(2)
        >>> is_positive_semidefinite([[one, one], [one, one]]), is_positive_semidefinite([[one, two], [two, one]])
        (True, False)
    """
    size = len(A)
    if any(len(row) != size for row in A) or any(A[i][j] != A[j][i] for i in range(size) for j in range(i)):
        raise ExactInputError("positive semidefinite: expected a symmetric matrix")
    rest = [list(row) for row in A]
    while rest:
        pivot, row = rest[0][0], rest[0][1:]
        if pivot < 0 or (pivot == 0 and any(row)):
            return False
        tail = [line[1:] for line in rest[1:]]
        if pivot:
            tail = [
                [c - a * b / pivot for c, b in zip(line, row, strict=True)] for line, a in zip(tail, row, strict=True)
            ]
        rest = tail
    return True
