"""Positive semidefinite tests and Gram matrices in integers: no fraction is ever reduced.

Two exact tests of one integer matrix M. The cheap one takes a Cholesky factor L from floats, trusts none of it, and
looks at the residual M - L L^T in integers: if that is diagonally dominant with a diagonal >= 0, both terms of
M = L L^T + (M - L L^T) are positive semidefinite. It settles matrices with a little room (a relative 1e-11, say) in
numbers of M's own length. What is left, singular matrices included, goes through elimination without fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import sqrt
from operator import mul

from proofs_check.exact.rational import ExactInputError, common_denominator

__all__ = ["gram", "is_psd", "power_trace", "whole_rows"]

_FACTOR_BITS = 60  # the float Cholesky factor is rounded to multiples of 2**-60
_ROOM = 2.0**-44  # subtracted from the diagonal, so that rounding in the factor cannot matter


def whole_rows(rows: Iterable[Sequence[Fraction]]) -> tuple[int, list[list[int]]]:
    """Return the least common denominator of all entries, and the rows times it.

    Example:
        >>> whole_rows([[Fraction(1, 2), Fraction(3)], [Fraction(1, 3), Fraction(0)]])
        (6, [[3, 18], [2, 0]])
    """
    kept = list(rows)
    scale = common_denominator(value for row in kept for value in row)
    return scale, [[value.numerator * (scale // value.denominator) for value in row] for row in kept]


def gram(vectors: Sequence[Sequence[int]], weights: Sequence[int], size: int) -> list[list[int]]:
    """Return ``sum_k weights[k] v_k v_k^T`` as a full symmetric matrix; ``size`` is the length of every vector.

    Example:
        >>> gram([[1, 2], [0, 1]], [1, 3], 2)
        [[1, 2], [2, 7]]
    """
    columns = list(zip(*vectors, strict=True)) or [()] * size
    found = [[0] * size for _ in range(size)]
    for i, column in enumerate(columns):
        weighted = list(map(mul, column, weights))
        for j in range(i, size):
            found[i][j] = found[j][i] = sum(map(mul, weighted, columns[j]))
    return found


def is_psd(matrix: Sequence[Sequence[int]]) -> bool:
    """Decide whether a symmetric integer matrix is positive semidefinite, exactly.

    Cost: O(k**3) operations on integers of the entries' length, or, where there is too little room, O(k**3) on
    integers up to k times that long.

    Raises:
        ExactInputError: the matrix is not symmetric.

    Example:
        >>> is_psd([[1, 1], [1, 1]]), is_psd([[1, 2], [2, 1]]), is_psd([[0, 0], [0, 3]]), is_psd([[0, 1], [1, 3]])
        (True, False, True, False)
    """
    size = len(matrix)
    if any(len(row) != size for row in matrix) or any(
        matrix[i][j] != matrix[j][i] for i in range(size) for j in range(i)
    ):
        raise ExactInputError("positive semidefinite: expected a symmetric matrix")
    if any(matrix[i][i] < 0 for i in range(size)):
        return False
    return _has_factor(matrix) or _eliminates(matrix)


def _has_factor(matrix: Sequence[Sequence[int]]) -> bool:
    """Return whether M minus a rounded Cholesky factor times its transpose is diagonally dominant; False decides not.

    With unit = 2**shift and h = 2**60, the residual is (h^2 M - unit L L^T) / h^2 for the integer matrix L.
    """
    size = len(matrix)
    largest = max((row[i] for i, row in enumerate(matrix)), default=0)
    if any(abs(value) > largest for row in matrix for value in row):
        return False  # not psd: left to the elimination
    unit = 1 << largest.bit_length()
    lower: list[list[float]] = []
    for i, row in enumerate(matrix):
        left: list[float] = []
        for j in range(i + 1):
            rest = row[j] / unit - sum(map(mul, left, lower[j] if j < i else left))
            if j < i:
                left.append(rest / lower[j][j])
            elif rest <= size * _ROOM:
                return False
            else:
                left.append(sqrt(rest - size * _ROOM))
        lower.append(left)
    whole = [[int(value * 2.0**_FACTOR_BITS) for value in left] for left in lower]
    slack = [0] * size
    for i in range(size):
        for j in range(i + 1):
            rest = (matrix[i][j] << 2 * _FACTOR_BITS) - unit * sum(map(mul, whole[i], whole[j]))
            if i == j:
                slack[i] += rest
            else:
                slack[i] -= abs(rest)
                slack[j] -= abs(rest)
    return min(slack, default=0) >= 0


def _eliminates(matrix: Sequence[Sequence[int]]) -> bool:
    """Decide by symmetric elimination without fractions: every entry that is left is a minor, so the division is exact.

    A pivot has the sign of the one of M = L D L^T, the pivots before it being positive; one that is 0 needs a row of
    zeros, which then takes no part in what is left.
    """
    rest, before = [list(row) for row in matrix], 1
    while rest:
        pivot, row = rest[0][0], rest[0][1:]
        if pivot < 0 or (pivot == 0 and any(row)):
            return False
        tail = [line[1:] for line in rest[1:]]
        if pivot:
            tail = [
                [(pivot * c - a * b) // before for c, b in zip(line, row, strict=True)]
                for line, a in zip(tail, row, strict=True)
            ]
            before = pivot
        rest = tail
    return True


def power_trace(matrix: Sequence[Sequence[int]], power: int) -> int:
    """Return ``trace(M**power)`` of a symmetric integer matrix, for ``power >= 1``.

    Example:
        >>> power_trace([[2, 1], [1, 2]], 3)  # eigenvalues 3 and 1
        28
    """
    half, odd = divmod(power, 2)
    if half == 0:
        return sum(row[i] for i, row in enumerate(matrix))
    root = _power(matrix, half)
    other = [[sum(map(mul, row, column)) for column in matrix] for row in root] if odd else root
    return sum(sum(map(mul, a, b)) for a, b in zip(root, other, strict=True))


def _power(matrix: Sequence[Sequence[int]], power: int) -> Sequence[Sequence[int]]:
    """Return ``M**power`` of a symmetric matrix, by squaring; all powers are symmetric."""
    if power == 1:
        return matrix
    root = _power(matrix, power // 2)
    square = [[sum(map(mul, row, other)) for other in root] for row in root]
    return [[sum(map(mul, row, other)) for other in matrix] for row in square] if power % 2 else square
