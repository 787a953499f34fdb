"""Paths in spectral-type regions: certified by the exact checker, refused where the width does not suffice."""

import numpy as np
import pytest

from modeconn.constructions import CONSTRUCTIONS, connect, load_gram_path, path_spectra, problem_to_json
from modeconn.errors import InputError
from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net, permute
from proofs_check.checker import check_certificate

REGIONS = (
    "spectral:4",
    "schatten:4:5",
    "schatten:4:5,frobenius:6",
    "frobenius:6",
    "joint-frobenius:8",
    "spectral:4&frobenius:6",
)


def pair_of_nets(seed, n, d, c, m, bias=False):
    """Data, targets and two random nets."""
    rng = np.random.default_rng(seed)

    def net():
        b = rng.normal(size=m) / m**0.5 if bias else None
        return Net(rng.normal(size=(d, m)) / m**0.5, rng.normal(size=(c, m)) / m**0.5, b)

    X = rng.normal(size=(n, d))
    return net(), net(), X, np.sin(X @ rng.normal(size=(d, c)))


def accepted(found, net0, net1, X, Y, region):
    """Whether the exact checker accepts the certificate."""
    return check_certificate(found.certificate(), problem_to_json(net0, net1, X, Y, region))


def sampled_excess(found, X, Y, region_balls=(), points=12):
    """Largest loss above the level, by ordinary forward passes."""
    taus = np.linspace(0, found.path.pieces, points * found.path.pieces + 1)
    nets = found.path.nets(taus)
    losses = [
        float(net_loss(LOSSES["half_squared_error"], Net(*(None if leaf is None else leaf[k] for leaf in nets)), X, Y))
        for k in range(len(taus))
    ]
    return max(losses) - float(found.level)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(("c", "bias"), [(1, False), (2, True)])
@pytest.mark.parametrize("construction", ["disjoint-slots", "edge-walk", "tau-climb"])
def test_paths_are_accepted_by_the_exact_checker(region, c, bias, construction):
    """Oracle: certificate; then forward passes along the path; then the second net itself at its end."""
    n, d = 4, 2
    widest = connect(*pair_of_nets(0, n, d, c, 60, bias), region)
    N = widest.functionals
    m = {"disjoint-slots": 2 * N, "edge-walk": N + 1, "tau-climb": N}[construction]
    net0, net1, X, Y = pair_of_nets(1, n, d, c, m, bias)
    found = connect(net0, net1, X, Y, region, construction=construction)
    assert found.joined, found.reason
    result = accepted(found, net0, net1, X, Y, region)
    assert result.accepted, result.reason
    assert found.level_slack <= 1e-12
    assert found.radius_slack == 0
    assert sampled_excess(found, X, Y) <= 1e-12
    for ours, theirs in zip(found.path.net(found.path.pieces), net1, strict=True):
        assert ours is None if theirs is None else np.array_equal(ours, theirs)


@pytest.mark.parametrize("seed", range(6))
def test_the_least_width_is_reached_and_not_undercut(seed):
    """Oracle: theory W1; m = N joins (auto finds the climb), m = N - 1 leaves no dead slot and is refused."""
    n, d, c = 5, 2, 1
    N = n + 3 + 1
    for m, joined in ((N, True), (N - 1, False)):
        net0, net1, X, Y = pair_of_nets(seed, n, d, c, m)
        for net in (net0, net1):  # all neurons see data: nothing is dependent below N
            net.W[:] = np.abs(net.W)
        found = connect(net0, net1, np.abs(X), Y, "spectral:9", construction="tau-climb")
        if joined:
            assert found.joined, found.reason
            assert accepted(found, net0, net1, np.abs(X), Y, "spectral:9").accepted
        elif found.live0 + found.live1 == 2 * m:
            assert found.path is None or accepted(found, net0, net1, np.abs(X), Y, "spectral:9").accepted


@pytest.mark.parametrize(
    ("W0", "A0", "W1", "A1", "region"),
    [
        ([[1.0, -1.0]], [[1.0, 1.0]], [[-1.0, 1.0]], [[1.0, 1.0]], "joint-frobenius:2"),
        ([[1.0, -1.0]], [[1.0, 1.0]], [[-1.0, 1.0]], [[1.0, 1.0]], "spectral:3"),
    ],
)
def test_known_disconnected_pairs_are_refused(W0, A0, W1, A1, region):
    """Oracle: theory W1, sharpness; X = (1, -1), y = (1, 1), m = 2 is disconnected at every feasible radius."""
    X, Y = np.array([[1.0], [-1.0]]), np.ones(2)
    nets = [Net(np.array(W), np.array(A)) for W, A in ((W0, A0), (W1, A1))]
    found = connect(*nets, X, Y, region)
    assert found.path is None
    assert "m = 2" in found.reason
    assert (found.live0, found.live1, found.width) == (2, 2, 2)
    with pytest.raises(InputError, match="no path to certify"):
        found.certificate()
    wide = [Net(np.pad(net.W, ((0, 0), (0, 2))), np.pad(net.A, ((0, 0), (0, 2)))) for net in nets]
    joined = connect(*wide, X, Y, region)  # two dead slots more
    assert joined.joined
    assert joined.level_slack == 0
    assert accepted(joined, *wide, X, Y, region).accepted


def test_zero_loss_stays_zero_to_rounding():
    """Oracle: by construction; a net and its permutation interpolate their own predictions."""
    net0, _, X, _ = pair_of_nets(4, 6, 2, 2, 64)
    net1 = permute(net0, np.roll(np.arange(64), 7))
    Y = np.maximum(X @ net0.W, 0) @ net0.A.T
    found = connect(net0, net1, X, Y, "spectral:5")
    assert found.joined
    assert 0 <= float(found.level) < 1e-26
    assert accepted(found, net0, net1, X, Y, "spectral:5").accepted


@pytest.mark.parametrize("construction", ["edge-walk", "tau-climb"])
@pytest.mark.parametrize("case", ["same Psi", "same net", "repeated data", "whole numbers", "sizes", "unseen"])
def test_degenerate_pairs_walk_too(construction, case):
    """Oracle: certificate; ties, equal Psi at both ends and low ranks by construction, at the least width."""
    n, d, c = 6, 3, 1
    net0, net1, X, Y = pair_of_nets(8, n, d, c, n + 6 + 1 + (construction == "edge-walk"))
    rng = np.random.default_rng(0)
    if case == "same Psi":
        net1 = permute(net0, np.roll(np.arange(net0.W.shape[1]), 3))
    if case == "same net":
        net1 = net0
    if case == "repeated data":
        X[3:] = X[:3]
    if case == "whole numbers":
        net0, net1 = (
            Net(*(rng.integers(-2, 3, size=x.shape).astype(float) / 4 for x in net[:2])) for net in (net0, net1)
        )
        X = np.round(X)
    if case == "sizes":
        sizes = 10.0 ** rng.uniform(-2, 0, size=(2, net0.W.shape[1]))
        net0, net1 = (Net(net.W * size, net.A * size) for net, size in zip((net0, net1), sizes, strict=True))
    if case == "unseen":  # most neurons are negative on all data
        X = np.abs(X)
        net0.W[:, 2:] = -np.abs(net0.W[:, 2:])
    found = connect(net0, net1, X, Y, "spectral:6", construction=construction)
    assert found.joined, found.reason
    result = accepted(found, net0, net1, X, Y, "spectral:6")
    assert result.accepted, result.reason
    assert found.level_slack <= 1e-12 * (1 + float(found.level))


def orthogonal_rows(seed, d, m, radius):
    """A d x m matrix all of whose singular values are the radius, to rounding."""
    return radius * np.linalg.qr(np.random.default_rng(seed).normal(size=(m, d)))[0].T


def test_nets_on_the_boundary_keep_their_spectrum():
    """Oracle: W2; equal Gram matrices at both ends are the Gram matrix of the whole path."""
    m, r = 40, 1.5
    net0, net1 = (Net(orthogonal_rows(seed, 2, m, r), orthogonal_rows(seed + 9, 1, m, r)) for seed in (1, 2))
    X = np.random.default_rng(0).normal(size=(5, 2))
    found = connect(net0, net1, X, np.zeros(5), "spectral:1.5")
    assert found.joined
    assert 0 <= float(found.radius_slack) < 1e-13
    assert accepted(found, net0, net1, X, np.zeros(5), "spectral:1.5").accepted
    spectra = path_spectra(found.path)
    np.testing.assert_allclose(spectra.singular_values, r, rtol=1e-12)
    np.testing.assert_allclose(spectra.stable_rank, 2.0, rtol=1e-12)
    np.testing.assert_allclose(spectra.effective_rank, 2.0, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_stable_rank_never_falls_below_the_ends(seed):
    """Oracle: W2, a theorem on the disjoint-slots path; checked with forward spectra at 8 points a piece."""
    net0, net1, X, Y = pair_of_nets(seed, 4, 3, 1, 40)
    rank = path_spectra(connect(net0, net1, X, Y, "spectral:5").path).stable_rank
    assert rank.min() >= min(rank[0], rank[-1]) - 1e-12


def test_mutated_certificates_are_rejected():
    """Oracle: certificate; a heavier neuron leaves the ball, a lower level is exceeded, a path lacks its end."""
    net0, net1 = (Net(orthogonal_rows(seed, 2, 40, 1.5), orthogonal_rows(seed + 9, 1, 40, 1.5)) for seed in (1, 2))
    X = np.random.default_rng(0).normal(size=(5, 2))
    problem = problem_to_json(net0, net1, X, np.zeros(5), "spectral:1.5")
    found = connect(net0, net1, X, np.zeros(5), "spectral:1.5")
    for change in ("heavier", "level", "knot", "slack"):
        certificate = found.certificate()
        assert check_certificate(certificate, problem).accepted
        if change == "heavier":
            moves = certificate["evidence"]["knots"][0]
            place = next(k for k, move in enumerate(moves) if move[2] != "0")
            moves[place][2] = f"{moves[place][2].partition('/')[0]}1/{moves[place][2].partition('/')[2] or 1}"
        elif change == "level":
            certificate["statement"]["level"] = "1/10"
        elif change == "slack":
            certificate["statement"]["radius_slack"] = "-1/1000000"
        else:
            del certificate["evidence"]["knots"][-1]
        assert not check_certificate(certificate, problem).accepted, change


def test_paths_can_be_reversed_chained_and_saved(tmp_path):
    """Oracle: by construction; the path back ends at the first net, the file gives the same path again."""
    net0, net1, X, Y = pair_of_nets(2, 4, 2, 1, 13, bias=True)
    found = connect(net0, net1, X, Y, "spectral:5")
    assert found.construction != "disjoint-slots"
    loop = found.path.then(found.path.reversed())
    assert loop.pieces == 2 * found.path.pieces
    for ours, start in zip(loop.net(loop.pieces), net0, strict=True):
        assert np.array_equal(ours, start)
    for tau in (0.3, 2.5, found.path.pieces - 0.25):
        there, back = loop.net(tau), loop.net(loop.pieces - tau)
        np.testing.assert_allclose(there.W, back.W, atol=1e-13)
    round_trip = check_certificate(
        loop.certificate(found.level, found.radius_slack), problem_to_json(net0, net0, X, Y, "spectral:5")
    )
    assert round_trip.accepted, round_trip.reason
    found.path.save(tmp_path / "path.npz")
    again = load_gram_path(tmp_path / "path.npz")
    for name in ("W", "A", "base", "t"):
        assert np.array_equal(getattr(again, name), getattr(found.path, name))
    with pytest.raises(InputError, match="starts at the end"):
        found.path.then(found.path)
    with pytest.raises(InputError, match="tau"):
        found.path.net(-0.1)


def test_other_convex_losses():
    """Oracle: forward passes; the logistic loss of the sampled path stays below the level."""
    net0, net1, X, _ = pair_of_nets(5, 6, 2, 1, 40)
    Y = np.sign(X[:, :1])
    found = connect(net0, net1, X, Y, "spectral:5", loss="logistic")
    assert found.joined
    nets = found.path.nets(np.linspace(0, found.path.pieces, 101))
    losses = [LOSSES["logistic"].value(np.maximum(X @ W, 0) @ A.T, Y) for W, A in zip(nets.W, nets.A, strict=True)]
    assert max(map(float, losses)) <= float(found.level)


def test_bad_input_is_named():
    """Oracle: the message names what was found."""
    net0, net1, X, Y = pair_of_nets(0, 4, 2, 1, 30)
    with pytest.raises(InputError, match=r"first net: spectral norm of W .* outside the radius 0.1 by"):
        connect(net0, net1, X, Y, "spectral:0.1")
    with pytest.raises(InputError, match="widths 30 and 29"):
        connect(net0, Net(net1.W[:, :29], net1.A[:, :29]), X, Y, "spectral:5")
    with pytest.raises(InputError, match="expected X of shape"):
        connect(net0, net1, X[:, :1], Y, "spectral:5")
    with pytest.raises(InputError, match="NaN"):
        connect(Net(net0.W * np.nan, net0.A), net1, X, Y, "spectral:5")
    with pytest.raises(InputError, match="> 0"):
        connect(net0, net1, X, Y, "spectral:0")
    with pytest.raises(InputError, match="trainable A"):
        connect(Net(net0.W), Net(net1.W), X, Y, "spectral:5")
    with pytest.raises(InputError, match="unknown construction"):
        connect(net0, net1, X, Y, "spectral:5", construction="edge-wolk")
    with pytest.raises(InputError, match="not meant for the region"):
        connect(net0, net1, X, Y, "linf:5", construction="edge-walk")
    with pytest.raises(InputError, match="not covered"):
        connect(net0, net1, X, Y, "schatten:1.5:5")


def test_the_registry_is_the_list():
    """Oracle: by construction; every name resolves to a function of its module."""
    assert {"disjoint-slots", "edge-walk", "tau-climb"} <= set(CONSTRUCTIONS)
    assert all(name == row.name for name, row in CONSTRUCTIONS.items())
