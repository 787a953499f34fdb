"""Unfinished fleets on disk: one ``.npz``, written atomically."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import jax
import numpy as np
from jaxtyping import PyTree

from modeconn.errors import InputError
from modeconn.io import read_arrays, write_npz
from modeconn.train.chunks import Chunk

__all__ = ["load_checkpoint", "save_checkpoint"]

_FORMAT = 1


def save_checkpoint(
    path: str | os.PathLike[str], fingerprint: str, ledger: dict[str, np.ndarray], running: Iterable[Chunk]
) -> None:
    """Write the arrays of the finished nets (``ledger``) and the states of the chunks that are under way."""
    arrays = {"format": np.array(_FORMAT), "fingerprint": np.array(fingerprint)}
    arrays |= {f"ledger/{name}": array for name, array in ledger.items()}
    for k, chunk in enumerate(running):
        arrays[f"chunk{k}/members"] = chunk.members
        arrays[f"chunk{k}/numbers"] = np.array([chunk.lanes, chunk.step])
        for j, leaf in enumerate(jax.tree.leaves(chunk.state)):
            arrays[f"chunk{k}/leaf{j}"] = np.asarray(leaf)
    write_npz(path, arrays)


def load_checkpoint(
    path: str | os.PathLike[str],
    fingerprint: str,
    ledger: dict[str, np.ndarray],
    chunk_of: Callable[[np.ndarray, int], tuple[Chunk, PyTree]],
) -> list[Chunk]:
    """Fill ``ledger`` in place and return the chunks that were under way; nothing happens without a file.

    Args:
        path: where :func:`save_checkpoint` wrote.
        fingerprint: of this run.
        ledger: arrays of the right shapes.
        chunk_of: (members, lanes) -> a fresh chunk and the shapes of its state.

    Raises:
        InputError: the file cannot be read or belongs to another run.
    """
    if not Path(path).exists():
        return []
    arrays = read_arrays(path)
    if str(arrays.get("fingerprint")) != fingerprint or int(arrays.get("format", -1)) != _FORMAT:
        raise InputError(
            f"{path}: the checkpoint of another run (other fleet, data, settings or version); "
            "remove it, or repeat that run's arguments to resume it"
        )
    try:
        for name, array in ledger.items():
            array[...] = arrays[f"ledger/{name}"]
        chunks = []
        for k in range(sum(key.endswith("/members") for key in arrays)):
            lanes, step = (int(v) for v in arrays[f"chunk{k}/numbers"])
            chunk, shapes = chunk_of(arrays[f"chunk{k}/members"], lanes)
            leaves = [arrays[f"chunk{k}/leaf{j}"] for j in range(len(jax.tree.leaves(shapes)))]
            chunk.state, chunk.step = jax.tree.unflatten(jax.tree.structure(shapes), leaves), step
            chunks.append(chunk)
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"{path}: the checkpoint is damaged ({error}); remove it to start again") from error
    return chunks
