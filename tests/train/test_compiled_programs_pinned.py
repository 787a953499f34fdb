"""Every matrix product that the library hands to the compiler is in float64, or in float32 at the highest precision."""

import os
import re
import subprocess
import sys

import pytest

PROGRAM = """
import jax, jax.numpy as jnp, numpy as np
from modeconn.campaigns import FAMILIES
from modeconn.cells import nnls_batch
from modeconn.constructions import connect_batch
from modeconn.nets import Net
from modeconn.optim import polar_factor, polar_residual
from modeconn.paths import barrier_exact_batch
from modeconn.train import Fleet, train_fleet

assert jax.config.jax_default_matmul_precision == "bfloat16" and not jax.config.jax_enable_x64
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(3, 17)), rng.normal(size=(3, 2))
for name in ("adamw", "lion", "muon", "muon_mixed", "muon_optax"):
    train_fleet(Fleet.of(optimizer=name, learning_rate=0.01, width=18), X, Y, steps=1)
train_fleet(Fleet.of(optimizer="lion", learning_rate=0.01, width=4), X, Y, steps=1, batch_size=2, bias=True)
for method in ("svd", "iteration", "halley"):
    jax.jit(lambda G: polar_factor(G, method))(jnp.ones((9, 12), jnp.float32)).block_until_ready()
jax.jit(polar_residual)(jnp.ones((9, 12), jnp.float32), jnp.ones((9, 12), jnp.float32))
nets = [Net(rng.normal(size=(2, 2, 20)) / 5, rng.normal(size=(2, 1, 20)) / 5) for _ in range(2)]
D, y = rng.normal(size=(4, 2)), np.zeros(4)
barrier_exact_batch(*nets, D, y, engine="device")
connect_batch(*nets, D, y, "spectral:2")
nnls_batch(rng.normal(size=(4, 7)), rng.normal(size=4), np.ones((3, 7), bool))
{extra}
"""

DOT = re.compile(r"stablehlo\.(?:dot_general|dot|convolution)\b.*")
OPERANDS = re.compile(r": \(tensor<(?:[0-9]+x)*(\w+)>, tensor<(?:[0-9]+x)*(\w+)>\)")


def products(folder, extra=""):
    """(module, line) of every product in the programs that were compiled, by a process with careless defaults."""
    careless = {"JAX_DUMP_IR_TO": str(folder), "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16", "JAX_ENABLE_X64": "0"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(extra=extra)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **careless},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    texts = {path.name: path.read_text() for path in folder.glob("*.mlir")}
    return [(name, line) for name, text in texts.items() for line in DOT.findall(text)]


def is_pinned(line):
    """Whether a product is in float64 (or whole numbers), or in float32 at the highest precision."""
    kinds = set(OPERANDS.search(line).groups())
    is_short = kinds & {"f32", "f16", "bf16"}
    return not is_short or (kinds == {"f32"} and "precision = [HIGHEST, HIGHEST]" in line)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """All products of the process, and of one product of its own that is not pinned."""
    extra = "(jax.jit(lambda x: x @ x))(jnp.ones((977, 977), jnp.float32))"
    return products(tmp_path_factory.mktemp("ir"), extra)


def test_every_compiled_product_is_pinned(found):
    """Oracle: StableHLO as the compiler gets it, from a process that has set bfloat16 products as its default."""
    careless = [(name, line) for name, line in found if not is_pinned(line) and "977x977" not in line]
    assert careless == []


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("advance", "f32"),
        ("measure", "f64"),
        ("polar_residual", "f32"),
        ("_ends", "f64"),
        ("_peaks", "f64"),
        ("_recombine", "f64"),
        ("_solve", "f64"),
    ],
)
def test_the_programs_that_feed_verdicts_are_among_them(found, program, kind):
    """Oracle: by construction; without products there would be nothing to see."""
    assert any(program in name and kind in OPERANDS.search(line).groups() for name, line in found)


def test_an_unpinned_product_is_seen(found):
    """Oracle: by construction; the check above can fail."""
    own = [line for _, line in found if "977x977" in line]
    assert own
    assert not any(is_pinned(line) for line in own)
