"""What the capacity functions accept: numbers of any type and sensible size, and no others."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from modeconn.capacity import (
    attainable_loss,
    example_system,
    least_box,
    least_gauge_sum,
    least_radius,
    loose_bound,
    natural_axes,
    phase_diagram,
    type_system,
    unattainable_dual,
)
from modeconn.capacity.box import MOST_NEURONS, share_out
from modeconn.errors import InputError
from proofs_check.checker import check_certificate

LINE = type_system([[1], [-1]], [1, 1])
NO_NUMBERS = (float("inf"), float("nan"), "many", None, True, [1])


@pytest.mark.parametrize(
    ("x", "y"), [("1e-300", 1), ("1e300", 1), (1, "1e-300"), (1, "1e300"), (1, "1e-31"), (1e40, 1)]
)
def test_data_of_extreme_size_are_refused(x, y):
    """By construction: floats and their products would over- or underflow."""
    with pytest.raises(InputError, match="another unit"):
        type_system([[x, 0], [0, 1]], [y, 0])


@pytest.mark.parametrize(("x", "y"), [("1e-30", "1e30"), ("1e30", "1e30"), ("1e-15", "1e-30"), ("1e15", "1")])
def test_the_radius_scales_with_the_unit(x, y):
    """Closed form: B_M*^2 of (x X, y Y) is y/x times that of (X, Y), to the ends of what is accepted."""
    square = least_radius(type_system([[x], [f"-{x}"]], [y, y])).square_lower / (Fraction(y) / Fraction(x))
    assert float(square) == pytest.approx(2, rel=1e-6)


@pytest.mark.parametrize("call", [least_radius, least_gauge_sum, loose_bound, unattainable_dual])
def test_levels(call):
    """By construction."""
    for level in NO_NUMBERS:
        with pytest.raises(InputError, match="level"):
            call(*(LINE, level), *([Fraction(1)] if call is unattainable_dual else []))


def test_numbers_of_any_type_are_one_number():
    """By construction: the same answers for "1/2", 0.5 and Fraction(1, 2), as level and as radius."""
    halves = ("1/2", 0.5, Fraction(1, 2), np.float64(0.5))
    assert len({least_radius(LINE, level).square_lower for level in halves}) == 1
    assert len({attainable_loss(LINE, radius).upper for radius in halves}) == 1
    cells = [phase_diagram(LINE, [value], [value], [2]).cells for value in halves]
    assert all(found == cells[0] for found in cells)


def test_radii():
    """By construction."""
    for radius in (*NO_NUMBERS, 0, -1, "1e400", "1e-400"):
        with pytest.raises(InputError, match="radius"):
            attainable_loss(LINE, radius)


@pytest.mark.parametrize("width", [1.5, True, 0, -2, "3", None, 10**13])
def test_widths(width):
    """By construction."""
    with pytest.raises(InputError, match="width"):
        least_box(least_gauge_sum(LINE), width)
    with pytest.raises(InputError, match="widths"):
        phase_diagram(LINE, [1], [1], [width])
    with pytest.raises(InputError, match="widths"):
        natural_axes(LINE, [width])


def test_huge_widths_have_a_bound_and_a_net():
    """Certificate: both ends at width 10^9 are accepted; the lower one is that of width 1 over 10^9."""
    system = example_system()
    gauge = least_gauge_sum(system)
    found = least_box(gauge, 10**9)
    assert found.net.width <= MOST_NEURONS
    assert float(found.square_lower * 10**9) == pytest.approx(float(least_box(gauge, 1).square_lower), rel=1e-12)
    assert check_certificate(found.lower_certificate(), system.to_json()).accepted
    assert check_certificate(*found.upper_certificate()).accepted


def greedy(gauges, width):
    """One copy after the other to the largest share."""
    copies = [1] * len(gauges)
    for _ in range(width - len(gauges)):
        copies[max(range(len(gauges)), key=lambda j: gauges[j] / copies[j])] += 1
    return copies


@pytest.mark.parametrize("seed", range(20))
def test_sharing_out_is_greedy(seed):
    """Independent implementation: the slow greedy choice; equal largest share, equal sum."""
    rng = np.random.default_rng(seed)
    gauges = (10.0 ** rng.uniform(-6, 2, rng.integers(1, 8))).tolist()
    for width in (len(gauges), len(gauges) + 1, 40, 700):
        found = share_out(gauges, width)
        assert sum(found) == width
        assert min(found) >= 1
        assert max(g / k for g, k in zip(gauges, found, strict=True)) == max(
            g / k for g, k in zip(gauges, greedy(gauges, width), strict=True)
        )


def test_sharing_out_nothing():
    """By construction: gauges of zero take copies as well; huge widths take no time."""
    assert sum(share_out([0.0, 0.0], 5)) == 5
    assert share_out([3.0, 1.0], 4 * 10**11) == [3 * 10**11, 10**11]
