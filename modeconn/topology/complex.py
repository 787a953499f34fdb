"""Cells of all nets of one width up to permutation of neurons, and which of them meet.

A cell is a multiset of m neuron types. Symmetric copies share one entry; the permutations that a walk picks up are kept
as labels of the edges, so that components can be counted both as sets and up to permutation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property, reduce
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt64

from modeconn.cells import max_cones
from modeconn.cells.arrangement import distinct_normals
from modeconn.cells.rational import common_denominator, rank
from modeconn.errors import InputError
from modeconn.topology.landscape import ZERO, Crossing, Face, Landscape
from modeconn.topology.problem import Problem

__all__ = ["MAX_CELLS", "CellComplex", "Edge", "predict_cells"]

MAX_CELLS = 1_000_000
"""Default limit on the number of cells (multisets of types)."""

Cell = tuple[int, ...]
"""Types of the neurons: sorted for a multiset, in order of the neurons for an ordered cell."""


class Edge(NamedTuple):
    """Two cells that meet: neuron ``slot`` of a sorted cell crosses a facet (or passes through zero: crossing None).

    Attributes:
        cell: the sorted cell it leaves.
        slot: the neuron that moves.
        crossing: the facet, ``None`` for the passage through zero.
        mask: generator columns of the intersection.
    """

    cell: Cell
    slot: int
    crossing: Crossing | None
    mask: int


def predict_cells(problem: Problem, width: int) -> tuple[int, int]:
    """Return an upper bound on the number of cells and on the bytes they take, before anything is enumerated.

    Exact in general position. Cost: one rank computation.
    """
    scaled = [[int(v * common_denominator(row)) for v in row] for row in problem.X]
    hyperplanes = len(distinct_normals(scaled)[0])
    cones = max_cones(hyperplanes, rank(problem.X)) if hyperplanes else 1
    types = len(problem.signs) * cones
    cells = math.comb(types + width - 1, width)
    words = -(-2 * len(problem.signs) * math.comb(hyperplanes, max(rank(problem.X) - 1, 0)) // 64)
    return cells, cells * (4 * width + 16 * max(words, 1) + 400)


class CellComplex:
    """All cells of a problem at one width, up to permutation.

    Args:
        problem: the problem, or a landscape of it that is kept between widths.
        width: the number m of neurons.
        max_cells: refuse before starting when more cells than this are predicted.

    Attributes:
        landscape: types, columns and exact programs.
        width: m.

    Raises:
        InputError: the width is not positive, or the problem is too large.
    """

    def __init__(self, problem: Problem | Landscape, width: int, max_cells: int = MAX_CELLS) -> None:
        source = problem.problem if isinstance(problem, Landscape) else problem
        if width < 1:
            raise InputError(f"width: expected at least one neuron, found {width}")
        cells, size = predict_cells(source, width)
        if cells > max_cells:
            raise InputError(
                f"problem too large: width {width} has up to {cells} cells and would need about "
                f"{size / 2**20:.0f} MiB, more than --max-cells {max_cells}; lower the width or raise the limit"
            )
        self.landscape = problem if isinstance(problem, Landscape) else Landscape(problem)
        self.width = width
        self._kinds = len(self.landscape.types)
        self._binomial = [[math.comb(t + j, j + 1) for t in range(self._kinds)] for j in range(width)]

    def __len__(self) -> int:
        return math.comb(self._kinds + self.width - 1, self.width)

    @cached_property
    def cells(self) -> Int[np.ndarray, "N m"]:
        """All sorted cells in colexicographic order: the row of a cell is :meth:`index`."""
        return _multisets(self._kinds, self.width)

    @cached_property
    def words(self) -> UInt64[np.ndarray, "N W"]:
        """Column set of every cell."""
        return _column_words(self.landscape, self.cells)

    @cached_property
    def rests(self) -> Int[np.ndarray, "R m-1"]:
        """All sorted (m-1)-tuples of types: the passages through zero."""
        return _multisets(self._kinds, self.width - 1)

    @cached_property
    def rest_words(self) -> UInt64[np.ndarray, "R W"]:
        """Column set of every passage through zero."""
        return _column_words(self.landscape, self.rests)

    def index(self, cell: Sequence[int]) -> int:
        """Return the row of a sorted cell (or of a sorted shorter tuple among those of its length)."""
        return sum(row[t] for row, t in zip(self._binomial, cell, strict=False))

    def cell(self, index: int) -> Cell:
        """Return the sorted cell in a row."""
        return tuple(self.cells[index].tolist())

    def mask(self, cell: Sequence[int]) -> int:
        """Return the generator columns of a cell, or of the neurons of part of it."""
        types = self.landscape.types
        return reduce(lambda mask, t: mask | types[t].face.mask, cell, 0)

    def faces(self, cell: Sequence[int]) -> list[Face]:
        """Return the cone of every neuron of an ordered cell."""
        return [self.landscape.types[t].face for t in cell]

    def edge_faces(self, edge: Edge) -> list[Face]:
        """Return the cone of every neuron on the intersection that an edge stands for."""
        faces = self.faces(edge.cell)
        faces[edge.slot] = ZERO if edge.crossing is None else edge.crossing.face
        return faces

    def crossings(self, cell: Cell, *, ordered: bool = False) -> Iterator[Edge]:
        """Yield the facet crossings out of a cell, one for each distinct type (each neuron when ``ordered``)."""
        for slot, t in enumerate(cell):
            if ordered or slot == 0 or cell[slot - 1] != t:
                rest = self.mask(cell[:slot] + cell[slot + 1 :])
                for crossing in self.landscape.types[t].crossings:
                    yield Edge(cell, slot, crossing, rest | crossing.face.mask)

    def passages(self, cell: Cell, *, ordered: bool = False) -> Iterator[Edge]:
        """Yield the passages through zero out of a cell, one for each distinct type (each neuron when ``ordered``)."""
        for slot, t in enumerate(cell):
            if ordered or slot == 0 or cell[slot - 1] != t:
                yield Edge(cell, slot, None, self.mask(cell[:slot] + cell[slot + 1 :]))

    def least_loss(self) -> Fraction:
        """Return the least loss of this width, exactly."""
        return self.landscape.least(self.words)


def replace_type(cell: Cell, slot: int, t: int) -> tuple[Cell, tuple[int, ...]]:
    """Return the sorted cell with neuron ``slot`` of type ``t``, and where each slot went: new[j] = sorted[pi[j]].

    Example:
        >>> replace_type((1, 4, 6), 0, 5)
        ((4, 5, 6), (1, 0, 2))
    """
    return sort_cell((*cell[:slot], t, *cell[slot + 1 :]))


def sort_cell(ordered: Sequence[int]) -> tuple[Cell, tuple[int, ...]]:
    """Return the sorted cell and the permutation g with ordered[j] = sorted[g[j]]."""
    order = sorted(range(len(ordered)), key=ordered.__getitem__)
    g = [0] * len(order)
    for place, j in enumerate(order):
        g[j] = place
    return tuple(ordered[j] for j in order), tuple(g)


def _multisets(kinds: int, size: int) -> Int[np.ndarray, "N m"]:
    """Return all sorted ``size``-tuples over range(kinds), colexicographically."""
    table = np.zeros((1, 0), np.int32)
    for k in range(size):
        counts = [math.comb(t + k, k) for t in range(kinds)]
        last = np.repeat(np.arange(kinds, dtype=np.int32), counts)
        table = np.concatenate([np.concatenate([table[:c] for c in counts]), last[:, None]], axis=1)
    return table


def _column_words(landscape: Landscape, cells: Int[np.ndarray, "N m"]) -> UInt64[np.ndarray, "N W"]:
    words = np.zeros((len(cells), landscape.words), np.uint64)
    for j in range(cells.shape[1]):
        words |= landscape.type_words[cells[:, j]]
    return words
