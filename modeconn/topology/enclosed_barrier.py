"""Communication barriers with a ridge term (claim N4) or inside a region (claim N3), as rigorous intervals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from modeconn.errors import InputError
from modeconn.topology.bounds import float_above, float_below, objective_bounds
from modeconn.topology.complex import Edge, sort_cell
from modeconn.topology.enclosed import MAX_PROGRAMS, EnclosedLevelSet, Interval, enclosed_level_set
from modeconn.topology.enclosure import Enclosures
from modeconn.topology.flood import Seed, flood
from modeconn.topology.level_set import ordered_cell
from modeconn.topology.path import check_point
from modeconn.topology.points import Point
from modeconn.topology.problem import Problem

__all__ = ["EnclosedBarriers", "enclosed_barrier_between", "enclosed_barriers"]


@dataclass(frozen=True)
class EnclosedBarriers:
    """Communication barriers between the components of an enclosed level set.

    Attributes:
        level_set: the components.
        lower: for each pair a level below which they are apart, a float; 0 on the diagonal.
        upper: for each pair a level at which they are joined, a float; 0 on the diagonal.
    """

    level_set: EnclosedLevelSet
    lower: tuple[tuple[float, ...], ...]
    upper: tuple[tuple[float, ...], ...]

    @property
    def highest(self) -> Interval:
        """The level at which the last components join; the level of the set itself if there is at most one."""
        if len(self.level_set.components) < 2:
            return float_below(self.level_set.level), float_above(self.level_set.level)
        return max(map(max, self.lower)), max(map(max, self.upper))


class _Ends:
    """Heights of edges from one end of their intervals, for :func:`modeconn.topology.flood.flood`."""

    def __init__(self, enclosures: Enclosures, upper: bool) -> None:
        self.enclosures, self.upper = enclosures, upper

    def bound(self, edge: Edge) -> tuple[Fraction, bool]:
        return self.enclosures.cells.landscape.store.lower(edge.mask)[0], False

    def level(self, edge: Edge) -> Fraction:
        found = self.enclosures.of(edge.cell, edge)
        return Fraction(found.upper if self.upper else found.lower)


def enclosed_barriers(
    problem: Problem | Enclosures | EnclosedLevelSet,
    width: int | None = None,
    level: Fraction | None = None,
    *,
    max_cells: int = MAX_PROGRAMS,
) -> EnclosedBarriers:
    """Return the communication barriers between the components of a level set with ridge term or region, as intervals.

    The minimax path value is monotone in the levels of the edges: with their lower ends it is below the barrier, with
    their upper ends above.

    Args:
        problem: as in :func:`enclosed_level_set`, or what that returned.
        width: the number m of neurons.
        level: level of the set whose components are compared.
        max_cells: see :class:`CellComplex`.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1], "ridge": "1/10"})
        >>> [round(v, 9) for v in enclosed_barriers(problem, 2).highest]   # one neuron left: 0.095 + 1/2
        [0.595, 0.595]

    Reference: claims N2, N3 and N4.
    """
    found = problem
    if not isinstance(found, EnclosedLevelSet):
        found = enclosed_level_set(found, width, level, max_cells=max_cells)
    seeds = [Seed(c.cell, c.order, found.level) for c in found.components]
    lower, upper = (_minimax(found.enclosures, seeds, end) for end in (False, True))
    below = tuple(tuple(float_below(v) for v in row) for row in lower)
    above = tuple(tuple(float_above(v) for v in row) for row in upper)
    return EnclosedBarriers(found, below, above)


def _minimax(enclosures: Enclosures, seeds: list[Seed], upper: bool) -> list[list[Fraction]]:
    """Return for every two seeds the level at which they meet, from one end of the intervals; 0 on the diagonal."""
    levels = [[Fraction(0)] * len(seeds) for _ in seeds]
    for merge in flood(enclosures.cells, seeds, heights=_Ends(enclosures, upper)):
        for i, group in enumerate(merge.groups):
            for other in merge.groups[:i]:
                for a in group:
                    for b in other:
                        levels[a][b] = levels[b][a] = merge.level
    return levels


def enclosed_barrier_between(
    problem: Problem | Enclosures, start: Point, end: Point, *, max_cells: int = MAX_PROGRAMS
) -> Interval:
    """Return the communication barrier between two nets, given as u-points, with ridge term or inside the region.

    Raises:
        InputError: the points do not belong to the problem, or are not seen to be inside its region.

    Example:
        >>> from modeconn.topology import Neuron, problem_from_json
        >>> problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1], "region": {"norm": "linf", "radius": 2}})
        >>> left, right = Neuron((Fraction(-1),), 1), Neuron((Fraction(1),), 1)
        >>> [round(v, 9) for v in enclosed_barrier_between(problem, (left, right), (right, left))]
        [0.5, 0.5]

    Reference: claims N2, N3 and N4.
    """
    enclosures = problem if isinstance(problem, Enclosures) else Enclosures(problem, len(start), max_cells)
    ends: list[list[Seed]] = [[], []]
    for name, point in (("start", start), ("end", end)):
        check_point(enclosures.cells, point, name)
        if not enclosures.is_inside(point):
            raise InputError(f"{name}: expected a net inside the region, found one outside or on its rim; move it in")
        cell, order = sort_cell(ordered_cell(enclosures.cells.landscape, point))
        for seeds, value in zip(ends, objective_bounds(enclosures.problem, point), strict=True):
            seeds.append(Seed(cell, order, value))
    lower, upper = (_minimax(enclosures, seeds, bool(k)) for k, seeds in enumerate(ends))
    return float_below(lower[0][1]), float_above(upper[0][1])
