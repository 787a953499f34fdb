"""Communication barriers: exact values, optimal paths, merge trees."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import Net, predict
from modeconn.topology import (
    BarrierMatrix,
    CellComplex,
    LevelSet,
    Neuron,
    Point,
    Problem,
    barrier_between,
    communication_barrier,
    connecting_points,
    is_same_cell,
    level_set_topology,
    lift_path,
    merge_tree,
    point_from_json,
    point_loss,
    point_of_net,
    point_to_json,
    problem_from_json,
)

WORKED: dict[str, Any] = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}
THREE_PLANES = [[1, 0, -2], [1, 0, -3], [1, -2, 0], [1, -3, 0], [2, -1, -1], [3, -1, -2]]


def _random(rng: random.Random, n: int, d: int, **data: Any) -> Problem:
    X = [[rng.randint(-3, 3) for _ in range(d)] for _ in range(n)]
    return problem_from_json({"X": X, "y": [rng.randint(-2, 2) for _ in range(n)], **data})


def _several(count: int, width: int = 2, seed: int = 6, **data: Any) -> list[BarrierMatrix]:
    """Return barriers of random problems whose minima are disconnected."""
    rng = random.Random(seed)
    found: list[BarrierMatrix] = []
    while len(found) < count:
        level_set = level_set_topology(_random(rng, 4, 2, **data), width)
        if len(level_set.components) > 1:
            found.append(communication_barrier(level_set))
    return found


@pytest.mark.parametrize(
    ("X", "y", "width", "below", "least", "barrier"),
    [
        ([[0, -2], [1, -2], [1, 0], [-1, 0]], [2, 0, 0, 0], 3, "0", "0", "1/2"),
        (THREE_PLANES, [row[0] for row in THREE_PLANES], 2, "0", "0", "1/106"),
        ([[-2, 0], [0, -1], [-1, 1], [-2, -1]], [1, 1, -2, -2], 2, "3", "5/2", "101/26"),
    ],
)
def test_the_barrier_can_exceed_the_least_loss_of_one_neuron_less(
    X: list[list[int]], y: list[int], width: int, below: str, least: str, barrier: str
) -> None:
    """Oracle: known answers (the three counterexamples of N8)."""
    problem = problem_from_json({"X": X, "y": y})
    found = communication_barrier(problem, width)
    assert CellComplex(problem, width - 1).least_loss() == Fraction(below)
    assert found.level_set.least_loss == Fraction(least)
    assert found.highest == Fraction(barrier) > Fraction(below)


def test_hand_worked_barriers() -> None:
    """Oracle: by hand. With X = (1, -1), y = (a, b), exchanging the two neurons must give up the cheaper side."""
    cases = [("1", "1"), ("1", "2"), ("3", "1/2"), ("2", "-1")]
    for a, b in [(Fraction(a), Fraction(b)) for a, b in cases]:
        problem = problem_from_json({"X": [[1], [-1]], "y": [a, b]})
        found = communication_barrier(problem, 2)
        cheaper = min(a**2, b**2) / 2
        assert found.levels == ((0, cheaper), (cheaper, 0))
        assert found.level_set.orbits == 1


def test_two_given_nets() -> None:
    """Oracle: by hand. From floats, exactly; the worse end counts; permuting both nets alike changes nothing."""
    problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1]})
    cells = CellComplex(problem, 2)
    nets = [Net(np.array([w]), np.array([[1.0, 1.0]])) for w in ([1.0, -1.0], [-0.5, 1.0], [1.0, -2.5])]  # type: ignore[arg-type]
    good, other, bad = (point_of_net(problem, net) for net in nets)
    assert barrier_between(cells, good, other).value == Fraction(1, 2)
    assert barrier_between(cells, other, good).value == Fraction(1, 2)
    assert barrier_between(cells, good[::-1], other[::-1]).value == Fraction(1, 2)
    bent = barrier_between(cells, good, bad)
    assert (bent.value, bent.end_loss, bent.excess) == (Fraction(9, 8), Fraction(9, 8), 0)
    assert barrier_between(cells, good, good).points[0] == good


def test_the_matrix_agrees_with_pairs_and_level_sets() -> None:
    """Oracle: independent code paths. Two components are joined at their barrier and apart just below it; the
    barrier of the pair is the entry of the matrix; entries form an ultrametric."""
    for found in _several(8):
        components, cells = found.level_set.components, found.level_set.complex
        for i, j in itertools.combinations(range(len(components)), 2):
            level = found.levels[i][j]
            ends = components[i].representative, components[j].representative
            assert level == found.levels[j][i] > found.level_set.level
            assert barrier_between(cells, *ends).value == level
            for c, joined in ((level, True), (level - Fraction(1, 10**9), False)):
                at = level_set_topology(cells, level=c)
                assert (at.component_of(ends[0]) == at.component_of(ends[1])) is joined
                assert (connecting_points(cells, *ends, c) is not None) is joined
            assert all(
                level <= max(found.levels[i][k], found.levels[k][j]) for k in range(len(components)) if k not in (i, j)
            )
        zero = sum((v * v for v in cells.landscape.problem.y), Fraction(0)) / 2
        assert found.highest <= max(zero, found.level_set.level)


def _check_path(problem: Problem, points: tuple[Point, ...], level: Fraction, start: Point, end: Point) -> None:
    assert points[0] == start
    assert points[-1] == end
    assert max(point_loss(problem, p) for p in points) <= level
    assert all(is_same_cell(problem, p, q) for p, q in itertools.pairwise(points))
    nets = lift_path(list(points), fixed=problem.output_weights == "fixed")
    X = np.array([[float(v) for v in row] for row in problem.X])
    y = np.array([float(v) for v in problem.y])
    worst = 0.0
    for one, two in itertools.pairwise(nets):
        for t in np.linspace(0, 1, 21):
            A = None if one.A is None or two.A is None else (1 - t) * one.A + t * two.A
            f = np.asarray(predict(Net((1 - t) * one.W + t * two.W, A), X))[:, 0]
            worst = max(worst, float(((f - y) ** 2).sum() / 2))
    assert worst <= float(level) + 1e-9
    for net, point in ((nets[0], start), (nets[-1], end)):
        assert [tuple(v) for v in np.asarray(net.W).T] == [tuple(map(float, n.u)) for n in point]
        assert net.A is None or np.asarray(net.A)[0].tolist() == [n.s for n in point]


@pytest.mark.parametrize("output_weights", ["free", "fixed"])
def test_optimal_paths_attain_the_barrier(output_weights: str) -> None:
    """Oracle: exact losses of the points, convexity in each shared cell, and float losses along the lifted polyline."""
    for found in _several(5, output_weights=output_weights):
        cells = found.level_set.complex
        first, *_, last = (c.representative for c in found.level_set.components)
        best = barrier_between(cells, first, last)
        _check_path(cells.landscape.problem, best.points, best.value, first, last)
        assert max(point_loss(cells.landscape.problem, p) for p in best.points) == best.value


def _floods_to(problem: Problem, start: Point, end: Point, half: float, steps: int) -> float:
    """Return the minimax value between two nets of two weights on a grid of them (fixed output weights)."""
    grid = np.linspace(-half, half, steps)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    width_two = len(start) == 2
    loss = np.zeros((steps, steps))
    for x, y in zip(problem.X, problem.y, strict=True):
        v = [float(k) for k in x]
        f = np.maximum(v[0] * a, 0) + np.maximum(v[0] * b, 0) if width_two else np.maximum(v[0] * a + v[1] * b, 0)
        loss += (f - float(y)) ** 2 / 2
    parent = np.arange(steps * steps)

    def find(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = int(parent[k])
        return k

    def node(point: Point) -> int:
        values = [n.u[0] for n in point] if width_two else list(point[0].u)
        i, j = (int(np.abs(grid - float(v)).argmin()) for v in values)
        return i * steps + j

    goal = node(start), node(end)
    flat = loss.ravel()
    wet = np.zeros(steps * steps, bool)
    for k in np.argsort(flat).tolist():
        wet[k] = True
        i, j = divmod(k, steps)
        for other in (
            [k - steps] * (i > 0) + [k + steps] * (i < steps - 1) + [k - 1] * (j > 0) + [k + 1] * (j < steps - 1)
        ):
            if wet[other]:
                parent[find(other)] = find(k)
        if wet[goal[0]] and wet[goal[1]] and find(goal[0]) == find(goal[1]):
            return float(flat[k])
    raise AssertionError("the grid is connected")


@pytest.mark.parametrize(
    ("X", "y", "start", "end"),
    [
        ([[1], [-1]], [1, 1], [["1"], ["-1"]], [["-1"], ["1"]]),
        ([[1], [-1], [2]], [1, 1, 1], [["3/5"], ["-1"]], [["-1"], ["3/5"]]),
        ([[1, 0], [0, 1], [-1, -1]], [1, 1, 1], [["1", "1"]], [["-1/2", "-1/2"]]),
    ],
)
def test_the_barrier_is_that_of_a_flooded_grid(
    X: list[list[int]], y: list[int], start: list[list[str]], end: list[list[str]]
) -> None:
    """Oracle: independent implementation, water rising on a grid of two weights (within its resolution)."""
    problem = problem_from_json({"X": X, "y": y, "output_weights": "fixed"})
    one, two = (point_from_json([{"u": u, "s": 1} for u in point]) for point in (start, end))
    exact = barrier_between(problem, one, two).value
    assert abs(_floods_to(problem, one, two, half=2.0, steps=161) - float(exact)) < 0.04


def test_path_optimisation_never_gets_below_and_gets_close() -> None:
    """Oracle: independent implementation. Random search over polylines of parameters, measured on a fine grid."""
    problem = problem_from_json(WORKED)
    found = communication_barrier(problem, 2)
    exact = float(found.highest)
    X = np.array([[float(v) for v in row] for row in problem.X])
    y = np.array([float(v) for v in problem.y])
    t = np.linspace(0, 1, 41)[:, None, None]

    def measure(path: np.ndarray) -> float:
        """Largest loss on a polyline of (vertices, 2 neurons, 3 weights), alpha last."""
        dense = np.concatenate([(1 - t) * a + t * b for a, b in itertools.pairwise(path)])
        f = (np.maximum(np.einsum("tjk,nk->tnj", dense[:, :, :2], X), 0) * dense[:, None, :, 2]).sum(2)
        return float((((f - y) ** 2).sum(1) / 2).max())

    def parameters(point: Point) -> np.ndarray:
        return np.array([[*map(float, n.u), float(n.s)] for n in point])

    first, *_, last = (parameters(c.representative) for c in found.level_set.components)
    rng = np.random.default_rng(0)
    straight = measure(np.array([first, last]))
    values = []
    for _ in range(6):
        path = np.stack([(1 - s) * first + s * last for s in np.linspace(0, 1, 7)])
        path[1:-1] += rng.normal(scale=0.5, size=path[1:-1].shape)
        best, scale = measure(path), 0.5
        for _ in range(800):
            trial = path.copy()
            trial[rng.integers(1, 6)] += rng.normal(scale=scale, size=first.shape)
            value = measure(trial)
            scale = max(scale * (1.1 if value < best else 0.98), 1e-3)
            if value < best:
                path, best = trial, value
        values.append(best)
    assert min(values) >= exact - 1e-4
    assert straight > exact + 1e-3  # a path finder's value is no barrier


def test_merge_trees() -> None:
    """Oracle: consistency. Leaves at the least loss are the orbits of global minima; barriers between orbits are the
    lowest entries of the matrix; levels ascend."""
    for found in _several(5):
        tree = merge_tree(found.level_set.complex)
        least = found.level_set.least_loss
        glob = [k for k, level in enumerate(tree.levels) if level == least]
        assert len(glob) == found.level_set.orbits
        assert list(tree.levels) == sorted(tree.levels)
        assert [m.level for m in tree.merges] == sorted(m.level for m in tree.merges)
        assert all(m.level > max(tree.levels[min(g)] for g in m.groups) for m in tree.merges)
        if tree.merges:
            assert tree.merges[-1].members == tuple(range(len(tree.levels)))
        orbits = found.level_set.orbit_of
        between = [
            min(found.levels[i][j] for i, a in enumerate(orbits) for j, b in enumerate(orbits) if (a, b) == pair)
            for pair in itertools.combinations(range(found.level_set.orbits), 2)
        ]
        joins = [
            next(m.level for m in tree.merges if {a, b} <= set(m.members)) for a, b in itertools.combinations(glob, 2)
        ]
        assert sorted(between) == sorted(joins)


def test_all_minima_of_a_single_neuron() -> None:
    """Oracle: by hand. One neuron with X = (1, -1), y = (1, 2) serves one side or the other, or passes through 0."""
    tree = merge_tree(problem_from_json({"X": [[1], [-1]], "y": [1, 2]}), 1)
    assert tree.levels == (Fraction(1, 2), 2)
    assert [(m.level, m.groups) for m in tree.merges] == [(Fraction(5, 2), ((0,), (1,)))]


def test_bad_points_are_refused() -> None:
    """Oracle: by construction."""
    problem = problem_from_json({**WORKED, "output_weights": "fixed"})
    good = (Neuron((Fraction(0), Fraction(1)), 1),)
    with pytest.raises(InputError, match="signs"):
        barrier_between(problem, good, (Neuron((Fraction(0), Fraction(1)), -1),))
    with pytest.raises(InputError, match="neurons"):
        barrier_between(problem, good, good + good)
    with pytest.raises(InputError, match="output weights"):
        point_of_net(problem, Net(np.ones((2, 1)), -np.ones((1, 1))))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="biases"):
        point_of_net(problem, Net(np.ones((2, 1)), None, np.ones(1)))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="inputs"):
        point_of_net(problem, Net(np.ones((3, 1)), None))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="list of"):
        point_from_json([{"u": 3}])
    assert point_from_json(point_to_json(good)) == good


def test_components_know_their_orbits() -> None:
    """Oracle: by construction; the record is what the command line prints."""
    found: LevelSet = level_set_topology(problem_from_json(WORKED), 2)
    assert found.orbit_of == (0, 0, 1, 1)
    assert [c.ordered_cell for c in found.components] == [
        c.cell if k % 2 == 0 else c.cell[::-1] for k, c in enumerate(found.components)
    ]
