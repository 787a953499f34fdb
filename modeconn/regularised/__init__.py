"""Ridge-regularised optima of two-layer ReLU nets: dual optimum, optimal polytope, staircase of connectivity."""

from modeconn.regularised.components import OptimalComponents, connection_width, optimal_components
from modeconn.regularised.constraint import DualConstraint, Kind, Slope, check_ridge_problem
from modeconn.regularised.dual import DualOptimum, dual_optimum
from modeconn.regularised.families import (
    orthant_dual,
    partial_sum_dual,
    partial_sum_points,
    planted_optimal_set,
    three_component_problem,
)
from modeconn.regularised.gap import RidgeGap, certify_gap, feasible_dual_point, ridge_gap
from modeconn.regularised.interpolators import (
    MinimumNormInterpolators,
    certify_minimum_norm,
    minimum_norm_interpolators,
)
from modeconn.regularised.optimal_set import (
    OptimalSet,
    TightDirection,
    certify_optimal_set,
    exact_optimal_set,
    optimal_set,
)
from modeconn.regularised.paths import RidgePath, certify_path, connect_optima, descent_path
from modeconn.regularised.polytope import Vertex, float_vertices, vertices
from modeconn.regularised.staircase import RidgeStair, ridge_staircase
from modeconn.regularised.vector import VectorNeuron, VectorPath, connect_vector_nets, vector_cost, vector_fit

__all__ = [
    "DualConstraint",
    "DualOptimum",
    "Kind",
    "MinimumNormInterpolators",
    "OptimalComponents",
    "OptimalSet",
    "RidgeGap",
    "RidgePath",
    "RidgeStair",
    "Slope",
    "TightDirection",
    "VectorNeuron",
    "VectorPath",
    "Vertex",
    "certify_gap",
    "certify_minimum_norm",
    "certify_optimal_set",
    "certify_path",
    "check_ridge_problem",
    "connect_optima",
    "connect_vector_nets",
    "connection_width",
    "descent_path",
    "dual_optimum",
    "exact_optimal_set",
    "feasible_dual_point",
    "float_vertices",
    "minimum_norm_interpolators",
    "optimal_components",
    "optimal_set",
    "orthant_dual",
    "partial_sum_dual",
    "partial_sum_points",
    "planted_optimal_set",
    "ridge_gap",
    "ridge_staircase",
    "three_component_problem",
    "vector_cost",
    "vector_fit",
    "vertices",
]
