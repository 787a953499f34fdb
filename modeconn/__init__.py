"""modeconn: verify theory about mode connectivity with exact numbers and checked certificates.

The names below are imported from their packages when they are first used, so that ``import modeconn`` is free.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "modeconn.align": ("weight_matching",),
    "modeconn.capacity": ("least_radius", "phase_diagram", "type_system"),
    "modeconn.constructions": ("connect", "connect_batch"),
    "modeconn.data": ("Dataset", "load_dataset"),
    "modeconn.errors": ("ExitCode", "InputError"),
    "modeconn.io": ("read_net", "write_net"),
    "modeconn.losses": ("LOSSES",),
    "modeconn.nets": ("Net", "predict"),
    "modeconn.optim": ("OPTIMIZERS", "POTENTIALS", "lion_k", "polar_factor", "scale_by_lion_k"),
    "modeconn.paths": (
        "Barrier",
        "barrier_certified",
        "barrier_exact",
        "barrier_exact_batch",
        "barrier_on_grid",
        "polyline_barrier",
    ),
    "modeconn.precision": ("float64",),
    "modeconn.probes": ("kkt_score", "stable_rank"),
    "modeconn.regions": ("NORMS", "Region"),
    "modeconn.train": ("Fleet", "FleetResult", "train_fleet", "unstack"),
}

__all__ = ["__version__", *sorted(name for names in _HOMES.values() for name in names)]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'modeconn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
