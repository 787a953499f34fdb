"""Components, orbits and dimensions of level sets."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from scipy.optimize import linprog, nnls
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.topology import (
    CellComplex,
    Landscape,
    LevelSet,
    Problem,
    level_set_topology,
    point_loss,
    point_of_net,
    predict_cells,
    problem_from_json,
    staircase,
)

FIXED = {"output_weights": "fixed"}
WORKED = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}


def _problem(**data: Any) -> Problem:
    return problem_from_json(data)


def _random(rng: random.Random, n: int, d: int, bound: int = 3, **data: Any) -> Problem:
    X = [[rng.randint(-bound, bound) for _ in range(d)] for _ in range(n)]
    return problem_from_json({"X": X, "y": [rng.randint(-2, 2) for _ in range(n)], **data})


def test_the_worked_example() -> None:
    """Oracle: known answer. No fit at width 1, four components in two orbits at width 2, one component at width 3."""
    stairs = staircase(_problem(**WORKED), [1, 2, 3])
    assert [s.least_loss for s in stairs] == [Fraction(1, 140), 0, 0]
    assert [(s.components, s.orbits) for s in stairs] == [(1, 1), (4, 2), (1, 1)]
    assert [s.barrier for s in stairs] == [None, Fraction(1, 140), None]
    found = level_set_topology(_problem(**WORKED), 1, Fraction(0))
    assert (found.components, found.orbits, found.feasible_cells) == ((), 0, 0)


@pytest.mark.parametrize(
    ("width", "fixed", "level", "components", "orbits", "dimensions"),
    [
        # X = (1, -1), y = (1, 1): one neuron serves one side; the other costs 1/2
        (1, False, None, 2, 2, (0, 0)),
        (2, False, None, 2, 1, (0,)),
        (3, False, None, 1, 1, (1,)),  # a third neuron can split, or replace one of the two
        (2, True, None, 2, 1, (0,)),
        (2, False, Fraction(1, 2), 1, 1, (2,)),
        (2, False, Fraction(1, 4), 2, 1, (2,)),
        (1, False, Fraction(1), 1, 1, (1,)),
        (1, False, Fraction(3, 4), 2, 2, (1, 1)),
        (2, True, Fraction(1, 2), 1, 1, (2,)),
    ],
)
def test_the_hand_worked_case_in_one_dimension(
    width: int, fixed: bool, level: Fraction | None, components: int, orbits: int, dimensions: tuple[int, ...]
) -> None:
    """Oracle: by hand. f(1) = sum of the positive u, f(-1) = sum of the negative ones, with signs."""
    problem = _problem(X=[[1], [-1]], y=[1, 1], output_weights="fixed" if fixed else "free")
    found = level_set_topology(problem, width, level)
    assert (len(found.components), found.orbits, found.dimensions) == (components, orbits, dimensions)
    assert found.isolated == tuple(dimensions[o] == 0 for o in found.orbit_of)


def test_representatives_lie_in_their_components() -> None:
    """Oracle: exact loss of the point, and the component the point is found in."""
    rng = random.Random(1)
    several = 0
    for _ in range(15):
        found = level_set_topology(_random(rng, 4, 2), 2)
        for k, component in enumerate(found.components):
            assert point_loss(found.complex.landscape.problem, component.representative) <= found.level
            assert found.component_of(component.representative) == k
        several += len(found.components) > 1
        assert list(found.orbit_of) == sorted(found.orbit_of)
    assert several > 3


def test_the_component_of_a_net() -> None:
    """Oracle: by construction. Exchanging the neurons of an isolated solution leads to the other component; a net
    above the level is in none; the exact value of the floats is used."""
    found = level_set_topology(_problem(X=[[1], [-1]], y=[1, 1]), 2)
    problem = found.complex.landscape.problem
    nets = [Net(np.array([w]), np.array([a])) for w, a in (([2.0, -1.0], [0.5, 1.0]), ([-1.0, 0.25], [1.0, 4.0]))]  # type: ignore[arg-type]
    places = [found.component_of(point_of_net(problem, net)) for net in nets]
    assert sorted(places) == [0, 1]  # type: ignore[type-var]
    off = Net(np.array([[2.0, -1.0]]), np.array([[0.5, 1.0 + 1e-12]]))  # type: ignore[arg-type]
    assert found.component_of(point_of_net(problem, off)) is None


# ------------------------------------------------------------------------------------------------ independent oracles


def _full_intersection_graph(problem: Problem, width: int, level: float) -> tuple[int, int]:
    """Count components and orbits from *all* pairs of ordered cells that meet, in floats.

    Two cones of one fan meet in the cone over their common rays; neurons with different signs meet at zero only.
    """
    landscape = Landscape(problem)
    X = np.array([[float(v) for v in row] for row in problem.X])
    y = np.array([float(v) for v in problem.y])
    rays = np.array(landscape.arrangement.rays, float).reshape(-1, problem.dimension)
    kinds = [(t.face.s, frozenset(t.face.rays)) for t in landscape.types]

    def least(faces: Sequence[tuple[int, frozenset[int]]]) -> float:
        key = frozenset((s, r) for s, chosen in faces for r in chosen)
        if key not in memo:
            columns = [s * np.maximum(X @ rays[r], 0) for s, r in sorted(key)]
            C = np.array(columns).T if columns else np.zeros((len(y), 1))
            memo[key] = nnls(C, y)[1] ** 2 / 2
        return memo[key]

    memo: dict[frozenset[tuple[int, int]], float] = {}
    cells = [c for c in itertools.product(range(len(kinds)), repeat=width) if least([kinds[t] for t in c]) <= level]
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(len(cells)), 2)
        if least(
            [
                (kinds[a][0], kinds[a][1] & kinds[b][1]) if kinds[a][0] == kinds[b][0] else (1, frozenset())
                for a, b in zip(cells[i], cells[j], strict=True)
            ]
        )
        <= level
    ]

    def count(edges: list[tuple[int, int]]) -> int:
        rows, columns = zip(*edges, strict=True) if edges else ((), ())
        graph = coo_matrix((np.ones(len(edges)), (rows, columns)), shape=(len(cells), len(cells)))
        return int(connected_components(graph, directed=False)[0])

    index = {cell: k for k, cell in enumerate(cells)}
    copies = [
        (k, index[tuple(cell[g] for g in order)])
        for cell, k in index.items()
        for order in itertools.permutations(range(width))
    ]
    return count(pairs), count(pairs + copies)


@pytest.mark.parametrize("output_weights", ["free", "fixed"])
def test_components_are_those_of_the_full_intersection_graph(output_weights: str) -> None:
    """Oracle: independent implementation. All pairs of ordered cells, not only facets and passages through zero."""
    rng = random.Random(5)
    seen = set()
    for width, n, d in [(1, 4, 2), (1, 6, 2), (2, 4, 2), (2, 5, 2), (3, 3, 1), (2, 3, 3)] * 3:
        problem = _random(rng, n, d, output_weights=output_weights)
        cells = CellComplex(problem, width)
        least = cells.least_loss()
        for level in (least, least + Fraction(1, 7), least + Fraction(2, 3)):
            found = level_set_topology(cells, level=level)
            slack = float(level) + 1e-9
            assert (len(found.components), found.orbits) == _full_intersection_graph(problem, width, slack)
            seen.add((len(found.components), found.orbits))
    assert len(seen) >= 3


def _flood_fill(problem: Problem, width: int, level: Fraction, half: float, steps: int) -> int:
    """Count the components of {loss <= level} on a grid of *parameters* (w, alpha), neighbours along the axes only."""
    free = problem.output_weights == "free"
    axes = width * (problem.dimension + free)
    grid = np.linspace(-half, half, steps)
    mesh = np.meshgrid(*[grid] * axes, indexing="ij", sparse=True)
    d = problem.dimension
    loss = np.zeros([steps] * axes)
    for x, y in zip(problem.X, problem.y, strict=True):
        f = np.zeros(())
        for j in range(width):
            inner = sum(float(v) * mesh[j * d + k] for k, v in enumerate(x))
            f = f + np.maximum(inner, 0) * (mesh[width * d + j] if free else 1.0)
        loss += (f - float(y)) ** 2 / 2
    return int(ndimage.label(loss <= float(level))[1])


@pytest.mark.parametrize(
    ("data", "width", "levels", "half", "steps"),
    [
        ({"X": [[1], [-1]], "y": [1, 1]}, 1, ["3/4", "99/100", "101/100"], 3.0, 301),
        ({"X": [[1], [-1]], "y": ["1/2", -1]}, 1, ["1/4", "11/20", "7/10"], 3.0, 301),
        ({"X": [[1], [-1]], "y": [1, 1]}, 2, ["1/4", "9/20", "11/20"], 2.0, 33),
        (
            {"X": [[1, 0], [0, 1], [-1, -1]], "y": [1, 1, 1], "output_weights": "fixed"},
            1,
            ["3/5", "11/10", "2"],
            2.5,
            401,
        ),
        ({"X": [[1], [-1], [2]], "y": [1, 1, 1], **FIXED}, 2, ["1/5", "1/2", "7/10"], 2.0, 401),
        ({"X": [[1, 0, 1], [0, 1, 1], [-1, -1, 0], [1, -1, -2]], "y": [1] * 4, **FIXED}, 1, ["7/10", "9/8"], 2.5, 81),
    ],
)
def test_the_count_is_that_of_a_flood_fill_in_parameter_space(
    data: dict[str, Any], width: int, levels: Sequence[str], half: float, steps: int
) -> None:
    """Oracle: independent implementation. No cones, no u-coordinates: a grid of weights and a labelling of it.

    The level set of free output weights is unbounded along (t w, alpha / t), but each component meets the box."""
    problem = problem_from_json(data)
    counts = []
    for level in map(Fraction, levels):
        counts.append(len(level_set_topology(problem, width, level).components))
        assert counts[-1] == _flood_fill(problem, width, level, half, steps)
    assert max(counts) > 1


# ----------------------------------------------------------------------------------------------------------- the rest


def test_invariances() -> None:
    """Oracle: conserved quantities. Scaling rows' order, positive scaling of inputs and targets, a linear change of
    coordinates and repeated rows with split weight change nothing that should not change."""
    rng = random.Random(2)
    for _ in range(6):
        base = _random(rng, 4, 2)
        X, y = [list(row) for row in base.X], list(base.y)
        found = level_set_topology(base, 2)

        def same(other: Problem, factor: int = 1, found: LevelSet = found) -> None:
            again = level_set_topology(other, 2)
            assert again.least_loss == found.least_loss * factor
            assert (len(again.components), again.orbits) == (len(found.components), found.orbits)

        order = rng.sample(range(4), 4)
        same(_problem(X=[X[i] for i in order], y=[y[i] for i in order]))
        same(_problem(X=X, y=[3 * v for v in y]), 9)
        same(_problem(X=[[2 * a + b, a + b] for a, b in X], y=y))
        same(_problem(X=[[a, b, a + b] for a, b in X], y=y))  # rank two in three dimensions


def test_lineality_adds_dimensions() -> None:
    """Oracle: closed form. An input coordinate that is always zero adds one free weight to each neuron."""
    thin = level_set_topology(_problem(X=[[1], [-1]], y=[1, 1]), 2)
    wide = level_set_topology(_problem(X=[[1, 0], [-1, 0]], y=[1, 1]), 2)
    assert (thin.dimensions, wide.dimensions) == ((0,), (2,))
    assert len(thin.components) == len(wide.components)


def test_rays_that_no_fit_uses_add_no_dimension() -> None:
    """Oracle: closed form. With X = (1, -1), y = 0 and output weights +1 only the zero net fits: one point; with free
    output weights two neurons can cancel."""
    fixed = level_set_topology(_problem(X=[[1], [-1]], y=[0, 0], **FIXED), 2)
    free = level_set_topology(_problem(X=[[1], [-1]], y=[0, 0]), 2)
    assert (len(fixed.components), fixed.dimensions) == (1, (0,))
    assert (len(free.components), free.dimensions) == (1, (1,))


def test_dimensions_are_those_of_sampled_vertices() -> None:
    """Oracle: independent implementation. Vertices of the optimal polyhedra by linear programs with random costs; the
    dimension is the affine rank of their u-images, largest over the cells of the orbit."""
    rng, noise = random.Random(17), np.random.default_rng(0)
    seen = set()
    for n, d, width in [(3, 2, 2), (4, 2, 2), (2, 2, 2), (3, 1, 3), (4, 2, 3)] * 2:
        found = level_set_topology(_random(rng, n, d), width)
        cells, landscape = found.complex, found.complex.landscape
        X = np.array([[float(v) for v in row] for row in landscape.problem.X])
        if found.complex.landscape.arrangement.lineality:
            continue
        for orbit, members in enumerate(found.orbit_cells()):
            best = 0
            for cell in members[:40]:
                placed = [
                    (j, landscape.types[t].face.s, r) for j, t in enumerate(cell) for r in landscape.types[t].face.rays
                ]
                rays = np.array([landscape.arrangement.rays[r] for _, _, r in placed], float)
                C = np.array([s * np.maximum(X @ ray, 0) for (_, s, _), ray in zip(placed, rays, strict=True)]).T
                f = np.array([float(v) for v in landscape.prediction(landscape.fit(cells.mask(cell)))])
                points = []
                for cost in noise.normal(size=(25, len(placed))):
                    box = [(0, 10.0 + 40 * abs(v)) for v in cost]
                    z = linprog(cost, A_eq=C, b_eq=f, bounds=box).x
                    u = np.zeros((width, d))
                    for (j, _, _), ray, v in zip(placed, rays, z, strict=True):
                        u[j] += v * ray
                    points.append(u.ravel())
                best = max(best, int(np.linalg.matrix_rank(np.array(points) - points[0], tol=1e-6)))
            assert found.dimensions[orbit] == best
            seen.add(best)
    assert len(seen) >= 3


def test_zero_rows_only_add_a_constant() -> None:
    """Oracle: closed form. A zero row costs half its squared target; without any other row everything is connected."""
    with_zero = level_set_topology(_problem(X=[[1], [0], [-1]], y=[1, 3, 1]), 2)
    assert with_zero.least_loss == Fraction(9, 2)
    assert len(with_zero.components) == 2
    nothing = level_set_topology(_problem(X=[[0, 0]], y=[2]), 2)
    assert (nothing.least_loss, len(nothing.components), nothing.dimensions) == (2, 1, (4,))


def test_the_number_of_cells_is_predicted_before_the_start() -> None:
    """Oracle: closed form, exact in general position and an upper bound otherwise; too large is refused at once."""
    rng = random.Random(4)
    problem = _random(rng, 5, 2, bound=99)
    cells = CellComplex(problem, 3)
    assert len(cells) == len(cells.cells) == predict_cells(problem, 3)[0] == math.comb(20 + 2, 3)
    doubled = _problem(X=[list(problem.X[0]), *map(list, problem.X)], y=[1, *problem.y])
    assert len(CellComplex(doubled, 3)) <= predict_cells(doubled, 3)[0]
    huge = _problem(X=[[rng.randint(-99, 99) for _ in range(6)] for _ in range(40)], y=[0] * 40)
    with pytest.raises(InputError, match=r"too large.*cells.*MiB"):
        level_set_topology(huge, 4)
    with pytest.raises(InputError, match="at least one neuron"):
        level_set_topology(problem, 0)
    with pytest.raises(InputError, match="ridge"):
        level_set_topology(_problem(**WORKED, ridge="1/10"), 2)


def test_cell_numbers_are_rows() -> None:
    """Oracle: by construction."""
    cells = CellComplex(_problem(**WORKED), 3)
    assert [cells.index(cells.cell(i)) for i in range(len(cells))] == list(range(len(cells)))
