"""The dual optimum and the certified interval of the optimal value."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from ridge_oracles import arrays, objective, random_problem, sampled_slope, whole_program

from modeconn.errors import InputError
from modeconn.regularised import DualConstraint, certify_gap, dual_optimum, ridge_gap, three_component_problem
from modeconn.topology import problem_from_json, problem_to_json
from proofs_check.checker import check_certificate

CASES = [(3, 1, 0), (5, 2, 0), (5, 2, 1), (8, 3, 2), (6, 4, 3)]


@pytest.mark.parametrize("case", CASES)
def test_the_optimum_is_that_of_the_program_over_all_cells(case: tuple[int, int, int]) -> None:
    """Independent implementation: one cone program over all patterns, found by sampling. Conserved: weak duality."""
    problem = random_problem(*case)
    optimum, gap = dual_optimum(problem), ridge_gap(problem)
    assert optimum.violation < 1e-11
    assert float(gap.lower) == pytest.approx(whole_program(problem), rel=1e-7)
    assert 0 <= gap.width <= Fraction(1, 10**9) * gap.upper
    assert objective(problem, gap.net) == pytest.approx(float(gap.upper), rel=1e-12)
    assert sampled_slope(problem, optimum.nu) <= float(problem.ridge) * (1 + 1e-12)


@pytest.mark.parametrize("beta", ["1/10", "1/2", "3/2"])
def test_the_value_of_the_three_component_problem(beta: str) -> None:
    """Closed form: beta - beta^2 / 4."""
    gap = ridge_gap(three_component_problem(beta))
    known = Fraction(beta) - Fraction(beta) ** 2 / 4
    assert gap.lower <= known <= gap.upper
    assert gap.width < Fraction(1, 10**12)


def test_above_the_critical_ridge_the_zero_net_is_optimal() -> None:
    """Closed form: beta >= max |y . relu(X u)| makes 1/2 |y|^2 the optimum."""
    problem = random_problem(4, 2, 5)
    _, y, _ = arrays(problem)
    critical = DualConstraint(problem.X).largest(y)
    gap = ridge_gap(replace(problem, ridge=Fraction(critical) + Fraction(1, 10**6)))
    assert gap.upper == sum(v * v for v in problem.y) / 2
    assert gap.width < Fraction(1, 10**12) * gap.upper


@pytest.mark.parametrize(
    "data", [{"X": [[0, 0], [0, 0]], "y": [1, 2]}, {"X": [[1, 2], [2, 4], [0, 0]], "y": [1, 1, 1]}]
)
def test_degenerate_rows(data: dict[str, list[object]]) -> None:
    """Certificate: zero and parallel rows, rank 0 and 1; the checker enumerates its own cells."""
    problem = problem_from_json({**data, "ridge": "1/10"})
    gap = ridge_gap(problem)
    assert check_certificate(json.loads(json.dumps(certify_gap(gap))), problem_to_json(problem)).accepted
    assert gap.width <= Fraction(1, 10**10)


def test_exact_projections_are_projections() -> None:
    """Moreau's conditions, in rationals: mu >= 0, p in the cone, mu_i (x_i . p) = 0, p as stated."""
    problem = random_problem(6, 3, 4)
    nu = [Fraction(k - 2, 3) for k in range(6)]
    constraint = DualConstraint(problem.X)
    floats = constraint.projections(np.array(nu, float))
    for slope, near in zip(constraint.slopes(nu), floats, strict=True):
        sides = [
            side * sum(a * b for a, b in zip(x, slope.p, strict=True))
            for side, x in zip(slope.kind.pattern, problem.X, strict=True)
        ]
        assert min(slope.mu) >= 0
        assert min(sides) >= 0
        assert not any(m * side for m, side in zip(slope.mu, sides, strict=True))
        assert np.allclose(np.array(slope.p, float), near, atol=1e-12)


def test_a_lying_solver_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: the float solver returns ten times its answer; projections are those of before."""
    problem = random_problem(5, 2, 1)
    constraint, nu = DualConstraint(problem.X), np.array([1.0, -2.0, 0.5, 1.5, -1.0])
    exact = [Fraction(v) for v in nu.tolist()]
    wanted = constraint.projections(nu), [slope.square for slope in constraint.rounded_slopes(exact)]
    module = sys.modules["modeconn.regularised.constraint"]
    honest = module.float_nnls
    monkeypatch.setattr(module, "float_nnls", lambda columns, target: 10 * honest(columns, target))
    assert np.allclose(constraint.projections(nu), wanted[0], atol=1e-12)
    squares = [slope.square for slope in constraint.rounded_slopes(exact)]
    assert np.allclose([float(v) for v in squares], [float(v) for v in wanted[1]], atol=1e-12)


@pytest.mark.parametrize(
    "data",
    [
        {"X": [[1]], "y": [1]},
        {"X": [[1]], "y": [1], "ridge": 1, "output_weights": "fixed"},
        {"X": [[1]], "y": [1], "ridge": 1, "region": {"norm": "linf", "radius": 1}},
    ],
)
def test_other_problems_are_refused(data: dict[str, object]) -> None:
    """By construction."""
    with pytest.raises(InputError, match="expected ridge > 0"):
        dual_optimum(problem_from_json(data))


@pytest.mark.parametrize("name", ["ridge", "y", "X"])
@pytest.mark.parametrize("size", ["1e151", "1e-151", "1e400", "1e-400"])
def test_sizes_that_floats_cannot_square_are_refused(name: str, size: str) -> None:
    """By construction."""
    data = {"X": [[1]], "y": [1], "ridge": "1/10"}
    data[name] = {"ridge": size, "y": [size], "X": [[size]]}[name]
    with pytest.raises(InputError, match=f"{name}: expected a largest entry .* rescale"):
        dual_optimum(problem_from_json(data))
