"""Bounds on geodesic lengths and ratios: hand computation, brute force, limits, rounding."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize

from modeconn.errors import InputError
from modeconn.star import (
    MAGNITUDE_LAWS,
    UNIT,
    Minima,
    are_linearly_connected,
    geodesic_ratio_bounds,
    sample_minima,
    spider_limit,
    squared_lengths,
    two_piece_limit,
    two_piece_squares,
    weights,
)


def pair(seed, n, m, M, **law):
    both = sample_minima(seed, 2 * n, m, M, **law)
    return Minima(both.labels[::2], both.magnitudes[::2]), Minima(both.labels[1::2], both.magnitudes[1::2])


def test_lengths_by_hand():
    """Closed form: one neuron keeps its teacher, one appears, two change."""
    first = Minima(np.array([1, 1, 2, 0]), np.array([0.25, 0.75, 1.0, 0.0]))
    second = Minima(np.array([1, 2, 1, 2]), np.array([0.5, 0.5, 0.5, 0.5]))
    found = squared_lengths(first, second)
    assert found.euclidean * UNIT**2 == 0.0625 + (0.5625 + 0.25) + (1 + 0.25) + 0.25
    assert found.spider * UNIT**2 == 0.0625 + 1.25**2 + 1.5**2 + 0.25


def test_euclidean_lengths_are_those_of_the_weights():
    """Independent implementation: the matrices."""
    first, second = pair(0, 20, 9, 3, labels="iid", zero_probability=0.3)
    straight = ((weights(first, 3) - weights(second, 3)) ** 2).sum((1, 2))
    np.testing.assert_allclose(squared_lengths(first, second).euclidean * UNIT**2, straight, rtol=1e-15)


def test_the_largest_squares_do_not_overflow():
    """Closed form: sixteen teachers with one neuron each, all of which change: 16 (1 + 1)^2."""
    labels = np.arange(1, 17)
    found = squared_lengths(Minima(labels, np.ones(16)), Minima(np.roll(labels, 1), np.ones(16)))
    assert (found.spider * UNIT**2, found.euclidean * UNIT**2) == (64.0, 32.0)


def test_the_two_piece_centre_is_the_least_squares_one():
    """Independent implementation: a general solver over centres on the places, without zero neurons at both ends."""
    first, second = pair(1, 6, 10, 2)
    for i, squares in enumerate(two_piece_squares(first, second)):
        labels, other = first.labels[i], second.labels[i]
        if squares is None:
            continue
        open_to = labels == other
        W0, W1 = (np.where(open_to, part.magnitudes[i], 0.0) for part in (first, second))
        rest = sum((part.magnitudes[i][~open_to] ** 2).sum() for part in (first, second))

        def objective(c, W0=W0, W1=W1, open_to=open_to, rest=rest):
            c = np.where(open_to, c, 0.0)
            return ((c - W0) ** 2).sum() + ((c - W1) ** 2).sum() + rest

        rows = [{"type": "eq", "fun": lambda c, on=open_to & (labels == j): c[on].sum() - 1} for j in (1, 2)]
        best = minimize(objective, np.where(open_to, 0.5, 0.0), constraints=rows, method="SLSQP", tol=1e-14)
        assert float(squares) * UNIT**2 == pytest.approx(best.fun, rel=1e-6)


def test_bounds_are_ordered_and_rounded_outward():
    """By construction: lower^2 <= exact <= ..., and upper >= lower >= 1."""
    first, second = pair(2, 50, 12, 2, labels="iid", zero_probability=0.25)
    bounds, lengths = geodesic_ratio_bounds(first, second), squared_lengths(first, second)
    for lower, spider, straight in zip(bounds.lower, lengths.spider, lengths.euclidean, strict=True):
        assert Fraction(lower) ** 2 <= Fraction(int(spider), int(straight))
        assert Fraction(math.nextafter(lower, 9)) ** 2 > Fraction(int(spider), int(straight))
    assert (bounds.upper >= bounds.lower).all()
    assert (bounds.lower >= 1).all()
    joined = are_linearly_connected(first.labels, second.labels)
    assert (bounds.lower[joined] == 1).all()


@pytest.mark.parametrize("law", MAGNITUDE_LAWS)
@pytest.mark.parametrize(("M", "r"), [(1, 0.0), (2, 0.25), (4, 0.5), (3, 0.0)])
def test_both_bounds_tend_to_their_limits(law, M, r):
    """Closed form: the law of large numbers at m = 16384; within 2 % (finite fourth moment) or not at all asked."""
    kappa = MAGNITUDE_LAWS[law].moment_ratio
    first, second = pair(3, 4, 16384, M, labels="iid", zero_probability=r, magnitudes=law)
    if not law.startswith("pareto") and not (law == "equal" and M == 1 and r == 0):
        bounds = geodesic_ratio_bounds(first, second)
        assert bounds.lower.mean() == pytest.approx(spider_limit(M, r, kappa), rel=0.02)
        assert bounds.upper.mean() == pytest.approx(two_piece_limit(M, r, kappa), rel=0.02)


@pytest.mark.parametrize(("M", "r"), [(2, 0.3), (3, 0.0), (8, 0.7)])
def test_the_limit_for_uniform_magnitudes_is_that_of_the_theory(M, r):
    """Closed form of the theory: sqrt((6 q_c + 2 q_s + 2 q_z)/(4 q_c + 2 q_s + 2 q_z))."""
    change, same, zero = (1 - r) ** 2 * (M - 1) / M, (1 - r) ** 2 / M, 2 * r * (1 - r)
    expected = math.sqrt((6 * change + 2 * same + 2 * zero) / (4 * change + 2 * same + 2 * zero))
    assert spider_limit(M, r, 2.0) == pytest.approx(expected, rel=1e-14)


def test_limits_at_the_edges():
    """Closed form: 1 for one teacher or infinite variance; the order of sqrt(M) for uniform minima."""
    assert spider_limit(1, 0.3, 2.0) == spider_limit(4, 0.3, math.inf) == 1.0
    assert two_piece_limit(4, 0.0, 2.0) == pytest.approx(math.sqrt(31 / 7), rel=1e-14)
    assert two_piece_limit(4, 0.5, 1e9) == pytest.approx(two_piece_limit(4, 0.5, math.inf), rel=1e-6)


def test_bad_input_is_refused():
    """By construction."""
    first, _ = pair(0, 1, 4, 2)
    with pytest.raises(InputError, match="two different minima"):
        geodesic_ratio_bounds(first, first)
    with pytest.raises(InputError, match="0 <= r < 1"):
        spider_limit(2, 1.0, 2.0)


@pytest.mark.parametrize(
    ("labels", "magnitudes"),
    [
        ([1, 2], [1.0, 1.0]),
        ([0, 1, 2], [0.0, -1.0, 1.0]),
        ([0, 1, 2], [0.0, 0.5, 1.0]),
        ([0, 1, 2], [1.0, 1.0, 1.0]),
        ([1, 1, 1], [0.5, 0.25, 0.25]),
        ([0, 1, 2], [0.0, float("nan"), 1.0]),
    ],
)
def test_pairs_that_are_no_minima_have_no_length(labels: list[int], magnitudes: list[float]) -> None:
    """By construction: another width, negative, too short, not 0 at label 0, a teacher not served, NaN."""
    minimum = Minima(np.array([1, 2, 0]), np.array([1.0, 1.0, 0.0]))
    other = Minima(np.array(labels), np.array(magnitudes))
    for measure in (squared_lengths, two_piece_squares, geodesic_ratio_bounds):
        for pair in ((minimum, other), (other, minimum)):
            with pytest.raises(InputError):
                measure(*pair)
