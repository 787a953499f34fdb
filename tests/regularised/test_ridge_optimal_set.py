"""Tight directions, optimal polytope, m*, M*, and the components that follow from it."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from ridge_oracles import arrays, corners, objective, predictions_of, random_problem, sums
from scipy.optimize import linprog

from modeconn.errors import InputError
from modeconn.regularised import (
    OptimalSet,
    connection_width,
    exact_optimal_set,
    float_vertices,
    minimum_norm_interpolators,
    optimal_components,
    optimal_set,
    partial_sum_points,
    planted_optimal_set,
    ridge_staircase,
    three_component_problem,
    vertices,
)
from modeconn.topology import Problem, problem_from_json


def summary(found: OptimalSet) -> tuple[int, int, int]:
    return found.smallest_support, found.largest_support, connection_width(found)


KNOWN = [
    (lambda: optimal_set(three_component_problem("1/10")), (1, 2, 3), [1, 3, 1, 1]),
    (lambda: corners([1, 0, 0, 1]), (2, 2, 4), [0, 4, 2, 1]),
    (lambda: corners([1, 0, 0, 0]), (1, 1, 1), [1, 1, 1, 1]),
    (lambda: sums(3, [0, 1, 1, 0]), (2, 3, 4), [0, 2, 7, 1]),
    (lambda: sums(3, [1, 1, 1, 0]), (3, 3, 4), [0, 0, 12, 1]),
    (lambda: sums(4, [0, 1, 0, 0, 1]), (2, 4, 5), [0, 2, 1, 25]),
]
"""Optimal set; m*, M*, connected from; components at m = 1, 2, 3, 4, by hand from the supports."""


@pytest.mark.parametrize(("make", "numbers", "counts"), KNOWN)
def test_known_answers(make, numbers, counts) -> None:
    """Closed form: supports by hand; at m, m! isolated points for a full support, one component for what has room."""
    found = make()
    assert found.is_exact
    assert summary(found) == numbers
    assert [optimal_components(found, m).components for m in range(1, 5)] == counts


@pytest.mark.parametrize(("make", "numbers", "counts"), KNOWN)
def test_the_graph_of_cells_counts_the_same(make, numbers, counts) -> None:
    """Independent implementation: cone programs over cells with intervals, which know nothing of the polytope."""
    found = make()
    for stair in ridge_staircase(found.problem, [1, 2, 3], found):
        assert stair.undecided == 0
        assert stair.attains == (stair.width >= numbers[0])
        assert stair.agrees
        assert not stair.attains or stair.count == (counts[stair.width - 1],) * 2


@pytest.mark.parametrize("seed", range(3))
def test_random_problems_are_counted_alike(seed: int) -> None:
    """Independent implementation, nothing planted: floats here, intervals there."""
    problem = random_problem(4, 2, seed)
    found = optimal_set(problem)
    assert not found.is_exact
    assert found.margin > 1e-4
    assert all(stair.agrees and not stair.undecided for stair in ridge_staircase(problem, [1, 2, 3], found))


@pytest.mark.parametrize("beta", ["1/10", "1/2", "1"])
def test_the_barrier_of_the_three_component_problem(beta: str) -> None:
    """Closed form: B(beta) = 1/2 [(2/sqrt 3 - 1) beta - beta^2 / 12] above the optimum, to 1e-10."""
    b = float(Fraction(beta))
    (stair,) = ridge_staircase(three_component_problem(beta), [2])
    known = ((2 / math.sqrt(3) - 1) * b - b * b / 12) / 2
    assert stair.barrier[0] - 1e-15 <= known <= stair.barrier[1] + 1e-15
    assert stair.barrier[1] - stair.barrier[0] < 1e-10


def test_the_barrier_disappears_where_the_corner_needs_more() -> None:
    """By hand: at m = 2 the rows +-e_1, +-e_2 have two orbits of two, M* + 1 = 3 neurons do not connect them."""
    found = corners([1, 0, 0, 1])
    stairs = {stair.width: stair for stair in ridge_staircase(found.problem, [2, 3, 4], found)}
    assert [stairs[m].barrier[0] > 0 for m in (2, 3, 4)] == [True, True, False]


def test_cube_of_eight_corners() -> None:
    """By hand: at the centre of the cube the vertices are 4 diagonals and 2 tetrahedra; rank 4, n = 6."""
    found = corners([1] * 8, (2, 3, 6))
    assert sorted(len(v.support) for v in found.vertices) == [2, 2, 2, 2, 4, 4]
    assert summary(found) == (2, 4, 5)  # rank + 1, where min(m* + M*, n + 1) = 6


@pytest.mark.parametrize(("n", "best"), [(2, (1, 2)), (3, (2, 3)), (4, (2, 4)), (5, (3, 5))])
def test_supports_in_the_partial_sum_family(n: int, best: tuple[int, int]) -> None:
    """By hand: n + 1 tight features with one relation; y at the smaller side of it has m* of its size, and M* = n
    features elsewhere. Not for every y: y = nu + the sum of all but one feature has m* = M* = n."""
    found = sums(n, [])
    Phi = np.array([t.feature for t in found.directions], float).T
    relation = np.linalg.svd(Phi)[2][-1]
    sides = [[int(v > 0) for v in relation], [int(v < 0) for v in relation]]
    one = min(sides, key=sum)
    assert len(found.directions) == n + 1
    assert summary(sums(n, one))[:2] == best == (sum(one), n)


def test_the_all_ones_target_has_no_stairs() -> None:
    """Sharpness of the family: y = (1, 1, 1) does not do, its fit has one vertex: m* = M* = 2."""
    X = sums(3, []).problem.X
    found = optimal_set(Problem(X, (Fraction(1),) * 3, ridge=Fraction(1, 10)))
    assert (len(found.vertices), found.smallest_support, found.largest_support) == (1, 2, 2)


def test_the_five_angles_in_floats() -> None:
    """By hand, 60, 45, 30, 15, 0 degrees, irrational: six tight features, with the relation 0.284 (phi_1 + phi_5) +
    0.528 phi_3 = 0.528 (phi_2 + phi_4) + 0.040 phi_6. From y on its right side the walk to the other vertex ends where
    phi_2 or phi_4 is used up: (m*, M*) = (3, 4) if both are at once, (3, 5) if not; (4, 5) with phi_1 added."""
    circle = [(0.0, 0.0)] + [(math.sin(math.radians(a)), math.cos(math.radians(a))) for a in (60, 45, 30, 15, 0)]
    v = np.diff(np.array(circle), axis=0)[::-1]
    X = v / v[:, 1:]
    tight = np.array([*circle[1:], np.subtract(circle[5], circle[1])])
    Phi = np.maximum(X @ tight.T, 0)
    cases = {
        (3, 4): (0, 1, 0, 1, 0, 1),
        (3, 5): (0, 1, 0, 2, 0, 1),
        (4, 5): (1, 1, 0, 2, 0, 1),
        (4, 4): (1, 1, 0, 1, 0, 1),
    }
    for expected, amounts in cases.items():
        y = Phi @ amounts + v[:, 1] / 10
        problem = Problem(
            tuple(tuple(Fraction(e) for e in row) for row in X), tuple(map(Fraction, y)), ridge=Fraction(1, 10)
        )
        found = optimal_set(problem)
        assert len(found.directions) == 6
        assert (found.smallest_support, found.largest_support) == expected


def test_vertices_are_those_linear_programs_find() -> None:
    """Independent implementation: HiGHS minimises random costs over P*; each answer is a vertex, and all turn up."""
    found = corners([2, 1, 1, 1, 1, 1, 1, 1], (2, 3, 6))
    Phi = np.array([t.feature for t in found.directions], float).T
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        answer = linprog(rng.normal(size=Phi.shape[1]), A_eq=Phi, b_eq=np.array(found.fit, float), method="highs-ds")
        seen.add(tuple(np.flatnonzero(answer.x > 1e-9).tolist()))
    assert seen == {v.support for v in found.vertices}
    near = float_vertices(Phi.T, np.array(found.fit, float), 1e-9)
    assert {v.support for v in near} == seen


def test_the_length_of_a_feature_does_not_decide_whether_it_counts() -> None:
    """Conserved quantity: supports, when a column is rescaled and its amount with it."""
    rng = np.random.default_rng(0)
    features, target = np.abs(rng.normal(size=(4, 3))), np.ones(3)
    found = {v.support for v in float_vertices(features, target, 1e-9)}
    assert found
    for lengths in itertools.product((1e-9, 1.0, 1e9), repeat=4):
        assert {v.support for v in float_vertices(features * np.array(lengths)[:, None], target, 1e-9)} == found


@pytest.mark.parametrize("small", ["1", "1/100", "1/10000"])
def test_units_of_the_data_do_not_change_the_supports(small: str) -> None:
    """Conserved quantity: X -> X / t, y -> t y, which leaves slopes and supports as they are."""
    t = Fraction(small)
    X, y = [[1, 2], [-1, 1], [0, -1]], [1, -1, Fraction(1, 2)]
    found = optimal_set(
        problem_from_json({"X": [[v / t for v in row] for row in X], "y": [v * t for v in y], "ridge": "1/10"})
    )
    assert (found.smallest_support, found.largest_support) == (3, 3)


@pytest.mark.parametrize(
    "change",
    [
        *({"ridge": ridge} for ridge in ("1e-8", "1e-10", "1e-15", "1e-30", "1e-100", "1e-300")),
        *({"X": [[size, 0], [0, 1], [1, 1]]} for size in ("1e8", "1e12", "1e20", "1e100")),
    ],
)
def test_numbers_too_far_apart_for_floats_give_no_wrong_answer(change: dict[str, object]) -> None:
    """Certificate by evaluation: either it is refused, or every vertex attains the optimum to 1e-6 of it."""
    problem = problem_from_json({"X": [[1, 2], [-1, 1], [0, -1]], "y": [1, -1, "1/2"], "ridge": "1/10", **change})
    try:
        found = optimal_set(problem)
    except InputError:
        return
    for vertex in found.vertices:
        assert objective(problem, found.vertex_net(vertex)) == pytest.approx(float(found.value), rel=1e-6)


def test_all_vertices_are_optimal_and_irreducible() -> None:
    """Certificate by evaluation: exact fit, exact objective, independent features."""
    for make, _, _ in KNOWN:
        found = make()
        for vertex in found.vertices:
            net = found.vertex_net(vertex)
            assert predictions_of(found.problem, net) == list(found.fit)
            _, y, beta = arrays(found.problem)
            size = sum(float(v) for v in vertex.amounts) * beta
            assert float(
                sum((f - v) ** 2 for f, v in zip(found.fit, y, strict=True))
            ) / 2 + beta * size == pytest.approx(float(found.value), rel=1e-12)


def test_generic_interpolators_of_least_norm_are_not_unique() -> None:
    """Certificate by evaluation: exact interpolation, the same exact norm, different predictions at x."""
    found = optimal_set(three_component_problem("1/10"))
    both = minimum_norm_interpolators(found)
    assert len(both.nets) == len(set(both.predictions)) == 2
    for net in both.nets:
        assert predictions_of(both.problem, net) == list(both.problem.y)
        assert math.fsum(math.sqrt(sum(v * v for v in n.u)) for n in net) == pytest.approx(float(both.norm), rel=1e-14)
    with pytest.raises(InputError, match="two vertices"):
        minimum_norm_interpolators(corners([1, 0, 0, 0]))


def test_points_are_on_the_ellipse() -> None:
    """Closed form."""
    for n in (2, 3, 4, 5, 7):
        points = partial_sum_points(n, bits=4)
        assert all(3 * a * a + b * b == 1 for a, b in points)
        assert (points[0], points[-1]) == ((Fraction(1, 2), Fraction(1, 2)), (0, 1))
        assert all(p[0] > q[0] for p, q in itertools.pairwise(points))


def test_bad_input() -> None:
    """By construction."""
    found = corners([1, 0, 0, 1])
    with pytest.raises(InputError, match="dual optimum"):
        exact_optimal_set(found.problem, [Fraction(1)] * 4)
    with pytest.raises(InputError, match="rational length"):
        planted_optimal_set(((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))), [Fraction(1)] * 2, [1])
    with pytest.raises(InputError, match="at most 4"):
        corners([1] * 5)
    with pytest.raises(InputError, match="at least one neuron"):
        optimal_components(found, 0)
    assert vertices([], [Fraction(1)]) == ()
