"""The ridge-regularised objective over a cell, as a second-order cone program (claim N4).

Minimising beta/2 (|w|^2 + alpha^2) over the nets with u = |alpha| w leaves beta |u|_2, so on a cell the objective is

    1/2 |M u - y|^2 + beta sum_j |u_j|_2,        u_j in its cone

(a group lasso in cones). With output weights fixed at +1 nothing is rescaled, and the term stays beta/2 sum_j |u_j|^2.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from modeconn.cells.conic import ConicProgram
from modeconn.cells.region_program import RegionCell

__all__ = ["least_ridge_objective"]


def least_ridge_objective(cell: RegionCell, ridge: float, *, fixed: bool = False) -> Float[np.ndarray, "k d"] | None:
    """Return floats u that should minimise the ridge-regularised objective over a cell; ``None`` on failure.

    Cost: one cone program with k (d + 1) variables, a millisecond for small k.

    Args:
        cell: the cell.
        ridge: beta > 0.
        fixed: output weights are fixed at +1: the penalty is beta/2 |u_j|^2.

    Example:
        >>> cell = RegionCell(np.eye(1), np.ones(1), np.ones((1, 1), int), np.zeros((1, 1), bool), np.ones(1, int))
        >>> least_ridge_objective(cell, 0.25).round(6)
        array([[0.75]])
    """
    (k, n), d = cell.signs.shape, cell.X.shape[1]
    size = k * d
    variables = size if fixed else size + k
    program = ConicProgram(variables)
    sides = np.zeros((k * n, variables))
    for j in range(k):
        sides[j * n : (j + 1) * n, j * d : (j + 1) * d] = -cell.signs[j][:, None] * cell.X
    program.add("nonneg", sides[~cell.tight.ravel()])
    program.add("zero", sides[cell.tight.ravel()])
    M = cell.map()
    P = np.zeros((variables, variables))
    P[:size, :size] = M.T @ M
    q = np.zeros(variables)
    q[:size] = -M.T @ cell.y
    if fixed:
        P[:size, :size] += ridge * np.eye(size)
    else:
        q[size:] = ridge
        e = np.eye(variables)
        for j in range(k):
            program.add("soc", -np.concatenate([e[[size + j]], e[j * d : (j + 1) * d]]))
    found = program.solve(P, q, (1e-12, 1e-10, 1e-8))
    return None if found is None else found[0][:size].reshape(k, d)
