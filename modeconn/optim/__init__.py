"""Optimizers: the Lion-K family with exact potentials, AdamW, and practical Muon under its own names."""

from modeconn.optim.lion_k import lion_k, nesterov_betas, polyak_betas, scale_by_direction, scale_by_lion_k
from modeconn.optim.polar import polar_factor
from modeconn.optim.potentials import (
    POTENTIALS,
    Huber,
    Mixture,
    NormPotential,
    Potential,
    SoftThreshold,
    potential_from_name,
    tree_conjugate,
    tree_gradient,
    tree_region,
    tree_value,
)
from modeconn.optim.presets import (
    OPTIMIZERS,
    Optimizer,
    adamw,
    lion,
    muon,
    muon_mixed,
    normalized_sgd,
    optimizer_from_name,
    signum,
)

__all__ = [
    "OPTIMIZERS",
    "POTENTIALS",
    "Huber",
    "Mixture",
    "NormPotential",
    "Optimizer",
    "Potential",
    "SoftThreshold",
    "adamw",
    "lion",
    "lion_k",
    "muon",
    "muon_mixed",
    "nesterov_betas",
    "normalized_sgd",
    "optimizer_from_name",
    "polar_factor",
    "polyak_betas",
    "potential_from_name",
    "scale_by_direction",
    "scale_by_lion_k",
    "signum",
    "tree_conjugate",
    "tree_gradient",
    "tree_region",
    "tree_value",
]
