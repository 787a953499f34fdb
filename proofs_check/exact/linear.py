"""Small exact linear algebra on lists of rows of fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from proofs_check.exact.psd import is_psd, whole_rows

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
    """Decide whether a symmetric matrix is positive semidefinite, exactly: :func:`proofs_check.exact.psd.is_psd`.

    Raises:
        ExactInputError: the matrix is not symmetric.

    Example:
        >>> one, two = Fraction(1), Fraction(2)
        >>> is_positive_semidefinite([[one, one], [one, one]]), is_positive_semidefinite([[one, two], [two, one]])
        (True, False)
    """
    return is_psd(whole_rows(A)[1])
