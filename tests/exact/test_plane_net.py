"""Deep nets of two inputs as classifiers, exactly."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from proofs_check.exact.plane_net import (
    PlaneNet,
    accepted_region,
    interpolate,
    misclassified_share,
    permute_hidden,
    plane_net,
)
from proofs_check.exact.rational import ExactInputError


def random_net(rng, widths=(3, 4), slope=0):
    sizes = [2, *widths, 1]
    layers = [(rng.integers(-4, 5, (m, n)).tolist(), rng.integers(-3, 4, m).tolist()) for n, m in pairwise(sizes)]
    return plane_net(layers, slope)


def label(p, q):
    return p > 0 and q > 0


@pytest.mark.parametrize("slope", [0, "1/3"])
@pytest.mark.parametrize("seed", range(4))
def test_share_against_a_grid(seed, slope):
    """Independent implementation: NumPy on a 500 x 500 grid; the area near a boundary is at most its length."""
    net = random_net(np.random.default_rng(seed), slope=slope)
    ticks = (np.arange(500) + 0.5) / 250 - 1
    x = np.stack([axis.ravel() for axis in np.meshgrid(ticks, ticks)], 1)
    values = x
    for depth, (weights, biases) in enumerate(net.layers):
        values = values @ np.array(weights, float).T + np.array(biases, float)
        if depth < len(net.layers) - 1:
            values = np.where(values > 0, values, float(Fraction(slope)) * values)
    wrong = (values[:, 0] >= 0) != ((x[:, 0] > 0) & (x[:, 1] > 0))
    assert abs(float(misclassified_share(net, label)) - wrong.mean()) < 0.01


def test_a_disc_like_polygon():
    """Closed form: |p| + |q| <= 1/2 is a square of area 1/2, an eighth of the whole."""
    net = plane_net([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[-1] * 4], ["1/2"])])
    assert misclassified_share(net, lambda p, q: False) == Fraction(1, 8)
    assert len(accepted_region(net)) == 4


def test_permuted_nets_compute_the_same():
    """Conserved quantity: exact values at points, and the share."""
    rng = np.random.default_rng(5)
    net = random_net(rng)
    moved = permute_hidden(net, [[2, 0, 1], [3, 1, 0, 2]])
    assert moved != net
    for p, q in rng.integers(-8, 9, (20, 2)).tolist():
        assert moved(Fraction(p, 8), Fraction(q, 8)) == net(Fraction(p, 8), Fraction(q, 8))
    assert misclassified_share(moved, label) == misclassified_share(net, label)


def test_interpolation_has_the_ends():
    """By construction: t = 0 and t = 1, and a weight halfway."""
    rng = np.random.default_rng(6)
    one, other = random_net(rng), random_net(rng)
    assert interpolate(one, other, Fraction(0)) == one
    assert interpolate(one, other, Fraction(1)) == other
    middle = interpolate(one, other, Fraction(1, 2)).layers[1][0][2][1]
    assert middle == (one.layers[1][0][2][1] + other.layers[1][0][2][1]) / 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: plane_net([([[1, 2, 3]], [0])]),
        lambda: plane_net([([[1, 2], [3, 4]], [0, 0])]),
        lambda: plane_net([]),
        lambda: permute_hidden(random_net(np.random.default_rng(0)), [[0, 0, 1], [0, 1, 2, 3]]),
        lambda: interpolate(
            random_net(np.random.default_rng(0)), random_net(np.random.default_rng(0), (2, 2)), Fraction(1, 2)
        ),
        lambda: interpolate(
            *(PlaneNet(random_net(np.random.default_rng(0)).layers, s) for s in (0, 1)), Fraction(1, 2)
        ),
    ],
)
def test_bad_input(wrong):
    """By construction: shapes and slopes that do not fit."""
    with pytest.raises(ExactInputError):
        wrong()
