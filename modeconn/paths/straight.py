"""The barrier of a straight segment between two nets."""

from __future__ import annotations

from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.losses import loss_from_name
from modeconn.nets import Net
from modeconn.paths.barrier import Barrier, baseline_ends
from modeconn.paths.chain import Leg, chain_barrier
from modeconn.paths.convex import ConvexLeg
from modeconn.paths.exact import ExactLeg
from modeconn.paths.inputs import checked_ends
from modeconn.paths.segment import segment_between

__all__ = ["TOLERANCE", "barrier_exact", "leg_between", "method_of"]

TOLERANCE = 1e-9
"""Default distance of the two bounds for losses without an exact maximum, in units of the loss (a sum over data)."""


def barrier_exact(
    net0: Net,
    net1: Net,
    X: ArrayLike,
    Y: ArrayLike,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    tolerance: float = TOLERANCE,
) -> Barrier:
    """Return the barrier of the straight segment between two nets.

        max_t [ L((1-t) theta_0 + t theta_1) - baseline(t) ],   0 <= t <= 1

    Half squared error: every pre-activation is affine in t, so between its at most n m sign changes the prediction is
    quadratic and the loss quartic in t; the maximum over all pieces is taken at their ends and at roots of cubics, no
    grid. [lower, upper] allows for the float64 rounding by an a priori bound (of the order of 1e-10 of the loss at
    n = m = 500); for an enclosure that does not trust floats see :func:`barrier_certified`. Other convex losses:
    two-sided bounds, ``barrier`` being the lower one, until they are within ``tolerance`` or the budget of
    :data:`modeconn.paths.convex.MAX_CELLS` is spent, when the interval is returned as it is.

    Computed in float64 whatever the JAX settings of the caller. Cost 2 n d m multiplications, a few passes over the
    n m pre-activations, and a sort of the sign changes in the few cells that can hold the maximum.

    Args:
        net0: the net at t = 0: W (d, m), A (c, m) or None, b (m,) or None.
        net1: the net at t = 1, with leaves of the same shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        loss: key in :data:`modeconn.losses.LOSSES`.
        baseline: key in :data:`BASELINES`.
        tolerance: positive; see above.

    Returns:
        The record, with float fields.

    Raises:
        InputError: nets of unequal shapes, data that do not fit or are not finite, an unknown name.

    Example:
        >>> import numpy as np
        >>> one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))   # |x| twice, neurons swapped
        >>> found = barrier_exact(one, other, np.array([[1.0]]), np.array([1.0]))     # f = |1 - 2t|
        >>> found.barrier, found.argmax_t, found.method
        (0.5, 0.5, 'exact')

    Reference: exact segment loss, theory S1; claim S1.
    """
    return chain_barrier([leg_between(net0, net1, X, Y, loss, baseline, tolerance)], baseline, method_of(loss))


def leg_between(net0: Net, net1: Net, X: ArrayLike, Y: ArrayLike, loss: str, baseline: str, tolerance: float) -> Leg:
    """Return the loss along the segment; raise :class:`InputError` on anything that does not fit."""
    chosen = loss_from_name(loss)
    baseline_ends(baseline, 0.0, 0.0)
    if not tolerance > 0.0:
        raise InputError(f"expected a positive tolerance, found {tolerance}; give the accuracy wanted, such as 1e-9")
    start, end, data, targets = checked_ends(net0, net1, X, Y)
    chosen.check_targets(targets)
    segment = segment_between(start, end, data, targets)
    return ExactLeg(segment) if method_of(loss) == "exact" else ConvexLeg(segment, chosen, tolerance)


def method_of(loss: str) -> str:
    """Return how the maximum is found under this loss."""
    return "exact" if loss == "half_squared_error" else "branch-and-bound"
