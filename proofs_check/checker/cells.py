"""The graph of cells of a narrow net: which cells and which meetings of cells a list of cuts removes.

A *type* is a closed cone of weights with an output sign; a *cell* gives each of the m neurons a type. On a cell the
prediction f is linear in u, so the part of a level set {loss <= c} in it is convex. A level set is a finite union of
such closed convex pieces, and its components are those of the graph of cells that hold a point of it, joined when they
share one.

*Two kinds of edges are enough.* Let a point p lie in cells C and C'. Change the neurons from C to C' one at a time: p
stays inside. One neuron u in two cones with one sign: walk from cone to cone across the hyperplanes that separate the
two; u lies on every one of them, hence in every facet crossed. With different signs: u = 0, where all types meet.
So edges are (i) one neuron crosses a facet, the others stay in their cones; (ii) one neuron is 0, the others stay.

*A cut.* If nu . f <= 0 for every generator f of a cell and nu . y > 0, then |y - f| |nu| >= nu . (y - f) >= nu . y on
the cell, so the loss there is at least (nu . y)^2 / (2 nu . nu). A ray v in a cone of sign s generates s relu(X v),
whatever the cone; the kernel of X generates 0. So each nu covers a ray with a sign or not, and bit sets do the rest: a
cell, a facet or a zero edge is cut iff one nu covers all its rays. What is left contains the true graph.

*Parameters.* The map theta = (w, alpha) -> (u, s) = (|alpha| w, sign alpha) is continuous when u = 0 stands for one
point whatever the sign; w = u / sqrt|u|, alpha = s sqrt|u| is a continuous way back; and each fibre is path-connected:
an open half-line, or over u = 0 the cross of {alpha = 0} and {w = 0}, which meet at the origin. So a path lifts, its
ends move within their fibres, and components in u are components in the parameters. (Connected fibres alone would not
do.) The same holds for the projection of u to the row space of X. With output weights fixed at 1, u = w and s = 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import NamedTuple

from proofs_check.checker.frame import CertificateError
from proofs_check.checker.narrow_read import Neuron, Point, Problem
from proofs_check.exact.cell_arrangement import Arrangement, TooManyCones, arrangement, primitive

__all__ = ["MAX_CELLS", "Cells", "Types", "cells", "neuron_types", "reachable", "types"]

MAX_CELLS = 2_000_000
"""Largest number of ordered cells that the checker takes on unless told otherwise."""

MAX_WIDTH = 64
"""Largest width whose cells are enumerated."""

MAX_CONES = 5_000
"""Largest number of cones, whatever the width."""

MAX_COVER_BITS = 10**10
"""Largest number of cuts times ordered cells."""


class Types(NamedTuple):
    """The types of one neuron: number t stands for cone t // len(signs) with sign signs[t % len(signs)]."""

    cones: Arrangement
    signs: tuple[int, ...]

    @property
    def number(self) -> int:
        """Return the number of types."""
        return len(self.cones.patterns) * len(self.signs)


class Cells(NamedTuple):
    """The cells of m neurons with what each cut covers, as bit sets over the cuts.

    Attributes:
        number: number T of types; there are T^m ordered cells.
        width: number m of neurons.
        full: the bit set of all cuts.
        cover: for each type the cuts that cover all its rays.
        walls: for each type its facets: (type on the other side, the cuts that cover the facet's rays).
    """

    number: int
    width: int
    full: int
    cover: tuple[int, ...]
    walls: tuple[tuple[tuple[int, int], ...], ...]

    def code(self, cell: Sequence[int]) -> int:
        """Return the number of an ordered cell, its types being the digits in base ``number``."""
        number = 0
        for t in reversed(cell):
            number = number * self.number + t
        return number

    def multisets(self, m: int) -> Iterator[tuple[tuple[int, ...], int]]:
        """Yield every non-decreasing choice of m types with the cuts that cover all of them."""
        for choice in combinations_with_replacement(range(self.number), m):
            covered = self.full
            for t in choice:
                covered &= self.cover[t]
            yield choice, covered


def types(setting: Problem, m: int, max_cells: int = MAX_CELLS) -> Types:
    """Return the types of one neuron, if the ordered cells of m neurons are at most ``max_cells``.

    Raises:
        CertificateError: there are more; the message names the bound to raise.
    """
    signs = (1,) if setting.fixed else (1, -1)
    try:
        found = Types(arrangement(setting.X, max_cones=min(MAX_CONES, max_cells // len(signs))), signs)
    except TooManyCones as error:
        raise CertificateError(f"{error}: too many to check") from error
    if m > MAX_WIDTH or found.number**m > max_cells:
        raise CertificateError(
            f"{found.number} types for {m} neurons give more than max_cells = {max_cells} ordered cells"
        )
    return found


def cells(kinds: Types, m: int, nus: Sequence[Sequence[Fraction]]) -> Cells:
    """Return the cells of m neurons, each type and facet with the set of cuts that cover it.

    Cost: rays * len(nus) * n integer operations, then types * (rays + facets).

    Args:
        kinds: the types of one neuron.
        m: width.
        nus: cut vectors whose level has been checked, n entries each.

    Raises:
        CertificateError: so many cuts for so many cells that the check would take too long.
    """
    whole = list(dict.fromkeys(primitive(nu) for nu in nus))
    if len(whole) * kinds.number**m > MAX_COVER_BITS:
        raise CertificateError(
            f"{len(whole)} vectors nu for {kinds.number**m} cells are too many; drop those that add nothing"
        )
    covers: list[dict[int, int]] = []
    for ray in kinds.cones.rays:
        relu = [(i, a) for i, a in enumerate(ray) if a > 0]
        values = [sum(nu[i] * a for i, a in relu) for nu in whole]
        covers.append({s: sum(1 << k for k, value in enumerate(values) if s * value <= 0) for s in kinds.signs})
    full = (1 << len(whole)) - 1

    def common(rays: Sequence[int], s: int) -> int:
        covered = full
        for ray in rays:
            covered &= covers[ray][s]
        return covered

    size = len(kinds.signs)
    typed = [(p, k, s) for p in range(len(kinds.cones.patterns)) for k, s in enumerate(kinds.signs)]
    return Cells(
        number=kinds.number,
        width=m,
        full=full,
        cover=tuple(common(kinds.cones.members[p], s) for p, _, s in typed),
        walls=tuple(
            tuple((wall.neighbour * size + k, common(wall.rays, s)) for wall in kinds.cones.walls[p])
            for p, k, s in typed
        ),
    )


def neuron_types(kinds: Types, neuron: Neuron) -> tuple[int, ...]:
    """Return the types whose closed cone holds the neuron; a neuron at 0 has both signs."""
    cones = [
        p
        for p, pattern in enumerate(kinds.cones.patterns)
        if all(sign * value >= 0 for sign, value in zip(pattern, neuron.z, strict=True))
    ]
    allowed = [k for k, s in enumerate(kinds.signs) if s == neuron.s or not any(neuron.u)]
    return tuple(p * len(kinds.signs) + k for p in cones for k in allowed)


def reachable(graph: Cells, kinds: Types, start: Point) -> Iterator[tuple[int, ...]]:
    """Yield the cells linked to a cell of ``start`` by edges that no cut removes.

    Every cell that holds a point of start's component of the level set is among them, when start is in the level set
    and each cut is valid at it.

    Cost: O(T^m m (facets per cone)) bit operations at worst, one byte a cell.
    """
    T, m = graph.number, graph.width
    power = [T**j for j in range(m)]
    seen = bytearray(T**m)
    opened = [bytearray(T ** (m - 1)) for _ in range(m)]
    first = graph.code([neuron_types(kinds, neuron)[0] for neuron in start])
    seen[first] = 1
    stack = [first]
    while stack:
        code = stack.pop()
        cell = tuple(code // p % T for p in power)
        yield cell
        after = [graph.full]
        for t in reversed(cell[1:]):
            after.append(after[-1] & graph.cover[t])
        before = graph.full
        for j, p in enumerate(power):
            others = before & after[m - 1 - j]  # the cuts that cover all other neurons
            before &= graph.cover[cell[j]]
            base = code - cell[j] * p
            if not others:  # the zero edge is open: neuron j may take any type, its facets included
                hub = code // (p * T) * p + code % p
                if opened[j][hub]:
                    continue
                opened[j][hub] = 1
                following = list(range(base, base + T * p, p))
            else:
                following = [base + t * p for t, covered in graph.walls[cell[j]] if not covered & others]
            for new in following:
                if not seen[new]:
                    seen[new] = 1
                    stack.append(new)
