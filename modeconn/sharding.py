"""One batch over all devices of this process, rows over all processes; the batch axis is the only one cut."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.memory import in_halves, say_halved

__all__ = ["batch_mesh", "gather_rows", "map_batch", "own_rows", "run_together"]

R = TypeVar("R")

AXIS = "batch"


def batch_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """Return the one-dimensional mesh of the devices; ``None``: all devices of this process."""
    chosen = list(jax.local_devices() if devices is None else devices)
    return Mesh(np.array(chosen), (AXIS,), axis_types=(AxisType.Auto,))


@lru_cache(maxsize=64)
def _sharded(function: Callable[..., Any], mesh: Mesh, shared: int) -> Callable[..., Any]:
    """Return ``function`` compiled for the mesh: the first argument is cut along its leading axis."""
    cut, whole = PartitionSpec(AXIS), PartitionSpec()
    specs = (cut, *[whole] * shared)
    return jax.jit(jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=cut, check_vma=False))


def map_batch(
    function: Callable[..., Any], batch: PyTree, *shared: PyTree, devices: Sequence[jax.Device] | None = None
) -> Any:
    """Return ``function(batch, *shared)``, every device working on its part of the batch.

    There is no communication between the devices. The last rows are repeated to fill the last device. A batch that does
    not fit the devices' memory is cut in two, with a warning, and so are its halves.

    Args:
        function: of a tree with leading axes and of the shared arguments; row k of what it returns depends on row k of
            the batch alone. Module level or cached: it is compiled once for each mesh.
        batch: tree of arrays (B, ...).
        shared: trees that every device holds whole.
        devices: see :func:`batch_mesh`.

    Returns:
        The tree of NumPy arrays (B, ...).

    Raises:
        MemoryError: a single row does not fit.

    Example:
        >>> import jax.numpy as jnp
        >>> map_batch(jnp.square, np.arange(5.0)).tolist()
        [0.0, 1.0, 4.0, 9.0, 16.0]
    """
    mesh = batch_mesh(devices)
    cut = NamedSharding(mesh, PartitionSpec(AXIS))
    whole = jax.tree.map(np.asarray, batch)

    def part(start: int, stop: int) -> Any:
        size = stop - start
        rows = start + np.minimum(np.arange(-(-size // mesh.size) * mesh.size), size - 1)
        placed = jax.tree.map(lambda leaf: jax.device_put(leaf[rows], cut), whole)
        found = _sharded(function, mesh, len(shared))(placed, *shared)
        return jax.tree.map(lambda leaf: np.asarray(leaf)[:size], found)

    parts, halved = in_halves(part, 0, len(jax.tree.leaves(whole)[0]))
    say_halved("map_batch", halved)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts) if halved else parts[0]


def own_rows(count: int) -> np.ndarray:
    """Return which of ``count`` rows this process works on: a contiguous part, sizes differing by at most one."""
    ends = np.linspace(0, count, jax.process_count() + 1).astype(int)
    return np.arange(ends[jax.process_index()], ends[jax.process_index() + 1])


def run_together(work: Callable[[], R], *given: ArrayLike) -> R:
    """Return ``work()``, this process's own; all processes must call it, and an error on one is an error on all.

    They meet before the work, since the first meeting has a deadline of seconds, and after it.

    Args:
        work: called once.
        given: arrays that must be the same on every process.

    Raises:
        InputError: other arrays on other processes, or this process has no error and another one has.
    """
    digest = hashlib.sha256()
    for array in map(np.asarray, given):
        digest.update(str((array.shape, array.dtype)).encode() + np.ascontiguousarray(array).tobytes())
    count = jax.process_count()
    if len(np.unique(gather_rows(np.frombuffer(digest.digest(), np.uint8)[None], count), axis=0)) > 1:
        raise InputError("expected the same input on every process, found others; build it from one seed or file")
    found, error = None, None
    try:
        found = work()
    except Exception as raised:
        error = raised
    failed = gather_rows(np.array([error is not None]), count)
    if error is not None:
        raise error
    if failed.any():
        raise InputError(f"process {int(failed.argmax())} of {count} has failed; its own message says why")
    return found  # type: ignore[return-value]


def gather_rows(rows: PyTree, count: int) -> Any:
    """Return the rows of all processes in order, on every process; all processes must call it.

    Args:
        rows: tree of NumPy arrays, those of :func:`own_rows`.
        count: rows of all processes together.
    """
    if jax.process_count() == 1:
        return rows
    from jax.experimental import multihost_utils

    ends = np.linspace(0, count, jax.process_count() + 1).astype(int)
    sizes = np.diff(ends)
    longest = int(sizes.max())

    def gathered(leaf: np.ndarray) -> np.ndarray:
        padded = np.zeros((longest, *leaf.shape[1:]), leaf.dtype)
        padded[: len(leaf)] = leaf
        bytes_ = padded.view(np.uint8) if padded.dtype.itemsize > 1 else padded.astype(np.uint8)
        parts = np.asarray(multihost_utils.process_allgather(bytes_))
        whole = parts.view(leaf.dtype) if leaf.dtype.itemsize > 1 else parts.astype(leaf.dtype)
        return np.concatenate([part[:size] for part, size in zip(whole, sizes, strict=True)])

    return jax.tree.map(gathered, rows)
