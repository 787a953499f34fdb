"""From one reduced net to the other along the edges of a polytope: for widths between N + 1 and live0 + live1."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeconn.constructions.connection import Connection
from modeconn.constructions.exact_walk import ExactPolytope
from modeconn.constructions.pair import Pair
from modeconn.constructions.polytope_walk import Polytope, WalkError
from modeconn.constructions.reduction import ReducedPair, finished, reduce_pair, refused
from modeconn.constructions.slots import NoFreeSlot

__all__ = ["ROUNDED", "Join", "edge_walk", "join_along_edges"]

Reals = NDArray[np.float64]
_SAME = 1e-13
"""Relative distance at and below which both nets have the same Psi."""
ROUNDED = "rounding broke the walk: the sizes of the neurons span too many orders of magnitude; widen the nets"


class Join(NamedTuple):
    """The polytope {(t, s, s', tau) >= 0: sum t psi = (1 - s) Psi_0 + s Psi_1 - tau (0, I, 0), s + s' = 1}.

    Attributes:
        polytope: its equations; the columns are the live neurons of both nets, s, s', and tau if there is one.
        bases: base neuron of each of the first columns.
        start: the first reduced net, at s = 0.
        end: the second one, at s = 1.
    """

    polytope: Polytope | ExactPolytope
    bases: NDArray[np.int_]
    start: Reals
    end: Reals

    def weights(self, z: Reals) -> dict[int, float]:
        """Return the weights of the base neurons at a point."""
        t = z[: len(self.bases)]
        live = np.flatnonzero(t > 0)
        return dict(zip(self.bases[live].tolist(), t[live].tolist(), strict=True))

    def check_arrival(self, z: Reals, goal: Reals) -> None:
        """Raise :class:`WalkError` unless a walk ended at its goal, to rounding; the columns at unit length."""
        unit = self.polytope.unit
        if np.max(np.abs(z - goal) * unit) > 1e-7 * np.max(goal * unit):
            raise WalkError("it ended at another vertex")

    @classmethod
    def of(cls, reduced: ReducedPair, climbing: bool, exact: bool = False) -> Join:
        """Return the join of a reduced pair, with the column tau if ``climbing``; in rationals if ``exact``."""
        pair, (end0, end1), (M0, M1) = reduced.pair, reduced.ends, reduced.features
        s0, s1 = np.flatnonzero(end0.support), np.flatnonzero(end1.support)
        t0, t1 = end0.t[s0], end1.t[s1]
        if exact:
            M0, M1, t0, t1 = (_rational(values) for values in (M0[:, s0], M1[:, s1], t0, t1))
        else:
            M0, M1 = M0[:, s0], M1[:, s1]
        Psi0, Psi1 = M0 @ t0, M1 @ t1
        away, scale = Psi0 - Psi1, 1.0
        if not exact:
            if np.linalg.norm(away) <= _SAME * np.linalg.norm(Psi0):  # rounding, not a direction
                away = np.zeros_like(away)
            scale = float(np.linalg.norm(away)) or 1.0
        columns = [M0, M1, away[:, None], np.zeros((len(Psi0), 1))]
        if climbing:
            (n, d), c = pair.X.shape, pair.outputs
            columns.append(reduced.rule.shrinking(n, d, c)[:, None])
        M = np.concatenate(columns, 1)
        last = np.zeros((1, M.shape[1]))
        k = len(s0) + len(s1)
        last[0, k : k + 2] = scale
        start, end = np.zeros(M.shape[1]), np.zeros(M.shape[1])
        start[: len(s0)], start[k + 1] = end0.t[s0], 1.0
        end[len(s0) : k], end[k] = end1.t[s1], 1.0
        system, target = np.concatenate([M, last]), np.r_[Psi0, scale]
        polytope = ExactPolytope(_rational(system), _rational(target).tolist()) if exact else Polytope(system, target)
        return cls(polytope, np.r_[s0, pair.width + s1], start, end)


def _rational(values: NDArray[Any]) -> NDArray[Any]:
    """Return the very numbers as Fractions."""
    return np.vectorize(Fraction, otypes=[object])(values)


def edge_walk(pair: Pair) -> Connection:
    """Return the path along the edges of the join polytope; sure for m >= N + 1, N the rank on these nets.

    A piece for every edge; at most N + 1 neurons are alive on it.

    Reference: theory W1, step (iii).
    """
    return join_along_edges(reduce_pair(pair))


def join_along_edges(reduced: ReducedPair) -> Connection:
    """Return the path of :func:`edge_walk` for a reduced pair."""
    name, m, (live0, live1) = "edge-walk", reduced.pair.width, reduced.live
    join = Join.of(reduced, climbing=False)
    rank = join.polytope.rank - 1  # less the equation s + s' = 1
    cost = np.zeros(len(join.start))
    cost[:live0] = join.polytope.unit[:live0]
    cost[live0 + live1] = -(float(cost @ join.start) or 1.0)
    schedule = reduced.start()
    try:
        points = join.polytope.walk(join.start, cost, visit=lambda z: schedule.reweigh(join.weights(z))).points
        join.check_arrival(points[-1], join.end)
        schedule.reweigh(join.weights(join.end))
        schedule.settle({int(b): int(b) - m for b in join.bases[live0:]})
    except NoFreeSlot:
        reason = (
            f"the walk along the edges needs a width of up to N + 1 = {rank + 1} (N = {rank} on these nets, "
            f"{reduced.functionals} in general), found m = {m} with {live0} and {live1} live neurons"
        )
        return refused(reduced, name, rank + 1, ROUNDED if m > rank else reason, rank=rank)
    except WalkError as error:
        return refused(reduced, name, rank + 1, f"the walk along the edges broke down: {error}", rank=rank)
    reduced.end(schedule)
    return finished(
        reduced,
        name,
        rank + 1,
        schedule.path(reduced.pair),
        f"reduced to {live0} and {live1} live neurons, joined by {len(points) - 1} edges in {m} slots",
        rank,
    )
