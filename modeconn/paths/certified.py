"""Barriers of these very weights, enclosed in rational arithmetic."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths.barrier import Barrier, baseline_ends
from modeconn.paths.exact import ExactLeg
from modeconn.paths.inputs import as_real, checked_ends
from modeconn.paths.polyline import check_knots
from modeconn.paths.segment import segment_between
from proofs_check.exact.rational import ExactInputError, round_down, round_up
from proofs_check.exact.segment import Enclosure, polyline_enclosure

__all__ = ["barrier_certified", "barrier_enclosure", "polyline_barrier_certified", "rounded_outward"]

ENCLOSURE_TOLERANCE = Fraction(1, 2**40)
"""Default width of the enclosure, in units of the loss."""


def barrier_certified(
    net0: Net,
    net1: Net,
    X: ArrayLike,
    Y: ArrayLike,
    baseline: str = "linear",
    tolerance: Fraction | int | float = ENCLOSURE_TOLERANCE,
) -> Barrier:
    """Return a certified enclosure [lower, upper] of the barrier of the segment, half squared error.

    Every float is a dyadic rational, and the barrier of these very weights on these very data is enclosed in rational
    arithmetic (standard library only); floats merely propose where to look. ``lower`` is rounded down, ``upper`` up.
    :func:`barrier_enclosure` returns the fractions. Cost O(n m (d + c + log(n m))) operations on Python integers:
    about two seconds at n m = 10^5, d = 32.

    Args:
        net0: the net at t = 0: W (d, m), A (c, m) or None, b (m,) or None.
        net1: the net at t = 1, with leaves of the same shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        baseline: key in :data:`BASELINES`.
        tolerance: largest width of the enclosure before it is rounded to floats, positive.

    Raises:
        InputError: as in :func:`barrier_exact`.

    Example:
        >>> import numpy as np
        >>> one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))
        >>> found = barrier_certified(one, other, np.array([[1.0]]), np.array([1.0]))
        >>> found.lower, found.upper, found.method
        (0.5, 0.5, 'certified')

    Reference: theory S1, the rigorous enclosure; claim S1.
    """
    return rounded_outward(barrier_enclosure((net0, net1), X, Y, baseline, tolerance), baseline)


def polyline_barrier_certified(
    nets: Sequence[Net],
    X: ArrayLike,
    Y: ArrayLike,
    baseline: str = "linear",
    tolerance: Fraction | int | float = ENCLOSURE_TOLERANCE,
) -> Barrier:
    """Return a certified enclosure of the barrier of a polygonal chain; see :func:`barrier_certified`.

    Args:
        nets: the knots, k >= 2 nets with leaves of equal shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        baseline: key in :data:`BASELINES`.
        tolerance: largest width of the enclosure before it is rounded to floats, positive.
    """
    return rounded_outward(barrier_enclosure(nets, X, Y, baseline, tolerance), baseline)


def barrier_enclosure(
    nets: Sequence[Net],
    X: ArrayLike,
    Y: ArrayLike,
    baseline: str = "linear",
    tolerance: Fraction | int | float = ENCLOSURE_TOLERANCE,
) -> Enclosure:
    """Return the enclosure of :func:`barrier_certified` as fractions, for a segment (two nets) or a chain.

    Args:
        nets: the knots, k >= 2 nets with leaves of equal shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        baseline: key in :data:`BASELINES`.
        tolerance: largest width of the enclosure, positive.

    Example:
        >>> import numpy as np
        >>> knots = [Net(np.array([[w]])) for w in (1.0, 1.5)]
        >>> barrier_enclosure(knots, np.array([[1.0]]), np.array([0.0]), "endpoint_mean").upper
        Fraction(5, 16)
    """
    baseline_ends(baseline, 0.0, 0.0)
    check_knots(nets)
    if not tolerance > 0:
        raise InputError(f"expected a positive tolerance, found {tolerance}; give the width wanted, such as 1e-12")
    try:
        return polyline_enclosure(
            [_plain(net) for net in nets],
            as_real(X, "X").tolist(),
            as_real(Y, "Y").tolist(),
            baseline=baseline,
            tolerance=Fraction(tolerance),
            proposals=_proposals(nets, X, Y, baseline),
        )
    except ExactInputError as error:
        raise InputError(str(error)) from error


def rounded_outward(enclosure: Enclosure, baseline: str) -> Barrier:
    """Return the record of an enclosure: ``lower`` rounded down, ``upper`` rounded up, the rest to nearest."""
    return Barrier(
        barrier=float(enclosure.lower),
        max_loss=float(enclosure.max_loss_lower),
        argmax_t=float(enclosure.t_lower),
        baseline=baseline,
        loss_start=float(enclosure.loss_start),
        loss_end=float(enclosure.loss_end),
        lower=round_down(enclosure.lower),
        upper=round_up(enclosure.upper),
        method="certified",
    )


def _plain(net: Net) -> tuple[object, object, object]:
    """Return the net as nested lists of floats."""
    W, A, b = (None if leaf is None else as_real(leaf, key).tolist() for key, leaf in net._asdict().items())
    return W, A, b


def _proposals(nets: Sequence[Net], X: ArrayLike, Y: ArrayLike, baseline: str) -> list[float]:
    """Return the places of the maxima found in floats; this also checks nets and data."""
    legs = [ExactLeg(segment_between(*checked_ends(a, b, X, Y))) for a, b in itertools.pairwise(nets)]
    first, last = baseline_ends(baseline, legs[0].start, legs[-1].end)
    heights = np.linspace(first, last, len(nets)).tolist()
    places = []
    for tilts in (heights, [0.0] * len(nets)):
        peaks = [leg.peak(ends) for leg, ends in zip(legs, itertools.pairwise(tilts), strict=True)]
        k = max(range(len(legs)), key=lambda k: peaks[k].value)
        places.append((k + peaks[k].t) / len(legs))
    return places
