"""Recombination: few non-negative weights with the same sums, at any rank, scale and size."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from modeconn.constructions.functionals import Functionals
from modeconn.constructions.null_space import null_space, walk_to_boundary
from modeconn.constructions.recombination import recombine
from modeconn.constructions.recombination_batch import recombine_batch


def neurons(seed, n, d, c, m):
    """Data and random neurons."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(d, m)), rng.normal(size=(c, m))


def exact_drift(M, t):
    """Largest exact change of a row, relative to the largest row sum of absolute values."""
    rows = [sum((Fraction(a) * (Fraction(w) - 1) for a, w in zip(row, t, strict=True)), Fraction(0)) for row in M]
    return float(max(map(abs, rows))) / float(np.abs(M).sum(1).max())


@pytest.mark.parametrize(("n", "d", "c", "m"), [(6, 3, 1, 60), (5, 2, 3, 31), (4, 3, 1, 400), (9, 4, 2, 35)])
def test_the_result_is_a_vertex_with_the_same_sums(n, d, c, m):
    """Oracle: exact sums in rationals; the columns of a vertex are independent, by singular values."""
    X, W, A = neurons(m, n, d, c, m)
    M = Functionals("gram", "gram").features(W, A, X)
    found = recombine(M)
    assert (found.t >= 0).all()
    assert found.support.sum() == found.rank == min(np.linalg.matrix_rank(M), m)
    singular = np.linalg.svd(M[:, found.support] / np.linalg.norm(M[:, found.support], axis=0), compute_uv=False)
    assert singular[-1] > 1e-9
    assert exact_drift(M, found.t) < 1e-15
    assert found.drift < 1e-15


def test_highs_finds_no_vertex_with_more_neurons():
    """Oracle: independent implementation; a vertex of the same polytope by HiGHS has at most rank M points too."""
    X, W, A = neurons(3, 5, 3, 1, 80)
    M = Functionals("gram", "gram").features(W, A, X)
    lp = linprog(np.random.default_rng(0).uniform(size=80), A_eq=M, b_eq=M.sum(1), bounds=(0, None), method="highs-ds")
    assert lp.status == 0
    assert (lp.x > 1e-9).sum() <= recombine(M).rank == np.linalg.matrix_rank(M)


@pytest.mark.parametrize("case", ["repeated points", "repeated data", "thin data", "dead neurons", "scales", "copies"])
def test_dependent_functionals_are_used_up(case):
    """Oracle: by construction, the rank is what the case leaves; the count of live neurons equals it."""
    X, W, A = neurons(11, 8, 3, 1, 120)
    expected = 8 + 6 + 1
    if case == "repeated data":
        X[4:] = X[:4]
        expected = 4 + 6 + 1
    if case == "thin data":
        X[:, 2] = 0.0
    if case == "dead neurons":
        W[:, 10:100], A[:, 10:100] = 0.0, 0.0
    if case == "scales":
        scale = 10.0 ** np.random.default_rng(0).uniform(-6, 6, 120)
        W, A = W * scale, A * scale
    if case == "copies":
        W, A = np.tile(W[:, :5], 24), np.tile(A[:, :5], 24)
        expected = 5
    if case == "repeated points":
        W[:, 60:], A[:, 60:] = W[:, :60], A[:, :60]
    M = Functionals("gram", "gram").features(W, A, X)
    found = recombine(M)
    assert found.rank == found.support.sum() <= expected
    assert found.rank == expected or case in ("dead neurons", "thin data")
    assert not found.support[np.linalg.norm(M, axis=0) == 0].any()
    assert exact_drift(M, found.t) < 2e-14


def test_traces_need_fewer_neurons():
    """Oracle: closed form, N = n c + 2 and n c + 1 for Frobenius balls (theory, section 2a)."""
    X, W, A = neurons(1, 4, 3, 2, 90)
    for rule, count in ((Functionals("trace", "trace"), 10), (Functionals("joint", "joint"), 9)):
        found = recombine(rule.features(W, A, X))
        assert rule.count(4, 3, 2) == count == found.rank


def test_nothing_is_done_when_nothing_is_dependent():
    """Oracle: by construction, independent columns leave one solution, t = 1."""
    found = recombine(np.random.default_rng(0).normal(size=(30, 12)) + 3.0)
    assert (found.t == 1.0).all()


def test_a_zero_net_has_no_live_neuron():
    """Oracle: by construction."""
    found = recombine(np.zeros((5, 7)))
    assert found.rank == 0
    assert not found.t.any()


def test_the_walk_stops_at_ties():
    """Oracle: by hand; two entries reach zero together."""
    K = np.array([[1.0], [1.0], [-1.0], [-1.0]]) / 2
    p = np.array([1.0, 1.0, 2.0, 2.0])
    live = walk_to_boundary(K.copy(), p)
    assert p.tolist() in ([0.0, 0.0, 3.0, 3.0], [3.0, 3.0, 0.0, 0.0])
    assert live.tolist() == np.flatnonzero(p).tolist()
    assert len(live) == 2


def test_the_null_space_is_orthonormal_and_complete():
    """Oracle: NumPy's singular values."""
    rng = np.random.default_rng(5)
    for rows, m, rank in ((7, 20, 7), (20, 12, 5), (9, 30, 4)):
        M = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, m))
        found = null_space(M)
        assert found.rank == rank
        np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(m - rank), atol=1e-13)
        assert np.abs(M @ found.basis).max() < 1e-12


def test_the_batch_agrees_with_rational_sums_and_says_where_it_fails():
    """Oracle: exact sums; dependent rows by construction, which the batch must flag instead of answering."""
    X, W, A = neurons(2, 6, 2, 1, 4 * 40)
    M = Functionals("gram", "gram").features(W, A, X)
    stack = np.stack([M[:, 40 * k : 40 * k + 40] for k in range(4)])
    stack[3, 1] = stack[3, 0]
    t, drift = recombine_batch(stack)
    for k in range(3):
        assert (t[k] >= 0).all()
        assert (t[k] > 0).sum() <= 10
        assert exact_drift(stack[k], t[k]) < 1e-14
        assert drift[k] < 1e-14
    assert not drift[3] < 1e-13


def test_negligible_points_free_their_slots():
    """Oracle: by construction; points 1e-20 of the others get weight 0, and the sums stay what they were."""
    rng = np.random.default_rng(0)
    M = np.concatenate([rng.uniform(0.5, 1.0, (4, 6)), 1e-20 * rng.uniform(0.5, 1.0, (4, 3))], axis=1)
    found = recombine(M)
    assert (found.t[6:] == 0).all()
    assert found.rank <= 4
    np.testing.assert_allclose(M @ found.t, M.sum(1), rtol=1e-14)
