"""Losses: values, gradients, convexity, safety at large predictions, domains."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.losses import LOSSES, loss_from_name, net_loss
from modeconn.nets import Net

NAMES = sorted(LOSSES)
SIZES = (1.0, 1e-8, 30.0, 1e3, 1e8)


def targets(name: str, rng: np.random.Generator, n: int = 4) -> np.ndarray:
    if name == "half_squared_error":
        return rng.normal(size=(n, 3))
    if name == "logistic":
        return rng.choice([-1.0, 1.0], size=(n, 1))
    return np.eye(3)[rng.integers(0, 3, n)]


def by_hand(name: str, F: np.ndarray, Y: np.ndarray) -> float:
    """Return the loss in Python floats, row by row, with fsum."""
    if name == "half_squared_error":
        return math.fsum(0.5 * (f - y) ** 2 for f, y in zip(F.ravel(), Y.ravel(), strict=True))
    if name == "logistic":
        margins = [float(y * f) for f, y in zip(F.ravel(), Y.ravel(), strict=True)]
        return math.fsum(math.log1p(math.exp(-abs(t))) + max(-t, 0.0) for t in margins)
    rows = []
    for f, y in zip(F.tolist(), Y.tolist(), strict=True):
        top = max(f)
        log_sum = math.log(math.fsum(math.exp(v - top) for v in f))
        rows.append(math.fsum(p * (log_sum - (v - top)) for v, p in zip(f, y, strict=True) if p))
    return math.fsum(rows)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient(name: str, size: float) -> None:
    """Oracle: independent implementation in Python floats; jax.grad of the value."""
    rng, loss = np.random.default_rng(1), LOSSES[name]
    for _ in range(5):
        Y = targets(name, rng)
        F = jnp.asarray(size * rng.normal(size=Y.shape))
        value, gradient = loss.value(F, Y), loss.gradient(F, Y)
        assert value.dtype == jnp.float64
        np.testing.assert_allclose(value, by_hand(name, np.asarray(F), Y), rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(gradient, jax.grad(loss.value)(F, Y), rtol=1e-13, atol=1e-14)
        assert (np.abs(gradient).sum(1) <= loss.lipschitz * (1 + 1e-14)).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_a_difference_quotient(name: str) -> None:
    """Oracle: central differences, independent of automatic differentiation."""
    rng, loss = np.random.default_rng(2), LOSSES[name]
    Y = targets(name, rng)
    F, D = rng.normal(size=Y.shape), rng.normal(size=Y.shape)
    h = 1e-5
    slope = (by_hand(name, F + h * D, Y) - by_hand(name, F - h * D, Y)) / (2 * h)
    assert abs(slope - float(jnp.sum(loss.gradient(F, Y) * D))) <= 1e-8


@pytest.mark.parametrize("name", NAMES)
def test_convex_and_above_its_tangents(name: str) -> None:
    """Oracle: definition of convexity, chord and first-order form, at sizes up to 1e8."""
    rng, loss = np.random.default_rng(3), LOSSES[name]
    for size in SIZES:
        Y = targets(name, rng)
        F, G = (size * rng.normal(size=Y.shape) for _ in range(2))
        start, end = float(loss.value(F, Y)), float(loss.value(G, Y))
        slack = 1e-12 * (1 + abs(start) + abs(end))
        for t in (0.1, 0.5, 0.9):
            assert float(loss.value((1 - t) * F + t * G, Y)) <= (1 - t) * start + t * end + slack
        assert end >= start + float(jnp.sum(loss.gradient(F, Y) * (G - F))) - slack


@pytest.mark.parametrize("name", ["logistic", "cross_entropy"])
@pytest.mark.parametrize("size", [1e3, 1e150, 1e300])
def test_no_overflow_at_huge_predictions(name: str, size: float) -> None:
    """Oracle: closed form; right with a huge margin costs 0, wrong by s costs s (one point)."""
    loss = LOSSES[name]
    Y = np.array([[1.0]]) if name == "logistic" else np.array([[1.0, 0.0]])
    right, wrong = (size * Y, -size * Y) if name == "logistic" else (size * Y, size * (1 - Y))
    assert float(loss.value(right, Y)) == 0.0
    assert float(loss.value(wrong, Y)) == size
    assert not np.asarray(loss.gradient(right, Y)).any()
    assert float(jnp.abs(loss.gradient(wrong, Y)).sum()) == loss.lipschitz
    assert np.isfinite(jax.grad(loss.value)(wrong, Y)).all()


def test_cross_entropy_keeps_its_digits_when_all_predictions_are_shifted() -> None:
    """Oracle: closed form; adding a constant to a row changes nothing, log 2 stays log 2 at 2^40."""
    F, Y = np.full((1, 2), 2.0**40), np.array([[1.0, 0.0]])
    assert abs(float(LOSSES["cross_entropy"].value(F, Y)) - math.log(2)) <= 1e-15


def test_logistic_is_two_class_cross_entropy() -> None:
    """Oracle: the identity log(1 + e^-f) = -log softmax((f, 0))_1, an independent route to both."""
    f = np.linspace(-30.0, 30.0, 13)[:, None]
    F, Y = np.concatenate([f, np.zeros_like(f)], 1), np.tile([[1.0, 0.0]], (13, 1))
    np.testing.assert_allclose(
        LOSSES["logistic"].value(f, np.ones_like(f)), LOSSES["cross_entropy"].value(F, Y), rtol=1e-13
    )


@pytest.mark.parametrize("name", NAMES)
def test_shapes_that_would_broadcast_are_refused(name: str) -> None:
    """Oracle: control; F (n, 1) less y (n,) would be (n, n) and every later number wrong."""
    for F, y in ((jnp.zeros((3, 1)), jnp.ones(3)), (jnp.zeros((3, 2)), jnp.ones((3, 1))), (jnp.zeros(3), jnp.ones(3))):
        with pytest.raises(InputError, match=r"\(n, c\)"):
            LOSSES[name].value(F, y)
        with pytest.raises(InputError, match=r"\(n, c\)"):
            LOSSES[name].gradient(F, y)
    with pytest.raises(InputError, match=r"\(n, c\)"):
        net_loss(LOSSES[name], Net(jnp.ones((1, 1)), jnp.ones((2, 1))), jnp.ones((3, 1)), jnp.ones((3, 1)))


@pytest.mark.parametrize(
    ("name", "Y"),
    [
        ("half_squared_error", np.array([[np.nan]])),
        ("half_squared_error", np.zeros(3)),
        ("logistic", np.array([[0.0], [1.0]])),
        ("logistic", np.array([[1.0, -1.0]])),
        ("logistic", np.array([1.0, -1.0])),
        ("logistic", np.array([[np.inf]])),
        ("cross_entropy", np.array([[1.0]])),
        ("cross_entropy", np.array([[0.5, 0.6]])),
        ("cross_entropy", np.array([[1.5, -0.5]])),
        ("cross_entropy", np.array([0.0, 1.0])),
        ("cross_entropy", np.array([[np.nan, 1.0]])),
    ],
)
def test_targets_outside_the_domain(name: str, Y: np.ndarray) -> None:
    """Oracle: by construction; each array breaks one rule of its loss."""
    with pytest.raises(InputError, match=name):
        LOSSES[name].check_targets(Y)


@pytest.mark.parametrize("name", NAMES)
def test_targets_inside_the_domain(name: str) -> None:
    """Oracle: by construction."""
    LOSSES[name].check_targets(targets(name, np.random.default_rng(4)))


def test_unknown_loss() -> None:
    """Oracle: the nearest name by hand."""
    with pytest.raises(InputError, match="did you mean 'logistic'"):
        loss_from_name("logistik")
