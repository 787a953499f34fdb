"""Cones, rays, facets and neighbours of central arrangements."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog, nnls

from modeconn.cells import arrangement, max_cones, rank

Rows = list[list[Fraction]]


def _rows(data: Sequence[Sequence[int]]) -> Rows:
    return [[Fraction(v) for v in row] for row in data]


def _random(rng: random.Random, n: int, d: int, bound: int = 99) -> Rows:
    return _rows([[rng.randint(-bound, bound) for _ in range(d)] for _ in range(n)])


DEGENERATE = {
    "duplicate, parallel and zero rows": [[1, 2], [2, 4], [-1, -2], [0, 0], [1, 0]],
    "rank two in three dimensions": [[1, 2, 3], [2, 1, 0], [3, 3, 3], [1, -1, -3]],
    "rank one": [[2, -4], [1, -2], [-3, 6]],
    "bias column": [[-2, 1], [0, 1], [1, 1], [3, 1]],
    "three planes through one line": [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1]],
    "braid arrangement": [[1, -1, 0, 0], [1, 0, -1, 0], [1, 0, 0, -1], [0, 1, -1, 0], [0, 1, 0, -1], [0, 0, 1, -1]],
    "only zero rows": [[0, 0], [0, 0]],
}


@pytest.mark.parametrize(("n", "d"), [(1, 1), (4, 1), (5, 2), (6, 3), (8, 3), (7, 4), (3, 4)])
def test_the_number_of_cones_in_general_position_is_the_closed_formula(n: int, d: int) -> None:
    """Oracle: closed form 2 sum_{k < r} C(h - 1, k)."""
    found = arrangement(_random(random.Random(n * 10 + d), n, d))
    assert len(found.cones) == max_cones(found.hyperplanes, found.rank)
    assert found.rank == min(n, d)


def test_known_counts() -> None:
    """Oracle: closed forms. The braid arrangement A_3 has 4! chambers; rank one always has two."""
    assert len(arrangement(_rows(DEGENERATE["braid arrangement"])).cones) == 24
    assert len(arrangement(_rows(DEGENERATE["rank one"])).cones) == 2
    assert len(arrangement(_rows(DEGENERATE["only zero rows"])).cones) == 1


@pytest.mark.parametrize("name", [*DEGENERATE, "random 5x3", "random 5x2"])
def test_the_sign_vectors_are_those_of_brute_force(name: str) -> None:
    """Oracle: independent implementation, one linear program for each of the 2^n sign vectors."""
    X = _rows(DEGENERATE[name]) if name in DEGENERATE else _random(random.Random(3), 5, int(name[-1]), 3)
    live = [i for i, row in enumerate(X) if any(row)]
    dense = np.array([[float(v) for v in X[i]] for i in live]).reshape(len(live), len(X[0]))
    expected = set()
    for signs in itertools.product((1, -1), repeat=len(live)):
        A = -np.array(signs)[:, None] * dense
        if not live or linprog(np.zeros(len(X[0])), A_ub=A, b_ub=-np.ones(len(live)), bounds=(None, None)).status == 0:
            full = [0] * len(X)
            for i, s in zip(live, signs, strict=True):
                full[i] = s
            expected.add(tuple(full))
    cones = arrangement(X).cones
    assert {cone.signs for cone in cones} == expected
    assert len(cones) == len(expected)


@pytest.mark.parametrize("name", [*DEGENERATE, "random 7x3", "random 6x4"])
def test_rays_facets_and_neighbours(name: str) -> None:
    """Oracle: definitions, exactly. Rays are one-dimensional faces, facets have full rank, neighbours see each other,
    and random points of a cone are non-negative combinations of its rays."""
    X = _rows(DEGENERATE[name]) if name in DEGENERATE else _random(random.Random(5), int(name[7]), int(name[9]), 3)
    found = arrangement(X)
    r = found.rank
    assert len(set(found.rays)) == len(found.rays)
    assert len(found.lineality) == len(X[0]) - r

    def sides(ray: Sequence[int]) -> list[Fraction]:
        return [sum((a * b for a, b in zip(x, ray, strict=True)), Fraction(0)) for x in X]

    for k, cone in enumerate(found.cones):
        for index in cone.rays:
            values = sides(found.rays[index])
            assert all(s * v >= 0 for s, v in zip(cone.signs, values, strict=True))
            assert rank([x for x, v in zip(X, values, strict=True) if not v]) == r - 1
        for facet in cone.facets:
            other = found.cones[facet.neighbour]
            flipped = [x for x, a, b in zip(X, cone.signs, other.signs, strict=True) if a != b]
            assert rank(flipped) == 1
            spanned = [found.rays[i] for i in facet.rays]
            assert all(sum(a * b for a, b in zip(flipped[0], ray, strict=True)) == 0 for ray in spanned)
            assert len(spanned) == 0 or rank(_rows(spanned)) == r - 1
            assert (k, facet.rays) in [(back.neighbour, back.rays) for back in other.facets]
    if r == 0:
        return
    rng = np.random.default_rng(0)
    dense = np.array([[float(v) for v in row] for row in X])
    by_signs = {cone.signs: cone for cone in found.cones}
    zero = [not any(row) for row in X]
    for w in rng.normal(size=(40, len(X[0]))):
        inside = np.linalg.lstsq(dense, dense @ w, rcond=None)[0]
        signs = tuple(0 if z else int(np.sign(v)) for z, v in zip(zero, dense @ w, strict=True))
        rays = np.array([found.rays[i] for i in by_signs[signs].rays], float).T
        assert nnls(rays, inside)[1] < 1e-8


def test_simple_cones_have_as_many_rays_as_dimensions() -> None:
    """Oracle: closed form. In general position each line of a plane arrangement in R^3 lies on two planes: C(n, 2)."""
    found = arrangement(_random(random.Random(11), 7, 3))
    assert len(found.rays) == 2 * 21
