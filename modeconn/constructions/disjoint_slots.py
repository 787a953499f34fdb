"""Two reduced nets side by side: one fades out while the other fades in."""

from __future__ import annotations

import numpy as np

from modeconn.constructions.connection import Connection
from modeconn.constructions.gram_path import GramPath
from modeconn.constructions.pair import Pair
from modeconn.constructions.reduction import ReducedPair, finished, reduce_pair, refused
from modeconn.constructions.slots import neuron_path

__all__ = ["disjoint_slots", "join_side_by_side"]


def disjoint_slots(pair: Pair) -> Connection:
    """Return the path for live0 + live1 <= m, in at most four pieces.

    Reduce the first net to a vertex; move those of its neurons that sit in slots the second one needs to dead slots;
    scale it by sqrt(1 - s) next to the second one's vertex scaled by sqrt(s); undo the reduction of the second net.

    Reference: theory W1, step (iii).
    """
    return join_side_by_side(reduce_pair(pair))


def join_side_by_side(reduced: ReducedPair) -> Connection:
    """Return the path of :func:`disjoint_slots` for a reduced pair."""
    m, (live0, live1) = reduced.pair.width, reduced.live
    rank = max(live0, live1)
    if live0 + live1 > m:
        return refused(
            reduced,
            "disjoint-slots",
            live0 + live1,
            f"disjoint slots need width live0 + live1 = {live0} + {live1} = {live0 + live1} for these nets, found "
            f"m = {m} (N = {reduced.functionals})",
            rank=rank,
        )
    path = _side_by_side(reduced)
    return finished(
        reduced,
        "disjoint-slots",
        live0 + live1,
        path,
        f"reduced to {live0} and {live1} live neurons, side by side in {m} slots",
        rank,
    )


def _side_by_side(reduced: ReducedPair) -> GramPath:
    """Return the path: reduce, clear the slots that the second net needs, exchange, expand; empty pieces left out."""
    pair, m, (t0, t1) = reduced.pair, reduced.pair.width, (end.t for end in reduced.ends)
    mine, theirs = t0 > 0, t1 > 0
    base, ones = np.arange(m, dtype=np.int32), np.ones(m)
    conflicts = np.flatnonzero(mine & theirs)
    free = np.flatnonzero(~(mine | theirs))[: len(conflicts)]
    moved, held = base.copy(), t0.copy()
    moved[free], held[free], held[conflicts] = conflicts, t0[conflicts], 0.0
    exchanged = np.where(theirs, m + base, moved).astype(np.int32)
    knots = [(base, ones), (base, t0), (moved, held), (exchanged, t1), ((m + base).astype(np.int32), ones)]
    keep = [0, *(k for k in range(1, 4) if (knots[k][1] != knots[k - 1][1]).any()), 4]
    if len(keep) > 2 and (t1 == ones).all():
        keep.remove(3)  # nothing to expand: the exchange ends at the second net itself
    return neuron_path(pair, np.stack([knots[k][0] for k in keep]), np.stack([knots[k][1] for k in keep]))
