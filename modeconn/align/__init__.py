"""Alignment: the permutation of one net's neurons that brings it nearest to another's."""

from modeconn.align.initial_gap import initial_net, interpolation_gap, match_initial
from modeconn.align.minima_matching import MinimaMatching, match_minima, mixing_cost
from modeconn.align.weight_matching import weight_matching

__all__ = [
    "MinimaMatching",
    "initial_net",
    "interpolation_gap",
    "match_initial",
    "match_minima",
    "mixing_cost",
    "weight_matching",
]
