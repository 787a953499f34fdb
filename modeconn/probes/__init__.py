"""Probes of trained nets: spectra, KKT scores, position in the optimizer's region."""

from modeconn.probes.kkt import in_region, kkt_score, kkt_score_by_leaf, region_ratios
from modeconn.probes.spectrum import Spectrum, effective_rank, singular_values, spectrum, stable_rank

__all__ = [
    "Spectrum",
    "effective_rank",
    "in_region",
    "kkt_score",
    "kkt_score_by_leaf",
    "region_ratios",
    "singular_values",
    "spectrum",
    "stable_rank",
]
