"""Dimensions of the cells of a level set, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from modeconn.cells import ConeProgram, common_denominator, rank
from modeconn.topology.complex import Cell, CellComplex
from modeconn.topology.landscape import Landscape

__all__ = ["cell_dimension", "usable_columns"]


def cell_dimension(cells: CellComplex, members: Sequence[int], level: Fraction) -> int:
    """Return the largest dimension, in u-coordinates, of {loss <= level} within some cells.

    A cell with least loss below the level has full dimension m d. One that attains its least loss at the level is the
    polyhedron of its optimal fits. With R_j the rays of neuron j that some optimal fit uses and C their columns, its
    dimension is sum_j rank(R_j) - rank(C): the fits fill the span of the R_j up to the kernel of u -> prediction.
    Rays outside the row space of X add m (d - rank X).
    """
    landscape, width = cells.landscape, cells.width
    tight = [cells.cell(i) for i in members]
    masks = {cell: cells.mask(cell) for cell in tight}
    for mask in set(masks.values()):
        if landscape.fit(mask).value < level:
            return width * landscape.problem.dimension

    @cache
    def span(t: int, columns: int) -> int:
        """Rank of the rays of a type whose column is zero or among some columns."""
        return rank([list(map(Fraction, ray)) for ray in landscape.rays_of(t, columns)])

    @cache
    def image(columns: int) -> int:
        return rank([list(map(Fraction, c)) for k, c in enumerate(landscape.columns) if columns >> k & 1])

    @cache
    def usable(mask: int) -> int:
        return usable_columns(landscape, mask)

    def kernel(cell: Cell, columns: int) -> int:
        return sum(span(t, columns) for t in cell) - image(columns)

    best = 0
    for cell in tight:
        if kernel(cell, masks[cell]) > best:  # an upper bound: fewer rays have a smaller kernel
            best = max(best, kernel(cell, usable(masks[cell])))
    return best + width * len(landscape.arrangement.lineality)


def usable_columns(landscape: Landscape, mask: int) -> int:
    """Return the columns that have a positive coefficient in some optimal fit over the columns in ``mask``.

    With f the optimal prediction, column k can be used iff -C_k + t f = C z for some z, t >= 0: exact least squares
    with value zero.
    """
    fit = landscape.fit(mask)
    prediction = landscape.prediction(fit)
    scale = common_denominator(prediction)
    chosen = [k for k in range(len(landscape.columns)) if mask >> k & 1]
    columns = [*(landscape.columns[k] for k in chosen), tuple(-int(v * scale) for v in prediction)]
    usable = set(fit.support)
    for k in chosen:
        if k not in usable:
            program = ConeProgram(columns, [Fraction(-v) for v in landscape.columns[k]])
            answer = program.solve(range(len(columns)))
            if answer.value == 0:
                usable.add(k)
                usable.update(chosen[i] for i in answer.support if i < len(chosen))
    return sum(1 << k for k in usable)
