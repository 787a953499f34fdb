"""What a barrier is: the record every route to one returns, and the baselines it is measured against."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeconn.errors import unknown_name

__all__ = ["BASELINES", "Barrier", "baseline_ends"]

Scalar = float | NDArray[np.float64]
"""One number, or one for each pair of a batch."""


class Barrier(NamedTuple):
    """The barrier of a path: the largest height of the loss above a baseline, max_t [L(t) - baseline(t)].

    Attributes:
        barrier: best value found, the loss at ``argmax_t`` minus the baseline there.
        max_loss: largest loss on the path; with ``linear`` it may lie at another t than ``argmax_t``.
        argmax_t: t in [0, 1] where ``barrier`` is attained.
        baseline: key in :data:`BASELINES`.
        loss_start: loss at t = 0.
        loss_end: loss at t = 1.
        lower: the true barrier is at least this. How far to trust it says ``method``.
        upper: the true barrier is at most this; ``inf`` where the method gives no upper bound.
        method: ``"exact"`` (every piece of the path, float64; [lower, upper] allows for the rounding),
            ``"branch-and-bound"`` (two-sided bounds, float64), ``"grid"`` (points only, no upper bound) or
            ``"certified"`` (rational enclosure, rounded outward).

    The fields are floats, or arrays of shape (B,) for a batch of B pairs.
    """

    barrier: Scalar
    max_loss: Scalar
    argmax_t: Scalar
    baseline: str
    loss_start: Scalar
    loss_end: Scalar
    lower: Scalar
    upper: Scalar
    method: str

    def to_json(self) -> dict[str, object]:
        """Return the record as plain JSON values; an infinite bound, which JSON cannot say, becomes ``None``."""

        def plain(value: object) -> object:
            if isinstance(value, str):
                return value
            if np.ndim(value) > 0:  # type: ignore[arg-type]
                return [plain(entry) for entry in value]  # type: ignore[attr-defined]
            number = float(value)  # type: ignore[arg-type]
            return number if math.isfinite(number) else None

        return {name: plain(value) for name, value in zip(self._fields, self, strict=True)}


Ends = tuple[float, float]


def _linear(start: float, end: float) -> Ends:
    return start, end


def _endpoint_max(start: float, end: float) -> Ends:
    highest = max(start, end)
    return highest, highest


def _endpoint_mean(start: float, end: float) -> Ends:
    mean = 0.5 * start + 0.5 * end
    return mean, mean


BASELINES: dict[str, Callable[[float, float], Ends]] = {
    "linear": _linear,
    "endpoint_max": _endpoint_max,
    "endpoint_mean": _endpoint_mean,
}
"""Baseline name -> (loss_start, loss_end) -> values of the baseline at t = 0 and t = 1; it is affine between.

* ``linear``: (1 - t) L_0 + t L_1, inside the maximum. Non-negative; zero when L is convex along the path.
* ``endpoint_max``: max(L_0, L_1). Non-negative; zero when no point is worse than the worse end.
* ``endpoint_mean``: (L_0 + L_1) / 2. Even a path of monotone loss has a barrier >= |L_0 - L_1| / 2 above it, so a
  positive value says nothing unless the two ends have equal loss.
"""


def baseline_ends(baseline: str, loss_start: float, loss_end: float) -> Ends:
    """Return the values at t = 0 and t = 1 of the baseline called ``baseline``.

    Raises:
        InputError: no baseline has this name; the nearest one is named.

    Example:
        >>> baseline_ends("linear", 1.0, 3.0), baseline_ends("endpoint_max", 1.0, 3.0)
        ((1.0, 3.0), (3.0, 3.0))
        >>> baseline_ends("endpoint_mean", 1.0, 3.0)
        (2.0, 2.0)
    """
    if baseline not in BASELINES:
        raise unknown_name("baseline", baseline, BASELINES)
    return BASELINES[baseline](loss_start, loss_end)
