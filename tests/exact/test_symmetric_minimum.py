"""Spurious minima in intervals, against JAX in the full space and against published minima."""

import json
import os
from fractions import Fraction
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.constructions.symmetric_minimum import symmetric_minimum, symmetric_weights
from modeconn.errors import InputError
from modeconn.population import population_loss, relu_correlation
from proofs_check.exact.interval import Interval
from proofs_check.exact.rational import ExactInputError
from proofs_check.exact.relu_pair import relu_pair
from proofs_check.exact.symmetric_minimum import (
    critical_box,
    hessian_pivots,
    symmetric_loss,
    verify_symmetric_minimum,
)


def full_loss(W):
    k = round(W.size**0.5)
    return population_loss(W.reshape(k, k), jnp.eye(k), law="gaussian")


def points(parameters):
    return tuple(Interval.point(float(x)) for x in parameters)


gradients = jax.jit(jax.vmap(jax.grad(full_loss)))


def full_hessian(W, step=1e-5):
    """Return the Hessian in all weights by central differences of JAX's gradient."""
    moves = step * np.eye(W.size)
    both = np.asarray(gradients(np.concatenate([W.ravel() + moves, W.ravel() - moves])))
    found = (both[: W.size] - both[W.size :]) / (2 * step)
    return (found + found.T) / 2


def numpy_loss(W):
    """The population loss by the angle of every two neurons."""
    Z = np.concatenate([W, np.eye(len(W))], 1)
    signs = np.concatenate([np.ones(W.shape[1]), -np.ones(len(W))])
    sizes = np.linalg.norm(Z, axis=0)
    angle = np.arccos(np.clip(Z.T @ Z / np.outer(sizes, sizes), -1, 1))
    kernel = np.outer(sizes, sizes) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
    return float(signs @ kernel @ signs / 2)


def test_pair_derivatives():
    """Independent implementation: differences of the formula in floats, then of the gradient; JAX for the value."""

    def f(z):
        S = np.sqrt(z[1] * z[2] - z[0] ** 2)
        return S + (np.pi / 2 + np.arctan2(z[0], S)) * z[0]

    def gradient(z):
        return np.array([float(x.lower) for x in relu_pair(*points(z)).gradient()])

    z, step = np.array([-0.3, 1.7, 0.8]), 1e-5 * np.eye(3)
    np.testing.assert_allclose(gradient(z), [(f(z + h) - f(z - h)) / 2e-5 for h in step], rtol=1e-8)
    second = [[float(x.lower) for x in row] for row in relu_pair(*points(z)).hessian()]
    np.testing.assert_allclose(second, [(gradient(z + h) - gradient(z - h)) / 2e-5 for h in step], rtol=1e-8)
    u, v = np.array([[1.0], [2.0]]), np.array([[-1.0], [0.7]])
    same = relu_pair(*points([(u * v).sum(), (u * u).sum(), (v * v).sum()])).correlation()
    np.testing.assert_allclose(float(same.lower), relu_correlation(u, v, "gaussian")[0, 0], rtol=1e-13)


def test_parallel_neurons_are_refused():
    """By construction: the second derivatives have a pole there."""
    with pytest.raises(ZeroDivisionError):
        relu_pair(*points([1, 1, 1]))


@pytest.mark.parametrize("k", [5, 6, 8])
def test_loss_at_any_symmetric_net(k):
    """Independent implementation: the closed form over all pairs of neurons, NumPy."""
    rng = np.random.default_rng(k)
    parameters = rng.uniform(0.2, 1.2, 5)
    found = symmetric_loss(k, points(parameters))
    np.testing.assert_allclose(float(found.lower), numpy_loss(symmetric_weights(k, parameters)), rtol=1e-11)


@pytest.mark.parametrize("seed", range(4))
def test_blocks_decide_like_the_full_hessian(seed):
    """Independent implementation: eigenvalues of the 36 x 36 Hessian from JAX, at symmetric nets of both kinds."""
    k = 6
    parameters = symmetric_minimum(k) + np.random.default_rng(seed).uniform(-1, 1, 5) * 0.06 * seed
    last = hessian_pivots(k, points(parameters))[-1]
    eigenvalues = np.linalg.eigvalsh(full_hessian(symmetric_weights(k, parameters)))
    assert abs(eigenvalues[0]) > 1e-6
    assert (last.lower > 0) == (eigenvalues[0] > 0)


def test_minimum_in_the_full_space():
    """Independent implementation: gradient and Hessian in all k^2 weights, JAX."""
    k = 6
    found = verify_symmetric_minimum(k, symmetric_minimum(k).tolist())
    W = symmetric_weights(k, np.array([float(x.lower) for x in found.box]))
    assert np.abs(gradients(np.stack([W.ravel()] * (2 * k * k)))).max() < 1e-12
    assert np.linalg.eigvalsh(full_hessian(W))[0] > 1e-3
    assert found.loss.lower > Fraction(1, 100)
    np.testing.assert_allclose(float(found.loss.lower), numpy_loss(W), rtol=1e-10)


def test_the_split_neuron_finds_the_way_down():
    """Independent implementation: second difference of the closed-form loss at width k + 1, both halves moved."""
    k, eps = 6, 1e-3
    found = verify_symmetric_minimum(k, symmetric_minimum(k).tolist())
    W = symmetric_weights(k, np.array([float(x.lower) for x in found.box]))
    z = np.zeros(k)
    z[1], z[2] = 1.0, -1.0

    def split(s):
        halves = np.stack([W[:, 0] / 2 + s * z, W[:, 0] / 2 - s * z], 1)
        return numpy_loss(np.concatenate([halves, W[:, 1:]], 1))

    curvature = (split(eps) - 2 * numpy_loss(W) + split(-eps)) / eps**2
    assert curvature < 0
    np.testing.assert_allclose(float(found.split_curvature), curvature, rtol=0.02)


def test_five_neurons_are_a_saddle():
    """Independent implementation: three negative eigenvalues of the 25 x 25 Hessian, the multiplicity k - 2."""
    parameters = symmetric_minimum(5)
    box = critical_box(5, parameters.tolist())
    assert verify_symmetric_minimum(5, parameters.tolist()) is None
    assert hessian_pivots(5, box)[-1].upper < 0
    eigenvalues = np.linalg.eigvalsh(full_hessian(symmetric_weights(5, parameters)))
    assert (eigenvalues < -1e-3).sum() == 3


def test_a_bad_proposal_is_not_a_minimum():
    """By construction: far from a zero of the gradient, or at parallel neurons."""
    good = symmetric_minimum(7)
    assert verify_symmetric_minimum(7, (good + 1e-4).tolist()) is None
    assert verify_symmetric_minimum(7, [1, 0, 0, 1, 0]) is None
    with pytest.raises(ExactInputError, match="five numbers"):
        verify_symmetric_minimum(7, [1, 2, 3])
    with pytest.raises(ExactInputError, match="k >= 5"):
        verify_symmetric_minimum(4, good.tolist())
    with pytest.raises(InputError, match="k >= 3"):
        symmetric_minimum(2)


def test_published_minima():
    """Published numbers: minima of type (1, k - 1) of Safran, Yehudai and Shamir, parameters and losses."""
    folder = os.environ.get("MODECONN_REFERENCE")
    if not folder:
        pytest.skip("MODECONN_REFERENCE names no folder with safran_minima.json")
    stored = json.loads((Path(folder) / "safran_minima.json").read_text())
    seen = 0
    for key, minima in stored.items():
        for entry in minima if key.isdigit() else ():
            k = int(key)
            if entry["p"] != [1, k - 1]:
                continue
            found = verify_symmetric_minimum(k, symmetric_minimum(k).tolist())
            a, b, c, d, e = (float(x.lower) for x in found.box)
            (p, q, _), (r, s, u) = entry["vals"]
            np.testing.assert_allclose([a, c, b, d, e], [p, q, r, s, u], atol=1e-8)
            np.testing.assert_allclose(float(found.loss.lower), entry["loss_closed_form"], rtol=1e-7)
            seen += 1
    assert seen == 7
