"""What the claims on narrow nets compute, against brute force on grids, long searches for paths, and work by hand."""

from __future__ import annotations

import importlib.util
import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from modeconn.topology import (
    CellComplex,
    Neuron,
    barrier_between,
    is_in_region,
    level_set_topology,
    problem_from_json,
)
from modeconn.topology.flood import Seed, flood
from modeconn.topology.level_set import ordered_cell, sort_cell
from modeconn.topology.points import point_loss
from proofs_check.claims.library import n8
from proofs_check.claims.library.narrow_graph import plain_components
from proofs_check.claims.library.narrow_levels import levels_of_fewer_neurons, reach_levels
from proofs_check.claims.library.narrow_pairs import pair_of
from proofs_check.claims.library.narrow_paths import _Floats, find_path, parameter_segment_loss, path_loss
from proofs_check.claims.library.narrow_problems import build_problem, level_set_of, problem_of
from proofs_check.claims.library.narrow_regions import confined, nets_in_region

SPEC = importlib.util.spec_from_file_location("crossgrid", Path(__file__).with_name("crossgrid.py"))
crossgrid = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(crossgrid)

WORKED = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1], "output_weights": "free"}
LINES = [
    {"X": [[1], [-1]], "y": [1, 1], "output_weights": "free"},
    {"X": [[1], [-1]], "y": [1, 1], "output_weights": "fixed"},
    {"X": [[2], [-1], [1]], "y": [2, -1, 0], "output_weights": "free"},
    {"X": [[1], [-2], [-1]], "y": [-1, 2, 1], "output_weights": "free"},
]
"""Problems with one input."""


def grid_of(data, width=2, **size):
    X = [row[0] for row in data["X"]]
    return crossgrid.CrossGrid(X, data["y"], width, data["output_weights"] == "fixed", **size)


def node_of(grid, point):
    return tuple(grid.nearest(float(neuron.u[0]), neuron.s) for neuron in point)


def on_grid(grid, node):
    """Return the u-point of a node, exactly (the grid step is a binary fraction)."""
    return tuple(Neuron((Fraction(grid.axis[k][0]),), grid.axis[k][1]) for k in node)


@pytest.mark.parametrize("data", LINES)
def test_barriers_are_those_of_a_flooded_grid(data):
    """Independent implementation: the grid is never below the exact barrier, and within its step of it."""
    grid = grid_of(data, steps=64)
    problem = problem_from_json(data)
    cells = CellComplex(problem, 2)
    rng = np.random.default_rng(0)
    for _ in range(2):
        nodes = [tuple(rng.integers(0, len(grid.axis), 2).tolist()) for _ in range(12)]
        levels = grid.levels_from(nodes[0])
        for node in nodes[1:]:
            exact = barrier_between(cells, on_grid(grid, nodes[0]), on_grid(grid, node)).value
            assert exact <= Fraction(float(levels[node])) + Fraction(1, 10**12)
            assert float(levels[node]) <= float(exact) + 0.1


@pytest.mark.parametrize("data", LINES)
@pytest.mark.parametrize("part", [Fraction(1, 8), Fraction(5, 8)])
def test_components_are_those_of_a_flooded_grid(data, part):
    """Independent implementation: sublevel sets of the cross grid fall into as many pieces and orbits."""
    problem = problem_from_json(data)
    least = level_set_topology(problem, 2).least_loss
    level = least + part * (point_loss(problem, (Neuron((Fraction(0),), 1),)) - least)
    found = level_set_topology(problem, 2, level)
    assert grid_of(data, steps=100, size=3.0).components(float(level)) == (len(found.components), found.orbits)


@pytest.mark.parametrize("data", LINES)
def test_giving_up_a_neuron_costs_what_a_flooded_grid_says(data):
    """Independent implementation: e_A(1) is the least grid level at which A reaches a node with a zero neuron."""
    grid = grid_of(data, steps=64)
    cells = CellComplex(problem_from_json(data), 2)
    rng = np.random.default_rng(1)
    for _ in range(3):
        start = tuple(rng.integers(1, len(grid.axis), 2).tolist())
        levels = grid.levels_from(start)
        zero, one = levels_of_fewer_neurons(cells, on_grid(grid, start))
        for exact, flooded in ((zero, levels[0, 0]), (one, min(levels[0].min(), levels[:, 0].min()))):
            assert float(exact) <= flooded + 1e-12 <= float(exact) + 0.1


def random_levels(count, shape=(3, 2, 2)):
    rows = ("generic", "duplicate", "parallel", "zero-row", "low-rank", "bias")
    for seed, kind in itertools.islice(enumerate(itertools.cycle(rows)), count):
        yield build_problem(shape, kind, ("random", "taught")[seed % 2], ("free", "fixed")[seed % 3 == 2], seed)


def test_plain_graph_counts_the_components_of_the_symmetric_one():
    """Independent implementation: ordered cells without any use of symmetry, degenerate data included."""
    for instance in random_levels(18):
        for eighths in (0, 2):
            found = level_set_of(instance, eighths)
            assert len(plain_components(found.complex, found.level)) == len(found.components)


def test_reached_levels_are_those_of_the_flood():
    """Independent implementation: Dijkstra against rising water, from a minimum to every cell, up to permutation."""
    for instance in random_levels(6):
        found = level_set_of(instance)
        cells = found.complex
        start = found.components[0].representative
        seed = Seed(*sort_cell(ordered_cell(cells.landscape, start)), found.level)
        reached = dict(reach_levels(cells, start))
        assert len(reached) == len(cells)
        for cell in list(reached)[::7]:
            target = Seed(cell, tuple(range(cells.width)), cells.landscape.fit(cells.mask(cell)).value)
            merges = flood(cells, [seed, target], up_to_permutation=True)
            assert merges[-1].level == max(reached[cell], target.level)


# ------------------------------------------------------------------------------------------------ paths


@pytest.mark.parametrize("data", [*LINES, WORKED, {"X": [[2, 1], [0, -2], [-1, -3]], "y": [1, -2, 2]}])
def test_long_searches_reach_the_barrier_and_never_pass_below(data):
    """By construction: every path is an upper bound; on small cases the best of long searches is close."""
    pair = pair_of({"problem": data, "width": 2, "nets": "minima"})
    found = [
        path_loss(pair.problem, find_path(pair.problem, pair.start, pair.end, seed, rounds=150, restarts=4, batch=64))
        for seed in range(2)
    ]
    assert min(found) >= pair.value
    print(data, float(pair.value), [float(v) for v in found], float(pair.zero))
    assert min(found) - pair.value <= pair.zero / 50


@pytest.mark.parametrize("ridge", ["0", "1/2"])
@pytest.mark.parametrize("output_weights", ["free", "fixed"])
def test_the_largest_loss_of_a_path_is_that_of_a_dense_sample(ridge, output_weights):
    """Independent implementation: NumPy at 400 points of every piece."""
    instance = build_problem((4, 2, 2), "generic", "random", output_weights, 3)
    problem = problem_from_json({**instance["problem"], "ridge": ridge})
    X, y = np.array(instance["problem"]["X"]), np.array(instance["problem"]["y"])
    rng = np.random.default_rng(2)
    signs = [1, 1] if output_weights == "fixed" else [1, -1]
    ends = [tuple(Neuron(tuple(map(Fraction, rng.integers(-3, 4, 2).tolist())), s) for s in order) for order in
            (signs, signs[::-1])]  # fmt: skip
    path = find_path(problem, *ends, seed=0, rounds=5)
    sampled = 0.0
    for before, after in itertools.pairwise(path):
        a, b = (np.array([[float(v) for v in neuron.u] for neuron in point]) for point in (before, after))
        s = np.array([q.s if p.is_zero else p.s for p, q in zip(before, after, strict=True)])
        u = a + np.linspace(0, 1, 401)[:, None, None] * (b - a)
        f = (np.maximum(u @ X.T, 0) * s[:, None]).sum(1)
        price = np.square(u).sum((1, 2)) / 2 if output_weights == "fixed" else np.linalg.norm(u, axis=2).sum(1)
        sampled = max(sampled, float((np.square(f - y).sum(1) / 2 + float(Fraction(ridge)) * price).max()))
    exact = float(path_loss(problem, path))
    nodes = np.array([[[float(v) for v in neuron.u] for neuron in point] for point in path])
    turns = np.array(
        [[q.s if p.is_zero else p.s for p, q in zip(*pair, strict=True)] for pair in itertools.pairwise(path)]
    )
    assert float(_Floats(problem, turns)(nodes[None])[0]) == pytest.approx(exact, rel=1e-12)
    assert sampled <= exact * (1 + 1e-12)
    assert exact <= sampled * 1.01


def test_a_neuron_cannot_change_its_sign_away_from_zero():
    """By construction."""
    problem = problem_from_json(LINES[0])
    one = Neuron((Fraction(1),), 1)
    with pytest.raises(ValueError, match="sign"):
        path_loss(problem, [(one,), (one._replace(s=-1),)])


def test_loss_on_a_parameter_segment():
    """By hand: X = (1, -1), y = (1, 1), two neurons exchanged: w and the predictions are (1 - 2t, 2t - 1)."""
    problem = problem_from_json(LINES[0])
    left, right = Neuron((Fraction(-1),), 1), Neuron((Fraction(1),), 1)
    assert parameter_segment_loss(problem, (left, right), (right, left)) == 1


# ------------------------------------------------------------------------------------------------ regions


@pytest.mark.parametrize("norm", ["linf", "spectral"])
@pytest.mark.parametrize("output_weights", ["free", "fixed"])
def test_nets_sought_in_a_region_are_inside_and_low(norm, output_weights):
    """Certificate: exact membership. By construction: a wide region leaves the least loss within reach."""
    instance = build_problem((3, 2, 2), "generic", "taught", output_weights, 8)
    problem = problem_of(instance)
    for radius, least in ((Fraction(1, 4), None), (Fraction(6), 0.05)):
        region = confined(problem, norm, radius)
        points = nets_in_region(region, 2, seed=0)
        assert len(points) >= 8
        if norm == "linf":
            assert all(is_in_region(region, point) for point in points)
            assert max(abs(v) for point in points for neuron in point for v in neuron.u) <= radius * max(radius, 1)
        if least is not None:
            assert min(float(point_loss(problem, point)) for point in points) < least


# ------------------------------------------------------------------------------------------------ by hand


PLANES = [[1, 0, -2], [1, 0, -3], [1, -2, 0], [1, -3, 0], [2, -1, -1], [3, -1, -2]]


@pytest.mark.parametrize(
    ("X", "y", "width", "below", "barrier"),
    [
        ([[0, -2], [1, -2], [1, 0], [-1, 0]], [2, 0, 0, 0], 3, "0", "1/2"),
        (PLANES, [row[0] for row in PLANES], 2, "0", "1/106"),
        ([[-2, 0], [0, -1], [-1, 1], [-2, -1]], [1, 1, -2, -2], 2, "3", "101/26"),
    ],
)
def test_n8_fails_where_the_theory_says_so(X, y, width, below, barrier):
    """Known answers: the three counterexamples of the theory, to the last digit, and accepted by the checker."""
    problem = {"X": X, "y": y, "output_weights": "free"}
    outcome = n8.CLAIM.check({"problem": problem, "width": width})
    assert outcome.margin == Fraction(below) - Fraction(barrier)
    assert outcome.certified


def test_the_worked_example():
    """Known answer: 1/140 at width 1; four components in two orbits at width 2, barrier 1/140; one at width 3."""
    sets = [level_set_of({"problem": WORKED, "width": m}) for m in (1, 2, 3)]
    assert [str(found.least_loss) for found in sets] == ["1/140", "0", "0"]
    assert [(len(found.components), found.orbits) for found in sets[1:]] == [(4, 2), (1, 1)]
    assert pair_of({"problem": WORKED, "width": 2, "nets": "minima"}).value == Fraction(1, 140)
    assert n8.CLAIM.check({"problem": WORKED, "width": 2}).margin == 0
