"""Paths in (u, beta): their ends, their files, their certificates, and what must be refused."""

from fractions import Fraction

import numpy as np
import pytest

from modeconn.constructions import connect
from modeconn.constructions.cell_exact import exact_signs, same_sides
from modeconn.constructions.cell_path import CellPath, cell_path, load_cell_path
from modeconn.constructions.cell_state import CellState, state_of_weights, weights_of_state
from modeconn.errors import InputError

REGIONS = {
    "merged-classes": ("spectral:4", "frobenius:7", "joint-frobenius:9", "schatten:4:5,frobenius:5"),
    "scaled-cells": ("linf:1/2", "linf:0.6,linf:0.7"),
    "cell-program": ("linf:1/2", "linf:0.6,linf:0.7"),
    "mixed-program": (
        "spectral:4,linf:1/2",
        "linf:1/2,frobenius:4",
        "frobenius:5,linf:0.6",
        "joint-frobenius:9&linf:1",
    ),
}
CASES = [(name, region) for name, regions in REGIONS.items() for region in regions]


@pytest.mark.parametrize(("name", "region"), CASES)
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("bias", [False, True])
def test_paths_are_accepted_by_the_exact_checker(cells, name, region, seed, bias):
    """Oracle: certificate, for nets with dead neurons and neurons on hyperplanes; ordinary forward passes besides."""
    X, y = cells.awkward_data(seed)
    nets = [cells.awkward_net(10 * seed + k, m=40, bias=bias) for k in (1, 2)]
    found = connect(*nets, X, y, region, construction=name)
    assert found.joined, found.reason
    if "schatten" not in region:  # the checker's kind knows no such ball
        answer = cells.accepted(found, nets, X, y, region)
        assert answer.accepted, answer.reason
        lower = str(found.level * Fraction(999_999, 1_000_000))
        assert not cells.accepted(found, nets, X, y, region, level=lower).accepted
    losses = cells.sampled_losses(found.path, X, y)
    assert losses.max() <= float(found.level) * (1 + 1e-12)
    assert found.level_slack <= 1e-12 * max(1.0, float(found.level))
    assert found.radius_slack < Fraction(1, 10**11)
    for tau in np.linspace(0, found.path.pieces, 9 * found.path.pieces + 1):
        net = found.path.net(tau)
        W = net.W if net.b is None else np.concatenate([net.W, net.b[None]])
        cells.pair_of(nets, X, y, region).region.check_contains(W, net.A, f"tau = {tau}", 1e-11)


def test_the_path_starts_and_ends_at_the_very_nets_and_is_continuous(cells):
    """Oracle: by construction; weights that alpha = 0 hides come back at the ends and shrink, not jump."""
    X, y = cells.awkward_data(3)
    nets = [cells.awkward_net(k, m=40, bias=True) for k in (5, 6)]
    path = connect(*nets, X, y, "linf:1/2", construction="scaled-cells").path
    for tau, net in ((0, nets[0]), (path.pieces, nets[1])):
        for leaf, given in zip(path.net(tau), net, strict=True):
            np.testing.assert_array_equal(leaf, given)
    for knot in range(path.pieces + 1):
        for step in (-1e-12, 1e-12):
            if 0 <= knot + step <= path.pieces:
                for leaf, near in zip(path.net(knot), path.net(knot + step), strict=True):
                    np.testing.assert_allclose(leaf, near, atol=3e-6)  # w = sqrt(share) w' leaves zero like a root


def test_reversed_then_and_files(cells, tmp_path):
    """Oracle: the same nets in the other order, twice over, and from the file."""
    X, y = cells.awkward_data(1)
    nets = [cells.awkward_net(k, m=40) for k in (1, 2, 3)]
    first, second = (connect(*nets[k : k + 2], X, y, "linf:1/2", construction="scaled-cells") for k in (0, 1))
    whole = first.path.then(second.path)
    assert whole.pieces == first.path.pieces + second.path.pieces
    assert whole.crossings(X) == []
    back = whole.reversed()
    for tau in (0.0, 0.3, 1.0, 2.5, float(first.path.pieces), whole.pieces - 0.25):
        for leaf, other in zip(whole.net(tau)[:2], back.net(whole.pieces - tau)[:2], strict=True):
            np.testing.assert_allclose(leaf, other, atol=1e-15)
    whole.save(tmp_path / "path.npz")
    again = load_cell_path(tmp_path / "path.npz")
    level = max(first.level, second.level)
    assert again.certificate(level, 0) == whole.certificate(level, 0)
    found = [nets[0], nets[2]]
    joined = type(first)(**{**vars(first), "path": again, "level": level})
    answer = cells.accepted(joined, found, X, y, "linf:1/2")
    assert answer.accepted, answer.reason
    with pytest.raises(InputError, match="starts at the net where this one ends"):
        second.path.then(first.path)


def test_a_file_that_is_no_cell_path_is_refused(tmp_path):
    """Oracle: by construction."""
    np.savez(tmp_path / "other.npz", kind=np.array("cell-path"), u=np.zeros((2, 1, 1)))
    with pytest.raises(InputError, match="expected the knots of a cell path"):
        load_cell_path(tmp_path / "other.npz")


def test_tampered_certificates_are_rejected(cells):
    """Oracle: controls; another weight, a knot outside the box by 1e-6, a neuron moved across a hyperplane."""
    X, y = cells.awkward_data(2)
    nets = [cells.awkward_net(k, m=40) for k in (1, 2)]
    found = connect(*nets, X, y, "linf:1/2", construction="scaled-cells")
    assert cells.accepted(found, nets, X, y, "linf:1/2").accepted
    changed = [nets[0]._replace(W=nets[0].W + 1e-3), nets[1]]
    assert not cells.accepted(found, changed, X, y, "linf:1/2").accepted
    path = found.path
    slot = int(np.flatnonzero((path.states.beta[1] > 0) & (np.abs(path.states.u[1]).max(axis=1) > 0))[0])
    for change, word in ((0.0, "outside"), (-1.0, "activation pattern")):
        states = CellState(*(leaf.copy() for leaf in path.states))
        if change == 0.0:  # alpha shrinks, so w grows beyond the box
            states.beta[1, slot] = (np.abs(states.u[1, slot]).max() / (0.5 * (1 + 1e-6))) ** 2
        else:
            states.u[1, slot] *= change
        broken = CellPath(states, path.anchors, path.has_bias)
        worse = type(found)(**{**vars(found), "path": broken, "level": found.level + 100})
        answer = cells.accepted(worse, nets, X, y, "linf:1/2")
        assert not answer.accepted
        assert word in answer.reason
    assert broken.crossings(X) == [(0, slot), (1, slot)] or broken.crossings(X)[0] == (0, slot)


def test_a_hidden_weight_beside_a_slot_that_comes_alive_is_refused():
    """Oracle: by construction; w would jump from its left-over value to zero."""
    start = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]])
    moved = CellState(np.array([[0.0], [1.0]]), np.array([0.0, 1.0]), np.ones(2))
    with pytest.raises(InputError, match="slot 1 comes alive beside knot 0"):
        cell_path(start, [moved], start)


def test_tau_outside_is_refused(cells):
    """Oracle: by construction."""
    net = np.ones((1, 1)), np.ones((1, 1))
    with pytest.raises(InputError, match="expected tau in"):
        cell_path(net, [], net).net(1.5)


def test_states_and_weights_are_inverse(cells):
    """Oracle: by construction."""
    net = cells.plain_net(0, 3, 7, 1.0)
    W, A = weights_of_state(state_of_weights(net.W, net.A))
    np.testing.assert_allclose(W, net.W, rtol=1e-14)
    np.testing.assert_allclose(A, net.A, rtol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_exact_signs_agree_with_rationals(seed):
    """Oracle: independent implementation in rationals, next to hyperplanes where floats are wrong."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(6, 3))
    V = np.cross(X[rng.integers(6, size=8)], X[rng.integers(6, size=8)])  # orthogonal to two rows, up to rounding
    V[0], X[5] = 0.0, 0.0
    expected = [
        [np.sign(float(sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(v, x, strict=True)))) for x in X]
        for v in V
    ]
    np.testing.assert_array_equal(exact_signs(X, V), np.array(expected))
    assert (np.sign(V @ X.T) != expected).any() or seed > 0  # seed 0 holds a case that floats get wrong
    assert same_sides(exact_signs(X, V), exact_signs(X, V)).all()
