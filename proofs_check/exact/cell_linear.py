"""Two pieces of rational linear algebra: the null space, and a quadratic form of an inverse."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["dot", "inverse_forms", "nullspace"]

Vector = Sequence[Fraction]


def dot(a: Sequence[Fraction | int], b: Sequence[Fraction | int]) -> Fraction:
    """Return the inner product of two vectors of equal length.

    Example:
        >>> dot([1, 2], [Fraction(1, 2), 3])
        Fraction(13, 2)
    """
    return sum((Fraction(p * q) for p, q in zip(a, b, strict=True)), Fraction(0))


def nullspace(rows: Sequence[Vector], d: int) -> list[list[Fraction]]:
    """Return a basis of {v in Q^d : row . v = 0 for every row}, by Gauss-Jordan elimination.

    Cost: O(len(rows) * d^2) rational operations.

    Example:
        >>> nullspace([[Fraction(1), Fraction(2), Fraction(0)]], 3) == [[-2, 1, 0], [0, 0, 1]]
        True
    """
    reduced: list[list[Fraction]] = []
    pivots: list[int] = []
    for row in rows:
        left = list(row)
        for pivot, done in zip(pivots, reduced, strict=True):
            left = [p - left[pivot] * q for p, q in zip(left, done, strict=True)]
        column = next((k for k, value in enumerate(left) if value), None)
        if column is None:
            continue
        left = [value / left[column] for value in left]
        reduced = [[p - done[column] * q for p, q in zip(done, left, strict=True)] for done in reduced]
        reduced.append(left)
        pivots.append(column)
    basis = []
    for free in (k for k in range(d) if k not in pivots):
        vector = [Fraction(0)] * d
        vector[free] = Fraction(1)
        for pivot, done in zip(pivots, reduced, strict=True):
            vector[pivot] = -done[free]
        basis.append(vector)
    return basis


def inverse_forms(matrix: Sequence[Vector], vectors: Sequence[Vector]) -> list[Fraction] | None:
    """Return g . M^-1 g for every vector g, or None when the symmetric M is not positive definite.

    Elimination without exchange gives M = L D L^T; M is positive definite iff every pivot D_k is positive, and then
    g . M^-1 g = sum_k (L^-1 g)_k^2 / D_k.

    Cost: O(d^3 + d^2 len(vectors)) rational operations.

    Example:
        >>> inverse_forms([[Fraction(2), Fraction(0)], [Fraction(0), Fraction(1)]], [[Fraction(1), Fraction(1)]])
        [Fraction(3, 2)]
        >>> inverse_forms([[Fraction(-1)]], []) is None
        True
    """
    d = len(matrix)
    left = [list(row) for row in matrix]
    right = [list(vector) for vector in vectors]
    for k in range(d):
        pivot = left[k][k]
        if pivot <= 0:
            return None
        for i in range(k + 1, d):
            factor = left[i][k] / pivot
            if factor:
                left[i] = [p - factor * q for p, q in zip(left[i], left[k], strict=True)]
                for vector in right:
                    vector[i] -= factor * vector[k]
    return [sum((v[k] * v[k] / left[k][k] for k in range(d)), Fraction(0)) for v in right]
