"""Weight matching: the permutation nearest in weights, exactly."""

import itertools

import numpy as np
import pytest

from modeconn.align import weight_matching
from modeconn.errors import InputError
from modeconn.nets import Net, predict


def random_net(rng, m=4, bias=True):
    return Net(rng.normal(size=(3, m)), rng.normal(size=(2, m)), rng.normal(size=m) if bias else None)


def distance(one, other):
    return sum(np.sum((a - b) ** 2) for a, b in zip(one, other, strict=True) if a is not None)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_is_the_nearest_permutation_and_keeps_the_function(seed, bias):
    """Independent implementation: all 4! permutations; conserved quantity: the predictions."""
    rng = np.random.default_rng(seed)
    one, other = random_net(rng, bias=bias), random_net(rng, bias=bias)
    found, permutation = weight_matching(one, other)
    least = min(
        distance(one, Net(*(None if leaf is None else leaf[..., list(order)] for leaf in other)))
        for order in itertools.permutations(range(4))
    )
    assert distance(one, found) == pytest.approx(least, rel=1e-12)
    assert sorted(permutation) == [0, 1, 2, 3]
    X = rng.normal(size=(7, 3))
    np.testing.assert_allclose(predict(found, X), predict(other, X), rtol=1e-12, atol=1e-12)


def test_recovers_a_shuffle():
    """By construction: neuron j of the answer is neuron permutation[j] of the shuffled net."""
    rng = np.random.default_rng(0)
    net, order = random_net(rng, m=6), np.array([3, 1, 5, 0, 4, 2])
    shuffled = Net(*(leaf[..., order] for leaf in net))
    found, permutation = weight_matching(net, shuffled)
    np.testing.assert_array_equal(order[permutation], np.arange(6))
    for a, b in zip(net, found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_fixed_output_weights():
    """By construction: the only leaf is W."""
    net = Net(np.array([[1.0, 5.0]]))
    assert weight_matching(net, Net(net.W[:, ::-1]))[1].tolist() == [1, 0]


def test_unequal_shapes_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="pad the narrower net"):
        weight_matching(random_net(rng, 4), random_net(rng, 5))
