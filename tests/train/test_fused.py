"""The program that keeps nets in registers: what it computes (interpreted on a CPU), and when it is used at all."""

import functools
import subprocess
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.nets import Net
from modeconn.train import Fleet, FleetResult, choice, fused, train_fleet
from modeconn.train.program import Lanes, Recipe, TrainState, advance, begin, draw_nets

KEY, TOTAL = jax.random.key(1), np.int32(8)
PROGRAM = fused.advance_fused
INTERPRETED = functools.partial(fused.advance_fused, interpret=True)


@pytest.fixture(scope="module", autouse=True)
def on_a_cpu():
    """Where there is a GPU as well, these tests are not for it."""
    with jax.default_device(jax.devices("cpu")[0]):
        yield


def problem(name, *, d=3, m=8, c=1, nets=5, n=6, bias=False, fixed=False, betas=(), schedule="constant", rate=0.03):
    """The first arguments of both programs: nets of several widths, rates and decays, padded to m.

    In float64, where no gradient is so small that rounding has its sign; the arithmetic is that of float32. The
    first neuron of the last net starts with hidden weights zero, where relu has no derivative.
    """
    recipe, ids = Recipe(name, betas, "half_squared_error", schedule, None), np.arange(nets, dtype=np.uint32)
    widths = (1 + np.arange(nets) * 5 % m).astype(np.int32)
    rates, own = np.geomspace(rate / 10, rate, nets), {b: np.linspace(0.5, 0.9, nets) for b in betas}
    lanes = Lanes(ids, widths, rates, np.linspace(0, 0.5, nets), own)
    sizes = {"d": d, "c": c, "columns": m, "init": "he", "bias": bias, "fixed_output": fixed}
    drawn = draw_nets(jax.random.key(0), ids, widths, dtype=np.dtype(float), **sizes)
    start = begin(recipe, lanes, drawn._replace(W=drawn.W.at[-1, :, 0].set(0)))
    rng = np.random.default_rng(0)
    return recipe, KEY, lanes, start, rng.normal(size=(n, d)), rng.normal(size=(n, c))


def in_float32(given):
    recipe, key, *arrays = given
    return recipe, key, *jax.tree.map(lambda x: x.astype(np.float32) if x.dtype == float else x, arrays)


def steps(first, *counts):
    return np.int32(first), np.array(counts, np.int32), TOTAL


def assert_equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


CASES = {
    "adamw": {"nets": 20, "m": 16},
    "adamw with its betas": {"betas": ("b1", "b2"), "schedule": "cosine", "c": 2, "n": 7, "bias": True},
    "lion": {"betas": ("b2",), "schedule": "linear", "bias": True, "c": 2},
    "signum": {"fixed": True, "n": 5, "m": 4, "nets": 33},
}


@pytest.mark.parametrize("case", CASES)
def test_both_programs_train_the_same_nets(case):
    """Oracle: the plain program, an independent implementation; six steps and two losses of every net."""
    given = problem(case.split()[0], **CASES[case])
    assert fused.fits(given[0], jax.tree.map(lambda x: x.astype(np.float32), given[3].net))
    plain, own = advance(*given, *steps(1, 4, 2)), INTERPRETED(*given, *steps(1, 4, 2))
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-10), own, plain)
    assert not np.allclose(own[0].net.W, given[3].net.W, atol=1e-3)


def test_segments_and_neighbours_leave_no_trace():
    """Oracle: bit for bit the same nets when a run is cut in two, and when the nets stand in another order."""
    given = problem("adamw", **CASES["adamw"])
    whole, losses = INTERPRETED(*given, *steps(0, 3, 2))
    half, early = INTERPRETED(*given, *steps(0, 3, 0))
    again, late = INTERPRETED(*given[:3], half, *given[4:], *steps(3, 2, 0))
    assert_equal(again, whole)
    assert_equal(jnp.stack([early[:, 0], late[:, 0]], axis=1), losses)
    recipe, key, lanes, start, X, Y = given
    backwards = jax.tree.map(lambda x: x[::-1], (lanes, start))
    turned, _ = INTERPRETED(recipe, key, *backwards, X, Y, *steps(0, 3, 2))
    assert_equal(jax.tree.map(lambda x: x[::-1], turned), whole)


def test_padded_neurons_stay_zero_even_when_a_net_diverges():
    """Oracle: by construction; infinite residuals times zero activations are NaN."""
    given = problem("adamw", rate=1e200, **CASES["adamw"])
    net = INTERPRETED(*given, *steps(0, 6, 2))[0].net
    beyond = np.arange(16) >= given[2].width[:, None]
    assert np.isnan(net.A[-1]).any()
    assert (np.asarray(net.A)[:, 0][beyond] == 0).all()
    assert (np.asarray(net.W).transpose(0, 2, 1)[beyond] == 0).all()


@pytest.mark.parametrize(
    ("change", "net", "fit"),
    [
        ({}, (4, 16, 1), True),
        ({"optimizer": "signum"}, (4, 16, 1), True),
        ({"optimizer": "muon"}, (4, 16, 1), False),
        ({"loss": "logistic"}, (4, 16, 1), False),
        ({"batch_size": 8}, (4, 16, 1), False),
        ({}, (4, 12, 1), False),
        ({}, (31, 32, 1), True),
        ({}, (32, 32, 1), False),
        ({}, (4, 512, 1), False),
    ],
)
def test_what_fits(change, net, fit):
    """Oracle: the hypotheses in the docstrings: elementwise, full batches, powers of two, 1024 weights."""
    recipe = replace(Recipe("adamw", (), "half_squared_error", "constant", None), **change)
    d, m, c = net
    nets = Net(jnp.zeros((2, d, m), jnp.float32), jnp.zeros((2, c, m), jnp.float32))
    assert fused.fits(recipe, nets) is fit
    assert not fused.fits(recipe, jax.tree.map(lambda x: x.astype(float), nets))


def run() -> FleetResult:
    X = np.random.default_rng(1).normal(size=(6, 2))
    fleet = Fleet.of(optimizer="adamw", learning_rate=[0.01, 0.02, 0.03], width=4, weight_decay=0.1)
    return train_fleet(fleet, X, np.sin(X[:, 0]), steps=12, record_every=5, devices=jax.devices("cpu")[:1])


@pytest.fixture(scope="module")
def plain():
    result = run()
    assert result.settings["fused"] == result.settings["warnings"] == []
    return result


def test_train_fleet_uses_it_where_there_is_a_compiler_for_it(plain, monkeypatch):
    """Oracle: the plain run, within rounding; an interpreter stands in for the compiler."""
    monkeypatch.setattr(choice, "FUSED_ON", ("cpu",))
    monkeypatch.setattr(fused, "advance_fused", INTERPRETED)
    before = PROGRAM._cache_size()
    result = run()
    assert PROGRAM._cache_size() == before + 1, "the trial and the run are to be one compilation"
    assert result.settings["fused"] == ["adamw, 2 inputs, 4 neurons"]
    assert result.settings["warnings"] == []
    np.testing.assert_allclose(result.history, plain.history, rtol=1e-5)
    np.testing.assert_allclose(result.nets.W, plain.nets.W, rtol=1e-5, atol=1e-6)


def test_what_does_not_compile_is_trained_by_the_plain_program_and_said(plain, monkeypatch):
    """Oracle: bit for bit the plain run; this CPU has no compiler for the kernel."""
    monkeypatch.setattr(choice, "FUSED_ON", ("cpu",))
    result = run()
    assert result.settings["fused"] == []
    (warning,) = result.settings["warnings"]
    assert "adamw, 2 inputs, 4 neurons: fused program not used: ValueError" in warning
    assert_equal((result.nets, result.history), (plain.nets, plain.history))


@pytest.mark.parametrize("part", ["weights", "losses"])
def test_a_program_that_computes_something_else_is_found_out(plain, part, monkeypatch):
    """Oracle: by construction, a compiler that moves every weight 3 % too far or reports losses 3 % too large."""

    def miscompiled(recipe: Recipe, key, lanes, state: TrainState, *rest):
        after, losses = advance(recipe, key, lanes, state, *rest)
        if part == "losses":
            return after, 1.03 * losses
        return TrainState(jax.tree.map(lambda x, y: x + 1.03 * (y - x), state.net, after.net), after.memory), losses

    monkeypatch.setattr(choice, "FUSED_ON", ("cpu",))
    monkeypatch.setattr(fused, "advance_fused", miscompiled)
    result = run()
    assert result.settings["fused"] == []
    (warning,) = result.settings["warnings"]
    assert "differs from the plain one by 3.0e-02" in warning
    assert_equal((result.nets, result.history), (plain.nets, plain.history))


def test_too_little_memory_is_not_taken_for_a_fault_of_the_compiler(monkeypatch):
    """Oracle: by construction; the chunk is to be halved, not trained by a program that needs more memory."""

    def full(*arguments):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(fused, "advance_fused", full)
    monkeypatch.setattr(choice, "FUSED_ON", ("cpu",))
    given = in_float32(problem("adamw", **CASES["adamw"]))
    chosen = choice.Choice()
    with pytest.raises(jax.errors.JaxRuntimeError, match="RESOURCE_EXHAUSTED"):
        chosen.fused_program(jax.devices("cpu")[0], *given, *steps(0, 3))
    assert chosen.warnings == []


def test_other_optimizers_are_left_to_the_plain_program_without_a_word(monkeypatch):
    """Oracle: the hypotheses of ``fits``."""
    monkeypatch.setattr(choice, "FUSED_ON", ("cpu",))
    recipe, *rest = in_float32(problem("adamw", **CASES["adamw"]))
    chosen = choice.Choice()
    assert chosen.fused_program(jax.devices("cpu")[0], replace(recipe, optimizer="muon"), *rest, *steps(0, 3)) is None
    assert chosen.fused == chosen.warnings == []


@pytest.mark.skipif(jax.default_backend() != "gpu", reason="needs a GPU")
@pytest.mark.parametrize("case", CASES)
def test_a_gpu_compiles_it_and_agrees(case):
    """Oracle: the plain program on the same GPU, by the trial that every run makes."""
    gpu = jax.devices("gpu")[0]
    given = in_float32(problem(case.split()[0], **CASES[case]))
    chosen = choice.Choice()
    chosen.fused_program(gpu, given[0], *jax.device_put(given[1:], gpu), *steps(0, 3))
    assert (len(chosen.fused), chosen.warnings) == (1, [])


def test_on_a_cpu_the_kernel_is_not_even_imported():
    """Oracle: the modules of a fresh process; the compiler behind it may be missing or broken there."""
    code = """
import sys, numpy as np
from modeconn.train import Fleet, train_fleet
train_fleet(Fleet.of(optimizer="lion", learning_rate=0.1, width=2), np.ones((2, 1)), np.ones(2), steps=2)
assert not any("pallas" in name for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
