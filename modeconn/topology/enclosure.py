"""Two-sided bounds of the least objective over cells and their intersections, with a ridge term or inside a region.

A solver proposes a minimiser and multipliers. What is believed is recomputed exactly: the objective at a rational point
of the cell (and of the region) from above, a dual bound from below. A solver that gives up, or lies, makes the interval
wide, never wrong: the zero net is in every cell and every region, and the exact least loss without ridge term and
region is below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from modeconn.cells import (
    RegionCell,
    float_nnls,
    least_loss_in_region,
    least_ridge_objective,
    least_split,
    least_square_ridge_objective,
    polish_ridge,
)
from modeconn.errors import InputError
from modeconn.topology.bounds import dual_bound, float_above, float_below, inside_region, objective_bounds
from modeconn.topology.complex import Cell, CellComplex, Edge
from modeconn.topology.landscape import Face
from modeconn.topology.points import Neuron, Point
from modeconn.topology.problem import Problem
from modeconn.topology.region import gauge, point_in_region, region_ball, region_cell
from modeconn.topology.region_exact import is_in_region, region_of

__all__ = ["Enclosure", "Enclosures"]

NARROW = Fraction(1, 10**10)
"""Intervals of this width, relative to 1/2 |y|^2, are not narrowed further."""

FaceKey = tuple[int, tuple[int, ...]]


class Enclosure(NamedTuple):
    """lower <= least objective <= upper, both floats; ``neurons`` attain upper, one for each face that was solved."""

    lower: float
    upper: float
    neurons: dict[FaceKey, list[Neuron]]


class _Proposal(NamedTuple):
    """What a solver says: a minimiser u (k, d), its residual nu (n,), multipliers as in :class:`RegionFit`."""

    u: np.ndarray
    nu: np.ndarray
    mu: np.ndarray
    shape: np.ndarray | None
    split: np.ndarray | None


class Enclosures:
    """Rigorous intervals for the cells and edges of one problem at one width, each solved once.

    Args:
        problem: with a ridge term or a region (not both).
        width: the number m of neurons.
        max_cells: see :class:`CellComplex`.

    Attributes:
        problem: the problem.
        cells: the cells of the problem without its ridge term; its region plays no part in them.
        zero: the objective of the zero net, 1/2 |y|^2.
        solved: number of programs solved so far.

    Raises:
        InputError: neither or both are given, or the problem is too large.
    """

    def __init__(self, problem: Problem, width: int, max_cells: int) -> None:
        if problem.ridge and problem.region is not None:
            raise InputError("problem: expected a ridge term or a region, found both; drop one of them")
        if not problem.ridge and problem.region is None:
            raise InputError("problem: expected a ridge term or a region, found neither; use level_set_topology")
        self.problem = problem
        self.cells = CellComplex(replace(problem, ridge=Fraction(0)), width, max_cells)
        self.zero = sum((v * v for v in problem.y), Fraction(0)) / 2
        self._ball = None if problem.region is None else region_ball(problem)
        self._known: dict[tuple[FaceKey, ...], Enclosure] = {}
        # two neurons of one type are no better than their sum: with the group norm only the set of faces matters
        self._merges = bool(problem.ridge) and problem.output_weights == "free"
        keep_all = problem.region is not None and problem.region.W.norm == "linf"
        lineality = self.cells.landscape.arrangement.lineality if keep_all else ()
        self._extra = [tuple(sign * v for v in line) for line in lineality for sign in (1, -1)]

    @property
    def solved(self) -> int:
        """Number of programs solved so far."""
        return len(self._known)

    def plain(self, cell: Cell, edge: Edge | None = None) -> Fraction:
        """Return the exact least loss without ridge term and region, a lower bound of the objective."""
        return self.cells.landscape.fit(self.cells.mask(cell) if edge is None else edge.mask).value

    def of(self, cell: Cell, edge: Edge | None = None) -> Enclosure:
        """Return the interval of a cell, or of the intersection of cells that an edge out of it stands for."""
        active = self._active(cell, edge)
        key = tuple(sorted((face.s, face.rays) for _, _, face in active))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._solve(cell, edge, active)
        return found

    def point(self, cell: Cell, edge: Edge | None = None) -> Point:
        """Return a net of a cell (or edge) whose objective is at most the upper end, as a u-point."""
        zero = (Fraction(0),) * self.problem.dimension
        point = [Neuron(zero, face.s) for face in self._faces(cell, edge)]
        left = {key: list(neurons) for key, neurons in self.of(cell, edge).neurons.items()}
        for _, slot, face in self._active(cell, edge):
            if left.get((face.s, face.rays)):
                point[slot] = left[face.s, face.rays].pop()
        return tuple(point)

    def exact_point(self, level: Fraction, cell: Cell, edge: Edge | None = None) -> Point | None:
        """Return a net of a cell (or edge) with loss <= level inside the region where that is the exact least loss
        without the region: the interval, which is rounded, cannot tell then. ``None`` if none was found."""
        if self.problem.ridge or self.plain(cell, edge) != level:
            return None
        fit = gauge(self.cells, cell, level, edge)
        return None if fit is None else point_in_region(self.cells, cell, level, fit, edge)

    def is_inside(self, point: Point) -> bool:
        """Return whether a net over a u-point is inside the region, exactly; for a spectral ball a ``False`` on the rim
        may be rounding. Without a region every net is."""
        if self._ball is None:
            return True
        u = np.array([[float(v) for v in neuron.u] for neuron in point])
        split = least_split(u, self._ball) if self._ball.hidden == self._ball.output == "spectral" else None
        return is_in_region(self.problem, point, _exact_split(self.problem, split))

    def _faces(self, cell: Cell, edge: Edge | None) -> list[Face]:
        return self.cells.faces(cell) if edge is None else self.cells.edge_faces(edge)

    def _active(self, cell: Cell, edge: Edge | None) -> list[tuple[int, int, Face]]:
        """Return (row of the region cell, slot, face) of the neurons that the program needs."""
        passing = edge.slot if edge is not None and edge.crossing is None else None
        slots = [(slot, face) for slot, face in enumerate(self._faces(cell, edge)) if slot != passing]
        active: list[tuple[int, int, Face]] = []
        for row, (slot, face) in enumerate(slots):
            repeated = self._merges and any((face.s, face.rays) == (f.s, f.rays) for _, _, f in active)
            if (face.rays or self._extra) and not repeated:
                active.append((row, slot, face))
        return active

    def _solve(self, cell: Cell, edge: Edge | None, active: list[tuple[int, int, Face]]) -> Enclosure:
        """Propose, round, recompute."""
        lower, upper = self.plain(cell, edge), self.zero
        neurons: dict[FaceKey, list[Neuron]] = {}
        if not active or lower >= upper:
            return Enclosure(float_below(lower), float_above(upper), neurons)
        view = region_cell(self.cells.landscape, cell, edge).part([row for row, _, _ in active])
        for proposal in self._proposals(view, [face for _, _, face in active]):
            lower = max(lower, dual_bound(self.problem, view, proposal.nu, proposal.mu, proposal.shape))
            point = self._point(proposal, [face for _, _, face in active])
            if point is not None and (value := objective_bounds(self.problem, point)[1]) < upper:
                upper = value
                neurons.clear()
                for neuron, (_, _, face) in zip(point, active, strict=True):
                    neurons.setdefault((face.s, face.rays), []).append(neuron)
            if upper - lower <= NARROW * self.zero:
                break
        assert lower <= upper, "both ends are exact"
        return Enclosure(float_below(lower), float_above(upper), neurons)

    def _proposals(self, view: RegionCell, faces: list[Face]) -> Iterator[_Proposal]:
        """Yield what the solver says about a cell. With the group norm it can be far from sharp, so then its answer
        polished, and what it says about the larger neurons alone (two may share the work of one)."""
        first = self._propose(view, faces)
        if first is None:
            return
        yield first
        if not self._merges:
            return
        yield self._polished(view, first.u)
        size = np.linalg.norm(first.u, axis=1)
        for share in (1e-3, 1e-2, 1e-1):
            large = np.flatnonzero(size > share * size.max()).tolist()
            part = self._propose(view.part(large), [faces[j] for j in large]) if len(large) < len(size) else None
            if part is not None:
                u = np.zeros_like(first.u)
                u[large] = part.u
                yield self._polished(view, u)

    def _polished(self, view: RegionCell, u: np.ndarray) -> _Proposal:
        better = polish_ridge(view, float(self.problem.ridge), u)
        nu = view.y - view.map() @ better.ravel()
        return _Proposal(better, nu, _sides(view, nu), None, None)

    def _propose(self, view: RegionCell, faces: list[Face]) -> _Proposal | None:
        """Return what the solver says about a cell."""
        if self._ball is not None:
            fit = least_loss_in_region(view, self._ball)
            if fit is None:
                return None
            return _Proposal(fit.u, view.y - view.map() @ fit.u.ravel(), fit.mu, fit.shape, fit.split)
        if self._merges:
            u = least_ridge_objective(view, float(self.problem.ridge))
        else:
            u = least_square_ridge_objective(view, float(self.problem.ridge), [self._unit_rays(f)[0] for f in faces])
        if u is None:
            return None
        nu = view.y - view.map() @ u.ravel()
        return _Proposal(u, nu, _sides(view, nu), None, None)

    def _unit_rays(self, face: Face) -> tuple[np.ndarray, list[tuple[int, ...]], np.ndarray]:
        """Return the unit vectors that span a face, the integer vectors they come from, and the lengths of these."""
        spanning = [*(self.cells.landscape.arrangement.rays[r] for r in face.rays), *self._extra]
        directions = np.array(spanning, float)
        lengths = np.linalg.norm(directions, axis=1)
        return directions / lengths[:, None], spanning, lengths

    def _point(self, proposal: _Proposal, faces: list[Face]) -> Point | None:
        """Return a rational u-point of the cell, inside the region, near the proposal."""
        neurons = []
        for u, face in zip(proposal.u, faces, strict=True):
            unit, spanning, lengths = self._unit_rays(face)
            z = float_nnls(unit.T, u) / lengths
            exact = [Fraction(float(v)) for v in z]
            neurons.append(
                Neuron(
                    tuple(
                        sum((v * ray[k] for v, ray in zip(exact, spanning, strict=True) if v), Fraction(0))
                        for k in range(self.problem.dimension)
                    ),
                    face.s,
                )
            )
        if self.problem.region is None:
            return tuple(neurons)
        return inside_region(self.problem, tuple(neurons), _exact_split(self.problem, proposal.split))


def _exact_split(problem: Problem, split: np.ndarray | None) -> list[Fraction] | None:
    """Return positive rational alpha_j^2 near float ones, scaled to fill the output ball."""
    if split is None:
        return None
    room = region_of(problem).A.radius ** 2
    rounded = [Fraction(max(float(v), 1e-12 * float(room))) for v in split]
    total = sum(rounded, Fraction(0))
    return [v * room / total for v in rounded]


def _sides(view: RegionCell, nu: np.ndarray) -> np.ndarray:
    """Return the mu for which the gradients g_j are shortest: non-negative least squares, neuron by neuron."""
    mu = np.zeros(view.signs.shape)
    for j, (signs, tight) in enumerate(zip(view.signs, view.tight, strict=True)):
        g = view.outputs[j] * (view.X.T @ np.where(signs > 0, nu, 0.0))
        sides = (signs[:, None] * view.X).T
        z = float_nnls(np.concatenate([-sides, sides[:, tight]], axis=1), g)
        mu[j] = z[: len(nu)]
        mu[j, tight] -= z[len(nu) :]
    return mu
