"""Certificates about level sets of narrow nets: joined, separated, barrier, minimum, components.

What each acceptance means (theory.md section 3; the graph of cells is explained in :mod:`proofs_check.checker.cells`).
All of them speak about the level set {loss <= c} of the net *without* a norm constraint, in u-coordinates and so in
parameters, even if the problem states a region: that is the matter of :mod:`proofs_check.checker.narrow_region`.
There is no tolerance anywhere.

* ``joined``: consecutive points lie in a common closed cell with no sign changed but through 0: some cone holds both
  (that of the signs of u + u'), f is linear along the straight segment and the loss convex, so at most c all along.
* ``separated``: cuts are strict (least loss > c), so every cell and edge with a point of the level set stays; if no
  chain of what stays links the two points, they are in different components.
* ``barrier``: the points show a path of level b. If a path had level b' < b, all its cells and edges would hold a loss
  <= b' < b and no weak cut (least loss >= b) would remove them; but what stays does not link the ends.
  Or b is the loss of an end.
* ``minimum``: every cell has a weak cut (least loss >= value), and a net has this loss. With ``components`` at this
  level it makes the set the one of global minima.
* ``components``: two graphs enclose the true one. Cells that hold a common point of loss <= c are certainly in one
  component; edges that stay after the cuts are the only ones possible. Every cell that stays must hold a point and
  every edge that stays must lie within one class of the first graph: so the classes are the components. Symmetry:
  points count in every order of their neurons, so it is enough to look at cells and edges in one order each.
  Orbits are the classes after cells that are permutations of one another are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import prod
from typing import Any

from proofs_check.checker.cells import MAX_CELLS, Cells, Types, cells, neuron_types, reachable, types
from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import (
    Point,
    Problem,
    brief,
    integer,
    items,
    loss,
    parts,
    point,
    points,
    rational,
    read_problem,
    vector,
)
from proofs_check.exact.cell_linear import dot

__all__ = [
    "check_barrier",
    "check_components",
    "check_joined",
    "check_minimum",
    "check_separated",
    "read_cuts",
    "require_level",
]

VISITS_PER_CELL = 5
"""The points of a ``components`` certificate may lie in so many times max_cells ordered cells."""


def check_joined(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check that two nets are joined in {loss <= level}; return the statement in words.

    Cost: O(points * m * n) rational operations.
    """
    setting = read_problem(problem)
    width_, level_, start_, end_ = parts(statement, "statement", ("width", "level", "start", "end"))
    (path_,) = parts(evidence, "evidence", ("points",))
    m, level = integer(width_, "width", 1), rational(level_, "level")
    start, end = point(start_, "start", m, setting), point(end_, "end", m, setting)
    check_path(points(path_, "points", m, setting), start, end, level, setting)
    return f"the two nets of width {m} are joined in the set of loss <= {level}"


def check_separated(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check that two nets lie in different components of {loss <= level}; return the statement in words."""
    setting = read_problem(problem)
    width_, level_, start_, end_ = parts(statement, "statement", ("width", "level", "start", "end"))
    (nus_,) = parts(evidence, "evidence", ("nus",))
    m, level = integer(width_, "width", 1), rational(level_, "level")
    start, end = point(start_, "start", m, setting), point(end_, "end", m, setting)
    for name, net in (("start", start), ("end", end)):
        require_level(name, net, level, setting)
    kinds = types(setting, m, max_cells)
    graph = cells(kinds, m, read_cuts(nus_, setting, lambda bound: bound > level))
    require_separated(graph, kinds, start, end)
    return f"the two nets of width {m} lie in different components of the set of loss <= {level}"


def check_barrier(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check that the least, over all paths between two nets, of the largest loss is ``value``; return it in words."""
    setting = read_problem(problem)
    width_, value_, start_, end_ = parts(statement, "statement", ("width", "value", "start", "end"))
    path_, nus_ = parts(evidence, "evidence", ("points", "nus"))
    m, value = integer(width_, "width", 1), rational(value_, "value")
    start, end = point(start_, "start", m, setting), point(end_, "end", m, setting)
    check_path(points(path_, "points", m, setting), start, end, value, setting)
    nus = read_cuts(nus_, setting, lambda bound: bound >= value)
    if max(loss(start, setting), loss(end, setting)) < value:
        kinds = types(setting, m, max_cells)
        require_separated(cells(kinds, m, nus), kinds, start, end)
    return f"the communication barrier between the two nets of width {m} is the loss {value}"


def check_minimum(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check that ``value`` is the least loss of the width and that ``point`` has it; return the statement in words."""
    setting = read_problem(problem)
    width_, value_, point_ = parts(statement, "statement", ("width", "value", "point"))
    (nus_,) = parts(evidence, "evidence", ("nus",))
    m, value = integer(width_, "width", 1), rational(value_, "value")
    if loss(point(point_, "point", m, setting), setting) != value:
        raise CertificateError("the point does not have the stated loss")
    nus = read_cuts(nus_, setting, lambda bound: bound >= value)
    if value > 0 and not all(covered for _, covered in cells(types(setting, m, max_cells), m, nus).multisets(m)):
        raise CertificateError("a cell is undecided: no nu shows that its loss is at least the value")
    return f"the least loss of width {m} is {value}"


def check_components(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
    """Check the number of components of {loss <= level}, as sets and up to permutation; return it in words."""
    setting = read_problem(problem)
    names = ("width", "level", "components", "orbits", "representatives")
    width_, level_, components_, orbits_, representatives_ = parts(statement, "statement", names)
    nus_, points_ = parts(evidence, "evidence", ("nus", "points"))
    m, level = integer(width_, "width", 1), rational(level_, "level")
    stated = integer(components_, "components"), integer(orbits_, "orbits")
    nets = points(points_, "points", m, setting)
    representatives = points(items(representatives_, "representatives", stated[0]), "representatives", m, setting)
    for name, group in (("a point of the evidence", nets), ("a representative", representatives)):
        for net in group:
            require_level(name, net, level, setting)
    kinds = types(setting, m, max_cells)
    graph = cells(kinds, m, read_cuts(nus_, setting, lambda bound: bound > level))

    classes = _joined_cells(graph, kinds, nets, VISITS_PER_CELL * max_cells)
    _require_closed(graph, classes)
    roots = {classes.find(code) for code in classes}
    orbits = Classes()
    for code in classes:
        cell = [code // graph.number**j % graph.number for j in range(m)]
        orbits.join(classes.find(code), classes.find(graph.code(sorted(cell))))
    found = len(roots), len({orbits.find(code) for code in roots})
    if found != stated:
        raise CertificateError(f"found {found[0]} components in {found[1]} orbits, stated {stated[0]} in {stated[1]}")
    own = {classes.find(graph.code([neuron_types(kinds, neuron)[0] for neuron in net])) for net in representatives}
    if len(own) != stated[0]:
        raise CertificateError("two representatives lie in one component")
    return f"width {m}: the set of loss <= {level} has {found[0]} components in {found[1]} orbits"


def read_cuts(value: Any, setting: Problem, accepted: Callable[[Fraction], bool]) -> list[tuple[Fraction, ...]]:
    """Return the vectors nu that bound a loss from below by (nu . y)^2 / (2 nu . nu), if this bound is accepted."""
    found = []
    for entry in items(value, "nus"):
        nu = vector(entry, "nu", len(setting.y))
        gain = dot(nu, setting.y)
        if gain <= 0 or not accepted(gain * gain / (2 * dot(nu, nu))):
            raise CertificateError(
                "a vector nu does not reach the level: nu . y <= 0, or (nu . y)^2 / (2 nu . nu) too small"
            )
        found.append(nu)
    return found


def require_level(name: str, net: Point, level: Fraction, setting: Problem) -> None:
    """Raise unless the net's loss is at most the level."""
    if (found := loss(net, setting)) > level:
        raise CertificateError(f"{name} has loss {brief(found)}, above {brief(level)}")


def check_path(path: Sequence[Point], start: Point, end: Point, level: Fraction, setting: Problem) -> None:
    """Raise unless the points lead from start to end, each of loss <= level and in one closed cell with the next."""
    if not path or path[0] != start or path[-1] != end:
        raise CertificateError("the points do not lead from start to end")
    for k, net in enumerate(path):
        require_level(f"point {k}", net, level, setting)
    for k, (here, there) in enumerate(pairwise(path)):
        for p, q in zip(here, there, strict=True):
            if any(p.u) and any(q.u) and p.s != q.s:
                raise CertificateError(f"a neuron changes sign between points {k} and {k + 1}")
            if any(a * b < 0 for a, b in zip(p.z, q.z, strict=True)):
                raise CertificateError(f"points {k} and {k + 1} share no closed cell")


def require_separated(graph: Cells, kinds: Types, start: Point, end: Point) -> None:
    """Raise if what the cuts leave links a cell of start to a cell of end."""
    goal = [set(neuron_types(kinds, neuron)) for neuron in end]
    for cell in reachable(graph, kinds, start):
        if all(t in allowed for t, allowed in zip(cell, goal, strict=True)):
            raise CertificateError("the cuts leave a chain of cells from start to end")


class Classes(dict[int, int]):
    """Disjoint sets of cells, each cell (by its number) pointing towards the root of its class."""

    def find(self, code: int) -> int:
        """Return the root of a cell's class, entering the cell if it is new."""
        root = self.setdefault(code, code)
        while self[root] != root:
            self[root] = self[self[root]]
            root = self[root]
        return root

    def join(self, a: int, b: int) -> None:
        """Make the classes of two cells one."""
        self[self.find(a)] = self.find(b)


def _joined_cells(graph: Cells, kinds: Types, nets: Sequence[Point], budget: int) -> Classes:
    """Return the classes of the cells that hold a net, in any order of its neurons; cells of one net are in one."""
    classes = Classes()
    for held in {tuple(sorted(neuron_types(kinds, neuron) for neuron in net)) for net in nets}:
        for order in _arrangements(held):
            codes = (graph.code(cell) for cell in product(*order))
            first = next(codes)
            classes.find(first)
            budget -= prod(map(len, order))
            if budget < 0:
                raise CertificateError("the points lie in too many cells for max_cells; drop points that add nothing")
            for code in codes:
                classes.join(first, code)
    return classes


def _arrangements(values: Sequence[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield every distinct order of the values."""
    if not values:
        yield ()
    for value in sorted(set(values)):
        k = values.index(value)
        for rest in _arrangements((*values[:k], *values[k + 1 :])):
            yield (value, *rest)


def _require_closed(graph: Cells, classes: Classes) -> None:
    """Raise unless every cell that stays is in a class and every edge that stays lies within one."""
    for cell, covered in graph.multisets(graph.width):
        if not covered and graph.code(cell) not in classes:
            raise CertificateError("a cell is undecided: no nu cuts it and no point lies in it")
    for rest, covered in graph.multisets(graph.width - 1):
        base = graph.code(rest) * graph.number
        if not covered:
            linked = [(0, t) for t in range(1, graph.number)]
        else:
            linked = [(t, o) for t, walls in enumerate(graph.walls) for o, cut in walls if t < o and not cut & covered]
        for a, b in linked:
            if classes.find(base + a) != classes.find(base + b):
                raise CertificateError("an edge is undecided: no nu cuts it and no points join its two cells")
