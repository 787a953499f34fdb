"""Affine pieces of the zero-loss set of a smooth student."""

from fractions import Fraction
from itertools import product

import pytest

from proofs_check.exact.expansion import (
    affine_pieces,
    are_meeting,
    bell_number,
    connected_groups,
    piece_count,
    student_matches,
    surjection_count,
)
from proofs_check.exact.rational import ExactInputError


def teacher(r, d=1):
    return [([k + 1] * d, k + 2) for k in range(r)]


@pytest.mark.parametrize(
    ("r", "m", "count"), [(1, 2, 3), (2, 3, 12), (2, 4, 62), (3, 4, 60), (3, 5, 450), (1, 1, 1), (3, 3, 6)]
)
def test_published_counts(r, m, count):
    """Published numbers (Simsek et al. 2021), by enumeration and by formula; every piece has dimension m - r."""
    pieces = affine_pieces(teacher(r), m)
    assert (len(pieces), piece_count(r, m)) == (count, count)
    assert {piece.dimension for piece in pieces} == {m - r}


@pytest.mark.parametrize("r", [1, 2, 3])
def test_formula_by_partitions(r):
    """Independent formula: a partition into p groups, r of them named: sum_p S(m, p) p! / (p - r)!."""

    def stirling(n, p):
        return int(n == p) if n * p == 0 else p * stirling(n - 1, p) + stirling(n - 1, p - 1)

    for m in range(r, 9):
        named = sum(stirling(m, p) * _falling(p, r) for p in range(r, m + 1))
        assert named == piece_count(r, m)


def _falling(p, r):
    return 1 if r == 0 else p * _falling(p - 1, r - 1)


def test_surjections_and_partitions_by_listing():
    """Brute force: all maps; all equivalence relations as the sets of classes of maps."""
    for r, m in [(1, 3), (2, 4), (3, 4), (3, 5)]:
        assert surjection_count(r, m) == sum(len(set(f)) == r for f in product(range(r), repeat=m))
    for u in range(1, 6):
        kernels = {tuple(f.index(x) for x in f) for f in product(range(u), repeat=u)}
        assert bell_number(u) == len(kernels)


def test_zero_loss_students_of_a_box_are_those_in_the_pieces():
    """Brute force: all students of width 2 and 3 with weights in a box, evaluated exactly against a single neuron."""
    single = [([1], 2)]
    for m, reach in ((2, 2), (3, 1)):
        pieces = affine_pieces(single, m)
        values = range(-reach, reach + 1)
        found = 0
        for theta in product(values, [*values, 2][: len(values) + (reach < 2)], repeat=m):
            theta = [*theta[:m], *theta[m:]]
            inside = any(piece.contains(theta) for piece in pieces)
            assert student_matches(single, theta, m) == inside
            found += inside
        assert found > 0


def test_matching_is_exact_in_several_dimensions():
    """By construction: equal inner products along the data would fool a base that is too small."""
    one = [([1, 0], 1)]
    assert student_matches(one, [1, 0, 5, 5, 1, 0], 2)
    assert not student_matches(one, [0, 1, 5, 5, 1, 0], 2)
    assert not student_matches([([5, -1], 1)], [0, 0, 1, 1], 1)


def test_pieces_of_one_neuron_and_two():
    """By hand: w_1 = w_2 = w with a_1 + a_2 = a; or one neuron right and the other silent; they form a chain."""
    pieces = affine_pieces([([3], 5)], 2)
    points = [[3, 3, 1, 4], [3, 9, 5, 0], [9, 3, 0, 5]]
    assert [[piece.contains(p) for p in points].count(True) for piece in pieces] == [1, 1, 1]
    split = next(piece for piece in pieces if piece.contains(points[0]))
    assert all(are_meeting(split, other) for other in pieces)
    first, last = (next(piece for piece in pieces if piece.contains(p)) for p in points[1:])
    assert not are_meeting(first, last)
    assert len(list(connected_groups(list(pieces)))) == 1


@pytest.mark.parametrize(("r", "m", "groups"), [(1, 3, 1), (2, 2, 2), (2, 3, 1), (3, 3, 6), (3, 4, 1)])
def test_one_more_neuron_connects(r, m, groups):
    """Theory: r! points at m = r, one component from m = r + 1 on."""
    assert len(list(connected_groups(list(affine_pieces(teacher(r), m))))) == groups


def test_no_piece_lies_in_another():
    """Definition: the equations of the one do not follow from those of the other; a piece lies in itself."""
    pieces = list(affine_pieces(teacher(2, d=2), 3))
    assert all(one.is_inside(other) == (one == other) for one in pieces for other in pieces)
    assert all(piece.dimension in (1, 2) for piece in pieces)


def test_contains_takes_fractions():
    """By construction."""
    (piece,) = affine_pieces([([1], 1)], 1)
    assert piece.contains([Fraction(1), Fraction(1)])
    assert not piece.contains([Fraction(1), Fraction(1, 2)])


def test_a_student_narrower_than_the_teacher_is_refused():
    """By construction."""
    with pytest.raises(ExactInputError, match="1 <= r <= m"):
        affine_pieces(teacher(2), 1)
