"""N5: the staircase in width: infeasible, isolated, partly joined, connected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, Landscape, LevelSet, level_set_topology
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import (
    accept_barrier,
    accept_components,
    accept_minimum,
    farthest_pair,
    pad,
    texts,
)
from proofs_check.claims.library.narrow_problems import problem_of, problems, several_orbits, zero_loss

__all__ = ["CLAIM"]

SHAPES = ((2, 1), (3, 1), (2, 2), (3, 2))


def _problems(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems of shape (n, d), some with targets of two neurons; all widths up to n + 1 are looked at."""
    eighths = st.sampled_from([1, 2, 5])
    return st.builds(lambda i, k: {"problem": i["problem"], "eighths": k}, problems((*shape, 2)), eighths)


def _generic(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems of shape (n, d) without degeneracy on purpose."""
    kinds = problems((*shape, 1), rows=("generic",), targets=("random",), output_weights=("free",))
    return kinds.map(lambda instance: {"problem": instance["problem"], "eighths": 1})


def _minima(instance: Instance, widths: Iterable[int]) -> list[LevelSet]:
    """Return the sets of global minima of some widths; raises unless the checker accepts what is said of them."""
    landscape = Landscape(problem_of(instance))
    found = []
    for width in widths:
        cells = CellComplex(landscape, width)
        accept_minimum(cells)
        found.append(level_set_topology(cells))
        accept_components(found[-1])
    return found


def _barrier_drops(minima: list[LevelSet]) -> list[Fraction]:
    """Return by how much the barrier between two minima falls when a zero neuron is added to both, at each width."""
    drops = []
    for narrow, wide in pairwise(minima):
        pair = farthest_pair(narrow)
        if pair is not None:
            start, end = (narrow.components[k].representative for k in pair[:2])
            before = accept_barrier(narrow.complex, start, end).value
            width = wide.complex.width
            drops.append(before - accept_barrier(wide.complex, pad(start, width), pad(end, width)).value)
    return drops


def _check(instance: Instance) -> Outcome:
    minima = _minima(instance, range(1, len(instance["problem"]["y"]) + 2))
    least = [found.least_loss for found in minima]
    wide, problem = minima[-1], minima[-1].complex.landscape.problem
    level = least[-1] + Fraction(instance["eighths"], 8) * (zero_loss(problem) - least[-1])
    above = level_set_topology(wide.complex, level=level)
    accept_components(above)
    falls = [a - b for a, b in pairwise(least)]
    apart = [Fraction(1 - len(found.components)) for found in (wide, above)]
    detail = {"least_loss": texts(least), "components": [len(found.components) for found in minima]}
    return Outcome(min(*falls, *apart, -falls[-1], *_barrier_drops(minima), Fraction(0)), certified=True, detail=detail)


def _never_increases(count: Callable[[LevelSet], int]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: this number for the global minima does not increase from width 1 to width 2."""

    def check(instance: Instance) -> Outcome:
        one, two = (count(found) for found in _minima(instance, (1, 2)))
        return Outcome(Fraction(one - two), detail={"width_1": one, "width_2": two})

    return check


def _connected_at_n(instance: Instance) -> Outcome:
    """Check: n neurons connect the global minima already."""
    (found,) = _minima(instance, [len(instance["problem"]["y"])])
    return Outcome(Fraction(1 - len(found.components)), detail={"components": len(found.components)})


CLAIM = Claim(
    id="N5",
    statement=(
        "as the width grows the least loss never rises and is final at n neurons; two minima with a zero neuron added "
        "are at least as well connected; and with n + 1 neurons every level set is connected; losses, counts and "
        "barriers each accepted by the checker (margin: the least fall of a loss or barrier, or minus the surplus of "
        "components; at most 0, which is no violation)"
    ),
    source="theory N5; connectedness at n + 1 neurons from W1 with Frobenius balls of growing radius (N = n + 1)",
    rests_on=("N1",),
    instances=_problems,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "components-never-increase",
            "the number of components of the global minima never increases with the width (1, 2)",
            check=_never_increases(lambda found: len(found.components)),
        ),
        Control(
            "orbits-never-increase",
            "the number of orbits of the global minima never increases with the width (1, 2)",
            check=_never_increases(lambda found: found.orbits),
            instances=lambda shape: several_orbits((*shape, 2)),
            shapes=((4, 2),),
        ),
        Control(
            "n-neurons-connect",
            "n neurons connect the global minima",
            check=_connected_at_n,
            instances=_generic,
            shapes=((2, 1), (2, 2)),
        ),
    ),
    cost=1.5,
)
