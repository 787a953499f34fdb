"""Parts of the study of wide nets: samples of a path, regions, learned chains, one pair."""

from __future__ import annotations

import numpy as np
import pytest

from modeconn.constructions import connect, region_from_text
from modeconn.data import Dataset
from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths import barrier_certified, polyline_barrier, polyline_barrier_on_grid
from modeconn.studies.connectivity_chain import learn_bends
from modeconn.studies.connectivity_nets import DataCase, load_case, region_of, train_case
from modeconn.studies.connectivity_pairs import bends_of, measure_pair
from modeconn.studies.connectivity_samples import live_neurons, sample_path

X = np.array([[1.0, 0.3], [-0.4, 1.0], [-0.8, -0.9], [0.5, -1.2]])


def _net(seed, m=24, c=1, size=0.2):
    rng = np.random.default_rng(seed)
    return Net(rng.uniform(-size, size, (2, m)), rng.uniform(-size, size, (c, m)))


def _loss(W, A, Y):
    """Half squared error, written out."""
    return 0.5 * float(np.sum((np.maximum(X @ W, 0.0) @ A.T - Y) ** 2))


def _predict(net):
    return np.maximum(X @ np.asarray(net.W), 0.0) @ np.asarray(net.A).T


@pytest.mark.parametrize(("text", "c"), [("spectral:1.5", 1), ("frobenius:2", 2), ("linf:0.2", 1)])
def test_samples_of_a_path(text, c) -> None:
    """Independent implementation: losses and norms by loops; the ends are the worst, by W1 and W4."""
    nets, Y = [_net(0, 40, c), _net(1, 40, c)], np.random.default_rng(2).normal(size=(4, c))
    region = region_from_text(text)
    found = connect(*nets, X, Y, region)
    seen = sample_path(found.path, X, Y, region, points=31)
    assert len(seen.t) >= 31
    assert seen.t[0] == 0
    assert seen.t[-1] == 1
    assert (np.diff(seen.t) > 0).all()
    radius = float(region.balls[0].radius)
    norms = {"spectral": lambda M: np.linalg.norm(M, 2), "frobenius": np.linalg.norm, "linf": lambda M: abs(M).max()}
    for t, loss, live, excess in zip(*seen, strict=True):
        net = found.path.net(float(t * found.path.pieces))
        W, A = np.asarray(net.W), np.asarray(net.A)
        assert loss == pytest.approx(_loss(W, A, Y), rel=1e-9)
        norm = norms[region.balls[0].norm]
        assert excess == pytest.approx(max(norm(W), norm(A)) / radius - 1, abs=1e-9)
        assert live == sum(bool(W[:, j].any()) and bool(A[:, j].any()) for j in range(40))
    assert seen.rise <= 1e-12
    assert seen.max_loss == pytest.approx(max(_loss(n.W, n.A, Y) for n in nets))
    assert seen.live[0] == 40
    assert seen.live.min() < 40
    assert seen.excess.max() <= 1e-12


def test_samples_see_a_path_that_is_bad() -> None:
    """Closed form: a 'path' through twice the net of norm 1 rises, and leaves the ball by the factor of two."""

    class Bad:
        pieces = 2

        def net(self, tau):
            scale = 2.0 if tau == 1.0 else 1.0
            return Net(scale * np.eye(2), np.array([[0.5, 0.5]]))

    region = region_from_text("spectral:1")
    seen = sample_path(Bad(), X, np.zeros((4, 1)), region, points=3)
    first = _loss(np.eye(2), np.array([[0.5, 0.5]]), 0.0)
    assert seen.rise == pytest.approx(3 * first)
    assert seen.argmax_t == 0.5
    assert seen.excess.tolist() == pytest.approx([0.0, 1.0, 0.0])
    with pytest.raises(InputError, match="at least 2 points"):
        sample_path(Bad(), X, np.zeros((4, 1)), region, points=1)


def test_live_neurons() -> None:
    """By construction."""
    assert live_neurons(np.array([[1.0, 0, 2, 0], [0, 0, 1, 3]]), np.array([[1.0, 1, 0, 2]])) == 2


@pytest.mark.parametrize("size", [0.1, 2.0])
def test_region_holds_all_nets_and_no_smaller_one_does(size) -> None:
    """Independent implementation: the norms; the floor is 1 / lambda where the ball is the optimizer's own."""
    nets = [_net(s, 9, size=size) for s in range(3)]
    for names, norm, floor in ((["muon"], 2, 1 / 0.3), (["adamw", "muon"], 2, 0.0), (["adamw", "lion"], None, 1.0)):
        region = region_of(names, nets)
        for ball, leaves in zip(region.balls, ([n.W for n in nets], [n.A for n in nets]), strict=True):
            largest = max(abs(leaf).max() if norm is None else np.linalg.norm(leaf, norm) for leaf in leaves)
            assert ball.norm == ("linf" if norm is None else "spectral")
            assert 0 <= float(ball.radius) - max(largest, floor) <= 2e-6
    assert region_of(["lion"], [_net(0, 9, c=2)]).kind == "gram"  # boxes are for one output
    with pytest.raises(InputError, match="at least one net"):
        region_of(["muon"], [])


def test_bends_lower_the_barrier_and_do_not_depend_on_the_batch() -> None:
    """Oracle: the exact barrier. A net and its permuted copy have a segment barrier, which a bend can avoid."""
    rng = np.random.default_rng(5)
    net = Net(rng.normal(size=(2, 8)), rng.normal(size=(1, 8)))
    Y = _predict(net)
    other = Net(3 * np.roll(net.W, 3, axis=1), np.roll(net.A, 3, axis=1) / 3)
    straight = polyline_barrier([net, other], X, Y).barrier
    one = learn_bends(*(Net(n.W[None], n.A[None]) for n in (net, other)), X, Y, steps=600)
    bend = Net(one.W[0], one.A[0])
    assert straight > 0.5
    assert polyline_barrier([net, bend, other], X, Y).barrier < 0.1 * straight
    starts, ends = (Net(np.stack([a.W, b.W]), np.stack([a.A, b.A])) for a, b in ((net, other), (other, net)))
    two = learn_bends(starts, ends, X, Y, steps=600)
    np.testing.assert_allclose(two.W[0], one.W[0], rtol=1e-3, atol=1e-4)
    with pytest.raises(InputError, match="equal shapes"):
        learn_bends(starts, Net(ends.W[:1], ends.A[:1]), X, Y)
    with pytest.raises(InputError, match="one step"):
        learn_bends(starts, ends, X, Y, steps=0)


def test_bends_of_pairs_of_different_width() -> None:
    """Conserved quantity: padding is dead and stays dead, so a narrow pair's bend is that of the pair alone."""
    data = Dataset(X, np.ones((4, 1)), "four points", "regression")
    narrow, wide = (_net(0, 3, size=1), _net(1, 3, size=1)), (_net(2, 7), _net(3, 7))
    together, alone = bends_of([narrow, wide], data, 50), bends_of([narrow], data, 50)
    assert [b.W.shape for b in together] == [(2, 3), (2, 7)]
    np.testing.assert_allclose(together[0].W, alone[0].W, rtol=1e-4, atol=1e-5)
    assert not np.allclose(together[0].W, 0.5 * (narrow[0].W + narrow[1].W), atol=1e-3)  # it has moved


def test_a_pair_measured_three_ways() -> None:
    """Certificates: the rational enclosure of the segment's barrier, the checker; a grid bounds the chain's below."""
    Y = np.array([[1.0], [-1.0], [0.5], [2.0]])
    data, ends, bend = Dataset(X, Y, "four points", "regression"), (_net(0), _net(1)), _net(2)
    row = measure_pair(ends, bend, data, region_from_text("spectral:1.5"), unit=2.0, certify=True)
    assert row["joined"]
    assert row["certified"] is True
    assert 0 <= row["barrier"] < 1e-12
    assert row["needed"] <= 24
    assert row["sampled_rise"] < 1e-12
    assert row["sampled_excess"] < 0
    assert row["loss_a"] == pytest.approx(_loss(ends[0].W, ends[0].A, Y) / 2)
    exact = barrier_certified(*ends, X, Y, baseline="endpoint_max")
    assert exact.lower / 2 - 1e-12 <= row["segment_barrier"] <= exact.upper / 2 + 1e-12
    grid = polyline_barrier_on_grid([ends[0], bend, ends[1]], X, Y, baseline="endpoint_max", points=2001).barrier / 2
    assert grid - 1e-9 <= row["chain_barrier"] <= grid + 1e-4
    largest = max(np.linalg.norm(bend.W, 2), np.linalg.norm(bend.A, 2))
    assert row["chain_excess"] == pytest.approx(largest / 1.5 - 1)
    tight = measure_pair((_net(0, 3), _net(1, 3)), _net(2, 3), data, region_from_text("spectral:1.5"), 2.0, True)
    assert not tight["joined"]
    assert tight["barrier"] is None
    assert tight["certified"] is None


def test_cases_and_training() -> None:
    """By construction: shapes, float64, one net a seed; the loss is below that of the zero net."""
    case = DataCase("digits", "digits", (4, 12), rows=9, components=2, classes=(0, 1, 2))
    assert load_case(case).X.shape == (9, 3)
    trained = train_case(case, ["lion"], 2, 60)
    assert set(trained.nets) == {("lion", 4), ("lion", 12)}
    assert trained.diverged == 0
    assert trained.zero_loss == pytest.approx(4.5)  # one-hot
    for (_, m), nets in trained.nets.items():
        assert [n.W.shape for n in nets] == [(3, m)] * 2
        assert nets[0].W.dtype == np.float64
        data = trained.data
        for net in nets:
            F = np.maximum(data.X @ net.W, 0) @ net.A.T
            assert 0.5 * np.sum((F - data.Y) ** 2) < 4.5
    with pytest.raises(InputError, match="widths"):
        DataCase("none", "digits", ())
