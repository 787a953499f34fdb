"""The registry of reproductions: one table, imported figure by figure."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from modeconn.reproductions.frame import Reproduction

__all__ = ["MODULES", "REPRODUCTIONS"]

MODULES: dict[str, str] = {
    "staircase": "staircase",
    "geodesic-ratio": "geodesic_ratio",
    "star-probability": "star_probability",
    "linear-star": "linear_star",
    "star-centre": "star_centre",
    "no-permutation": "no_permutation",
    "affine-pieces": "affine_pieces",
    "dropout-path": "dropout_path",
    "spurious-minima": "spurious_minima",
    "permuted-barrier": "permuted_barrier",
    "init-rate": "init_rate",
    "same-optimizer": "same_optimizer",
    "width": "width",
    "spectrum": "spectrum",
    "phase-diagram": "phase_diagram",
}
"""Name of the figure -> module of :mod:`modeconn.reproductions` that exports it as ``REPRODUCTION``."""


class _Registry(Mapping[str, Reproduction]):
    """The reproductions by name; a module is imported when it is first asked for, so that names are free."""

    def __getitem__(self, name: str) -> Reproduction:
        found: Reproduction = importlib.import_module(f"modeconn.reproductions.{MODULES[name]}").REPRODUCTION
        return found

    def __contains__(self, name: object) -> bool:
        return name in MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


REPRODUCTIONS: Mapping[str, Reproduction] = _Registry()
