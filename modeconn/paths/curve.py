"""The loss along a segment as a function of t, for plots and for checks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.losses import loss_from_name
from modeconn.nets import Net
from modeconn.paths.exact import cell_pieces
from modeconn.paths.inputs import Reals, as_real, checked_ends
from modeconn.paths.quartic import horner
from modeconn.paths.segment import segment_between
from modeconn.paths.subdivision import root_cell, split
from modeconn.precision import float64

__all__ = ["SegmentCurve", "segment_curve", "segment_loss"]


class SegmentCurve(NamedTuple):
    """The half squared error along a segment, piece by piece.

    Attributes:
        knots: ends of the K pieces (K + 1,), from 0 to 1: the sign changes of the pre-activations.
        coefficients: quartic of each piece in t, constant first (5, K).
    """

    knots: Reals
    coefficients: Reals

    def __call__(self, t: ArrayLike) -> Reals:
        """Return the loss at the given t, an array of any shape."""
        at = np.asarray(t, dtype=np.float64)
        piece = np.clip(np.searchsorted(self.knots, at, side="right") - 1, 0, self.coefficients.shape[1] - 1)
        return np.asarray(horner(tuple(row[piece] for row in self.coefficients), at))


def segment_curve(net0: Net, net1: Net, X: ArrayLike, Y: ArrayLike) -> SegmentCurve:
    """Return the half squared error on the segment as a piecewise quartic in t.

    The sums run over all sign changes from t = 0, so values far along a segment with N of them carry a relative error
    of about N 2^-53; :func:`barrier_exact` does not use them. Cost O(n m (d + c + log(n m))), memory O(n m).

    Args:
        net0: the net at t = 0.
        net1: the net at t = 1, with leaves of the same shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.

    Example:
        >>> import numpy as np
        >>> one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))
        >>> curve = segment_curve(one, other, np.array([[1.0]]), np.array([1.0]))   # f = |1 - 2t|
        >>> curve.knots.tolist(), curve([0.0, 0.25, 0.5]).tolist()
        ([0.0, 0.5, 0.5, 1.0], [0.0, 0.125, 0.5])

    Reference: theory S1.
    """
    segment = segment_between(*checked_ends(net0, net1, X, Y))
    whole = split(segment, root_cell(segment), np.arange(1), 1)
    knots, poly, _ = cell_pieces(segment, whole, 0)
    return SegmentCurve(knots, np.stack(poly))


def segment_loss(
    net0: Net, net1: Net, X: ArrayLike, Y: ArrayLike, t: ArrayLike, loss: str = "half_squared_error"
) -> Reals:
    """Return the loss of (1-t) net0 + t net1 at the given t, by forward passes in float64.

    Args:
        net0: the net at t = 0.
        net1: the net at t = 1, with leaves of the same shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        t: where, numbers in [0, 1] of any shape.
        loss: key in :data:`modeconn.losses.LOSSES`.

    Returns:
        Losses, of the shape of ``t``. Cost n m c each.

    Example:
        >>> import numpy as np
        >>> one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))
        >>> segment_loss(one, other, np.array([[1.0]]), np.array([1.0]), [0.0, 0.5]).tolist()
        [0.0, 0.5]
    """
    chosen = loss_from_name(loss)
    start, end, data, targets = checked_ends(net0, net1, X, Y)
    chosen.check_targets(targets)
    segment = segment_between(start, end, data, targets)
    at = as_real(t, "t")
    if (at < 0.0).any() or (at > 1.0).any():
        raise InputError(f"expected t in [0, 1], found {at.min()} to {at.max()}")
    with float64():
        values = [float(chosen.value(segment.predictions(2.0 * x - 1.0), segment.Y)) for x in at.ravel()]
    return np.array(values).reshape(at.shape)
