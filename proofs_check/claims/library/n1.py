"""N1: the components of a level set of a narrow net are those of the intersection graph of its cells."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, LevelSet
from modeconn.topology.complex import Edge
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import accept_components
from proofs_check.claims.library.narrow_graph import plain_components
from proofs_check.claims.library.narrow_problems import level_set_of, problems

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 1), (2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 1, 3), (4, 2, 3), (3, 3, 3), (4, 3, 2))
WORKED_SHAPES = ((2, 1, 2), (3, 2, 2), (4, 2, 2))


def _level_sets(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems of shape (n, d, m) with a level: that of the global minima, or above it."""
    eighths = st.sampled_from([0, 0, 0, 1, 2, 5])
    return st.builds(lambda instance, k: {**instance, "eighths": k}, problems(shape), eighths)


def _certified(instance: Instance) -> LevelSet:
    """Return the level set of an instance; raises unless the checker accepts its numbers."""
    found = level_set_of(instance, instance["eighths"])
    accept_components(found)
    return found


def _check(instance: Instance) -> Outcome:
    found = _certified(instance)
    detail = {"components": len(found.components), "orbits": found.orbits, "level": str(found.level)}
    return Outcome(Fraction(0), certified=True, detail=detail)


def _counted(count: Callable[[LevelSet], int]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: this count is the number of components."""

    def check(instance: Instance) -> Outcome:
        found = _certified(instance)
        other = count(found)
        detail = {"components": len(found.components), "counted": other, "level": str(found.level)}
        return Outcome(-Fraction(abs(len(found.components) - other)), detail=detail)

    return check


def _crosses_first(cells: CellComplex, edge: Edge) -> bool:
    """Return whether an edge crosses the hyperplane of the first row of X that is not zero."""
    if edge.crossing is None:
        return False
    types, X = cells.landscape.types, cells.landscape.problem.X
    first = next(i for i, x in enumerate(X) if any(x))
    return types[edge.cell[edge.slot]].signs[first] != types[edge.crossing.to].signs[first]


def _without_first_hyperplane(found: LevelSet) -> int:
    cells = found.complex
    return len(plain_components(cells, found.level, lambda edge: not _crosses_first(cells, edge)))


def _without_passages(found: LevelSet) -> int:
    return len(plain_components(found.complex, found.level, lambda edge: edge.crossing is not None))


def _all_neighbours_joined(found: LevelSet) -> int:
    return len(plain_components(found.complex, found.level, is_intersection_tested=False))


CLAIM = Claim(
    id="N1",
    statement=(
        "the components of {loss <= c}, counted as sets and up to permutation of the neurons, are those of the graph "
        "whose nodes are the cells (a pattern and a sign for each neuron) with least loss <= c, joined by facet "
        "crossings and passages through zero with least loss <= c on the intersection; the checker, which encloses the "
        "graph by points and cuts of its own, accepts both numbers (margin: minus the difference of the counts)"
    ),
    source="theory N1, proved there",
    instances=_level_sets,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "facet-class-left-out",
            "the crossings of the first hyperplane may be left out of the graph",
            check=_counted(_without_first_hyperplane),
            shapes=WORKED_SHAPES,
        ),
        Control(
            "no-passage-through-zero",
            "the passages through zero may be left out of the graph",
            check=_counted(_without_passages),
            shapes=WORKED_SHAPES,
        ),
        Control(
            "orbits-as-components",
            "the number of components is that of the orbits under permutations of the neurons",
            check=_counted(lambda found: found.orbits),
            shapes=WORKED_SHAPES,
        ),
        Control(
            "neighbours-always-joined",
            "two neighbouring cells that both meet the level set are joined there",
            check=_counted(_all_neighbours_joined),
            shapes=WORKED_SHAPES,
        ),
    ),
    cost=1.5,
)
