"""The cones that the hyperplanes x_i . w = 0 cut space into, by an enumeration that is short enough to trust.

Zero rows cut nothing and rows that are multiples of one another cut the same, so the k merged hyperplanes count. Let r
be the rank of X and work in the row space, where every closed cone is pointed; the rest of space, the kernel of X,
changes no pre-activation. Two facts carry the enumeration.

* *Rays.* An extreme ray of a cone is the solution line of r - 1 independent hyperplanes within the row space. So
  solving every (r - 1)-subset finds every ray (and some lines no cone needs, which do no harm: they lie in the
  closed cones whose signs they obey).
* *Cones.* A choice of one side per hyperplane is a full-dimensional cone iff for each hyperplane some ray of the
  list obeys all sides weakly and this one strictly. If: the sum of these rays is an interior point. Only if: an
  interior point is a non-negative combination of the extreme rays, so on each hyperplane one of them is strict.

Two cones whose sides differ in exactly one hyperplane share a facet in it (the segment between two interior points
crosses nothing else), spanned by the rays on it; and any two cones are joined by such steps. So all cones are found
from one, by flipping one side at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import comb, gcd, lcm
from typing import NamedTuple

from proofs_check.exact.cell_linear import dot, nullspace

__all__ = ["Arrangement", "TooManyCones", "Wall", "arrangement", "primitive"]


class TooManyCones(ValueError):
    """The arrangement has more cones than the caller is ready to take."""


class Wall(NamedTuple):
    """A facet of a cone: the cone on its other side, and the rays (indices) that span it."""

    neighbour: int
    rays: tuple[int, ...]


class Arrangement(NamedTuple):
    """Every full-dimensional closed cone of {w : x_i . w = 0}.

    Attributes:
        patterns: sign vectors over all n rows of X, entries 1 or -1, and 0 for a zero row.
        rays: pre-activations X v of rays v in the row space, as integers without common factor.
        members: for each cone the indices of the rays in it; with the kernel of X they generate the cone.
        walls: for each cone its facets.
    """

    patterns: tuple[tuple[int, ...], ...]
    rays: tuple[tuple[int, ...], ...]
    members: tuple[tuple[int, ...], ...]
    walls: tuple[tuple[Wall, ...], ...]


def primitive(vector: Sequence[Fraction | int]) -> tuple[int, ...]:
    """Return the positive multiple of a rational vector that is integer and has no common factor.

    Example:
        >>> primitive([Fraction(1, 2), Fraction(-3, 4)])
        (2, -3)
    """
    scale = lcm(*(Fraction(value).denominator for value in vector))
    whole = [int(value * scale) for value in vector]
    common = gcd(*whole)
    return tuple(value // common for value in whole) if common else tuple(whole)


def arrangement(X: Sequence[Sequence[Fraction]], max_cones: int = 100_000) -> Arrangement:
    """Return the cones of {w : x_i . w = 0} with their rays and facets.

    Cost: C(k, r-1) null spaces, then (cones * k * rays) bit operations, for k merged hyperplanes of rank r.

    Args:
        X: n >= 1 rows of d >= 1 rationals; any rank, zero and parallel rows allowed.
        max_cones: give up beyond so many cones, or sets of hyperplanes to solve.

    Returns:
        The cones, in an order fixed by X.

    Raises:
        TooManyCones: more than max_cones of either.

    Example:
        >>> plane = arrangement([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)], [Fraction(0), Fraction(-2)]])
        >>> sorted(plane.patterns)
        [(-1, -1, 1), (-1, 1, -1), (1, -1, 1), (1, 1, -1)]

    Reference: theory.md section 3, claim N1.
    """
    normals, owner = _merge(X)
    lines = _lines(normals, len(X[0]), max_cones)
    sides = [_sides(normals, line) for line in lines]
    everything = (1 << len(normals)) - 1

    def inside(cone: int) -> tuple[int, ...]:
        return tuple(k for k, (plus, minus) in enumerate(sides) if not minus & cone and not plus & ~cone)

    def is_cone(rays: tuple[int, ...]) -> bool:
        touched = 0
        for k in rays:
            touched |= sides[k][0] | sides[k][1]
        return touched == everything

    start = _generic_cone(normals, len(X[0]))
    order = [start]
    index = {start: 0}
    members = [inside(start)]
    walls: list[tuple[Wall, ...]] = []
    for cone in order:  # grows while it is read
        found = []
        for h in range(len(normals)):
            other = cone ^ (1 << h)
            if other not in index:
                rays = inside(other)
                if not is_cone(rays):
                    continue
                if len(index) >= max_cones:
                    raise TooManyCones(f"X cuts the weight space into more than {max_cones} cones")
                index[other] = len(order)
                order.append(other)
                members.append(rays)
            facet = tuple(k for k in members[index[cone]] if not (sides[k][0] | sides[k][1]) >> h & 1)
            found.append(Wall(index[other], facet))
        walls.append(tuple(found))

    patterns = tuple(tuple(way if c >> h & 1 else -way for h, way in owner) for c in order)
    values = tuple(primitive([dot(row, line) for row in X]) for line in lines)
    return Arrangement(patterns, values, tuple(members), tuple(walls))


def _merge(X: Sequence[Sequence[Fraction]]) -> tuple[list[tuple[int, ...]], list[tuple[int, int]]]:
    """Return the distinct normals, and for each row (its normal, 1 or -1 for its direction, 0 for a zero row)."""
    normals: list[tuple[int, ...]] = []
    owner: list[tuple[int, int]] = []
    for row in X:
        normal = primitive(row)
        lead = next((value for value in normal if value), 0)
        if lead == 0:
            owner.append((0, 0))
            continue
        if lead < 0:
            normal = tuple(-value for value in normal)
        if normal not in normals:
            normals.append(normal)
        owner.append((normals.index(normal), 1 if lead > 0 else -1))
    return normals, owner


def _lines(normals: Sequence[tuple[int, ...]], d: int, limit: int) -> list[tuple[int, ...]]:
    """Return both directions of every line of the row space cut out by rank - 1 of the hyperplanes."""
    rows = [[Fraction(value) for value in normal] for normal in normals]
    kernel = nullspace(rows, d)
    rank = d - len(kernel)
    if rank and comb(len(rows), rank - 1) > limit:
        raise TooManyCones(f"{len(rows)} hyperplanes of rank {rank} meet in more than {limit} lines")
    found: dict[tuple[int, ...], None] = {}
    for subset in combinations(rows, rank - 1) if rank else ():
        solution = nullspace([*subset, *kernel], d)
        if len(solution) == 1:
            line = primitive(solution[0])
            found[line] = None
            found[tuple(-value for value in line)] = None
    return list(found)


def _sides(normals: Sequence[tuple[int, ...]], v: Sequence[int]) -> tuple[int, int]:
    """Return the bit sets of the hyperplanes that v lies strictly above and strictly below."""
    values = [sum(p * q for p, q in zip(normal, v, strict=True)) for normal in normals]
    plus = sum(1 << h for h, value in enumerate(values) if value > 0)
    return plus, sum(1 << h for h, value in enumerate(values) if value < 0)


def _generic_cone(normals: Sequence[tuple[int, ...]], d: int) -> int:
    """Return the cone (set of hyperplanes it lies above) of a point (1, t, t^2, ...) on no hyperplane.

    On each hyperplane this curve is a non-zero polynomial in t of degree < d, so some t <= k (d - 1) + 1 avoids all.
    """
    for t in range(1, len(normals) * (d - 1) + 2):
        plus, minus = _sides(normals, [t**k for k in range(d)])
        if plus | minus == (1 << len(normals)) - 1:
            return plus
    raise AssertionError("unreachable: every polynomial has at most d - 1 roots")
