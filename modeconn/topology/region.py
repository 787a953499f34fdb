"""Where a region (an optimizer's ball) meets a level set: components inside it, and exact proofs that it avoids one.

The weights stay in {|W| <= R_W, |alpha| <= R_A}, entrywise (AdamW, Lion) or in operator norm (Muon); in u-coordinates
that is convex on every cell (claim N3). A solver measures each cell by its *gauge*, the least multiple of the region
that reaches the level there. What is certified is certified in rationals: a point inside (it meets), or for every cell
vectors (nu, mu, Lambda) that bound the loss inside the region from below by (nu . y - h)^2 / (2 nu . nu), h the support
function of the region at g_j = s_j X^T D_j nu + X^T diag(sigma_j) mu_j (it avoids).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from modeconn.cells import RegionBall, RegionCell, RegionFit, least_gauge, least_loss_in_region, solve_rational
from modeconn.topology.complex import Cell, CellComplex, Edge, replace_type
from modeconn.topology.landscape import Landscape
from modeconn.topology.level_set import LevelSet, symmetries
from modeconn.topology.points import Neuron, Point, dot, point_loss
from modeconn.topology.problem import Problem, Vector
from modeconn.topology.region_exact import Avoidance, is_avoided, is_in_region, region_of
from modeconn.topology.symmetry import SymmetricUnionFind

__all__ = ["OrbitInRegion", "RegionComponents", "avoidance", "components_in_region", "orbits_in_region"]

MARGIN = 1e-6
"""Gauges within this distance of 1 are undecided in floats."""

DIGITS = (2, 3, 4, 6, 8, 10, 12)
"""Numbers of decimals tried when a dual vector is rounded."""


@dataclass(frozen=True)
class OrbitInRegion:
    """How far one orbit of components is from a region.

    Attributes:
        orbit: its number.
        gauge: least multiple (in u) of the region that meets it, in floats; with equal radii r it scales as r^2
            (as r when output weights are fixed).
        cell: the cell where it is attained.
        verdict: ``"meets"`` or ``"avoids"`` when certified exactly, else ``"undecided"``.
        point: a rational point of the orbit inside the region (``"meets"``).
        evidence: one proof for each cell of the orbit (``"avoids"``).
    """

    orbit: int
    gauge: float
    cell: Cell
    verdict: str
    point: Point | None
    evidence: tuple[Avoidance, ...]


@dataclass(frozen=True)
class RegionComponents:
    """Components of a level set *inside* a region, decided in floats.

    Attributes:
        components: their number.
        orbits: the same up to permutation of the neurons.
        parents: for every orbit, the orbit of the unconstrained level set that holds it.
        undecided: number of cells and edges whose gauge is within 1e-6 of 1, or that the solver gave up: they are
            taken as met, so with any the count is a lower bound only.
    """

    components: int
    orbits: int
    parents: tuple[int, ...]
    undecided: int


def region_ball(problem: Problem) -> RegionBall:
    """Return the region for the float programs."""
    region = region_of(problem)
    output = None if problem.output_weights == "fixed" else region.A.norm
    return RegionBall(region.W.norm, float(region.W.radius), output, float(region.A.radius))


def region_cell(landscape: Landscape, cell: Sequence[int], edge: Edge | None = None) -> RegionCell:
    """Return a cell, or the intersection that an edge stands for, for the float programs."""
    problem = landscape.problem
    kinds = [landscape.types[t] for t in cell]
    signs = np.array([kind.signs for kind in kinds], int).reshape(len(kinds), len(problem.y))
    tight = np.zeros(signs.shape, bool)
    outputs = np.array([kind.face.s for kind in kinds], int)
    if edge is not None and edge.crossing is not None:
        tight[edge.slot] = signs[edge.slot] != landscape.types[edge.crossing.to].signs
    elif edge is not None:
        keep = np.arange(len(kinds)) != edge.slot
        signs, tight, outputs = signs[keep], tight[keep], outputs[keep]
    X = np.array([[float(v) for v in row] for row in problem.X])
    return RegionCell(X, np.array([float(v) for v in problem.y]), signs, tight, outputs)


def gauge(cells: CellComplex, cell: Cell, level: Fraction, edge: Edge | None = None) -> RegionFit | None:
    """Return the least multiple of the problem's region that meets {loss <= level} on a cell or edge, in floats."""
    landscape = cells.landscape
    fit = landscape.fit(cells.mask(cell) if edge is None else edge.mask)
    prediction = None
    if fit.value == level:
        prediction = np.array([float(v) for v in landscape.prediction(fit)])
    return least_gauge(region_cell(landscape, cell, edge), region_ball(landscape.problem), float(level), prediction)


def _rounded(values: np.ndarray, digits: int) -> Vector:
    return tuple(Fraction(round(float(v) * 10**digits), 10**digits) for v in values)


def avoidance(cells: CellComplex, cell: Cell, level: Fraction) -> Avoidance | None:
    """Return exact evidence that a cell has no net with loss <= level in the region, ``None`` if none was found."""
    landscape = cells.landscape
    view = region_cell(landscape, cell)
    fit = least_loss_in_region(view, region_ball(landscape.problem))
    if fit is None or fit.value <= float(level):
        return None
    nu = view.y - view.map() @ fit.u.ravel()
    scale = np.abs(nu).max()
    if not scale > 0:
        return None
    for digits in DIGITS:
        shape = None
        if fit.shape is not None:
            d = len(fit.shape)
            loose = (1 - 10.0**-digits) * fit.shape + 10.0**-digits * np.eye(d) / d  # strictly inside the cone
            rows = [list(_rounded(row, digits + 2)) for row in (loose + loose.T) / 2]
            rows[-1][-1] += 1 - sum((rows[k][k] for k in range(d)), Fraction(0))
            shape = tuple(tuple(row) for row in rows)
        mu = tuple(_rounded(row / scale, digits) for row in fit.mu)
        found = Avoidance(cell, _rounded(nu / scale, digits), mu, shape)
        if is_avoided(landscape, found, level):
            return found
    return None


def point_in_region(
    cells: CellComplex, cell: Cell, level: Fraction, fit: RegionFit, edge: Edge | None = None
) -> Point | None:
    """Return a rational point of a cell (edge) with loss <= level inside the region, near a float one, or ``None``.

    The float point is rounded, moved onto the hyperplanes it (nearly) lies on, and onto the one prediction that reaches
    the level, when the least loss of the cell equals it; everything is checked exactly.
    """
    landscape, problem = cells.landscape, cells.landscape.problem
    view, d = region_cell(landscape, cell, edge), problem.dimension
    best = landscape.fit(cells.mask(cell) if edge is None else edge.mask)
    goal = landscape.prediction(best)
    places = [(j, i) for j in range(len(view.signs)) for i in range(len(problem.X)) if view.signs[j, i]]
    for digits in DIGITS:
        u = [v for row in fit.u for v in _rounded(row, digits)]
        rows: list[list[Fraction]] = []
        goals: list[Fraction] = []
        for j, i in places:
            near = abs(float(dot(problem.X[i], u[j * d : (j + 1) * d]))) < 10.0 ** (1 - min(digits, 7))
            if near or view.tight[j, i]:
                zero = [Fraction(0)] * d
                rows.append([v for k in range(len(view.signs)) for v in (problem.X[i] if k == j else zero)])
                goals.append(Fraction(0))
        if best.value == level:
            for i, x in enumerate(problem.X):
                sides = zip(view.outputs.tolist(), view.signs.tolist(), strict=True)
                rows.append([s * v if signs[i] > 0 else Fraction(0) for s, signs in sides for v in x])
                goals.append(goal[i])
        moved = _onto(u, rows, goals)
        if moved is None:
            continue
        neurons = [Neuron(tuple(moved[j * d : (j + 1) * d]), s) for j, s in enumerate(view.outputs.tolist())]
        inside = all(
            int(view.signs[j, i]) * (value := dot(problem.X[i], neurons[j].u)) >= 0 and not (view.tight[j, i] and value)
            for j, i in places
        )
        split = None if fit.split is None else _split(problem, fit.split, digits)
        if edge is not None and edge.crossing is None:
            neurons.insert(edge.slot, Neuron((Fraction(0),) * d, landscape.types[cell[edge.slot]].face.s))
            split = split and [*split[: edge.slot], Fraction(0), *split[edge.slot :]]
        point = tuple(neurons)
        if inside and point_loss(problem, point) <= level and is_in_region(problem, point, split):
            return point
    return None


def _split(problem: Problem, split: np.ndarray, digits: int) -> list[Fraction]:
    """Return rational alpha_j^2 near the float ones, scaled to fill the output ball."""
    rounded = [max(v, Fraction(1, 10**digits)) for v in _rounded(split, digits)]
    room = region_of(problem).A.radius ** 2
    return [v * room / sum(rounded, Fraction(0)) for v in rounded]


def _onto(u: list[Fraction], rows: list[list[Fraction]], goals: list[Fraction]) -> list[Fraction] | None:
    """Return the nearest point to u with rows . u = goals, exactly: u + A^T l with A A^T l = goals - A u."""
    if not rows:
        return u
    gram = [[dot(a, b) for b in rows] for a in rows]
    weights = solve_rational(gram, [g - dot(a, u) for a, g in zip(rows, goals, strict=True)])
    if weights is None:
        return None
    return [v + dot(weights, [row[k] for row in rows]) for k, v in enumerate(u)]


def orbits_in_region(found: LevelSet) -> tuple[OrbitInRegion, ...]:
    """Return for every orbit of a level set how it lies to the problem's region, certified where possible.

    The level set is that of the problem without its region; one small program for each of its cells.

    Raises:
        InputError: the problem has no region.

    Reference: claims N3 and N6.
    """
    cells = found.complex
    region_of(cells.landscape.problem)
    verdicts = []
    for orbit, members in enumerate(found.orbit_cells()):
        fits = [(fit, cell) for cell in members if (fit := gauge(cells, cell, found.level)) is not None]
        fits.sort(key=lambda pair: pair[0].value)
        least, cell = (fits[0][0].value, fits[0][1]) if fits else (float("nan"), members[0])
        verdict, point, evidence = "undecided", None, []
        for fit, inside in fits:
            if fit.value <= 1 + MARGIN:
                point = point_in_region(cells, inside, found.level, fit)
                if point is not None:
                    verdict = "meets"
                    break
        if point is None and least > 1:
            evidence = [proof for cell_ in members if (proof := avoidance(cells, cell_, found.level)) is not None]
            verdict = "avoids" if len(evidence) == len(members) else "undecided"
        verdicts.append(
            OrbitInRegion(orbit, least, cell, verdict, point, tuple(evidence) if verdict == "avoids" else ())
        )
    return tuple(verdicts)


def components_in_region(found: LevelSet) -> RegionComponents:
    """Return the components of a level set inside the problem's region.

    The same graph as without a region (claim N1), with a cell or an edge kept when its gauge is at most 1 (claim N3).
    Edges between cells that are connected already are not solved. :func:`modeconn.topology.enclosed_level_set` decides
    the same by intervals, at levels that only the region makes critical too.

    Args:
        found: the level set of the problem without its region.

    Reference: claim N3.
    """
    cells, undecided = found.complex, 0

    def meets(cell: Cell, edge: Edge | None = None) -> bool:
        nonlocal undecided
        fit = gauge(cells, cell, found.level, edge)
        undecided += fit is None or abs(fit.value - 1) <= MARGIN
        return fit is None or fit.value <= 1 + MARGIN

    joined: SymmetricUnionFind[Cell] = SymmetricUnionFind(cells.width)
    parent: dict[Cell, int] = {}
    for orbit, members in enumerate(found.orbit_cells()):
        for cell in members:
            if meets(cell):
                joined.add(cell, symmetries(cell))
                parent[cell] = orbit
    for cell in parent:
        for edge in (*cells.passages(cell), *cells.crossings(cell)):
            if edge.crossing is None:
                beyond: Sequence[int] = range(len(cells.landscape.types))
            else:
                beyond = [edge.crossing.to] if edge.crossing.to > cell[edge.slot] else []
            steps = [replace_type(cell, edge.slot, t) for t in beyond]
            steps = [(other, pi) for other, pi in steps if other in joined and not joined.is_joined(cell, other, pi)]
            if steps and cells.landscape.is_at_most(edge.mask, found.level) and meets(cell, edge):
                for other, pi in steps:
                    joined.join(cell, other, pi)
    roots = joined.roots()
    return RegionComponents(
        sum(joined.orbit_size(root) for root in roots), len(roots), tuple(parent[root] for root in roots), undecided
    )
