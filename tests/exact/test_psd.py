"""Positive semidefinite tests in integers against elimination in fractions, and traces of powers."""

import random
from fractions import Fraction

import pytest

from proofs_check.exact import psd
from proofs_check.exact.linear import is_positive_semidefinite
from proofs_check.exact.psd import gram, is_psd, power_trace, whole_rows
from proofs_check.exact.rational import ExactInputError


def matrices(seed, count):
    """Random Gram matrices of any rank, some spoilt on or off the diagonal, some scaled far beyond floats."""
    rng = random.Random(seed)
    for _ in range(count):
        size = rng.randint(1, 6)
        vectors = [[rng.randint(-3, 3) for _ in range(size)] for _ in range(rng.randint(0, 2 * size))]
        matrix = gram(vectors, [rng.choice((1, 1, 1, 2, 5)) for _ in vectors], size)
        kind, i, j = rng.randrange(5), rng.randrange(size), rng.randrange(size)
        if kind == 0:
            matrix[i][i] -= 1
        elif kind == 1:
            matrix[i][j] = matrix[j][i] = matrix[i][j] + 1
        unit = rng.choice((1, 3, 2**60, 2**1500))
        yield [[value * unit for value in row] for row in matrix]


def test_agrees_with_elimination_in_fractions():
    """Oracle: independent implementation; both tests inside, singular and indefinite matrices are reached."""
    seen = {True: 0, False: 0, "factor": 0}
    for matrix in matrices(0, 1500):
        expected = is_positive_semidefinite([[Fraction(value) for value in row] for row in matrix])
        assert is_psd(matrix) == expected
        assert psd._eliminates(matrix) == expected
        if psd._has_factor(matrix):
            assert expected
            seen["factor"] += 1
        seen[expected] += 1
    assert min(seen.values()) >= 200


def test_tiny_margins_are_decided():
    """Oracle: closed form; [[1, 1], [1, 1 +- 2**-300]]."""
    one = 1 << 300
    assert is_psd([[one, one], [one, one + 1]])
    assert is_psd([[one, one], [one, one]])
    assert not is_psd([[one, one], [one, one - 1]])
    assert not is_psd([[0, 1], [1, one]])
    assert is_psd([[0, 0], [0, one]])
    assert is_psd([])


def test_the_cheap_test_settles_matrices_with_room():
    """Oracle: by construction, a Gram matrix plus 1e-9 of its size; long entries of 400 bits."""
    rng = random.Random(3)
    vectors = [[rng.getrandbits(200) - 2**199 for _ in range(16)] for _ in range(10)]
    matrix = gram(vectors, [1] * 10, 16)
    for i in range(16):
        matrix[i][i] += max(map(max, matrix)) // 10**9
    assert psd._has_factor(matrix)
    assert psd._eliminates(matrix)


def test_asymmetric_matrices_are_refused():
    """Oracle: by construction."""
    for matrix in ([[1, 2], [3, 4]], [[1, 2]], [[1], [2]]):
        with pytest.raises(ExactInputError, match="symmetric"):
            is_psd(matrix)


def test_power_trace_is_the_sum_of_powers_of_eigenvalues():
    """Oracle: closed form for a + b J, eigenvalues a (k - 1 times) and a + k b."""
    for size in (1, 2, 3):
        for a, b in ((2, 1), (0, 3), (5, -1)):
            matrix = [[a * (i == j) + b for j in range(size)] for i in range(size)]
            for power in range(1, 12):
                assert power_trace(matrix, power) == (size - 1) * a**power + (a + size * b) ** power


def test_common_denominators():
    """Oracle: by construction."""
    scale, rows = whole_rows([[Fraction(1, 6), Fraction(-2)], [Fraction(3, 4), Fraction(0)]])
    assert (scale, rows) == (12, [[2, -24], [9, 0]])
    assert gram([], [], 2) == [[0, 0], [0, 0]]


@pytest.mark.parametrize(("room", "bits"), [(-0.5, 60), (2.0**-44, 0), (2.0**-44, 1), (-0.05, 1), (-0.05, 2)])
def test_floats_decide_nothing(room, bits, monkeypatch):
    """Oracle: elimination in fractions; a wrong or coarse factor is refused by the residual in integers."""
    monkeypatch.setattr(psd, "_ROOM", room)
    monkeypatch.setattr(psd, "_FACTOR_BITS", bits)
    proposed = 0
    for matrix in matrices(1, 600):
        exact = is_positive_semidefinite([[Fraction(value) for value in row] for row in matrix])
        assert is_psd(matrix) == exact
        proposed += not exact and len(matrix) > 1 and all(matrix[i][i] > 0 for i in range(len(matrix)))
    assert proposed >= 50
