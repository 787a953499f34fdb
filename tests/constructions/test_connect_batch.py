"""Batches of pairs: the same paths as one by one, and pairs that the batch cannot do."""

import numpy as np
import pytest

from modeconn.constructions import connect, connect_batch, problem_to_json
from modeconn.errors import InputError
from modeconn.nets import Net
from proofs_check.checker import check_certificate


def stacks(B, n, d, c, m, bias=False):
    """Two stacks of random nets, data and targets."""
    rng = np.random.default_rng(7)

    def stack():
        b = rng.normal(size=(B, m)) / m**0.5 if bias else None
        return Net(rng.normal(size=(B, d, m)) / m**0.5, rng.normal(size=(B, c, m)) / m**0.5, b)

    X = rng.normal(size=(n, d))
    return stack(), stack(), X, np.cos(X @ rng.normal(size=(d, c)))


def member(nets, k):
    """One net of a stack."""
    return Net(*(None if leaf is None else leaf[k] for leaf in nets))


@pytest.mark.parametrize(("c", "bias", "region"), [(1, False, "spectral:4"), (2, True, "schatten:4:4,frobenius:5")])
def test_every_pair_of_a_batch_is_certified(c, bias, region):
    """Oracle: certificate, pair by pair; live counts as in the single construction."""
    nets0, nets1, X, Y = stacks(5, 4, 2, c, 70, bias)
    found = connect_batch(nets0, nets1, X, Y, region)
    assert len(found) == 5
    for k, each in enumerate(found):
        pair = member(nets0, k), member(nets1, k)
        assert each.joined
        assert each.level_slack <= 1e-11
        result = check_certificate(each.certificate(), problem_to_json(*pair, X, Y, region))
        assert result.accepted, result.reason
        alone = connect(*pair, X, Y, region)
        assert (each.live0, each.live1) == (alone.live0, alone.live1)


def test_a_result_does_not_depend_on_the_batch():
    """Oracle: by construction; the same pair alone and among others, bit for bit."""
    nets0, nets1, X, Y = stacks(4, 4, 2, 1, 40)
    whole = connect_batch(nets0, nets1, X, Y, "spectral:4")
    part = connect_batch(
        *(Net(*(None if x is None else x[2:3] for x in nets)) for nets in (nets0, nets1)), X, Y, "spectral:4"
    )
    assert np.array_equal(whole[2].path.t, part[0].path.t)
    assert whole[2].level == part[0].level


def test_dependent_pairs_go_their_own_way():
    """Oracle: certificate; dead and repeated neurons and a repeated data point leave the batch no full rank."""
    nets0, nets1, X, Y = stacks(3, 5, 2, 1, 40)
    X[1], Y[1] = X[0], Y[0]
    nets0.W[1, :, 3:], nets0.A[1, :, 3:] = 0.0, 0.0
    for k, found in enumerate(connect_batch(nets0, nets1, X, Y, "spectral:4")):
        assert found.joined
        problem = problem_to_json(member(nets0, k), member(nets1, k), X, Y, "spectral:4")
        assert check_certificate(found.certificate(), problem).accepted
        assert found.live0 <= (3 if k == 1 else 8)


def test_narrow_batches_use_the_other_constructions():
    """Oracle: m = N needs the climb (theory W1)."""
    nets0, nets1, X, Y = stacks(2, 6, 2, 1, 10)
    for found in connect_batch(nets0, nets1, X, Y, "spectral:4"):
        assert found.joined
        assert found.construction in ("tau-climb", "edge-walk", "disjoint-slots")


def test_bad_stacks_are_named():
    """Oracle: the message names what was found."""
    nets0, nets1, X, Y = stacks(2, 4, 2, 1, 20)
    with pytest.raises(InputError, match="one leading axis"):
        connect_batch(nets0, member(nets1, 0), X, Y, "spectral:4")
