"""Linear nets f = A_L ... A_1 x in exact arithmetic: what they compute along a segment, and the loss there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from proofs_check.exact.polynomial import Polynomial
from proofs_check.exact.rational import ExactInputError

__all__ = ["Layers", "Matrix", "chain_error", "leg_loss", "product", "unit_integral"]

Matrix = Sequence[Sequence[Fraction]]
Layers = Sequence[Matrix]
"""A_1, ..., A_L, each a list of rows."""


def product(layers: Layers) -> list[list[Fraction]]:
    """Return A_L ... A_1.

    Example:
        >>> product([[[Fraction(1)], [Fraction(2)]], [[Fraction(3), Fraction(4)]]])
        [[Fraction(11, 1)]]
    """
    found = [list(row) for row in layers[0]]
    for layer in layers[1:]:
        if any(len(row) != len(found) for row in layer):
            raise ExactInputError(
                f"linear net: a layer after {len(found)} rows needs as many columns; check the shapes"
            )
        columns = list(zip(*found, strict=True))
        found = [[sum((a * b for a, b in zip(row, x, strict=True)), Fraction(0)) for x in columns] for row in layer]
    return found


def _between(start: Layers, end: Layers, t: Fraction) -> list[list[list[Fraction]]]:
    """Return the layers of (1 - t) start + t end."""
    return [
        [[(1 - t) * a + t * b for a, b in zip(r, s, strict=True)] for r, s in zip(A, B, strict=True)]
        for A, B in zip(start, end, strict=True)
    ]


def chain_error(knots: Sequence[Layers], Q: Matrix) -> Fraction:
    """Return the largest |entry| of f - Q at L + 1 equally spaced points of every piece of a chain, ends included.

    An entry of f - Q has degree at most L in t. If it is 0 at L + 1 points, it is 0 on the whole piece: the answer is 0
    if and only if the chain computes Q everywhere.

    Example:
        >>> one, two = Fraction(1), Fraction(2)
        >>> chain_error([[[[one]], [[two]]], [[[two]], [[one]]]], [[two]])     # (1 + t)(2 - t) - 2 at t = 1/2
        Fraction(1, 4)
    """
    worst = Fraction(0)
    for start, end in itertools.pairwise(knots):
        for j in range(len(start) + 1):
            found = product(_between(start, end, Fraction(j, len(start))))
            entries = (abs(x - y) for r, s in zip(found, Q, strict=True) for x, y in zip(r, s, strict=True))
            worst = max(worst, *entries)
    return worst


def leg_loss(start: Layers, end: Layers, Q: Matrix) -> Polynomial:
    """Return ||f_t - Q||_F^2 on the segment as a polynomial in t: the squared error for inputs with E x x^T = I.

    Example:
        >>> one = Fraction(1)
        >>> leg_loss([[[one]], [[one]]], [[[-one]], [[one]]], [[one]]).coefficients    # (1 - 2t - 1)^2
        (Fraction(0, 1), Fraction(0, 1), Fraction(4, 1))
    """
    found: list[list[Polynomial]] = []
    for A, B in zip(start, end, strict=True):
        layer = [[Polynomial([a, b - a]) for a, b in zip(r, s, strict=True)] for r, s in zip(A, B, strict=True)]
        if not found:
            found = layer
            continue
        columns = list(zip(*found, strict=True))
        found = [[sum((p * q for p, q in zip(row, x, strict=True)), Polynomial([])) for x in columns] for row in layer]
    errors = (p - y for r, s in zip(found, Q, strict=True) for p, y in zip(r, s, strict=True))
    return sum((e * e for e in errors), Polynomial([]))


def unit_integral(p: Polynomial) -> Fraction:
    """Return the integral over [0, 1].

    Example:
        >>> unit_integral(Polynomial([0, 0, 3]))
        Fraction(1, 1)
    """
    return sum((c / (k + 1) for k, c in enumerate(p.coefficients)), Fraction(0))
