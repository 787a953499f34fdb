"""The exact polar factor."""
from __future__ import annotations
from modeconn.regions.singular import partial_isometry
__all__ = ["polar_factor"]

def polar_factor(G, method="auto"):
    return partial_isometry(G)
