"""Losses, Gram matrices and norms of small nets of several outputs, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from modeconn.cells.rational import is_positive_semidefinite
from modeconn.constructions import GramPath

__all__ = [
    "Matrix",
    "Sums",
    "at_knot",
    "exact",
    "gap_to",
    "is_bounded_by",
    "largest_eigenvalue_above",
    "largest_eigenvalue_below",
    "loss_of",
    "sums_of",
    "trace",
]

Matrix = list[list[Fraction]]


class Sums(NamedTuple):
    """What loss and region see of a net: prediction (n, c), W W^T (d, d) and A A^T (c, c)."""

    prediction: Matrix
    hidden: Matrix
    output: Matrix


def exact(values: object) -> Matrix:
    """Return a matrix of floats, integers or rationals as the rationals they are."""
    return [[Fraction(v) for v in row] for row in np.asarray(values, dtype=object).tolist()]


def sums_of(W: Matrix, A: Matrix, X: Matrix, t: Sequence[Fraction] | None = None) -> Sums:
    """Return sum_j t_j psi(z_j) over the neurons z_j = (w_j, a_j), the columns of W and A; t = 1 by default."""
    weights = [Fraction(1)] * len(W[0]) if t is None else list(t)
    live = [j for j, weight in enumerate(weights) if weight]
    H = [[max(sum((x[k] * W[k][j] for k in range(len(W))), Fraction(0)), Fraction(0)) for j in live] for x in X]

    def product(P: Matrix, Q: Matrix) -> Matrix:
        return [[sum((p * q for p, q in zip(u, v, strict=True)), Fraction(0)) for v in Q] for u in P]

    def weighted(P: Matrix) -> Matrix:
        return [[weights[j] * row[j] for j in live] for row in P]

    return Sums(product(H, weighted(A)), _gram(W, weighted(W), live), _gram(A, weighted(A), live))


def _gram(P: Matrix, weighted: Matrix, live: Sequence[int]) -> Matrix:
    plain = [[row[j] for j in live] for row in P]
    return [[sum((p * q for p, q in zip(u, v, strict=True)), Fraction(0)) for v in weighted] for u in plain]


def at_knot(path: GramPath, knot: int, X: Matrix) -> Sums:
    """Return the sums at a knot of a path."""
    base, t = path.base[knot], path.t[knot]
    return sums_of(exact(path.W[:, base]), exact(path.A[:, base]), X, [Fraction(v) for v in t.tolist()])


def loss_of(prediction: Matrix, Y: Matrix) -> Fraction:
    """Return half the sum of squared errors."""
    pairs = ((p, q) for row, other in zip(prediction, Y, strict=True) for p, q in zip(row, other, strict=True))
    return sum(((p - q) ** 2 for p, q in pairs), Fraction(0)) / 2


def trace(G: Matrix) -> Fraction:
    """Return the trace."""
    return sum((G[k][k] for k in range(len(G))), Fraction(0))


def gap_to(G: Matrix, other: Matrix) -> Fraction:
    """Return the largest difference of two entries."""
    pairs = ((p, q) for row, across in zip(G, other, strict=True) for p, q in zip(row, across, strict=True))
    return max(abs(p - q) for p, q in pairs)


def largest_eigenvalue_below(G: Matrix) -> Fraction:
    """Return a lower bound of the largest eigenvalue: the Rayleigh quotient of the eigenvector found in floats."""
    _, vectors = np.linalg.eigh(np.array([[float(v) for v in row] for row in G]))
    v = [Fraction(x) for x in vectors[:, -1].tolist()]
    Gv = [sum((g * x for g, x in zip(row, v, strict=True)), Fraction(0)) for row in G]
    return sum((x * y for x, y in zip(v, Gv, strict=True)), Fraction(0)) / sum((x * x for x in v), Fraction(0))


def largest_eigenvalue_above(G: Matrix) -> Fraction:
    """Return an upper bound of the largest eigenvalue, decided exactly; above it by a relative 2^-40 or so."""
    bound = largest_eigenvalue_below(G)
    step = max(bound, trace(G)) * Fraction(1, 2**40)
    while not is_bounded_by(G, bound):
        bound, step = bound + step, 2 * step
    return bound


def is_bounded_by(G: Matrix, bound: Fraction) -> bool:
    """Return whether bound I - G is positive semidefinite."""
    return is_positive_semidefinite(
        [[(bound if i == j else 0) - value for j, value in enumerate(row)] for i, row in enumerate(G)]
    )
