"""Checks of what the user hands to a fleet: data, options, initial nets."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from modeconn.errors import InputError
from modeconn.losses import loss_from_name
from modeconn.nets import Net
from modeconn.nets.init import initialisation_from_name
from modeconn.train.fleet import Fleet
from modeconn.train.schedule import schedule_from_name

__all__ = ["Settings", "checked_data", "checked_initial", "fingerprint", "float_dtype"]


@dataclass(frozen=True)
class Settings:
    """What a fleet has in common: everything but the data and the per-instance columns.

    Attributes: see :func:`modeconn.train.train_fleet`.
    """

    loss: str
    steps: int
    record_every: int
    schedule: str
    batch_size: int | None
    init: str
    bias: bool
    fixed_output: bool
    dtype: str
    base_seed: int
    padding: str

    def __post_init__(self) -> None:
        for name in ("steps", "record_every"):
            if getattr(self, name) < 1:
                raise InputError(f"train_fleet: expected {name} >= 1, found {getattr(self, name)}")
        if self.steps > np.iinfo(np.int32).max:
            raise InputError(f"train_fleet: expected fewer than 2^31 steps, found {self.steps}")
        loss_from_name(self.loss)
        schedule_from_name(self.schedule)
        initialisation_from_name(self.init)

    @property
    def recorded_steps(self) -> np.ndarray:
        """Steps at which the loss is recorded: 0, record_every, 2 record_every, ..., and the last."""
        return np.append(np.arange(0, self.steps, self.record_every), self.steps)


def float_dtype(dtype: DTypeLike) -> np.dtype:
    """Return float32 or float64; refuse anything else."""
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise InputError(f"train_fleet: expected dtype float32 or float64, found {dtype!r}") from error
    if found not in (np.float32, np.float64):
        raise InputError(f"train_fleet: expected dtype float32 (search) or float64 (verdicts), found {found}")
    return found


def _finite(name: str, value: ArrayLike, dtype: np.dtype) -> np.ndarray:
    try:
        raw = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"train_fleet: {name} is not an array of real numbers; convert it first") from error
    with np.errstate(over="ignore"):
        typed = raw.astype(dtype)
    if not np.isfinite(typed).all():
        bad = int((~np.isfinite(typed)).sum())
        raise InputError(f"train_fleet: {name} holds {bad} NaN or infinite entries (in {dtype}); clean the data first")
    return typed


def checked_data(
    X: ArrayLike, Y: ArrayLike, loss: str, batch_size: int | None, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Return X (n, d) and Y (n, c) in ``dtype``; raise :class:`InputError` for data that cannot be trained on."""
    X, Y = _finite("X", X, dtype), _finite("Y", Y, dtype)
    if Y.ndim == 1:
        Y = Y[:, None]
    if X.ndim != 2 or Y.ndim != 2 or 0 in X.shape or len(X) != len(Y) or Y.shape[1] == 0:
        raise InputError(
            f"train_fleet: expected X (n, d) and Y (n,) or (n, c) with n, d, c >= 1, found {X.shape} and {Y.shape}; "
            "one row a data point"
        )
    if batch_size is not None and not 1 <= batch_size <= len(X):
        raise InputError(f"train_fleet: expected 1 <= batch_size <= n = {len(X)}, found {batch_size}")
    loss_from_name(loss).check_targets(Y.astype(np.float64))
    return X, Y


def checked_initial(initial: Net, fleet: Fleet, d: int, c: int, settings: Settings) -> Net:
    """Return user-given stacked initial nets in the dtype of training; leaf shapes (F, d, M), (F, c, M), (F, M)."""
    size, M = len(fleet), np.shape(initial.W)[-1] if np.ndim(initial.W) == 3 else 0
    expected = {
        "W": (size, d, M),
        "A": None if settings.fixed_output else (size, c, M),
        "b": (size, M) if settings.bias else None,
    }
    for name, shape in expected.items():
        leaf = getattr(initial, name)
        if (leaf is None) != (shape is None) or (leaf is not None and np.shape(leaf) != shape):
            found = "no such leaf" if leaf is None else f"shape {np.shape(leaf)}"
            raise InputError(
                f"train_fleet: initial {name}: expected {shape or 'no such leaf'}, found {found}; stack the nets"
            )
    if fleet.width.max() > M:
        raise InputError(
            f"train_fleet: initial nets have {M} columns for a width of {fleet.width.max()}; pad them to it"
        )
    dtype = float_dtype(settings.dtype)
    return jax.tree.map(lambda leaf: _finite("an initial weight", leaf, dtype), initial)


def fingerprint(fleet: Fleet, settings: Settings, arrays: list[np.ndarray]) -> str:
    """Return the SHA-256 that names a run: its specification, its settings, its data and initial nets."""
    digest = hashlib.sha256(json.dumps([asdict(settings), fleet.optimizer], sort_keys=True).encode())
    columns: list[Any] = [getattr(fleet, field.name) for field in fields(fleet) if field.name != "optimizer"]
    for array in [*columns, *arrays]:
        digest.update(str((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
