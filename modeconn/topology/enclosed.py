"""Components of level sets with a ridge term (claim N4) or inside a region (claim N3), decided by intervals.

The graph is that of claim N1. A cell or an edge is *met* at a level when a rational net on it is exactly at or below
the level, *missed* when a dual bound is above it, and undecided between the two ends of its interval. Nothing is
decided by a float that a solver returned.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from modeconn.topology.bounds import float_above, objective_bounds
from modeconn.topology.complex import Cell, Edge, replace_type, sort_cell
from modeconn.topology.enclosure import Enclosures
from modeconn.topology.level_set import Component, ordered_cell, symmetries
from modeconn.topology.path import check_point
from modeconn.topology.points import Point
from modeconn.topology.problem import Problem
from modeconn.topology.symmetry import Permutation, SymmetricUnionFind

__all__ = ["EnclosedLevelSet", "Interval", "enclosed_level_set", "least_objective"]

MAX_PROGRAMS = 50_000
"""Default limit on the number of cells: each takes some milliseconds."""

SLACK = Fraction(1, 10**8)
"""The optimal set is taken as {objective <= upper end of the optimum + SLACK * 1/2 |y|^2}."""

Interval = tuple[float, float]
"""(lower, upper): a number lies between them, ends included."""


@dataclass(frozen=True)
class EnclosedLevelSet:
    """Components of {objective <= level}, inside the region if there is one.

    Attributes:
        enclosures: the cells and what is known about them.
        level: c, a rational number.
        least: the least objective of this width.
        components: those that were found: connected by met edges, each with a net that is exactly at most at the level.
        orbits: number of them up to permutation of the neurons.
        count: (fewest, most) components there can be.
        undecided: number of cells and edges that matter and whose intervals hold the level; 0 if ``count`` is exact.
        met: the cells (multisets) that the set is known to meet, and by which permutations they are connected.
    """

    enclosures: Enclosures = field(repr=False, compare=False)
    level: Fraction
    least: Interval
    components: tuple[Component, ...]
    orbits: int
    count: tuple[int, int]
    undecided: int
    met: SymmetricUnionFind[Cell] = field(repr=False, compare=False)

    @property
    def orbit_of(self) -> tuple[int, ...]:
        """The orbit of every component."""
        return tuple(component.orbit for component in self.components)

    def component_of(self, point: Point) -> int | None:
        """Return the index of the component that holds a u-point; ``None`` if it is not seen to be in the set (its
        objective is above the level, it is outside the region, or its cell is undecided)."""
        enclosures = self.enclosures
        check_point(enclosures.cells, point)
        if objective_bounds(enclosures.problem, point)[1] > self.level or not enclosures.is_inside(point):
            return None
        cell, order = sort_cell(ordered_cell(enclosures.cells.landscape, point))
        if cell not in self.met:
            return None
        return [self.met.component(c.cell, c.order) for c in self.components].index(self.met.component(cell, order))


def least_objective(enclosures: Enclosures) -> Interval:
    """Return the least objective over all nets of the width (inside the region) as an interval.

    Cost: one program for each cell whose exact least loss is not above what is reached already.
    """
    best, least = float_above(enclosures.zero), math.inf
    cells = enclosures.cells
    for i in range(len(cells)):
        cell = cells.cell(i)
        if cells.landscape.is_at_most(cells.mask(cell), Fraction(best)):
            found = enclosures.of(cell)
            least, best = min(least, found.lower), min(best, found.upper)
    return min(least, best), best


def enclosed_level_set(
    problem: Problem | Enclosures,
    width: int | None = None,
    level: Fraction | None = None,
    *,
    max_cells: int = MAX_PROGRAMS,
) -> EnclosedLevelSet:
    """Return the components of {objective <= level} of a problem with a ridge term, or inside its region.

    Cost: at most one cone program of some milliseconds for each cell and edge at or below the level.

    Args:
        problem: with a ridge term or a region (or cells of it, to reuse what is solved).
        width: the number m of neurons; left out when ``problem`` is an :class:`Enclosures`.
        level: c; by default the upper end of the least objective plus 10^-8 of 1/2 |y|^2, the objective of the zero
            net: wider than the intervals, and a stand-in for the optimal set where nothing happens in between.
        max_cells: see :class:`CellComplex`.

    Raises:
        InputError: the problem has neither ridge term nor region, or both, or is too large.

    Irrational data: floats are read as their shortest decimals, which is a problem some 10^-16 away.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1], "ridge": "1/10"})
        >>> found = enclosed_level_set(problem, 2)   # optimum beta (|u_1| + |u_2|) + ..., two neurons in two orders
        >>> [round(v, 9) for v in found.least], found.count, found.undecided
        ([0.19, 0.19], (2, 2), 0)

    Reference: claims N3 and N4.
    """
    enclosures = problem if isinstance(problem, Enclosures) else Enclosures(problem, width or 0, max_cells)
    least = least_objective(enclosures)
    c = Fraction(least[1]) + SLACK * enclosures.zero if level is None else level
    return _Search(enclosures, c).run(least)


class _Search:
    """Joins met cells in one graph, and all that are not missed in another: the truth is between the two."""

    def __init__(self, enclosures: Enclosures, level: Fraction) -> None:
        self.enclosures, self.cells, self.level = enclosures, enclosures.cells, level
        self.met: SymmetricUnionFind[Cell] = SymmetricUnionFind(self.cells.width)
        self.possible: SymmetricUnionFind[Cell] = SymmetricUnionFind(self.cells.width)
        self.exact: dict[Cell, Point] = {}

    def run(self, least: Interval) -> EnclosedLevelSet:
        """Decide cells, then the edges that matter."""
        cells, alone = self.cells, 0
        for i in np.flatnonzero(cells.landscape.are_at_most(cells.words, self.level)).tolist():
            cell = cells.cell(i)
            verdict = self._decide(cell)
            if verdict is not False:
                self.possible.add(cell, symmetries(cell))
            if verdict:
                self.met.add(cell, symmetries(cell))
            elif verdict is None:
                alone += len(self.possible.cosets(cell))
        doubtful = []
        for cell in self.possible.nodes():
            for edge in (*cells.passages(cell), *cells.crossings(cell)):
                if any(self._is_open(cell, *step) for step in self._steps(cell, edge)):
                    doubtful += [edge] if self._join(cell, edge) else []
        components: list[Component] = []
        for orbit, root in enumerate(self.met.roots()):
            point = self.exact.get(root) or self.enclosures.point(root)
            for g in self.met.cosets(root):
                components.append(Component(orbit, root, g, tuple(point[k] for k in g)))
        sure = {self.possible.find(cell)[0] for cell in self.met.nodes()}
        undecided = len(self.possible.nodes()) - len(self.met.nodes())
        undecided += sum(any(self._is_open(e.cell, *step) for step in self._steps(e.cell, e)) for e in doubtful)
        return EnclosedLevelSet(
            self.enclosures,
            self.level,
            least,
            tuple(components),
            len(self.met.roots()),
            (sum(self.possible.orbit_size(root) for root in sure), len(components) + alone),
            undecided,
            self.met,
        )

    def _decide(self, cell: Cell, edge: Edge | None = None) -> bool | None:
        """Return whether the level is reached on a cell or edge, ``None`` if the interval holds it."""
        if self.level >= self.enclosures.zero:
            return True  # by the zero net
        found = self.enclosures.of(cell, edge)
        if Fraction(found.lower) > self.level:
            return False
        if Fraction(found.upper) <= self.level:
            return True
        point = self.enclosures.exact_point(self.level, cell, edge)
        if point is not None and edge is None:
            self.exact[cell] = point
        return None if point is None else True

    def _steps(self, cell: Cell, edge: Edge) -> list[tuple[Cell, Permutation]]:
        """Return the cells behind an edge that are not missed, each crossing from one side only."""
        beyond: Iterable[int] = range(len(self.cells.landscape.types))
        if edge.crossing is not None:
            beyond = [edge.crossing.to] if edge.crossing.to > cell[edge.slot] else []
        steps = [replace_type(cell, edge.slot, t) for t in beyond]
        return [(other, pi) for other, pi in steps if other in self.possible]

    def _is_open(self, cell: Cell, other: Cell, pi: Permutation) -> bool:
        """Return whether it is not known yet that a step connects."""
        return not (cell in self.met and other in self.met and self.met.is_joined(cell, other, pi))

    def _join(self, cell: Cell, edge: Edge) -> bool:
        """Join the cells behind an edge; return whether the edge is undecided."""
        if not self.cells.landscape.is_at_most(edge.mask, self.level):
            return False
        verdict = self._decide(cell, edge)
        if verdict is False:
            return False
        for other, pi in self._steps(cell, edge):
            self.possible.join(cell, other, pi)
            if verdict and cell in self.met and other in self.met:
                self.met.join(cell, other, pi)
        return verdict is None
