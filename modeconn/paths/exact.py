"""The half squared error on a segment, piece by piece: between two sign changes it is a quartic."""

from __future__ import annotations

import functools
from operator import itemgetter

import numpy as np

from modeconn.paths.barrier import Ends
from modeconn.paths.chain import Peak
from modeconn.paths.inputs import Reals
from modeconn.paths.quartic import Poly, piecewise_peak
from modeconn.paths.segment import UNIT, Segment, Switches
from modeconn.paths.subdivision import Cells, root_cell, split

__all__ = ["ExactLeg", "cell_pieces"]

CELLS = 256
"""Most cells of the subdivision; the sort that follows sees the sign changes of a few of them only."""

CELL_ENTRIES = 1 << 18
"""Most numbers n c G in one array over G cells: about what a cache holds (measured best at c = 1 and c = 10)."""


class ExactLeg:
    """The loss along one segment; maxima are exact up to the rounding of float64.

    The prediction is known at the ends of all cells. A cell can hold the maximum only if its bound exceeds the best
    value so far; the pieces of the few that can are worked out in order of their bounds.

    Attributes:
        start: loss at t = 0.
        end: loss at t = 1.
        rounding: loss -> bound on its float64 error.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.rounding = segment.rounding
        self.start, self.end = segment.loss(-1.0), segment.loss(1.0)
        root = root_cell(segment)
        parts = max(1, min(CELLS, len(root.cell) // 64, CELL_ENTRIES // segment.Y.size))
        self.cells = split(segment, root, np.arange(1), parts)
        Y = segment.Y.T[..., None]
        self.loss0, self.loss1 = (0.5 * _squares(F - Y) for F in (self.cells.F0, self.cells.F1))
        deviation = _squares(self.cells.deviation)
        # convexity: 1/2 |r + e|^2 <= chord of 1/2 |r|^2 + |r| |e| + 1/2 |e|^2 with r on the chord
        self.lift = np.sqrt(2.0 * np.maximum(self.loss0, self.loss1) * deviation) + 0.5 * deviation
        self.pieces = functools.cache(lambda k: cell_pieces(segment, self.cells, k))

    def peak(self, tilt: Ends) -> Peak:
        """Return the largest height above the affine function with these values at t = 0 and t = 1."""
        first, last = tilt

        def below(s: Reals | float) -> Reals | float:
            return first + 0.5 * (last - first) * (s + 1.0)

        left, right = self.cells.left, self.cells.right()
        heights0, heights1 = self.loss0 - below(left), self.loss1 - below(right)
        bounds = np.maximum(heights0, heights1) + self.lift
        k = int(np.argmax(heights0))
        value, s, slack = float(heights0[k]), float(left[k]), 0.0
        for k in np.argsort(-bounds):
            if bounds[k] <= value:
                break
            ends, poly, drift = self.pieces(int(k))
            base = float(below(left[k]))
            local = (poly[0] - base, poly[1] - (float(below(right[k])) - base), *poly[2:])
            height, x = piecewise_peak(local, ends[:-1], ends[1:])
            slack = max(slack, drift)
            if height > value:
                value, s = height, float(left[k] + x * self.cells.width)
        return self._recomputed(s, tilt, slack)

    def _recomputed(self, s: float, tilt: Ends, drift: float) -> Peak:
        """Return the peak with the loss at s computed anew, so that the value is that of a point of the segment."""
        first, last = tilt
        t = min(max(0.5 * (s + 1.0), 0.0), 1.0)
        choices = [(self.start - first, 0.0), (self.end - last, 1.0)]
        if 0.0 < t < 1.0:
            choices.append((self.segment.loss(2.0 * t - 1.0) - (first + (last - first) * t), t))
        value, t = max(choices, key=itemgetter(0))  # the ends win ties
        return Peak(value, t, value + 2.0 * drift)


def cell_pieces(segment: Segment, cells: Cells, k: int) -> tuple[Reals, Poly, float]:
    """Return the quartic pieces of the loss in one cell.

    With r the residual of a data point before a sign change and D its gain there, the loss gains D (r + D/2). These
    gains, sorted and added up, are the coefficients of all pieces. Everything is in the local variable x in [0, 1] of
    the cell, so a gain is as small as the cell is short. Cost O(M (log M + c) + n c) for M sign changes in the cell.

    Args:
        segment: the segment.
        cells: its cells.
        k: which one.

    Returns:
        The ends of the pieces (M + 2,) in x; the coefficients in x, five arrays (M + 1,); a bound on the rounding of
        the sums.
    """
    left, width = cells.left[k], cells.width
    inside = cells.switches.take(np.flatnonzero(cells.cell == k))
    x = np.clip((inside.place - left) / width, 0.0, 1.0)
    order = np.lexsort((x, inside.sample))
    inside, x = inside.take(order), x[order]
    b1, b2 = cells.state[1, :, :, k], cells.state[2, :, :, k]
    residual = np.stack([cells.F0[:, :, k] - segment.Y.T, width * (b1 + 2.0 * left * b2), width * width * b2])
    base = _half_square(residual).sum((1, 2))
    gains, terms = _gains(segment, inside, x, residual, left, width)
    order = np.argsort(x, kind="stable")
    gains, x = gains[:, order], x[order]
    poly = np.concatenate([np.zeros((5, 1)), np.cumsum(gains, axis=1)], axis=1) + base[:, None]
    drift = UNIT * ((2 * len(x) + 8) * terms + (segment.Y.size + 8) * float(_half_square(np.abs(residual)).sum()))
    return np.concatenate([[0.0], x, [1.0]]), tuple(poly), drift


def _gains(
    segment: Segment, inside: Switches, x: Reals, residual: Reals, left: float, width: float
) -> tuple[Reals, float]:
    """Return what the loss gains at each sign change, coefficients (5, M), and the sum of the |terms| in all of them.

    The sign changes are ordered by data point, then place.
    """
    total, terms = np.zeros((5, len(x))), 0.0
    rounds = _rounds(inside.sample)
    for o in range(len(segment.U)):
        u, v = segment.U[o, inside.neuron], segment.V[o, inside.neuron]
        height, bend = inside.slope * width * (u + left * v), inside.slope * width * width * v
        gain = np.stack([-height * x, height - bend * x, bend])  # (x - x_j) (height + bend x)
        before = residual[:, o, inside.sample]
        for index in rounds:  # no difference of long sums: data points are few enough to be followed in step
            before[:, index] = before[:, index - 1] + gain[:, index - 1]
        total += _product(gain, before + 0.5 * gain)
        terms += float(_product(np.abs(gain), np.abs(before) + 0.5 * np.abs(gain)).sum())
    return total, terms


def _rounds(sample: np.ndarray) -> list[np.ndarray]:
    """Return the indices of the second, third, ... entries of every run of equal values in a sorted array."""
    first = np.flatnonzero(np.diff(sample, prepend=-1))
    rank = np.arange(len(sample)) - np.repeat(first, np.diff(first, append=len(sample)))
    order = np.argsort(rank, kind="stable")
    return np.split(order, np.cumsum(np.bincount(rank))[:-1])[1:] if len(sample) else []


def _product(a: Reals, b: Reals) -> Reals:
    """Return the coefficients (5, ...) of the product of two quadratics (3, ...)."""
    return np.stack(
        [
            a[0] * b[0],
            a[0] * b[1] + a[1] * b[0],
            a[0] * b[2] + a[1] * b[1] + a[2] * b[0],
            a[1] * b[2] + a[2] * b[1],
            a[2] * b[2],
        ]
    )


def _half_square(r: Reals) -> Reals:
    """Return the coefficients (5, ...) of half the square of a quadratic (3, ...)."""
    return _product(r, 0.5 * r)


def _squares(R: Reals) -> Reals:
    """Return the sum of squares over outputs and data points, one value a cell."""
    return np.einsum("cng,cng->g", R, R)
