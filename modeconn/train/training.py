"""A fleet under way: chunks of nets advance by segments, on every device and core, until all have had their steps."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np
from jaxtyping import PyTree

from modeconn.errors import InputError
from modeconn.memory import is_out_of_memory
from modeconn.nets import Net
from modeconn.precision import float64
from modeconn.train.choice import Choice
from modeconn.train.chunks import Chunk, cut, default_lanes, group, lanes_of
from modeconn.train.fleet import Fleet
from modeconn.train.inputs import Settings, float_dtype
from modeconn.train.program import Final, TrainState, advance, begin, draw_nets, measure

__all__ = ["Training", "cores", "pinned", "places"]

R = TypeVar("R")

_LEAVES = Net._fields
_DRAWN_TOGETHER = 64
"""Initial nets are drawn in blocks of one size: in a shorter one the same net would round differently."""


_CPU_PLACES = 16
"""Chunks in flight on CPUs at most: what starts them is one Python process."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def places(devices: Sequence[jax.Device]) -> list[int]:
    """Return, for every chunk that may be in flight, the position of its device.

    An accelerator works on one chunk at a time; CPU devices share the cores, and a chunk that fits a core's cache keeps
    one core busy. All of them share one pool of threads, too, so that nothing in the program may wait for this pool
    from within: decompositions come one matrix at a time, see :func:`modeconn.regions.thin_svd`.
    """
    together = min(cores(), _CPU_PLACES) // len(devices) if devices[0].platform == "cpu" else 1
    return list(range(len(devices))) * max(1, together)


@contextlib.contextmanager
def pinned(dtype: np.dtype) -> Iterator[None]:
    """Pin the arithmetic of training, in this thread: 64-bit floats or not, matrix products at full precision."""
    with jax.enable_x64(dtype == np.float64), jax.default_matmul_precision("highest"):
        yield


class Segment(NamedTuple):
    """Steps of one chunk that a device is working on."""

    chunk: Chunk
    after: TrainState
    losses: jax.Array
    counts: np.ndarray


def _unless_out_of_memory(work: Callable[..., R], *arguments: Any) -> R | None:
    """Return what ``work`` returns, or ``None`` when the device or the host has run out of memory."""
    try:
        return work(*arguments)
    except (jax.errors.JaxRuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _take(tree: PyTree, index: np.ndarray) -> Any:
    """Return the lanes ``index`` of a stacked tree, on the host."""
    return jax.tree.map(lambda x: np.asarray(x)[index], tree)


def _columns(leaf: np.ndarray, width: int) -> np.ndarray:
    """Return the leaf with exactly ``width`` columns: cut, or padded with zeros."""
    leaf = leaf[..., :width]
    return np.pad(leaf, [(0, 0)] * (leaf.ndim - 1) + [(0, width - leaf.shape[-1])])


class Training:
    """A fleet under way: arrays of the finished nets (the ledger), chunks still to be trained, and what they need."""

    def __init__(
        self,
        fleet: Fleet,
        X: np.ndarray,
        Y: np.ndarray,
        settings: Settings,
        initial: Net | None,
        devices: Sequence[jax.Device],
    ) -> None:
        self.fleet, self.X, self.Y, self.settings = fleet, X, Y, settings
        self.devices, self.dtype = devices, float_dtype(settings.dtype)
        self.places, self.starting = places(devices), threading.Lock()
        self.base_key = jax.random.key(settings.base_seed)
        self.data = [tuple(jax.device_put(array, device) for array in (X, Y)) for device in devices]
        self.start = self.drawn() if initial is None else initial
        self.ledger = {
            name: np.zeros((*leaf.shape[:-1], int(fleet.width.max())), self.dtype)
            for name, leaf in self.start._asdict().items()
            if leaf is not None
        }
        self.ledger["history"] = np.full((len(fleet), len(settings.recorded_steps)), np.nan, self.dtype)
        self.ledger["finished"] = np.zeros(len(fleet), bool)
        self.queue: deque[Chunk] = deque()
        self.running: list[Chunk] = []
        self.halved = 0
        self.choice = Choice()

    def drawn(self) -> Net:
        """Return the initial nets of the whole fleet, padded to the largest width, drawn in blocks."""
        s, size = self.settings, len(self.fleet)
        blocks = -(-size // _DRAWN_TOGETHER)
        rows = np.minimum(np.arange(blocks * _DRAWN_TOGETHER), size - 1).reshape(blocks, _DRAWN_TOGETHER)
        sizes = {"d": self.X.shape[1], "c": self.Y.shape[1], "columns": int(self.fleet.width.max())}
        drawn = [
            draw_nets(
                self.base_key,
                self.fleet.seed[row].astype(np.uint32),
                self.fleet.width[row].astype(np.int32),
                init=s.init,
                bias=s.bias,
                fixed_output=s.fixed_output,
                dtype=self.dtype,
                **sizes,
            )
            for row in rows
        ]
        return jax.tree.map(lambda *leaves: np.concatenate(leaves)[:size], *drawn)

    def plan(self, chunk_size: int | None) -> None:
        """Put the nets that are neither finished nor in a queued chunk on the queue."""
        taken = self.ledger["finished"].copy()
        for chunk in self.queue:
            taken[chunk.members] = True
        for (recipe, columns), members in self.groups().items():
            rest = members[~taken[members]]
            if len(rest):
                self.queue.extend(cut(recipe, columns, rest, chunk_size or self.default_size(columns, len(rest))))

    def groups(self) -> dict[Any, np.ndarray]:
        s = self.settings
        return group(self.fleet, s.loss, s.schedule, s.batch_size, s.padding)  # type: ignore[arg-type]

    def default_size(self, columns: int, members: int) -> int:
        points = self.settings.batch_size or len(self.X)
        shape = (columns, points, self.X.shape[1], self.Y.shape[1])
        return default_lanes(self.devices[0].platform, *shape, self.dtype.itemsize, members)

    def chunk_of(self, members: np.ndarray, lanes: int) -> tuple[Chunk, PyTree]:
        """Return a fresh chunk of these nets and the shapes of its state."""
        fits = [key for key, positions in self.groups().items() if np.isin(members, positions).all()]
        if len(fits) != 1:
            raise ValueError("nets of different programs in one chunk")
        recipe, columns = fits[0]
        chunk = Chunk(recipe, columns, members, lanes)
        lanes_and_nets = lanes_of(self.fleet, chunk, self.dtype), self.initial(chunk)
        return chunk, jax.eval_shape(lambda: begin(chunk.recipe, *lanes_and_nets))

    def initial(self, chunk: Chunk) -> Net:
        """Return the initial nets of a chunk, stacked."""
        return jax.tree.map(lambda leaf: _columns(leaf, chunk.padded_width), _take(self.start, chunk.rows))

    def store(self, chunk: Chunk, nets: Net) -> None:
        """Write the weights of a finished chunk down."""
        for name, leaf in zip(_LEAVES, nets, strict=True):
            if leaf is not None:
                target = self.ledger[name]
                target[chunk.members] = _columns(np.asarray(leaf)[: len(chunk.members)], target.shape[-1])

    def advanced(self, chunk: Chunk, place: int, records: int) -> Segment:
        """Return the next ``records`` intervals of a chunk, done: called from a thread for each place.

        One thread starts its work at a time, so that a program is compiled once; then they wait side by side.
        """
        device, data = self.devices[place], self.data[place]
        with pinned(self.dtype):
            with self.starting:
                lanes = jax.device_put(lanes_of(self.fleet, chunk, self.dtype), device)
                start = jax.device_put(self.initial(chunk) if chunk.state is None else chunk.state, device)
                state = begin(chunk.recipe, lanes, start) if chunk.state is None else start
                stride, total = self.settings.record_every, self.settings.steps
                counts = np.clip(total - chunk.step - stride * np.arange(records), 0, stride).astype(np.int32)
                numbers = (np.int32(chunk.step), counts, np.int32(total))
                arguments = (chunk.recipe, self.base_key, lanes, state, *data, *numbers)
                after, losses = (self.choice.fused_program(device, *arguments) or advance)(*arguments)
            after, losses = jax.block_until_ready((after, losses))
            return Segment(chunk, after, losses, counts)

    def commit(self, segment: Segment) -> None:
        """Write down what a segment brought."""
        chunk, members = segment.chunk, segment.chunk.members
        used = int((segment.counts > 0).sum())
        first = chunk.step // self.settings.record_every
        self.ledger["history"][members, first : first + used] = np.asarray(segment.losses)[: len(members), :used]
        chunk.state, chunk.step = segment.after, chunk.step + int(segment.counts.sum())
        if chunk.step == self.settings.steps:
            self.store(chunk, segment.after.net)
            self.ledger["finished"][members] = True

    def train(self, records: int, tick: Callable[[], None]) -> None:
        """Run every chunk to its last step, one at each place at a time; ``tick`` is called after every segment."""
        free = list(reversed(self.places))
        under_way: dict[Future[Segment | None], tuple[Chunk, int]] = {}
        with ThreadPoolExecutor(len(free)) as threads:

            def go_on(chunk: Chunk, place: int) -> None:
                future = threads.submit(_unless_out_of_memory, self.advanced, chunk, place, records)
                under_way[future] = chunk, place

            while self.queue or under_way:
                while self.queue and free:
                    self.running.append(self.queue.popleft())
                    go_on(self.running[-1], free.pop())
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    chunk, place = under_way.pop(future)
                    segment = future.result()
                    if segment is not None:
                        self.commit(segment)
                    if segment is not None and chunk.step < self.settings.steps:
                        go_on(chunk, place)
                    else:
                        self.running.remove(chunk)
                        free.append(place)
                    if segment is None:
                        self.split_all_like(chunk)
                    tick()

    def split(self, chunk: Chunk) -> list[Chunk]:
        """Return the halves of a chunk that did not fit."""
        if chunk.lanes == 1:
            raise InputError(
                f"train_fleet: one net of width {chunk.padded_width} on {len(self.X)} points does not fit the "
                "device's memory; train on minibatches or narrower nets"
            )
        self.halved += 1
        return chunk.halves(lambda state, index: TrainState(*_take(state, index)))

    def split_all_like(self, chunk: Chunk) -> None:
        """Put the halves of a chunk that did not fit on the queue, and those of waiting ones that would not fit."""
        waiting = [chunk, *self.queue]
        program = (chunk.recipe, chunk.padded_width)
        too_large = [c.lanes >= chunk.lanes and (c.recipe, c.padded_width) == program for c in waiting]
        parts = [self.split(c) if large else [c] for c, large in zip(waiting, too_large, strict=True)]
        self.queue = deque(c for part in parts for c in part)

    def done(self) -> int:
        """Return the number of net-steps done."""
        under_way = sum(len(chunk.members) * chunk.step for chunk in [*self.queue, *self.running])
        return int(self.ledger["finished"].sum()) * self.settings.steps + under_way

    def stack(self) -> Net:
        """Return the final nets of the whole fleet."""
        leaves: dict[str, Any] = {name: self.ledger.get(name) for name in _LEAVES}
        return Net(**leaves)

    def measured(self, chunk_size: int | None) -> Final:
        """Return the final measurements of the whole fleet, in float64 and in the order of the fleet."""
        parts: list[tuple[np.ndarray, Final]] = []
        for (recipe, columns), members in self.groups().items():
            lanes = chunk_size or self.default_size(columns, len(members))
            queue = deque(cut(recipe, columns, members, lanes))
            while queue:
                chunk = queue.popleft()
                final = _unless_out_of_memory(self.measure_chunk, chunk)
                if final is None:
                    queue.extendleft(reversed(self.split(chunk)))
                else:
                    parts.append((chunk.members, final))
        order = np.argsort(np.concatenate([members for members, _ in parts]))
        return jax.tree.map(lambda *leaves: np.concatenate(leaves)[order], *[final for _, final in parts])

    def measure_chunk(self, chunk: Chunk) -> Final:
        nets = _take(self.stack(), chunk.rows)
        nets = jax.tree.map(lambda leaf: _columns(leaf, chunk.padded_width).astype(np.float64), nets)
        with float64():
            data = (self.X.astype(np.float64), self.Y.astype(np.float64))
            final = measure(chunk.recipe.optimizer, chunk.recipe.loss, nets, self.fleet.weight_decay[chunk.rows], *data)
            return _take(final, np.arange(len(chunk.members)))
