"""Potentials: gradient, conjugate and ball against convex duality, NumPy and direct minimisation."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.optim import (
    POTENTIALS,
    Huber,
    Mixture,
    SoftThreshold,
    potential_from_name,
    tree_conjugate,
    tree_gradient,
    tree_region,
    tree_value,
)
from modeconn.regions import NORMS

SHAPE = (9, 10)
SLACK = 1e-12  # of a computed gradient that lies on the unit sphere


@functools.cache
def compiled(name: str) -> Callable[..., tuple[np.ndarray, ...]]:
    """x, y -> K(x), gradK(x), K*(gradK(x)), K*(y), ball norm of y and of gradK(x): one program for each potential."""
    K = POTENTIALS[name]

    def everything(x: jax.Array, y: jax.Array) -> tuple[jax.Array, ...]:
        u = K.gradient(x)
        return K.value(x), u, K.conjugate(u, SLACK), K.conjugate(y, SLACK), K.ball.value(y), K.ball.value(u)

    program = jax.jit(everything)
    return lambda x, y: tuple(map(np.asarray, program(x, y)))


def points() -> list[np.ndarray]:
    """Random of several sizes (both sides of the thresholds), rank one, ties, a zero column, zero."""
    rng = np.random.default_rng(2)
    zero_column = rng.normal(size=SHAPE)
    zero_column[:, 1] = 0
    return [
        *(rng.normal(size=SHAPE) * size for size in (0.01, 0.1, 1.0, 30.0)),
        np.outer(rng.integers(-2, 3, size=SHAPE[0]), rng.integers(-2, 3, size=SHAPE[1])).astype(float),
        np.eye(*SHAPE),
        zero_column,
        np.zeros(SHAPE),
    ]


@pytest.mark.parametrize("name", POTENTIALS)
def test_fenchel_young_is_an_equality_at_the_gradient(name: str) -> None:
    """Oracle: K(x) + K*(u) >= <x, u> for all u, with equality exactly at subgradients u of K at x (Fenchel-Young)."""
    rng = np.random.default_rng(9)
    for x in points():
        y = rng.normal(size=SHAPE)
        y *= rng.uniform(0.1, 1.0) / float(compiled(name)(x, y)[4])
        value, u, conjugate, elsewhere, _, size = compiled(name)(x, y)
        scale = float(value) + 1e-3
        assert float(value + conjugate) == pytest.approx(np.sum(x * u), abs=1e-12 * scale)
        assert float(value + elsewhere) >= np.sum(x * y) - 1e-12 * scale
        assert size <= 1 + SLACK
        assert float(value) >= 0


@pytest.mark.parametrize("name", POTENTIALS)
def test_gradient_supports_the_potential(name: str) -> None:
    """Oracle: convexity, K(z) >= K(x) + <gradK(x), z - x>; K(0) = 0, gradK(0) = 0."""
    everything = compiled(name)
    values = [(x, *everything(x, x)[:2]) for x in points()]
    for x, value, u in values:
        for z, other, _ in values:
            assert float(other) >= float(value) + np.sum(u * (z - x)) - 1e-12 * (1 + float(other))
    zero_value, zero_gradient = values[-1][1:]
    assert float(zero_value) == 0
    assert np.array_equal(zero_gradient, np.zeros(SHAPE))


@pytest.mark.parametrize("name", POTENTIALS)
def test_conjugate_is_infinite_outside_the_ball(name: str) -> None:
    """Oracle: definition. K grows with slope 1 along a ray with <ray, y> = ||y||, so <x, y> - K(x) blows up past 1."""
    K, everything = POTENTIALS[name], compiled(name)
    y = np.random.default_rng(4).normal(size=SHAPE)
    y /= float(everything(y, y)[4])
    assert np.isfinite(everything(y, y * 0.999)[3])
    assert np.isinf(everything(y, y * 1.001)[3])
    ray = np.asarray(K.ball.subgradient(y))  # <ray, y> = 1, and K of it is asymptotically linear with slope 1
    far = 1e6 * ray
    growth = float(everything(2 * far, y)[0] - everything(far, y)[0]) / 1e6
    assert growth == pytest.approx(1.0, rel=1e-9)
    if K.is_norm:
        assert float(everything(y, y * 0.999)[3]) == 0


@pytest.mark.parametrize("name", ["huber_l1", "huber_nuclear"])
def test_huber_is_the_moreau_envelope(name: str) -> None:
    """Oracle: direct minimisation of ||u|| + |x - u|^2 / (2 delta) over u, by scalar problems in the magnitudes."""
    K = POTENTIALS[name]
    assert isinstance(K, Huber)
    for x in points():
        s = np.abs(x).ravel() if name == "huber_l1" else np.linalg.svd(x, compute_uv=False)
        envelope = sum(
            scipy.optimize.minimize_scalar(
                lambda u, s_i=s_i: u + (s_i - u) ** 2 / (2 * K.delta), bounds=(0, s_i + 1e-9), options={"xatol": 1e-12}
            ).fun
            for s_i in s
        )
        assert float(compiled(name)(x, x)[0]) == pytest.approx(envelope, abs=1e-8)


@pytest.mark.parametrize("name", ["soft_l1", "soft_nuclear"])
def test_soft_threshold_is_the_sum_beyond_delta(name: str) -> None:
    """Oracle: definition in NumPy."""
    for x in points():
        s = np.abs(x).ravel() if name == "soft_l1" else np.linalg.svd(x, compute_uv=False)
        assert float(compiled(name)(x, x)[0]) == pytest.approx(np.maximum(s - 0.1, 0).sum(), abs=1e-13)


def test_gradients_are_those_of_the_table() -> None:
    """Oracle: closed forms of the family table: sign, polar factor, x / |x|, unit columns, unit rows."""
    x = np.random.default_rng(6).normal(size=SHAPE)
    U, _, Vt = np.linalg.svd(x, full_matrices=False)
    closed = {
        "l1": np.sign(x),
        "nuclear": U @ Vt,
        "frobenius": x / np.linalg.norm(x),
        "sum_column": x / np.linalg.norm(x, axis=0),
        "sum_row": x / np.linalg.norm(x, axis=1, keepdims=True),
        "lp:3": np.sign(x) * (np.abs(x) / np.linalg.norm(x.ravel(), 3)) ** 2,
        "huber_l1": np.clip(x / 0.1, -1, 1),
        "soft_l1": np.sign(x) * (np.abs(x) > 0.1),
    }
    for name, expected in closed.items():
        np.testing.assert_allclose(compiled(name)(x, x)[1], expected, atol=1e-14, err_msg=name)


def test_mixture_is_leaf_by_leaf() -> None:
    """Oracle: the potentials of the leaves. Mixtures hash by their rules, so they may be static."""
    K = Mixture({"W": POTENTIALS["sum_column"]}, default=POTENTIALS["l1"])
    net = Net(W=jnp.array([[3.0, 0.0], [4.0, 2.0]]), b=jnp.array([-1.0, 0.0]))
    assert float(tree_value(K, net)) == 5 + 2 + 1
    gradient = tree_gradient(K, net)
    np.testing.assert_allclose(gradient.W, [[0.6, 0.0], [0.8, 1.0]], rtol=1e-15)
    np.testing.assert_array_equal(gradient.b, [-1.0, 0.0])
    assert gradient.A is None
    assert float(tree_conjugate(K, gradient, slack=1e-15)) == 0
    assert float(tree_conjugate(K, net)) == np.inf
    region = tree_region(K, net, 2.0)
    assert [norm.name for norm in region.norms] == ["max_column", "linf"]
    assert bool(region.contains(jax.tree.map(lambda u: 2 * u, gradient), atol=1e-15))
    assert hash(K) == hash(Mixture({"W": POTENTIALS["sum_column"]}, POTENTIALS["l1"]))
    assert K.name == "W=sum_column,*=l1"
    with pytest.raises(InputError, match="no potential for leaf 'b'"):
        tree_value(Mixture({"W": POTENTIALS["l1"]}), net)


def test_names() -> None:
    """Oracle: by construction."""
    assert potential_from_name("huber_l1:0.5") == Huber(NORMS["l1"], 0.5)
    assert potential_from_name("soft_nuclear:2") == SoftThreshold(NORMS["nuclear"], 2.0)
    assert potential_from_name("column:3").ball.name == "column:1.5"
    for name, K in POTENTIALS.items():
        assert potential_from_name(name) == K
        assert potential_from_name(K.name) == K
    with pytest.raises(InputError, match="did you mean 'nuclear'"):
        potential_from_name("nuclaer")
    for bad in ("huber_l1:-1", "soft_spectral:1", "huber_l1:x", "lp:0"):
        with pytest.raises(InputError):
            potential_from_name(bad)
