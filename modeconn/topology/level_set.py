"""The components of a level set {loss <= c} of nets of one width: the intersection graph of its cells, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from modeconn.errors import InputError
from modeconn.topology.complex import MAX_CELLS, Cell, CellComplex, replace_type, sort_cell
from modeconn.topology.dimension import cell_dimension
from modeconn.topology.landscape import Landscape
from modeconn.topology.points import Point, point_loss
from modeconn.topology.problem import Problem
from modeconn.topology.symmetry import Permutation, SymmetricUnionFind, invert

__all__ = ["Component", "LevelSet", "level_set_topology"]


@dataclass(frozen=True)
class Component:
    """One connected component of a level set.

    Attributes:
        orbit: number of its orbit under permutations of the neurons.
        cell: a sorted cell it meets; with ``order`` the ordered cell T_j = cell[order[j]].
        order: see ``cell``.
        representative: a net of it, as a u-point.
    """

    orbit: int
    cell: Cell
    order: Permutation
    representative: Point

    @property
    def ordered_cell(self) -> Cell:
        """The ordered cell that holds the representative."""
        return tuple(self.cell[g] for g in self.order)


@dataclass(frozen=True)
class LevelSet:
    """The topology of {theta : loss(theta) <= level}.

    Attributes:
        complex: the cells it was computed from.
        level: c.
        least_loss: the least loss of this width.
        components: its components, those of one orbit side by side.
        orbits: number of components up to permutation of the neurons.
        dimensions: for every orbit, the dimension of its components in u-coordinates; 0 is an isolated u-point.
        feasible_cells: number of cells (multisets) that the level set meets.
        joined: which cells are connected, and by which permutations.
    """

    complex: CellComplex
    level: Fraction
    least_loss: Fraction
    components: tuple[Component, ...]
    orbits: int
    dimensions: tuple[int, ...]
    feasible_cells: int
    joined: SymmetricUnionFind[int] = field(repr=False, compare=False)

    @property
    def orbit_of(self) -> tuple[int, ...]:
        """The orbit of every component."""
        return tuple(component.orbit for component in self.components)

    @property
    def isolated(self) -> tuple[bool, ...]:
        """For every component, whether it is a single u-point."""
        return tuple(self.dimensions[component.orbit] == 0 for component in self.components)

    def orbit_cells(self) -> list[list[Cell]]:
        """Return for every orbit the sorted cells that its components meet."""
        index = {self.joined.find(self.complex.index(c.cell))[0]: c.orbit for c in self.components}
        cells: list[list[Cell]] = [[] for _ in range(self.orbits)]
        for node in self.joined.nodes():
            cells[index[self.joined.find(node)[0]]].append(self.complex.cell(node))
        return cells

    def component_of(self, point: Point) -> int | None:
        """Return the index of the component that holds a u-point, ``None`` if its loss is above the level."""
        if len(point) != self.complex.width:
            raise InputError(f"point: expected {self.complex.width} neurons, found {len(point)}")
        if point_loss(self.complex.landscape.problem, point) > self.level:
            return None
        index, component = self.complex.index, self.joined.component
        cell, g = sort_cell(ordered_cell(self.complex.landscape, point))
        return [component(index(c.cell), c.order) for c in self.components].index(component(index(cell), g))


def ordered_cell(landscape: Landscape, point: Point) -> Cell:
    """Return an ordered closed cell that holds a u-point (the first type of every neuron)."""
    return tuple(min(landscape.types_of(neuron)) for neuron in point)


def symmetries(cell: Cell) -> list[Permutation]:
    """Return generators of the permutations that fix a sorted cell: exchanges of equal neighbours."""
    m = len(cell)
    return [(*range(j), j + 1, j, *range(j + 2, m)) for j in range(m - 1) if cell[j] == cell[j + 1]]


def join_level_set(cells: CellComplex, level: Fraction) -> tuple[SymmetricUnionFind[int], np.ndarray]:
    """Return the components of {loss <= level} and whether each cell meets it."""
    landscape = cells.landscape
    feasible = landscape.are_at_most(cells.words, level)
    joined: SymmetricUnionFind[int] = SymmetricUnionFind(cells.width)
    members = np.flatnonzero(feasible).tolist()
    for i in members:
        joined.add(i, symmetries(cells.cell(i)))
    # passages through zero: all cells R + t meet where the last neuron is zero
    for r in np.flatnonzero(landscape.are_at_most(cells.rest_words, level)).tolist():
        rest = tuple(cells.rests[r].tolist())
        hub: Permutation | None = None
        for t in range(len(landscape.types)):
            cell, place = sort_cell((*rest, t))
            i = cells.index(cell)
            if hub is None:
                first, hub = i, invert(place)
            else:  # (first, place_first g) ~ (i, place g)
                joined.join(first, i, tuple(place[k] for k in hub))
    complete = math.factorial(cells.width)
    for i in members:
        if len(joined.roots()) == 1 and joined.group_order(i) == complete:
            break
        cell = cells.cell(i)
        for edge in cells.crossings(cell):
            assert edge.crossing is not None
            if edge.crossing.to < cell[edge.slot]:
                continue  # seen from the other side
            other, pi = replace_type(cell, edge.slot, edge.crossing.to)
            j = cells.index(other)
            if feasible[j] and not joined.is_joined(i, j, pi) and landscape.is_at_most(edge.mask, level):
                joined.join(i, j, pi)
    return joined, feasible


def level_set_topology(
    problem: Problem | Landscape | CellComplex,
    width: int | None = None,
    level: Fraction | None = None,
    *,
    max_cells: int = MAX_CELLS,
) -> LevelSet:
    """Return the connected components of {theta : loss(theta) <= level} for nets of one width.

    The level set is a union of closed cells, each convex in u-coordinates; two cells meet along chains of facet
    crossings of one neuron and passages of one neuron through zero (claim N1). All losses are exact fractions. One
    least squares problem answers for every cell between its support and the columns its dual vector allows, so that a
    few hundred of them decide some 10^5 cells and edges.

    Args:
        problem: the problem (or cells of it, to reuse what is solved).
        width: the number m of neurons; left out when ``problem`` is a :class:`CellComplex`.
        level: c; by default the least loss of this width, so that the set is that of the global minima.
        max_cells: see :class:`CellComplex`.

    Returns:
        The level set; without components if ``level`` is below the least loss.

    Raises:
        InputError: the problem is too large or has a ridge term.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]})
        >>> [(s.least_loss, len(s.components), s.orbits) for s in (level_set_topology(problem, m) for m in (1, 2, 3))]
        [(Fraction(1, 140), 1, 1), (Fraction(0, 1), 4, 2), (Fraction(0, 1), 1, 1)]

    Reference: claims N1 and N5.
    """
    cells = problem if isinstance(problem, CellComplex) else CellComplex(problem, width or 0, max_cells)
    least = cells.least_loss()
    c = least if level is None else level
    joined, feasible = join_level_set(cells, c)
    components: list[Component] = []
    dimensions: list[int] = []
    members: dict[object, list[int]] = {}
    for i in np.flatnonzero(feasible).tolist():
        members.setdefault(joined.find(i)[0], []).append(i)
    for orbit, group in enumerate(members.values()):
        cell = cells.cell(group[0])
        point = cells.landscape.realise(cells.landscape.fit(cells.mask(cell)), cells.faces(cell))
        for g in joined.cosets(group[0]):
            components.append(Component(orbit, cell, g, tuple(point[k] for k in g)))
        dimensions.append(cell_dimension(cells, group, c))
    return LevelSet(cells, c, least, tuple(components), len(members), tuple(dimensions), int(feasible.sum()), joined)
