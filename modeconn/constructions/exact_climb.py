"""The tau climb in rational arithmetic, for small pairs on which rounding breaks the walks in floats."""

from __future__ import annotations

from modeconn.constructions.connection import Connection
from modeconn.constructions.edge_walk import Join
from modeconn.constructions.pair import Pair
from modeconn.constructions.reduction import reduce_pair, refused
from modeconn.constructions.tau_climb import join_over_the_top

__all__ = ["MOST_ENTRIES", "exact_climb"]

MOST_ENTRIES = 4_000
"""Largest number of entries of the tableau: some seconds of arithmetic with integers of thousands of bits."""


def exact_climb(pair: Pair) -> Connection:
    """Return the path of :func:`tau_climb`, its walks decided in rationals; sure for m >= N and N up to about 40.

    Nearly equal neurons, or neurons of very different sizes, make vertices that floats confuse. The path itself is
    rounded in the end: weights t >= 0 of bounded sum, so loss and norms move by rounding only.

    Reference: theory W1, step (iv).
    """
    reduced = reduce_pair(pair)
    entries = (reduced.functionals + 1) * (sum(reduced.live) + 3)
    if entries > MOST_ENTRIES:
        reason = f"a tableau of {entries} rationals is too large, at most {MOST_ENTRIES}"
        return refused(reduced, "exact-climb", reduced.functionals, reason)
    rank = Join.of(reduced, climbing=True).polytope.rank - 1  # less the equation s + s' = 1
    if pair.width >= rank:
        return join_over_the_top(reduced, exact=True)
    reason = f"the climb needs width N = {rank} on these nets, found m = {pair.width}"
    return refused(reduced, "exact-climb", rank, reason, rank=rank)
