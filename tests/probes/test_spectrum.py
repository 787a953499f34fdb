"""Spectral probes against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.probes import effective_rank, singular_values, spectrum, stable_rank


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, np.ndarray]:
    """Four 3 x 5 matrices built from orthogonal factors and these singular values."""
    rng = np.random.default_rng(0)
    s = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 1.0], [5.0, 0.0, 0.0], [2.0, 1e-3, 1e-6]])
    U = np.linalg.qr(rng.normal(size=(4, 3, 3)))[0]
    V = np.linalg.qr(rng.normal(size=(4, 5, 3)))[0]
    return np.einsum("bik,bk,bjk->bij", U, s, V), s


def test_spectrum_of_built_matrices(known: tuple[np.ndarray, np.ndarray]) -> None:
    """By construction: every summary is its formula in the singular values the matrix was built from."""
    W, s = known
    got = spectrum(W)
    np.testing.assert_allclose(singular_values(W), s, atol=1e-12)
    np.testing.assert_allclose(got.operator, s[:, 0], rtol=1e-12)
    np.testing.assert_allclose(got.smallest, s[:, -1], atol=1e-12)
    np.testing.assert_allclose(got.frobenius, np.sqrt((s**2).sum(1)), rtol=1e-12)
    np.testing.assert_allclose(got.nuclear, s.sum(1), rtol=1e-12)
    np.testing.assert_allclose(stable_rank(W), [14 / 9, 3.0, 1.0, (4 + 1e-6 + 1e-12) / 4], rtol=1e-12)
    p = np.array([3, 2, 1]) / 6
    np.testing.assert_allclose(effective_rank(W)[:3], [np.exp(-(p * np.log(p)).sum()), 3.0, 1.0], rtol=1e-10)


def test_padding_and_units_do_not_matter(known: tuple[np.ndarray, np.ndarray]) -> None:
    """Invariance: zero columns and the unit of W, 1e-30 in float32 included, leave the ranks alone."""
    W, _ = known
    padded = np.concatenate([W, np.zeros((4, 3, 2))], axis=2)
    np.testing.assert_allclose(stable_rank(padded), stable_rank(W), rtol=1e-12)
    tiny = jnp.asarray(W * 1e-30, jnp.float32)
    np.testing.assert_allclose(stable_rank(tiny), stable_rank(W), rtol=1e-5)
    assert (np.asarray(singular_values(tiny))[:, 0] > 0).all()


def test_zero_matrix_and_batches() -> None:
    """By definition the zero matrix has rank 0; batching is the same as one at a time."""
    W = jnp.stack([jnp.zeros((2, 3)), jnp.arange(6.0).reshape(2, 3)])
    assert stable_rank(W)[0] == 0
    assert effective_rank(W)[0] == 0
    one_by_one = [stable_rank(w) for w in W]
    np.testing.assert_array_equal(jax.vmap(stable_rank)(W), np.array(one_by_one))
    np.testing.assert_array_equal(stable_rank(W), np.array(one_by_one))


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 3, 0)])
def test_refuses_what_is_no_matrix(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="matrices"):
        spectrum(np.zeros(shape))
