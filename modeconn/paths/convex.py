"""Two-sided bounds for convex losses that are not quadratic: branch and bound over cells of the segment."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from operator import itemgetter

import jax
import numpy as np

from modeconn.losses import Loss
from modeconn.paths.barrier import Ends
from modeconn.paths.chain import Peak
from modeconn.paths.inputs import Reals
from modeconn.paths.segment import UNIT, Segment
from modeconn.paths.subdivision import Cells, root_cell, split
from modeconn.precision import float64

__all__ = ["MAX_CELLS", "ConvexLeg"]

FIRST_PARTS = 64
PARTS = 8
"""Pieces of the segment at first, and of a cell that is refined."""

MAX_CELLS = 4096
"""Budget: loss evaluations of one search after which the interval found so far is returned as it is."""


class ConvexLeg:
    """The loss along one segment; a maximum is enclosed in [value, upper].

    On a cell [l, r] the prediction leaves its chord by at most e_io = (r - l)/4 times the total variation of its slope,
    entry by entry. The loss is convex, and Lipschitz with constant K for the l1 norm of its gradient in one row, so

        L(t) <= chord of L at t + K sum_i max_o e_io,

    an excess of second order in r - l. Cells whose bound is within ``tolerance`` of the best value found are dropped,
    the others cut again, until none is left or the budget is spent.

    Attributes:
        start: loss at t = 0.
        end: loss at t = 1.
    """

    def __init__(self, segment: Segment, loss: Loss, tolerance: float, budget: int = MAX_CELLS) -> None:
        if not math.isfinite(loss.lipschitz):
            raise ValueError(f"{loss.name} has no Lipschitz constant: branch and bound gives no upper bound for it")
        self.segment, self.lipschitz, self.tolerance, self.budget = segment, loss.lipschitz, tolerance, budget
        self.value = functools.partial(_value, _compiled(loss.value), segment.Y)
        self.start, self.end = self.value(segment.predictions(-1.0)), self.value(segment.predictions(1.0))
        self.coarse = split(segment, root_cell(segment), np.arange(1), FIRST_PARTS)
        self.coarse_losses = self._losses(self.coarse)

    def rounding(self, loss: float) -> float:
        """Return a bound on the float64 error of a loss of this size: that of the prediction, and of the sum."""
        spread = math.sqrt(len(self.segment.Y)) * self.segment.spread
        return UNIT * (self.segment.depth * self.lipschitz * spread + (self.segment.Y.size + 64) * loss)

    def peak(self, tilt: Ends) -> Peak:
        """Return bounds on the largest height above the affine function with these values at t = 0 and t = 1."""
        first, last = tilt
        best = max((self.start - first, 0.0), (self.end - last, 1.0), key=itemgetter(0))
        cells, (loss0, loss1), spent, dropped = self.coarse, self.coarse_losses, 0, -math.inf
        while True:
            left, right = 0.5 * (cells.left + 1.0), 0.5 * (cells.right() + 1.0)
            heights0, heights1 = loss0 - (first + (last - first) * left), loss1 - (first + (last - first) * right)
            k = int(np.argmax(heights0))
            best = max(best, (float(heights0[k]), float(left[k])), key=itemgetter(0))
            bounds = np.maximum(heights0, heights1) + self.lipschitz * cells.deviation.max(0).sum(0)
            keep = np.flatnonzero(bounds > best[0] + self.tolerance)
            out = np.delete(bounds, keep)
            dropped = max(dropped, float(out.max(initial=-math.inf)))
            spent += PARTS * len(keep)
            if len(keep) == 0 or spent > self.budget:
                remaining = float(bounds[keep].max(initial=-math.inf))
                return Peak(*best, max(best[0], dropped, remaining))
            cells = split(self.segment, cells, keep, PARTS)
            loss0, loss1 = self._losses(cells)

    def _losses(self, cells: Cells) -> tuple[Reals, Reals]:
        """Return the losses at both ends of every cell."""
        return tuple(  # type: ignore[return-value]
            np.array([self.value(np.ascontiguousarray(F[:, :, g].T)) for g in range(len(cells.left))])
            for F in (cells.F0, cells.F1)
        )


@functools.cache
def _compiled(value: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    return jax.jit(value)


def _value(value: Callable[..., jax.Array], Y: Reals, F: Reals) -> float:
    with float64():
        return float(value(F, Y))
