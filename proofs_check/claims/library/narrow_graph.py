"""Components of a level set from the plain graph of ordered cells, edges left out or added at will: for controls.

Every ordered assignment of types is a node of its own; no symmetry is used. Exact, and slow on purpose.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction

from modeconn.topology import CellComplex
from modeconn.topology.complex import Cell, Edge

__all__ = ["every_edge", "plain_components"]


def every_edge(edge: Edge) -> bool:
    """Keep all edges."""
    return True


def _neighbours(cells: CellComplex, cell: Cell, keep: Callable[[Edge], bool]) -> Iterator[tuple[Cell, Edge]]:
    for edge in (*cells.crossings(cell, ordered=True), *cells.passages(cell, ordered=True)):
        if keep(edge):
            beyond = range(len(cells.landscape.types)) if edge.crossing is None else (edge.crossing.to,)
            for t in beyond:
                yield (*cell[: edge.slot], t, *cell[edge.slot + 1 :]), edge


def plain_components(
    cells: CellComplex,
    level: Fraction,
    keep: Callable[[Edge], bool] = every_edge,
    *,
    is_intersection_tested: bool = True,
) -> list[set[Cell]]:
    """Return the connected components of the graph of ordered cells with least loss <= level.

    Args:
        cells: the cells; T**m ordered ones are visited.
        level: c.
        keep: which edges are in the graph.
        is_intersection_tested: an edge needs a net of loss <= level on the intersection of its two cells.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]})
        >>> [len(plain_components(CellComplex(problem, m), Fraction(1, 140))) for m in (1, 2)]
        [1, 1]
    """
    landscape = cells.landscape

    def is_inside(cell: Cell) -> bool:
        return landscape.is_at_most(cells.mask(cell), level)

    left = set(filter(is_inside, itertools.product(range(len(landscape.types)), repeat=cells.width)))
    components = []
    while left:
        frontier = [left.pop()]
        component = set(frontier)
        while frontier:
            for cell, edge in _neighbours(cells, frontier.pop(), keep):
                if cell in left and (not is_intersection_tested or landscape.is_at_most(edge.mask, level)):
                    left.remove(cell)
                    component.add(cell)
                    frontier.append(cell)
        components.append(component)
    return components
