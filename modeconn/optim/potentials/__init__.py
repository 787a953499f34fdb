"""The potentials K of Lion-K: one registry."""

from modeconn.optim.potentials.mixture import (
    Mixture,
    TreePotential,
    tree_conjugate,
    tree_gradient,
    tree_region,
    tree_value,
)
from modeconn.optim.potentials.potential import NormPotential, Potential
from modeconn.optim.potentials.registry import POTENTIALS, potential_from_name
from modeconn.optim.potentials.separable import Huber, SoftThreshold

__all__ = [
    "POTENTIALS",
    "Huber",
    "Mixture",
    "NormPotential",
    "Potential",
    "SoftThreshold",
    "TreePotential",
    "potential_from_name",
    "tree_conjugate",
    "tree_gradient",
    "tree_region",
    "tree_value",
]
