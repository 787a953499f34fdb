"""Explicit paths below a level: u-points whose consecutive ones share a closed cell, and their lift to parameters."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from fractions import Fraction

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.topology.complex import Cell, CellComplex, Edge
from modeconn.topology.level_set import ordered_cell
from modeconn.topology.points import Neuron, Point, is_same_cell, lift, point_loss

__all__ = ["check_point", "connecting_points", "lift_path"]


def check_point(cells: CellComplex, point: Point, name: str = "point") -> None:
    """Raise :class:`InputError` unless the point has the width, dimension and signs of the problem."""
    problem = cells.landscape.problem
    if len(point) != cells.width or any(len(n.u) != problem.dimension or n.s not in problem.signs for n in point):
        raise InputError(
            f"{name}: expected {cells.width} neurons of {problem.dimension} inputs with signs in "
            f"{list(problem.signs)}, found {len(point)} with lengths {sorted({len(n.u) for n in point})}"
        )


def _steps(
    cells: CellComplex, cell: Cell, level: Fraction, passed: set[tuple[int, Cell]]
) -> Iterator[tuple[Cell, Edge]]:
    """Yield the ordered cells next to ``cell`` in the level set, with the edges that lead there."""
    for edge in cells.crossings(cell, ordered=True):
        if cells.landscape.is_at_most(edge.mask, level):
            assert edge.crossing is not None
            yield (*cell[: edge.slot], edge.crossing.to, *cell[edge.slot + 1 :]), edge
    for edge in cells.passages(cell, ordered=True):
        rest = cell[: edge.slot] + cell[edge.slot + 1 :]
        if (edge.slot, rest) not in passed and cells.landscape.is_at_most(edge.mask, level):
            passed.add((edge.slot, rest))
            for t in range(len(cells.landscape.types)):
                yield (*rest[: edge.slot], t, *rest[edge.slot :]), edge


def connecting_points(cells: CellComplex, start: Point, end: Point, level: Fraction) -> list[Point] | None:
    """Return a path of u-points from ``start`` to ``end`` with loss <= level throughout, ``None`` if there is none.

    Consecutive points share a closed cell, where the loss is convex in u: the ends of every piece bound it. Best-first
    search over ordered cells (fewest neurons of a wrong type first), then shortcuts.

    Reference: claims N1 and N2.
    """
    landscape = cells.landscape
    for name, point in (("start", start), ("end", end)):
        check_point(cells, point, name)
        if point_loss(landscape.problem, point) > level:
            return None
    goal = [landscape.types_of(neuron) for neuron in end]

    def misses(cell: Cell) -> int:
        return sum(t not in types for t, types in zip(cell, goal, strict=True))

    first = ordered_cell(landscape, start)
    origin: dict[Cell, tuple[Cell, Edge] | None] = {first: None}
    heap = [(misses(first), 0, first)]
    passed: set[tuple[int, Cell]] = set()
    while heap:
        wrong, depth, cell = heapq.heappop(heap)
        if not wrong:
            break
        for other, edge in _steps(cells, cell, level, passed):
            if other not in origin:
                origin[other] = (cell, edge)
                heapq.heappush(heap, (misses(other), depth + 1, other))
    else:
        return None
    points = [end]
    while (step := origin[cell]) is not None:
        cell, edge = step
        points.append(landscape.realise(landscape.fit(edge.mask), cells.edge_faces(edge)))
    return _shortcut(cells, [start, *reversed(points)])


def _shortcut(cells: CellComplex, points: list[Point]) -> list[Point]:
    """Drop the points that can be skipped: from each one, go on to the last one that shares a cell with it."""
    kept = [points[0]]
    at = 0
    while at < len(points) - 1:
        at = next(
            k
            for k in range(len(points) - 1, at, -1)
            if k == at + 1 or is_same_cell(cells.landscape.problem, points[at], points[k])
        )
        kept.append(points[at])
    return kept


def lift_path(points: list[Point], *, fixed: bool = False) -> list[Net]:
    """Return a polyline of nets over a path of u-points: straight segments of parameter space over each u-segment.

    Nets are (w, alpha) = (u, s). Where a neuron changes sign it is zero, and a segment turns its alpha from s to -s
    first. (From another net over the first point, follow (t w, alpha / t) to it: the function does not change.)

    Args:
        points: from :func:`connecting_points`.
        fixed: output weights are fixed at +1 (no A).
    """
    signs = [neuron.s for neuron in points[0]]

    def with_signs(point: Point) -> Net:
        return lift(tuple(Neuron(n.u, s) for n, s in zip(point, signs, strict=True)), fixed=fixed)

    nets = [with_signs(points[0])]
    for before, after in [*itertools.pairwise(points), (points[-1], points[-1])]:
        wanted = [b.s if a.is_zero else s for a, b, s in zip(before, after, signs, strict=True)]
        if wanted != signs:
            signs[:] = wanted
            nets.append(with_signs(before))
        if after is not before:
            nets.append(with_signs(after))
    return nets
