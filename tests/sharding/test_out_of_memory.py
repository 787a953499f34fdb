"""Batches that do not fit the memory: halved, gone on with, and said so; a single item too large is an error."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.campaigns import FAMILIES
from modeconn.campaigns.families import ball_contraction, gram_reduction
from modeconn.cells import nnls_batch
from modeconn.constructions import connect_batch, recombination_batch, recombine
from modeconn.constructions.recombination_batch import recombine_batch
from modeconn.errors import InputError
from modeconn.memory import in_halves, is_out_of_memory
from modeconn.nets import Net
from modeconn.paths import barrier_exact_batch, batch
from modeconn.sharding import map_batch

RNG = np.random.default_rng(0)
SIDE = 1 << 22
"""A matrix with so many rows and columns fits no memory: what XLA says of it is no emulation."""

connect_module = importlib.import_module("modeconn.constructions.connect_batch")
nnls_module = importlib.import_module("modeconn.cells.nnls_batch")


def filled(side, x):
    """Zero, by way of a square matrix of this side."""
    k = (jnp.arange(4) + x.sum().astype(int)) % side
    return jnp.zeros((side, side), jnp.float32).at[k, k].add(1.0)[k, k].sum() * 0.0


def squares_of_three(x):
    """Squares, by a program that fits the memory up to three rows."""
    return x * x + filled(SIDE if x.shape[0] > 3 else 4, x)


def never_fits(x):
    """A program that fits for no row."""
    return x + filled(SIDE, x)


class Small:
    """A function of a device that holds so many rows, and how often it was asked for more."""

    def __init__(self, function, fits, error="RESOURCE_EXHAUSTED: Out of memory allocating 1 byte"):
        self.function, self.fits, self.error, self.refused, self.sizes = function, fits, error, 0, []

    def __call__(self, *arrays, **options):
        self.sizes.append(len(jax.tree.leaves(arrays[-1])[0]))
        if not self.fits(*arrays):
            self.refused += 1
            raise jax.errors.JaxRuntimeError(self.error)
        return self.function(*arrays, **options)


def test_a_batch_is_halved_until_it_fits():
    """Oracle: XLA's own RESOURCE_EXHAUSTED on this machine; by construction for the rows."""
    with pytest.warns(RuntimeWarning, match="map_batch: out of memory, so the batch was cut in two 3 times"):
        found = map_batch(squares_of_three, np.arange(11.0))
    assert found.tolist() == [float(k * k) for k in range(11)]


def test_one_row_too_large_is_an_error():
    """Oracle: XLA's own RESOURCE_EXHAUSTED."""
    with pytest.raises(MemoryError, match="one instance does not fit"):
        map_batch(never_fits, np.arange(5.0))


def test_other_errors_are_not_taken_for_it():
    """Oracle: by construction."""
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: x"))
    assert not is_out_of_memory(jax.errors.JaxRuntimeError("INTERNAL: x"))
    assert not is_out_of_memory(ValueError("RESOURCE_EXHAUSTED"))

    def broken(start, stop):
        raise jax.errors.JaxRuntimeError("INTERNAL: x")

    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        in_halves(broken, 0, 8)


def test_halves_cover_the_range_in_order():
    """Oracle: by construction, over sizes and capacities; k parts come from k - 1 cuts."""
    for size in (1, 2, 7, 16):
        for capacity in (1, 2, 5):

            def work(start, stop, capacity=capacity):
                if stop - start > capacity:
                    raise MemoryError
                return list(range(start, stop))

            parts, cuts = in_halves(work, 3, 3 + size)
            assert [k for part in parts for k in part] == list(range(3, 3 + size))
            assert cuts == len(parts) - 1
    assert in_halves(lambda start, stop: stop - start, 0, 0) == ([0], 0)


def barrier_pairs(count):
    """Random pairs and their data."""
    nets = [Net(RNG.normal(size=(count, 2, 3)), RNG.normal(size=(count, 1, 3))) for _ in range(2)]
    return (*nets, RNG.normal(size=(4, 2)), RNG.normal(size=(4, 1)))


def test_barriers_are_halved_to_the_same_numbers(monkeypatch):
    """Independent implementation: the host engine; both programs run out of memory, for more than two pairs."""
    pairs = barrier_pairs(5)
    host = barrier_exact_batch(*pairs, engine="host")

    def small(function):
        def run(nets, X, Y):
            return function(nets, X + filled(SIDE if nets[0].W.shape[0] > 2 else 4, Y), Y)

        return run

    monkeypatch.setattr(batch, "_ends", small(batch._ends))
    monkeypatch.setattr(batch, "_peaks", small(batch._peaks))
    with pytest.warns(RuntimeWarning, match="cut in two 2 times") as said:
        found = barrier_exact_batch(*pairs, engine="device", devices=jax.local_devices()[:1])
    assert len(said) == 2
    np.testing.assert_allclose(found.barrier, host.barrier, atol=1e-12)
    assert ((found.lower <= host.barrier) & (host.barrier <= found.upper)).all()


def test_one_pair_too_large_says_what_to_do(monkeypatch):
    """Oracle: by construction; one line with the sizes and the way out."""

    def out_of_memory(*_, **__):
        raise MemoryError("one instance does not fit in memory")

    monkeypatch.setattr(batch, "map_batch", out_of_memory)
    with pytest.raises(InputError, match=r"one pair of nets of width 3 on 4 points .* engine='host'"):
        barrier_exact_batch(*barrier_pairs(2), engine="device")


def test_reductions_that_do_not_fit_together_are_done_in_turn(monkeypatch):
    """Conserved quantity: every bit of the weights; a device that holds two blocks at a time, then none."""
    M = RNG.normal(size=(70, 3, 9))
    whole = recombine_batch(M)
    block, taken = recombination_batch._recombine_block, []

    def small(points):
        taken.append(len(points))
        if len(taken) in (3, 6):
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return block(points)

    monkeypatch.setattr(recombination_batch, "_recombine_block", small)
    with pytest.warns(RuntimeWarning, match="recombine_batch: out of memory, so the batch was cut in two 2 times"):
        halved = recombine_batch(M)
    for one, other in zip(whole, halved, strict=True):
        np.testing.assert_array_equal(one, other)
    monkeypatch.setattr(recombination_batch, "_recombine_block", Small(block, lambda points: False))
    with pytest.raises(MemoryError):
        recombine_batch(M)


def test_pairs_go_alone_where_no_reduction_fits(monkeypatch):
    """Independent implementation: connect, pair by pair, takes over; it says so."""
    X = RNG.normal(size=(4, 2))
    nets = [Net(RNG.normal(size=(3, 2, 20)) / 5, RNG.normal(size=(3, 1, 20)) / 5) for _ in range(2)]

    def out_of_memory(_):
        raise MemoryError

    monkeypatch.setattr(connect_module, "recombine_batch", out_of_memory)
    with pytest.warns(UserWarning, match="each pair goes alone"):
        found = connect_batch(*nets, X, np.zeros(4), "spectral:2")
    assert [one.joined for one in found] == [True] * 3


def test_least_squares_are_halved_to_the_same_values(monkeypatch):
    """Conserved quantity: the fit, over a device that holds 20 problems; 1 that does not fit is an error."""
    C, y = RNG.integers(-3, 4, (300, 4, 7)).astype(float), RNG.integers(-3, 4, (300, 4)).astype(float)
    allowed = RNG.random((300, 7)) < 0.7
    whole, solve = nnls_batch(C, y, allowed), nnls_module._solve
    small = Small(solve, lambda *arrays: len(arrays[-1]) <= 20)
    monkeypatch.setattr(nnls_module, "_solve", small)
    with pytest.warns(RuntimeWarning, match="nnls_batch: out of memory"):
        halved = nnls_batch(C, y, allowed)
    assert small.refused == 31
    assert halved.solved.all()
    np.testing.assert_allclose((C @ halved.z[..., None])[..., 0], (C @ whole.z[..., None])[..., 0], atol=1e-9)
    monkeypatch.setattr(nnls_module, "_solve", Small(solve, lambda *arrays: False))
    with pytest.raises(MemoryError, match="one instance"):
        nnls_batch(C, y, allowed)


REDUCTION = {"n": 2, "d": 2, "outputs": 1, "spare": 3}
BALLS = {"potential": "l1", "rows": 1, "columns": 2, "steps": 2}


@pytest.mark.parametrize(
    ("family", "module", "name", "parameters"),
    [
        ("gram-reduction", gram_reduction, "recombine_batch", REDUCTION),
        ("ball-contraction", ball_contraction, "_margins", BALLS),
    ],
)
def test_campaigns_halve_and_count(family, module, name, parameters, monkeypatch):
    """Conserved quantity: the tally, but for the count; a device that holds 300 of a block's 1,024 instances."""
    run, work = FAMILIES[family].run_block, getattr(module, name)
    whole = run(parameters, 1, 5).to_json()
    monkeypatch.setattr(module, name, Small(work, lambda *arrays: len(arrays[-1]) <= 300))
    halved = run(parameters, 1, 5).to_json()
    assert (whole.pop("halved"), halved.pop("halved")) == (0, 3)
    assert halved == whole
    monkeypatch.setattr(module, name, Small(work, lambda *arrays: False))
    with pytest.raises(MemoryError, match="one instance"):
        run(parameters, 1, 5)


def test_recombine_is_what_takes_over():
    """Independent implementation: one set by hand, so that the two tests above compare like with like."""
    M = RNG.normal(size=(3, 9))
    found = recombine(M)
    np.testing.assert_allclose(M @ found.t, M.sum(1), atol=1e-12)
