"""What a fleet computes: single steps by hand, whole runs against plain optax loops on one unpadded net."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from modeconn.losses import LOSSES, loss_from_name, net_loss
from modeconn.nets import Net
from modeconn.optim import OPTIMIZERS
from modeconn.probes import kkt_score, region_ratios
from modeconn.train import SCHEDULES, Fleet, FleetResult, train_fleet, unstack
from modeconn.train.chunks import Padding
from modeconn.train.gradient import loss_and_gradient

N, D, C, STEPS = 7, 3, 2, 24
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N, D)), RNG.normal(size=(N, C))
WIDTHS = (2, 5)


@functools.cache
def trained(optimizer: str, padding: Padding = "largest", schedule: str = "constant") -> FleetResult:
    """Two nets of width 2 and 5; of width 3 for optax's Muon, so that it needs one program and could be padded to 4."""
    rates, decays, widths = [0.01, 0.03], [0.2, 0.0], WIDTHS
    if optimizer == "muon_optax":
        widths, padding = (3, 3), "power_of_two"
    fleet = Fleet.of(optimizer=optimizer, learning_rate=rates, weight_decay=decays, width=widths, seed=[3, 4])
    return train_fleet(
        fleet, X, Y, steps=STEPS, record_every=10, bias=True, dtype="float64", padding=padding, schedule=schedule
    )


@functools.cache
def optax_loop(optimizer: str, index: int, schedule: str = "constant") -> Net:
    """One net at its own width: jax.grad of the plain loss, the optimizer as a user builds it, rates as an array."""
    result = trained(optimizer)
    rate, lam = result.fleet.learning_rate[index], result.fleet.weight_decay[index]
    rates = {
        "constant": np.full(STEPS, rate),
        "cosine": rate * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS)) / 2,
    }[schedule]
    loss = LOSSES["half_squared_error"]

    def step(carry: tuple[Net, optax.OptState], rate: jax.Array) -> tuple[tuple[Net, optax.OptState], None]:
        net, state = carry
        gradient = jax.grad(lambda x: net_loss(loss, x, X, Y))(net)
        move, state = OPTIMIZERS[optimizer].build(rate, lam).update(gradient, state, net)
        return (optax.apply_updates(net, move), state), None

    start = jax.tree.map(jnp.asarray, unstack(result, index, initial=True))
    state = OPTIMIZERS[optimizer].build(rate, lam).init(start)
    return jax.jit(lambda c: jax.lax.scan(step, c, jnp.asarray(rates)))((start, state))[0][0]


def assert_close(a: Net, b: Net, atol: float = 1e-9) -> None:
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=0, atol=atol)


@pytest.mark.parametrize("optimizer", ["adamw", "lion", "muon", "muon_mixed", "muon_optax"])
def test_agrees_with_an_optax_loop_on_the_unpadded_net(optimizer: str) -> None:
    """Independent implementation: scan of jax.grad and optax on one net at its own width.

    optax's Muon reads a factor of the rate off the shape of the leaf: padding it would be wrong by that factor.
    """
    assert_close(unstack(trained(optimizer), 0), optax_loop(optimizer, 0))


@pytest.mark.parametrize("optimizer", ["adamw", "lion", "muon", "muon_mixed", "normalized_sgd"])
def test_padded_neurons_stay_exactly_zero(optimizer: str) -> None:
    """By construction: a neuron beyond the width is zero in every bit, under sign, polar, normalised and Adam steps."""
    nets = trained(optimizer).nets
    assert nets.W.shape == (2, D, max(WIDTHS))
    for leaf in nets:
        assert not leaf[0][..., WIDTHS[0] :].any()
        assert leaf[0][..., : WIDTHS[0]].all()


def test_cosine_schedule_against_an_optax_loop() -> None:
    """Independent implementation: the rates of the schedule written out as an array; 8 columns for width 5."""
    assert_close(unstack(trained("lion", "power_of_two", "cosine"), 1), optax_loop("lion", 1, "cosine"))


def test_schedules_by_hand() -> None:
    """Closed form: at the start, a quarter, half and the end of a run."""
    done = jnp.array([0, 0.25, 0.5, 1])
    for name, factors in {"constant": [1, 1, 1, 1], "linear": [1, 0.75, 0.5, 0]}.items():
        np.testing.assert_array_equal(SCHEDULES[name](done), factors)
    np.testing.assert_allclose(SCHEDULES["cosine"](done), [1, 0.5 + 0.5**1.5, 0.5, 0], atol=1e-15)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_first_step_by_hand(optimizer: str) -> None:
    """Closed form: w = 2, a = 3, x = 1, y = 5 has gradients 3 and 2, and the step is (1 - eps lam) x - eps sign."""
    fleet = Fleet.of(optimizer=optimizer, learning_rate=0.1, weight_decay=0.5, width=1)
    initial = Net(np.full((1, 1, 1), 2.0), np.full((1, 1, 1), 3.0))
    result = train_fleet(fleet, [[1.0]], [5.0], steps=1, initial=initial, dtype="float64")
    np.testing.assert_allclose(np.ravel([result.nets.W, result.nets.A]), [1.8, 2.75], atol=1e-7)
    np.testing.assert_allclose(result.history[0], [0.5, 0.5 * (1.8 * 2.75 - 5) ** 2], atol=1e-6)
    assert result.recorded_steps.tolist() == [0, 1]


def test_history_and_final_measurements() -> None:
    """Independent implementation: recorded losses, KKT score and ratios recomputed net by net."""
    result, loss = trained("muon_mixed"), LOSSES["half_squared_error"]
    assert result.recorded_steps.tolist() == [0, 10, 20, STEPS]
    K = OPTIMIZERS["muon_mixed"].potential
    assert K is not None
    for i in range(2):
        first, last = (unstack(result, i, initial=initial) for initial in (True, False))
        value, gradient = jax.value_and_grad(lambda net: net_loss(loss, net, X, Y))(jax.tree.map(jnp.asarray, last))
        np.testing.assert_allclose(result.history[i, 0], net_loss(loss, first, X, Y), rtol=1e-12)
        np.testing.assert_allclose([result.history[i, -1], result.final_loss[i]], value, rtol=1e-12)
        lam = result.fleet.weight_decay[i]
        np.testing.assert_allclose(result.kkt[i], kkt_score(gradient, last, K, lam), rtol=1e-9)
        for name, ratio in region_ratios(last, K, lam).items():
            np.testing.assert_allclose(result.ratios[name][i], ratio, rtol=1e-9, atol=1e-15)
    assert result.in_region().tolist() == [all(v[i] <= 1 + 1e-6 for v in result.ratios.values()) for i in range(2)]


@pytest.mark.parametrize(
    ("name", "shape"),
    [("half_squared_error", "bias"), ("logistic", "fixed_output"), ("cross_entropy", "plain")],
)
def test_gradient_agrees_with_autodiff(name: str, shape: str) -> None:
    """Independent implementation: jax.grad of the plain loss; a dead neuron at zero gets exactly zero."""
    loss, c = loss_from_name(name), 1 if shape == "fixed_output" or name == "logistic" else C
    targets = {
        "half_squared_error": Y[:, :c],
        "logistic": np.sign(Y[:, :c]),
        "cross_entropy": np.eye(2)[[0, 1] * 3 + [0]][:, :c],
    }
    W, A, b = RNG.normal(size=(D, 4)), RNG.normal(size=(c, 4)), RNG.normal(size=4)
    W[:, 3] = A[:, 3] = b[3] = 0
    net = Net(W, None if shape == "fixed_output" else A, b if shape == "bias" else None)
    net, target = jax.tree.map(jnp.asarray, net), jnp.asarray(targets[name])
    value, gradient = jax.jit(lambda x: loss_and_gradient(loss, x, X, target))(net)
    expected_value, expected = jax.jit(jax.value_and_grad(lambda x: net_loss(loss, x, X, target)))(net)
    np.testing.assert_allclose(value, expected_value, rtol=1e-13)
    assert_close(gradient, expected, 1e-12)
    assert not any(leaf[..., 3].any() for leaf in jax.tree.leaves(gradient))


def test_minibatches_are_drawn_per_instance_and_step() -> None:
    """Independent implementation: the documented key of an instance and step, and a hand-written sign step."""
    fleet = Fleet.of(optimizer="lion", learning_rate=0.05, width=1, instance_id=[7, 9], b1=0.0)
    initial = Net(np.full((2, 1, 1), 3.0))
    x, y = np.arange(1.0, 6.0)[:, None], np.arange(1.0, 6.0) * [2, 4, 2, 4, 2]
    result = train_fleet(fleet, x, y, steps=40, batch_size=1, initial=initial, fixed_output=True, dtype="float64")
    for i, instance in enumerate((7, 9)):
        w, key = 3.0, jax.random.fold_in(jax.random.fold_in(jax.random.key(0), 1), instance)
        for t in range(40):
            row = int(jax.random.randint(jax.random.fold_in(key, t), (1,), 0, 5)[0])
            w -= 0.05 * np.sign((w * x[row, 0] - y[row]) * x[row, 0])
        np.testing.assert_allclose(result.nets.W[i, 0, 0], w, atol=1e-12)
    assert result.nets.W[0] != result.nets.W[1]


def test_columns_beyond_the_width_of_an_initial_net_are_dropped() -> None:
    """Metamorphic: junk there changes nothing, in the start or in the result."""
    fleet = Fleet.of(optimizer="lion", learning_rate=0.01, width=3, b1=0.5)
    W, A = RNG.normal(size=(1, D, 4)), RNG.normal(size=(1, C, 4))
    clean = train_fleet(fleet, X, Y, steps=10, initial=Net(W[..., :3], A[..., :3]))
    junk = train_fleet(fleet, X, Y, steps=10, initial=Net(W, A))
    for a, b in zip([*clean.nets[:2], *clean.initial[:2]], [*junk.nets[:2], *junk.initial[:2]], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(clean.history, junk.history)
    assert unstack(clean, 0, initial=True).W.shape == (D, 3)


def test_equal_seeds_start_from_equal_and_nested_nets() -> None:
    """By construction: the start depends on seed and width alone, and wide nets extend narrow ones (width-free law)."""
    columns = {"width": [2, 2, 4, 4, 4], "weight_decay": [0, 1, 0, 1, 0], "seed": [5, 5, 5, 5, 6]}
    fleet = Fleet.of(optimizer="lion", learning_rate=1e-3, **columns)  # type: ignore[arg-type]
    W = train_fleet(fleet, X, Y, steps=1, init="box", padding="largest").initial.W
    np.testing.assert_array_equal(W[0], W[1])
    np.testing.assert_array_equal(W[2], W[3])
    np.testing.assert_array_equal(W[0][:, :2], W[2][:, :2])
    assert (W[3] != W[4]).all()
