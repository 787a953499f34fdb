"""Muon's ball at width N - 1 and below: the balanced climb, rigid nets of least radius, and their counts."""

import math
from fractions import Fraction

import numpy as np
import pytest

from modeconn.capacity import least_radius, type_system
from modeconn.constructions import checked_pair, connect_pair, problem_to_json
from modeconn.constructions.balanced_climb import BalancedFunctionals, balanced_climb
from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.studies.sharp_cases import (
    polygon_rows,
    polyhedron_rows,
    polytope_components,
    simplex_rows,
    tight_set,
    triangle_vertices,
    vertex_live,
)
from modeconn.studies.sharp_widths import DRAWS, threshold, try_width
from proofs_check.checker import check_certificate

TARGETS = (Fraction(1), Fraction(11, 10), Fraction(13, 10))


def pair_at(seed, n, d, m, norm):
    """Two nets of width m in unequal balls of one kind that the worse one fills, and the checker's problem."""
    rng = np.random.default_rng(seed)
    nets = [Net(rng.normal(size=(d, m)), rng.normal(size=(1, m))) for _ in range(2)]
    order = 2 if norm == "spectral" else None
    radii = [
        max(float(np.linalg.norm(leaf, order)) for leaf in leaves)
        for leaves in zip(*[(q.W, q.A) for q in nets], strict=True)
    ]
    region = f"{norm}:{radii[0] * (1 + 1e-12):.15g},{norm}:{radii[1] * (1 + 1e-12):.15g}"
    X, y = rng.normal(size=(n, d)), rng.normal(size=n)
    return nets, checked_pair(*nets, X, y, region), problem_to_json(*nets, X, y, region), radii


@pytest.mark.parametrize("norm", ["spectral", "frobenius"])
@pytest.mark.parametrize(("n", "d"), [(2, 1), (4, 2), (3, 3)])
def test_one_neuron_fewer_than_n_is_enough(norm, n, d):
    """Oracle: certificate; then forward passes and singular values along the path, and the nets at its ends."""
    m = n + (d * (d + 1) // 2 if norm == "spectral" else 1)
    for seed in range(4):
        nets, pair, problem, radii = pair_at(seed, n, d, m, norm)
        found = balanced_climb(pair)
        assert found.joined, found.reason
        assert found.needed <= m
        verdict = check_certificate(found.certificate(), problem)
        assert verdict.accepted, verdict.reason
        states = found.path.nets(np.linspace(0, found.path.pieces, 16 * found.path.pieces + 1))
        F = np.einsum("nkm,km->kn", np.maximum(np.einsum("nd,kdm->nkm", pair.X, states.W), 0), states.A[:, 0])
        losses = 0.5 * ((F - pair.Y[:, 0]) ** 2).sum(1)
        assert losses.max() <= max(losses[0], losses[-1]) * (1 + 1e-9)
        order = 2 if norm == "spectral" else "fro"
        for leaf, radius in zip((states.W, states.A), radii, strict=True):
            assert np.linalg.norm(leaf, order, axis=(1, 2)).max() <= radius * (1 + 1e-9)
        assert np.array_equal(states.W[0], nets[0].W)
        assert np.array_equal(states.W[-1], nets[1].W)


def test_the_plain_climb_needs_one_neuron_more():
    """Theory W1: generic nets that all see data are refused at N - 1 by the climb over N functionals."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, m = np.abs(rng.normal(size=(4, 2))), 7
        nets = [Net(np.abs(rng.normal(size=(2, m))), rng.normal(size=(1, m))) for _ in range(2)]
        pair = checked_pair(*nets, X, rng.normal(size=4), "spectral:20")
        plain, balanced = connect_pair(pair, "tau-climb"), balanced_climb(pair)
        assert not plain.joined or plain.rank < plain.functionals
        assert balanced.joined


@pytest.mark.parametrize(("region", "outputs"), [("linf:9", 1), ("spectral:9,frobenius:9", 1), ("spectral:9", 2)])
def test_other_regions_are_refused_with_a_remedy(region, outputs):
    """By construction."""
    net = Net(np.ones((2, 3)), np.ones((outputs, 3)))
    with pytest.raises(InputError, match="use connect"):
        balanced_climb(checked_pair(net, net, np.eye(2), np.zeros((2, outputs)), region))


def test_balanced_functionals_are_prediction_and_a_sum_of_gram_matrices():
    """Independent implementation: sums over the neurons, off-diagonal entries times sqrt 2."""
    rng = np.random.default_rng(0)
    W, A, X = rng.normal(size=(2, 5)), rng.normal(size=(1, 5)), rng.normal(size=(3, 2))
    total = BalancedFunctionals("gram", "gram", 2.0, 3.0).features(W, A, X).sum(1)
    block = W @ W.T / 4 + (A @ A.T) / 9 * np.eye(2)
    assert total[:3] == pytest.approx((np.maximum(X @ W, 0) @ A.T)[:, 0], rel=1e-13)
    assert total[3:] == pytest.approx([block[0, 0], math.sqrt(2) * block[0, 1], block[1, 1]], rel=1e-13)
    traces = BalancedFunctionals("trace", "trace", 2.0, 3.0).features(W, A, X).sum(1)
    assert traces[3:] == pytest.approx([(W**2).sum() / 4 + (A**2).sum() / 9], rel=1e-13)


def test_vertices_of_the_triangle_are_nets_of_least_radius():
    """Independent: forward passes, Gram matrices, and the least radius from a convex program on the rounded data."""
    X, y = polygon_rows(3), np.array([float(v) for v in TARGETS])
    square = float(sum(TARGETS)) / math.sqrt(2)
    found = triangle_vertices(TARGETS)
    assert len(found) == 2
    for vertex in found:
        amounts = np.array([float(v) for v in vertex.amounts]) / math.sqrt(2)
        w = np.array([X[k] if k < 3 else -X[k - 3] for k in vertex.support]).T * np.sqrt(2 * amounts)
        alpha = np.sqrt(amounts)
        assert np.maximum(X @ w, 0) @ alpha == pytest.approx(y, abs=1e-14)
        assert w @ w.T == pytest.approx(square * np.eye(2), abs=1e-14)
        assert alpha @ alpha == pytest.approx(square, abs=1e-14)
    capacity = least_radius(type_system(X.tolist(), y.tolist()))
    assert capacity.lower**2 == pytest.approx(square, rel=1e-6)
    assert capacity.upper**2 == pytest.approx(square, rel=1e-6)


def test_components_of_the_triangle():
    """Theory W1, sharpness: 2 * 5! isolated points at m = 5 = N - 2, connected from m = 6 = N - 1 on."""
    found = triangle_vertices(TARGETS)
    assert [polytope_components(found, m) for m in (4, 5, 6, 7)] == [0, 240, 1, 1]
    single = triangle_vertices([Fraction(1)] * 3)  # equal targets: the segment between p = 0 and q = 0
    assert [len(v.support) for v in single] == [3, 3]
    assert [polytope_components(single, m) for m in (2, 3, 4, 5, 6)] == [0, 12, 2, 2, 1]


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_tight_directions_of_polygons_are_the_maxima_on_a_circle(n):
    """Independent implementation: a fine grid of angles."""
    X, found = polygon_rows(n), tight_set(polygon_rows(n))
    angles = np.arange(40000) * (2 * np.pi / 40000)
    grid = np.maximum(X @ np.stack([np.cos(angles), np.sin(angles)]), 0).sum(0)
    values = np.maximum(X @ found.directions.T, 0).sum(0)
    assert values == pytest.approx(np.full(len(values), grid.max()), abs=1e-8)
    peaks = (grid >= np.roll(grid, 1)) & (grid > np.roll(grid, -1)) & (grid > grid.max() - 1e-6)
    assert peaks.sum() == len(values)


def test_rigid_nets_never_have_more_than_n_minus_2_neurons():
    """The bound proved in the module; it is attained by simplices of even dimension."""
    for X in (polygon_rows(5), simplex_rows(3), polyhedron_rows("octahedron"), polyhedron_rows("cube")):
        found = tight_set(X)
        assert vertex_live(found, X) <= found.rank <= found.functionals - 2
    for d in (2, 4):
        X = simplex_rows(d)
        inner = np.eye(d + 1) * (1 + 1 / d) - 1 / d
        assert np.allclose(X @ X.T, inner, atol=1e-14)
        assert vertex_live(tight_set(X), X) == tight_set(X).functionals - 2


@pytest.mark.parametrize("kind", list(DRAWS))
def test_every_kind_of_pair_is_joined_one_below_the_threshold(kind):
    """Theory: width N - 1; oracle: certificates."""
    n, d = (3, 2) if kind == "triangle" else (4, 2)
    for seed in range(4):
        trial = try_width(kind, n, d, threshold(n, d) - 1, seed, ("balanced-climb",))
        assert trial.accepted, trial.reason
