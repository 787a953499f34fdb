"""theta and -theta: the constants 1/4, 4/15, 3 - 2 sqrt(2) and 1/6, against other routes to them."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize

from modeconn.errors import InputError
from modeconn.star import (
    LEAST_INTEGRAL,
    LEAST_INTEGRAL_ANY_CENTRE,
    LEAST_PEAK,
    antipodal_centre,
    antipode,
    end_to_end,
    exact_matrix,
    exact_net,
    least_peak_any_centre,
    pathological_pair,
    sample_linear_minimum,
    segment_defects,
    two_leg_loss,
)

ONE = exact_matrix([[1]])
T = np.linspace(0.0, 1.0, 401)


def leg_losses(b):
    """Losses on the two legs of the published pair on a grid, by products of interpolated layers."""
    b_1, b_2, e, t = b[:4], b[4:], np.eye(4)[0], T[:, None]
    products = [np.sum(((1 - t) * b_1 + s * t * e) * ((1 - t) * b_2 + s * t * e), axis=1) for s in (1, -1)]
    return (np.array(products) - 1) ** 2


@pytest.mark.parametrize("is_minimum", [True, False])
def test_no_centre_does_better_in_a_descent(is_minimum):
    """Independent route: SLSQP over all 8 weights of the centre, epigraph form on a grid, several starts."""
    low, high = least_peak_any_centre()
    bound = float(LEAST_PEAK if is_minimum else low)
    best = np.inf
    for seed in range(4):
        start = np.random.default_rng(seed).normal(size=8)
        start = np.append(start, leg_losses(start).max())
        constraints = [{"type": "ineq", "fun": lambda z: z[-1] - leg_losses(z[:-1])[:, ::20].ravel()}]
        if is_minimum:
            constraints.append({"type": "eq", "fun": lambda z: z[:4] @ z[4:8] - 1})
        found = minimize(lambda z: z[-1], start, constraints=constraints, method="SLSQP", options={"maxiter": 300})
        if found.success:
            best = min(best, leg_losses(found.x[:-1]).max())
    assert bound - 2e-3 <= best <= bound + 2e-3
    assert high >= low


def test_integrals_of_the_best_centres_on_a_grid():
    """Independent route: the trapezoidal rule on the grid, for the explicit centres of both kinds."""
    theta, _ = pathological_pair()
    for excess, constant in ((0, LEAST_INTEGRAL), (Fraction(1, 2), LEAST_INTEGRAL_ANY_CENTRE)):
        centre = antipodal_centre(theta, ONE, excess)
        b = np.concatenate([np.asarray(layer, float).ravel() for layer in centre])
        assert np.trapezoid(leg_losses(b), T).sum() == pytest.approx(float(constant), abs=1e-4)
        assert two_leg_loss(theta, centre, ONE).integral == constant


def test_the_enclosure_of_the_least_peak_holds_three_minus_two_root_two():
    """Exact: x < 3 - 2 sqrt(2) iff (3 - x)^2 > 8 for x < 3."""
    for bits in (4, 40, 200):
        low, high = least_peak_any_centre(bits)
        assert (3 - low) ** 2 > 8 > (3 - high) ** 2
    assert high - low < Fraction(1, 2**180)


@pytest.mark.parametrize(("m", "c", "d", "seed"), [(2, 1, 1, 0), (4, 1, 1, 1), (5, 3, 2, 2), (4, 2, 2, 3)])
def test_the_best_minimum_attains_both_bounds_for_any_target(m, c, d, seed):
    """Theorem, exactly: peak |Q|^2 / 4 and integral 4/15 |Q|^2, in the Frobenius norm."""
    rng = np.random.default_rng(seed)
    Q = exact_matrix(rng.integers(-2, 3, (c, d)).tolist())
    Q[0, 0] += 4
    theta = sample_linear_minimum(rng, Q, (m,))
    centre = antipodal_centre(theta, Q)
    size = (Q**2).sum()
    assert (end_to_end(centre) == Q).all()
    found = two_leg_loss(theta, centre, Q)
    assert found.peak.lower == size / 4
    assert found.integral == LEAST_INTEGRAL * size


@pytest.mark.parametrize("seed", range(5))
def test_first_order_conditions_contradict_each_other_at_every_centre(seed):
    """Theorem, exactly: D_1 of theta and of -theta add up to -2 Q at any centre, at depth 4 too."""
    rng = np.random.default_rng(seed)
    for widths in ((3,), (2, 3, 2)):
        theta = sample_linear_minimum(rng, ONE, widths)
        centre = tuple(exact_matrix(rng.integers(-3, 4, layer.shape).tolist()) for layer in theta)
        both = [segment_defects(net, centre, ONE)[1] for net in (theta, antipode(theta))]
        assert (both[0] + both[1] == -2 * ONE).all()


def test_where_the_construction_ends():
    """By construction: odd depth, floats, one neuron."""
    with pytest.raises(InputError, match="even depth"):
        antipode(exact_net([[[1]], [[1]], [[1]]]))
    with pytest.raises(InputError, match="depth 2"):
        antipodal_centre((np.ones((1, 1)),) * 2, np.ones((1, 1)))
    with pytest.raises(InputError, match="widen the net"):
        antipodal_centre(exact_net([[[1]], [[1]]]), ONE)
