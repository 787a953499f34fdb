"""Certificates of what was computed, as plain JSON objects with rationals as strings.

An independent checker re-derives cells and edges from the problem alone; a certificate only names points (upper bounds:
a cell that holds a point of loss <= c is not empty at c) and vectors nu (lower bounds: nu . column <= 0 for all
generators of a cell and nu . y > 0 bound its least loss from below by (nu . y)^2 / (2 nu . nu)).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import UInt64

from modeconn.cells import fraction_text
from modeconn.errors import InputError
from modeconn.topology.barrier import PairBarrier, barrier_between
from modeconn.topology.complex import Cell, CellComplex, Edge, replace_type, sort_cell
from modeconn.topology.level_set import LevelSet, ordered_cell
from modeconn.topology.masks import is_subset, mask_words
from modeconn.topology.path import connecting_points
from modeconn.topology.points import Point, point_loss, point_to_json

__all__ = ["certify_barrier", "certify_components", "certify_joined", "certify_separated", "cutting_vectors"]

FORMAT = "modeconn.certificate/1"

Certificate = dict[str, Any]


def new_certificate(kind: str, statement: dict[str, Any], evidence: dict[str, Any]) -> Certificate:
    return {"format": FORMAT, "kind": kind, "statement": statement, "evidence": evidence}


def vector_texts(nus: Iterable[Sequence[int]]) -> list[list[str]]:
    return [[str(v) for v in nu] for nu in nus]


def certify_joined(cells: CellComplex, start: Point, end: Point, level: Fraction) -> Certificate:
    """Return a certificate that two nets lie in one component of {loss <= level}: a path of u-points.

    Raises:
        InputError: they do not.
    """
    points = connecting_points(cells, start, end, level)
    if points is None:
        raise InputError(f"joined: expected two nets connected at level {level}, found them apart; certify separation")
    statement = {
        "width": cells.width,
        "level": fraction_text(level),
        "start": point_to_json(start),
        "end": point_to_json(end),
    }
    return new_certificate("joined", statement, {"points": [point_to_json(p) for p in points]})


def certify_separated(cells: CellComplex, start: Point, end: Point, level: Fraction) -> Certificate:
    """Return a certificate that two nets lie in different components of {loss <= level}: a list of cutting vectors.

    Raises:
        InputError: they do not, or one of them is above the level.
    """
    problem = cells.landscape.problem
    if max(point_loss(problem, start), point_loss(problem, end)) > level:
        raise InputError(f"separated: expected two nets with loss <= {level}, found one above; raise the level")
    if connecting_points(cells, start, end, level) is not None:
        raise InputError(f"separated: expected two nets apart at level {level}, found a path; certify joined instead")
    statement = {
        "width": cells.width,
        "level": fraction_text(level),
        "start": point_to_json(start),
        "end": point_to_json(end),
    }
    nus = cutting_vectors(cells, outline(cells, start, level, strict=True), level, strict=True)
    return new_certificate("separated", statement, {"nus": vector_texts(nus)})


def certify_barrier(cells: CellComplex, start: Point, end: Point, known: PairBarrier | None = None) -> Certificate:
    """Return a certificate of the exact communication barrier: a path at its level, and vectors that cut below it."""
    found = known or barrier_between(cells, start, end)
    nus: list[tuple[int, ...]] = []
    if found.excess:
        masks = outline(cells, start, found.value, strict=False)
        nus = cutting_vectors(cells, masks, found.value, strict=False)
    statement = {
        "width": cells.width,
        "value": fraction_text(found.value),
        "start": point_to_json(start),
        "end": point_to_json(end),
    }
    return new_certificate(
        "barrier", statement, {"points": [point_to_json(p) for p in found.points], "nus": vector_texts(nus)}
    )


def certify_components(found: LevelSet) -> Certificate:
    """Return a certificate of the number of components and orbits of a level set, with a representative each.

    Every cell and every edge up to permutation is cut by a vector or holds a point, so the whole graph is known.
    """
    cells, level = found.complex, found.level
    feasible = cells.landscape.are_at_most(cells.words, level)
    masks = [cells.words[~feasible]]
    held: list[Edge] = []
    members = [cells.cell(i) for i in np.flatnonzero(feasible).tolist()]
    cut: set[int] = set()
    for edge in _quotient_edges(cells, members):
        if edge.crossing is not None:
            other, _ = replace_type(edge.cell, edge.slot, edge.crossing.to)
            if not feasible[cells.index(other)]:
                continue  # the vector that cuts that cell cuts its facet
        if cells.landscape.is_at_most(edge.mask, level):
            held.append(edge)
        else:
            cut.add(edge.mask)
    masks.append(mask_words(sorted(cut), cells.landscape.words))
    nus = cutting_vectors(cells, np.concatenate(masks), level, strict=True)
    points = _Witnesses(cells).cover(members, held)
    statement = {
        "width": cells.width,
        "level": fraction_text(level),
        "components": len(found.components),
        "orbits": found.orbits,
        "representatives": [point_to_json(c.representative) for c in found.components],
    }
    return new_certificate(
        "components", statement, {"nus": vector_texts(nus), "points": [point_to_json(point) for point in points]}
    )


def _quotient_edges(cells: CellComplex, members: Sequence[Cell]) -> Iterable[Edge]:
    """Yield the edges out of some sorted cells, each facet and each passage through zero once."""
    passed: set[Cell] = set()
    for cell in members:
        for edge in cells.passages(cell):
            rest = cell[: edge.slot] + cell[edge.slot + 1 :]
            if rest not in passed:
                passed.add(rest)
                yield edge
        for edge in cells.crossings(cell):
            assert edge.crossing is not None
            if edge.crossing.to > cell[edge.slot]:
                yield edge


def outline(cells: CellComplex, start: Point, level: Fraction, *, strict: bool) -> UInt64[np.ndarray, "N W"]:
    """Return the column sets of all edges out of the component of ``start`` (up to permutation) that it cannot pass.

    An edge is passed when its least loss is at most the level (``strict``), or below it (not ``strict``).
    """
    landscape = cells.landscape

    def is_open(mask: int) -> bool:
        if strict:
            return landscape.is_at_most(mask, level)
        return landscape.is_at_most(mask, level) and landscape.fit(mask).value < level

    first, _ = sort_cell(ordered_cell(landscape, start))
    reached, frontier = {first}, [first]
    passed: set[Cell] = set()
    closed: set[int] = set()
    while frontier:
        cell = frontier.pop()
        edges = [*cells.crossings(cell), *cells.passages(cell)]
        for edge in edges:
            rest = cell[: edge.slot] + cell[edge.slot + 1 :]
            if edge.crossing is None and rest in passed:
                continue
            if not is_open(edge.mask):
                closed.add(edge.mask)
                continue
            targets: Iterable[int] = range(len(landscape.types)) if edge.crossing is None else (edge.crossing.to,)
            if edge.crossing is None:
                passed.add(rest)
            for t in targets:
                other, _ = replace_type(cell, edge.slot, t)
                if other not in reached:
                    reached.add(other)
                    frontier.append(other)
    return mask_words(sorted(closed), landscape.words)


def cutting_vectors(
    cells: CellComplex, words: UInt64[np.ndarray, "N W"], level: Fraction, *, strict: bool
) -> list[tuple[int, ...]]:
    """Return few vectors nu such that each column set is cut at ``level`` by one of them.

    All dual vectors solved so far are candidates, missing ones are solved; then the greedy cover.

    Args:
        cells: the cells.
        words: column sets, each with least loss above the level (at least the level if not ``strict``).
        level: c.
        strict: bounds must be above the level; otherwise equality will do.
    """
    landscape = cells.landscape
    if not len(words):
        return []
    words = np.unique(words, axis=0)
    chosen: dict[tuple[int, ...], UInt64[np.ndarray, W]] = {}

    def offer(nu: tuple[int, ...], value: Fraction) -> None:
        if value > level or (not strict and value == level):
            chosen[nu] = mask_words([landscape.allowed(nu)], landscape.words)[0]

    for fit in landscape.fits():
        offer(fit.nu, fit.value)
    left = words
    for allowed in chosen.values():
        left = left[~is_subset(left, allowed)]
    while len(left):
        mask = sum(int(w) << (64 * k) for k, w in enumerate(left[0]))
        fit = landscape.fit(mask)
        offer(fit.nu, fit.value)
        left = left[~is_subset(left, chosen[fit.nu])]
    return _greedy(words, chosen)


def _greedy(
    words: UInt64[np.ndarray, "N W"], chosen: dict[tuple[int, ...], UInt64[np.ndarray, W]]
) -> list[tuple[int, ...]]:
    """Return the vectors of the greedy set cover, lazily: gains only fall, so stale ones are recomputed on demand."""
    left = words
    gains = {nu: int(is_subset(words, allowed).sum()) for nu, allowed in chosen.items()}
    picked = []
    while len(left):
        best, best_gain = None, 0
        for nu in sorted(gains, key=lambda v: (-gains[v], v)):
            if gains[nu] <= best_gain:
                break
            gains[nu] = int(is_subset(left, chosen[nu]).sum())
            if gains[nu] > best_gain:
                best, best_gain = nu, gains[nu]
        assert best is not None, "every column set has a vector"
        picked.append(best)
        left = left[~is_subset(left, chosen[best])]
    return picked


class _Witnesses:
    """A few points such that every given cell and edge, up to permutation, holds one."""

    def __init__(self, cells: CellComplex) -> None:
        self.cells = cells
        self.orders = list(itertools.permutations(range(cells.width)))
        self.points: list[Point] = []

    def cover(self, members: Sequence[Cell], edges: Sequence[Edge]) -> list[Point]:
        """Return the points, one chosen for the first item that none of the earlier ones lies in."""
        width = self.cells.width
        passages = [e for e in edges if e.crossing is None]
        crossings = [e for e in edges if e.crossing is not None]
        # the moving neuron last; a crossing neuron lies in two types
        rests = np.array([_rest(e) for e in passages], int).reshape(len(passages), width - 1)
        zero = np.zeros((len(passages), 0), int)
        self._cover(passages, rests, zero, True)
        table = np.array([(*_rest(e), e.cell[e.slot]) for e in crossings], int).reshape(len(crossings), width)
        beyond = np.array([[e.crossing.to] for e in crossings if e.crossing], int).reshape(len(crossings), 1)
        self._cover(crossings, table, beyond, False)
        table = np.array(members, int).reshape(len(members), width)
        self._cover(list(members), table, np.zeros((len(members), 0), int), False)
        return self.points

    def _cover(self, items: Sequence[Edge | Cell], table: np.ndarray, beyond: np.ndarray, through_zero: bool) -> None:
        open_ = np.arange(len(items))
        for point in self.points:
            open_ = self._missed(point, open_, table, beyond, through_zero)
        while len(open_):
            item = items[open_[0]]
            if isinstance(item, Edge):
                faces, mask = self.cells.edge_faces(item), item.mask
            else:
                faces, mask = self.cells.faces(item), self.cells.mask(item)
            landscape = self.cells.landscape
            self.points.append(landscape.realise(landscape.fit(mask), faces))
            open_ = self._missed(self.points[-1], open_, table, beyond, through_zero)

    def _missed(
        self, point: Point, open_: np.ndarray, table: np.ndarray, beyond: np.ndarray, through_zero: bool
    ) -> np.ndarray:
        """Return the items that do not hold the point under any permutation of its neurons."""
        if not len(open_):
            return open_
        landscape = self.cells.landscape
        inside = np.zeros((len(point), len(landscape.types)), bool)
        for j, neuron in enumerate(point):
            inside[j, list(landscape.types_of(neuron))] = True
        hit = np.zeros(len(open_), bool)
        rows, ahead = table[open_], beyond[open_]
        for order in self.orders:
            if through_zero and not point[order[-1]].is_zero:
                continue
            held = np.ones(len(open_), bool)
            for j in range(rows.shape[1]):
                held &= inside[order[j], rows[:, j]]
            for j in range(ahead.shape[1]):
                held &= inside[order[-1], ahead[:, j]]
            hit |= held
        return open_[~hit]


def _rest(edge: Edge) -> Cell:
    return edge.cell[: edge.slot] + edge.cell[edge.slot + 1 :]
