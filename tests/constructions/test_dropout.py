"""Dropout-stability paths: every pair of kept halves, losses in exact arithmetic."""

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest

from modeconn.constructions.dropout import Thinned, dropout_path, thin_net, thinned_net
from modeconn.errors import InputError
from modeconn.nets import Net, predict
from modeconn.paths import barrier_exact, polyline_barrier
from proofs_check.exact.segment import segment_enclosure


def nets(seed, m=4, d=2, c=2, n=5, has_bias=True):
    rng = np.random.default_rng(seed)
    pair = [
        Net(
            rng.standard_normal((d, m)),
            rng.standard_normal((c, m)),
            rng.standard_normal(m) if has_bias else None,
        )
        for _ in range(2)
    ]
    return *pair, rng.standard_normal((n, d)), rng.standard_normal((n, c))


def loss(net, X, Y):
    return ((np.asarray(predict(net, X)) - Y) ** 2).sum() / 2


@pytest.mark.parametrize("has_bias", [True, False])
def test_every_pair_of_halves(has_bias):
    """By construction: ends kept, the bound of the theorem, and on each leg one layer alone moves."""
    one, other, X, Y = nets(0, has_bias=has_bias)
    for kept in combinations(range(4), 2):
        for other_kept in combinations(range(4), 2):
            halves = [Thinned(kept, 1.5, 0.0, 0.0), Thinned(other_kept, 0.75, 0.0, 0.0)]
            knots = dropout_path(one, other, *halves)
            assert knots[0] is one
            assert knots[-1] is other
            assert len(knots) == (6 if not set(kept) & set(other_kept) else 8)
            for a, b in pairwise(knots):
                hidden = (a.W != b.W).any() or (has_bias and (a.b != b.b).any())
                assert not hidden or (a.A == b.A).all()
                if hidden:  # the moving neurons are silent, so the prediction stays, bit for bit
                    moving = (a.W != b.W).any(0)
                    assert (np.asarray(a.A)[:, moving] == 0).all()
            top = max(loss(net, X, Y) for net in (one, other, *map(thinned_net, (one, other), halves)))
            assert polyline_barrier(knots, X, Y, baseline="endpoint_max").max_loss <= top * (1 + 1e-12)


def test_shifting_a_neuron_changes_no_loss():
    """Independent implementation: the leg that moves outputs to copies of their neurons has barrier exactly 0."""
    one, other, X, Y = nets(1, c=1)
    knots = dropout_path(one, other, Thinned((0, 1), 2.0, 0.0, 0.0), Thinned((1, 2), 1.0, 0.0, 0.0))
    plain = [tuple(None if leaf is None else leaf.tolist() for leaf in net) for net in knots[2:4]]
    found = segment_enclosure(*plain, X.tolist(), Y.tolist())
    assert (found.lower, found.upper, found.loss_start - found.loss_end) == (0, 0, Fraction(0))


def test_the_best_half_of_all():
    """Brute force: halves and a fine grid of factors; the excess is against the net itself."""
    one, _, X, Y = nets(2, m=6)
    found = thin_net(one, X, Y)
    grid = np.linspace(-4, 4, 801)
    losses = [
        loss(thinned_net(one, Thinned(kept, r, 0.0, 0.0)), X, Y) for kept in combinations(range(6), 3) for r in grid
    ]
    assert found.loss <= min(losses) + 1e-12
    assert found.loss >= min(losses) - 0.01
    np.testing.assert_allclose(found.loss, loss(thinned_net(one, found), X, Y), rtol=1e-12)
    np.testing.assert_allclose(found.excess, found.loss - loss(one, X, Y), rtol=1e-9)


def test_wide_nets_are_thinned_one_by_one():
    """By construction: every neuron twice, so that half of them lose nothing with factor 2."""
    one, _, X, _ = nets(3, m=9)
    twice = Net(np.repeat(one.W, 2, 1), np.repeat(one.A, 2, 1) / 2, np.repeat(one.b, 2))
    Y = np.asarray(predict(one, X))
    found = thin_net(twice, X, Y)
    assert len(found.kept) == 9
    assert found.loss < loss(twice._replace(A=0 * twice.A), X, Y) / 2


def test_a_straight_segment_climbs_higher():
    """Closed form: two neurons swapped; the chain is flat, the segment has a barrier."""
    W, A = np.array([[1.0, -1.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 0.0, 0.0]])
    one, other = Net(W, A), Net(W[:, [1, 0, 2, 3]], A)
    X, Y = np.array([[1.0], [-1.0]]), np.ones((2, 1))
    halves = [thin_net(net, X, Y) for net in (one, other)]
    assert [half.kept for half in halves] == [(0, 1), (0, 1)]
    assert polyline_barrier(dropout_path(one, other, *halves), X, Y).barrier == 0.0
    assert barrier_exact(one, other, X, Y).barrier == 1.0


ONE, OTHER, DATA, TARGETS = nets(4)
HALF = Thinned((0, 1), 1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dropout_path(ONE, OTHER, Thinned((0, 1, 2), 1.0, 0.0, 0.0), HALF), "at most 2 of 4"),
        (lambda: dropout_path(ONE, nets(5, m=6)[0], HALF, HALF), "one shape"),
        (lambda: thin_net(Net(ONE.W), DATA, TARGETS), "output weights"),
        (lambda: thin_net(Net(ONE.W[:, :1], ONE.A[:, :1]), DATA, TARGETS), "two neurons"),
    ],
)
def test_bad_input(call, said):
    """By construction: the construction refuses, it does not cheat."""
    with pytest.raises(InputError, match=said):
        call()
