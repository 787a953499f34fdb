"""Exact barriers of many pairs of nets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Array
from numpy.typing import ArrayLike

from modeconn.errors import InputError, unknown_name
from modeconn.losses import loss_from_name
from modeconn.nets import Net
from modeconn.paths.barrier import Barrier, baseline_ends
from modeconn.paths.device import Peaks, batch_ends, batch_peaks
from modeconn.paths.inputs import Reals, Weights, checked_stacks
from modeconn.paths.segment import squared_rounding, terms_size
from modeconn.paths.straight import TOLERANCE, barrier_exact, method_of
from modeconn.precision import float64
from modeconn.sharding import gather_rows, map_batch, own_rows, run_together

__all__ = ["barrier_exact_batch", "barrier_exact_batch_on_processes"]

ENGINES = ("auto", "host", "device")

HOST_ENTRIES = 1 << 13
"""On a CPU, pairs with at least this many pre-activations n m are faster one by one in NumPy (its sort is)."""


def barrier_exact_batch(
    nets0: Net,
    nets1: Net,
    X: ArrayLike,
    Y: ArrayLike,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    tolerance: float = TOLERANCE,
    engine: str = "auto",
    devices: Sequence[jax.Device] | None = None,
) -> Barrier:
    """Return the barriers of the segments between B pairs of nets, each as :func:`barrier_exact`.

    Two engines, which agree to rounding. ``device``: JAX, half squared error only, all pairs in one compiled program,
    chunk by chunk so that working memory does not grow with B; two sorts of the n m sign changes a pair. Pairs that do
    not fit the device are taken in halves, with a warning. ``host``: NumPy, pair by pair. ``auto`` takes the device
    except on a CPU with large pairs, where XLA's sort is the slower choice.

    Computed in float64 whatever the JAX settings of the caller. The result of a pair does not depend on the others.

    Args:
        nets0: nets at t = 0 with a leading axis: W (B, d, m), A (B, c, m) or None, b (B, m) or None.
        nets1: nets at t = 1, with leaves of the same shapes.
        X: data (n, d), shared.
        Y: targets (n, c), or (n,) when c = 1.
        loss: key in :data:`modeconn.losses.LOSSES`.
        baseline: key in :data:`BASELINES`.
        tolerance: as in :func:`barrier_exact`.
        engine: see above.
        devices: of the device engine, each of which takes a part of the pairs; ``None`` for all of this process.

    Returns:
        The record with NumPy arrays (B,) for fields.

    Raises:
        InputError: no leading axis, no pair, a single pair that does not fit the device, or as in
            :func:`barrier_exact`.

    Example:
        >>> import numpy as np
        >>> W = np.array([[[1.0, -1.0]], [[2.0, -2.0]]])
        >>> barrier_exact_batch(Net(W), Net(W[..., ::-1]), np.array([[1.0]]), np.array([1.0])).barrier
        array([0.5, 0. ])

    Reference: theory S1; claim S1.
    """
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    chosen = loss_from_name(loss)
    baseline_ends(baseline, 0.0, 0.0)
    start, end, data, targets = checked_stacks(nets0, nets1, X, Y)
    chosen.check_targets(targets)
    squared = method_of(loss) == "exact"
    if engine == "device" and not squared:
        raise InputError(f"the device engine knows the half squared error only, found {loss!r}; use engine='host'")
    slow_sort = jax.default_backend() == "cpu" and len(data) * start.W.shape[-1] >= HOST_ENTRIES
    if squared and (engine == "device" or (engine == "auto" and not slow_sort)):
        return _on_device(start, end, data, targets, baseline, devices)
    nets = (tuple(Net(*stack.at(i)) for stack in (start, end)) for i in range(len(start.W)))  # type: ignore[arg-type]
    records = [barrier_exact(net0, net1, data, targets, loss, baseline, tolerance) for net0, net1 in nets]
    numbers = {
        name: np.array([getattr(record, name) for record in records])
        for name in Barrier._fields
        if name not in ("baseline", "method")
    }
    return Barrier(**numbers, baseline=baseline, method=method_of(loss))


def barrier_exact_batch_on_processes(nets0: Net, nets1: Net, X: ArrayLike, Y: ArrayLike, **options: Any) -> Barrier:
    """Return what :func:`barrier_exact_batch` returns, the pairs spread over all processes; every one must call it.

    Call ``jax.distributed.initialize`` first; with one process this is ``barrier_exact_batch``.

    Args:
        nets0: at least as many nets as there are processes, the same on each of them.
        nets1: as many.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        options: of :func:`barrier_exact_batch`.

    Raises:
        InputError: fewer pairs than processes, other input on other processes, an error on another process, or as in
            :func:`barrier_exact_batch`.
    """
    stacks = jax.tree.leaves((nets0, nets1))
    count = min((len(leaf) for leaf in stacks if np.ndim(leaf)), default=0)
    if count < jax.process_count():
        raise InputError(
            f"barrier_exact_batch_on_processes: expected a pair for each of {jax.process_count()} processes, "
            f"found {count}; use fewer processes"
        )

    def work() -> Barrier:
        checked_stacks(nets0, nets1, X, Y)
        own0, own1 = (jax.tree.map(lambda leaf: np.asarray(leaf)[own_rows(count)], nets) for nets in (nets0, nets1))
        return barrier_exact_batch(own0, own1, X, Y, **options)

    own = run_together(work, *stacks, X, Y)
    numbers = {name: value for name, value in own._asdict().items() if isinstance(value, np.ndarray)}
    return own._replace(**gather_rows(numbers, count))


def _ends(pairs: tuple[Weights, Weights], X: Array, Y: Array) -> tuple[Array, Array]:
    return batch_ends(*pairs, X, Y)


def _peaks(pairs: tuple[Weights, Weights, tuple[Array, Array], tuple[Array, Array]], X: Array, Y: Array) -> Peaks:
    nets0, nets1, ends, tilts = pairs
    return batch_peaks(nets0, nets1, X, Y, ends, tilts)


def _on_device(
    start: Weights, end: Weights, data: Reals, targets: Reals, baseline: str, devices: Sequence[jax.Device] | None
) -> Barrier:
    """Return the barriers from the JAX engine, the pairs cut over the devices."""
    try:
        with float64():
            loss_start, loss_end = map_batch(_ends, (start, end), data, targets, devices=devices)
        heights = [baseline_ends(baseline, float(a), float(b)) for a, b in zip(loss_start, loss_end, strict=True)]
        tilts = tuple(np.array(heights).T)
        with float64():
            pairs = (start, end, (loss_start, loss_end), tilts)
            value, t, upper, max_loss = map_batch(_peaks, pairs, data, targets, devices=devices)
    except MemoryError as error:
        raise InputError(
            f"barrier_exact_batch: one pair of nets of width {start.W.shape[-1]} on {len(data)} points does not fit "
            "the device's memory; use engine='host', or fewer points"
        ) from error
    if not np.isfinite(upper).all():
        raise InputError("the squared error overflows float64: expected moderate numbers; rescale weights or data")
    spread, depth = terms_size(data, start, end)
    slack = squared_rounding(max_loss, spread, depth, targets.size)
    return Barrier(
        barrier=value,
        max_loss=max_loss,
        argmax_t=t,
        baseline=baseline,
        loss_start=loss_start,
        loss_end=loss_end,
        lower=np.maximum(value - 2.0 * slack, 0.0),
        upper=upper + 4.0 * slack,
        method="exact",
    )
