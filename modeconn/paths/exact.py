"""The exact barrier of a segment under the half squared error: every piece of the loss is a quartic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from modeconn.losses import loss_from_name
from modeconn.nets import Net
from modeconn.paths.barrier import Barrier, Ends, baseline_ends
from modeconn.paths.cells import Cells, root_cell, split
from modeconn.paths.chain import Leg, Peak, chain_barrier
from modeconn.paths.convex import ConvexLeg
from modeconn.paths.quartic import horner, piecewise_peak
from modeconn.paths.segment import Reals, Segment, Switches, as_real, segment_between

__all__ = ["SegmentCurve", "barrier_exact", "polyline_barrier", "segment_curve"]

CELLS = 256
"""Most cells of the first subdivision; the sort that follows sees the sign changes of a few of them."""

CELL_ENTRIES = 1 << 22
"""Most numbers n c G in one array over the cells."""


def barrier_exact(
    net0: Net,
    net1: Net,
    X: object,
    Y: object,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    tolerance: float = 1e-9,
) -> Barrier:
    """Return the barrier of the straight segment between two nets.

        max_t [ L((1-t) theta_0 + t theta_1) - baseline(t) ],   0 <= t <= 1

    Half squared error: every pre-activation is affine in t, so between its at most n m sign changes the prediction is
    quadratic and the loss quartic in t; the maximum over all pieces is taken at their ends and at roots of cubics, no
    grid. [lower, upper] is the value with an a priori bound on the float64 rounding (of the order 1e-11 of the loss at
    n = m = 500). Other convex losses: two-sided bounds by branch and bound, see :class:`ConvexLeg`. For an enclosure
    that does not trust floats see :func:`barrier_certified`.

    Computed in NumPy float64 whatever the JAX settings of the caller. Cost 2 n d m multiplications, a few passes over
    the n m pre-activations, and a sort of the sign changes in the few cells that can hold the maximum.

    Args:
        net0: the net at t = 0: W (d, m), A (c, m) or None, b (m,) or None.
        net1: the net at t = 1, with leaves of the same shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        loss: key in :data:`modeconn.losses.LOSSES`.
        baseline: key in :data:`BASELINES`.
        tolerance: for other losses than the squared error, stop when upper - lower is below it, rounding aside.

    Returns:
        The record, its fields floats; ``argmax_t`` is where the barrier is attained.

    Raises:
        InputError: nets of unequal shapes, data that do not fit or are not finite, an unknown name.

    Example:
        >>> import numpy as np
        >>> one, other = Net(np.array([[1.0, 0.0]])), Net(np.array([[0.0, 1.0]]))   # x_+ twice, neurons swapped
        >>> barrier_exact(one, other, np.array([[1.0]]), np.array([0.0])).barrier
        0.0
        >>> one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))   # |x| twice
        >>> found = barrier_exact(one, other, np.array([[1.0]]), np.array([1.0]))
        >>> found.barrier, found.argmax_t, found.method
        (0.5, 0.5, 'exact')

    Reference: theory S1 (exact segment loss); claim S1.
    """
    return chain_barrier([_leg(net0, net1, X, Y, loss, baseline, tolerance)], baseline, _method(loss))


def polyline_barrier(
    nets: Sequence[Net],
    X: object,
    Y: object,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    tolerance: float = 1e-9,
) -> Barrier:
    """Return the barrier of the polygonal chain through ``nets``, exact on every leg.

    Each of the k - 1 legs takes an equal share of t in [0, 1]; the baseline is taken between the two ends of the
    chain. Cost: one :func:`barrier_exact` a leg.

    Args:
        nets: the knots, k >= 2 nets with leaves of equal shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        loss: key in :data:`modeconn.losses.LOSSES`.
        baseline: key in :data:`BASELINES`.
        tolerance: as in :func:`barrier_exact`.

    Raises:
        InputError: fewer than two knots, or as in :func:`barrier_exact`.

    Example:
        >>> import numpy as np
        >>> knots = [Net(np.array([[w]])) for w in (1.0, 3.0, 1.0)]
        >>> found = polyline_barrier(knots, np.array([[1.0]]), np.array([1.0]))
        >>> found.barrier, found.argmax_t
        (2.0, 0.5)
    """
    check_knots(nets)
    legs = [_leg(a, b, X, Y, loss, baseline, tolerance) for a, b in zip(nets[:-1], nets[1:], strict=True)]
    return chain_barrier(legs, baseline, _method(loss))
