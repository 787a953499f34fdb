"""Explicit paths under a ridge term: what an interval for a barrier is worth from above."""

from __future__ import annotations

import heapq
from fractions import Fraction
from itertools import pairwise

from modeconn.topology import Enclosures, Point, is_same_cell
from modeconn.topology.bounds import objective_bounds
from modeconn.topology.complex import Cell, Edge
from modeconn.topology.level_set import ordered_cell

__all__ = ["minimax_path"]


def minimax_path(enclosures: Enclosures, start: Point, end: Point) -> list[Point]:
    """Return a path between two nets whose largest objective should be the barrier: Dijkstra over ordered cells.

    Consecutive nodes share a closed cell, where the objective is convex in u: the largest objective of the path is that
    of its nodes. Cost: one cone program for each edge that is looked at.

    Args:
        enclosures: the cells of the problem.
        start: first node.
        end: last node.

    Raises:
        ValueError: two consecutive nodes share no cell.
    """
    cells, problem = enclosures.cells, enclosures.problem
    goal = [cells.landscape.types_of(neuron) for neuron in end]
    cell = ordered_cell(cells.landscape, start)
    best = {cell: objective_bounds(problem, start)[1]}
    origin: dict[Cell, tuple[Cell, Edge]] = {}
    heap, done = [(best[cell], cell)], set()
    while heap:
        level, cell = heapq.heappop(heap)
        if all(t in types for t, types in zip(cell, goal, strict=True)):
            break
        if cell in done:
            continue
        done.add(cell)
        for edge in (*cells.crossings(cell, ordered=True), *cells.passages(cell, ordered=True)):
            through = max(level, Fraction(enclosures.of(cell, edge).upper))
            beyond = range(len(cells.landscape.types)) if edge.crossing is None else (edge.crossing.to,)
            for t in beyond:
                other = (*cell[: edge.slot], t, *cell[edge.slot + 1 :])
                if other not in best or through < best[other]:
                    best[other], origin[other] = through, (cell, edge)
                    heapq.heappush(heap, (through, other))
    nodes = [end]
    while cell in origin:
        cell, edge = origin[cell]
        nodes.append(enclosures.point(cell, edge))
    nodes = [start, *reversed(nodes)]
    if not all(is_same_cell(problem, *pair) for pair in pairwise(nodes)):
        raise ValueError("path: two consecutive nodes share no cell")
    return nodes
