"""Exact barriers of many pairs of nets."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from modeconn.errors import InputError, unknown_name
from modeconn.nets import Net
from modeconn.paths.barrier import Barrier, baseline_ends
from modeconn.paths.device import batch_ends, batch_peaks
from modeconn.paths.segment import as_real, as_targets, check_ends, squared_rounding, terms_size
from modeconn.paths.straight import TOLERANCE, barrier_exact
from modeconn.precision import float64

__all__ = ["barrier_exact_batch"]

Engine = Literal["auto", "host", "device"]

HOST_ENTRIES = 1 << 13
"""On a CPU, pairs with at least this many pre-activations n m are faster one by one in NumPy (its sort is)."""


def barrier_exact_batch(
    nets0: Net,
    nets1: Net,
    X: object,
    Y: object,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    tolerance: float = TOLERANCE,
    engine: Engine = "auto",
) -> Barrier:
    """Return the barriers of the segments between B pairs of nets, each as :func:`barrier_exact`.

    Two engines, which agree to rounding. ``device``: JAX, half squared error only, all pairs in one compiled program,
    chunk by chunk so that memory does not grow with B; two sorts of the n m sign changes a pair. ``host``: NumPy, pair
    by pair. ``auto`` takes the device except on a CPU with large pairs, where XLA's sort is the slower choice.

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

    Returns:
        The record with NumPy arrays (B,) for fields.

    Raises:
        InputError: no leading axis, no pair, or as in :func:`barrier_exact`.

    Example:
        >>> import numpy as np
        >>> W = np.array([[[1.0, -1.0]], [[2.0, -2.0]]])
        >>> barrier_exact_batch(Net(W), Net(W[..., ::-1]), np.array([[1.0]]), np.array([1.0])).barrier
        array([0.5, 0.5])

    Reference: theory S1; claim S1.
    """
    if engine not in ("auto", "host", "device"):
        raise unknown_name("engine", engine, ("auto", "host", "device"))
    baseline_ends(baseline, 0.0, 0.0)
    start, end, pairs = _stacks(nets0, nets1)
    squared = loss == "half_squared_error"
    if engine == "device" and not squared:
        raise InputError(f"the device engine knows the half squared error only, found {loss!r}; use engine='host'")
    entries = np.shape(X)[0] * start.W.shape[-1] if np.ndim(X) == 2 else 0
    slow_sort = jax.default_backend() == "cpu" and entries >= HOST_ENTRIES
    if squared and (engine == "device" or (engine == "auto" and not slow_sort)):
        return _on_device(start, end, X, Y, baseline)
    records = [
        barrier_exact(_pair(start, i), _pair(end, i), X, Y, loss, baseline, tolerance) for i in range(pairs)
    ]
    return Barrier(*(column[0] if isinstance(column[0], str) else np.array(column) for column in zip(*records, strict=True)))


def _pair(nets: Net, index: int) -> Net:
    return Net(*(None if leaf is None else leaf[index] for leaf in nets))


def _stacks(nets0: Net, nets1: Net) -> tuple[Net, Net, int]:
    """Return both stacks in float64 and the number of pairs; raise :class:`InputError` unless they fit."""
    stacks = []
    for nets, name in ((nets0, "first nets"), (nets1, "second nets")):
        leaves = [None if leaf is None else as_real(leaf, f"{name}: {key}") for key, leaf in nets._asdict().items()]
        shapes = [np.shape(leaf) for leaf in leaves if leaf is not None]
        if any(len(shape) < 2 or shape[0] != shapes[0][0] for shape in shapes) or 0 in shapes[0]:
            raise InputError(f"{name}: expected leaves with one leading axis (B, ...), B >= 1, found shapes {shapes}")
        stacks.append(Net(*leaves))  # type: ignore[arg-type]
    start, end = stacks
    if len(start.W) != len(end.W):
        raise InputError(f"found {len(start.W)} first and {len(end.W)} second nets: expected pairs, one of each")
    return start, end, len(start.W)


def _on_device(start: Net, end: Net, X: object, Y: object, baseline: str) -> Barrier:
    """Return the barriers from the JAX engine."""
    data, _, _ = check_ends(_pair(start, 0), _pair(end, 0), X)
    targets = as_targets(Y, len(data), 1 if start.A is None else start.A.shape[1])
    spread, depth = terms_size(data, start, end)
    with float64():
        nets = (jax.tree.map(jnp.asarray, start), jax.tree.map(jnp.asarray, end))
        loss_start, loss_end = (np.asarray(e) for e in batch_ends(*nets, data, targets))
    first, last = (
        np.array(ends)
        for ends in zip(*(baseline_ends(baseline, a, b) for a, b in zip(loss_start, loss_end, strict=True)), strict=True)
    )
    with float64():
        peaks = batch_peaks(*nets, data, targets, (loss_start, loss_end), (first, last))
    value, t, upper, max_loss = (np.asarray(column) for column in peaks)
    if not np.isfinite(upper).all():
        raise InputError("the squared error overflows float64: expected moderate numbers; rescale weights or data")
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
