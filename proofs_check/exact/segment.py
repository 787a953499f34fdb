"""Rigorous enclosures of segment and polyline barriers of two-layer ReLU nets (statement S1, half squared error)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from proofs_check.exact.piecewise import Line, SegmentLoss, segment_loss, surviving_pieces
from proofs_check.exact.polynomial import Maximum, maximum_over_pieces
from proofs_check.exact.rational import ExactInputError, ceil_dyadic, floor_dyadic, number_from

__all__ = [
    "BASELINES",
    "Enclosure",
    "baseline_line",
    "polyline_enclosure",
    "segment_enclosure",
]

BASELINES = ("linear", "endpoint_max", "endpoint_mean")
"""``linear``: (1-t) L_0 + t L_1, inside the maximum; ``endpoint_max``: max(L_0, L_1); ``endpoint_mean``: their mean.

With ``endpoint_mean`` even a monotone segment has a barrier of at least ``|L_0 - L_1| / 2``.
"""

TOLERANCE = Fraction(1, 2**40)
_SHORT_BITS = (32, 53, 64, 96, 128)


class Enclosure(NamedTuple):
    """Rational bounds of a barrier: ``lower <= max_t (loss(t) - baseline(t)) <= upper``.

    Attributes:
        lower: the value at ``t_lower``, exactly.
        upper: no t exceeds it.
        t_lower: a parameter in [0, 1] that attains ``lower``.
        max_loss_lower: the loss at ``t_max_loss``, exactly: a lower bound of the largest loss.
        max_loss_upper: upper bound of the largest loss.
        loss_start: loss at t = 0, exactly.
        loss_end: loss at t = 1, exactly.
        t_max_loss: a parameter that attains ``max_loss_lower``.
    """

    lower: Fraction
    upper: Fraction
    t_lower: Fraction
    max_loss_lower: Fraction
    max_loss_upper: Fraction
    loss_start: Fraction
    loss_end: Fraction
    t_max_loss: Fraction


def baseline_line(baseline: str, loss_start: Fraction, loss_end: Fraction) -> Line:
    """Return the baseline as the line ``line[0] + line[1] t``.

    Raises:
        ExactInputError: a name that is not in :data:`BASELINES`.

    Example:
        >>> baseline_line("linear", Fraction(1), Fraction(3))
        (Fraction(1, 1), Fraction(2, 1))
    """
    if baseline == "linear":
        return loss_start, loss_end - loss_start
    if baseline == "endpoint_max":
        return max(loss_start, loss_end), Fraction(0)
    if baseline == "endpoint_mean":
        return (loss_start + loss_end) / 2, Fraction(0)
    raise ExactInputError(f"baseline: expected one of {', '.join(BASELINES)}, found {baseline!r}")


def segment_enclosure(
    net0: Sequence[Any],
    net1: Sequence[Any],
    X: Any,
    Y: Any,
    baseline: str = "linear",
    tolerance: Fraction = TOLERANCE,
    proposals: Iterable[float] = (),
) -> Enclosure:
    """Return a rigorous enclosure of the barrier of the segment from ``net0`` to ``net1``.

    ``max_{0<=t<=1} L((1-t) theta_0 + t theta_1) - baseline(t)`` with ``L = 1/2 ||f(X) - Y||_F**2``. All arithmetic is
    exact; each float stands for the dyadic rational it stores. Along the segment L is quartic between the sign changes
    of the pre-activations; pieces that cannot hold the maximum are dropped by a bound in integers, the rest go through
    branch and bound. With equal output weights at both ends every piece is a convex parabola, the maximum sits at a
    breakpoint and the enclosure has width 0.

    Cost: O(n m d + n m (c + log(n m))) integer operations.

    Args:
        net0: ``(W, A, b)``: W (d, m), A (c, m) or (m,) for one output or None for weights fixed at +1, b (m,) or None.
        net1: the other net, of the same shape.
        X: data, (n, d).
        Y: targets, (n, c), or (n,) for one output.
        baseline: a name in :data:`BASELINES`.
        tolerance: largest ``upper - lower``, absolute, above 0; the same for the largest loss.
        proposals: guesses of the maximiser in [0, 1], which save time and are never trusted; others are ignored.

    Raises:
        ExactInputError: numbers that are not finite, shapes that do not fit, an unknown baseline, no tolerance.

    Example:
        >>> start, end = ([[2]], None, None), ([["1/2"]], None, None)  # the best weight, 1, lies between
        >>> found = segment_enclosure(start, end, [[1]], [1], baseline="endpoint_mean")
        >>> found.lower, found.upper, found.t_lower
        (Fraction(3, 16), Fraction(3, 16), Fraction(0, 1))

    Reference:
        Statement S1.
    """
    return _enclosure([segment_loss(net0, net1, X, Y)], baseline, tolerance, proposals)


def polyline_enclosure(
    nets: Sequence[Sequence[Any]],
    X: Any,
    Y: Any,
    baseline: str = "linear",
    tolerance: Fraction = TOLERANCE,
    proposals: Iterable[float] = (),
) -> Enclosure:
    """Return a rigorous enclosure of the barrier of the polygonal chain through ``nets``.

    Net k of K + 1 stands at t = k / K and t runs at constant speed between neighbours; this choice matters for the
    linear baseline only, which joins the losses of the first and the last net.

    Args:
        nets: at least two nets ``(W, A, b)`` as in :func:`segment_enclosure`.
        X: data, (n, d).
        Y: targets, (n, c), or (n,) for one output.
        baseline: a name in :data:`BASELINES`.
        tolerance: largest ``upper - lower``.
        proposals: guesses of the maximiser, as the t of the whole chain.

    Raises:
        ExactInputError: as :func:`segment_enclosure`; fewer than two nets.

    Example:
        >>> nets = [([[w]], None, None) for w in (1, 3, 1)]
        >>> found = polyline_enclosure(nets, [[1]], [1])
        >>> found.lower, found.upper, found.t_lower
        (Fraction(2, 1), Fraction(2, 1), Fraction(1, 2))
    """
    if len(nets) < 2:
        raise ExactInputError(f"polyline: expected at least two nets, found {len(nets)}")
    losses = [segment_loss(*pair, X, Y) for pair in itertools.pairwise(nets)]
    return _enclosure(losses, baseline, tolerance, proposals)


def _enclosure(losses: list[SegmentLoss], baseline: str, tolerance: Fraction, proposals: Iterable[float]) -> Enclosure:
    tolerance = number_from(tolerance, "tolerance")
    if tolerance <= 0:
        raise ExactInputError(f"tolerance: expected a number > 0, found {tolerance}")
    guesses = [Fraction(t) for t in map(float, proposals) if 0 <= t <= 1]
    loss_start, loss_end = losses[0](Fraction(0)), losses[-1](Fraction(1))
    line = baseline_line(baseline, loss_start, loss_end)
    barrier = _maximum(losses, line, tolerance, guesses)
    if line[1] == 0:
        largest = Maximum(barrier.lower + line[0], barrier.upper + line[0], barrier.argument)
    else:
        largest = _maximum(losses, (Fraction(0), Fraction(0)), tolerance, guesses)
    return Enclosure(
        lower=barrier.lower,
        upper=barrier.upper,
        t_lower=barrier.argument,
        max_loss_lower=largest.lower,
        max_loss_upper=largest.upper,
        loss_start=loss_start,
        loss_end=loss_end,
        t_max_loss=largest.argument,
    )


def _maximum(losses: list[SegmentLoss], line: Line, tolerance: Fraction, guesses: list[Fraction]) -> Maximum:
    """Enclose the maximum over the whole chain of the loss minus a line."""
    count = len(losses)

    def excess(t: Fraction) -> Fraction:
        k = min(math.floor(t * count), count - 1)
        return losses[k](t * count - k) - line[0] - line[1] * t

    best, argument = max((excess(t), -t) for t in (Fraction(0), Fraction(1), *guesses))
    best, argument = best, -argument
    pieces = []
    for k, loss in enumerate(losses):
        local = (line[0] + line[1] * k / count, line[1] / count)
        kept, (value, s) = surviving_pieces(loss, local, attained=(best, argument * count - k))
        best, argument = value, (s + k) / count
        pieces += [(p, k, a, b) for p, a, b in kept]
    found = Maximum(best, best, argument * count)
    for k in range(count):
        here = [(p, a, b) for p, of, a, b in pieces if of == k]
        part = maximum_over_pieces(here, tolerance / 2, Maximum(found.lower, found.upper, found.argument - k))
        found = Maximum(part.lower, max(part.upper, found.upper), part.argument + k)
    exact = Maximum(found.lower, found.upper, found.argument / count)
    return exact if exact.lower == exact.upper else _shortened(exact, excess, tolerance)


def _shortened(found: Maximum, excess: Callable[[Fraction], Fraction], tolerance: Fraction) -> Maximum:
    """Return a slightly wider enclosure whose argument and upper end are short, if one is within the tolerance."""
    bits = max(0, tolerance.denominator.bit_length() - tolerance.numerator.bit_length() + 4)
    upper = ceil_dyadic(found.upper, bits)
    for short in _SHORT_BITS:
        t = floor_dyadic(found.argument, short)
        if upper - (value := excess(t)) <= tolerance:
            return Maximum(value, upper, t)
    return Maximum(found.lower, upper, found.argument)
