"""The largest value of a quartic on an interval; every function works on arrays of them, NumPy or JAX alike.

A polynomial is a tuple of coefficient arrays, constant first. In the local variable x in [0, 1] of an interval the
Bernstein coefficients bound a polynomial from both sides, and the derivative of a quartic is a cubic with at most two
turning points: between them it is monotone, so bisection finds every root there is. A point of [0, 1] that is no root
is still a point of the interval, so a candidate can never be wrong, only useless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "BISECTIONS",
    "Bracket",
    "Poly",
    "Step",
    "bernstein_quartic",
    "critical_points",
    "horner",
    "piecewise_peak",
    "to_unit_interval",
]

Poly = tuple[Any, ...]
Bracket = tuple[Any, Any]
Step = Callable[[Bracket], Bracket]

BISECTIONS = 32
"""Steps to a root. A root off by 2^-32 moves the value, which is flat there, by 2^-64 of its scale."""


def horner(poly: Poly, x: Any) -> Any:
    """Return the value of the polynomial at x.

    Example:
        >>> horner((1.0, 0.0, 2.0), 3.0)
        19.0
    """
    value = poly[-1]
    for coefficient in poly[-2::-1]:
        value = value * x + coefficient
    return value


def to_unit_interval(poly: Poly, left: Any, width: Any) -> Poly:
    """Return the coefficients of x -> poly(left + width x).

    Example:
        >>> to_unit_interval((0.0, 0.0, 1.0), 1.0, 2.0)   # (1 + 2x)^2
        (1.0, 4.0, 4.0)
    """
    shifted = list(poly)
    for k in range(len(shifted) - 1):  # repeated synthetic division by (t - left)
        for i in range(len(shifted) - 2, k - 1, -1):
            shifted[i] = shifted[i] + left * shifted[i + 1]
    scale = width
    for i in range(1, len(shifted)):
        shifted[i] = shifted[i] * scale
        scale = scale * width
    return tuple(shifted)


def bernstein_quartic(poly: Poly) -> Poly:
    """Return the five Bernstein coefficients on [0, 1]; the polynomial lies between the least and the largest.

    Example:
        >>> bernstein_quartic((0.0, 0.0, 0.0, 0.0, 1.0))
        (0.0, 0.0, 0.0, 0.0, 1.0)
    """
    q0, q1, q2, q3, q4 = poly
    return (
        q0,
        q0 + q1 / 4,
        q0 + q1 / 2 + q2 / 6,
        q0 + 3 * q1 / 4 + q2 / 2 + q3 / 4,
        q0 + q1 + q2 + q3 + q4,
    )


def _in_python(step: Step, state: Bracket) -> Bracket:
    for _ in range(BISECTIONS):
        state = step(state)
    return state


def critical_points(poly: Poly, repeat: Callable[[Step, Bracket], Bracket] = _in_python) -> Any:
    """Return three points of [0, 1], shape (3, ...), among which is every root there of the derivative of a quartic.

    The derivative is monotone between the roots of *its* derivative, and each monotone stretch is bisected; a stretch
    without a root yields one of its ends.

    Args:
        poly: five arrays.
        repeat: applies a function :data:`BISECTIONS` times; a loop of the compiler's own, under JAX.

    Example:
        >>> [round(float(x), 6) for x in critical_points(tuple(np.array([0.0, 1.0, -1.0, 0.0, 0.0])))]
        [0.5, 1.0, 1.0]
    """
    _, q1, q2, q3, q4 = poly
    xp = q1.__array_namespace__()
    scale = xp.maximum(xp.maximum(abs(q1), abs(q2)), xp.maximum(abs(q3), abs(q4)))
    scale = xp.where(scale > 0, scale, 1.0)  # squares of the coefficients must neither overflow nor vanish
    cubic = (q1 / scale, 2 * (q2 / scale), 3 * (q3 / scale), 4 * (q4 / scale))
    first, second = _quadratic_roots(cubic[1], 2 * cubic[2], 3 * cubic[3], xp)
    ends = xp.stack([xp.zeros_like(q1), first, second, xp.ones_like(q1)])
    positive = horner(cubic, ends[:-1]) > 0

    def halve(bracket: Bracket) -> Bracket:
        low, high = bracket
        middle = 0.5 * (low + high)
        before = (horner(cubic, middle) > 0) == positive
        return xp.where(before, middle, low), xp.where(before, high, middle)

    return repeat(halve, (ends[:-1], ends[1:]))[1]


def _quadratic_roots(c: Any, b: Any, a: Any, xp: Any) -> tuple[Any, Any]:
    """Return the real roots of a x^2 + b x + c clipped to [0, 1] in order; 1 stands for a missing one."""
    discriminant = b * b - 4 * a * c
    root = xp.sqrt(xp.maximum(discriminant, 0.0))
    q = -0.5 * (b + xp.where(b < 0, -root, root))  # no cancellation: both terms have one sign
    real = discriminant >= 0

    def ratio(top: Any, bottom: Any) -> Any:
        inside = real & ((top > 0) == (bottom > 0)) & (top != 0) & (abs(top) < abs(bottom))  # the roots in (0, 1)
        return xp.where(inside, top / xp.where(inside, bottom, 1.0), 1.0)

    first, second = ratio(q, a), ratio(c, q)
    return xp.minimum(first, second), xp.maximum(first, second)


def piecewise_peak(poly: Poly, left: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Return (value, position) of the largest value of N quartics, each on its own interval.

    Ends of the intervals first; roots of the derivative only where its Bernstein coefficients change sign, which
    is a handful of intervals when they are short. NumPy only; O(N).

    Args:
        poly: five arrays (N,), in the variable of ``left`` and ``right``.
        left: left ends (N,).
        right: right ends (N,).

    Example:
        >>> t = np.array([0.0, 0.5, 1.0])
        >>> quartic = tuple(np.full(2, q) for q in (0.0, 0.6, -1.0, 0.0, 0.0))
        >>> [round(v, 9) for v in piecewise_peak(quartic, t[:-1], t[1:])]   # 0.6 t - t^2
        [0.09, 0.3]
    """
    ends = np.concatenate([horner(poly, left), horner(poly, right)])
    best = int(np.argmax(ends))
    value, position = float(ends[best]), float(np.concatenate([left, right])[best])
    local = to_unit_interval(poly, left, right - left)
    q1, q2, q3, q4 = local[1:]
    slopes = np.stack([q1, q1 + 2 * q2 / 3, q1 + (4 * q2 + 3 * q3) / 3, q1 + 2 * q2 + 3 * q3 + 4 * q4])
    turning = np.flatnonzero((slopes.max(0) > 0) & (slopes.min(0) < 0))
    if turning.size:
        some = tuple(q[turning] for q in local)
        points = critical_points(some)
        heights = horner(some, points)
        k = np.unravel_index(int(np.argmax(heights)), heights.shape)
        if heights[k] > value:
            where = turning[k[1]]
            value = float(heights[k])
            position = float(left[where] + points[k] * (right - left)[where])
    return value, position
