"""Flooding: at which exact level do given nets meet? The minimax path value in the intersection graph of the cells."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from modeconn.topology.complex import Cell, CellComplex, Edge, replace_type
from modeconn.topology.level_set import symmetries
from modeconn.topology.symmetry import Permutation, SymmetricUnionFind

__all__ = ["Heights", "Merge", "Seed", "flood"]


@dataclass(frozen=True)
class Seed:
    """An ordered cell T_j = cell[order[j]] and the level at which the net in it appears."""

    cell: Cell
    order: Permutation
    level: Fraction


@dataclass(frozen=True)
class Merge:
    """At ``level``, these groups of seeds (by number) become one component."""

    level: Fraction
    groups: tuple[tuple[int, ...], ...]

    @property
    def members(self) -> tuple[int, ...]:
        """All seeds of the new component."""
        return tuple(sorted(k for group in self.groups for k in group))


class Heights(Protocol):
    """The levels at which edges can be passed."""

    def bound(self, edge: Edge) -> tuple[Fraction, bool]:
        """Return a lower bound of the level of an edge at little cost, and whether it is the level itself."""

    def level(self, edge: Edge) -> Fraction:
        """Return the level of an edge."""


class _LeastLosses:
    """The exact least loss on the intersection that an edge stands for."""

    def __init__(self, cells: CellComplex) -> None:
        self.landscape = cells.landscape

    def bound(self, edge: Edge) -> tuple[Fraction, bool]:
        return self.landscape.store.lower(edge.mask)[:2]

    def level(self, edge: Edge) -> Fraction:
        return self.landscape.fit(edge.mask).value


_Entry = tuple[float, Fraction, int, "Edge | int", bool]


class _Flood:
    """Water rises from the seeds; edges are solved only when the water may pass them, cells only when it reaches them.

    Heap keys are (float, Fraction): rounding to a float is monotone, so the pair orders exactly and mostly as floats.
    """

    def __init__(self, cells: CellComplex, seeds: Sequence[Seed], up_to_permutation: bool, heights: Heights) -> None:
        self.cells = cells
        self.heights = heights
        self.up_to_permutation = up_to_permutation
        self.landscape = cells.landscape
        self.seeds = seeds
        self.joined: SymmetricUnionFind[Cell] = SymmetricUnionFind(1 if up_to_permutation else cells.width)
        self.groups: list[tuple[int, ...]] = []
        self.merges: list[Merge] = []
        self._active: list[int] = []
        self._passed: set[Cell] = set()
        self._heap: list[_Entry] = []
        self._count = 0
        for k, seed in enumerate(seeds):
            self._push(seed.level, k, True)

    def run(self) -> list[Merge]:
        """Raise the water until all seeds are one component."""
        while len(self._active) < len(self.seeds) or len(self.groups) > 1:
            _, level, _, item, exact = heapq.heappop(self._heap)
            if isinstance(item, int):
                self._activate(item, level)
            elif not self._is_done(item) and (exact or self._settle(item, level)):
                self._pass(item, level)
        return self.merges

    def _push(self, level: Fraction, item: Edge | int, exact: bool) -> None:
        self._count += 1
        heapq.heappush(self._heap, (float(level), level, self._count, item, exact))

    def _activate(self, k: int, level: Fraction) -> None:
        seed = self.seeds[k]
        self._reach(seed.cell, level)
        self._active.append(k)
        self.groups.append((k,))
        self._regroup(level)

    def _reach(self, cell: Cell, level: Fraction) -> bool:
        """Let the water at ``level`` into a cell; return whether it was dry. Its edges become candidates."""
        if cell in self.joined:
            return False
        self.joined.add(cell, () if self.up_to_permutation else symmetries(cell))
        for edge in self.cells.passages(cell):
            if self._rest(edge) not in self._passed:
                self._push(level, edge, False)
        for edge in self.cells.crossings(cell):
            if not self._is_done(edge):
                self._push(level, edge, False)
        return True

    def _across(self, edge: Edge, t: int) -> tuple[Cell, Permutation]:
        """Return the sorted cell behind an edge, where the moving neuron has type ``t``, and the label of the step."""
        other, pi = replace_type(edge.cell, edge.slot, t)
        return other, self.joined.identity if self.up_to_permutation else pi

    @staticmethod
    def _rest(edge: Edge) -> Cell:
        return edge.cell[: edge.slot] + edge.cell[edge.slot + 1 :]

    def _is_done(self, edge: Edge) -> bool:
        """Return whether passing the edge would change nothing."""
        if edge.crossing is None:
            return self._rest(edge) in self._passed
        other, pi = self._across(edge, edge.crossing.to)
        return other in self.joined and self.joined.is_joined(edge.cell, other, pi)

    def _settle(self, edge: Edge, level: Fraction) -> bool:
        """Return whether the edge is passable at ``level``; otherwise put it back with a better bound."""
        bound, exact = self.heights.bound(edge)
        if bound <= level and not exact:
            bound, exact = self.heights.level(edge), True
        if bound <= level:
            return True
        self._push(bound, edge, exact)
        return False

    def _pass(self, edge: Edge, level: Fraction) -> None:
        changed = False
        if edge.crossing is not None:
            other, pi = self._across(edge, edge.crossing.to)
            changed = self._join(edge.cell, other, pi, self._reach(other, level))
        else:
            rest = self._rest(edge)
            self._passed.add(rest)
            for t in range(len(self.landscape.types)):
                other, pi = self._across(edge, t)
                fresh = self._reach(other, level)
                changed |= self._join(edge.cell, other, pi, fresh)
        if changed:
            self._regroup(level)

    def _join(self, a: Cell, b: Cell, pi: Permutation, fresh: bool) -> bool:
        """Join two wet cells; return whether the components of the seeds changed (a fresh cell holds none)."""
        apart = self.joined.find(a)[0] != self.joined.find(b)[0]
        order = self.joined.group_order(a)
        self.joined.join(a, b, pi)
        return (apart and not fresh) or self.joined.group_order(a) != order

    def _regroup(self, level: Fraction) -> None:
        labels: dict[object, list[tuple[int, ...]]] = {}
        for group in self.groups:
            seed = self.seeds[group[0]]
            labels.setdefault(self.joined.component(seed.cell, seed.order), []).append(group)
        for groups in labels.values():
            if len(groups) > 1:
                self.merges.append(Merge(level, tuple(sorted(groups))))
        self.groups = [tuple(sorted(k for group in groups for k in group)) for groups in labels.values()]


def _flatten(merges: Sequence[Merge]) -> list[Merge]:
    """Return the merges with those at one level that build on each other made one."""
    flat: list[Merge] = []
    for merge in merges:
        groups: list[tuple[int, ...]] = []
        for group in merge.groups:
            below = next((m for m in flat if m.level == merge.level and m.members == group), None)
            if below is None:
                groups.append(group)
            else:
                flat.remove(below)
                groups.extend(below.groups)
        flat.append(Merge(merge.level, tuple(sorted(groups))))
    return flat


def flood(
    cells: CellComplex, seeds: Sequence[Seed], *, up_to_permutation: bool = False, heights: Heights | None = None
) -> list[Merge]:
    """Return the merge tree of the seeds: in ascending order, the levels at which their components join.

    Two nets are connected in {loss <= c} iff c is at least the level of the merge that first holds both (claim N2).
    It always ends: at loss 1/2 |y|^2 every net joins the zero net.

    Args:
        cells: the cells.
        seeds: ordered cells and the levels at which they appear.
        up_to_permutation: neurons may be exchanged freely (orders of the seeds are then ignored).
        heights: levels of the edges, none above 1/2 |y|^2; by default their exact least losses.
    """
    if up_to_permutation:
        seeds = [Seed(seed.cell, (0,), seed.level) for seed in seeds]
    return _flatten(_Flood(cells, seeds, up_to_permutation, heights or _LeastLosses(cells)).run())
