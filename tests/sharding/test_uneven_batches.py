"""Batches of every size on 1, 2, 3 and 8 devices: the same rows, the same barriers, to their own stated rounding."""

import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.nets import Net
from modeconn.paths import barrier_exact_batch
from modeconn.sharding import map_batch

SIZES = (0, 1, 4, 7)
DEVICES = (1, 3, 8)
NUMBERS = ("barrier", "lower", "upper", "max_loss", "argmax_t")


def doubled(tree, shift):
    """Leaves of several dtypes, with and without trailing axes; one that is broadcast from the shared argument."""
    return {
        "x": tree["x"] * 2 + shift,
        "flag": ~tree["flag"],
        "small": -tree["small"],
        "row": jnp.sum(tree["matrix"], axis=(1, 2)) + 0 * tree["x"],
    }


def tree_of(size):
    """The tree that ``doubled`` takes, and what it returns, by NumPy."""
    x, matrix = np.arange(size, dtype=float), np.arange(6.0 * size).reshape(size, 2, 3)
    tree = {"x": x, "flag": x % 2 == 0, "small": np.arange(size).astype(np.int8), "matrix": matrix}
    found = {"x": 2 * x + 0.5, "flag": ~tree["flag"], "small": -tree["small"], "row": matrix.sum((1, 2))}
    return tree, found


def pairs(size):
    """Random pairs with biases and two outputs, weights in float32, and data in float64."""
    rng = np.random.default_rng(size)
    nets = [
        Net(*(rng.normal(size=(size, *shape)).astype(np.float32) for shape in ((2, 4), (2, 4), (4,)))) for _ in "01"
    ]
    return (*nets, rng.normal(size=(5, 2)), rng.normal(size=(5, 2)))


def on_these_devices():
    """What every number of devices finds: run in a process that has eight."""
    found = []
    for count in DEVICES:
        devices = jax.local_devices()[:count]
        for size in SIZES:
            tree, expected = tree_of(size)
            got = map_batch(doubled, tree, np.float64(0.5), devices=devices)
            for name, value in expected.items():
                np.testing.assert_array_equal(got[name], value)
                assert got[name].dtype == value.dtype, (name, got[name].dtype)
        for size in (1, 7):
            barriers = barrier_exact_batch(*pairs(size), engine="device", devices=devices)
            found.append([count, size, *(getattr(barriers, name).tolist() for name in NUMBERS)])
    return found


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    print(json.dumps(on_these_devices()))


@pytest.fixture(scope="module")
def on_devices():
    """Size -> devices -> the numbers of the barriers, each an array."""
    run = subprocess.run(
        [sys.executable, "-c", "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')", __file__],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "JAX_NUM_CPU_DEVICES": "8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = {}
    for count, size, *numbers in json.loads(run.stdout.splitlines()[-1]):
        found.setdefault(size, {})[count] = [np.array(column) for column in numbers]
    return found


@pytest.mark.parametrize("size", [1, 7])
def test_every_number_of_devices_finds_the_same_barriers(on_devices, size):
    """Independent implementation: the host engine, pair by pair; every interval holds every other value."""
    host, found = barrier_exact_batch(*pairs(size), engine="host"), on_devices[size]
    assert set(found) == set(DEVICES)
    for barrier, lower, upper, max_loss, at in found.values():
        assert barrier.shape == (size,)
        for other in (host.barrier, *(numbers[0] for numbers in found.values())):
            assert ((lower <= other) & (other <= upper)).all()
        np.testing.assert_allclose(max_loss, host.max_loss, rtol=1e-12)
        np.testing.assert_allclose(at, host.argmax_t, atol=1e-6)


def test_more_devices_than_one_are_worked_on():
    """Oracle: by construction; the rows of a batch lie on different devices."""
    code = (
        "import jax, numpy as np\n"
        "from modeconn.sharding import batch_mesh, map_batch\n"
        "assert batch_mesh().size == 3\n"
        "assert map_batch(lambda x: x * 0 + jax.lax.axis_index('batch'), np.arange(5)).tolist() == [0, 0, 1, 1, 2]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "JAX_NUM_CPU_DEVICES": "3"})
