"""The interval of a batched barrier holds the exact one, also where rounding decides."""

from fractions import Fraction

import numpy as np
import pytest

from modeconn.nets import Net
from modeconn.paths import barrier_certified, barrier_exact_batch

PAIRS = 12


@pytest.fixture(scope="module")
def found_and_exact():
    """Barriers of pairs whose predictions nearly cancel, from the device, and from exact arithmetic."""
    rng = np.random.default_rng(0)
    nets = [Net(rng.normal(size=(PAIRS, 2, 2)), rng.normal(size=(PAIRS, 1, 2))) for _ in range(2)]
    X, Y = rng.normal(size=(3, 2)), 1e3 + rng.normal(size=(3, 1))
    found = barrier_exact_batch(*nets, X, Y, engine="device")
    pairs = [[Net(net.W[k], net.A[k]) for net in nets] for k in range(PAIRS)]
    return found, [barrier_certified(*pair, X, Y) for pair in pairs]


def test_the_interval_holds_the_exact_barrier(found_and_exact):
    """Certificate: exact arithmetic."""
    found, exact = found_and_exact
    for k, one in enumerate(exact):
        assert Fraction(float(found.lower[k])) <= one.upper
        assert one.lower <= Fraction(float(found.upper[k]))


def test_without_the_slack_it_would_not(found_and_exact):
    """Oracle: exact arithmetic; the numbers themselves are on either side of the truth, so the slack is needed."""
    found, exact = found_and_exact
    above = sum(Fraction(float(value)) > one.upper for value, one in zip(found.barrier, exact, strict=True))
    below = sum(Fraction(float(value)) < one.lower for value, one in zip(found.barrier, exact, strict=True))
    assert above > 0
    assert below > 0
