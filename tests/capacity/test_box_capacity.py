"""The least radius of AdamW's box at a width: closed forms, enumeration of all ways to share out, certificates."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from modeconn.capacity import dual_certificate, least_box, least_gauge_sum, type_system
from modeconn.capacity.box import share_out
from modeconn.errors import InputError
from proofs_check.checker import check_certificate

TWO_SIDES = ([[1], [-1]], [2, 1])
PLANE = ([[2, 1], [1, 2], [-1, 1], [-2, -1]], [1, -1, 2, 1])


def gauge_of(data, level=0):
    return least_gauge_sum(type_system(*data), Fraction(level))


def accepted(box):
    lower = check_certificate(box.lower_certificate(), box.dual.system.to_json())
    assert lower.accepted, lower.reason
    if box.net is not None:
        upper = check_certificate(*box.upper_certificate())
        assert upper.accepted, upper.reason
    return box


@pytest.mark.parametrize("width", range(2, 9))
def test_two_sides_of_a_line(width):
    """Closed form: u = 2 on one side and 1 on the other, shared out over k and m - k neurons."""
    found = accepted(least_box(gauge_of(TWO_SIDES), width))
    best = min(max(Fraction(2, k), Fraction(1, width - k)) for k in range(1, width))
    assert found.square_upper == best
    assert float(found.square_lower) == pytest.approx(3 / width, rel=1e-12)


def test_one_neuron_cannot_have_two_sides():
    """By construction: width 1 cannot bend the line, so there is no net; the bound stands."""
    found = accepted(least_box(gauge_of(TWO_SIDES), 1))
    assert (found.net, found.upper, found.gap) == (None, float("inf"), 1.0)
    with pytest.raises(InputError, match="found none"):
        found.upper_certificate()


@pytest.mark.parametrize("width", [3, 4])
def test_every_way_to_share_out_a_small_width(width):
    """Independent implementation: all compositions of the width over all types, one linear program each."""
    from scipy.optimize import linprog

    system = type_system([[1, 1], [-1, 2], [2, 0]], [1, 1, -1])
    T, d = len(system.types), system.d
    best = np.inf
    for support in itertools.combinations(range(T), min(width, 3)):
        for cuts in itertools.combinations(range(1, width), len(support) - 1):
            copies = np.diff([0, *cuts, width])
            rows = []
            for j, t in enumerate(support):
                for normal in system.walls(t):
                    row = np.zeros(len(support) * d + 1)
                    row[j * d : (j + 1) * d] = -normal
                    rows.append(row)
                for a, side in itertools.product(range(d), (1, -1)):
                    row = np.zeros(len(support) * d + 1)
                    row[j * d + a], row[-1] = side, -copies[j]
                    rows.append(row)
            F = np.concatenate([*system.maps[list(support)], np.zeros((system.n, 1))], axis=1)
            cost = np.eye(len(support) * d + 1)[-1]
            answer = linprog(cost, np.array(rows), np.zeros(len(rows)), F, system.targets, bounds=(None, None))
            if answer.status == 0:
                best = min(best, answer.fun)
    found = accepted(least_box(least_gauge_sum(system), width))
    assert float(found.square_lower) <= best * (1 + 1e-9)
    assert float(found.square_upper) <= best * 1.02  # the radius is bisected to a hundredth


@pytest.mark.parametrize("level", ["0", "1/10", "1"])
def test_the_gap_closes_with_the_width(level):
    """Theory: integrality costs at most the number of live types over the width."""
    gauge = gauge_of(PLANE, level)
    for width in (16, 64, 256):
        found = accepted(least_box(gauge, width, search=False))
        assert found.net.loss <= Fraction(level)
        assert found.net.width <= width
        assert found.gap <= len(gauge.active) / width


def test_mixed_products_pay_the_root_of_the_width():
    """Certificate: the same vector bounds the mixed product, accepted with sqrt(m) and not with less."""
    gauge = gauge_of(PLANE)
    certificate = dual_certificate(gauge.dual, Fraction(0), 9, "spectral")
    assert check_certificate(certificate, gauge.system.to_json()).accepted
    bound = Fraction(certificate["statement"]["radius_product_lower"])
    assert float(bound) == pytest.approx(gauge.value / 3, rel=1e-9)
    certificate["statement"]["radius_product_lower"] = str(bound * Fraction(1001, 1000))
    assert not check_certificate(certificate, gauge.system.to_json()).accepted
    with pytest.raises(InputError, match="width"):
        dual_certificate(gauge.dual, Fraction(0), None)
    with pytest.raises(InputError, match="product"):
        dual_certificate(gauge.dual, Fraction(0), 9, "spectral", bound * 2)


def test_the_lineality_space_helps_a_box():
    """Closed form: for x = (1, 0), y = 1 any second entry is free; for x = (1, 1) both entries carry half."""
    assert gauge_of(([[1, 0]], [1])).value == pytest.approx(1)
    assert gauge_of(([[1, 1]], [1])).value == pytest.approx(0.5)
    assert gauge_of(([[3, 1]], [1])).value == pytest.approx(0.25)  # (1, 1) / 4 is not in the row space
    accepted(least_box(gauge_of(([[3, 1]], [1])), 1))


def test_sharing_out_is_optimal():
    """Independent implementation: all compositions."""
    sizes = [3.0, 1.0, 0.7]
    for width in range(3, 9):
        compositions = (np.diff([0, *cuts, width]) for cuts in itertools.combinations(range(1, width), 2))
        best = min(max(v / k for v, k in zip(sizes, copies, strict=True)) for copies in compositions)
        copies = share_out(sizes, width)
        assert sum(copies) == width
        assert max(v / k for v, k in zip(sizes, copies, strict=True)) == pytest.approx(best)
    assert share_out(sizes, 2) is None


@pytest.mark.parametrize("target_unit", [1, Fraction(1, 10**8)])
@pytest.mark.parametrize("power", [-15, -9, 9, 12, 15, 25])
@pytest.mark.parametrize("level", [0, Fraction(1, 100)])
def test_any_unit_of_the_data(power, target_unit, level):
    """Closed form: X times k and y times q scale every |u|, so the gauge and both radii squared, by q / k."""
    X = [[Fraction(v) * Fraction(10) ** power for v in row] for row in PLANE[0]]
    y, factor = [v * target_unit for v in PLANE[1]], target_unit / Fraction(10) ** power
    plain, scaled = gauge_of(PLANE, level), gauge_of((X, y), level * target_unit**2)
    assert scaled.value == pytest.approx(plain.value * float(factor), rel=1e-7)
    first, found = least_box(plain, 6, search=False), accepted(least_box(scaled, 6, search=False))
    assert float(found.square_lower / factor) == pytest.approx(float(first.square_lower), rel=1e-6)
    assert float(found.square_upper / factor) == pytest.approx(float(first.square_upper), rel=1e-6)


@pytest.mark.parametrize("power", [-15, 15])
def test_the_integer_programs_of_small_widths_in_any_unit(power, capfd):
    """Closed form as above; and the solver prints nothing, which it does when numbers are far from 1."""
    X = [[v * Fraction(10) ** power for v in row] for row in PLANE[0]]
    found = accepted(least_box(gauge_of((X, PLANE[1])), 6))
    first = least_box(gauge_of(PLANE), 6)
    assert float(found.square_upper * Fraction(10) ** power) == pytest.approx(float(first.square_upper), rel=1e-6)
    assert capfd.readouterr().out == ""
