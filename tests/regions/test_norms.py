"""Norms: value, dual, subgradient, projection, distance, linear minimiser, against definitions and optimality."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from modeconn.errors import InputError
from modeconn.regions import NORMS, Norm, norm_from_name

NAMES = [*NORMS, "lp:1.2", "lp:10", "schatten:1.5", "column:3"]
SHAPE = (9, 10)  # by LAPACK, which compiles fastest; the small shapes of batched Jacobi have their own tests


class Facts(NamedTuple):
    value: jax.Array
    subgradient: jax.Array
    projection: jax.Array
    distance: jax.Array
    minimizer: jax.Array
    inside: jax.Array


@functools.cache
def compiled(name: str) -> Callable[..., Facts]:
    """All of a norm in one program: (x, radius) -> Facts."""
    norm = norm_from_name(name)
    return jax.jit(
        lambda x, r: Facts(
            norm.value(x),
            norm.subgradient(x),
            norm.project(x, r),
            norm.distance(x, r),
            norm.minimizer(x, r),
            norm.contains(x, r),
        )
    )


def by_numpy(name: str, x: np.ndarray) -> float:
    """The norm from its definition."""
    norm = norm_from_name(name)
    magnitudes = {
        "entry": lambda: np.abs(x).ravel(),
        "column": lambda: np.sqrt((x**2).sum(0)),
        "row": lambda: np.sqrt((x**2).sum(1)),
        "singular": lambda: np.linalg.svd(x, compute_uv=False),
    }[norm.magnitude]()
    return float(np.linalg.norm(magnitudes, norm.p))


def awkward_points() -> list[np.ndarray]:
    """Ties, a zero row and column, rank one, one large entry, zero."""
    rng = np.random.default_rng(3)
    rank_one = np.outer(rng.integers(-2, 3, size=SHAPE[0]), rng.integers(-2, 3, size=SHAPE[1])).astype(float)
    zero_parts = rng.normal(size=SHAPE)
    zero_parts[1], zero_parts[:, 2] = 0, 0
    one_large = np.eye(*SHAPE)
    one_large[2, 2] = -3
    return [np.zeros(SHAPE), np.eye(*SHAPE), np.ones(SHAPE), rank_one, zero_parts, one_large]


def random_points(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    return [rng.normal(size=SHAPE) * 10.0 ** rng.uniform(-3, 3) for _ in range(count)]


@pytest.mark.parametrize("name", NAMES)
def test_value_is_the_definition(name: str) -> None:
    """Oracle: NumPy's vector norm of absolute entries, column or row lengths, LAPACK's singular values."""
    for x in random_points(4) + awkward_points():
        assert compiled(name)(x, 1.0).value == pytest.approx(by_numpy(name, x), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_dual_is_the_supremum_over_the_unit_ball(name: str) -> None:
    """Oracle: definition of the dual norm, maximised by random search and Nelder-Mead over 2 x 2 matrices."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=(2, 2))
    claimed = by_numpy(norm_from_name(name).dual.name, y)
    directions = rng.normal(size=(1000, 2, 2))
    quotient = [np.sum(x * y) / by_numpy(name, x) for x in directions]
    assert max(quotient) <= claimed * (1 + 1e-12)
    start = directions[np.argmax(np.abs(quotient))]
    polished = scipy.optimize.minimize(
        lambda v: -abs(np.sum(v.reshape(2, 2) * y)) / by_numpy(name, v.reshape(2, 2)),
        start.ravel(),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000},
    )
    assert -polished.fun == pytest.approx(claimed, rel=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_subgradient_supports_the_norm(name: str) -> None:
    """Oracle: convexity. <s, x> = ||x|| and dual norm of s = 1 make s a subgradient; also sampled directly."""
    norm = norm_from_name(name)
    others = random_points(5)
    for x in random_points(4) + awkward_points():
        s = np.asarray(compiled(name)(x, 1.0).subgradient)
        size = by_numpy(name, x)
        assert np.sum(s * x) == pytest.approx(size, rel=1e-12, abs=1e-300)
        assert by_numpy(norm.dual.name, s) == pytest.approx(float(size > 0), rel=1e-12, abs=0)
        for z in others:
            assert by_numpy(name, z) >= size + np.sum(s * (z - x)) - 1e-12 * (by_numpy(name, z) + size)


@pytest.mark.parametrize("name", NAMES)
def test_projection_is_optimal(name: str) -> None:
    """Oracle: variational inequality. Its maximum over the ball is r ||x - y||_dual - <x - y, y>, to be 0."""
    norm, facts = norm_from_name(name), compiled(name)
    for x in random_points(3) + awkward_points():
        for radius in (0.03, 3.0):
            y = np.asarray(facts(x, radius).projection)
            if by_numpy(name, x) <= radius:
                assert np.array_equal(y, x)
                continue
            assert by_numpy(name, y) == pytest.approx(radius, rel=1e-12)
            support = radius * by_numpy(norm.dual.name, x - y)
            assert support - np.sum((x - y) * y) <= 1e-11 * support
            again = np.asarray(facts(y, radius).projection)
            assert np.abs(again - y).max() <= 1e-13 * radius
            assert facts(x, radius).distance == pytest.approx(np.linalg.norm(x - y), rel=1e-11)
    assert np.array_equal(facts(np.ones(SHAPE), 0.0).projection, np.zeros(SHAPE))
    assert np.array_equal(facts(np.ones(SHAPE), np.inf).projection, np.ones(SHAPE))
    assert facts(np.ones(SHAPE), np.inf).distance == 0


@pytest.mark.parametrize("name", NAMES)
def test_minimizer_is_the_corner_of_frank_wolfe(name: str) -> None:
    """Oracle: definition of the dual norm. min <g, x> over the ball is -r ||g||_dual, attained inside the ball."""
    norm = norm_from_name(name)
    for g in random_points(3):
        x = np.asarray(compiled(name)(g, 2.5).minimizer)
        assert np.sum(g * x) == pytest.approx(-2.5 * by_numpy(norm.dual.name, g), rel=1e-12)
        assert by_numpy(name, x) == pytest.approx(2.5, rel=1e-12)


@pytest.mark.parametrize("name", ["linf", "l1", "lp:10", "max_row", "sum_column", "nuclear", "schatten:1.5"])
def test_float32_is_free_of_the_unit(name: str) -> None:
    """Oracle: homogeneity. Entries of 1e-30 and 1e30 in float32 give what entries of order 1 give in float64."""
    x = np.random.default_rng(8).normal(size=SHAPE)
    expected = compiled(name)(x, 0.7)
    for unit in (1e-30, 1.0, 1e30):
        found = compiled(name)(jnp.asarray(x * unit, jnp.float32), jnp.float32(0.7 * unit))
        assert {part.dtype for part in found[:-1]} == {jnp.dtype(jnp.float32)}
        for part, power in (("value", 1), ("subgradient", 0), ("projection", 1), ("distance", 1), ("minimizer", 1)):
            scaled = np.asarray(getattr(found, part), np.float64) / unit**power
            np.testing.assert_allclose(scaled, getattr(expected, part), atol=1e-5, err_msg=part)


def test_membership_is_a_comparison() -> None:
    """Oracle: closed form. On the sphere is inside; NaN is nowhere."""
    x = np.array([[3.0, -4.0]])
    assert [bool(compiled("frobenius")(x, r).inside) for r in (5.0, 4.999, np.inf)] == [True, False, True]
    assert bool(NORMS["frobenius"].contains(x, 4.0, atol=1.0))


def test_vectors_are_one_row() -> None:
    """Oracle: by construction. For one row the spectral norm is the Euclidean, and a column is an entry."""
    b = np.array([3.0, -4.0])
    expected = {
        **dict.fromkeys(("linf", "max_column"), 4.0),
        **dict.fromkeys(("l1", "sum_column"), 7.0),
        **dict.fromkeys(("frobenius", "spectral", "nuclear", "max_row", "sum_row"), 5.0),
    }
    found = jax.jit(lambda b: {name: (norm.value(b), norm.project(b, 1.0)) for name, norm in NORMS.items()})(b)
    assert {name: float(value) for name, (value, _) in found.items()} == pytest.approx(expected, rel=1e-15)
    assert {projection.shape for _, projection in found.values()} == {b.shape}


def test_nan_is_not_hidden() -> None:
    """Oracle: by construction. A NaN entry must not come out as a zero direction or as a member."""
    for name in NAMES:
        facts = compiled(name)(np.full(SHAPE, np.nan), np.inf)
        assert np.isnan(facts.value), name
        assert np.isnan(facts.projection).all(), name
        assert np.isnan(facts.subgradient).any(), name
        assert not facts.inside, name


@pytest.mark.parametrize(
    ("name", "message"),
    [("spectrl", "did you mean 'spectral'"), ("lp:0.5", ">= 1"), ("lp:x", "unknown norm"), ("lp", "lp")],
)
def test_bad_names_say_what_to_do(name: str, message: str) -> None:
    """Oracle: by construction."""
    with pytest.raises(InputError, match=message):
        norm_from_name(name)
    with pytest.raises(InputError, match="at most 2 axes"):
        NORMS["l1"].value(jnp.ones((2, 2, 2)))


def test_names_and_duals_go_round() -> None:
    """Oracle: by construction. The dual of the dual is the norm, and a name names its norm."""
    for name in NORMS:
        assert norm_from_name(name).name == name
        assert NORMS[name].dual.dual == NORMS[name]
    assert Norm("entry", 1.5).dual == norm_from_name("lp:3")
    assert norm_from_name("schatten:2") == norm_from_name("lp:2") == NORMS["frobenius"]


def test_sign_of_an_entry_next_to_much_larger_ones():
    """Closed form: the subgradient of l1 is the sign, at any scale that float32 holds."""
    x = jnp.array([1e30, -1e-37, 0.0, 1e-30], jnp.float32)
    assert NORMS["l1"].subgradient(x).tolist() == [1.0, -1.0, 0.0, 1.0]
