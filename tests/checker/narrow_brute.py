"""A tiny maker of certificates by brute force, for tests of the checker: other enumeration, other search, d = 2 or 3.

Cones come from sums of rays and rays from perpendiculars; least losses from exact non-negative least squares.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, permutations, product
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog, minimize

Cell = tuple[int, ...]


class Least(NamedTuple):
    """The least loss over a cone of columns, the coefficients and the residual y - f."""

    loss: Fraction
    coefficients: tuple[Fraction, ...]
    residual: tuple[Fraction, ...]


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Return the solution of a regular system, by Gauss-Jordan elimination."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(len(rows)):
            if i != k and rows[i][k]:
                rows[i] = [p - rows[i][k] * q for p, q in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def inner(a: Any, b: Any) -> Fraction:
    """Return the inner product."""
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def least(columns: tuple[tuple[Fraction, ...], ...], y: tuple[Fraction, ...]) -> Least:
    """Return the exact non-negative least squares of y on the columns (active sets after Lawson and Hanson)."""
    x = [Fraction(0)] * len(columns)
    passive: list[int] = []
    while True:
        residual = [t - sum((x[k] * columns[k][i] for k in passive), Fraction(0)) for i, t in enumerate(y)]
        gains = [inner(column, residual) for column in columns]
        best = max(range(len(columns)), key=lambda k: gains[k], default=None)
        if best is None or gains[best] <= 0:
            return Least(inner(residual, residual) / 2, tuple(x), tuple(residual))
        passive.append(best)
        while True:
            gram = [[inner(columns[a], columns[b]) for b in passive] for a in passive]
            z = solve(gram, [inner(columns[a], y) for a in passive])
            if min(z) > 0:
                break
            step = min(x[k] / (x[k] - v) for k, v in zip(passive, z, strict=True) if v <= 0)
            for k, v in zip(passive, z, strict=True):
                x[k] += step * (v - x[k])
            for k in [k for k in passive if x[k] <= 0]:
                x[k] = Fraction(0)
                passive.remove(k)
        for k, v in zip(passive, z, strict=True):
            x[k] = v


class Brute:
    """Cells, edges and least losses of a problem with X of full rank and d = 2 or 3."""

    def __init__(self, X: list[list[Any]], y: list[Any], m: int, fixed: bool = False) -> None:
        self.X = [[Fraction(v) for v in row] for row in X]
        self.y = tuple(Fraction(v) for v in y)
        self.m, self.signs = m, (1,) if fixed else (1, -1)
        rows = [row for row in self.X if any(row)]
        lines: list[tuple[Fraction, ...]]
        if len(rows[0]) == 2:
            lines = [(-b, a) for a, b in rows]
        else:
            lines = [
                (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
                for a, b in combinations(rows, 2)
            ]
        unique: dict[tuple[Fraction, ...], None] = {}
        for line in lines:
            if any(line):
                scale = max(abs(v) for v in line)
                unique[tuple(v / scale for v in line)] = unique[tuple(-v / scale for v in line)] = None
        self.rays = list(unique)
        self.values = [tuple(inner(row, ray) for row in self.X) for ray in self.rays]
        patterns: dict[tuple[int, ...], None] = {}
        for group in combinations(self.values, len(rows[0])):
            center = [sum(v) for v in zip(*group, strict=True)]
            if all(v or not any(row) for v, row in zip(center, self.X, strict=True)):
                patterns[tuple((v > 0) - (v < 0) for v in center)] = None
        self.patterns = sorted(patterns)
        self.types = [(p, s) for p in range(len(self.patterns)) for s in self.signs]
        self.members = [
            frozenset(k for k, v in enumerate(self.values) if all(a * b >= 0 for a, b in zip(p, v, strict=True)))
            for p in self.patterns
        ]
        self.memo = lru_cache(maxsize=None)(self._least)
        line_of = [tuple(v / next(a for a in row if a) for v in row) if any(row) else None for row in self.X]
        self.neighbours = [
            [
                q
                for q, other in enumerate(self.patterns)
                if len({line_of[i] for i, (a, b) in enumerate(zip(pattern, other, strict=True)) if a != b}) == 1
            ]
            for pattern in self.patterns
        ]

    def _least(self, parts: tuple[tuple[frozenset[int], int], ...]) -> tuple[Least, tuple[tuple[int, int, int], ...]]:
        named = [(j, k, s) for j, (members, s) in enumerate(parts) for k in sorted(members)]
        columns = tuple(tuple(s * max(v, Fraction(0)) for v in self.values[k]) for _, k, s in named)
        return least(columns, self.y), tuple(named)

    def least(self, parts: list[tuple[frozenset[int], int]]) -> tuple[Least, list[tuple[tuple[Fraction, ...], int]]]:
        """Return the least loss over cones (ray sets with signs), and a point [(u, s)] of it in their order."""
        order = sorted(range(len(parts)), key=lambda j: (sorted(parts[j][0]), parts[j][1]))
        found, named = self.memo(tuple(parts[j] for j in order))
        point = [([Fraction(0)] * len(self.X[0]), parts[order[j]][1]) for j in range(len(parts))]
        for value, (j, k, _) in zip(found.coefficients, named, strict=True):
            point[j] = ([a + value * b for a, b in zip(point[j][0], self.rays[k], strict=True)], point[j][1])
        back = [point[order.index(j)] for j in range(len(parts))]
        return found, [(tuple(u), s) for u, s in back]

    def part(self, t: int) -> tuple[frozenset[int], int]:
        """Return the rays and sign of a type."""
        return self.members[self.types[t][0]], self.types[t][1]

    def edges(self, cell: Cell) -> Iterator[tuple[Cell, list[tuple[frozenset[int], int]]]]:
        """Yield the neighbours of a cell with the cones of the intersection."""
        parts = [self.part(t) for t in cell]
        for j, t in enumerate(cell):
            p, s = self.types[t]
            for q in self.neighbours[p]:
                facet = self.members[p] & self.members[q]
                yield (*cell[:j], self.types.index((q, s)), *cell[j + 1 :]), [*parts[:j], (facet, s), *parts[j + 1 :]]
            for other in range(len(self.types)):
                if other != t:
                    yield (*cell[:j], other, *cell[j + 1 :]), [*parts[:j], (frozenset(), 1), *parts[j + 1 :]]

    def explore(self, start: Cell) -> Iterator[tuple[Fraction, Cell, Cell, list[tuple[tuple[Fraction, ...], int]]]]:
        """Yield cells with their minimax level from start, the cell before, and the point crossed (best first)."""
        heap: list[Any] = [(Fraction(0), 0, start, start, None)]
        done: set[Cell] = set()
        count = 0
        while heap:
            level, _, cell, before, crossed = heapq.heappop(heap)
            if cell in done:
                continue
            done.add(cell)
            yield level, cell, before, crossed
            for other, parts in self.edges(cell):
                if other not in done:
                    found, point = self.least(parts)
                    count += 1
                    heapq.heappush(heap, (max(level, found.loss), count, other, cell, point))

    def cell_of(self, net: list[tuple[tuple[Fraction, ...], int]]) -> Cell:
        """Return a cell that holds the net."""
        found = []
        for u, s in net:
            z = [inner(row, u) for row in self.X]
            p = next(p for p, g in enumerate(self.patterns) if all(a * b >= 0 for a, b in zip(g, z, strict=True)))
            found.append(self.types.index((p, s)))
        return tuple(found)

    def cuts(self, inside: set[Cell], bound: Fraction) -> list[tuple[Fraction, ...]]:
        """Return residuals that cut every edge leaving a set of cells; each such edge has least loss >= bound."""
        nus: dict[tuple[Fraction, ...], None] = {}
        for cell in sorted(inside):
            for other, parts in self.edges(cell):
                if other not in inside:
                    found, _ = self.least(parts)
                    assert found.loss >= bound
                    nus[found.residual] = None
        return list(nus)

    def multisets(self) -> Iterator[Cell]:
        """Yield every cell, up to the order of neurons."""
        return combinations_with_replacement(range(len(self.types)), self.m)

    def all_leasts(self) -> Iterator[Least]:
        """Yield the least loss over every cell and every edge."""
        for cell in self.multisets():
            yield self.least([self.part(t) for t in cell])[0]
            for _, parts in self.edges(cell):
                yield self.least(parts)[0]

    def classes_by_all_pairs(self, level: Fraction) -> list[set[Cell]]:
        """Return the components of a level set, two cells being linked when their intersection reaches the level."""
        alive = [
            cell
            for cell in product(range(len(self.types)), repeat=self.m)
            if self.least([self.part(t) for t in cell])[0].loss <= level
        ]
        classes: list[set[Cell]] = []
        for cell in alive:
            linked = [group for group in classes if any(self._meet(cell, other, level) for other in group)]
            classes = [group for group in classes if group not in linked] + [{cell}.union(*linked)]
        return classes

    def _meet(self, one: Cell, other: Cell, level: Fraction) -> bool:
        pairs = [(self.part(a), self.part(b)) for a, b in zip(one, other, strict=True)]
        common = [(p & q if s == t else frozenset[int](), s) for (p, s), (q, t) in pairs]
        return self.least(common)[0].loss <= level

    def minima(self, level: Fraction) -> dict[Cell, list[tuple[tuple[Fraction, ...], int]]]:
        """Return a point for every multiset of types whose least loss is at most the level."""
        found = {}
        for cell in self.multisets():
            best, point = self.least([self.part(t) for t in cell])
            if best.loss <= level:
                found[cell] = point
        return found

    def barrier(self, start: Any, end: Any) -> tuple[Fraction, list[Any], list[Any]]:
        """Return the communication barrier, a path of it, and the cuts (none if it is the loss of an end)."""
        ends = max(self.loss(start), self.loss(end))
        goal = self.cell_of(end)
        before, levels = {}, {}
        for level, cell, previous, crossed in self.explore(self.cell_of(start)):
            before[cell], levels[cell] = (previous, crossed), level
            if cell == goal:
                break
        value = max(ends, levels[goal])
        path = [end]
        while goal != self.cell_of(start):
            goal, crossed = before[goal]
            path.append(crossed)
        inside = {cell for cell, level in levels.items() if level < value}
        return value, [start, *reversed(path)], self.cuts(inside, value) if value > ends else []

    def loss(self, net: Any) -> Fraction:
        """Return the half squared error of a net."""
        f = [sum((s * max(inner(row, u), Fraction(0)) for u, s in net), Fraction(0)) for row in self.X]
        return sum(((a - b) ** 2 for a, b in zip(f, self.y, strict=True)), Fraction(0)) / 2

    def components(self, level: Fraction) -> tuple[list[set[Cell]], int, list[Any], list[Any], list[Any]]:
        """Return components (as sets of ordered cells), orbits, a representative each, points and cuts at a level."""
        points: dict[Any, None] = {}
        nus: dict[Any, None] = {}
        alive: dict[Cell, Any] = {}
        for cell in product(range(len(self.types)), repeat=self.m):
            best, point = self.least([self.part(t) for t in cell])
            (points if best.loss <= level else nus)[tuple(point) if best.loss <= level else best.residual] = None
            if best.loss <= level:
                alive[cell] = point
        groups: list[set[Cell]] = []
        left = set(alive)
        for seed in sorted(alive):
            if seed not in left:
                continue
            left.discard(seed)
            group, stack = {seed}, [seed]
            while stack:
                for other, parts in self.edges(stack.pop()):
                    best, point = self.least(parts)
                    (points if best.loss <= level else nus)[tuple(point) if best.loss <= level else best.residual] = (
                        None
                    )
                    if best.loss <= level and other in left:
                        left.discard(other)
                        group.add(other)
                        stack.append(other)
            groups.append(group)
        orbit = {min(tuple(sorted(cell)) for cell in group) for group in groups}
        return groups, len(orbit), [alive[min(group)] for group in groups], list(points), list(nus)


def text(value: Any) -> Any:
    """Return nested rationals as strings."""
    return str(value) if isinstance(value, Fraction) else [text(entry) for entry in value]


def certificate(kind: str, statement: Any, evidence: Any) -> dict[str, Any]:
    """Return a certificate in its frame."""
    return {"format": "modeconn.certificate/1", "kind": kind, "statement": statement, "evidence": evidence}


def point_json(net: Any) -> list[dict[str, Any]]:
    """Return a net as the certificate writes it."""
    return [{"u": text(u), "s": s} for u, s in net]


def permuted(net: Any) -> list[Any]:
    """Return every order of a net's neurons."""
    return [list(order) for order in permutations(net)]


def avoid_box(brute: Brute, cell: Cell, radius: Fraction) -> dict[str, Any]:
    """Return multipliers that separate the targets from the box |u|_inf <= radius^2 in a cell (a linear program)."""
    X, n, m = np.array(brute.X, float), len(brute.y), brute.m
    d = X.shape[1]
    rows, free = [], n + m * n + m * d  # nu, mu, t with |g_j| <= t_j
    for j, t in enumerate(cell):
        pattern, s = np.array(brute.patterns[brute.types[t][0]]), brute.types[t][1]
        for k in range(d):
            row = np.zeros(free)
            row[:n] = s * X[:, k] * (pattern > 0)
            row[n + j * n : n + (j + 1) * n] = X[:, k] * pattern
            for way in (1, -1):
                rows.append(way * row)
                rows[-1][n + m * n + j * d + k] = -1
    gain = np.concatenate([np.array(brute.y, float), np.zeros(m * n), -np.full(m * d, float(radius**2))])
    bounds = [(-1, 1)] * n + [(0, None)] * (m * n + m * d)
    best = linprog(-gain, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), bounds=bounds).x
    return _avoid(brute, cell, best[:n], best[n : n + m * n].reshape(m, n))


def avoid_spectral(brute: Brute, cell: Cell, radius: Fraction, seed: int = 0) -> dict[str, Any]:
    """Return multipliers that separate the targets from the spectral region of a radius in a cell, d = 2 (a search)."""
    X, y, n, m = np.array(brute.X, float), np.array(brute.y, float), len(brute.y), brute.m
    kinds = [(np.array(brute.patterns[brute.types[t][0]]), brute.types[t][1]) for t in cell]

    def split(v: Any) -> tuple[Any, Any, Any]:
        root = np.array([[1.0, 0.0], v[-2:]])
        matrix = root @ root.T + 1e-3 * np.eye(2)
        return v[:n], v[n : n + m * n].reshape(m, n) ** 2, matrix / np.trace(matrix)

    def bound(v: Any) -> float:
        nu, mu, matrix = split(v)
        g = [X.T @ (s * (p > 0) * nu + p * q) for (p, s), q in zip(kinds, mu, strict=True)]
        sizes = np.array([row @ np.linalg.solve(matrix, row) for row in g])
        h = float(radius**2) * np.sum(sizes**8) ** (1 / 16)
        return float((h - nu @ y) / np.sqrt(nu @ nu + 1e-9))

    rng = np.random.default_rng(seed)
    starts = [np.concatenate([y, 0.3 * rng.normal(size=m * n), [0.0, 1.0]]) for _ in range(3)]
    best = min((minimize(bound, start, method="BFGS") for start in starts), key=lambda found: found.fun)
    nu, mu, matrix = split(best.x)
    corner, cross = Fraction(round(matrix[0, 0] * 10**6), 10**6), Fraction(round(matrix[0, 1] * 10**6), 10**6)
    return {**_avoid(brute, cell, nu, mu), "lambda": text([[corner, cross], [cross, 1 - corner]])}


def _avoid(brute: Brute, cell: Cell, nu: Any, mu: Any) -> dict[str, Any]:
    def near(v: float) -> Fraction:
        return Fraction(round(float(v) * 10**6), 10**6)

    named = [[list(brute.patterns[brute.types[t][0]]), brute.types[t][1]] for t in cell]
    return {"cell": named, "nu": text([near(v) for v in nu]), "mu": text([[near(v) for v in row] for row in mu])}
