"""Exact numbers: reading them and small integer linear algebra."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from modeconn.cells import as_fraction, null_space, primitive, rank, row_space_basis, solve_integer
from modeconn.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (3, Fraction(3)),
        ("-3/7", Fraction(-3, 7)),
        ("0.1", Fraction(1, 10)),
        (0.1, Fraction(1, 10)),
        ("1e-3", Fraction(1, 1000)),
        (Fraction(2, 4), Fraction(1, 2)),
    ],
)
def test_numbers_are_read_as_the_decimal_that_is_written(text: object, value: Fraction) -> None:
    """Oracle: by construction."""
    assert as_fraction(text) == value


@pytest.mark.parametrize(
    "text", ["nan", "inf", float("nan"), float("inf"), "pi", "1/0", "", True, None, [1], "1e99999", "1_000", "٣/٤"]
)
def test_what_is_no_finite_rational_is_refused(text: object) -> None:
    """Oracle: by construction; a huge exponent must not be expanded either."""
    with pytest.raises(InputError, match="finite rational"):
        as_fraction(text)


def _random(rng: random.Random, rows: int, columns: int) -> list[list[Fraction]]:
    return [[Fraction(rng.randint(-4, 4), rng.randint(1, 3)) for _ in range(columns)] for _ in range(rows)]


def test_integer_solve_row_space_and_null_space() -> None:
    """Oracle: the defining equations, checked exactly on random matrices (singular ones included)."""
    rng = random.Random(1)
    singular = 0
    for _ in range(200):
        k = rng.randint(1, 4)
        matrix = [[rng.randint(-3, 3) for _ in range(k)] for _ in range(k)]
        target = [rng.randint(-5, 5) for _ in range(k)]
        answer = solve_integer(matrix, target)
        if answer is None:
            singular += 1
            assert rank([[Fraction(v) for v in row] for row in matrix]) < k
        else:
            z, q = answer
            assert q > 0
            assert all(
                sum(a * b for a, b in zip(row, z, strict=True)) == q * t for row, t in zip(matrix, target, strict=True)
            )
    assert singular > 5
    for _ in range(100):
        rows, columns = rng.randint(1, 4), rng.randint(1, 4)
        matrix_q = _random(rng, rows, columns)
        basis, kernel = row_space_basis(matrix_q), null_space(matrix_q, columns)
        assert len(basis) + len(kernel) == columns
        assert all(sum(a * b for a, b in zip(row, v, strict=True)) == 0 for row in matrix_q for v in kernel)
        assert rank([*matrix_q, *[[Fraction(v) for v in b] for b in basis]]) == len(basis) == rank(matrix_q)


def test_primitive_vectors() -> None:
    """Oracle: by construction."""
    assert primitive([4, -6, 0]) == (2, -3, 0)
    assert primitive([0, 0]) == (0, 0)
