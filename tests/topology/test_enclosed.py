"""Components and barriers with a ridge term or inside a region, as rigorous intervals."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from modeconn.errors import InputError
from modeconn.topology import (
    EnclosedBarriers,
    Enclosures,
    Neuron,
    Problem,
    barrier_between,
    communication_barrier,
    components_in_region,
    enclosed_barrier_between,
    enclosed_barriers,
    enclosed_level_set,
    level_set_topology,
    point_loss,
    problem_from_json,
)

ROOT3 = math.sqrt(3)


@pytest.mark.parametrize("beta", ["1/10", "1/2"])
def test_the_staircase_of_regularised_optima(beta: str) -> None:
    """Oracle: known answers (Kim, Mishkin, Pilanci 2025). X has irrational entries: their shortest decimals are used,
    which moves every value by some 1e-16."""
    b = float(Fraction(beta))
    problem = problem_from_json({"X": [[-ROOT3, 1], [ROOT3, 1]], "y": [1, 1], "ridge": beta})
    for width, components, orbits in ((1, 1, 1), (2, 3, 2), (3, 1, 1)):
        found = enclosed_level_set(problem, width)
        assert (found.count, found.orbits, found.undecided) == ((components, components), orbits, 0)
        assert found.least[0] - 1e-15 <= b - b * b / 4 <= found.least[1] + 1e-15
        assert found.least[1] - found.least[0] < 1e-9
    barriers = enclosed_barriers(problem, 2)
    known = b - b * b / 4 + ((2 / ROOT3 - 1) * b - b * b / 12) / 2
    orbit_of = barriers.level_set.orbit_of
    assert sorted(orbit_of.count(o) for o in set(orbit_of)) == [1, 2]  # the segment, the two isolated points
    for i, j in itertools.permutations(range(3), 2):
        assert barriers.lower[i][j] - 1e-14 <= known <= barriers.upper[i][j] + 1e-14
        assert barriers.upper[i][j] - barriers.lower[i][j] < 1e-10


@pytest.mark.parametrize("beta", ["1/10", "1"])
def test_a_family_with_four_tight_directions(beta: str) -> None:
    """Oracle: known answer. Angles 60, 30, 0 degrees: s_k on the unit circle, v_{n-k+1} = s_k - s_{k-1}, rows
    (v_i1 / v_i2, 1), dual vector beta v_i2, tight directions s_1, s_2, s_3 and s_3 - s_1. With y* the sum of the second
    and fourth tight features, the optimal polytope is a segment between vertices of support m* = 2 and M* = 3. Width 2:
    finite (the two orders); width 3: the six orders of the vertex of support 3 are isolated, the rest is connected;
    width 4: connected. The optimal value is 2 beta + beta^2 |v_2|^2 / 2."""
    circle = [(0.0, 0.0)] + [(math.sin(math.radians(a)), math.cos(math.radians(a))) for a in (60, 30, 0)]
    v = np.diff(np.array(circle), axis=0)[::-1]
    X = v / v[:, 1:]
    tight = np.array([circle[2], np.subtract(circle[3], circle[1])])
    y = np.maximum(X @ tight.T, 0).sum(1) + float(Fraction(beta)) * v[:, 1]
    problem = problem_from_json({"X": X.tolist(), "y": y.tolist(), "ridge": beta})
    optimum = 2 * float(Fraction(beta)) + float(Fraction(beta)) ** 2 * (v[:, 1] ** 2).sum() / 2
    for width, orbit_sizes in ((2, [2]), (3, [1, 6]), (4, [1])):
        found = enclosed_level_set(problem, width)
        sizes = sorted(found.orbit_of.count(orbit) for orbit in range(found.orbits))
        assert (sizes, found.count, found.undecided) == (orbit_sizes, (sum(orbit_sizes),) * 2, 0)
        for k, component in enumerate(found.components):
            assert found.component_of(component.representative) == k
            assert (
                found.component_of(tuple(Neuron((n.u[0] + 1, n.u[1]), n.s) for n in component.representative)) is None
            )
        assert found.least == pytest.approx((optimum, optimum), abs=1e-8)


def test_intervals_are_narrow_where_two_neurons_share_the_work() -> None:
    """Oracle: the width of the interval itself. The optimum is one neuron on a ray that four cones share, a flat and
    degenerate program for an interior-point method."""
    circle = [(0.0, 0.0)] + [(math.sin(math.radians(a)), math.cos(math.radians(a))) for a in (60, 30, 0)]
    v = np.diff(np.array(circle), axis=0)[::-1]
    y = 1 + v[:, 1] / 10
    problem = problem_from_json({"X": (v / v[:, 1:]).tolist(), "y": y.tolist(), "ridge": "1/10"})
    enclosures = Enclosures(problem, 3, 10**6)
    found = [enclosures.of(enclosures.cells.cell(i)) for i in range(0, len(enclosures.cells), 3)]
    assert max(one.upper - one.lower for one in found) < 1e-9


# ------------------------------------------------------------------------------------------------ flooded grids


def _grid_objective(problem: Problem, W: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Objective of nets with hidden weights W (d, m, ...) and output weights a (m, ...)."""
    X = np.array([[float(v) for v in row] for row in problem.X])
    total = np.zeros(W.shape[2:])
    for x, target in zip(X, problem.y, strict=True):
        f = sum(np.maximum(np.tensordot(x, W[:, j], 1), 0) * a[j] for j in range(W.shape[1]))
        total += (f - float(target)) ** 2 / 2
    penalty = (W**2).sum((0, 1)) + (0.0 if problem.output_weights == "fixed" else (a**2).sum(0))
    return total + float(problem.ridge) / 2 * penalty


def _labels(values: np.ndarray, level: float) -> tuple[np.ndarray, int]:
    return ndimage.label(values <= level, np.ones((3,) * values.ndim))


def _grid_barrier(values: np.ndarray, start: tuple[int, ...], end: tuple[int, ...]) -> float:
    """Least grid level at which two grid points are connected through neighbours, diagonal ones included."""
    low, high = max(values[start], values[end]), float(values[np.isfinite(values)].max())
    while high - low > 1e-6:
        middle = (low + high) / 2
        labels = _labels(values, middle)[0]
        low, high = (low, middle) if labels[start] == labels[end] else (middle, high)
    return high


FIXED_TWO: dict[str, Any] = {"X": [[1], [-1], [2]], "y": [1, 1, "3/2"], "output_weights": "fixed"}
FREE_ONE: dict[str, Any] = {"X": [[1, 2], [-1, 2], [0, -1], [2, -1]], "y": [1, "6/5", 1, "3/2"]}
TERMS: dict[str, dict[str, Any]] = {
    "ridge": {"ridge": "1/5"},
    "box": {"region": {"norm": "linf", "radius": "3/5"}},
    "spectral": {"region": {"norm": "spectral", "radius": "7/10"}},
    "box and ball": {"region": {"W": {"norm": "linf", "radius": "3/5"}, "A": {"norm": "spectral", "radius": "7/10"}}},
    "ball and box": {"region": {"W": {"norm": "spectral", "radius": "7/10"}, "A": {"norm": "linf", "radius": "3/5"}}},
}


def _grid(problem: Problem, width: int, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an axis and the objective on the grid of all weights, infinite outside the region."""
    fixed, d = problem.output_weights == "fixed", problem.dimension
    reach = 0.8 if problem.region is not None else 2.0 if fixed else 1.28
    axis = np.linspace(-reach, reach, points)
    mesh = np.array(np.meshgrid(*[axis] * (d * width + (0 if fixed else width)), indexing="ij"))
    W = mesh[: d * width].reshape(d, width, *mesh.shape[1:])
    a = np.ones((width, *mesh.shape[1:])) if fixed else mesh[d * width :]
    values = _grid_objective(problem, W, a)
    region = problem.region
    if region is not None:  # one row or column: the operator norm is the Euclidean one
        assert d == 1 or width == 1
        flat = W.reshape(d * width, *W.shape[2:])
        size_W = abs(flat).max(0) if region.W.norm == "linf" else np.sqrt((flat**2).sum(0))
        size_A = abs(a).max(0) if region.A.norm == "linf" else np.sqrt((a**2).sum(0))
        values[size_W > float(region.W.radius) + 1e-12] = np.inf
        if not fixed:
            values[size_A > float(region.A.radius) + 1e-12] = np.inf
    return axis, values


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize(("data", "width", "points", "error"), [(FIXED_TWO, 2, 801, 0.01), (FREE_ONE, 1, 81, 0.02)])
def test_barriers_are_those_of_a_flooded_grid(
    name: str, data: dict[str, Any], width: int, points: int, error: float
) -> None:
    """Oracle: independent implementation in parameter space. Its error is of first order in the spacing (diagonal
    neighbours skip a kink); halving it from 0.032 brings the ridge case from 0.015 to 0.007."""
    problem = problem_from_json({**data, **TERMS[name]})
    axis, values = _grid(problem, width, points)
    found = enclosed_level_set(problem, width)
    assert found.undecided == 0
    assert found.least[0] <= values.min() <= found.least[1] + error
    level = Fraction(math.floor(1000 * (values.min() + 0.1)) * 2 + 1, 2000)
    at = enclosed_level_set(problem, width, level)
    assert (at.count, at.undecided) == ((_labels(values, float(level))[1],) * 2, 0)
    assert len(at.components) > 1
    barriers = enclosed_barriers(at)
    plain = communication_barrier(replace(problem, ridge=Fraction(0), region=None), width)
    assert barriers.highest[0] > plain.highest + Fraction(1, 100)  # the term matters
    places = []
    for component in at.components:
        inside = np.argwhere(values <= float(level))
        net = _balanced(problem, component.representative)
        distance = abs(axis[inside] - net).max(1)
        places.append(tuple(inside[distance.argmin()].tolist()))
    for i, j in itertools.combinations(range(len(places)), 2):
        seen = _grid_barrier(values, places[i], places[j])
        assert barriers.lower[i][j] - error <= seen <= barriers.upper[i][j] + error
        assert barriers.upper[i][j] - barriers.lower[i][j] < 1e-7


def _balanced(problem: Problem, point: tuple[Neuron, ...]) -> np.ndarray:
    """Return (W, alpha) of a net over a u-point, flat; with free output weights |w| = |alpha| as far as may be."""
    u = np.array([[float(v) for v in neuron.u] for neuron in point]).T
    if problem.output_weights == "fixed":
        return u.ravel()
    region = problem.region
    size = np.abs(u).max(0) if region is not None and region.W.norm == "linf" else np.linalg.norm(u, axis=0)
    share = 1.0 if region is None else float(region.A.radius / region.W.radius)
    alpha = np.sqrt(np.maximum(size * share, 1e-300))
    return np.concatenate([(u / alpha).ravel(), alpha * [neuron.s for neuron in point]])


# ------------------------------------------------------------------------------------------------ limits and relations


def _random(rng: random.Random, **data: Any) -> Problem:
    X = [[rng.randint(-2, 2) for _ in range(2)] for _ in range(4)]
    return problem_from_json({"X": X, "y": [rng.randint(-2, 2) for _ in range(4)], **data})


@pytest.mark.parametrize("norm", ["linf", "spectral"])
def test_barriers_fall_with_the_radius_to_the_exact_one(norm: str) -> None:
    """Oracle: monotonicity, and the exact barrier without a region, which a large region must reproduce."""
    rng, seen = random.Random(2), 0
    while seen < 2:
        plain = _random(rng)
        exact = communication_barrier(plain, 2)
        if len(exact.level_set.components) < 2:
            continue
        seen += 1
        a, b = (component.representative for component in exact.level_set.components[:2])
        value = barrier_between(plain, a, b).value
        lows, highs = [], []
        for radius in (2, 3, 100):
            region = {"norm": norm, "radius": radius}
            problem = problem_from_json({"X": [list(row) for row in plain.X], "y": list(plain.y), "region": region})
            low, high = enclosed_barrier_between(problem, a, b)
            assert high - low < 1e-7
            assert high >= float(value)
            lows.append(low)
            highs.append(high)
        assert all(later <= before for before, later in zip(highs, lows[1:], strict=False))
        assert lows[-1] <= float(value) + 1e-12
        assert highs[-1] == pytest.approx(float(value), abs=1e-7)


def test_a_small_ridge_term_and_a_large_region_leave_the_components() -> None:
    """Oracle: the exact topology, at a level between critical ones."""
    rng = random.Random(5)
    for _ in range(3):
        plain = _random(rng)
        exact = communication_barrier(plain, 2)
        gap = exact.highest - exact.level_set.level
        level = exact.level_set.level + (gap / 2 if gap else Fraction(1, 50))
        expected = level_set_topology(plain, 2, level)
        data = {"X": [list(row) for row in plain.X], "y": list(plain.y)}
        for term in ({"ridge": "1/1000000"}, {"region": {"norm": "spectral", "radius": 50}}):
            found = enclosed_level_set(problem_from_json({**data, **term}), 2, level)
            assert (found.count, found.orbits) == ((len(expected.components),) * 2, expected.orbits)


def test_interpolating_components_in_a_region_are_decided_exactly() -> None:
    """Oracle: independent code path, gauges in floats. At the level 0 the rounded intervals cannot decide; rational
    interpolating nets do."""
    counts = []
    for norm, radius in (("linf", "5/4"), ("spectral", "8/5"), ("spectral", 3), ("linf", 1)):
        problem = problem_from_json(
            {
                "X": [[1, 0], [2, 1], [1, 1], [-2, 1]],
                "y": [1, 0, -1, -2],
                "region": {"norm": norm, "radius": radius},
            }
        )
        expected = components_in_region(level_set_topology(problem, 2))
        found = enclosed_level_set(problem, 2, Fraction(0))
        assert (found.count, found.orbits, found.undecided) == ((expected.components,) * 2, expected.orbits, 0)
        assert all(point_loss(problem, component.representative) == 0 for component in found.components)
        counts.append(expected.components)
    assert len(set(counts)) > 1


# ------------------------------------------------------------------------------------------------ trust in solvers


@pytest.mark.parametrize("term", [{"ridge": "1/4"}, {"region": {"norm": "spectral", "radius": 1}}])
@pytest.mark.parametrize("spoil", ["noise", "garbage", "refusal"])
def test_a_solver_that_lies_makes_intervals_wide_never_wrong(
    term: dict[str, Any], spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: by construction. Answers spoilt by noise, replaced by noise, or refused still give true intervals."""
    rng = np.random.default_rng(0)
    honest, fooled = (Enclosures(_random(random.Random(3), **term), 2, 10**6) for _ in range(2))
    propose = fooled._propose

    def lie(view: Any, faces: Any) -> Any:
        answer = propose(view, faces)
        if spoil == "refusal" or answer is None:
            return None
        keep, scale = (1.0, 0.1) if spoil == "noise" else (0.0, 10.0)
        spoilt = {name: getattr(answer, name) for name in ("u", "nu", "mu")}
        return answer._replace(**{k: keep * v + scale * rng.normal(size=v.shape) for k, v in spoilt.items()})

    monkeypatch.setattr(fooled, "_propose", lie)
    wider = 0
    for i in range(len(honest.cells)):
        cell = honest.cells.cell(i)
        good, bad = honest.of(cell), fooled.of(cell)
        assert bad.lower <= good.upper
        assert good.lower <= bad.upper
        assert good.upper - good.lower < 1e-7
        wider += bad.upper - bad.lower > 1e-3
    assert wider > len(honest.cells) / 4


def test_undecided_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: by construction. Without a solver nothing between the exact least loss and the zero net is decided."""
    enclosures = Enclosures(problem_from_json({**FREE_ONE, "ridge": "1/5"}), 1, 10**6)
    monkeypatch.setattr(enclosures, "_propose", lambda view, faces: None)
    found = enclosed_level_set(enclosures, level=Fraction(2))
    assert found.components == ()
    assert found.undecided > 0
    assert found.count[0] == 0 < found.count[1]


@pytest.mark.parametrize("name", ["ridge", "box", "spectral"])
def test_unsolved_edges_leave_the_barrier_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: by construction. With cells solved and edges refused, the barrier is between the exact one without the
    term and the zero net, both ends on their side of the true one; above it the count of components is open."""
    problem = problem_from_json({**FREE_ONE, **TERMS[name]})
    honest, fooled = Enclosures(problem, 1, 10**6), Enclosures(problem, 1, 10**6)
    propose = fooled._propose
    monkeypatch.setattr(fooled, "_propose", lambda v, faces: None if v.tight.any() else propose(v, faces))
    level = Fraction(enclosed_level_set(honest).least[1]) + Fraction(1, 10)
    known = enclosed_barriers(honest, level=level).highest
    opened = enclosed_barriers(fooled, level=level).highest
    assert opened[0] < known[0] - 1e-3
    assert opened[1] > known[1] + 1e-3
    above = Fraction(known[1]) + Fraction(1, 20)
    at, open_at = enclosed_level_set(honest, level=above), enclosed_level_set(fooled, level=above)
    assert (at.undecided, len(set(at.count))) == (0, 1)
    assert open_at.undecided > 0
    assert open_at.count[0] <= at.count[0] < open_at.count[1]


def test_what_is_not_covered_is_refused() -> None:
    """Oracle: by construction."""
    data: dict[str, Any] = {"X": [[1], [-1]], "y": [1, 1]}
    region = {"norm": "linf", "radius": 1}
    with pytest.raises(InputError, match="found both"):
        enclosed_level_set(problem_from_json({**data, "ridge": 1, "region": region}), 1)
    with pytest.raises(InputError, match="found neither"):
        enclosed_level_set(problem_from_json(data), 1)
    with pytest.raises(InputError, match="too large"):
        enclosed_level_set(problem_from_json({**data, "ridge": 1}), 3, max_cells=5)
    with pytest.raises(InputError, match="enclosed_level_set"):
        level_set_topology(problem_from_json({**data, "ridge": 1}), 1)
    far = (Neuron((Fraction(2),), 1),)
    with pytest.raises(InputError, match="inside the region"):
        enclosed_barrier_between(problem_from_json({**data, "region": region}), far, far)


def test_a_connected_set_has_no_barrier() -> None:
    """Oracle: by construction; the barrier is then the level itself, and an empty set has none either."""
    problem = problem_from_json({"X": [[1], [-1]], "y": [1, 1], "ridge": "1/10"})
    whole: EnclosedBarriers = enclosed_barriers(problem, 2, Fraction(1))
    assert whole.highest == (1.0, 1.0)
    assert whole.lower == whole.upper == ((0.0,),)
    nothing = enclosed_barriers(problem, 2, Fraction(1, 10))
    assert (nothing.level_set.count, nothing.lower) == ((0, 0), ())
