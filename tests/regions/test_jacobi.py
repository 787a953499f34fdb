"""Batched one-sided Jacobi against LAPACK, and its independence of the batch."""

import functools

import jax
import numpy as np
import pytest

from modeconn.regions import partial_isometry, thin_svd
from modeconn.regions.jacobi import MAX_ROWS, _isometry

batched_svd = jax.jit(jax.vmap(functools.partial(thin_svd, method="jacobi")))
batched_isometry = jax.jit(jax.vmap(partial_isometry))


def hard_batch(k: int, n: int, dtype: type) -> np.ndarray:
    """Random, graded over 14 orders of magnitude, repeated singular values, rank one, one entry, zero."""
    rng = np.random.default_rng(k)
    normal = rng.normal(size=(4, k, n))
    graded = normal[0] * np.logspace(0, -14, k)[:, None]
    tied = np.eye(k, n) @ np.linalg.qr(rng.normal(size=(n, n)))[0]
    rank_one = np.outer(rng.normal(size=k), rng.normal(size=n))
    single, zero = np.zeros((2, k, n))
    single[-1, 0] = -2
    return np.stack([*normal, graded, tied, rank_one, single, zero]).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 6), np.float64), ((16, 4), np.float64), ((4, 16), np.float32), ((MAX_ROWS, 9), np.float64)],
)
def test_factors_agree_with_lapack(shape: tuple[int, int], dtype: type) -> None:
    """Oracle: LAPACK's singular values in float64; reconstruction; orthogonality."""
    k, n = min(shape), max(shape)
    X = hard_batch(k, n, dtype)
    X = X if shape[0] <= shape[1] else np.swapaxes(X, 1, 2)
    U, s, Vt = (np.asarray(part, np.float64) for part in batched_svd(X))
    eps = np.finfo(dtype).eps
    X = X.astype(np.float64)
    exact = np.linalg.svd(X, compute_uv=False)
    top = exact[:, :1] + 1e-300
    assert (np.abs(s - exact) / top).max() <= 4 * n * eps
    assert (np.abs((U * s[:, None]) @ Vt - X) / top[..., None]).max() <= 4 * n * eps
    generic = slice(0, 4)
    assert np.abs(np.swapaxes(U, 1, 2) @ U - np.eye(k))[generic].max() <= 40 * eps
    assert np.abs(Vt @ np.swapaxes(Vt, 1, 2) - np.eye(k))[generic].max() <= 40 * eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_does_not_see_its_batch(dtype: type) -> None:
    """Oracle: the same matrix alone, in other batches, under nested vmap: equal to the last bit."""
    X = np.random.default_rng(0).normal(size=(150, 4, 16)).astype(dtype)
    X[7] *= np.logspace(0, -6, 4)[:, None].astype(dtype)  # a matrix that needs more sweeps than its neighbours
    everything = np.asarray(batched_isometry(X))
    assert np.array_equal(batched_isometry(X[5:9]), everything[5:9])
    assert np.array_equal(jax.jit(partial_isometry)(X[7]), everything[7])


def test_mapped_twice_and_over_any_axis() -> None:
    """Oracle: the same matrices mapped once, over the leading axis."""
    X = np.random.default_rng(1).normal(size=(15, 4, 6, 10))
    nested = jax.jit(jax.vmap(jax.vmap(partial_isometry), in_axes=3, out_axes=3))(X)
    flat = batched_isometry(np.moveaxis(X, 3, 0).reshape(150, 4, 6)).reshape(10, 15, 4, 6)
    assert np.array_equal(np.moveaxis(nested, 3, 0), flat)


def test_nan_stays_nan_and_stays_alone() -> None:
    """Oracle: by construction."""
    X = np.random.default_rng(2).normal(size=(3, 4, 6))
    clean = np.asarray(batched_isometry(X))
    X[1, 2, 3] = np.nan
    spoilt = np.asarray(batched_isometry(X))
    assert np.isnan(spoilt[1]).all()
    assert np.array_equal(spoilt[[0, 2]], clean[[0, 2]])


def test_blocks_change_nothing_but_rounding() -> None:
    """Oracle: all lanes in one piece, as on an accelerator."""
    X = np.random.default_rng(3).normal(size=(100, 4, 16))
    whole = np.moveaxis(jax.jit(_isometry)(np.moveaxis(X, 0, 2)), 2, 0)
    np.testing.assert_allclose(whole, batched_isometry(X), atol=1e-13)
