"""The population loss of non-negative nets as an interval."""

from fractions import Fraction

import numpy as np
import pytest

from modeconn.population import population_loss
from proofs_check.exact.rational import ExactInputError
from proofs_check.exact.teacher_loss import teacher_loss


@pytest.mark.parametrize("seed", range(4))
def test_against_the_closed_form(seed):
    """Independent implementation: the Gram formula in JAX, neurons parallel on purpose among them."""
    rng = np.random.default_rng(seed)
    M = 3
    W = rng.integers(0, 5, (M, 6)) / 4
    W[:, 5] = 2 * W[:, 0]
    neurons = [{j: Fraction(w) for j, w in enumerate(column)} for column in W.T.tolist()]
    found = teacher_loss(neurons, M)
    assert found.width < Fraction(1, 10**25)
    np.testing.assert_allclose(float(found.lower), population_loss(W, np.eye(M), law="gaussian"), rtol=1e-9)


def test_minima_have_loss_exactly_zero():
    """By construction: rows of the axes that add up to 1."""
    thirds = [{1: Fraction(1, 3)}, {0: Fraction(1)}, {1: Fraction(2, 3)}, {}]
    loss = teacher_loss(thirds, 2)
    assert (loss.lower, loss.upper) == (0, 0)


@pytest.mark.parametrize("neuron", [{0: Fraction(-1)}, {2: Fraction(1)}])
def test_bad_input(neuron):
    """By construction: a negative weight; an axis without a teacher."""
    with pytest.raises(ExactInputError, match="weights >= 0"):
        teacher_loss([neuron], 2)
