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
from modeconn.optim.lifting import _scheduled
from modeconn.optim.newton_schulz import cubic_step
from modeconn.optim.polar import _by_shape
from modeconn.optim.schedules import HALLEY, PRODUCTS, Schedule

METHODS = ("svd", "jacobi", "iteration", "halley")
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "optimizer_vectors.json").read_text())


@functools.cache
def compiled(method: str) -> Callable[[np.ndarray], jax.Array]:
    return jax.jit(functools.partial(polar_factor, method=method))


@functools.cache
def batched(method: str) -> Callable[[np.ndarray], jax.Array]:
    return jax.jit(jax.vmap(functools.partial(polar_factor, method=method)))


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


@pytest.mark.parametrize("method", METHODS)
def test_deficient_rank_gives_the_partial_isometry(method: str) -> None:
    """Oracle: by construction; zero singular values contribute nothing, a zero matrix gives zero."""
    G, factor = with_spectrum(np.array([2.0, 1.0]), (4, 16))
    assert np.abs(compiled(method)(G) - factor).max() < 2e-13
    assert not np.any(compiled(method)(np.zeros((4, 16))))
    assert not np.any(compiled(method)(jnp.full((4, 16), 1e-42, jnp.float32)))


LADDER = {
    "jacobi": ((4, 16), lambda r: 5.0, lambda r: 5.0),
    "iteration": ((24, 30), lambda r: 5.0 * np.sqrt(r), lambda r: 5.0 * np.sqrt(r)),
    "halley": ((24, 30), lambda r: 20.0, lambda r: 2000.0),
}
"""Shape, and the errors that the docstring states: over eps times the condition, of full and of deficient rank."""


def ladder(shape: tuple[int, int], smallest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return matrices, polar factors, condition numbers of the nonzero part, and which are of full rank."""
    r = min(shape)
    spectra = [np.geomspace(1, s, r) for s in np.geomspace(1, smallest, 7)]
    spectra += [np.r_[np.linspace(1, 0.3, k), np.zeros(r - k)] for k in (1, r // 2, r - 1)]
    spectra += [np.r_[np.ones(r - 1), 0.0]]
    pairs = [with_spectrum(s, shape) for s in spectra]
    factors = [with_spectrum((s > 0).astype(float), shape)[0] for s in spectra]
    conditions = np.array([s[0] / s[s > 0].min() for s in spectra])
    return np.stack([G for G, _ in pairs]), np.stack(factors), conditions, np.array([s[-1] > 0 for s in spectra])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", LADDER)
def test_batches_of_all_conditions_and_ranks(method: str, dtype: str) -> None:
    """Oracle: by construction; one batch under vmap from orthogonal to condition 1e5 (1e11), and of rank 1 to r - 1."""
    shape, full, deficient = LADDER[method]
    G, factors, conditions, is_full = ladder(shape, 1e-5 if dtype == "float32" else 1e-11)
    X = np.asarray(batched(method)(jnp.asarray(G, dtype)))
    assert X.dtype == dtype
    error = np.linalg.norm(X - factors, 2, axis=(1, 2)) / (np.finfo(dtype).eps * conditions)
    r = min(shape)
    assert (error < np.where(is_full, full(r), deficient(r))).all(), error
    spectrum = np.linalg.svd(X.astype(np.float64), compute_uv=False)
    assert np.minimum(np.abs(spectrum), np.abs(spectrum - 1)).max() < 50 * np.finfo(dtype).eps


@pytest.mark.parametrize("method", ["iteration", "halley"])
def test_a_result_does_not_depend_on_its_neighbours(method: str) -> None:
    """Metamorphic: a well-conditioned matrix alone, and beside ones that take three times as many steps."""
    G = jnp.asarray(ladder((24, 30), 1e-5)[0], jnp.float32)
    program = batched(method)
    np.testing.assert_array_equal(program(G)[1], program(jnp.broadcast_to(G[1], G.shape))[1])


@pytest.mark.parametrize("method", ["iteration", "halley"])
def test_where_a_singular_value_counts_as_zero(method: str) -> None:
    """Oracle: the docstring's cut-off, between a 15th and twice of it; every value ends at 0 or at 1."""
    for dtype, cutoff in (("float32", 1e-6), ("float64", 1e-12)):
        values = np.geomspace(1e-3, 1e3, 60) * cutoff
        both = jnp.asarray(np.stack([np.ones(60), values], axis=1), dtype)
        program = jax.jit(jax.vmap(lambda s: polar_factor(jnp.diag(s), method)))
        X = np.asarray(program(both))[:, 1, 1]
        assert X[values < cutoff / 15].max() < 1e-4
        assert np.abs(X[values > 2 * cutoff] - 1).max() < 1e-4
        assert (np.minimum(np.abs(X), np.abs(X - 1)) < 1e-3).sum() >= 59


@pytest.mark.parametrize("method", ["iteration", "halley"])
def test_what_is_not_a_number_stays_so(method: str) -> None:
    """Oracle: by construction; no loop hides it or runs for ever, and a neighbour is not harmed."""
    G, factors, *_ = ladder((24, 30), 1e-5)
    for bad in (np.nan, np.inf):
        broken = jnp.asarray(G, jnp.float32).at[2, 3, 4].set(bad)
        X = np.asarray(batched(method)(broken))
        assert np.isnan(X[2]).all()
        assert np.abs(X[[0, 1]] - factors[[0, 1]]).max() < 1e-4


@pytest.mark.parametrize("method", ["iteration", "halley"])
def test_no_remainder_of_null_directions(method: str) -> None:
    """Oracle: by construction; 256 draws of 9 x 9 matrices of every rank below 9 in float32, zeros at zero to 1e-6."""
    rng = np.random.default_rng(3)
    ranks = np.arange(256) % 9
    G = [rng.normal(size=(9, k)) @ rng.normal(size=(k, 9)) for k in ranks]
    X = np.asarray(batched(method)(jnp.asarray(np.stack(G), jnp.float32)), np.float64)
    spectrum = np.linalg.svd(X, compute_uv=False)
    for k, s in zip(ranks, spectrum, strict=True):
        assert s[k:].max(initial=0) < 1e-6
        assert np.abs(s[:k] - 1).max(initial=0) < 1e-6


def test_half_precision_comes_back_rounded_once() -> None:
    """Oracle: NumPy's SVD of the rounded matrix; the arithmetic is float32, the result bfloat16."""
    G = jnp.asarray(with_spectrum(np.linspace(1, 0.5, 12), (12, 20))[0], jnp.bfloat16)
    X = polar_factor(G, "halley")
    U, _, Vt = np.linalg.svd(np.asarray(G, np.float64), full_matrices=False)
    assert X.dtype == jnp.bfloat16
    assert np.abs(np.asarray(X, np.float64) - U @ Vt).max() < 2.0**-8


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


@pytest.mark.parametrize("method", ["iteration", "halley"])
@pytest.mark.parametrize("shape", [(256, 256), (320, 96)])
def test_large_matrices_are_orthogonal_to_1e_5(shape: tuple[int, int], method: str) -> None:
    """Oracle: NumPy in float64 for X X^T - I, and the residual; from condition 1 to 1e6, and Gaussian."""
    k = min(shape)
    spectra = [np.ones(k), np.geomspace(1, 1e-4, k), np.geomspace(1, 1e-6, k), np.r_[np.ones(k - 1), 3e-6]]
    matrices = [with_spectrum(s, shape)[0] for s in spectra] + [np.random.default_rng(0).normal(size=shape)]
    for G in matrices:
        X = np.asarray(compiled(method)(jnp.asarray(G, jnp.float32)))
        wide = (X.T if shape[0] > shape[1] else X).astype(np.float64)
        assert np.abs(wide @ wide.T - np.eye(k)).max() < 3e-6
        found = polar_residual(jnp.asarray(X, jnp.float64), jnp.asarray(G))
        assert found.alignment < 1e-4
        assert found.smallest > -1e-6


@pytest.mark.parametrize("steps", [HALLEY, PRODUCTS], ids=["halley", "products"])
def test_the_schedule_acts_on_singular_values(steps: Schedule) -> None:
    """Closed form: of a diagonal matrix, each entry goes through the scalar steps, after division by the bound."""
    x = np.geomspace(1e-4, 1, 12)
    bound = 1.001 * np.sum(x**8) ** (1 / 8)
    y = x / bound
    for a, b, c in steps.lifts:
        y = a * y + b * y**3 + c * y**5
    for a, b, c in steps.halley:
        y = y * (a + b * y**2) / (1 + c * y**2)
    for a, b, c in steps.last:
        y = a * y + b * y**3 + c * y**5
    found = _scheduled(jnp.asarray(np.diag(x)), steps)
    np.testing.assert_allclose(found, np.diag(y), atol=1e-10)


def test_a_cubic_step_is_certified_by_the_residual_before_it() -> None:
    """Closed form: new residual 3/4 d^2 + 1/4 d^3 for residual d; equality where all singular values agree."""
    for d in (0.5, 1e-2, 1e-5):
        X, gap = cubic_step(np.sqrt(1 - d) * jnp.eye(3, 5, dtype=jnp.float64))
        assert float(gap) == pytest.approx(np.sqrt(3) * d, rel=1e-9)
        assert 1 - float(X[0, 0] ** 2) == pytest.approx(0.75 * d**2 + 0.25 * d**3, rel=1e-5)


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
    ("shape", "platform", "dtype", "method"),
    [
        ((4, 4096), "gpu", "float32", "auto"),
        ((64, 64), "gpu", "float32", "iteration"),
        ((64, 64), "gpu", "float64", "iteration"),
        ((512, 512), "gpu", "float32", "halley"),
        ((8, 128), "cpu", "float32", "auto"),
        ((9, 128), "cpu", "float32", "iteration"),
        ((64, 64), "cpu", "float32", "iteration"),
        ((65, 65), "cpu", "float32", "auto"),
        ((32, 128), "cpu", "float64", "auto"),
        ((512, 512), "cpu", "float32", "auto"),
    ],
)
def test_the_method_is_chosen_by_shape_platform_and_dtype(shape, platform, dtype, method) -> None:
    """Oracle: by construction; "auto" leaves small matrices, and on CPUs large and precise ones, to decompositions."""
    assert _by_shape(shape, platform, dtype) == method
