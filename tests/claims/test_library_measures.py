"""The potentials in NumPy that runs are measured with, against the library's own and against their definitions."""

import jax
import numpy as np
import pytest

from modeconn.optim import POTENTIALS
from proofs_check.claims.library.measures import measure
from proofs_check.claims.library.tensors import KINDS

MATRICES = np.stack([KINDS[kind](np.random.default_rng(k), (2, 3)) for k in range(4) for kind in KINDS])


@pytest.mark.parametrize("name", ["l1", "nuclear", "lp:3", "sum_column", "soft_nuclear", "huber_nuclear"])
def test_measures_agree_with_the_potentials_of_the_library(name):
    """Independent implementation: NumPy against JAX, zero, tied and rank-deficient matrices included."""
    potential, own = POTENTIALS[name], measure(name)
    value, size, support = jax.jit(
        jax.vmap(lambda x: (potential.value(x), potential.ball.value(x), potential.ball.dual.value(x)))
    )(MATRICES)
    np.testing.assert_allclose(own.value(MATRICES), value, atol=1e-13)
    np.testing.assert_allclose(own.size(MATRICES), size, atol=1e-13)
    np.testing.assert_allclose(own.support(MATRICES), support, atol=1e-13)


@pytest.mark.parametrize("name", POTENTIALS)
def test_gradients_are_subgradients(name):
    """Definition: K(z) >= K(x) + <g, z - x> for all pairs, g in dom K*, and Fenchel-Young is an equality at g."""
    K = measure(name)
    g = K.gradient(MATRICES)
    values = K.value(MATRICES)
    products = np.einsum("iab,jab->ij", g, MATRICES)
    own = np.diag(products)
    assert (values[None, :] >= values[:, None] + products - own[:, None] - 1e-12).all()
    assert K.size(g).max() <= 1 + 1e-12
    np.testing.assert_allclose(values + K.conjugate(g), own, atol=1e-12)


@pytest.mark.parametrize("name", POTENTIALS)
def test_conjugate_gradients_are_subgradients(name):
    """Definition: K*(z) >= K*(y) + <h, z - y> for all pairs of points in the ball."""
    K = measure(name)
    y = MATRICES / np.maximum(K.size(MATRICES), 1)[:, None, None]
    h, values = K.conjugate_gradient(y), K.conjugate(y)
    products = np.einsum("iab,jab->ij", h, y)
    assert (values[None, :] >= values[:, None] + products - np.diag(products)[:, None] - 1e-12).all()


@pytest.mark.parametrize("name", POTENTIALS)
def test_reach_bounds_the_size_of_all_matrices_with_entries_at_most_one(name):
    """Closed form: signs attain it but for the Schatten norms below 2, where they come close."""
    K = measure(name)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (500, 2, 3))
    largest = max(K.size(signs).max(), float(K.size(np.ones((2, 3)))))
    assert 0.9 * K.reach(2, 3) < largest <= K.reach(2, 3) * (1 + 1e-12)


@pytest.mark.parametrize("name", POTENTIALS)
def test_distance_is_zero_in_the_ball_and_contracts_towards_it(name):
    """Definition: 0 exactly in the ball; convex, so halfway to a point of the ball it is at most half."""
    K = measure(name)
    far = 8 * MATRICES
    inside = K.size(far) <= 1
    assert (K.distance(far)[inside] == 0).all()
    assert (K.distance(far)[~inside] > 0).all()
    in_ball = K.gradient(MATRICES[::-1])
    assert (K.distance((far + in_ball) / 2) <= K.distance(far) / 2 + 1e-12).all()
