"""Maxima of quartics against roots of companion matrices, dense grids and closed forms."""

import itertools

import numpy as np
import pytest

from modeconn.paths.quartic import bernstein_quartic, critical_points, horner, piecewise_peak, to_unit_interval

GRID = np.linspace(0.0, 1.0, 2001)


def _quartics(count, seed):
    return np.random.default_rng(seed).normal(size=(5, count))


def test_shift_and_bernstein_describe_the_same_polynomial():
    """Independent implementation: NumPy for the shifted polynomial, de Casteljau for the Bernstein form."""
    poly = tuple(_quartics(20, 0))
    left, width = np.linspace(-1, 0.5, 20), np.linspace(0.1, 2.0, 20)
    local = to_unit_interval(poly, left, width)
    for x in (0.0, 0.3, 1.0):
        row = list(bernstein_quartic(local))
        while len(row) > 1:
            row = [(1 - x) * a + x * b for a, b in itertools.pairwise(row)]
        direct = [np.polyval([q[k] for q in poly[::-1]], left[k] + width[k] * x) for k in range(20)]
        np.testing.assert_allclose(horner(local, x), direct, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(row[0], direct, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-170, 1.0, 1e150])
def test_peak_matches_companion_matrix(scale):
    """Independent implementation: stationary points from eigenvalues (numpy.roots), at every magnitude."""
    poly = _quartics(300, 1)
    for k in range(poly.shape[1]):
        q = poly[:, k]
        roots = np.roots([4 * q[4], 3 * q[3], 2 * q[2], q[1]])
        points = [0.0, 1.0, *(r.real for r in roots if abs(r.imag) < 1e-9 and 0 < r.real < 1)]
        expected = max(np.polyval(q[::-1], x) for x in points)
        value, x = piecewise_peak(tuple(scale * q[:, None]), np.array([0.0]), np.array([1.0]))
        assert value / scale == pytest.approx(expected, rel=1e-13, abs=1e-13)
        assert np.polyval(q[::-1], x) == pytest.approx(expected, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize(
    ("poly", "expected"),
    [
        ((0.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0)),  # nothing to find
        ((2.0, 0.0, 0.0, 0.0, 0.0), (2.0, 0.0)),  # flat
        ((0.0, 1.0, 0.0, 0.0, 0.0), (1.0, 1.0)),  # monotone
        ((-0.0625, 0.5, -1.5, 2.0, -1.0), (0.0, 0.5)),  # -(x - 1/2)^4: triple root of the derivative
        ((-0.01, 0.2, -1.4, 4.0, -4.0), (0.0, None)),  # -(2 x^2 - x + 1/10)^2: two equal peaks
        ((0.0, 0.0, 1.0, -1.0, 0.0), (4.0 / 27.0, 2.0 / 3.0)),  # x^2 (1 - x): no quartic term
    ],
)
def test_peak_closed_forms(poly, expected):
    """Closed form."""
    value, x = piecewise_peak(tuple(np.array([q]) for q in poly), np.array([0.0]), np.array([1.0]))
    assert value == pytest.approx(expected[0], abs=1e-15)
    assert expected[1] is None or x == pytest.approx(expected[1], abs=1e-4)


def test_peak_is_never_below_a_grid_on_many_intervals():
    """Oracle: 2001 points of each of 500 intervals."""
    poly = _quartics(500, 2)
    left = np.random.default_rng(3).uniform(-1, 1, 500)
    right = left + 10.0 ** np.random.default_rng(4).uniform(-6, 0, 500)
    at = left[:, None] + (right - left)[:, None] * GRID
    grid = horner(tuple(q[:, None] for q in poly), at).max()
    value, x = piecewise_peak(tuple(poly), left, right)
    assert grid <= value + 1e-14
    assert ((left <= x) & (x <= right)).any()


def test_critical_points_find_every_root():
    """By construction: the derivative is c (x - r1)(x - r2)(x - r3) with known roots."""
    rng = np.random.default_rng(5)
    roots = np.sort(rng.uniform(-0.3, 1.3, size=(200, 3)), axis=1)
    derivative = np.array([np.poly(r)[::-1] for r in roots]).T * rng.choice([-3.0, 5.0], 200)
    poly = (np.zeros(200), *(derivative[k] / (k + 1) for k in range(4)))
    points = critical_points(poly)
    for k in range(200):
        for r in roots[k]:
            if 0 < r < 1:
                assert np.abs(points[:, k] - r).min() < 1e-7
