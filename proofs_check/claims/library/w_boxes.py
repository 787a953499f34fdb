"""The width bound of boxes, exactly: vertices of the cells, and the least distance of 0 from a hull of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from modeconn.capacity import TypeSystem, type_system
from modeconn.cells.rational import solve_rational
from proofs_check.claims.claim import Instance
from proofs_check.claims.library.w_cases import Joined, join
from proofs_check.exact.interval import enclosure, square_root

__all__ = ["BoxBound", "box_bound", "box_radii", "filled_nets", "hull_vectors", "joined_box", "least_hull_distance"]

Vector = tuple[Fraction, ...]


class BoxBound(NamedTuple):
    """The numbers of theory W3.

    Attributes:
        patterns: P, activation patterns with an interior.
        square: delta^2, exactly.
        ratio: an upper bound of R(c) / delta, finer than 2^-100.
    """

    patterns: int
    square: Fraction
    ratio: Fraction

    @property
    def live(self) -> Fraction:
        """Return R / delta + 2 P, what the live neurons of a reduced net cannot exceed."""
        return self.ratio + 2 * self.patterns


def hull_vectors(system: TypeSystem, scale: Fraction) -> list[Vector]:
    """Return the nonzero vectors s D X v, v a vertex of scale (cone intersect [-1, 1]^d), of all types, once each.

    Example:
        >>> sorted(map(list, hull_vectors(type_system([[1], [-2]], [0, 0]), Fraction(1))))[0]
        [Fraction(-1, 1), Fraction(0, 1)]
    """
    found: set[Vector] = set()
    for kind in system.types:
        walls = [tuple(sign * x for x in row) for sign, row in zip(kind.signs, system.X, strict=True) if sign]
        for v in _vertices(walls, system.d):
            found.add(
                tuple(
                    kind.s * scale * _dot(row, v) if sign > 0 else Fraction(0)
                    for sign, row in zip(kind.signs, system.X, strict=True)
                )
            )
    return sorted(vector for vector in found if any(vector))


def _vertices(walls: Sequence[Vector], d: int) -> Iterator[Vector]:
    """Yield the vertices of {v : wall . v >= 0, |v|_inf <= 1}: d of the inequalities are tight."""
    units = [tuple(Fraction(k == j) for k in range(d)) for j in range(d)]
    planes = [(wall, Fraction(0)) for wall in dict.fromkeys(walls)]
    planes += [(tuple(side * v for v in unit), Fraction(1)) for unit in units for side in (1, -1)]
    for chosen in itertools.combinations(planes, d):
        rows = [list(normal) for normal, _ in chosen]
        if _determinant(rows) == 0:
            continue
        v = solve_rational(rows, [value for _, value in chosen])
        if v and all(_dot(wall, v) >= 0 for wall in walls) and all(abs(x) <= 1 for x in v):
            yield tuple(v)


def _determinant(rows: list[list[Fraction]]) -> Fraction:
    if len(rows) == 1:
        return rows[0][0]
    minors = ([row[:k] + row[k + 1 :] for row in rows[1:]] for k in range(len(rows)))
    return sum(((-1) ** k * rows[0][k] * _determinant(minor) for k, minor in enumerate(minors)), Fraction(0))


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def least_hull_distance(vectors: Sequence[Vector]) -> Fraction:
    """Return the square of delta = min {dist(0, conv L) : L a set of the vectors, 0 not in conv L}.

    The point of conv L nearest to 0 lies inside a simplex of at most n of the vectors (affinely independent ones whose
    hull misses 0), so these simplices are tried: the foot of 0 on their affine hull, if it has weights >= 0. Cost: one
    linear system for each.

    Example:
        >>> axes = [(Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)), (Fraction(-1), Fraction(0))]
        >>> least_hull_distance(axes)
        Fraction(1, 2)
    """
    squares = []
    for size in range(1, len(vectors[0]) + 1):
        for chosen in itertools.combinations(vectors, size):
            weights = _foot(chosen)
            if weights is None or min(weights) < 0:
                continue
            foot = [_dot(weights, column) for column in zip(*chosen, strict=True)]
            square = _dot(foot, foot)
            if square:
                squares.append(square)
    return min(squares)


def _foot(chosen: Sequence[Vector]) -> list[Fraction] | None:
    """Return the affine weights of the foot of 0, ``None`` where the vectors are affinely dependent.

    They solve G weights = (1, ..., 1) up to scale, G the Gram matrix plus 1 in every entry: positive definite iff the
    vectors are affinely independent.
    """
    rows = [[_dot(a, b) + 1 for b in chosen] for a in chosen]
    if _determinant(rows) == 0:
        return None
    found = solve_rational(rows, [Fraction(1)] * len(chosen))
    assert found is not None, "a regular system"
    total = sum(found, Fraction(0))
    return [weight / total for weight in found]


def box_radii(instance: Instance) -> tuple[Fraction, Fraction]:
    """Return B1 and B2."""
    return Fraction(instance["B1"]), Fraction(instance["B2"])


@lru_cache(maxsize=256)
def _distance(text: str) -> tuple[int, Fraction]:
    """Return P and delta^2 for boxes with B1 B2 = 1."""
    system = type_system(*json.loads(text))
    return len(system.types) // 2, least_hull_distance(hull_vectors(system, Fraction(1)))


def box_bound(instance: Instance, level: Fraction) -> BoxBound:
    """Return the numbers of W3 for the data and the box of an instance and a level: R(c) = |y| + sqrt(2 c)."""
    hidden, output = box_radii(instance)
    patterns, square = _distance(json.dumps([instance["X"], [0] * len(instance["X"])]))
    square = square * (hidden * output) ** 2
    size = _dot(*[[Fraction(y) for y in instance["y"]]] * 2)
    ratio = (square_root(size) + square_root(2 * level)) / square_root(square)
    return BoxBound(patterns, square, enclosure(ratio).upper)


def filled_nets(instance: Instance, width: int) -> dict[str, Any]:
    """Return the pair of an instance's seed at a width, as an instance of its own.

    A few neurons fill the box; the others are smaller the more there are, so that predictions stay of one size.
    """
    d, (hidden, output) = len(instance["X"][0]), box_radii(instance)
    rng = np.random.default_rng([instance["seed"], width])
    shrink = 2.0 ** -max(0, (max(width, 1) // 8).bit_length() // 2 + 1)
    nets = []
    for _ in range(2):
        W, A = rng.integers(-8, 9, (d, width)) / 8, rng.integers(-8, 9, (1, width)) / 8
        W[:, 2:], A[:, 2:] = W[:, 2:] * shrink, A[:, 2:] * shrink
        if width > 2:
            W[:, 0], A[:, 0] = np.where(W[:, 0] < 0, -1, 1), np.where(A[:, 0] < 0, -1, 1)
            A[0, rng.integers(2, width)] = 0.0
        nets.append({"W": (W * float(hidden)).tolist(), "A": (A * float(output)).tolist()})
    balls = {leaf: {"norm": "linf", "radius": instance[key]} for leaf, key in (("W", "B1"), ("A", "B2"))}
    data = {"X": instance["X"], "Y": [[y] for y in instance["y"]]}
    return {**data, "net0": nets[0], "net1": nets[1], "region": balls, "route": instance.get("route", "auto")}


def joined_box(instance: Instance, width: int) -> Joined:
    """Return the pair of the instance's seed at a width, joined."""
    return join(filled_nets(instance, width))
