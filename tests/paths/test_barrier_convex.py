"""Bounds for convex losses against dense grids and closed forms."""

import math

import numpy as np
import pytest
from paths_oracles import baseline_at, forward, random_net, teacher_pair

from modeconn.losses import LOSSES
from modeconn.nets import Net
from modeconn.paths import barrier_exact, polyline_barrier
from modeconn.paths.convex import ConvexLeg
from modeconn.paths.inputs import checked_ends
from modeconn.paths.segment import segment_between

GRID = np.linspace(0.0, 1.0, 20001)


def _instance(loss, seed, n=15, m=25):
    rng = np.random.default_rng(seed)
    c = 3 if loss == "cross_entropy" else 1
    net0, net1, X, F = teacher_pair(rng, n, 3, m, c)
    net0, net1 = (net._replace(A=4.0 * net.A) for net in (net0, net1))
    return net0, net1, X, (np.eye(3)[F.argmax(1)] if c == 3 else np.where(F > 0, 1.0, -1.0))


def _values(loss, net0, net1, X, Y, grid):
    """Return the loss on the grid, in NumPy from its formula."""
    out = []
    for t in grid:
        F = forward(Net(*((1 - t) * a + t * b for a, b in zip(net0, net1, strict=True))), X)
        if loss == "logistic":
            out.append(np.logaddexp(0.0, -Y * F).sum())
        else:
            top = F.max(1, keepdims=True)
            out.append((top[:, 0] + np.log(np.exp(F - top).sum(1)) - (Y * F).sum(1)).sum())
    return np.array(out)


@pytest.mark.parametrize("baseline", ["linear", "endpoint_max", "endpoint_mean"])
@pytest.mark.parametrize("loss", ["logistic", "cross_entropy"])
def test_bounds_enclose_a_dense_grid(loss, baseline):
    """Oracle: 20,001 forward passes; the upper bound holds, the value is attained, and they are 1e-9 apart."""
    instance = _instance(loss, seed=1)
    found = barrier_exact(*instance, loss=loss, baseline=baseline)
    values = _values(loss, *instance, GRID)
    excess = (values - baseline_at(baseline, values[0], values[-1], GRID)).max()
    assert found.barrier > 0.01
    assert found.lower <= found.barrier <= found.upper
    assert excess <= found.upper
    assert values.max() <= found.max_loss + 1e-9
    assert excess == pytest.approx(found.barrier, abs=1e-4)  # the maximum may sit on a kink between two points
    here = _values(loss, *instance, [found.argmax_t])[0]
    attained = here - baseline_at(baseline, values[0], values[-1], found.argmax_t)
    assert attained == pytest.approx(found.barrier, abs=1e-11)
    assert found.upper - found.lower <= 2e-9
    assert found.method == "branch-and-bound"


def test_closed_form():
    """Closed form: f = |1 - 2t|, label +1: the loss is log 2 at t = 1/2 and log(1 + 1/e) at both ends."""
    one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))
    found = barrier_exact(one, other, np.array([[1.0]]), np.array([1.0]), loss="logistic")
    expected = math.log(2.0) - math.log1p(math.exp(-1.0))
    assert found.barrier == pytest.approx(expected, abs=1e-14)
    assert found.lower <= expected <= found.upper
    assert found.argmax_t == 0.5


@pytest.mark.parametrize("loss", ["logistic", "cross_entropy"])
def test_interval_is_returned_when_the_budget_is_spent(loss):
    """Oracle: dense grid. A coarse search still encloses the maximum, and says how well."""
    net0, net1, X, Y = _instance(loss, seed=2)
    segment = segment_between(*checked_ends(net0, net1, X, Y))
    values = _values(loss, net0, net1, X, Y, GRID)
    widths = []
    for budget in (0, 60, 100_000):
        peak = ConvexLeg(segment, LOSSES[loss], tolerance=1e-12, budget=budget).peak((0.0, 0.0))
        assert peak.value <= values.max() + 1e-4
        assert values.max() <= peak.upper + 1e-12
        widths.append(peak.upper - peak.value)
    assert widths[0] > 1e-6  # unmet tolerance, told
    assert widths[0] >= widths[1] >= widths[2]
    assert widths[2] <= 1e-12


def test_flat_loss_ends_at_once():
    """Closed form: equal nets, barrier 0."""
    net, _, X, Y = _instance("logistic", seed=3)
    found = barrier_exact(net, net, X, Y, loss="logistic")
    assert (found.barrier, found.argmax_t, found.lower) == (0.0, 0.0, 0.0)
    assert found.upper < 1e-8


def test_polyline_of_two_legs_with_a_knot_on_the_segment():
    """Conserved quantity: the knot changes nothing."""
    net0, net1, X, Y = _instance("logistic", seed=4)
    middle = Net(*((a + b) / 2 for a, b in zip(net0, net1, strict=True)))
    whole = barrier_exact(net0, net1, X, Y, loss="logistic")
    chain = polyline_barrier([net0, middle, net1], X, Y, loss="logistic")
    assert chain.barrier == pytest.approx(whole.barrier, abs=2e-9)


def test_squared_error_is_refused_here():
    """By construction: no Lipschitz constant, no upper bound."""
    rng = np.random.default_rng(0)
    net = random_net(rng, 2, 3)
    segment = segment_between(*checked_ends(net, net, rng.normal(size=(4, 2)), np.ones(4)))
    with pytest.raises(ValueError, match="no Lipschitz constant"):
        ConvexLeg(segment, LOSSES["half_squared_error"], 1e-9)
