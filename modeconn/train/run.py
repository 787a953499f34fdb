"""Training thousands of nets at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.train.checkpoint import load_checkpoint, save_checkpoint
from modeconn.train.chunks import Padding
from modeconn.train.fleet import Fleet
from modeconn.train.inputs import Settings, checked_data, checked_initial, fingerprint, float_dtype
from modeconn.train.program import Final
from modeconn.train.result import FleetResult
from modeconn.train.training import Training, pinned

__all__ = ["train_fleet"]

Progress = Callable[[int, int], None]


def train_fleet(
    fleet: Fleet,
    X: ArrayLike,
    Y: ArrayLike,
    loss: str = "half_squared_error",
    steps: int = 1000,
    *,
    record_every: int = 100,
    schedule: str = "constant",
    batch_size: int | None = None,
    init: str = "he",
    initial: Net | None = None,
    bias: bool = False,
    fixed_output: bool = False,
    dtype: DTypeLike = "float32",
    base_seed: int = 0,
    padding: Padding = "power_of_two",
    chunk_size: int | None = None,
    segment_steps: int = 500,
    devices: Sequence[jax.Device] | None = None,
    progress: Progress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 30.0,
) -> FleetResult:
    """Return the trained nets of a fleet, with histories, KKT scores and their place in the region.

    Each instance minimises L = ell(f(X)) (summed over the data) with its own optimizer, rate, decay, width and seed:
    gradients of all data, or of minibatches drawn uniformly with replacement and scaled by n / batch_size.

    A run depends on its own row of the fleet, on ``base_seed``, the data and the settings; not on the other instances,
    their order, ``segment_steps``, interruptions or the number of devices. On CPUs this is so bit for bit, since every
    net runs in a chunk of the same size, filled up if need be; the same holds elsewhere once ``chunk_size`` is
    given. Another chunk size (also one halved for want of memory), or ``padding="largest"``, may change the
    rounding, no more.

    Cost: 2 n m (d + c) multiplications a net and step, and the optimizer's own; one compilation for each optimizer
    and padded width. Memory is bounded by ``chunk_size``; a chunk that does not fit the device is halved.

    Args:
        fleet: the instances.
        X: data (n, d), finite.
        Y: targets (n,) or (n, c), in the loss's domain.
        loss: key of :data:`modeconn.losses.LOSSES`.
        steps: number of steps, >= 1.
        record_every: stride of the loss history.
        schedule: key of :data:`modeconn.train.SCHEDULES`: ``"constant"``, or ``"linear"`` / ``"cosine"`` decay to zero.
        batch_size: data points of a step; ``None`` for all.
        init: key of :data:`modeconn.nets.init.INITIALISATIONS`.
        initial: stacked initial nets, W (F, d, M) and so on, instead of drawn ones; columns beyond a net's width are
            dropped.
        bias: whether the nets have biases.
        fixed_output: whether the output weights are fixed at +1 (one output).
        dtype: of training: float32 for search, float64 for verdicts. Matrix products are at full precision either way.
        base_seed: of all keys.
        padding: see :func:`modeconn.train.chunks.padded_widths`.
        chunk_size: nets side by side; default: what fits the cache of a CPU or 2 GiB of an accelerator.
        segment_steps: steps between two looks at the clock, the keyboard and the checkpoint.
        devices: default: all local devices; chunks are dealt out to them. On CPUs one chunk is under way on each core.
        progress: called with (net-steps done, net-steps in all) after every segment.
        checkpoint: ``.npz`` to write the state to while training, on an interrupt too; if it exists the run goes on
            from it, with the same result. It is left in place when the run is done.
        checkpoint_every: seconds between two writes.

    Raises:
        InputError: unusable data, names or settings; a checkpoint of another run; one net that does not fit the memory.

    Example:
        >>> import numpy as np
        >>> X = np.array([[1.0], [-1.0]])
        >>> fleet = Fleet.grid(optimizers=["lion"], learning_rates=[0.01], widths=[4], seeds=range(6))
        >>> result = train_fleet(fleet, X, np.abs(X), steps=300)
        >>> result.nets.W.shape, bool((result.final_loss < result.history[:, 0]).all())
        ((6, 1, 4), True)

    Reference: theory, section 1; claim L3 for the score.
    """
    kind = float_dtype(dtype)
    settings = Settings(
        loss, steps, record_every, schedule, batch_size, init, bias, fixed_output, kind.name, base_seed, padding
    )
    for name, value in (("chunk_size", chunk_size), ("segment_steps", segment_steps)):
        if value is not None and value < 1:
            raise InputError(f"train_fleet: expected {name} >= 1, found {value}")
    if checkpoint is not None and Path(checkpoint).suffix != ".npz":
        raise InputError(f"train_fleet: expected a checkpoint called *.npz, found {checkpoint}")
    X, Y = checked_data(X, Y, loss, batch_size, kind)
    if fixed_output and Y.shape[1] != 1:
        raise InputError(
            f"train_fleet: fixed output weights have one output, found {Y.shape[1]} target columns; train A"
        )
    given = None if initial is None else checked_initial(initial, fleet, X.shape[1], Y.shape[1], settings)
    with pinned(kind):
        training = Training(fleet, X, Y, settings, given, devices or jax.local_devices())
        name = fingerprint(fleet, settings, [X, Y, *jax.tree.leaves(given)])
        if checkpoint is not None:
            training.queue.extend(load_checkpoint(checkpoint, name, training.ledger, training.chunk_of))
        training.plan(chunk_size)
        _run(training, max(1, segment_steps // record_every), name, progress, checkpoint, checkpoint_every)
        return _result(training, training.measured(chunk_size))


def _run(
    training: Training, records: int, name: str, progress: Progress | None, checkpoint: Any, checkpoint_every: float
) -> None:
    """Train to the end; write checkpoints now and then, and whenever training stops, for whatever reason."""
    total, written = len(training.fleet) * training.settings.steps, time.monotonic()

    def write() -> None:
        chunks = [chunk for chunk in [*training.running, *training.queue] if chunk.state is not None]
        unfinished = [chunk for chunk in chunks if chunk.step < training.settings.steps]
        save_checkpoint(checkpoint, name, training.ledger, unfinished)

    def tick() -> None:
        nonlocal written
        if checkpoint is not None and time.monotonic() - written >= checkpoint_every:
            write()
            written = time.monotonic()
        if progress is not None:
            progress(training.done(), total)

    try:
        training.train(records, tick)
    finally:
        if checkpoint is not None:
            write()


def _padded_with_zeros(nets: Net, width: np.ndarray) -> Net:
    """Return the stacked nets with the largest width as the number of columns, zero beyond each net's own."""
    live = np.arange(width.max()) < width[:, None]

    def cut(leaf: np.ndarray) -> np.ndarray:
        return np.where(live if leaf.ndim == 2 else live[:, None], leaf[..., : live.shape[1]], 0)

    return jax.tree.map(cut, nets)


def _result(training: Training, final: Final) -> FleetResult:
    fleet, ledger, settings = training.fleet, training.ledger, training.settings
    nets, history = training.stack(), ledger["history"]
    with np.errstate(over="ignore"):
        history[:, -1] = final.loss
    bad = ~np.isfinite(history)
    finite_weights = np.all(
        [np.isfinite(leaf).reshape(len(fleet), -1).all(1) for leaf in jax.tree.leaves(nets)], axis=0
    )
    return FleetResult(
        fleet=fleet,
        nets=nets,
        initial=_padded_with_zeros(training.start, fleet.width),
        recorded_steps=settings.recorded_steps,
        history=history,
        final_loss=final.loss,
        kkt=np.sum(list(final.kkt.values()), axis=0),
        kkt_by_leaf=final.kkt,
        ratios=final.ratios,
        diverged=bad.any(1) | ~finite_weights,
        diverged_at=np.where(bad.any(1), settings.recorded_steps[bad.argmax(1)], -1),
        settings={
            **vars(settings),
            "matmul_precision": "highest",
            "halved": training.halved,
            "fused": training.choice.fused,
            "warnings": training.choice.warnings,
            "platform": training.devices[0].platform,
            "devices": [device.device_kind for device in training.devices],
            "jax": jax.__version__,
        },
    )
