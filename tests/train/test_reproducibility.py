"""A run depends on its own row of the fleet alone: not on order, neighbours, segments, interrupts, devices."""

import functools
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest

from modeconn.errors import InputError
from modeconn.losses import LOSSES, net_loss
from modeconn.train import Fleet, FleetResult, train_fleet, training
from modeconn.train.program import advance

RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(13, 3)), RNG.normal(size=13)
FLEET = Fleet.concat(
    Fleet.of(optimizer="adamw", learning_rate=0.02, weight_decay=0.3, width=[3, 4] * 20, seed=range(40)),
    Fleet.of(optimizer="muon", learning_rate=0.01, weight_decay=0.1, width=[3, 4] * 12, seed=range(24)),
)
FEW = np.arange(0, len(FLEET), 7)


def run(fleet: Fleet = FLEET, **options: Any) -> FleetResult:
    return train_fleet(fleet, X, Y, steps=50, record_every=10, dtype="float64", **options)


@functools.cache
def straight() -> FleetResult:
    """The whole fleet, 16 nets side by side."""
    return run(chunk_size=16)


def assert_same(a: FleetResult, b: FleetResult, rows: Any = slice(None)) -> None:
    """Bitwise equality of ``a`` with these rows of ``b``."""
    columns = a.nets.W.shape[-1]
    for name in ("W", "A"):
        np.testing.assert_array_equal(getattr(a.nets, name), getattr(b.nets, name)[rows][..., :columns])
        np.testing.assert_array_equal(getattr(a.initial, name), getattr(b.initial, name)[rows][..., :columns])
    np.testing.assert_array_equal(a.history, b.history[rows])
    np.testing.assert_allclose(a.kkt, b.kkt[rows], rtol=1e-10)


def assert_close(a: FleetResult, b: FleetResult) -> None:
    """Equality up to rounding in float64, and of every decision."""
    for x, y in zip([*a.nets[:2], a.history], [*b.nets[:2], b.history], strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(a.diverged, b.diverged)
    np.testing.assert_array_equal(a.in_region(), b.in_region())


def test_chunk_sizes_round_at_most() -> None:
    """The same runs, 5 instead of 16 side by side: equal up to rounding, and every decision the same."""
    assert_close(run(chunk_size=5), straight())


def test_order_and_neighbours_do_not_matter() -> None:
    """A shuffled part of the fleet, whose largest width is another one: equal in every bit."""
    rows = np.random.default_rng(2).permutation(np.flatnonzero(FLEET.width < 4))[:20]
    assert_same(run(FLEET.take(rows), chunk_size=16), straight(), rows)


def test_segments_do_not_matter_and_nothing_is_compiled_twice() -> None:
    """Other segment lengths and rates: equal in every bit; one program for each optimizer and padded width."""
    assert_same(run(segment_steps=10, chunk_size=16), straight())
    before = advance._cache_size()
    faster = Fleet(**{**vars(FLEET), "learning_rate": 2 * FLEET.learning_rate, "seed": FLEET.seed + 1})
    assert (run(faster, chunk_size=16).nets.W != straight().nets.W).any()
    assert advance._cache_size() == before


def test_one_net_alone_and_among_150() -> None:
    """By default a CPU fills a chunk up rather than to take a smaller one, which would round differently."""
    X, Y = RNG.normal(size=(32, 4)), RNG.normal(size=32)
    fleet = Fleet.of(optimizer="adamw", learning_rate=0.01, weight_decay=0.1, width=13, seed=range(150))
    among = train_fleet(fleet, X, Y, steps=30)
    assert_same(train_fleet(fleet.take([77]), X, Y, steps=30), among, [77])


def test_long_inputs_are_stored_by_neurons() -> None:
    """The other layout in memory, from 16 inputs on: bits as before, and the same net as an optax loop."""
    rng = np.random.default_rng(6)
    X, Y = rng.normal(size=(9, 20)), rng.normal(size=9)
    fleet = Fleet.of(optimizer="adamw", learning_rate=0.02, weight_decay=0.3, width=4, seed=range(20))
    options: dict[str, Any] = {"steps": 40, "record_every": 10, "dtype": "float64", "chunk_size": 8}
    whole = train_fleet(fleet, X, Y, **options)
    assert_same(train_fleet(fleet.take([11]), X, Y, segment_steps=10, **options), whole, [11])
    net, loss = jax.tree.map(lambda leaf: jax.numpy.asarray(leaf[11]), whole.initial), LOSSES["half_squared_error"]
    optimizer = optax.adamw(0.02, weight_decay=0.3)
    memory = optimizer.init(net)
    for _ in range(40):
        move, memory = optimizer.update(jax.grad(lambda x: net_loss(loss, x, X, Y[:, None]))(net), memory, net)
        net = optax.apply_updates(net, move)
    for leaf, own in zip(net[:2], whole.nets[:2], strict=True):
        np.testing.assert_allclose(own[11], leaf, rtol=1e-9, atol=1e-11)


def test_minibatches() -> None:
    """The same with minibatches, where the nets of a chunk share no data: equal in every bit."""
    fleet, rows = Fleet.of(optimizer="adamw", learning_rate=0.01, weight_decay=0.1, width=4, seed=range(40)), FEW[:5]
    whole = train_fleet(fleet, X, Y, steps=30, batch_size=6)
    assert_same(train_fleet(fleet.take(rows), X, Y, steps=30, batch_size=6), whole, rows)


def test_chunks_in_flight_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """One chunk at a time against three side by side, in pinned threads of their own: equal in every bit, each once."""
    seen: list[int] = []

    def watched(*arguments: Any) -> Any:
        seen.append(threading.get_ident())
        assert jax.config.jax_default_matmul_precision == "highest"  # type: ignore[attr-defined]
        return advance(*arguments)

    monkeypatch.setattr(training, "advance", watched)
    results = []
    for count in (1, 3):
        monkeypatch.setattr(training, "cores", lambda count=count: count)
        results.append(run(chunk_size=16, segment_steps=20))
    chunks, segments = 3 + 2, 3
    assert len(seen) == 2 * chunks * segments
    assert len(set(seen[: chunks * segments])) == jax.local_device_count()
    assert 1 < len(set(seen[chunks * segments :])) <= max(3, jax.local_device_count())
    assert threading.get_ident() not in seen
    assert_same(*results)


class Interrupter:
    """A progress hook that interrupts after a number of segments."""

    def __init__(self, segments: int) -> None:
        self.left, self.seen = segments, [(0, 0)]

    def __call__(self, done: int, total: int) -> None:
        self.seen.append((done, total))
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_interrupted_and_resumed_is_the_straight_run(tmp_path: Path) -> None:
    """Interrupts at several places, each resumed: nothing is repeated, and equal in every bit."""
    options: dict[str, Any] = {"checkpoint": tmp_path / "fleet.npz", "segment_steps": 20, "chunk_size": 16}
    done, few = 0, FLEET.take(FEW)
    for segments in (1, 1, 2):
        hook = Interrupter(segments)
        with pytest.raises(KeyboardInterrupt):
            run(few, progress=hook, **options)
        assert hook.seen[1][0] > done
        done = hook.seen[-1][0]
        assert 0 < done < hook.seen[-1][1] == 50 * len(few)
    last = Interrupter(-1)
    assert_same(run(few, progress=last, **options), straight(), FEW)
    assert last.seen[-1][0] == last.seen[-1][1]
    again = Interrupter(-1)
    assert_same(run(few, progress=again, **options), straight(), FEW)
    assert len(again.seen) == 1, "a finished fleet is read, not trained"


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.npz"
    few = FLEET.take([0, 1])
    run(few, checkpoint=path)
    with pytest.raises(InputError, match="another run"):
        run(few, checkpoint=path, base_seed=1)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"fleet\.npz"):
        run(few, checkpoint=path)
    with pytest.raises(InputError, match=r"\*\.npz"):
        run(few, checkpoint=tmp_path / "fleet.bin")


def test_out_of_memory_halves_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that holds 16 nets only for two segments: what waits is halved too, and nothing but rounding changes."""
    sizes: list[int] = []

    def small(recipe: Any, key: Any, lanes: Any, *rest: Any) -> Any:
        sizes.append(lanes.width.shape[0])
        if sizes[-1] > (16 if len(sizes) <= 2 else 8):
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 byte")
        return advance(recipe, key, lanes, *rest)

    monkeypatch.setattr(training, "advance", small)
    monkeypatch.setattr(training, "cores", lambda: 1)
    assert_close(run(segment_steps=20, chunk_size=16), straight())
    assert sizes[:4] == [16, 16, 16, 8]
    assert sizes.count(16) == 3 + 1, "each program learns it once"
    monkeypatch.setattr(training, "advance", lambda *a: small(*a[:2], a[2]._replace(width=np.zeros(17)), *a[3:]))
    with pytest.raises(InputError, match="does not fit"):
        run()


def test_diverged_instances_are_flagged_alone() -> None:
    """By construction: one rate beyond float32's range; its neighbours are the same as without it, in every bit."""
    rates = np.array([0.01, 1e30, 0.02])
    fleet = Fleet.of(optimizer="lion", learning_rate=rates, width=4, seed=[0, 1, 2], weight_decay=0.1)
    result = train_fleet(fleet, X, Y, steps=40, record_every=10)
    assert result.diverged.tolist() == [False, True, False]
    assert result.diverged_at.tolist() == [-1, 10, -1]
    assert not np.isfinite(result.final_loss[1])
    assert not result.in_region()[1]
    assert_same(train_fleet(fleet.take([0, 2]), X, Y, steps=40, record_every=10), result, [0, 2])


DEVICES_SCRIPT = """
import jax, numpy as np
from modeconn.train import Fleet, train_fleet
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(13, 3)), rng.normal(size=13)
fleet = Fleet.of(optimizer="adamw", learning_rate=0.02, weight_decay=0.3, width=3, seed=range(40))
assert jax.local_device_count() == 2
two = train_fleet(fleet, X, Y, steps=50)
one = train_fleet(fleet.take([3, 30, 7]), X, Y, steps=50, devices=jax.local_devices()[1:])
assert len(two.settings["devices"]) == 2
assert (two.nets.W[[3, 30, 7]] == one.nets.W).all() and (two.history[[3, 30, 7]] == one.history).all()
print("same")
"""


def test_devices_do_not_matter() -> None:
    """40 nets on two host devices against three on one, in a process of its own: equal in every bit."""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", DEVICES_SCRIPT], capture_output=True, text=True, env={**os.environ, **flags}, timeout=300
    )
    assert done.stdout.strip() == "same", done.stderr
