"""Reductions inside boxes and by merging: how few neurons are left, and what they must keep."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog, nnls

import modeconn.constructions.cell_program as cell_program_module
from modeconn.constructions import connect
from modeconn.constructions.cell_bound import _least_distance, box_width
from modeconn.constructions.cell_classes import Classes, classes_of
from modeconn.constructions.cell_gauges import GaugePart, solve_gauges
from modeconn.constructions.cell_join import Reduced, shared_seats
from modeconn.constructions.cell_level import knot_loss_bounds
from modeconn.constructions.cell_linear import restored, vertex
from modeconn.constructions.cell_program import cell_program
from modeconn.constructions.cell_state import CellState, live_slots, state_of_weights
from modeconn.constructions.merged_classes import merged, merged_classes
from modeconn.constructions.scaled_cells import gauges, scaled, scaled_cells
from modeconn.nets import Net


@pytest.mark.parametrize("seed", range(4))
def test_scaling_leaves_at_most_n_neurons_and_the_total_gauge(cells, seed):
    """Oracle: closed form, live <= n + total gauge at a vertex; the total gauge by one generic linear program."""
    rng = np.random.default_rng(seed)
    n, d, m = 7, 3, 90
    X, nets = rng.normal(size=(n, d)), [cells.plain_net(seed + k, d, m, 1.0) for k in (0, 9)]
    pair = cells.pair_of(nets, X, np.zeros(n), "linf:1")
    reduced = scaled(pair, 0, m)
    start = state_of_weights(pair.W0, pair.A0)
    H = start.sign * np.maximum(X @ start.u.T, 0.0)
    caps = 1.0 / np.abs(start.u).max(axis=1)
    best = linprog(1.0 / caps, A_eq=H, b_eq=H.sum(axis=1), bounds=[(0, c) for c in caps])
    total = gauges(reduced.state, pair).sum()
    assert reduced.live <= n + best.fun + 1e-6
    assert total <= best.fun * (1 + 1e-6)  # concentrating a class can lower it further
    assert reduced.drift < 1e-13
    assert (np.abs(reduced.state.u).max(axis=1) ** 2 <= reduced.state.beta).all()
    assert (reduced.state.beta <= 1.0).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_cell_program_is_optimal(cells, seed):
    """Oracle: linear programming duality; nu bounds the total gauge from below by nu . f over all cells of the net."""
    rng = np.random.default_rng(seed)
    n, d, m = 6, 2, 50
    X = rng.normal(size=(n, d))
    nets = [cells.plain_net(seed + k, d, m, 0.5) for k in (0, 9)]
    pair = cells.pair_of(nets, X, np.zeros(n), "linf:1/2")
    found = cell_program(pair)
    assert found.joined, found.reason
    start = state_of_weights(pair.W0, pair.A0)
    classes = classes_of(pair.W0, start, X)
    reduced = found.path.state(1)
    total = gauges(reduced, pair).sum()
    # dual: max nu . f with max over v in each cell of s nu . D X v <= 1; caps do not bind here
    vertices = []
    for active, sign in zip(classes.active, classes.sign, strict=True):
        walls = np.concatenate([np.where(active, 1.0, -1.0)[:, None] * X, np.eye(d), -np.eye(d)])
        heights = np.concatenate([np.zeros(n), -np.ones(2 * d)])
        for i in range(len(walls)):
            for j in range(i):
                if abs(np.linalg.det(walls[[i, j]])) > 1e-12:
                    v = np.linalg.solve(walls[[i, j]], heights[[i, j]])
                    if (walls @ v >= heights - 1e-9).all():
                        vertices.append(0.25 * sign * active * (X @ v))
    f = (start.sign * np.maximum(X @ start.u.T, 0.0)).sum(axis=1)
    dual = linprog(-f, A_ub=np.array(vertices), b_ub=np.ones(len(vertices)), bounds=(None, None))
    uncapped = (classes.sizes >= np.ceil(classes.sums(gauges(reduced, pair)))).all()
    assert uncapped
    assert total == pytest.approx(-dual.fun, rel=1e-4) or found.live0 < classes.count
    assert total >= -dual.fun * (1 - 1e-9)


def test_a_trained_net_of_width_320_on_8_points_has_7_live_neurons():
    """Oracle: claim W4; AdamW on 8 points in 3 dimensions inside its own box, in plain NumPy."""
    rng = np.random.default_rng(0)
    n, d, m, decay, rate = 8, 3, 320, 0.5, 2e-3
    X, y = rng.normal(size=(n, d)), rng.normal(size=n)
    nets = []
    for seed in (1, 2):
        draw = np.random.default_rng(seed)
        theta = [draw.normal(size=(d, m)) * (2 / d) ** 0.5, draw.normal(size=(1, m)) * (2 / m) ** 0.5]
        moments = [[np.zeros_like(p), np.zeros_like(p)] for p in theta]
        for step in range(1, 2001):
            W, A = theta
            P = X @ W
            r = np.maximum(P, 0.0) @ A[0] - y
            gradients = [X.T @ (r[:, None] * (P > 0) * A), (r @ np.maximum(P, 0.0))[None]]
            eps = rate * 0.5 * (1 + math.cos(math.pi * step / 2000))
            for p, g, (first, second) in zip(theta, gradients, moments, strict=True):
                first += 0.1 * (g - first)
                second += 0.001 * (g * g - second)
                p *= 1 - eps * decay
                p -= eps * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        nets.append(Net(*(np.clip(p, -2, 2) for p in theta)))
    found = connect(*nets, X, y, "linf:2", construction="cell-program")
    assert found.joined
    assert max(found.live0, found.live1) <= 8
    assert min(found.live0, found.live1) <= 7
    assert found.needed <= 16
    assert float(found.level) < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_solutions_keep_off_the_sides_of_their_cells(seed):
    """Oracle: the constraint of the program; a class on a facet could be rounded to either side of it."""
    rng = np.random.default_rng(seed)
    n, d = 6, 2
    X, U = rng.normal(size=(n, d)), rng.normal(size=(14, d))
    active = X @ U.T > 0
    part = GaugePart(active.T, np.where(np.arange(14) < 9, 1.0, -1.0), np.full(14, 50), U, np.arange(14))
    found = solve_gauges(X, [part], np.ones(14))
    assert found is not None
    (V,), g = found
    used = np.abs(V).max(axis=1) > 0
    sides = np.where(active.T, 1.0, -1.0) * (V @ X.T)
    assert (sides[used] > 1e-9 * g[used, None]).all()
    kept = part.sign @ np.where(active.T, V @ X.T, 0.0)
    np.testing.assert_allclose(kept, part.sign @ np.maximum(U @ X.T, 0.0), atol=1e-13)


def test_neurons_that_rounding_put_on_two_sides_do_not_share_a_slot():
    """Oracle: by construction; one class, u on the hyperplane x_2 . u = 0 up to 1e-17 either way."""
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    classes = Classes(np.array([0, 0, 0]), np.array([[True, False]]), np.ones(1))

    def reduced(tiny):
        state = CellState(np.array([[1.0, tiny], [0.0, 0.0], [0.0, 0.0]]), np.array([1.0, 0.0, 0.0]), np.ones(3))
        return Reduced(state, classes, "", 0.0)

    assert shared_seats(reduced(-1e-17), reduced(-1e-17), X)[1] == 1
    seat, needed = shared_seats(reduced(-1e-17), reduced(1e-17), X)
    assert needed == 2
    assert seat.tolist() == [1, -1, -1]


def test_too_narrow_is_refused_with_the_numbers(cells):
    """Oracle: claim W4 and its control, no dead slot: live0 + live1 slots are not there."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    nets = [cells.plain_net(k, 4, 12, 1.0) for k in (1, 2)]
    for name in ("scaled-cells", "cell-program"):
        found = connect(*nets, X, np.zeros(30), "linf:1", construction=name)
        assert not found.joined
        assert found.needed > found.width == 12
        assert f"{found.needed} slots needed, width 12" in found.reason


def test_the_cell_program_joins_what_scaling_does_not(cells):
    """Oracle: certificate, on pairs of which scaling cannot join all at this width."""
    X, y = np.random.default_rng(3).normal(size=(12, 2)), np.zeros(12)
    joined = {"scaled-cells": 0, "cell-program": 0}
    for seed in range(6):
        nets = [cells.plain_net(100 * seed + k, 2, 18, 1.0) for k in (1, 2)]
        for name in joined:
            found = connect(*nets, X, y, "linf:1", construction=name)
            joined[name] += found.joined
            if found.joined:
                assert cells.accepted(found, nets, X, y, "linf:1").accepted
    assert joined["cell-program"] > joined["scaled-cells"]


@pytest.mark.parametrize(("n", "m", "seed", "most"), [(5, 8, 24, 7), (6, 7, 39, 6)])
def test_the_joint_program_joins_what_separate_reductions_do_not(cells, monkeypatch, n, m, seed, most):
    """Oracle: certificate; pairs found by search whose separate reductions need more slots than there are."""
    X, y = np.random.default_rng(n).normal(size=(n, 2)), np.zeros(n)
    nets = []
    for k in (1, 2):
        rng = np.random.default_rng(100 * seed + k)
        nets.append(Net(rng.uniform(-1, 1, (2, m)), rng.uniform(-1, 1, (1, m))))
    found = connect(*nets, X, y, "linf:1", construction="cell-program")
    assert found.joined
    assert found.needed <= most
    assert cells.accepted(found, nets, X, y, "linf:1").accepted
    separate = cell_program_module.least_gauges
    monkeypatch.setattr(cell_program_module, "least_gauges", lambda p, b, k: separate(p, b, k) if len(b) == 1 else None)
    assert not connect(*nets, X, y, "linf:1", construction="cell-program").joined


@pytest.mark.parametrize("region", ["spectral:4", "joint-frobenius:9"])
def test_merging_never_raises_the_gram_matrices(cells, region):
    """Oracle: conserved quantity; the prediction and |alpha|_2 stay, W W^T falls, at most 2 P neurons are left."""
    X, y = cells.awkward_data(4)
    nets = [cells.awkward_net(k, m=60) for k in (1, 2)]
    pair = cells.pair_of(nets, X, y, region)
    reduced = merged(pair, 0)
    start = state_of_weights(pair.W0, pair.A0)
    live = live_slots(reduced.state)
    u, beta = reduced.state.u[live], reduced.state.beta[live]
    before = (pair.W0 * live_slots(start)) @ (pair.W0 * live_slots(start)).T
    assert np.linalg.eigvalsh(before - (u.T / beta) @ u).min() >= -1e-12
    assert beta.sum() <= start.beta.sum() * (1 + 1e-14)
    assert reduced.drift < 1e-15
    signs = {tuple(row) for row in (X @ np.random.default_rng(0).normal(size=(2, 20_000)) > 0).T}
    assert reduced.live <= 2 * sum(any(row) for row in signs)


def test_classes_of_both_nets_share_slots():
    """Oracle: closed form; d = 1 and two opposite points have 2 active patterns, so 4 slots do for any two nets."""
    rng = np.random.default_rng(0)
    X, y = np.array([[1.0], [-1.0]]), np.zeros(2)
    nets = [Net(rng.normal(size=(1, 5)), rng.normal(size=(1, 5))) for _ in range(2)]
    found = merged_classes(_pair(nets, X, y, "spectral:9"))
    assert found.needed <= 4
    assert found.joined


def test_a_silent_net_reduces_to_nothing():
    """Oracle: by construction; no neuron is active anywhere."""
    X, y = np.array([[1.0], [2.0]]), np.ones(2)
    nets = [Net(-np.ones((1, 3)), np.ones((1, 3))), Net(np.zeros((1, 3)), np.ones((1, 3)))]
    for region, name in (("linf:1", "scaled-cells"), ("linf:1", "cell-program"), ("spectral:2", "merged-classes")):
        found = connect(*nets, X, y, region, construction=name)
        assert found.joined, found.reason
        assert (found.live0, found.live1) == (0, 0)
        assert 1.0 <= float(found.level) < 1.0 + 1e-13
    assert connect(*nets, X, y, "spectral:2,linf:1", construction="mixed-program").live0 == 0


@pytest.mark.parametrize("seed", range(4))
def test_vertices_are_basic_solutions(seed):
    """Oracle: the definition; entries between their bounds have independent columns, and M g = f to rounding."""
    rng = np.random.default_rng(seed)
    M, g = rng.normal(size=(5, 40)), rng.uniform(size=40)
    found = vertex(M, M @ g, np.ones(40), np.ones(40))
    assert found is not None
    between = (found > 0) & (found < 1)
    assert between.sum() <= 5
    assert np.linalg.matrix_rank(M[:, between]) == between.sum()
    np.testing.assert_allclose(M @ found, M @ g, atol=1e-13)
    assert found.sum() <= g.sum()


def test_equations_are_restored_to_rounding():
    """Oracle: by construction; a support that is off by 1e-7 comes back, bounds and other entries stay."""
    rng = np.random.default_rng(0)
    M, g = rng.normal(size=(6, 12)), np.concatenate([rng.uniform(0.2, 0.8, 6), np.zeros(3), np.ones(3)])
    free = (g > 0) & (g < 1)
    found = restored(M, M @ g, g + 1e-7 * free, free, np.ones(12))
    np.testing.assert_allclose(found, g, atol=1e-13)


def test_the_a_priori_width_of_two_opposite_points():
    """Oracle: closed form. V = {+-e_1, +-e_2}: the segment e_1 e_2 is at 1 / sqrt 2; R = sqrt 2."""
    found = box_width(np.array([[1.0], [-1.0]]), np.array([1.0, 1.0]), 1.0, 1.0, 0.0)
    assert found is not None
    assert found.delta == pytest.approx(math.sqrt(0.5))
    assert found.gauge == pytest.approx(2.0)
    assert (found.width, found.shared_width) == (12, 9)
    half = box_width(np.array([[1.0], [-1.0]]), np.array([1.0, 1.0]), 0.5, 1.0, 0.0)
    assert half is not None
    assert half.delta == pytest.approx(0.5 * found.delta)


@pytest.mark.parametrize("seed", range(4))
def test_the_least_distance_of_hulls(seed):
    """Oracle: independent implementation; every set of vectors by non-negative least squares with sum c = 1."""
    rng = np.random.default_rng(seed)
    V = rng.normal(size=(8, 3))
    distances = []
    for k in range(1, 9):
        for chosen in itertools.combinations(range(8), k):
            L = np.concatenate([V[list(chosen)].T, np.full((1, k), 1e3)])
            c = nnls(L, np.array([0.0, 0.0, 0.0, 1e3]))[0]
            distances.append(np.linalg.norm(V[list(chosen)].T @ c) / c.sum())
    expected = min(value for value in distances if value > 1e-4)
    assert _least_distance(V) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_loss_bounds_hold_exactly(cells, seed):
    """Oracle: the loss in rationals, of nets that fit their targets to rounding."""
    rng = np.random.default_rng(seed)
    X, net = rng.normal(size=(5, 3)), cells.plain_net(seed, 3, 20, 1.0)
    state = state_of_weights(net.W, net.A)
    y = np.array([math.fsum(column) for column in state.sign * np.maximum(state.u @ X.T, 0.0).T])
    pair = cells.pair_of([net, net], X, y, "linf:1")
    (bound,) = knot_loss_bounds(pair, CellState(*(leaf[None] for leaf in state)))
    exact = Fraction(0)
    for x, target in zip(X, y, strict=True):
        f = Fraction(0)
        for w, a in zip(net.W.T, net.A[0], strict=True):
            z = sum((Fraction(float(p)) * Fraction(float(q)) for p, q in zip(w, x, strict=True)), Fraction(0))
            f += Fraction(float(a)) * max(z, Fraction(0))
        exact += (f - Fraction(float(target))) ** 2 / 2
    assert exact <= Fraction(bound)
    assert exact > 0
    assert bound < 1e-26


@pytest.mark.parametrize("seed", range(3))
def test_pairs_at_the_a_priori_width_are_joined(cells, seed):
    """Oracle: claim W3; at the sharper width the construction cannot refuse."""
    rng = np.random.default_rng(seed)
    X, y = rng.integers(-2, 3, (3, 2)).astype(float), rng.integers(-1, 2, 3).astype(float)
    nets = [cells.plain_net(50 + 2 * seed + k, 2, 1, 1.0) for k in (0, 1)]
    losses = [0.5 * ((np.maximum(X @ net.W, 0) @ net.A[0] - y) ** 2).sum() for net in nets]
    bound = box_width(X, y, 1.0, 1.0, max(losses))
    assert bound is not None
    m = min(bound.shared_width, 400)
    wide = [cells.plain_net(50 + 2 * seed + k, 2, m, 1.0) for k in (0, 1)]
    wide = [Net(net.W, net.A * min(1.0, 4.0 / m)) for net in wide]
    found = connect(*wide, X, y, "linf:1", construction="cell-program")
    assert found.joined, found.reason
    assert found.needed <= bound.shared_width


def _pair(nets, X, y, region):
    from modeconn.constructions import checked_pair

    return checked_pair(*nets, X, y, region)


def test_scaled_cells_of_equal_nets_share_every_slot(cells):
    """Oracle: by construction; a net and itself need no more slots than its reduction."""
    X = np.random.default_rng(0).normal(size=(5, 2))
    net = cells.plain_net(0, 2, 30, 1.0)
    found = scaled_cells(cells.pair_of([net, net], X, np.zeros(5), "linf:1"))
    assert found.needed == found.live0 == found.live1


@pytest.mark.parametrize("power", [-30, -15, 15, 25])
def test_the_cell_program_in_any_unit_of_the_data(cells, power):
    """Closed form: the program is homogeneous in every data point, so the neurons left do not depend on its unit."""
    found = []
    for unit in (1.0, 10.0**power):
        rng = np.random.default_rng(2)
        X, nets = rng.normal(size=(6, 3)), [cells.plain_net(k, 3, 26, 1.0) for k in (2, 9)]
        found.append(cell_program(cells.pair_of(nets, X * unit, np.zeros(6), "linf:1")))
    assert (found[0].live0, found[0].live1, found[0].needed) == (found[1].live0, found[1].live1, found[1].needed)
    assert "least total gauge" in found[1].reason
