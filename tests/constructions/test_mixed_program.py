"""Mixed regions: what the programs achieve, and widths at which nothing can join two nets."""

import numpy as np
import pytest

import modeconn.constructions.mixed_program as mixed
from modeconn.constructions import connect
from modeconn.constructions.cell_state import state_of_weights, weights_of_state
from modeconn.constructions.merged_classes import merged
from modeconn.constructions.mixed_program import least_parts, rescaled
from modeconn.nets import Net

TWO_POINTS = np.array([[1.0], [-1.0]])
ONES = np.ones(2)


def rigid(counts, radius_w, width):
    """Equal neurons, ``counts`` of them on the two sides, |alpha| = 1, that predict 1 on both points."""
    w = [1.0 / counts[0]] * counts[0] + [-1.0 / counts[1]] * counts[1] + [0.0] * (width - sum(counts))
    a = [1.0] * sum(counts) + [0.0] * (width - sum(counts))
    assert np.linalg.norm(w) <= radius_w
    return Net(np.array([w]), np.array([a]))


def test_two_rigid_nets_are_not_joined_and_one_more_slot_joins_them(cells):
    """Oracle: closed form. Counts (N1, N2) are feasible iff 1/N1 + 1/N2 <= r^2 = 3/2 and a little."""
    radius = 1.2248
    for hidden in ("spectral", "frobenius"):
        region = f"{hidden}:{radius},linf:1"
        narrow = [rigid(counts, radius, 3) for counts in ((1, 2), (2, 1))]
        found = connect(*narrow, TWO_POINTS, ONES, region, construction="mixed-program")
        assert not found.joined
        assert (found.live0, found.live1, found.needed) == (3, 3, 4)
        wide = [rigid(counts, radius, 5) for counts in ((1, 2), (2, 1))]
        found = connect(*wide, TWO_POINTS, ONES, region, construction="mixed-program")
        assert found.joined, found.reason
        assert found.needed == 4
        assert cells.accepted(found, wide, TWO_POINTS, ONES, region).accepted


@pytest.mark.parametrize("width", [4, 6, 10])
def test_no_width_is_uniform_in_the_radii(width):
    """Oracle: closed form; at r^2 = 1 + 1/(m - 1) the net with counts (1, m - 1) is rigid, at every m."""
    radius = float(np.sqrt(1 + 1 / (width - 1))) * (1 + 1e-9)
    nets = [rigid(counts, radius, width) for counts in ((1, width - 1), (width - 1, 1))]
    found = connect(*nets, TWO_POINTS, ONES, f"spectral:{radius!r},linf:1", construction="mixed-program")
    assert not found.joined
    assert found.live0 == found.live1 == width


@pytest.mark.parametrize("region", ["spectral:2,linf:0.4", "linf:0.5,spectral:3", "frobenius:4,linf:0.4"])
def test_rescaling_leaves_few_neurons_and_keeps_the_gram_functions(cells, region):
    """Oracle: counting rows of the program, and conserved quantities (merging may lower W W^T further)."""
    rng = np.random.default_rng(0)
    n, d, m = 30, 3, 150
    X = rng.normal(size=(n, d))
    nets = [Net(rng.normal(size=(d, m)) / m**0.5, rng.uniform(-0.2, 0.2, (1, m))) for _ in range(2)]
    pair = cells.pair_of(nets, X, np.zeros(n), region)
    reduced = rescaled(pair, 0, m)
    assert reduced is not None
    rows = n + (d * (d + 1) // 2 if region.startswith("spectral") else 1)
    assert reduced.live <= rows + m // 4
    assert reduced.drift < 1e-13
    before = state_of_weights(pair.W0, pair.A0)
    W0 = pair.W0 * (reduced.classes.label >= 0)  # without neurons that are active nowhere
    W1, _ = weights_of_state(reduced.state)
    G0, G1 = W0 @ W0.T, W1 @ W1.T
    if region.startswith("spectral"):
        assert np.linalg.eigvalsh(G0 - G1).min() >= -1e-12
        assert reduced.live <= len(np.unique(reduced.classes.label))
        assert np.linalg.norm(G0 - G1) <= 0.2 * np.linalg.norm(G0)
    if region.startswith("frobenius"):
        assert np.trace(G1) <= np.trace(G0) * (1 + 1e-12)
    if region.endswith("spectral:3"):
        assert reduced.state.beta.sum() <= before.beta.sum() * (1 + 1e-12)


def test_fewest_slots_for_two_classes():
    """Oracle: closed form; b = r^2 in each class needs one slot where the net itself has spread them over many."""
    W = np.array([[0.2] * 5 + [-0.2] * 5])
    net = Net(W, np.ones((1, 10)))
    pair = _pair([net, net], "frobenius:2,linf:1")
    start = merged(pair, 0)
    assert start.live == 10
    better = least_parts(pair, 0, start)
    assert better is not None
    assert better.live == 2  # u = 1 each: 1 / 1 + 1 / 1 <= 4
    for ball in pair.region.balls:
        assert ball.excess(*weights_of_state(better.state)) <= 0.0


def test_betas_outside_the_region_are_not_taken(monkeypatch):
    """Oracle: by construction; a solver that answers with too small betas is not believed."""
    W = np.array([[0.2] * 5 + [-0.2] * 5])
    pair = _pair([Net(W, np.ones((1, 10)))] * 2, "frobenius:2,linf:1")
    start = merged(pair, 0)
    monkeypatch.setattr(mixed, "_least_parts", lambda *_: np.full(2, 0.49))  # 2 / 0.49 > 4
    assert least_parts(pair, 0, start) is None
    monkeypatch.setattr(mixed, "_least_parts", lambda *_: np.full(2, 0.51))
    assert least_parts(pair, 0, start) is not None


def _pair(nets, region):
    from modeconn.constructions import checked_pair

    return checked_pair(*nets, TWO_POINTS, ONES, region)
