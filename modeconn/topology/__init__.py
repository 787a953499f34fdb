"""Exact topology of level sets of narrow two-layer ReLU nets with one output."""

from modeconn.topology.barrier import BarrierMatrix, PairBarrier, barrier_between, communication_barrier
from modeconn.topology.certificates import certify_barrier, certify_components, certify_joined, certify_separated
from modeconn.topology.complex import MAX_CELLS, CellComplex, predict_cells
from modeconn.topology.enclosed import EnclosedLevelSet, enclosed_level_set, least_objective
from modeconn.topology.enclosed_barrier import EnclosedBarriers, enclosed_barrier_between, enclosed_barriers
from modeconn.topology.enclosure import Enclosure, Enclosures
from modeconn.topology.flood import Merge
from modeconn.topology.landscape import Landscape
from modeconn.topology.level_set import Component, LevelSet, level_set_topology
from modeconn.topology.path import connecting_points, lift_path
from modeconn.topology.points import (
    Neuron,
    Point,
    is_same_cell,
    lift,
    point_from_json,
    point_loss,
    point_of_net,
    point_to_json,
)
from modeconn.topology.problem import Ball, Problem, ProductRegion, problem_from_json, problem_to_json, read_problem
from modeconn.topology.region import (
    OrbitInRegion,
    RegionComponents,
    components_in_region,
    orbits_in_region,
)
from modeconn.topology.region_certificates import certify_region_avoids
from modeconn.topology.region_exact import Avoidance, is_in_region
from modeconn.topology.staircase import MergeTree, Stair, merge_tree, staircase

__all__ = [
    "MAX_CELLS",
    "Avoidance",
    "Ball",
    "BarrierMatrix",
    "CellComplex",
    "Component",
    "EnclosedBarriers",
    "EnclosedLevelSet",
    "Enclosure",
    "Enclosures",
    "Landscape",
    "LevelSet",
    "Merge",
    "MergeTree",
    "Neuron",
    "OrbitInRegion",
    "PairBarrier",
    "Point",
    "Problem",
    "ProductRegion",
    "RegionComponents",
    "Stair",
    "barrier_between",
    "certify_barrier",
    "certify_components",
    "certify_joined",
    "certify_region_avoids",
    "certify_separated",
    "communication_barrier",
    "components_in_region",
    "connecting_points",
    "enclosed_barrier_between",
    "enclosed_barriers",
    "enclosed_level_set",
    "is_in_region",
    "is_same_cell",
    "least_objective",
    "level_set_topology",
    "lift",
    "lift_path",
    "merge_tree",
    "orbits_in_region",
    "point_from_json",
    "point_loss",
    "point_of_net",
    "point_to_json",
    "predict_cells",
    "problem_from_json",
    "problem_to_json",
    "read_problem",
    "staircase",
]
