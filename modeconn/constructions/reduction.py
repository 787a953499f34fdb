"""Both nets of a pair reduced to few live neurons without a change of the prediction or of what the region sees."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeconn.constructions.acceptance import moved_by_rounding
from modeconn.constructions.connection import Connection
from modeconn.constructions.functionals import Functionals, functionals_of
from modeconn.constructions.gram_path import GramPath
from modeconn.constructions.knot_bounds import knot_bounds
from modeconn.constructions.pair import Pair
from modeconn.constructions.recombination import Recombination, recombine
from modeconn.constructions.slots import SlotSchedule

__all__ = ["ReducedPair", "finished", "reduce_pair", "refused"]

Reals = NDArray[np.float64]

REDUCED = "reduced"
FAST = "fast"
"""Keys of ``Pair.shared``: the reduced pair; whether bounds at knots are taken in float64."""


class ReducedPair(NamedTuple):
    """A pair and its reductions.

    Attributes:
        pair: the nets.
        rule: functionals kept.
        features: psi of the neurons of both nets, (N, m) each.
        ends: the reductions from t = 1.
    """

    pair: Pair
    rule: Functionals
    features: tuple[Reals, Reals]
    ends: tuple[Recombination, Recombination]

    @property
    def live(self) -> tuple[int, int]:
        """Return the numbers of neurons that are left."""
        return self.ends[0].rank, self.ends[1].rank

    @property
    def functionals(self) -> int:
        """Return N."""
        return self.features[0].shape[0]

    def start(self) -> SlotSchedule:
        """Return the schedule of the first net with its reduction as the first piece."""
        m = self.pair.width
        schedule = SlotSchedule(np.arange(m, dtype=np.int32), np.ones(m))
        t = self.ends[0].t
        if (t != 1.0).any():
            schedule.place({j: (j, float(t[j])) for j in range(m)})
        return schedule

    def end(self, schedule: SlotSchedule) -> SlotSchedule:
        """Return the schedule, at the reduced second net in its own slots, with its expansion as the last piece."""
        m = self.pair.width
        if (schedule.t != 1.0).any() or (schedule.base != np.arange(m, 2 * m)).any():
            schedule.place({j: (m + j, 1.0) for j in range(m)})
        return schedule


def reduce_pair(pair: Pair) -> ReducedPair:
    """Return the pair with both nets reduced to at most N live neurons. Cost of two recombinations, once a pair.

    Reference: theory W1, step (i).
    """
    if REDUCED in pair.shared:
        return pair.shared[REDUCED]
    rule = functionals_of(pair.region)
    features = rule.features(pair.W0, pair.A0, pair.X), rule.features(pair.W1, pair.A1, pair.X)
    found = ReducedPair(pair, rule, features, (recombine(features[0]), recombine(features[1])))
    pair.shared[REDUCED] = found
    return found


def refused(reduced: ReducedPair, name: str, needed: int, reason: str, **numbers: Any) -> Connection:
    """Return a connection without a path."""
    live0, live1 = reduced.live
    return Connection(
        path=None,
        construction=name,
        width=reduced.pair.width,
        live0=live0,
        live1=live1,
        needed=needed,
        level=None,
        radius_slack=None,
        knot_losses=(),
        reason=reason,
        functionals=reduced.functionals,
        drift=max(end.drift for end in reduced.ends),
        **numbers,
    )


def finished(reduced: ReducedPair, name: str, needed: int, path: GramPath, reason: str, rank: int) -> Connection:
    """Return the connection of a finished path, or a refusal when rounding has moved the loss or the region."""
    pair = reduced.pair
    bounds = knot_bounds(path, pair, extended=not pair.shared.get(FAST, False))
    moved = moved_by_rounding(pair, bounds.losses.tolist(), bounds.radius_slack)
    if moved is not None:
        return refused(reduced, name, needed, moved, rank=rank)
    return Connection(
        path=path,
        construction=name,
        width=pair.width,
        live0=reduced.live[0],
        live1=reduced.live[1],
        needed=needed,
        level=bounds.level,
        radius_slack=bounds.radius_slack,
        knot_losses=tuple(bounds.losses.tolist()),
        reason=reason,
        functionals=reduced.functionals,
        rank=rank,
        drift=max(end.drift for end in reduced.ends),
    )
