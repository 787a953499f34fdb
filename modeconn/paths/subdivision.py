"""A subdivision of a segment into cells, with bounds on the prediction inside each.

Sorting all n m sign changes is not needed to know the prediction at the ends of a few hundred cells: adding up, cell by
cell, what the sign changes in it contribute is enough, O(n m) for all cells together. Inside a cell of width h the
prediction leaves its chord by at most h/4 times the total variation of its slope, so by convexity the loss is below
the chord of its end values plus a second-order term, and almost every cell is excluded at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeconn.paths.inputs import Reals
from modeconn.paths.segment import Segment, Switches

__all__ = ["Cells", "root_cell", "split"]


class Cells(NamedTuple):
    """G cells of equal width, in the variable s of :class:`Segment`.

    Attributes:
        left: left ends (G,).
        width: width h of each.
        state: coefficients in s of the prediction just right of the left end (3, c, n, G).
        F0: prediction at the left end (c, n, G).
        F1: prediction at the right end (c, n, G).
        deviation: bound on |f - chord| inside the cell (c, n, G).
        switches: the sign changes in these cells.
        cell: the cell of each sign change (N,).
    """

    left: Reals
    width: float
    state: Reals
    F0: Reals
    F1: Reals
    deviation: Reals
    switches: Switches
    cell: NDArray[np.intp]

    def right(self) -> Reals:
        """Return the right ends (G,)."""
        return self.left + self.width


def root_cell(segment: Segment) -> Cells:
    """Return the whole segment as one cell without bounds, to be split."""
    switches = segment.switches()
    state = segment.start()[..., None]
    nothing = np.full((*state.shape[1:3], 1), np.nan)
    cell = np.zeros(len(switches.place), dtype=np.intp)
    return Cells(np.array([-1.0]), 2.0, state, nothing, nothing, nothing, switches, cell)


def split(segment: Segment, cells: Cells, keep: NDArray[np.intp], parts: int) -> Cells:
    """Return the cells ``keep``, each cut into ``parts`` equal ones.

    Cost O(N c + n c G) for N sign changes in the kept cells and G new cells.

    Args:
        segment: the segment.
        cells: its current cells.
        keep: indices of the cells to go on with.
        parts: number of pieces of each.
    """
    position = np.full(len(cells.left), -1, dtype=np.intp)
    position[keep] = np.arange(len(keep))
    kept = position[cells.cell]
    if len(keep) < len(cells.left):
        inside = np.flatnonzero(kept >= 0)
        kept, switches = kept[inside], cells.switches.take(inside)
    else:
        switches = cells.switches
    width = cells.width / parts
    starts = cells.left[keep]
    step = ((switches.place - starts[kept]) * (1.0 / width)).astype(np.intp)
    cell = kept * parts + np.clip(step, 0, parts - 1)
    left = (starts[:, None] + width * np.arange(parts)).ravel()
    return _with_states(segment, cells.state[..., keep], left, width, switches, cell, parts)


def _with_states(
    segment: Segment,
    state: Reals,
    left: Reals,
    width: float,
    switches: Switches,
    cell: NDArray[np.intp],
    parts: int,
) -> Cells:
    """Return the new cells, the states of their parents (3, c, n, G / parts) being known."""
    n, c, total = len(segment.Y), len(segment.U), len(left)
    key = switches.sample * total + cell
    first, final, deviation = (np.empty((c, n, total)) for _ in range(3))
    new = np.empty((3, c, n, total))
    right = left + width

    def summed(weights: Reals) -> Reals:
        sums = np.bincount(key, weights, n * total)  # integers, if there is nothing to add
        return sums.astype(np.float64, copy=False).reshape(n, total)

    for o in range(c):
        u, v = segment.U[o, switches.neuron], segment.V[o, switches.neuron]
        moves = bool(segment.V[o].any())
        flat = switches.slope * switches.place
        gains = (-flat * u, switches.slope * u - flat * v, switches.slope * v)  # slope (s - place) (u + s v)
        deviation[o] = 0.25 * width * summed(np.abs(gains[1] + 2.0 * switches.place * gains[2]))
        for k in range(3 if moves else 2):
            sums = summed(gains[k]).reshape(n, -1, parts)
            np.cumsum(sums, axis=-1, out=sums)
            sums += state[k, o][..., None]
            old = new[k, o].reshape(n, -1, parts)
            old[..., 0], old[..., 1:] = state[k, o], sums[..., :-1]
            term = sums.reshape(n, total)
            final[o] = term if k == 0 else final[o] + right**k * term
        if moves:  # the slope changes between sign changes too, at the rate 2 |third coefficient|
            deviation[o] += 0.25 * width * width * (np.abs(new[2, o]) + summed(np.abs(gains[2])))
        else:
            new[2, o] = np.repeat(state[2, o], parts, axis=-1)
            final[o] += right * right * new[2, o]
        first[o] = new[0, o] + left * (new[1, o] + left * new[2, o])
    return Cells(left, width, new, first, final, deviation, switches, cell)
