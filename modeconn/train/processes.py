"""A fleet over the processes of a cluster: each trains its rows on its own devices, all receive the whole result."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.sharding import gather_rows, own_rows, run_together
from modeconn.train.fleet import Fleet
from modeconn.train.result import FleetResult
from modeconn.train.run import train_fleet

__all__ = ["train_fleet_on_processes"]


def train_fleet_on_processes(fleet: Fleet, X: ArrayLike, Y: ArrayLike, **options: Any) -> FleetResult:
    """Return what :func:`train_fleet` returns, the instances spread over all processes; every process must call it.

    Call ``jax.distributed.initialize`` first; with one process this is ``train_fleet``. The processes meet before they
    train, exchange nothing while they do, and the finished nets once at the end, so a run does not depend on how many
    there are: on CPUs bit for bit. An error on one of them is an error on all. Those that wait for one that was killed,
    or on CPUs for more than half an hour, end with an error of JAX; a ``checkpoint`` keeps what each has trained.

    Args:
        fleet: the instances, the same on every process, at least one for each.
        X: data (n, d).
        Y: targets (n,) or (n, c).
        options: of :func:`train_fleet`; a ``checkpoint`` needs a name of its own on each process.

    Raises:
        InputError: fewer instances than processes, other fleets or data on other processes, an error on another
            process, or as in :func:`train_fleet`.

    Example:
        >>> import numpy as np
        >>> fleet = Fleet.of(optimizer="lion", learning_rate=[0.1, 0.01], width=2)
        >>> train_fleet_on_processes(fleet, np.array([[1.0]]), np.array([1.0]), steps=10).nets.W.shape
        (2, 1, 2)
    """
    if len(fleet) < jax.process_count():
        raise InputError(
            f"train_fleet_on_processes: expected at least one instance for each of {jax.process_count()} processes, "
            f"found {len(fleet)}; use fewer processes"
        )
    columns = [getattr(fleet, field.name) for field in fields(fleet)]
    own = run_together(lambda: train_fleet(**_own_part(fleet, options), X=X, Y=Y), *columns, X, Y)
    widest = int(fleet.width.max())

    def widened(leaf: np.ndarray) -> np.ndarray:
        return np.pad(leaf, [(0, 0)] * (leaf.ndim - 1) + [(0, widest - leaf.shape[-1])])

    nets, initial = (jax.tree.map(widened, nets) for nets in (own.nets, own.initial))
    names = ("history", "final_loss", "kkt", "kkt_by_leaf", "ratios", "diverged", "diverged_at")
    rows = {"nets": nets, "initial": initial, **{name: getattr(own, name) for name in names}}
    return replace(own, fleet=fleet, **gather_rows(rows, len(fleet)))


def _own_part(fleet: Fleet, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options for the rows that this process trains, with their initial nets."""
    rows, initial = own_rows(len(fleet)), options.get("initial")
    if initial is None:
        return {**options, "fleet": fleet.take(rows)}
    sizes = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(initial)}
    if sizes != {(len(fleet),)}:
        raise InputError(f"train_fleet_on_processes: expected {len(fleet)} initial nets, found {sizes}")
    part = jax.tree.map(lambda leaf: np.asarray(leaf)[rows], initial)
    return {**options, "fleet": fleet.take(rows), "initial": part}
