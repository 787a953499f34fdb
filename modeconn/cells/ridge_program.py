"""The ridge-regularised objective over a cell, as a second-order cone program (claim N4).

Minimising beta/2 (|w|^2 + alpha^2) over the nets with u = |alpha| w leaves beta |u|_2, so on a cell the objective is

    1/2 |M u - y|^2 + beta sum_j |u_j|_2,        u_j in its cone

(a group lasso in cones). With output weights fixed at +1 nothing is rescaled: non-negative least squares over rays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from modeconn.cells.conic import ConicProgram
from modeconn.cells.programs import float_nnls
from modeconn.cells.region_program import RegionCell

__all__ = ["least_ridge_objective", "least_square_ridge_objective", "polish_ridge"]

TOLERANCES = (1e-12, 1e-10, 1e-8)
"""Tried in turn: the sharpest is met by nearly all programs."""


def least_ridge_objective(cell: RegionCell, ridge: float) -> Float[np.ndarray, "k d"] | None:
    """Return floats u that should minimise 1/2 |M u - y|^2 + beta sum_j |u_j|_2 over a cell; ``None`` on failure.

    Cost: one cone program with k (d + 1) variables, a millisecond for small k.

    Args:
        cell: the cell.
        ridge: beta > 0.

    Example:
        >>> cell = RegionCell(np.eye(1), np.ones(1), np.ones((1, 1), int), np.zeros((1, 1), bool), np.ones(1, int))
        >>> least_ridge_objective(cell, 0.25).round(6)
        array([[0.75]])

    Reference: claim N4.
    """
    (k, n), d = cell.signs.shape, cell.X.shape[1]
    size = k * d
    program = ConicProgram(size + k)
    sides = np.zeros((k * n, size + k))
    for j in range(k):
        sides[j * n : (j + 1) * n, j * d : (j + 1) * d] = -cell.signs[j][:, None] * cell.X
    program.add("nonneg", sides[~cell.tight.ravel()])
    program.add("zero", sides[cell.tight.ravel()])
    e = np.eye(size + k)
    for j in range(k):
        program.add("soc", -np.concatenate([e[[size + j]], e[j * d : (j + 1) * d]]))
    M = cell.map()
    P = np.zeros((size + k, size + k))
    P[:size, :size] = M.T @ M
    q = np.concatenate([-M.T @ cell.y, np.full(k, ridge)])
    for tolerance in TOLERANCES:
        found = program.solve(P, q, tolerance)
        if found is not None:
            return found[0][:size].reshape(k, d)
    return None


def polish_ridge(cell: RegionCell, ridge: float, u: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "k d"]:
    """Return u after Newton steps on the face it nearly lies on, where the objective is smooth.

    An interior-point answer with gap eps is some sqrt(eps) from the minimiser. Neurons that are (nearly) zero stay
    zero, sides that are (nearly) tight stay tight; a wrong guess gives a worse point, not a wrong one.
    """
    k, d = u.shape
    size = np.linalg.norm(u, axis=1)
    kept = [j for j in range(k) if size[j] > 1e-5 * max(size.max(), 1e-300)]
    bases = []
    for j in kept:
        tight = cell.tight[j] | (np.abs(cell.X @ u[j]) <= 1e-5 * size[j] * np.linalg.norm(cell.X, axis=1))
        _, values, rows = np.linalg.svd(cell.X[tight & (cell.signs[j] != 0)].reshape(-1, d))
        bases.append(rows[int((values > 1e-9).sum()) :].T)
    if not kept or any(basis.shape[1] == 0 for basis in bases):
        return u
    width = np.cumsum([0, *(basis.shape[1] for basis in bases)])
    N = np.zeros((len(kept) * d, width[-1]))
    for at, basis in enumerate(bases):
        N[at * d : (at + 1) * d, width[at] : width[at + 1]] = basis
    M = cell.part(kept).map()
    v = N.T @ u[kept].ravel()
    for _ in range(8):
        w = (N @ v).reshape(-1, d)
        norms = np.linalg.norm(w, axis=1)
        if not (norms > 0).all():
            return u
        gradient = M.T @ (M @ w.ravel() - cell.y) + ridge * (w / norms[:, None]).ravel()
        hessian = M.T @ M
        for at, (row, norm) in enumerate(zip(w, norms, strict=True)):
            block = slice(at * d, (at + 1) * d)
            hessian[block, block] += ridge * (np.eye(d) - np.outer(row, row) / norm**2) / norm
        v = v - np.linalg.lstsq(N.T @ hessian @ N, N.T @ gradient, rcond=1e-12)[0]
    better = np.zeros_like(u)
    better[kept] = (N @ v).reshape(-1, d)
    return better if np.isfinite(better).all() else u


def least_square_ridge_objective(
    cell: RegionCell, ridge: float, rays: Sequence[Float[np.ndarray, "r d"]]
) -> Float[np.ndarray, "k d"]:
    """Return floats u that should minimise 1/2 |M u - y|^2 + beta/2 sum_j |u_j|_2^2 over a cell.

    Args:
        cell: the cell.
        ridge: beta > 0.
        rays: the unit rays that span the cone of each neuron.

    Example:
        >>> cell = RegionCell(np.eye(1), np.ones(1), np.ones((1, 1), int), np.zeros((1, 1), bool), np.ones(1, int))
        >>> least_square_ridge_objective(cell, 0.25, [np.ones((1, 1))]).round(6)
        array([[0.8]])
    """
    k, d = len(cell.outputs), cell.X.shape[1]
    counts = np.cumsum([0, *map(len, rays)])
    span = np.zeros((k * d, counts[-1]))
    for j, R in enumerate(rays):
        span[j * d : (j + 1) * d, counts[j] : counts[j + 1]] = R.T
    z = float_nnls(
        np.concatenate([cell.map() @ span, np.sqrt(ridge) * span]), np.concatenate([cell.y, np.zeros(k * d)])
    )
    return (span @ z).reshape(k, d)
