"""From the peaks of single legs to the barrier of a chain of them; a segment is a chain of one leg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from modeconn.paths.barrier import Barrier, Ends, baseline_ends

__all__ = ["Leg", "Peak", "chain_barrier"]


class Peak(NamedTuple):
    """The largest height of the loss above an affine function on one leg.

    Attributes:
        value: the height at ``t``.
        t: where, in [0, 1] along the leg.
        upper: no height on the leg is above this, rounding aside.
    """

    value: float
    t: float
    upper: float


@runtime_checkable
class Leg(Protocol):
    """The loss along one leg."""

    start: float
    end: float

    def peak(self, tilt: Ends) -> Peak:
        """Return the largest height above the affine function with these values at t = 0 and t = 1."""

    def rounding(self, loss: float) -> float:
        """Return a bound on the float64 error of a loss of this size on the leg."""


def chain_barrier(legs: Sequence[Leg], baseline: str, method: str) -> Barrier:
    """Return the barrier of the legs in order, t in [0, 1] giving each an equal share.

    The bounds allow for the rounding of the peak, of the baseline, and of the choice between near-equal peaks. The
    true barrier is never negative (at an end it is at least 0), which ``lower`` takes into account.
    """
    loss_start, loss_end = legs[0].start, legs[-1].end
    first, last = baseline_ends(baseline, loss_start, loss_end)
    count = len(legs)

    def height(k: int) -> float:
        return first + (last - first) * (k / count) if k < count else last

    tilted = [leg.peak((height(k), height(k + 1))) for k, leg in enumerate(legs)]
    highest = max(range(count), key=lambda k: tilted[k].value)
    max_loss = max(leg.peak((0.0, 0.0)).value for leg in legs)
    slack = max(leg.rounding(max_loss) for leg in legs)
    return Barrier(
        barrier=tilted[highest].value,
        max_loss=max_loss,
        argmax_t=(highest + tilted[highest].t) / count,
        baseline=baseline,
        loss_start=loss_start,
        loss_end=loss_end,
        lower=max(tilted[highest].value - 2.0 * slack, 0.0),
        upper=max(peak.upper for peak in tilted) + 4.0 * slack,
        method=method,
    )
