"""Depth 2, one input, one output: which pairs two pieces join, decided and constructed exactly."""

import itertools

import numpy as np
import pytest
from scipy.optimize import least_squares

from modeconn.errors import InputError
from modeconn.star import (
    antipode,
    chain_defect,
    exact_matrix,
    exact_net,
    is_scalar_pair_joined,
    pathological_pair,
    sample_linear_minimum,
    scalar_centre,
    segment_defects,
)

ONE = exact_matrix([[1]])


def small_minima(m, entries=(-1, 0, 1)):
    """All minima with Q = 1 and these entries."""
    vectors = [np.array(v) for v in itertools.product(entries, repeat=m)]
    return [exact_net([a[:, None].tolist(), [b.tolist()]]) for a in vectors for b in vectors if a @ b == 1]


def test_every_pair_of_small_minima_but_the_antipodal_ones_has_an_exact_centre():
    """Theorem, exhaustively up to the choice of start: m = 3, entries -1, 0, 1, degenerate spans among them."""
    nets = small_minima(3)
    grams = set()
    for start, end in itertools.product(nets[::17], nets):
        centre = scalar_centre(start, end, ONE)
        grams.add(int((start[1] @ end[0] + end[1] @ start[0])[0, 0]))
        antipodal = all((a == -b).all() for a, b in zip(start, end, strict=True))
        assert (centre is None) is antipodal
        assert is_scalar_pair_joined(start, end, ONE) is not antipodal
        assert antipodal or chain_defect([start, centre, end], ONE) == 0
    assert {-3, -2, 0, 2, 3} <= grams


def residuals(start, end):
    """Defects of both segments as a function of the weights of a centre."""
    m = len(start[0])
    feet = [tuple(layer.astype(float) for layer in net) for net in (start, end)]

    def of(x):
        centre = x[:m, None], x[None, m:]
        return np.ravel([segment_defects(foot, centre, np.eye(1))[:-1] for foot in feet])

    return of


@pytest.mark.parametrize(("m", "joined"), [(1, False), (2, True)])
def test_the_decision_at_small_widths_by_nonlinear_least_squares(m, joined):
    """Independent route: a descent on the defects finds a centre at m = 2, below 2L - 1 = 3, and none at m = 1."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        start, end = (sample_linear_minimum(rng, ONE, (m,)) for _ in range(2))
        equal = all((a == b).all() for a, b in zip(start, end, strict=True))
        of = residuals(start, end)
        best = min(np.abs(least_squares(of, 2 * rng.normal(size=2 * m)).fun).max() for _ in range(10))
        assert is_scalar_pair_joined(start, end, ONE) is (joined or equal)
        assert bool(best < 1e-8) is (joined or equal)


def test_the_published_pair_is_not_joined():
    """Claim G9; and the origin joins all minima of Q = 0."""
    theta, minus = pathological_pair()
    assert not is_scalar_pair_joined(theta, minus, ONE)
    zero, nothing = exact_net([[[1], [0], [0]], [[0, 1, 0]]]), exact_matrix([[0]])
    assert is_scalar_pair_joined(zero, antipode(zero), nothing)
    origin = scalar_centre(zero, antipode(zero), nothing)
    assert chain_defect([zero, origin, antipode(zero)], nothing) == 0


def test_other_nets_are_refused():
    """By construction: no minimum, two inputs, two neurons where a rational centre is asked for."""
    theta, minus = pathological_pair(2)
    with pytest.raises(InputError, match="expected a minimum"):
        is_scalar_pair_joined(theta, minus, exact_matrix([[2]]))
    with pytest.raises(InputError, match="one input"):
        is_scalar_pair_joined(*[exact_net([[[1, 0]], [[1]]])] * 2, exact_matrix([[1, 0]]))
    with pytest.raises(InputError, match="m >= 3"):
        scalar_centre(theta, minus, ONE)
