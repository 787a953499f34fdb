"""The exact polar factor by every method, and practical Newton-Schulz, which is something else."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.optim import newton_schulz, newton_schulz_keller, newton_schulz_optax, polar_factor, polar_residual
from modeconn.optim.polar import _by_shape

METHODS = ("svd", "jacobi", "iteration", "halley")
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "optimizer_vectors.json").read_text())


@functools.cache
def compiled(method: str) -> Callable[[np.ndarray], jax.Array]:
    return jax.jit(functools.partial(polar_factor, method=method))


def with_spectrum(s: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix with singular values s and its polar factor."""
    rng = np.random.default_rng(12)
    U = np.linalg.qr(rng.normal(size=(shape[0], len(s))))[0]
    V = np.linalg.qr(rng.normal(size=(shape[1], len(s))))[0]
    return (U * s) @ V.T, U @ V.T


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(4, 16), (6, 5)])
def test_well_conditioned_to_twelve_digits(method: str, shape: tuple[int, int]) -> None:
    """Oracle: by construction from orthogonal factors; condition 1 (all tied) and 100."""
    for condition in (1.0, 100.0):
        G, factor = with_spectrum(np.geomspace(3, 3 / condition, min(shape)), shape)
        assert np.abs(compiled(method)(G) - factor).max() < 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_any_unit_in_float32(method: str) -> None:
    """Oracle: homogeneity of degree 0, against float64; entries of 1e-30 and 1e30."""
    G, factor = with_spectrum(np.array([2.0, 1.0, 0.5, 0.2]), (4, 16))
    for unit in (1e-30, 1e30):
        found = compiled(method)(jnp.asarray(G * unit, jnp.float32))
        assert found.dtype == jnp.float32
        assert np.abs(found - factor).max() < 1e-5


@pytest.mark.parametrize("method", ["svd", "jacobi"])
def test_deficient_rank_gives_the_partial_isometry(method: str) -> None:
    """Oracle: by construction; zero singular values contribute nothing, a zero matrix gives zero."""
    G, factor = with_spectrum(np.array([2.0, 1.0]), (4, 16))
    assert np.abs(compiled(method)(G) - factor).max() < 1e-13
    assert not np.any(compiled(method)(np.zeros((4, 16))))


def test_iteration_on_deficient_rank_is_still_a_subgradient() -> None:
    """Oracle: subdifferential of the nuclear norm: <X, G> = ||G||_* and all singular values of X at most 1."""
    G, factor = with_spectrum(np.array([2.0, 1.0]), (4, 16))
    X = np.asarray(compiled("iteration")(G))
    assert np.sum(X * G) == pytest.approx(3.0, rel=1e-12)
    assert np.linalg.norm(X, 2) <= 1 + 1e-12
    assert np.abs(X @ factor.T @ factor - factor).max() < 1e-12
    assert not np.any(compiled("iteration")(np.zeros((4, 16))))


@pytest.mark.parametrize("method", METHODS)
def test_ill_conditioned_loses_no_more_than_the_condition(method: str) -> None:
    """Oracle: by construction; the polar factor moves by about eps times the condition number, 1e8 here."""
    G, factor = with_spectrum(np.geomspace(1, 1e-8, 4), (4, 16))
    assert np.abs(compiled(method)(G) - factor).max() < 1e-6


def test_methods_are_checked_and_vectors_are_rows() -> None:
    """Oracle: by construction."""
    np.testing.assert_allclose(polar_factor(jnp.array([3.0, -4.0])), [0.6, -0.8], rtol=1e-15)
    with pytest.raises(InputError, match="did you mean 'jacobi'"):
        polar_factor(jnp.eye(2), "jakobi")
    with pytest.raises(InputError, match="at most 8"):
        polar_factor(jnp.eye(9), "jacobi")


@pytest.mark.parametrize("name", ["ns5_4x3", "ns5_3x4", "ns5_5x5"])
def test_newton_schulz_is_keller_jordans(name: str) -> None:
    """Oracle: outputs of the published code, bfloat16 bit for bit, and of the same lines in float64."""
    entry = REFERENCE[name]
    G = jnp.array(entry["G"])
    np.testing.assert_array_equal(newton_schulz_keller(G), entry["keller_bf16"])
    np.testing.assert_allclose(newton_schulz_keller(G, dtype=None), entry["same_lines_float64"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(newton_schulz_optax(G), entry["same_lines_float64"], atol=1e-6)


def test_newton_schulz_is_not_the_polar_factor() -> None:
    """Oracle: singular values of 5 tuned steps leave [0.95, 1.05]; with |G| = eps = 1e-7 even more."""
    G, _ = with_spectrum(np.linspace(1, 0.3, 4), (4, 16))
    spectrum = np.linalg.svd(newton_schulz(jnp.asarray(G)), compute_uv=False)
    assert spectrum.min() < 0.95 or spectrum.max() > 1.05
    tiny = np.linalg.svd(newton_schulz(jnp.asarray(G * 1e-12)), compute_uv=False)
    assert tiny.max() < 0.1
    with pytest.raises(InputError, match="steps >= 1"):
        newton_schulz(jnp.eye(2), steps=0)


def test_large_matrices_by_weighted_halley_steps() -> None:
    """Oracle: NumPy's SVD in float64; five decades of singular values in float32, and a zero matrix."""
    G, factor = with_spectrum(np.geomspace(1, 1e-5, 96), (96, 160))
    X = compiled("halley")(jnp.asarray(G, jnp.float32))
    residual = polar_residual(X, jnp.asarray(G, jnp.float32))
    assert residual.orthogonality < 2e-6
    assert residual.alignment < 2e-5
    assert np.linalg.norm(X - factor, 2) < 1e-5 * 1e5 * 0.1
    assert not np.any(compiled("halley")(np.zeros((4, 16))))


def test_the_residual_tells_the_polar_factor_from_everything_else() -> None:
    """Oracle: by construction; each of the three numbers catches a mutation that the others let through."""
    G, factor = with_spectrum(np.array([3.0, 2.0, 1.0]), (3, 5))
    good = polar_residual(jnp.asarray(factor), jnp.asarray(G))
    assert max(good.orthogonality, good.alignment) < 1e-14
    assert good.smallest > 0.3
    assert polar_residual(jnp.asarray(1.01 * factor), jnp.asarray(G)).orthogonality > 0.01
    other = with_spectrum(np.ones(3), (3, 5))[0][:, ::-1].copy()
    assert polar_residual(jnp.asarray(other), jnp.asarray(G)).alignment > 0.1
    U = np.linalg.svd(G)[0]
    flipped = U @ np.diag([1.0, 1.0, -1.0]) @ U.T @ factor
    mirrored = polar_residual(jnp.asarray(flipped), jnp.asarray(G))
    assert max(mirrored.orthogonality, mirrored.alignment) < 1e-13
    assert mirrored.smallest < -0.3
    tall = polar_residual(jnp.asarray(factor.T), jnp.asarray(G.T))
    assert max(tall.orthogonality, tall.alignment) < 1e-14


@pytest.mark.parametrize(
    ("shape", "platform", "method"),
    [
        ((4, 4096), "gpu", "auto"),
        ((64, 64), "gpu", "iteration"),
        ((512, 512), "gpu", "halley"),
        ((512, 512), "cpu", "auto"),
    ],
)
def test_the_method_is_chosen_by_shape_and_platform(shape, platform, method) -> None:
    """Oracle: by construction; "auto" leaves small matrices and CPUs to the decomposition."""
    assert _by_shape(shape, platform) == method
