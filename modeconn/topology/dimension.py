"""Dimensions of the cells of a level set, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from modeconn.cells import ConeProgram, common_denominator, null_space, rank
from modeconn.topology.complex import Cell, CellComplex

__all__ = ["cell_dimension"]


def cell_dimension(cells: CellComplex, members: Sequence[int], level: Fraction) -> int:
    """Return the largest dimension, in u-coordinates, of {loss <= level} within some cells.

    A cell with least loss below the level has full dimension m d. One that attains its least loss at the level is the
    polyhedron {z >= 0 : C z = f} of its optimal fits, f unique; its dimension is that of the u-image of the kernel of
    C on the rays that some optimal fit uses. Rays outside the row space of X add m (d - rank X).
    """
    landscape, width = cells.landscape, cells.width
    free = width * len(landscape.arrangement.lineality)
    full = width * landscape.problem.dimension
    tight = [cells.cell(i) for i in members]
    if any(landscape.fit(cells.mask(cell)).value < level for cell in tight):
        return full
    best = -1
    bound = {cell: _image_rank(cells, cell, range(len(_rays(cells, cell)))) for cell in tight}
    for cell in sorted(tight, key=bound.__getitem__, reverse=True):
        if bound[cell] <= best:
            break
        best = max(best, _image_rank(cells, cell, _usable(cells, cell)))
    return best + free


def _rays(cells: CellComplex, cell: Cell) -> list[tuple[int, int, tuple[Fraction, ...]]]:
    """Return (neuron, ray, its column) for every ray of every neuron, zero columns included."""
    problem, arrangement = cells.landscape.problem, cells.landscape.arrangement
    found = []
    for j, face in enumerate(cells.faces(cell)):
        for r in face.rays:
            ray = arrangement.rays[r]
            sides = (sum((a * b for a, b in zip(x, ray, strict=True)), Fraction(0)) for x in problem.X)
            found.append((j, r, tuple(face.s * max(side, Fraction(0)) for side in sides)))
    return found


def _usable(cells: CellComplex, cell: Cell) -> list[int]:
    """Return the rays that have a positive coefficient in some optimal fit of the cell.

    With f the optimal prediction, ray k can be used iff -C_k + t f = C z for some z, t >= 0: exact least squares again.
    """
    landscape = cells.landscape
    rays = _rays(cells, cell)
    fit = landscape.fit(cells.mask(cell))
    n = len(landscape.problem.y)
    target = [Fraction(0)] * n
    for index, coefficient in zip(fit.support, fit.coefficients, strict=True):
        target = [a + coefficient * b for a, b in zip(target, landscape.columns[index], strict=True)]
    scale = common_denominator([v for vector in (target, *(image for _, _, image in rays)) for v in vector])
    columns = [tuple(int(v * scale) for v in image) for _, _, image in rays]
    goal = tuple(-int(v * scale) for v in target)
    usable = {k for k, column in enumerate(columns) if not any(column)}
    for k, column in enumerate(columns):
        if k in usable:
            continue
        program = ConeProgram([*columns, goal], [Fraction(-v) for v in column])
        answer = program.solve(range(len(columns) + 1))
        if answer.value == 0:
            usable.add(k)
            usable.update(i for i in answer.support if i < len(columns))
    return sorted(usable)


def _image_rank(cells: CellComplex, cell: Cell, chosen: Sequence[int]) -> int:
    """Return the dimension of {sum z_k r_k : sum z_k C_k = 0, z supported on the chosen rays}."""
    rays = _rays(cells, cell)
    d = cells.landscape.problem.dimension
    picked = [rays[k] for k in chosen]
    if not picked:
        return 0
    rows = [[image[i] for _, _, image in picked] for i in range(len(cells.landscape.problem.y))]
    images = []
    for z in null_space(rows, len(picked)):
        u = [Fraction(0)] * (cells.width * d)
        for value, (j, r, _) in zip(z, picked, strict=True):
            for k, v in enumerate(cells.landscape.arrangement.rays[r]):
                u[j * d + k] += value * v
        images.append(u)
    return rank(images) if images else 0
