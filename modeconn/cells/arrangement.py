"""The cells of a central hyperplane arrangement {w : x_i . w = 0}, exactly: cones, rays, facets, neighbours.

Two preactivation patterns of a ReLU neuron are the same iff its weights lie in the same full-dimensional cone of
this arrangement. Zero rows are no hyperplane, parallel rows are one hyperplane, and everything happens in the row space
of X: what is orthogonal to it (the lineality space) never changes a preactivation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from modeconn.cells.rational import common_denominator, null_space, primitive, row_space_basis

__all__ = ["Arrangement", "Cone", "Facet", "arrangement", "max_cones"]

IntVector = tuple[int, ...]

Rays = dict[IntVector, int]
"""Extreme rays of a cone, each with the bit set of the hyperplanes it lies on."""


@dataclass(frozen=True)
class Facet:
    """A facet of a cone: the neighbour across it, and the rays that span it (indices into the arrangement's rays)."""

    neighbour: int
    rays: tuple[int, ...]


@dataclass(frozen=True)
class Cone:
    """A full-dimensional cone of the arrangement.

    Attributes:
        signs: sign of x_i . w inside the cone for *all* rows of X, 0 for zero rows.
        rays: its extreme rays, indices into the arrangement's rays.
        facets: its facets.
    """

    signs: tuple[int, ...]
    rays: tuple[int, ...]
    facets: tuple[Facet, ...]


@dataclass(frozen=True)
class Arrangement:
    """All cones of {w : x_i . w = 0}.

    Attributes:
        rays: the distinct extreme rays, primitive integer vectors in input coordinates (length d), in the row space.
        cones: the full-dimensional cones.
        rank: dimension of the row space.
        hyperplanes: number of distinct hyperplanes.
        lineality: integer basis of the orthogonal complement of the row space (empty at full column rank).
    """

    rays: tuple[IntVector, ...]
    cones: tuple[Cone, ...]
    rank: int
    hyperplanes: int
    lineality: tuple[IntVector, ...]


def max_cones(hyperplanes: int, rank: int) -> int:
    """Return 2 sum_{k < rank} C(hyperplanes - 1, k): the number of cones in general position, an upper bound always.

    Example:
        >>> max_cones(3, 2), max_cones(6, 3), max_cones(0, 0)
        (6, 32, 1)
    """
    return 1 if rank == 0 else 2 * sum(math.comb(hyperplanes - 1, k) for k in range(rank))


def distinct_normals(rows: Sequence[Sequence[int]]) -> tuple[list[IntVector], list[tuple[int, int]]]:
    """Return the distinct hyperplane normals and, for every row, (hyperplane, sign); sign 0 for zero rows."""
    normals: list[IntVector] = []
    index: dict[IntVector, int] = {}
    place: list[tuple[int, int]] = []
    for row in rows:
        normal = primitive(row)
        lead = next((v for v in normal if v), 0)
        sign = (lead > 0) - (lead < 0)
        if sign < 0:
            normal = tuple(-v for v in normal)
        if sign == 0:
            place.append((0, 0))
            continue
        if normal not in index:
            index[normal] = len(normals)
            normals.append(normal)
        place.append((index[normal], sign))
    return normals, place


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _split(rays: Rays, normal: IntVector, bit: int, size: int) -> list[tuple[int, Rays]]:
    """Return (sign, rays) of the one or two full-dimensional parts into which a hyperplane cuts a pointed cone.

    One double-description step: rays on opposite sides make a new one iff they are adjacent.
    """
    value = {ray: _dot(normal, ray) for ray in rays}
    if all(v >= 0 for v in value.values()) or all(v <= 0 for v in value.values()):
        sign = 1 if any(v > 0 for v in value.values()) else -1
        return [(sign, {ray: tight | (bit if not value[ray] else 0) for ray, tight in rays.items()})]
    cut = {ray: tight | bit for ray, tight in rays.items() if not value[ray]}
    for up in (r for r in rays if value[r] > 0):
        for down in (r for r in rays if value[r] < 0):
            common = rays[up] & rays[down]
            # a cheap necessary condition first, then the combinatorial criterion
            adjacent = common.bit_count() >= size - 2 and not any(
                common & tight == common for ray, tight in rays.items() if ray not in (up, down)
            )
            if adjacent:
                ray = primitive([value[up] * b - value[down] * a for a, b in zip(up, down, strict=True)])
                cut[ray] = common | bit
    return [(sign, cut | {ray: tight for ray, tight in rays.items() if sign * value[ray] > 0}) for sign in (1, -1)]


def _independent(normals: Sequence[IntVector], size: int) -> list[int]:
    """Return the indices of the first ``size`` linearly independent normals."""
    chosen: list[int] = []
    for i in range(len(normals)):
        if len(row_space_basis([[Fraction(v) for v in normals[j]] for j in (*chosen, i)])) > len(chosen):
            chosen.append(i)
        if len(chosen) == size:
            break
    return chosen


def _orthants(normals: Sequence[IntVector], start: Sequence[int], size: int) -> dict[int, Rays]:
    """Return the 2^size cones cut out by ``size`` independent hyperplanes: positive-side bits -> rays -> tight bits."""
    edges = []
    for i in start:
        (line,) = null_space([[Fraction(v) for v in normals[j]] for j in start if j != i], size)
        side = 1 if _dot(normals[i], line) > 0 else -1
        edges.append((i, tuple(side * v for v in line)))
    everything = sum(1 << i for i in start)
    cones = {}
    for choice in range(1 << size):
        rays = {}
        positive = 0
        for k, (i, line) in enumerate(edges):
            up = choice >> k & 1
            positive |= up << i
            rays[line if up else tuple(-v for v in line)] = everything & ~(1 << i)
        cones[positive] = rays
    return cones


def arrangement(X: Sequence[Sequence[Fraction]]) -> Arrangement:
    """Return all full-dimensional cones of the arrangement {w : x_i . w = 0}, with rays, facets and neighbours.

    Hyperplanes are inserted one by one, each cone is split by a double-description step: the work is proportional to
    the number of cones, never 2^n. A cone has a facet on a hyperplane iff flipping that sign gives another cone.

    Args:
        X: rational rows (n, d), of any rank; zero, duplicate and parallel rows are welcome.

    Returns:
        The arrangement; at rank 0 it is one cone without rays.

    Example:
        >>> found = arrangement([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]])
        >>> found.rays
        ((-1, 0), (0, -1), (0, 1), (1, 0))
        >>> [cone.signs for cone in found.cones]
        [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    """
    dimension = len(X[0])
    basis = row_space_basis(X)
    size = len(basis)
    lineality = tuple(null_space(X, dimension))
    if size == 0:
        return Arrangement((), (Cone((0,) * len(X), (), ()),), 0, 0, lineality)
    scaled = []
    for row in X:
        scale = common_denominator(row)
        scaled.append([_dot([int(v * scale) for v in row], b) for b in basis])
    normals, place = distinct_normals(scaled)
    start = _independent(normals, size)
    cones = _orthants(normals, start, size)
    for i in (i for i in range(len(normals)) if i not in start):
        cones = {
            positive | (1 << i if sign > 0 else 0): rays
            for positive, old in cones.items()
            for sign, rays in _split(old, normals[i], 1 << i, size)
        }

    def outward(ray: IntVector) -> IntVector:
        return primitive([sum(r * b[k] for r, b in zip(ray, basis, strict=True)) for k in range(dimension)])

    ambient = {ray: outward(ray) for rays in cones.values() for ray in rays}
    rays = tuple(sorted(set(ambient.values())))
    ray_index = {ray: rays.index(out) for ray, out in ambient.items()}

    def signs(positive: int) -> tuple[int, ...]:
        return tuple(sign * (1 if positive >> h & 1 else -1) for h, sign in place)

    order = sorted(cones, key=signs)
    cone_index = {positive: k for k, positive in enumerate(order)}
    built = []
    for positive in order:
        facets = tuple(
            Facet(
                cone_index[positive ^ (1 << h)],
                tuple(sorted(ray_index[ray] for ray, tight in cones[positive].items() if tight >> h & 1)),
            )
            for h in range(len(normals))
            if positive ^ (1 << h) in cone_index
        )
        built.append(Cone(signs(positive), tuple(sorted(ray_index[ray] for ray in cones[positive])), facets))
    return Arrangement(rays, tuple(built), size, len(normals), lineality)
