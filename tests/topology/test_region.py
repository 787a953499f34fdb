"""Level sets inside an optimizer's region: box, spectral ball and products."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from modeconn.cells import RegionBall, RegionCell, least_gauge, least_loss_in_region
from modeconn.errors import InputError
from modeconn.topology import (
    Neuron,
    Problem,
    ProductRegion,
    certify_region_avoids,
    components_in_region,
    is_in_region,
    level_set_topology,
    orbits_in_region,
    point_loss,
    problem_from_json,
    problem_to_json,
)
from modeconn.topology.region import avoidance
from modeconn.topology.region_exact import is_avoided
from proofs_check.checker import check_certificate

REGIONS: dict[str, dict[str, Any]] = {
    "box": {"norm": "linf", "radius": "13/10"},
    "spectral": {"norm": "spectral", "radius": "8/5"},
    "box and ball": {"W": {"norm": "linf", "radius": 1}, "A": {"norm": "spectral", "radius": "3/2"}},
    "ball and box": {"W": {"norm": "spectral", "radius": "8/5"}, "A": {"norm": "linf", "radius": "3/2"}},
}
OUTPUTS = ("free", "fixed")


def _with_region(X: Any, y: Any, region: Any, **data: Any) -> Problem:
    return problem_from_json({"X": X, "y": y, "region": region, **data})


@pytest.mark.parametrize(
    ("hidden", "output", "gauge"),
    [
        ("linf", "linf", 1.0),  # both neurons carry (1/2, 1)
        ("linf", "spectral", np.sqrt(2)),  # total entrywise size 2, |a|_2 <= 1 splits it by sqrt(2)
        ("linf", None, 1.0),
        ("spectral", "spectral", np.sqrt(5)),  # the nuclear norm of the rank-one map
        ("spectral", "linf", np.sqrt(5 / 2)),  # the same, |alpha|_2 <= sqrt(2)
        ("spectral", None, np.sqrt(5 / 2)),
    ],
)
def test_gauges_by_hand(hidden: Any, output: Any, gauge: float) -> None:
    """Oracle: closed form. Two neurons on the positive orthant must add up to the linear map (1, 2)."""
    signs, tight = np.ones((2, 2), int), np.zeros((2, 2), bool)
    cell = RegionCell(np.eye(2), np.array([1.0, 2.0]), signs, tight, np.array([1, 1]))
    fit = least_gauge(cell, RegionBall(hidden, 1.0, output, 1.0), 0.0, np.array([1.0, 2.0]))
    assert fit is not None
    assert fit.value == pytest.approx(gauge, abs=1e-7)
    loss = least_loss_in_region(cell, RegionBall(hidden, 1.0, output, 1.0))
    assert loss is not None
    assert bool(loss.value > 1e-7) is bool(gauge > 1 + 1e-7)


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("outputs", OUTPUTS)
def test_verdicts_are_certified_and_agree_with_samples(name: str, outputs: str) -> None:
    """Oracle: certificate (the independent checker), exact points, and random nets inside the region."""
    rng, noise = random.Random(3), np.random.default_rng(0)
    verdicts = []
    for scale in (1, 1, 1, Fraction(2, 3), Fraction(2, 3)):
        X = [[rng.randint(-2, 2) for _ in range(2)] for _ in range(4)]
        y = [rng.randint(-2, 2) for _ in range(4)]
        problem = _with_region(X, y, REGIONS[name], output_weights=outputs)
        assert problem.region is not None
        W, A = problem.region.W, problem.region.A
        small = ProductRegion(replace(W, radius=W.radius * scale), replace(A, radius=A.radius * scale))
        problem = replace(problem, region=small)
        found = level_set_topology(problem, 2)
        orbits = orbits_in_region(found)
        assert set(components_in_region(found).parents) == {o.orbit for o in orbits if o.verdict == "meets"}
        for orbit in orbits:
            verdicts.append(orbit.verdict)
            member = next(k for k, c in enumerate(found.components) if c.orbit == orbit.orbit)
            if orbit.point is not None:
                assert point_loss(problem, orbit.point) <= found.level
                at = found.component_of(orbit.point)
                assert at is not None
                assert found.orbit_of[at] == orbit.orbit
            else:
                certificate = certify_region_avoids(found, member, orbit)
                assert check_certificate(certificate, problem_to_json(problem)).accepted
        _sample(problem, found.level, orbits[0].gauge, noise)
    assert set(verdicts) == {"meets", "avoids"}


def _sample(problem: Problem, level: Fraction, gauge: float, rng: np.random.Generator) -> None:
    """Random nets in the region never beat the level by more than the solver says they can."""
    region = problem.region
    assert region is not None
    W = rng.normal(size=(500, 2, 2))
    A = rng.normal(size=(500, 2))
    size = np.abs(W).max((1, 2)) if region.W.norm == "linf" else np.linalg.norm(W, 2, (1, 2))
    W *= float(region.W.radius) / size[:, None, None]
    A *= float(region.A.radius) / (np.abs(A).max(1) if region.A.norm == "linf" else np.linalg.norm(A, axis=1))[:, None]
    X = np.array([[float(v) for v in row] for row in problem.X])
    if problem.output_weights == "fixed":
        A = np.ones_like(A)
    f = np.einsum("knj,kj->kn", np.maximum(X @ W, 0), A)
    loss = ((f - [float(v) for v in problem.y]) ** 2).sum(1) / 2
    assert loss.min() >= float(level) - 1e-12


def test_the_two_balls_can_prefer_different_orbits() -> None:
    """Oracle: certificate. A box and a spectral ball, each of which meets only the orbit the other avoids (N6)."""
    X, y = [[1, 0], [2, 1], [1, 1], [-2, 1]], [1, 0, -1, -2]
    certified = []
    for norm, radius in (("linf", "5/4"), ("spectral", "8/5")):
        problem = _with_region(X, y, {"norm": norm, "radius": radius})
        found = level_set_topology(problem, 2)
        assert found.least_loss == 0
        verdicts = orbits_in_region(found)
        assert sorted(v.verdict for v in verdicts) == ["avoids", "meets"]
        (avoided,) = (v for v in verdicts if v.verdict == "avoids")
        member = found.orbit_of.index(avoided.orbit)
        certificate = certify_region_avoids(found, member, avoided)
        assert check_certificate(certificate, problem_to_json(problem)).accepted
        certified.append(avoided.orbit)
    assert sorted(certified) == [0, 1]


@pytest.mark.parametrize("norm", ["linf", "spectral"])
@pytest.mark.parametrize("radius", ["9/10", "13/10", "8/5"])
@pytest.mark.parametrize("width", [1, 2])
def test_components_inside_are_those_of_a_flooded_grid(norm: str, radius: str, width: int) -> None:
    """Oracle: independent implementation, a labelled grid of the two weights inside the ball."""
    X: list[list[int]] = [[1], [-1], [2]] if width == 2 else [[1, 0], [0, 1], [-1, -1], [2, -1]]
    y = [1, 1, "3/2", "1/2"][: len(X)]
    problem = _with_region(X, y, {"norm": norm, "radius": radius}, output_weights="fixed")
    grid = np.linspace(-2, 2, 1601)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    loss = np.zeros_like(a)
    for x, target in zip(X, problem.y, strict=True):
        f = np.maximum(x[0] * a, 0) + np.maximum(x[0] * b, 0) if width == 2 else np.maximum(x[0] * a + x[1] * b, 0)
        loss += (f - float(target)) ** 2 / 2
    size = np.maximum(abs(a), abs(b)) if norm == "linf" else np.hypot(a, b)
    for level in ("101/1000", "401/1000", "607/1000", "653/1000", "1129/1000", "1259/1000"):  # no ties
        expected = ndimage.label((loss <= float(Fraction(level))) & (size <= float(Fraction(radius))))[1]
        found = components_in_region(level_set_topology(problem, width, Fraction(level)))
        assert (found.components, found.undecided) == (expected, 0)


def test_mutated_evidence_is_rejected() -> None:
    """Oracle: by construction. A shape that is not definite, a negative multiplier, a larger region or another cell
    break the proof, here and in the checker."""
    problem = _with_region([[1, 0], [0, 1], [-1, 1]], [1, 1, 1], {"norm": "spectral", "radius": "4/5"})
    found = level_set_topology(problem, 2)
    cells, landscape = found.complex, found.complex.landscape
    member = found.orbit_cells()[0][0]
    proof = avoidance(cells, member, found.level)
    assert proof is not None
    assert proof.shape is not None
    assert is_avoided(landscape, proof, found.level)
    row, column = next((j, i) for j, mu in enumerate(proof.mu) for i, m in enumerate(mu) if m == 0)
    sly = [list(mu) for mu in proof.mu]
    sly[row][column] = Fraction(-1, 10**9)  # too small to break the inequality: the sign itself must be looked at
    mutants = [
        replace(proof, mu=tuple(map(tuple, sly))),
        replace(proof, nu=tuple(-v for v in proof.nu)),
        replace(proof, mu=((Fraction(-1), *proof.mu[0][1:]), *proof.mu[1:])),
        replace(proof, shape=tuple(tuple(-v for v in row) for row in proof.shape)),
    ]
    assert not any(is_avoided(landscape, mutant, found.level) for mutant in mutants)
    certificate = certify_region_avoids(found, 0)
    larger = {**problem_to_json(problem), "region": {"norm": "spectral", "radius": "8/5"}}
    assert check_certificate(certificate, problem_to_json(problem)).accepted
    assert not check_certificate(certificate, larger).accepted
    shorter = copy.deepcopy(certificate)
    del shorter["evidence"]["avoid"][0]
    assert not check_certificate(shorter, problem_to_json(problem)).accepted
    with pytest.raises(InputError, match="avoids"):
        certify_region_avoids(level_set_topology(problem_from_json(larger), 2), 0)


def test_membership_is_exact() -> None:
    """Oracle: by hand, at the boundary: equality is inside, anything beyond is not."""

    def point(*rows: tuple[int, int], scale: Fraction = Fraction(1)) -> tuple[Neuron, ...]:
        return tuple(Neuron((scale * a, scale * b), 1) for a, b in rows)

    over = 1 + Fraction(1, 10**12)
    ball = {"norm": "spectral", "radius": 5}
    X, y = [[1, 0], [0, 1]], [1, 1]
    for region, outputs, good, split in [
        ({"norm": "linf", "radius": 2}, "free", point((4, -4), (0, 1)), None),
        ({"norm": "linf", "radius": 2}, "fixed", point((2, -2), (0, 1)), None),
        ({"W": {"norm": "linf", "radius": 1}, "A": ball}, "free", point((3, 1), (0, 4)), None),
        (ball, "fixed", point((3, 4), (0, 0)), None),
        ({"W": ball, "A": {"norm": "linf", "radius": 1}}, "free", point((3, 4), (0, 0)), None),
        (ball, "free", point((15, 0), (0, 20)), [Fraction(9), Fraction(16)]),
    ]:
        problem = _with_region(X, y, region, output_weights=outputs)
        assert is_in_region(problem, good, split)
        beyond = tuple(Neuron(tuple(over * v for v in n.u), n.s) for n in good)
        assert not is_in_region(problem, beyond, split)
    with pytest.raises(InputError, match="give the problem a region"):
        orbits_in_region(level_set_topology(_with_region(X, y, None), 1))
