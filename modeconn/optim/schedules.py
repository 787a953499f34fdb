"""Steps that bring all singular values in [l, 1] to 1: coefficients of best quintics and weighted Halley steps."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

__all__ = ["HALLEY", "PRODUCTS", "Coefficients", "Schedule", "best_quintic", "halley_weights", "schedule"]

Coefficients = tuple[float, float, float]

_FLAT = (15 / 8, -10 / 8, 3 / 8)
"""The quintic with p(1) = 1, p'(1) = p''(1) = 0: where the best one tends to for l -> 1."""
_NEARLY_ONE = 1e-3
_CUSHION = 0.1
_MARGIN = 1.001
_EXCHANGES = 50


class Schedule(NamedTuple):
    """Steps in order: quintics that lift, Halley steps, quintics that finish; values in [smallest, 1] end near 1.

    Attributes:
        lifts: (a, b, c) of x -> a x + b x^3 + c x^5, scaled such that values stay in [0, 1].
        halley: (a, b, c) of x -> x (a + b x^2) / (1 + c x^2).
        last: quintics again; the very last is centred on 1.
        error: largest distance from 1 of what started in [smallest, 1].
    """

    lifts: tuple[Coefficients, ...]
    halley: tuple[Coefficients, ...]
    last: tuple[Coefficients, ...]
    error: float


def best_quintic(smallest: float) -> tuple[Coefficients, float]:
    """Return (a, b, c) that minimise max |1 - (a x + b x^3 + c x^5)| over [smallest, 1], and that error.

    The error alternates in sign over smallest < q < r < 1 with q, r the extrema inside: exchange them until they stay.

    Example:
        >>> coefficients, error = best_quintic(0.5)
        >>> [round(v, 3) for v in coefficients], round(error, 4)
        ([2.671, -3.285, 1.639], 0.024)

    Reference: Amsel, Persson, Musco, Gower (2025), arXiv 2505.16932, section 3, whose composition of best polynomials
    is the best polynomial of its kind.
    """
    if 1 - smallest < _NEARLY_ONE:
        return _FLAT, 2.5 * (1 - smallest) ** 3
    q, r, error = (3 * smallest + 1) / 4, (smallest + 3) / 4, math.inf
    for _ in range(_EXCHANGES):
        points = np.array([smallest, q, r, 1.0])
        rows = np.stack([points, points**3, points**5, np.array([1.0, -1.0, 1.0, -1.0])], axis=1)
        a, b, c, found = np.linalg.solve(rows, np.ones(4)).tolist()
        root = math.sqrt(9 * b * b - 20 * a * c)
        q, r = math.sqrt((-3 * b - root) / (10 * c)), math.sqrt((-3 * b + root) / (10 * c))
        if abs(found - error) < 1e-14:
            break
        error = found
    return (a, b, c), abs(found)


def halley_weights(smallest: float) -> tuple[Coefficients, float]:
    """Return (a, b, c) of the best step x -> x (a + b x^2) / (1 + c x^2) for x in [smallest, 1], and its least value.

    Example:
        >>> weights, least = halley_weights(0.5)
        >>> [round(w, 3) for w in weights], round(least, 4)
        ([4.359, 2.821, 6.181], 0.995)

    Reference: Nakatsukasa, Bai, Gygi (2010), Optimizing Halley's iteration for computing the matrix polar
    decomposition, equation (3.9).
    """
    square = smallest * smallest
    d = (4 * (1 - square) / (square * square)) ** (1 / 3)
    root = math.sqrt(1 + d)
    a = root + 0.5 * math.sqrt(8 - 4 * d + 8 * (2 - square) / (square * root))
    b = (a - 1) ** 2 / 4
    c = a + b - 1
    return (a, b, c), min(1.0, smallest * (a + b * square) / (1 + c * square))


def _scaled(coefficients: Coefficients, factor: float) -> Coefficients:
    a, b, c = coefficients
    return a * factor, b * factor, c * factor


def _quintics(smallest: float, count: int) -> tuple[list[Coefficients], float]:
    """Return best quintics in turn, their values scaled into [0, 1], and the smallest value after them.

    A quintic that is best for a tiny l takes some large singular values to tiny ones, and rounding then drowns them.
    So a lift is never made for l below 0.1: it keeps large values above 0.35, at 10 % less growth of the tiny ones.
    At 1 the slope is about 9, so a rounding above 1 would explode within ten steps: values end at 1 / 1.001 instead.
    """
    rows = []
    for _ in range(count):
        (a, b, c), error = best_quintic(max(smallest, _CUSHION))
        top = (1 + error) * _MARGIN
        rows.append(_scaled((a, b, c), 1 / top))
        grown = (a * smallest + b * smallest**3 + c * smallest**5) / top
        smallest = min(grown, (1 - error) / top)
    return rows, smallest


def schedule(smallest: float, lifts: int, halley: int, last: int) -> Schedule:
    """Return that many steps of each kind, each the best one for what the steps before it leave.

    Example:
        >>> steps = schedule(1e-5, lifts=3, halley=2, last=1)
        >>> [round(c) for a, b, c in steps.halley], steps.error < 2e-5
        ([33661, 17], True)
    """
    first, smallest = _quintics(smallest, lifts)
    weighted = []
    for _ in range(halley):
        weights, smallest = halley_weights(smallest)
        weighted.append(weights)
    final, smallest = _quintics(smallest, last)
    rows = [*first, *final]
    centre = 2 / (1 / _MARGIN + smallest)
    rows[-1] = _scaled(rows[-1], centre)
    return Schedule(tuple(rows[:lifts]), tuple(weighted), tuple(rows[lifts:]), centre / _MARGIN - 1)


PRODUCTS = schedule(1e-5, lifts=10, halley=0, last=0)
"""Matrix products alone: 30."""

HALLEY = schedule(1e-5, lifts=3, halley=2, last=1)
"""Two Halley steps in place of five quintics: 14 products, two Cholesky factors, four triangular solves.

After three lifts the weight c is 3e4, and Cholesky of I + c X X^T keeps the digits; at once it would be 7e6. Square
matrices, with a Newton-Schulz step at the end: 28 + 2 (2 + 1 / (3 e) + 2 / t) over 30 times the time of five quintic
steps, for e and t the rates of Cholesky and of triangular solves over that of products: 1.27 at equal rates; 2 at
e = 0.1, t = 0.19. :data:`PRODUCTS`: 64 over 30.
"""
