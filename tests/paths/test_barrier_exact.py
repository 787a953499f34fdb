"""The exact segment barrier against fractions, dense grids, closed forms, and what must not change it (S1)."""

import itertools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths_oracles import (
    baseline_at,
    forward,
    fraction_barrier,
    fraction_loss,
    losses_on_grid,
    random_net,
    teacher_pair,
)

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths import BASELINES, barrier_exact, polyline_barrier, segment_curve, segment_loss
from modeconn.paths import exact as exact_module


def _assert_encloses(found, exact):
    """The true value is in the stated interval, and the value found is within rounding of it."""
    low, high = exact
    assert Fraction(found.lower) <= high
    assert low <= Fraction(found.upper)
    assert abs(Fraction(found.barrier) - low) <= Fraction(1e-12) * (1 + Fraction(found.max_loss))


small = st.integers(-3, 3).map(lambda k: k / 2)
"""Few values: zero rows, dead neurons, duplicate points, coinciding breakpoints, equal weights all come up."""


@st.composite
def small_pairs(draw):
    d, m, n, c, bias, fixed = draw(
        st.sampled_from([(1, 1, 2, 1, False, True), (2, 2, 3, 1, True, False), (1, 3, 2, 2, False, False)])
    )

    def array(*shape):
        return np.array(draw(st.lists(small, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))).reshape(
            shape
        )

    nets = [Net(array(d, m), None if fixed else array(c, m), array(m) if bias else None) for _ in range(2)]
    return (*nets, array(n, d), array(n, c))


@given(small_pairs(), st.sampled_from(sorted(BASELINES)))
def test_degenerate_pairs_match_fractions(pair, baseline):
    """Independent implementation: brute force in fractions, on grids of halves where everything coincides."""
    _assert_encloses(barrier_exact(*pair, baseline=baseline), fraction_barrier(*pair, baseline))


@pytest.mark.parametrize("baseline", sorted(BASELINES))
@pytest.mark.parametrize("seed", range(6))
def test_gaussian_pairs_match_fractions(seed, baseline):
    """Independent implementation: brute force in fractions; these barriers are positive and inside."""
    pair = teacher_pair(np.random.default_rng(seed), n=3, d=2, m=4, c=1 + seed % 2, bias=seed % 3 > 0)
    found = barrier_exact(*pair, baseline=baseline)
    assert found.barrier > 0.0
    _assert_encloses(found, fraction_barrier(*pair, baseline))


@pytest.mark.parametrize("seed", range(8))
def test_without_sign_changes_the_rounding_is_still_covered(seed):
    """Independent implementation: fractions, where no sum over sign changes adds to the stated rounding."""
    rng = np.random.default_rng(seed)
    nets = [Net(rng.uniform(size=(2, 3)), rng.normal(size=(1, 3))) for _ in range(2)]
    X, Y = rng.uniform(size=(3, 2)), rng.normal(size=(3, 1))
    _assert_encloses(
        barrier_exact(*nets, X, Y, baseline="endpoint_mean"), fraction_barrier(*nets, X, Y, "endpoint_mean")
    )


def test_cancellation_stays_inside_the_stated_rounding():
    """Independent implementation: fractions, for outputs that are differences of terms of size 1e6."""
    rng = np.random.default_rng(7)
    net0, net1 = (random_net(rng, 2, 4) for _ in range(2))
    big = [
        Net(
            np.concatenate([n.W, n.W], 1), 1e6 * np.concatenate([n.A, -n.A * (1 + 1e-7)], 1), np.concatenate([n.b, n.b])
        )
        for n in (net0, net1)
    ]
    X = rng.normal(size=(3, 2))
    found = barrier_exact(*big, X, np.zeros((3, 1)), baseline="endpoint_max")
    low, high = fraction_barrier(*big, X, np.zeros((3, 1)), "endpoint_max")
    assert Fraction(found.lower) <= high
    assert low <= Fraction(found.upper)
    assert found.upper - found.lower < 1.0  # the squares of the terms are 1e12


@pytest.mark.parametrize(("n", "m", "c"), [(30, 64, 1), (40, 200, 3), (60, 300, 1)])
@pytest.mark.parametrize("baseline", sorted(BASELINES))
def test_many_cells_match_a_dense_grid(n, m, c, baseline):
    """Oracle: 4,001 forward passes and, around the maximum, 4,001 more; sizes that use many cells."""
    pair = teacher_pair(np.random.default_rng(n), n, 5, m, c)
    found = barrier_exact(*pair, baseline=baseline)
    grid = np.linspace(0.0, 1.0, 4001)
    for t in (grid, np.clip(found.argmax_t + 1e-3 * (grid - 0.5), 0.0, 1.0)):
        losses = losses_on_grid(*pair, t)
        excess = losses - baseline_at(baseline, found.loss_start, found.loss_end, t)
        assert excess.max() <= found.barrier + 1e-12 * found.max_loss
        assert losses.max() <= found.max_loss * (1 + 1e-12)
    assert found.barrier > 0.1 * found.max_loss
    assert excess.max() == pytest.approx(found.barrier, rel=1e-6)
    here = losses_on_grid(*pair, [found.argmax_t])[0]
    assert here - baseline_at(baseline, found.loss_start, found.loss_end, found.argmax_t) == pytest.approx(
        found.barrier
    )


def test_all_paths_through_the_search_agree(monkeypatch):
    """Conserved quantity: one cell or 256 of them, the same maximum."""
    pair = teacher_pair(np.random.default_rng(3), 40, 4, 200, 2)
    many = barrier_exact(*pair)
    monkeypatch.setattr(exact_module, "CELLS", 1)
    one = barrier_exact(*pair)
    assert one.barrier == pytest.approx(many.barrier, rel=1e-13)
    assert one.argmax_t == pytest.approx(many.argmax_t, abs=1e-7)


def test_closed_forms():
    """Closed form: f = |1 - 2t| against y, and f = 3 - 2t."""
    one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))
    x = np.array([[1.0]])
    for y in (1.0, 0.5, 2.0):
        found = barrier_exact(one, other, x, np.array([y]))
        peak = max(y * y / 2 - (1 - y) ** 2 / 2, 0.0)
        assert found.barrier == pytest.approx(peak, abs=1e-15)
        assert found.max_loss == pytest.approx(max(y * y / 2, (1 - y) ** 2 / 2), abs=1e-15)
    falling = barrier_exact(
        Net(np.array([[3.0]])), Net(np.array([[1.0]])), x, np.array([0.0]), baseline="endpoint_mean"
    )
    assert (falling.barrier, falling.argmax_t, falling.loss_start, falling.loss_end) == (2.0, 0.0, 4.5, 0.5)


def test_monotone_segment_has_half_the_gap_above_the_mean():
    """Closed form: with endpoint_mean a convex, monotone segment has barrier |L_0 - L_1| / 2, with the others 0."""
    net0, net1, x, y = Net(np.array([[1.0]])), Net(np.array([[2.0]])), np.array([[1.0]]), np.array([1.0])
    barriers = {name: barrier_exact(net0, net1, x, y, baseline=name).barrier for name in BASELINES}
    assert barriers == {"linear": 0.0, "endpoint_max": 0.0, "endpoint_mean": 0.25}


@pytest.mark.parametrize("baseline", ["linear", "endpoint_max"])
def test_identical_nets_have_no_barrier(baseline):
    """Closed form: a constant loss has barrier exactly 0, at t = 0."""
    net, _, X, Y = teacher_pair(np.random.default_rng(0), 30, 3, 200)
    found = barrier_exact(net, net, X, Y + 1.0, baseline=baseline)
    assert (found.barrier, found.argmax_t, found.lower) == (0.0, 0.0, 0.0)


def test_invariances():
    """Conserved quantity: permuting and rescaling neurons of both nets alike, adding dead ones, swapping the ends."""
    rng = np.random.default_rng(11)
    net0, net1, X, Y = teacher_pair(rng, 25, 4, 150, 2)
    found = barrier_exact(net0, net1, X, Y)
    assert found.barrier > 1.0
    order, scale = rng.permutation(150), 2.0 ** rng.integers(-3, 4, 150)

    def moved(net):
        return Net((net.W * scale)[:, order], (net.A / scale)[:, order], (net.b * scale)[order])

    def widened(net):
        return Net(np.pad(net.W, ((0, 0), (0, 5))), np.pad(net.A, ((0, 0), (0, 5))), np.pad(net.b, (0, 5)))

    for change in (moved, widened):
        again = barrier_exact(change(net0), change(net1), X, Y)
        assert again.barrier == pytest.approx(found.barrier, rel=1e-13)
        assert again.argmax_t == pytest.approx(found.argmax_t, abs=1e-7)
    swapped = barrier_exact(net1, net0, X, Y)
    assert swapped.barrier == pytest.approx(found.barrier, rel=1e-13)
    assert swapped.argmax_t == pytest.approx(1.0 - found.argmax_t, abs=1e-7)
    doubled = barrier_exact(net0, net1, np.concatenate([X, X]), np.concatenate([Y, Y]))
    assert doubled.barrier == pytest.approx(2.0 * found.barrier, rel=1e-13)


def test_missing_leaves_are_ones_and_zeros():
    """Conserved quantity: fixed output weights are ones, no bias is a bias of zero."""
    rng = np.random.default_rng(2)
    W0, W1, X, Y = rng.normal(size=(2, 5)), rng.normal(size=(2, 5)), rng.normal(size=(6, 2)), rng.normal(size=6)
    short = barrier_exact(Net(W0), Net(W1), X, Y)
    full = barrier_exact(*(Net(W, np.ones((1, 5)), np.zeros(5)) for W in (W0, W1)), X, Y[:, None])
    assert short == full


def test_polyline_through_points_of_the_segment_is_the_segment():
    """Conserved quantity: knots on the segment change nothing, for every baseline."""
    net0, net1, X, Y = teacher_pair(np.random.default_rng(5), 20, 3, 30)
    middle = [Net(*((1 - t) * a + t * b for a, b in zip(net0, net1, strict=True))) for t in (0.25, 0.5, 0.75)]
    for baseline in BASELINES:
        whole = barrier_exact(net0, net1, X, Y, baseline=baseline)
        chain = polyline_barrier([net0, *middle, net1], X, Y, baseline=baseline)
        assert chain.barrier == pytest.approx(whole.barrier, rel=1e-12)
        assert chain.max_loss == pytest.approx(whole.max_loss, rel=1e-12)
        assert chain.argmax_t == pytest.approx(whole.argmax_t, abs=1e-6)


def test_polyline_is_the_worst_of_its_legs():
    """Independent implementation: with endpoint_max the chain's maximum is that of its legs."""
    rng = np.random.default_rng(6)
    nets, X, Y = [random_net(rng, 3, 20) for _ in range(4)], rng.normal(size=(15, 3)), rng.normal(size=15)
    chain = polyline_barrier(nets, X, Y, baseline="endpoint_max")
    legs = [barrier_exact(a, b, X, Y) for a, b in itertools.pairwise(nets)]
    assert chain.max_loss == max(leg.max_loss for leg in legs)
    assert chain.barrier == pytest.approx(chain.max_loss - max(legs[0].loss_start, legs[-1].loss_end), rel=1e-13)
    assert (chain.loss_start, chain.loss_end) == (legs[0].loss_start, legs[-1].loss_end)
    assert 0 <= chain.argmax_t <= 1


def test_curve_is_the_loss():
    """Independent implementation: forward passes; the pieces also meet at their knots."""
    pair = teacher_pair(np.random.default_rng(8), 12, 3, 40, 2)
    curve = segment_curve(*pair)
    t = np.linspace(0.0, 1.0, 501)
    expected = losses_on_grid(*pair, t)
    np.testing.assert_allclose(curve(t), expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(segment_loss(*pair, t), expected, rtol=1e-12, atol=1e-12)
    powers = curve.knots[1:-1] ** np.arange(5)[:, None]
    jumps = np.diff(curve.coefficients, axis=1)
    assert np.abs((jumps * powers).sum(0)).max() < 1e-10


def test_runs_in_float64_whatever_the_setting():
    """Conserved quantity: with 64-bit floats off and float32 leaves on a device, the same result to the last bit."""
    net0, net1, X, Y = teacher_pair(np.random.default_rng(9), 10, 3, 20)
    single = [np.asarray(a, np.float32) for a in (*net0, *net1, X, Y)]
    wide = [a.astype(np.float64) for a in single]
    expected = barrier_exact(Net(*wide[:3]), Net(*wide[3:6]), wide[6], wide[7])
    with jax.enable_x64(False):
        arrays = [jnp.asarray(a) for a in single]
        assert arrays[0].dtype == jnp.float32
        assert barrier_exact(Net(*arrays[:3]), Net(*arrays[3:6]), arrays[6], arrays[7]) == expected
    assert isinstance(expected.barrier, float)
    exact = fraction_loss(Net(*wide[:3]), Net(*wide[3:6]), wide[6], wide[7], Fraction(expected.argmax_t))
    assert float(exact) == pytest.approx(
        losses_on_grid(Net(*wide[:3]), Net(*wide[3:6]), wide[6], wide[7], [expected.argmax_t])[0], rel=1e-12
    )


def _good():
    return Net(np.ones((2, 3)), np.ones((1, 3)), np.zeros(3)), np.ones((4, 2)), np.ones((4, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda n, X, Y: (n, Net(np.ones((2, 4)), np.ones((1, 4)), np.zeros(4)), X, Y), "widths 3 and 4"),
        (lambda n, X, Y: (n, Net(np.ones((3, 3)), np.ones((1, 3)), np.zeros(3)), X, Y), "W of shapes"),
        (lambda n, X, Y: (n, n._replace(b=None), X, Y), "only one of the nets has b"),
        (lambda n, X, Y: (n, n._replace(A=None), X, Y), "only one of the nets has A"),
        (lambda n, X, Y: (n, n._replace(W=n.W * np.nan), X, Y), "NaN"),
        (lambda n, X, Y: (n, n, X * np.inf, Y), "NaN or infinite"),
        (lambda n, X, Y: (n, n, X, Y * np.nan), "NaN or infinite"),
        (lambda n, X, Y: (n, n, X[:, :1], Y), "expected X of shape"),
        (lambda n, X, Y: (n, n, X[:0], Y[:0]), "expected X of shape"),
        (lambda n, X, Y: (n, n, X, Y[:3]), "expected Y of shape"),
        (lambda n, X, Y: (n, n, X, np.ones((4, 2))), "expected Y of shape"),
        (lambda n, X, Y: (n, n, X.astype(complex), Y), "real numbers"),
        (lambda n, X, Y: (n, n, [["1", "2"]] * 4, Y), "real numbers"),
        (lambda n, X, Y: (Net(np.ones((2, 0))), Net(np.ones((2, 0))), X, Y), "at least one neuron"),
        (lambda n, X, Y: (n._replace(W=n.W * 1e200), n._replace(W=n.W * 1e200), X, Y), "overflows"),
        (lambda n, X, Y: (n, n, X, Y, "half_square_error"), "did you mean 'half_squared_error'"),
        (lambda n, X, Y: (n, n, X, Y, "logistic", "endpoint_maximum"), "did you mean 'endpoint_max'"),
        (lambda n, X, Y: (n, n, X, Y * 3, "logistic"), "recode the classes"),
        (lambda n, X, Y: (n, n, X, Y, "logistic", "linear", 0.0), "positive tolerance"),
    ],
)
def test_bad_input_is_one_clear_line(change, message):
    """By construction: every kind of bad input is named, in one line."""
    with pytest.raises(InputError, match=message) as caught:
        barrier_exact(*change(*_good()))
    assert "\n" not in str(caught.value)


def test_polyline_needs_two_knots():
    """By construction."""
    net, X, Y = _good()
    with pytest.raises(InputError, match="at least two nets"):
        polyline_barrier([net], X, Y)


def test_oracle_agrees_with_itself():
    """The oracle's two routes to the loss, floats and fractions, agree."""
    net0, net1, X, Y = teacher_pair(np.random.default_rng(0), 3, 2, 3)
    assert float(fraction_loss(net0, net1, X, Y, 0)) == pytest.approx(
        0.5 * np.sum((forward(net0, X) - Y) ** 2), abs=1e-25
    )
