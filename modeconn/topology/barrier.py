"""Exact communication barriers: the least level at which two nets, or two components, are connected."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from modeconn.topology.complex import MAX_CELLS, CellComplex, sort_cell
from modeconn.topology.flood import Merge, Seed, flood
from modeconn.topology.landscape import Landscape
from modeconn.topology.level_set import LevelSet, level_set_topology, ordered_cell
from modeconn.topology.path import check_point, connecting_points
from modeconn.topology.points import Point, point_loss
from modeconn.topology.problem import Problem

__all__ = ["BarrierMatrix", "PairBarrier", "barrier_between", "communication_barrier"]


@dataclass(frozen=True)
class BarrierMatrix:
    """Communication barriers between the components of a level set.

    Attributes:
        level_set: the components.
        levels: for each pair of components the absolute loss level at which they join, exact; 0 on the diagonal.
        merges: the same as a merge tree (disconnectivity graph), in ascending order of level.
    """

    level_set: LevelSet
    levels: tuple[tuple[Fraction, ...], ...]
    merges: tuple[Merge, ...]

    @property
    def highest(self) -> Fraction:
        """The level at which the last components join; the level of the set itself if it is connected."""
        return self.merges[-1].level if self.merges else self.level_set.level


@dataclass(frozen=True)
class PairBarrier:
    """The communication barrier between two nets.

    Attributes:
        value: the least level c such that both lie in one component of {loss <= c}: an absolute loss, exact.
        start_loss: loss of the first net.
        end_loss: loss of the second net.
        points: an optimal path of u-points, from the first to the second; lift it with ``lift_path``.
    """

    value: Fraction
    start_loss: Fraction
    end_loss: Fraction
    points: tuple[Point, ...]

    @property
    def excess(self) -> Fraction:
        """The barrier above the worse end: zero iff the two nets are connected without climbing."""
        return self.value - max(self.start_loss, self.end_loss)


def communication_barrier(
    problem: Problem | Landscape | CellComplex | LevelSet,
    width: int | None = None,
    level: Fraction | None = None,
    *,
    max_cells: int = MAX_CELLS,
) -> BarrierMatrix:
    """Return the exact communication barriers between all components of a level set.

    Every edge of the intersection graph has an exact least loss; the barrier is the minimax path value. Water rises
    from the components, and only edges that it may pass are solved (claim N2).

    Args:
        problem: the problem, or a level set that is already computed.
        width: the number m of neurons.
        level: level of the set whose components are compared; by default the least loss.
        max_cells: see :class:`CellComplex`.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]})
        >>> communication_barrier(problem, 2).highest
        Fraction(1, 140)

    Reference: claim N2.
    """
    found = problem if isinstance(problem, LevelSet) else level_set_topology(problem, width, level, max_cells=max_cells)
    merges = flood(found.complex, [Seed(c.cell, c.order, found.level) for c in found.components])
    k = len(found.components)
    levels = [[Fraction(0)] * k for _ in range(k)]
    for merge in merges:
        for i, group in enumerate(merge.groups):
            for other in merge.groups[:i]:
                for a in group:
                    for b in other:
                        levels[a][b] = levels[b][a] = merge.level
    return BarrierMatrix(found, tuple(tuple(row) for row in levels), tuple(merges))


def barrier_between(
    problem: Problem | Landscape | CellComplex,
    start: Point,
    end: Point,
    *,
    max_cells: int = MAX_CELLS,
) -> PairBarrier:
    """Return the exact communication barrier between two nets, given as u-points, with an optimal path.

    max(loss(start), loss(end), bottleneck of the intersection graph), as a fraction. Use
    :func:`modeconn.topology.point_of_net` for nets in floats.

    Raises:
        InputError: the points do not belong to the problem, or it is too large.

    Example:
        >>> from modeconn.topology import problem_from_json, Neuron
        >>> problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1]})
        >>> left, right = Neuron((Fraction(-1),), 1), Neuron((Fraction(1),), 1)
        >>> barrier_between(problem, (left, right), (right, left)).value
        Fraction(1, 2)

    Reference: claim N2.
    """
    cells = problem if isinstance(problem, CellComplex) else CellComplex(problem, len(start), max_cells)
    seeds = []
    for name, point in (("start", start), ("end", end)):
        check_point(cells, point, name)
        cell, order = sort_cell(ordered_cell(cells.landscape, point))
        seeds.append(Seed(cell, order, point_loss(cells.landscape.problem, point)))
    value = flood(cells, seeds)[-1].level
    points = connecting_points(cells, start, end, value)
    assert points is not None, "the flood found the two nets connected at this level"
    return PairBarrier(value, seeds[0].level, seeds[1].level, tuple(points))
