"""Interpolation of nets at initialisation."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from modeconn.align import initial_net, interpolation_gap, match_initial
from modeconn.errors import InputError
from modeconn.nets import permute
from proofs_check.claims.library.init_rate import exact_gap


def test_law_of_the_weights():
    """Closed form: bounds and variances of uniform laws; the same seed gives the same net."""
    net = initial_net(3, d=4, h=20000)
    assert abs(net.W).max() <= 0.5
    assert abs(net.A).max() <= 20000**-0.5
    np.testing.assert_allclose(net.W.var(), 1 / 12, rtol=0.02)
    np.testing.assert_allclose(net.A.var() * 20000, 1 / 3, rtol=0.03)
    assert (initial_net(3, d=4, h=20000).W == net.W).all()
    assert (initial_net(4, d=4, h=20000).W != net.W).any()


def test_the_match_is_the_nearest_of_all_permutations():
    """Brute force: squared distances of the scaled weights, all orders of five neurons."""
    one, other = initial_net(0, d=2, h=5), initial_net(1, d=2, h=5)

    def distance(net):
        return 2 * ((one.W - net.W) ** 2).sum() + 5 * ((one.A - net.A) ** 2).sum()

    least = min(distance(permute(other, np.array(order))) for order in permutations(range(5)))
    np.testing.assert_allclose(distance(match_initial(one, other)), least, rtol=1e-13)


@pytest.mark.parametrize("t", [0.0, 0.25, 0.5, 1.0])
def test_gap_in_rational_arithmetic(t):
    """Independent implementation: fractions, the very weights; zero at both ends."""
    one, other = initial_net(5, d=3, h=7), initial_net(6, d=3, h=7)
    X = np.random.default_rng(0).standard_normal((4, 3))
    found = interpolation_gap(one, other, X, t)
    exact = [float(exact_gap(one, other, x, Fraction(t))) for x in X]
    np.testing.assert_allclose(found, exact, atol=1e-15)
    assert t not in (0.0, 1.0) or found.max() < 1e-15
    assert t != 0.5 or found.min() > 1e-6


def test_bad_input():
    """By construction."""
    with pytest.raises(InputError, match="h >= 1"):
        initial_net(0, d=1, h=0)
