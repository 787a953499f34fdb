"""Two neurons on opposite points, and the same two exchanged: the smallest nets that no path joins at zero loss."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, Landscape, PairBarrier, problem_from_json
from proofs_check.claims.claim import Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import accept_barrier
from proofs_check.claims.library.w_cases import pair_of
from proofs_check.claims.library.w_segment import highest_on_segment, point_of

__all__ = ["below_the_barrier", "certified_barrier", "exchanged"]

RegionOf = Callable[[list[dict[str, Any]]], Any]


def exchanged(region: str | RegionOf, route: str) -> Callable[[Shape], SearchStrategy[Instance]]:
    """Return instances of width 2 with one input: both nets have zero loss, neurons in opposite order.

    Args:
        region: the instance's region, or a function of both nets that returns it.
        route: the instance's route.
    """

    def build(p: int, q: int, a: int, b: int) -> Instance:
        first = {"W": [[1.0, -1.0]], "A": [[float(a), float(b)]]}
        second = {"W": [[-1.0, 1.0]], "A": [[float(b), float(a)]]}
        data = {"X": [[p], [-q]], "Y": [[p * a], [q * b]]}
        around = region if isinstance(region, str) else region([first, second])
        return {**data, "net0": first, "net1": second, "region": around, "route": route}

    return lambda shape: st.builds(build, *[st.integers(1, 4) for _ in range(4)])


def certified_barrier(instance: Instance) -> PairBarrier:
    """Return the communication barrier between the nets of an instance with one output, accepted by the checker."""
    pair = pair_of(instance)
    problem = problem_from_json({"X": instance["X"], "y": [y for (y,) in instance["Y"]]})
    points = [point_of(W, A) for W, A in ((pair.W0, pair.A0), (pair.W1, pair.A1))]
    return accept_barrier(CellComplex(Landscape(problem), pair.width), *points)


def below_the_barrier(instance: Instance) -> Outcome:
    """Return the outcome of: the nets are joined below the loss of the worse one; refuted by the certified barrier."""
    barrier = certified_barrier(instance).value
    level, _ = highest_on_segment(pair_of(instance))
    return Outcome(Fraction(level - barrier), detail={"barrier": str(barrier), "level": str(level)})
