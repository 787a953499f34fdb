"""The checker's enumeration of cones against other ways of finding them."""

import random
from fractions import Fraction
from math import comb

import pytest
from narrow_brute import Brute

from proofs_check.exact.cell_arrangement import TooManyCones, arrangement
from proofs_check.exact.cell_linear import dot, inverse_forms, nullspace


def rational(rows):
    return [[Fraction(v) for v in row] for row in rows]


@pytest.mark.parametrize(("d", "n"), [(1, 4), (2, 6), (3, 7), (4, 7), (2, 20)])
def test_general_position_has_the_closed_count(d, n):
    """Oracle: closed form. n generic hyperplanes through 0 make 2 sum_{i<d} C(n-1, i) cones, and 2 C(n, d-1) rays."""
    X = rational(
        [[t**k for k in range(d)] for t in range(1, n + 1)]
    )  # any d rows of a Vandermonde matrix are independent
    found = arrangement(X)
    assert len(found.patterns) == len(set(found.patterns)) == 2 * sum(comb(n - 1, i) for i in range(d))
    assert len(found.rays) == (2 * comb(n, d - 1) if d > 1 else 2)


def test_degenerate_data_agrees_with_sums_of_rays():
    """Oracle: independent implementation, on small integers full of zero, parallel and duplicate rows."""
    rng = random.Random(0)
    checked = 0
    while checked < 80:
        d = rng.choice([2, 3])
        X = [[rng.randint(-2, 2) for _ in range(d)] for _ in range(rng.randint(d, 6))]
        if nullspace(rational(X), d):
            continue
        checked += 1
        found, brute = arrangement(rational(X)), Brute(X, [0] * len(X), 1)
        assert sorted(found.patterns) == brute.patterns
        for p, pattern in enumerate(found.patterns):
            q = brute.patterns.index(pattern)
            across = sorted(found.patterns[wall.neighbour] for wall in found.walls[p])
            assert across == sorted(brute.patterns[k] for k in brute.neighbours[q])
            inside = {tuple(v / max(map(abs, brute.values[k])) for v in brute.values[k]) for k in brute.members[q]}
            mine = {tuple(Fraction(v, max(map(abs, found.rays[k]))) for v in found.rays[k]) for k in found.members[p]}
            assert mine == inside


def test_every_point_lies_in_exactly_the_cones_of_its_signs():
    """Oracle: by construction. A random point off all hyperplanes is in one cone, whose rays see its signs."""
    rng = random.Random(1)
    X = rational([[1, 2, 0], [0, 1, -1], [2, 4, 0], [0, 0, 0], [3, -1, 1], [-1, 0, 2]])
    found = arrangement(X)
    for _ in range(300):
        w = [Fraction(rng.randint(-50, 50)) for _ in range(3)]
        signs = tuple((v > 0) - (v < 0) for v in (dot(row, w) for row in X))
        if all(signs[:3]) and all(signs[4:]):
            assert signs in found.patterns
            members = found.members[found.patterns.index(signs)]
            assert all(s * v >= 0 for k in members for s, v in zip(signs, found.rays[k], strict=True))


def test_only_the_row_space_counts():
    """Oracle: by construction. X B, B of full row rank, has the cones of X, and rays with the same pre-activations."""
    X = rational([[1, 0], [1, 1], [-2, 1], [0, 0]])
    B = rational([[1, 2, 0, -1], [0, 1, 1, 3]])
    wide = [[dot(row, column) for column in zip(*B, strict=True)] for row in X]
    low, high = arrangement(X), arrangement(wide)
    assert set(low.patterns) == set(high.patterns)
    assert set(low.rays) == set(high.rays)


def test_data_of_rank_zero_has_one_cone():
    """Oracle: by hand."""
    found = arrangement(rational([[0, 0], [0, 0]]))
    assert (found.patterns, found.rays, found.members, found.walls) == (((0, 0),), (), ((),), ((),))


def test_too_many_cones_are_refused():
    """Oracle: closed form, 2 (1 + 19) = 40 cones."""
    X = rational([[1, t] for t in range(20)])
    assert len(arrangement(X, max_cones=40).patterns) == 40
    with pytest.raises(TooManyCones, match="more than 39"):
        arrangement(X, max_cones=39)
    with pytest.raises(TooManyCones, match="lines"):
        arrangement(rational([[t**k for k in range(10)] for t in range(1, 41)]))


def test_inverse_forms_solve_the_system():
    """Oracle: by construction, g = M x gives g . M^-1 g = x . M x; an indefinite or singular M is told."""
    rng = random.Random(2)
    for _ in range(20):
        root = rational([[rng.randint(-3, 3) for _ in range(3)] for _ in range(3)])
        matrix = [[dot(a, b) for b in root] for a in root]
        x = [Fraction(rng.randint(-4, 4)) for _ in range(3)]
        g = [dot(row, x) for row in matrix]
        expected = None if nullspace(root, 3) else [dot(x, g)]
        assert inverse_forms(matrix, [g]) == expected
    assert inverse_forms(rational([[1, 2], [2, 1]]), []) is None
