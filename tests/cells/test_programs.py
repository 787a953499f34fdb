"""Exact non-negative least squares."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np

from modeconn.cells import ConeProgram, float_nnls, solve_integer


def _instance(rng: random.Random, n: int, k: int, bound: int) -> tuple[list[tuple[int, ...]], list[Fraction]]:
    columns = [tuple(rng.randint(-bound, bound) for _ in range(n)) for _ in range(k)]
    return columns, [Fraction(rng.randint(-9, 9), rng.randint(1, 4)) for _ in range(n)]


def _brute_force(columns: list[tuple[int, ...]], y: list[Fraction]) -> Fraction:
    """Least value over all supports with a positive least squares solution, in rationals."""
    q = 12
    target = [int(v * q) for v in y]
    best = sum((v * v for v in y), Fraction(0)) / 2
    for size in range(1, min(len(columns), len(y)) + 1):
        for chosen in itertools.combinations(columns, size):
            gram = [[sum(a * b for a, b in zip(c, e, strict=True)) for e in chosen] for c in chosen]
            found = solve_integer(gram, [sum(a * b for a, b in zip(c, target, strict=True)) for c in chosen])
            if found is not None and all(v >= 0 for v in found[0]):
                z = [Fraction(v, found[1] * q) for v in found[0]]
                fit = [sum(a * c[i] for a, c in zip(z, chosen, strict=True)) for i in range(len(y))]
                best = min(best, sum(((a - b) ** 2 for a, b in zip(fit, y, strict=True)), Fraction(0)) / 2)
    return best


def test_the_value_is_that_of_brute_force_and_nu_proves_it() -> None:
    """Oracle: independent implementation (all supports), and the exact optimality conditions."""
    rng = random.Random(7)
    for trial in range(60):
        columns, y = _instance(
            rng, rng.randint(1, 4), rng.randint(1, 5), 1 if trial % 2 else 4
        )  # entries +-1: degenerate
        program = ConeProgram(columns, y)
        fit = program.solve(range(len(columns)))
        assert fit.value == _brute_force(columns, y)
        assert all(v > 0 for v in fit.coefficients)
        slope = [sum(a * b for a, b in zip(fit.nu, c, strict=True)) for c in columns]
        assert all(v <= 0 for v in slope)
        assert all(slope[k] == 0 for k in fit.support)
        reach = sum((a * b for a, b in zip(fit.nu, y, strict=True)), Fraction(0))
        assert fit.value == 0 or reach**2 / (2 * sum(v * v for v in fit.nu)) == fit.value


def test_wrong_proposals_are_repaired() -> None:
    """Oracle: the same value whatever the float solver says, random support, everything, or nothing at all."""
    rng = random.Random(8)
    noise = np.random.default_rng(0)
    liars = [
        lambda C, y: np.zeros(C.shape[1]),
        lambda C, y: np.ones(C.shape[1]),
        lambda C, y: noise.normal(size=C.shape[1]),
    ]
    for _ in range(40):
        columns, y = _instance(rng, 4, 7, 3)
        truth = ConeProgram(columns, y).solve(range(7))
        for propose in liars:
            program = ConeProgram(columns, y, propose)
            assert program.solve(range(7)).value == truth.value
    assert program.repairs >= 1


def test_subsets_and_empty_sets() -> None:
    """Oracle: closed form. Without columns the value is half the squared target; more columns never raise it."""
    columns, y = _instance(random.Random(9), 3, 6, 5)
    program = ConeProgram(columns, y)
    assert program.solve([]).value == sum(v * v for v in y) / 2
    values = [program.solve(range(k)).value for k in range(7)]
    assert values == sorted(values, reverse=True)


def test_large_entries_stay_exact() -> None:
    """Oracle: by construction. The target is a positive combination with 40-digit entries, so the value is zero."""
    big = 10**40 + 7
    columns = [(big, 1, 0), (1, big, 3), (0, 2, big)]
    y = [Fraction(3 * a + 5 * b + 7 * c) for a, b, c in zip(*columns, strict=True)]
    fit = ConeProgram(columns, y).solve([0, 1, 2])
    assert fit.value == 0
    assert fit.coefficients == (3, 5, 7)


def test_the_float_solver_is_a_proposal_only() -> None:
    """Oracle: closed form on one well-conditioned case."""
    z = float_nnls(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([2.0, -1.0]))
    np.testing.assert_allclose(z, [2.0, 0.0])


def test_an_empty_matrix_does_not_reach_the_float_solver() -> None:
    """Closed form: no columns, or no rows, leave nothing to fit (SciPy 1.17 would end the process)."""
    for n, k in ((3, 0), (0, 3), (0, 0)):
        np.testing.assert_array_equal(float_nnls(np.zeros((n, k)), np.zeros(n)), np.zeros(k))
