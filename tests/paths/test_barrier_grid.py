"""Grid barriers of general models, nets and chains; the record and its baselines."""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from paths_oracles import losses_on_grid, random_net, teacher_pair

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths import (
    Barrier,
    barrier_exact,
    barrier_on_grid,
    baseline_ends,
    loss_between,
    net_barrier_on_grid,
    polyline_barrier,
    polyline_barrier_on_grid,
)


def test_closed_form_of_a_callable():
    """Closed form: a parabola, with its top on the grid and beside it; compiled or called point by point."""
    for compiled in (True, False):
        found = barrier_on_grid(lambda t: 1.0 - (2.0 * t - 1.0) ** 2 + t, points=101, compiled=compiled)
        assert found.barrier == pytest.approx(1.0, abs=1e-15)
        assert found.argmax_t == 0.5
        assert (found.lower, found.upper, found.method) == (found.barrier, math.inf, "grid")
        assert found.max_loss == pytest.approx(1.0 - 0.26**2 + 0.63, abs=1e-15)  # top of the loss itself, near 5/8
    assert barrier_on_grid(lambda t: 1.0 - (2.0 * t - 1.0) ** 2, points=4).barrier == pytest.approx(8.0 / 9.0)


def test_any_pytree_is_interpolated_in_float64():
    """Closed form: sum w^2 along w -> -w; float32 leaves are widened, counters kept."""
    start = {"w": jnp.full(3, 0.1, jnp.float32), "step": jnp.array(7), "deep": [jnp.ones((2, 2))]}
    end = {"w": -start["w"], "step": jnp.array(7), "deep": [jnp.ones((2, 2))]}
    along = loss_between(lambda p: 1.0 - jnp.sum(p["w"] ** 2) + 0 * p["step"], start, end)
    small = float(np.float32(0.1))
    for compiled in (True, False):
        with jax.enable_x64(False):
            found = barrier_on_grid(along, points=5, compiled=compiled)
        assert found.barrier == pytest.approx(3 * small * small, rel=1e-14)  # float32 would be off by 1e-8
        assert found.argmax_t == 0.5


def test_net_grid_is_forward_passes_and_never_above_the_exact_value():
    """Independent implementation: NumPy forward passes; and the exact barrier is the supremum."""
    pair = teacher_pair(np.random.default_rng(0), 20, 3, 30, 2)
    grid = net_barrier_on_grid(*pair, points=501)
    t = np.linspace(0, 1, 501)
    losses = losses_on_grid(*pair, t)
    assert grid.barrier == pytest.approx((losses - ((1 - t) * losses[0] + t * losses[-1])).max(), rel=1e-12)
    exact = barrier_exact(*pair)
    assert grid.barrier <= exact.barrier * (1 + 1e-13)
    assert grid.barrier == pytest.approx(exact.barrier, rel=1e-3)


def test_chain_grid_approaches_the_exact_chain():
    """Independent implementation: the exact chain."""
    rng = np.random.default_rng(1)
    nets, X, Y = [random_net(rng, 2, 8, fixed=True) for _ in range(4)], rng.normal(size=(10, 2)), rng.normal(size=10)
    for baseline in ("linear", "endpoint_mean"):
        grid = polyline_barrier_on_grid(nets, X, Y, baseline=baseline, points=2001)
        exact = polyline_barrier(nets, X, Y, baseline=baseline)
        assert grid.barrier <= exact.barrier * (1 + 1e-13)
        assert grid.barrier == pytest.approx(exact.barrier, rel=1e-5)
        assert grid.argmax_t == pytest.approx(exact.argmax_t, abs=1e-2)


def test_net_grid_with_another_loss():
    """Independent implementation: bounds of the branch and bound."""
    net0, net1, X, F = teacher_pair(np.random.default_rng(2), 10, 2, 10)
    Y = np.where(F > 0, 1.0, -1.0)
    grid = net_barrier_on_grid(net0, net1, X, Y, loss="logistic", points=301)
    bounds = barrier_exact(net0, net1, X, Y, loss="logistic")
    assert grid.barrier <= bounds.upper
    assert grid.barrier == pytest.approx(bounds.barrier, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: barrier_on_grid(lambda t: t, points=1), "at least 2 points"),
        (lambda: barrier_on_grid(lambda t: t, baseline="mean"), "unknown baseline 'mean'"),
        (lambda: barrier_on_grid(lambda t: jnp.log(t - 0.5)), "not finite"),
        (lambda: loss_between(jnp.sum, {"a": 1.0}, {"b": 1.0}), "differ in structure"),
        (lambda: loss_between(jnp.sum, {}, {}), "empty"),
        (lambda: loss_between(jnp.sum, [np.ones(2)], [np.ones(3)]), "shapes"),
        (lambda: loss_between(jnp.sum, [np.array(1)], [np.array(2)]), "only floating leaves"),
        (lambda: polyline_barrier_on_grid([Net(np.ones((1, 1)))], [[1.0]], [1.0]), "at least two nets"),
    ],
)
def test_bad_input(call, message):
    """By construction."""
    with pytest.raises(InputError, match=message):
        call()


def test_record_is_json():
    """By construction: contract of the fields; infinity, which JSON cannot say, is null; arrays are lists."""
    record = barrier_on_grid(lambda t: t * (1 - t), points=3)
    fields = ["barrier", "max_loss", "argmax_t", "baseline", "loss_start", "loss_end", "lower", "upper", "method"]
    assert list(record.to_json()) == fields
    assert json.loads(json.dumps(record.to_json(), allow_nan=False))["upper"] is None
    many = Barrier(*(np.array([0.5, np.inf]) if name not in ("baseline", "method") else "x" for name in fields))
    assert json.dumps(many.to_json()["upper"]) == "[0.5, null]"


def test_baselines_by_definition():
    """Closed form."""
    assert baseline_ends("linear", 1.0, 4.0) == (1.0, 4.0)
    assert baseline_ends("endpoint_max", 1.0, 4.0) == (4.0, 4.0)
    assert baseline_ends("endpoint_mean", 1.0, 4.0) == (2.5, 2.5)
    with pytest.raises(InputError, match="did you mean 'linear'"):
        baseline_ends("liner", 0.0, 0.0)
