"""Population losses in closed form against sampled inputs, differences and known values."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import sample_inputs
from modeconn.population import POPULATION_LAWS, population_loss, relu_correlation, sample_loss
from modeconn.star import sample_minima, weights


def gaussian(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("law", POPULATION_LAWS)
def test_the_closed_form_is_the_mean_over_inputs(law):
    """Independent implementation: the mean over 400 000 inputs, within five standard errors."""
    W, V, A, B = gaussian(0, 3, 4), gaussian(1, 3, 2), gaussian(2, 2, 4), gaussian(3, 2, 2)
    X = np.asarray(sample_inputs(jax.random.key(0), 400_000, 3, law))
    F = np.maximum(X @ W, 0) @ A.T - np.maximum(X @ V, 0) @ B.T
    losses = 0.5 * (F**2).sum(1)
    assert abs(population_loss(W, V, A, B, law) - losses.mean()) < 5 * losses.std() / np.sqrt(len(X))
    assert sample_loss(W, V, X, A, B) == pytest.approx(losses.mean(), rel=1e-12)


def test_the_two_laws_differ_by_the_dimension():
    """Closed form: |x| of a Gaussian is independent of its direction, and E |x|^2 = d."""
    U, V = gaussian(0, 5, 3), gaussian(1, 5, 4)
    np.testing.assert_allclose(relu_correlation(U, V, "gaussian"), 5 * relu_correlation(U, V, "sphere"), rtol=1e-14)


@pytest.mark.parametrize(("angle", "value"), [(0.0, 0.5), (np.pi / 2, 0.5 / np.pi), (np.pi, 0.0)])
def test_known_values(angle, value):
    """Closed form: E relu(x)^2 = 1/2, E relu(x) E relu(y) = 1/(2 pi), relu(x) relu(-x) = 0."""
    u, v = np.array([[1.0], [0.0]]), np.array([[np.cos(angle)], [np.sin(angle)]])
    assert relu_correlation(u, 3 * v, "gaussian") == pytest.approx(3 * value, abs=1e-15)


def test_half_way_between_two_swapped_teachers():
    """Closed form: 1/4 - 1/(2 pi)."""
    assert population_loss(np.full((2, 2), 0.5), np.eye(2), law="gaussian") == pytest.approx(
        0.25 - 0.5 / np.pi, abs=1e-15
    )


def differences(function, x, step):
    columns = [(function(x + step * e) - function(x - step * e)) / (2 * step) for e in np.eye(x.size)]
    return np.array(columns)


STUDENTS = {
    "generic": gaussian(4, 2, 3),
    "minimum": np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]),
    "opposite": np.array([[1.0, -1.0, 0.5], [2.0, -2.0, 1.0]]),
    "nearly-parallel": np.array([[1.0, 1.0, 1.0], [0.0, 1e-9, -1e-5]]),
}


@jax.jit
def two_teacher_loss(w):
    return population_loss(w.reshape(2, 3), np.eye(2), law="gaussian")


GRADIENT, HESSIAN = jax.jit(jax.grad(two_teacher_loss)), jax.jit(jax.hessian(two_teacher_loss))


@pytest.mark.parametrize("name", STUDENTS)
def test_gradient_and_hessian_at_parallel_and_opposite_neurons(name):
    """Independent implementation: central differences; nothing is NaN where neurons are parallel or opposite."""
    w = STUDENTS[name].ravel()
    np.testing.assert_allclose(GRADIENT(w), differences(two_teacher_loss, w, 1e-5), atol=2e-9)
    if name != "nearly-parallel":  # the third derivative jumps within the step
        np.testing.assert_allclose(HESSIAN(w), differences(GRADIENT, w, 1e-5), atol=2e-5)


def test_gradient_vanishes_at_minima_with_zero_neurons():
    """By construction: a minimum; the kink at a zero neuron counts as flat."""
    minima = sample_minima(3, 5, 12, 3, labels="iid", zero_probability=0.4)
    value_and_gradient = jax.jit(jax.value_and_grad(population_loss))
    for W in weights(minima, 4):
        loss, gradient = value_and_gradient(W, np.eye(4, 3))
        assert abs(loss) < 1e-14
        assert abs(np.asarray(gradient)).max() < 1e-15
        assert sample_loss(W, np.eye(4, 3), gaussian(7, 50, 4)) < 1e-28


def test_tiny_and_huge_neurons_keep_their_digits():
    """Closed form: homogeneous of degree one in each argument."""
    U, V = gaussian(0, 3, 2), gaussian(1, 3, 2)
    np.testing.assert_allclose(relu_correlation(1e-200 * U, 1e200 * V), relu_correlation(U, V), rtol=1e-13)


def test_bad_input_is_refused():
    """By construction: shapes that do not fit and unknown laws."""
    with pytest.raises(InputError, match="did you mean 'gaussian'"):
        relu_correlation(np.eye(2), np.eye(2), "gausian")
    with pytest.raises(InputError, match="a neuron is a column"):
        relu_correlation(np.eye(2), np.eye(3))
    with pytest.raises(InputError, match="expected A"):
        population_loss(np.eye(2), np.eye(2), np.ones((1, 3)))
    with pytest.raises(InputError, match="sample_loss"):
        sample_loss(np.eye(2), np.eye(2), np.ones((4, 3)))
