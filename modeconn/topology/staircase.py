"""Components, orbits and barriers against width, and the merge tree of all minima of one width."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from modeconn.topology.barrier import communication_barrier
from modeconn.topology.complex import MAX_CELLS, Cell, CellComplex, replace_type
from modeconn.topology.flood import Merge, Seed, flood
from modeconn.topology.landscape import Landscape
from modeconn.topology.level_set import level_set_topology
from modeconn.topology.problem import Problem

__all__ = ["MergeTree", "Stair", "merge_tree", "staircase"]


@dataclass(frozen=True)
class Stair:
    """One width of the staircase.

    Attributes:
        width: the number m of neurons.
        cells: number of cells up to permutation.
        least_loss: the least loss of this width.
        components: number of components of the set of global minima.
        orbits: the same up to permutation of the neurons.
        isolated: number of components that are a single u-point.
        dimension: largest dimension of a component, in u-coordinates.
        barrier: the level at which the last two components join, ``None`` if there is only one.
    """

    width: int
    cells: int
    least_loss: Fraction
    components: int
    orbits: int
    isolated: int
    dimension: int
    barrier: Fraction | None


@dataclass(frozen=True)
class MergeTree:
    """Disconnectivity graph of the minima of one width, up to permutation of the neurons.

    Attributes:
        levels: loss of each minimum (leaf), ascending: the first ones are global.
        cells: a cell of each minimum.
        merges: in ascending order, which groups of leaves join at which level.
    """

    levels: tuple[Fraction, ...]
    cells: tuple[Cell, ...]
    merges: tuple[Merge, ...]


def staircase(problem: Problem | Landscape, widths: Iterable[int], *, max_cells: int = MAX_CELLS) -> tuple[Stair, ...]:
    """Return the topology of the global minima for several widths; programs solved for one serve the next.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]})
        >>> [(s.components, s.orbits, str(s.barrier)) for s in staircase(problem, [1, 2, 3])]
        [(1, 1, 'None'), (4, 2, '1/140'), (1, 1, 'None')]

    Reference: claim N5.
    """
    landscape = problem if isinstance(problem, Landscape) else Landscape(problem)
    stairs = []
    for width in widths:
        found = level_set_topology(landscape, width, max_cells=max_cells)
        merges = communication_barrier(found).merges
        stairs.append(
            Stair(
                width,
                len(found.complex),
                found.least_loss,
                len(found.components),
                found.orbits,
                sum(found.isolated),
                max(found.dimensions),
                merges[-1].level if merges else None,
            )
        )
    return tuple(stairs)


def merge_tree(problem: Problem | Landscape | CellComplex, width: int = 0, *, max_cells: int = MAX_CELLS) -> MergeTree:
    """Return the merge tree of all minima of one width (each a connected set at its own level), up to permutation.

    Cost: the exact least loss of every cell; meant for some thousand cells.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> tree = merge_tree(problem_from_json({"X": [[1], [-1]], "y": [1, 2]}), 1)
        >>> [str(v) for v in tree.levels], [str(m.level) for m in tree.merges]
        (['1/2', '2'], ['5/2'])
    """
    cells = problem if isinstance(problem, CellComplex) else CellComplex(problem, width, max_cells)
    fits = {cell: cells.landscape.fit(cells.mask(cell)) for cell in map(cells.cell, range(len(cells)))}

    def descends(cell: Cell) -> bool:
        """Return whether the best point of a cell lies on an edge to a cell that is lower."""
        support = sum(1 << k for k in fits[cell].support)
        for edge in (*cells.crossings(cell), *cells.passages(cell)):
            if support & ~edge.mask == 0:
                beyond = range(len(cells.landscape.types)) if edge.crossing is None else (edge.crossing.to,)
                if any(fits[replace_type(cell, edge.slot, t)[0]].value < fits[cell].value for t in beyond):
                    return True
        return False

    seeds = sorted((fits[cell].value, cell) for cell in fits if not descends(cell))
    identity = tuple(range(cells.width))
    merges = flood(cells, [Seed(cell, identity, level) for level, cell in seeds], up_to_permutation=True)
    return _prune(seeds, merges)


def _prune(seeds: list[tuple[Fraction, Cell]], merges: list[Merge]) -> MergeTree:
    """Keep one leaf for every minimum: a seed that joins another at its own level is part of that one."""
    keep = set(range(len(seeds)))
    for merge in merges:
        born = [group for group in merge.groups if len(group) == 1 and seeds[group[0]][0] == merge.level]
        # those born here are one set, and no minimum at all if something lower is in it
        lower = len(born) < len(merge.groups)
        keep.difference_update(group[0] for group in (born if lower else born[1:]))
    index = {old: new for new, old in enumerate(sorted(keep))}
    kept = []
    for merge in merges:
        groups = [tuple(index[k] for k in group if k in keep) for group in merge.groups]
        groups = [group for group in groups if group]
        if len(groups) > 1:
            kept.append(Merge(merge.level, tuple(sorted(groups))))
    order = sorted(keep)
    return MergeTree(tuple(seeds[k][0] for k in order), tuple(seeds[k][1] for k in order), tuple(kept))
