"""One neuron fewer than the edge walk: climb to where W W^T is smallest, and change neurons there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from modeconn.constructions.connection import Connection
from modeconn.constructions.edge_walk import ROUNDED, Join
from modeconn.constructions.pair import Pair
from modeconn.constructions.polytope_walk import WalkError
from modeconn.constructions.reduction import ReducedPair, finished, reduce_pair, refused
from modeconn.constructions.slots import NoFreeSlot, SlotSchedule

__all__ = ["join_over_the_top", "tau_climb"]

Reals = NDArray[np.float64]
_ON_FACE = 1e-8


def tau_climb(pair: Pair) -> Connection:
    """Return the path over the points of largest tau in the join polytope; sure for m >= N, N the rank on these nets.

    tau > 0 takes tau I off W W^T, which every region here allows. Along the climbs at most N neurons are alive; on the
    top face, which has one equation fewer, at most N on edges and N - 1 at vertices: there is a dead slot for the
    permutation.

    Reference: theory W1, step (iv).
    """
    return join_over_the_top(reduce_pair(pair))


def join_over_the_top(reduced: ReducedPair, exact: bool = False) -> Connection:
    """Return the path of :func:`tau_climb`, or of :func:`exact_climb` if ``exact``, for a reduced pair."""
    name, m, (live0, live1) = "exact-climb" if exact else "tau-climb", reduced.pair.width, reduced.live
    join = Join.of(reduced, climbing=True, exact=exact)
    rank = join.polytope.rank - 1  # less the equation s + s' = 1
    there = reduced.start()
    back = SlotSchedule(np.arange(m, 2 * m, dtype=np.int32), reduced.ends[1].t)  # from the second net, to be reversed
    try:
        _meet_on_top(join, _recorder(join, there), _recorder(join, back))
        base, t = back.knots[-1]
        there.settle({int(base[j]): j for j in np.flatnonzero(t > 0).tolist()})
    except NoFreeSlot:
        reason = (
            f"the climb needs width N = {rank} on these nets ({reduced.functionals} in general), found m = {m} with "
            f"{live0} and {live1} live neurons"
        )
        return refused(reduced, name, rank, ROUNDED if m >= rank else reason, rank=rank)
    except WalkError as error:
        return refused(reduced, name, rank, f"the climb broke down: {error}", rank=rank)
    for base, t in reversed(back.knots[:-1]):
        there.place({j: (int(base[j]), float(t[j])) for j in range(m)})
    edges = len(there.knots) - 2
    reduced.end(there)
    reason = f"reduced to {live0} and {live1} live neurons, joined over the largest tau by {edges} pieces in {m} slots"
    return finished(reduced, name, rank, there.path(reduced.pair), reason, rank)


def _recorder(join: Join, schedule: SlotSchedule) -> Callable[[Reals], None]:
    """Return a function that adds the knot of a vertex to the schedule."""
    return lambda z: schedule.reweigh(join.weights(z))


def _meet_on_top(join: Join, there: Callable[[Reals], None], back: Callable[[Reals], None]) -> None:
    """Climb from both ends to the top face and walk on it from the first one's vertex to the second one's."""
    polytope = join.polytope
    up = np.zeros(len(join.start))
    up[-1] = -1.0
    goal = polytope.walk(join.end, up, visit=back).points[-1]
    climb = polytope.walk(join.start, up, visit=there)
    top = climb.points[-1]
    slack = climb.reduced / polytope.unit
    on_face = slack <= _ON_FACE * max(1.0 / polytope.unit[-1], float(slack.max()))
    if abs(top[-1] - goal[-1]) > _ON_FACE * max(top[-1], goal[-1]) or (goal[~on_face] > 1e-9 * goal.max()).any():
        raise WalkError("it ended on two faces")
    away = np.where(goal > 0, 0.0, polytope.unit)
    join.check_arrival(polytope.walk(top, away, allowed=on_face, visit=there).points[-1], goal)
    there(goal)
