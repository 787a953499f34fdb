"""The specification of a fleet: which nets are trained, how, from which seed."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.optim import optimizer_from_name

__all__ = ["Fleet"]

_LARGEST_ID = 2**32 - 1


def _column(name: str, value: ArrayLike, size: int, dtype: Any) -> np.ndarray:
    """Return ``value`` broadcast to (size,) in ``dtype``; integers must be whole."""
    try:
        column = np.broadcast_to(np.asarray(value), (size,))
        typed = column.astype(dtype)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"fleet: {name} has shape {np.shape(value)}; expected numbers, one or {size} of them"
        ) from error
    if np.issubdtype(dtype, np.integer) and not np.array_equal(typed, column):
        raise InputError(f"fleet: expected whole numbers for {name}, found {column[typed != column][:3]}")
    return typed


def _require(good: np.ndarray, name: str, expected: str, column: np.ndarray) -> None:
    if not good.all():
        i = int(np.flatnonzero(~good)[0])
        raise InputError(f"fleet: expected {name} {expected}, found {column[i]} at instance {i}")


@dataclass(frozen=True, eq=False)
class Fleet:
    """One training run for each instance; build it with :meth:`of`, :meth:`grid` or :meth:`concat`.

    Attributes:
        instance_id: (F,) distinct names in [0, 2^32); the key of an instance's minibatches is folded from its id, so
            a run does not depend on which other instances are in the fleet.
        seed: (F,) in [0, 2^32); instances of one seed and one width start from the same weights (paired comparisons of
            optimizers, rates and decays), and of different widths from nested ones.
        optimizer: F keys of :data:`modeconn.optim.OPTIMIZERS`.
        width: (F,) hidden neurons, >= 1.
        learning_rate: (F,) >= 0.
        weight_decay: (F,) >= 0, decoupled.
        b1: (F,) in [0, 1), or NaN for the optimizer's own default.
        b2: likewise.
    """

    instance_id: np.ndarray
    seed: np.ndarray
    optimizer: tuple[str, ...]
    width: np.ndarray
    learning_rate: np.ndarray
    weight_decay: np.ndarray
    b1: np.ndarray
    b2: np.ndarray

    def __len__(self) -> int:
        return len(self.optimizer)

    def __post_init__(self) -> None:
        size = len(self.optimizer)
        if size == 0:
            raise InputError("fleet: expected at least one instance, found none")
        for name in sorted(set(self.optimizer)):
            optimizer_from_name(name)
        kinds = {"instance_id": np.int64, "seed": np.int64, "width": np.int64}
        for field in fields(self):
            if field.name != "optimizer":
                column = _column(field.name, getattr(self, field.name), size, kinds.get(field.name, np.float64))
                object.__setattr__(self, field.name, column)
        for name in ("instance_id", "seed"):
            column = getattr(self, name)
            _require((column >= 0) & (column <= _LARGEST_ID), name, "in [0, 2^32)", column)
        if len(np.unique(self.instance_id)) != size:
            ids, counts = np.unique(self.instance_id, return_counts=True)
            raise InputError(
                f"fleet: instance id {ids[counts > 1][0]} occurs twice; ids name the instances, make them distinct"
            )
        _require(self.width >= 1, "width", ">= 1", self.width)
        for name in ("learning_rate", "weight_decay"):
            column = getattr(self, name)
            _require(np.isfinite(column) & (column >= 0), name.replace("_", " "), "finite and >= 0", column)
        for name in ("b1", "b2"):
            column = getattr(self, name)
            for optimizer in sorted({self.optimizer[i] for i in np.flatnonzero(~np.isnan(column))}):
                if name not in inspect.signature(optimizer_from_name(optimizer).build).parameters:
                    raise InputError(f"fleet: optimizer {optimizer} has no {name}; leave it NaN there")
            _require(np.isnan(column) | ((column >= 0) & (column < 1)), name, "in [0, 1)", column)

    @classmethod
    def of(
        cls,
        *,
        optimizer: str | Sequence[str],
        learning_rate: ArrayLike,
        width: ArrayLike,
        weight_decay: ArrayLike = 0.0,
        seed: ArrayLike = 0,
        b1: ArrayLike = np.nan,
        b2: ArrayLike = np.nan,
        instance_id: ArrayLike | None = None,
    ) -> Fleet:
        """Return the fleet of these columns; single values are repeated, ids default to 0, 1, 2, ...

        Raises:
            InputError: lengths that do not agree, an unknown optimizer, width < 1, a negative or infinite rate or
                decay, a repeated id.

        Example:
            >>> fleet = Fleet.of(optimizer="lion", learning_rate=[1e-3, 1e-2], width=8, seed=[0, 1])
            >>> len(fleet), fleet.width.tolist()
            (2, [8, 8])
        """
        names = [optimizer] if isinstance(optimizer, str) else list(optimizer)
        columns: tuple[ArrayLike, ...] = (
            learning_rate,
            width,
            weight_decay,
            seed,
            b1,
            b2,
            [] if instance_id is None else instance_id,
        )
        size = max([len(names), *(np.size(column) for column in columns)])
        if len(names) not in (1, size):
            raise InputError(f"fleet: found {len(names)} optimizers for {size} instances; give one name or {size}")
        return cls(
            instance_id=np.arange(size) if instance_id is None else instance_id,  # type: ignore[arg-type]
            seed=seed,  # type: ignore[arg-type]
            optimizer=tuple(names) * (size if len(names) == 1 else 1),
            width=width,  # type: ignore[arg-type]
            learning_rate=learning_rate,  # type: ignore[arg-type]
            weight_decay=weight_decay,  # type: ignore[arg-type]
            b1=b1,  # type: ignore[arg-type]
            b2=b2,  # type: ignore[arg-type]
        )

    @classmethod
    def grid(
        cls,
        *,
        optimizers: Iterable[str],
        learning_rates: Iterable[float],
        widths: Iterable[int],
        weight_decays: Iterable[float] = (0.0,),
        seeds: Iterable[int] = (0,),
        b1: float = np.nan,
        b2: float = np.nan,
    ) -> Fleet:
        """Return the product of the lists, seeds running fastest, ids 0, 1, 2, ...

        Example:
            >>> fleet = Fleet.grid(optimizers=["adamw", "lion"], learning_rates=[1e-2], widths=[4, 8], seeds=range(3))
            >>> len(fleet), fleet.seed.tolist()[:4], fleet.optimizer[6]
            (12, [0, 1, 2, 0], 'lion')
        """
        rows = list(itertools.product(optimizers, widths, learning_rates, weight_decays, seeds))
        if not rows:
            raise InputError("fleet: the grid is empty; give at least one value on every axis")
        names, widths_, rates, decays, seeds_ = zip(*rows, strict=True)
        return cls.of(
            optimizer=names, width=widths_, learning_rate=rates, weight_decay=decays, seed=seeds_, b1=b1, b2=b2
        )

    @classmethod
    def concat(cls, *fleets: Fleet) -> Fleet:
        """Return the fleets one after the other as one fleet, with new ids 0, 1, 2, ..."""
        if not fleets:
            raise InputError("fleet: nothing to join; give at least one fleet")
        joined: dict[str, Any] = {
            field.name: np.concatenate([getattr(fleet, field.name) for fleet in fleets])
            for field in fields(cls)
            if field.name != "optimizer"
        }
        joined["instance_id"] = np.arange(len(joined["seed"]))
        return cls(optimizer=tuple(itertools.chain.from_iterable(fleet.optimizer for fleet in fleets)), **joined)

    def take(self, indices: ArrayLike) -> Fleet:
        """Return the sub-fleet at these positions, in this order; ids, and so the runs themselves, stay as they are."""
        rows = np.atleast_1d(np.arange(len(self))[np.asarray(indices)])
        columns: dict[str, Any] = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "optimizer"}
        return replace(self, optimizer=tuple(self.optimizer[i] for i in rows), **columns)
