"""The registry of reproductions: one table, imported figure by figure."""

from __future__ import annotations

from collections.abc import Mapping

from modeconn.lazy_registry import LazyRegistry
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
    "sharpness": "sharpness",
    "phase-diagram": "phase_diagram",
    "known-answers": "known_answers",
}
"""Name of the figure -> module of :mod:`modeconn.reproductions` that exports it as ``REPRODUCTION``."""


REPRODUCTIONS: Mapping[str, Reproduction] = LazyRegistry("modeconn.reproductions", MODULES, "REPRODUCTION")
