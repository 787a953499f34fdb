"""Batches of exact barriers: both engines, a dense grid on 1,000 pairs, independence of the batch."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from paths_oracles import random_net, teacher_pair

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths import BASELINES, barrier_exact, barrier_exact_batch

NUMBERS = ("barrier", "max_loss", "argmax_t", "loss_start", "loss_end", "lower", "upper")


def _stack(nets):
    return Net(*(None if leaves[0] is None else np.stack(leaves) for leaves in zip(*nets, strict=True)))


def _at(nets, i):
    return Net(*(None if leaf is None else leaf[i] for leaf in nets))


def _random_pairs(count, seed, n=5, d=2, m=3):
    """Return Gaussian pairs with targets between their predictions, so that losses rise inside about half of them."""
    rng = np.random.default_rng(seed)
    nets0, nets1 = (random_net(rng, d, m, stack=(count,)) for _ in range(2))
    return nets0, nets1, rng.normal(size=(n, d)), rng.normal(size=(n, 1))


def _grid_excess(nets0, nets1, X, Y, t):
    """Return (max over t of the loss above the linear baseline, of the loss) for every pair, by forward passes."""
    highest = np.full((2, len(nets0.W)), -np.inf)

    def losses(x):
        W, A, b = ((1 - x) * p + x * q for p, q in zip(nets0, nets1, strict=True))
        R = np.maximum(X @ W + b[:, None, :], 0.0) @ np.swapaxes(A, 1, 2) - Y
        return 0.5 * np.einsum("bnc,bnc->b", R, R)

    start, end = losses(0.0), losses(1.0)
    for x in t:
        loss = losses(x)
        highest = np.maximum(highest, [loss - ((1 - x) * start + x * end), loss])
    return highest


@pytest.mark.parametrize("engine", ["device", "host"])
def test_never_below_a_grid_on_a_thousand_pairs(engine):
    """Oracle: 1,001 forward passes along each of 1,000 random segments; rounding 1e-13 of the loss is allowed."""
    pairs = _random_pairs(1000, seed=0)
    found = barrier_exact_batch(*pairs, engine=engine)
    excess, largest = _grid_excess(*pairs, np.linspace(0.0, 1.0, 1001))
    assert (found.barrier > 1e-3).sum() > 100  # not a test of zeros
    assert (excess <= found.barrier + 1e-13 * (1 + found.max_loss)).all()
    assert (largest <= found.max_loss * (1 + 1e-13)).all()
    assert (excess <= found.upper).all()
    assert (found.barrier - excess <= 2e-2 * (1 + found.max_loss)).all()  # nor far above: a grid is that good
    inside = found.barrier > 1e-3
    here = np.array(
        [
            _grid_excess(_at_one(pairs[0], i), _at_one(pairs[1], i), *pairs[2:], [t])[0, 0]
            for i, t in zip(np.flatnonzero(inside), found.argmax_t[inside], strict=True)
        ]
    )
    np.testing.assert_allclose(here, found.barrier[inside], rtol=1e-9)  # attained at argmax_t


def _at_one(nets, i):
    return Net(*(leaf[i : i + 1] for leaf in nets))


def test_never_below_a_million_points():
    """Oracle: 10^6 forward passes, in blocks, along three segments picked by seed."""
    nets0, nets1, X, Y = _random_pairs(1000, seed=0)
    found = barrier_exact_batch(nets0, nets1, X, Y, engine="device")
    for i in np.random.default_rng(1).choice(np.flatnonzero(found.barrier > 1e-3), 3, replace=False):
        P0, P1 = (X @ nets.W[i] + nets.b[i] for nets in (nets0, nets1))
        highest = -np.inf
        for t in np.array_split(np.linspace(0.0, 1.0, 10**6), 20):
            x = t[:, None, None]
            H = np.maximum((1 - x) * P0 + x * P1, 0.0)
            A = (1 - x) * nets0.A[i] + x * nets1.A[i]
            R = np.einsum("tnm,tcm->tnc", H, A) - Y
            losses = 0.5 * np.einsum("tnc,tnc->t", R, R)
            highest = max(highest, (losses - ((1 - t) * found.loss_start[i] + t * found.loss_end[i])).max())
        assert highest <= found.barrier[i] + 1e-13 * (1 + found.max_loss[i])
        assert highest == pytest.approx(found.barrier[i], rel=1e-5)  # it may sit on a kink between two points


@pytest.mark.parametrize("baseline", sorted(BASELINES))
def test_engines_agree(baseline):
    """Independent implementation: two sorts in JAX against cells in NumPy; several outputs, with and without leaves."""
    rng = np.random.default_rng(3)
    pairs = [teacher_pair(rng, 12, 3, 20, 2)[:2] for _ in range(6)]
    X, Y = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    nets0, nets1 = _stack([p[0] for p in pairs]), _stack([p[1] for p in pairs])
    device, host = (barrier_exact_batch(nets0, nets1, X, Y, baseline=baseline, engine=e) for e in ("device", "host"))
    for name in ("barrier", "max_loss", "loss_start", "loss_end"):
        np.testing.assert_allclose(getattr(device, name), getattr(host, name), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(device.argmax_t, host.argmax_t, atol=1e-6)
    for found in (device, host):
        assert (found.lower <= found.barrier).all()
        assert (found.barrier <= found.upper).all()
        assert (found.upper - found.lower < 1e-8 * found.max_loss).all()
    single = barrier_exact(pairs[4][0], pairs[4][1], X, Y, baseline=baseline)
    assert host.barrier[4] == single.barrier
    assert (device.method, device.baseline) == ("exact", baseline)


def test_degenerate_pairs_on_the_device():
    """Independent implementation: the host engine, on equal nets, dead neurons, zero rows, coinciding sign changes."""
    nets0, nets1, _, _ = _random_pairs(1000, seed=1)  # the shapes of the other tests: nothing to compile anew
    special0 = [np.ones((2, 3)), np.zeros((2, 3)), [[1.0, -1.0, 0.0]] * 2, [[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]]]
    special1 = [np.ones((2, 3)), np.zeros((2, 3)), [[-1.0, 1.0, 0.0]] * 2, [[-2.0, -2.0, -2.0], [0.0, 0.0, 0.0]]]
    for nets, special in ((nets0, special0), (nets1, special1)):
        nets.W[:4], nets.A[:4], nets.b[:4] = special, 1.0, 0.0
    X = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [-1.0, 1.0], [2.0, 0.0]])
    Y = np.array([1.0, 1.0, 0.5, 0.0, 2.0])
    device = barrier_exact_batch(nets0, nets1, X, Y, engine="device")
    host = barrier_exact_batch(_first(nets0, 4), _first(nets1, 4), X, Y, engine="host")
    for name in NUMBERS:
        np.testing.assert_allclose(getattr(device, name)[:4], getattr(host, name), atol=1e-10)
    assert device.barrier[0] == device.barrier[1] == 0.0
    assert device.argmax_t[0] == device.argmax_t[1] == 0.0


def _first(nets, count):
    return Net(*(leaf[:count] for leaf in nets))


def test_result_does_not_depend_on_the_batch():
    """Conserved quantity: in another order, among others, a pair gets the same numbers, to the last bit."""
    nets0, nets1, X, Y = _random_pairs(1000, seed=0)
    order = np.random.default_rng(4).permutation(1000)
    found = barrier_exact_batch(nets0, nets1, X, Y, engine="device")
    moved = barrier_exact_batch(
        *(Net(*(leaf[order] for leaf in nets)) for nets in (nets0, nets1)), X, Y, engine="device"
    )
    for name in NUMBERS:
        np.testing.assert_array_equal(getattr(moved, name), getattr(found, name)[order])
    one = barrier_exact(_at(nets0, 7), _at(nets1, 7), X, Y)
    np.testing.assert_allclose(found.barrier[7], one.barrier, rtol=1e-13)


SCRIPT = """
import jax, jax.numpy as jnp, numpy as np
from modeconn.nets import Net
from modeconn.paths import barrier_exact_batch, net_barrier_on_grid
assert not jax.config.jax_enable_x64
W = jnp.asarray(np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 2, 3))
X, Y = jnp.asarray([[1.0, 0.5], [-0.3, 2.0]]), jnp.asarray([1.0, 0.1])
assert X.dtype == jnp.float32
found = barrier_exact_batch(Net(W), Net(W[..., ::-1]), X, Y, engine="device", baseline="endpoint_mean")
grid = net_barrier_on_grid(Net(W[0]), Net(W[0][..., ::-1]), X, Y, points=3, baseline="endpoint_mean")
assert found.barrier.dtype == np.float64, found.barrier.dtype
print(found.barrier[0].hex(), found.barrier[1].hex(), float(grid.loss_start).hex())
"""


def test_a_process_without_64_bit_floats_gets_float64_results():
    """Conserved quantity: another process with x64 off prints the very bits of this one, which has it on."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert jax.config.jax_enable_x64
    W = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 2, 3)
    X, Y = np.array([[1.0, 0.5], [-0.3, 2.0]], np.float32), np.array([1.0, 0.1], np.float32)
    nets = Net(jnp.asarray(W)), Net(jnp.asarray(W[..., ::-1]))
    found = barrier_exact_batch(*nets, X, Y, engine="device", baseline="endpoint_mean")
    printed = [float.fromhex(word) for word in run.stdout.split()]
    assert printed[:2] == found.barrier.tolist()
    assert printed[2] == pytest.approx(found.loss_start[0], rel=1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b, X, Y: (_at(a, 0), _at(b, 0), X, Y), "one leading axis"),
        (lambda a, b, X, Y: (a._replace(b=a.b[:1]), b, X, Y), "one leading axis"),
        (lambda a, b, X, Y: (Net(*(leaf[:2] for leaf in a)), b, X, Y), "as many first as second"),
        (lambda a, b, X, Y: (Net(*(leaf[:0] for leaf in a)), b, X, Y), "B >= 1"),
        (lambda a, b, X, Y: (a._replace(W=a.W[..., :2]), b, X, Y), "widths 2 and 3"),
        (lambda a, b, X, Y: (a._replace(A=None), b, X, Y), "only one of the nets has A"),
        (lambda a, b, X, Y: (a._replace(W=a.W * np.nan), b, X, Y), "NaN"),
        (lambda a, b, X, Y: (a._replace(W=a.W * 1e200), b, X, Y), "overflows"),
        (lambda a, b, X, Y: (a, b, X[:, :1], Y), "expected X of shape"),
        (lambda a, b, X, Y: (a, b, X, Y[:2]), "expected Y of shape"),
        (lambda a, b, X, Y: (a, b, X, Y, "logistc"), "did you mean 'logistic'"),
        (lambda a, b, X, Y: (a, b, X, np.sign(Y), "logistic", "linear", 1e-9, "device"), "half squared error only"),
        (lambda a, b, X, Y: (a, b, X, Y, "half_squared_error", "lineal"), "did you mean 'linear'"),
        (lambda a, b, X, Y: (a, b, X, Y, "half_squared_error", "linear", 1e-9, "devise"), "did you mean 'device'"),
    ],
)
def test_bad_batches_are_one_clear_line(change, message):
    """By construction: every kind of bad input is named, in one line."""
    with pytest.raises(InputError, match=message) as caught:
        barrier_exact_batch(*change(*_random_pairs(1000, seed=1)))
    assert "\n" not in str(caught.value)


def test_other_losses_in_a_batch():
    """Conserved quantity: pair by pair the same bounds."""
    nets0, nets1, X, Y = _random_pairs(3, seed=2)
    found = barrier_exact_batch(nets0, nets1, X, np.sign(Y), loss="logistic")
    assert found.method == "branch-and-bound"
    assert found.upper[1] == barrier_exact(_at(nets0, 1), _at(nets1, 1), X, np.sign(Y), loss="logistic").upper
