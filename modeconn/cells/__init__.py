"""Cells: the exact arrangement of activation patterns, and the convex programs over its cones."""

from modeconn.cells.arrangement import Arrangement, Cone, Facet, arrangement, max_cones
from modeconn.cells.nnls_batch import NnlsBatch, nnls_batch
from modeconn.cells.programs import ConeFit, ConeProgram, float_nnls
from modeconn.cells.rational import (
    as_fraction,
    common_denominator,
    fraction_text,
    is_positive_semidefinite,
    null_space,
    primitive,
    rank,
    row_space_basis,
    solve_integer,
    solve_rational,
)
from modeconn.cells.region_program import (
    RegionBall,
    RegionCell,
    RegionFit,
    least_gauge,
    least_loss_in_region,
    least_split,
)
from modeconn.cells.ridge_program import least_ridge_objective, least_square_ridge_objective, polish_ridge

__all__ = [
    "Arrangement",
    "Cone",
    "ConeFit",
    "ConeProgram",
    "Facet",
    "NnlsBatch",
    "RegionBall",
    "RegionCell",
    "RegionFit",
    "arrangement",
    "as_fraction",
    "common_denominator",
    "float_nnls",
    "fraction_text",
    "is_positive_semidefinite",
    "least_gauge",
    "least_loss_in_region",
    "least_ridge_objective",
    "least_split",
    "least_square_ridge_objective",
    "max_cones",
    "nnls_batch",
    "null_space",
    "polish_ridge",
    "primitive",
    "rank",
    "row_space_basis",
    "solve_integer",
    "solve_rational",
]
