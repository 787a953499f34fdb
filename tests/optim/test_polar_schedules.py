"""Coefficients of the steps, and the odd function of the singular values that they compose to."""

import numpy as np
import pytest
from scipy.optimize import linprog

from modeconn.optim.schedules import HALLEY, PRODUCTS, Schedule, best_quintic, halley_weights, schedule

SCHEDULES = {"products": PRODUCTS, "halley": HALLEY, "other": schedule(1e-3, lifts=2, halley=1, last=3)}


def quintic(row: tuple[float, float, float], x: np.ndarray) -> np.ndarray:
    a, b, c = row
    return a * x + b * x**3 + c * x**5


def composed(steps: Schedule, x: np.ndarray) -> list[np.ndarray]:
    """Values after each step."""
    values = []
    for row in steps.lifts:
        values.append(x := quintic(row, x))
    for a, b, c in steps.halley:
        values.append(x := x * (a + b * x**2) / (1 + c * x**2))
    for row in steps.last:
        values.append(x := quintic(row, x))
    return values


@pytest.mark.parametrize("smallest", [0.02, 0.1, 0.5, 0.9, 0.98])
def test_the_best_quintic_is_a_linear_programs(smallest: float) -> None:
    """Independent implementation: minimise e over |1 - p(x)| <= e at 400 points, by HiGHS."""
    x = np.concatenate([np.geomspace(smallest, 1, 200), np.linspace(smallest, 1, 200)])
    rows = np.stack([x, x**3, x**5], axis=1)
    one = np.ones((len(x), 1))
    program = linprog(
        [0, 0, 0, 1],
        np.block([[rows, -one], [-rows, -one]]),
        np.concatenate([one[:, 0], -one[:, 0]]),
        bounds=[(None, None)] * 3 + [(0, None)],
    )
    row, error = best_quintic(smallest)
    assert error == pytest.approx(program.fun, rel=1e-3, abs=2e-7)  # HiGHS allows 1e-7
    assert np.abs(1 - quintic(row, x)).max() <= error * (1 + 1e-9) + 1e-12


def test_near_one_the_quintic_is_of_cubic_order() -> None:
    """Closed form: the error bound 2.5 d^3 holds at distance d and is attained to first order."""
    for d in (9e-4, 1e-5):
        row, error = best_quintic(1 - d)
        assert error / 2 < abs(1 - quintic(row, np.array(1 - d))) + 5e-16
        assert abs(1 - quintic(row, np.array(1 - d))) <= error + 5e-16


@pytest.mark.parametrize("smallest", [1e-4, 0.05, 0.5])
def test_halley_weights_keep_one_and_lift_the_smallest_most(smallest: float) -> None:
    """Published conditions: x(a + b x^2)/(1 + c x^2) is 1 at 1, at most 1, and least at the smallest value."""
    (a, b, c), least = halley_weights(smallest)
    x = np.linspace(smallest, 1, 10_001)
    y = x * (a + b * x**2) / (1 + c * x**2)
    assert y[-1] == pytest.approx(1, abs=1e-12)
    assert y.max() <= 1 + 1e-10
    assert y.min() == pytest.approx(least, rel=1e-6)
    assert y.min() > 3 * smallest or smallest == 0.5


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_ends_within_its_error(name: str) -> None:
    """Closed form: evaluated at 200,000 points of [smallest, 1]; in between nothing leaves [0, 1.001]."""
    steps = SCHEDULES[name]
    smallest = 1e-3 if name == "other" else 1e-5
    x = np.concatenate([np.geomspace(smallest, 1, 100_000), np.linspace(smallest, 1, 100_000)])
    values = composed(steps, x)
    assert np.abs(values[-1] - 1).max() <= steps.error * (1 + 1e-6) + 1e-12
    assert steps.error < 3e-5
    assert min(v.min() for v in values) > 0
    assert max(v.max() for v in values) < 1.001
    above = composed(steps, np.array([1 + 1e-5]))  # as rounding leaves it: it must not grow from step to step
    assert max(abs(v).max() for v in above) < 1.001


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_step_drowns_a_large_value(name: str) -> None:
    """Nakatsukasa and Higham's condition for backward stability: a value never loses more than a factor of 4 on the
    largest. The uncushioned best quintic loses a factor of 10^3: it fails this.
    """
    x = np.geomspace(1e-5, 1, 20_001)
    for before, after in zip([x, *composed(SCHEDULES[name], x)], composed(SCHEDULES[name], x), strict=False):
        assert (after / after.max() / (before / before.max())).min() > 0.25
    row, _ = best_quintic(1e-3)
    assert (quintic(row, x[x > 1e-3]) / quintic(row, x).max() / x[x > 1e-3]).min() < 0.02
