"""Lion-K: momentum, both forms of decay, schedules, Polyak and Nesterov, and its input checks."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from modeconn.errors import InputError
from modeconn.optim import (
    OPTIMIZERS,
    POTENTIALS,
    adamw,
    lion_k,
    muon,
    muon_keller,
    nesterov_betas,
    optimizer_from_name,
    polyak_betas,
    scale_by_lion_k,
)
from modeconn.optim.presets import relaxed_promotion

GRADIENTS = np.random.default_rng(0).normal(size=(8, 3))
START = np.array([0.5, -1.0, 2.0])


def run(optimizer: optax.GradientTransformation, gradients: np.ndarray = GRADIENTS) -> np.ndarray:
    """Return the positions x_1 .. x_T under the given gradients."""

    def step(
        carry: tuple[jax.Array, optax.OptState], g: jax.Array
    ) -> tuple[tuple[jax.Array, optax.OptState], jax.Array]:
        x, state = carry
        move, state = optimizer.update(g, state, x)
        return (x + move, state), x + move

    x = jnp.asarray(START, gradients.dtype)
    return np.asarray(jax.jit(lambda g: jax.lax.scan(step, (x, optimizer.init(x)), g)[1])(gradients))


def by_numpy(eps: list[float], lam: float, b1: float, b2: float, implicit: bool) -> np.ndarray:
    """The recurrence of Lion as written in the theory, K = l1."""
    x, m, out = START, np.zeros(3), []
    for g, e in zip(GRADIENTS, eps, strict=True):
        u = np.sign(b1 * m + (1 - b1) * g)
        x = (x - e * u) / (1 + e * lam) if implicit else (1 - e * lam) * x - e * u
        m = b2 * m + (1 - b2) * g
        out.append(x)
    return np.array(out)


@pytest.mark.parametrize("decay", ["explicit", "implicit"])
def test_recurrence_and_schedule(decay: str) -> None:
    """Oracle: independent implementation in NumPy, with a schedule that depends on the step number."""
    rates = [0.1 / (1 + t) for t in range(len(GRADIENTS))]
    optimizer = lion_k(lambda t: 0.1 / (1 + t), POTENTIALS["l1"], 0.7, 0.8, 0.95, decay)
    np.testing.assert_allclose(run(optimizer), by_numpy(rates, 0.7, 0.8, 0.95, decay == "implicit"), rtol=1e-13)


def test_betas_of_polyak_and_nesterov() -> None:
    """Oracle: the momentum step written out, m' = beta m + (1 - beta) g; then m', or beta m' + (1 - beta) g."""
    beta = 0.9
    for betas, nesterov in ((polyak_betas(beta), False), (nesterov_betas(beta), True)):
        transformation = scale_by_lion_k(POTENTIALS["huber_l1"], *betas)  # linear near 0: shows c_t itself
        state, m = transformation.init(jnp.zeros(3)), np.zeros(3)
        for g in 1e-3 * GRADIENTS:
            m = beta * m + (1 - beta) * g
            c = beta * m + (1 - beta) * g if nesterov else m
            u, state = transformation.update(jnp.asarray(g), state)
            np.testing.assert_allclose(u, c / 0.1, rtol=1e-12)


def test_hyperparameters_may_be_traced() -> None:
    """Oracle: the same optimizer with Python numbers. One program, mapped over a fleet of hyperparameters."""

    def final(eps: jax.Array, lam: jax.Array, b1: jax.Array) -> jax.Array:
        optimizer = lion_k(eps, POTENTIALS["frobenius"], lam, b1, 0.99)
        state, x = optimizer.init(jnp.asarray(START)), jnp.asarray(START)
        for g in GRADIENTS[:3]:
            move, state = optimizer.update(jnp.asarray(g), state, x)
            x = x + move
        return x

    fleet = [(0.1, 0.0, 0.9), (0.01, 0.5, 0.5)]
    mapped = jax.jit(jax.vmap(final))(*jnp.asarray(fleet).T)
    for found, (eps, lam, b1) in zip(mapped, fleet, strict=True):
        alone = run(lion_k(eps, POTENTIALS["frobenius"], lam, b1, 0.99), GRADIENTS[:3])[-1]
        np.testing.assert_allclose(found, alone, rtol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": -0.1}, "learning rate: expected a finite number >= 0, found -0.1"),
        ({"learning_rate": float("nan")}, "learning rate"),
        ({"learning_rate": 0.1, "weight_decay": -1.0}, "weight decay"),
        ({"learning_rate": 0.1, "weight_decay": float("inf")}, "weight decay"),
        ({"learning_rate": 0.1, "b1": 1.0}, r"b1: expected a number in \[0, 1\)"),
        ({"learning_rate": 0.1, "b2": -0.1}, "b2"),
    ],
)
@pytest.mark.parametrize("build", [muon, adamw])
def test_bad_hyperparameters_are_refused(build, arguments: dict[str, float], message: str) -> None:
    """Oracle: by construction."""
    with pytest.raises(InputError, match=message):
        build(**arguments)


def test_bad_names_are_refused() -> None:
    """Oracle: by construction."""
    with pytest.raises(InputError, match="did you mean 'muon'"):
        optimizer_from_name("moun")
    with pytest.raises(InputError, match="did you mean 'explicit'"):
        lion_k(0.1, POTENTIALS["l1"], decay="explict")
    with pytest.raises(InputError, match="b1: expected"):
        muon_keller(0.1, momentum=1.0)
    with pytest.raises(InputError, match="weight decay"):
        OPTIMIZERS["muon"].region(jnp.ones(2), -1.0)
    optimizer = lion_k(0.1, POTENTIALS["l1"])
    with pytest.raises(InputError, match="needs the parameters"):
        optimizer.update(jnp.ones(3), optimizer.init(jnp.ones(3)))


def test_adamw_under_strict_promotion() -> None:
    """Oracle: optax under standard promotion; strict promotion alone makes it fail."""
    plain = optax.adamw(0.01, weight_decay=0.1)
    expected = run(plain)
    with jax.numpy_dtype_promotion("strict"):
        np.testing.assert_allclose(run(relaxed_promotion(plain)), expected, rtol=1e-14)
