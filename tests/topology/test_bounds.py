"""Exact bounds of programs over cells: true for whatever multipliers are proposed."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from modeconn.cells import RegionCell
from modeconn.topology import Neuron, Point, Problem, is_in_region, point_loss, problem_from_json
from modeconn.topology.bounds import (
    dual_bound,
    float_above,
    float_below,
    inside_region,
    objective_bounds,
    sqrt_above,
    sqrt_below,
)

X = [[1, 2], [-2, 1], [1, -1]]
Y = [2, -1, 1]
TERMS: dict[str, dict[str, Any]] = {
    "ridge": {"ridge": "1/3"},
    "ridge, fixed": {"ridge": "1/3", "output_weights": "fixed"},
    "box": {"region": {"norm": "linf", "radius": "4/5"}},
    "box, fixed": {"region": {"norm": "linf", "radius": "4/5"}, "output_weights": "fixed"},
    "spectral": {"region": {"norm": "spectral", "radius": "9/10"}},
    "spectral, fixed": {"region": {"norm": "spectral", "radius": "9/10"}, "output_weights": "fixed"},
    "box and ball": {"region": {"W": {"norm": "linf", "radius": "4/5"}, "A": {"norm": "spectral", "radius": "6/5"}}},
    "ball and box": {"region": {"W": {"norm": "spectral", "radius": "6/5"}, "A": {"norm": "linf", "radius": "4/5"}}},
}


def test_square_roots_round_outwards() -> None:
    """Oracle: their squares, exactly; from tiny to huge."""
    for k in (-200, -3, 0, 7, 300):
        for value in (Fraction(2), Fraction(3, 7), Fraction(9, 4), Fraction(0)):
            v = value * Fraction(2) ** k
            low, high = sqrt_below(v), sqrt_above(v)
            assert low**2 <= v <= high**2
            assert high - low <= high / 2**70


def test_floats_round_outwards() -> None:
    """Oracle: exact comparison with the float and its neighbour."""
    for v in (Fraction(1, 3), Fraction(-1, 3), Fraction(1, 2), Fraction(10**30 + 1), Fraction(0)):
        below, above = float_below(v), float_above(v)
        assert Fraction(below) <= v <= Fraction(above)
        assert Fraction(math.nextafter(below, math.inf)) > v
        assert Fraction(math.nextafter(above, -math.inf)) < v


def test_objectives_round_outwards() -> None:
    """Oracle: the square of what the ridge term adds, exactly; |u|^2 = 2."""
    problem = problem_from_json({"X": X, "y": Y, "ridge": "1/3"})
    point = (Neuron((Fraction(1), Fraction(1)), 1),)
    below, above = objective_bounds(problem, point)
    loss = point_loss(problem, point)
    assert (below - loss) ** 2 < Fraction(2, 9) < (above - loss) ** 2
    assert above - below < Fraction(1, 2**70)


def _net(rng: np.random.Generator, size: float) -> tuple[Point, list[Fraction]]:
    """Return a random u-point and alpha_j^2 of a net over it."""
    u = size * rng.normal(size=(2, 2))
    split = [Fraction(float(v)) for v in rng.uniform(0.1, 1, 2)]
    signs = rng.choice([1, -1], 2).tolist()
    return tuple(Neuron(tuple(Fraction(float(v)) for v in row), s) for row, s in zip(u, signs, strict=True)), split


def _cell(problem: Problem, point: Point, tight: bool) -> RegionCell:
    """Return the cell that holds a u-point; with ``tight`` the first neuron is on the hyperplane of the first row."""
    data = np.array([[float(v) for v in row] for row in problem.X])
    U = np.array([[float(v) for v in neuron.u] for neuron in point])
    signs = np.where(U @ data.T > 0, 1, -1)
    on = np.zeros(signs.shape, bool)
    on[0, 0] = tight
    return RegionCell(data, np.array([float(v) for v in problem.y]), signs, on, np.array([n.s for n in point]))


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("tight", [False, True])
def test_no_net_is_below_a_dual_bound(name: str, tight: bool) -> None:
    """Oracle: random nets of the cell inside the region, exactly; random multipliers of the wrong sign included."""
    problem, rng = problem_from_json({"X": X, "y": Y, **TERMS[name]}), np.random.default_rng(4)
    best = Fraction(0)
    for _ in range(60):
        point, split = _net(rng, 0.7)
        if problem.output_weights == "fixed":
            point = tuple(Neuron(neuron.u, 1) for neuron in point)
        if tight:  # onto x_1 . u = 0
            along = point[0].u[0]
            point = (Neuron((2 * along, -along), point[0].s), point[1])
        if problem.region is not None:
            room = problem.region.A.radius**2
            split = [v * room / sum(split) for v in split]
            moved = inside_region(problem, point, split)
            assert moved is not None
            assert is_in_region(problem, moved, split)
            point = moved
        view = _cell(problem, point, tight)
        if tight:
            view.signs[0, 0] = 1
        objective = objective_bounds(problem, point)[1]
        residual = view.y - view.map() @ np.array([[float(v) for v in neuron.u] for neuron in point]).ravel()
        for noise in (0.0, 0.3, 3.0):
            nu = residual + noise * rng.normal(size=3)
            mu = rng.normal(size=(2, 3)) * rng.choice([0, 0.2], (2, 3))
            root = rng.normal(size=(2, 2))
            shape = root @ root.T / np.trace(root @ root.T) if "spectral" in name or "ball and" in name else None
            bound = dual_bound(problem, view, nu, mu, shape)
            assert bound <= objective
            best = max(best, bound)
    assert best > 0


def test_bounds_by_hand() -> None:
    """Oracle: closed form. One neuron, one datum x = 1, y = 1: the least objective is beta - beta^2 / 2 with the group
    norm, beta / (2 (1 + beta)) with the square, (1 - r^2)^2 / 2 in a ball of radius r."""
    view = RegionCell(np.ones((1, 1)), np.ones(1), np.ones((1, 1), int), np.zeros((1, 1), bool), np.ones(1, int))
    for term, value in (
        ({"ridge": "1/4"}, Fraction(7, 32)),
        ({"ridge": "1/4", "output_weights": "fixed"}, Fraction(1, 10)),
        ({"region": {"norm": "linf", "radius": "1/2"}}, Fraction(9, 32)),
    ):
        problem = problem_from_json({"X": [[1]], "y": [1], **term})
        assert dual_bound(problem, view, np.ones(1), np.zeros((1, 1))) == value
        # a multiplier of the wrong sign would prove more than is true
        assert dual_bound(problem, view, np.ones(1), np.full((1, 1), -0.5)) == value
        for useless in (np.zeros(1), -np.ones(1), np.full(1, np.nan)):
            assert dual_bound(problem, view, useless, np.zeros((1, 1))) == 0


def test_shrinking_into_a_region_is_slight() -> None:
    """Oracle: by construction, from just outside; what is inside stays."""
    problem = problem_from_json({"X": X, "y": Y, "region": {"norm": "spectral", "radius": 1}})
    half = [Fraction(1, 2)] * 2
    inside = (Neuron((Fraction(1, 2), Fraction(1, 2)), 1), Neuron((Fraction(-1, 2), Fraction(1, 2)), -1))
    assert inside_region(problem, inside, half) == inside
    outside = tuple(Neuron(tuple(v * Fraction(1001, 1000) for v in n.u), n.s) for n in inside)
    assert not is_in_region(problem, outside, half)
    moved = inside_region(problem, outside, half)
    assert moved is not None
    assert all(
        abs(float(a - b)) < 1e-12 for n, m in zip(moved, inside, strict=True) for a, b in zip(n.u, m.u, strict=True)
    )
    assert inside_region(problem, outside, [Fraction(2, 3)] * 2) is None  # that much alpha is not in the region
