"""Certified enclosures of barriers, through the exact core."""

from fractions import Fraction

import numpy as np
import pytest
from paths_oracles import fraction_barrier, random_net, teacher_pair

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths import (
    BASELINES,
    barrier_certified,
    barrier_enclosure,
    barrier_exact,
    polyline_barrier,
    polyline_barrier_certified,
    rounded_outward,
)


@pytest.mark.parametrize("baseline", sorted(BASELINES))
@pytest.mark.parametrize("seed", range(3))
def test_encloses_the_brute_force(seed, baseline):
    """Independent implementation: brute force in fractions; the enclosure is as narrow as asked for."""
    net0, net1, X, Y = teacher_pair(np.random.default_rng(seed), 3, 2, 4, c=1 + seed % 2)
    low, high = fraction_barrier(net0, net1, X, Y, baseline, accuracy=Fraction(1, 2**70))
    enclosure = barrier_enclosure([net0, net1], X, Y, baseline, tolerance=Fraction(1, 2**50))
    assert enclosure.lower <= high
    assert low <= enclosure.upper
    assert enclosure.upper - enclosure.lower <= Fraction(1, 2**50)
    record = rounded_outward(enclosure, baseline)
    assert Fraction(record.lower) <= enclosure.lower <= enclosure.upper <= Fraction(record.upper)
    assert record.lower <= record.barrier <= record.upper
    assert record == barrier_certified(net0, net1, X, Y, baseline, tolerance=Fraction(1, 2**50))


@pytest.mark.parametrize("fixed", [True, False])
def test_float64_agrees_with_the_certificate(fixed):
    """Certificate: the certified interval and the float64 interval overlap, and the latter is the wider."""
    rng = np.random.default_rng(4)
    net0, net1 = (random_net(rng, 3, 10, fixed=fixed, bias=not fixed) for _ in range(2))
    X, Y = rng.normal(size=(8, 3)), rng.normal(size=8)
    certified, floats = barrier_certified(net0, net1, X, Y), barrier_exact(net0, net1, X, Y)
    assert floats.lower <= certified.lower
    assert certified.upper <= floats.upper + 1e-12
    assert certified.max_loss == pytest.approx(floats.max_loss, rel=1e-12)
    assert (certified.loss_start, certified.loss_end) == pytest.approx((floats.loss_start, floats.loss_end), rel=1e-13)
    assert certified.method == "certified"


def test_chain_agrees_with_the_certificate():
    """Certificate: the exact core on a chain of three legs."""
    rng = np.random.default_rng(5)
    nets, X, Y = [random_net(rng, 2, 5) for _ in range(4)], rng.normal(size=(6, 2)), rng.normal(size=6)
    for baseline in BASELINES:
        certified = polyline_barrier_certified(nets, X, Y, baseline=baseline)
        floats = polyline_barrier(nets, X, Y, baseline=baseline)
        assert floats.lower <= certified.upper
        assert certified.lower <= floats.upper
        assert certified.barrier == pytest.approx(floats.barrier, rel=1e-11)


def test_float32_weights_are_taken_as_they_are():
    """Closed form: 0.1 in float32 is a certain dyadic rational, and the loss of its net is that rational's."""
    tenth = np.array([[0.1]], np.float32)
    enclosure = barrier_enclosure([Net(tenth), Net(tenth)], [[1.0]], [0.0], "endpoint_mean")
    assert enclosure.loss_start == Fraction(float(tenth[0, 0])) ** 2 / 2


def test_bad_input():
    """By construction."""
    net = Net(np.ones((1, 2)))
    with pytest.raises(InputError, match="did you mean 'linear'"):
        barrier_certified(net, net, [[1.0]], [1.0], baseline="linar")
    with pytest.raises(InputError, match="positive tolerance"):
        barrier_certified(net, net, [[1.0]], [1.0], tolerance=0)
    with pytest.raises(InputError, match="widths"):
        barrier_certified(net, Net(np.ones((1, 3))), [[1.0]], [1.0])
    with pytest.raises(InputError, match="at least two"):
        polyline_barrier_certified([net], [[1.0]], [1.0])
