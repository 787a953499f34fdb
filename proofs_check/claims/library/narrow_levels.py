"""At which level can a narrow net give up neurons? Minimax path values from one net, by Dijkstra's algorithm."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

from modeconn.topology import CellComplex, Point, point_loss
from modeconn.topology.complex import Cell, replace_type, sort_cell
from modeconn.topology.level_set import ordered_cell

__all__ = ["levels_of_fewer_neurons", "reach_levels"]


def reach_levels(cells: CellComplex, start: Point) -> Iterator[tuple[Cell, Fraction]]:
    """Yield each cell, up to the order of its neurons, with the least level at which a net reaches it, ascending.

    The minimax value over the intersection graph: max(loss(start), largest least loss of an edge) on the best path.
    Nothing is shared with :func:`modeconn.topology.barrier_between` but the graph. Cost: the exact least loss of every
    edge out of the cells that are asked for.

    Example:
        >>> from modeconn.topology import problem_from_json, Neuron
        >>> cells = CellComplex(problem_from_json({"X": [[1], [-1]], "y": [1, 1]}), 1)
        >>> [str(level) for _, level in reach_levels(cells, (Neuron((Fraction(1),), 1),))]
        ['1/2', '1', '1', '1']
    """
    landscape = cells.landscape
    first, _ = sort_cell(ordered_cell(landscape, start))
    best = {first: point_loss(landscape.problem, start)}
    heap = [(best[first], first)]
    done: set[Cell] = set()
    while heap:
        level, cell = heapq.heappop(heap)
        if cell in done:
            continue
        done.add(cell)
        yield cell, level
        for edge in (*cells.crossings(cell), *cells.passages(cell)):
            through = max(level, landscape.fit(edge.mask).value)
            beyond = range(len(landscape.types)) if edge.crossing is None else (edge.crossing.to,)
            for t in beyond:
                other, _ = replace_type(cell, edge.slot, t)
                if other not in best or through < best[other]:
                    best[other] = through
                    heapq.heappush(heap, (through, other))


def levels_of_fewer_neurons(cells: CellComplex, start: Point) -> list[Fraction]:
    """Return e(k) for k = 0 .. m - 1: the least level at which a net joins one with at most k live neurons.

    A cell at level c is convex, so a net that reaches it joins all nets in it with loss <= c, those on the faces where
    m - k neurons are zero included; and e(0) = max(loss(start), loss of the zero net), on the straight way to zero.

    Example:
        >>> from modeconn.topology import problem_from_json, Neuron
        >>> cells = CellComplex(problem_from_json({"X": [[1], [-1]], "y": [1, 1]}), 2)
        >>> levels = levels_of_fewer_neurons(cells, (Neuron((Fraction(1),), 1), Neuron((Fraction(-1),), 1)))
        >>> [str(level) for level in levels]
        ['1', '1/2']

    Reference: theory N7.
    """
    landscape = cells.landscape
    zero = max(point_loss(landscape.problem, start), landscape.fit(0).value)
    found = [zero] * cells.width
    for cell, level in reach_levels(cells, start):
        if level >= max(found[1:], default=level):
            break
        for k in range(1, cells.width):
            for live in set(combinations(cell, k)):
                found[k] = min(found[k], max(level, landscape.fit(cells.mask(live)).value))
    return found
