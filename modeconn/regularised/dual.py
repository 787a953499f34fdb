"""The dual optimum of the ridge problem: max nu . y - |nu|^2 / 2 subject to |nu . relu(X u)| <= beta |u|.

It is unique (the objective is strictly concave) and nu* = y - f* with f* the fit that all global optima of all
sufficient widths share. Found from the primal side: the convex program over a working set of cells, one neuron a cell
and sign, until the residual violates the constraint in no cell of the whole arrangement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from modeconn.cells import RegionCell, float_nnls, least_ridge_objective, polish_ridge
from modeconn.errors import InputError
from modeconn.regularised.constraint import DualConstraint, check_ridge_problem
from modeconn.topology import Problem

__all__ = ["DualOptimum", "dual_optimum"]

ROUNDS = 60
ENTERING = 6
"""Cells that enter the working set in one round, the worst ones."""

VIOLATION = 1e-9
"""Relative violation of the dual constraint that ends the rounds; the gap says what it is worth."""

NEGLIGIBLE = 1e-7
"""Neurons shorter than this, relative to the longest, are dropped."""

ATTEMPTS = ((1e-5, 1e-9), (1e-5, 1e-6), (1e-7, 1e-9), (1e-7, 1e-6), (1e-7, 1e-6))
"""(how near to the bound a direction must be to take part in the last polishing, when two of them are one)."""

SHARP = 1e-14
"""A duality gap that ends the attempts, relative to |y|^2."""

SAME = 1e-9
"""Neurons of one sign whose directions have a cosine above 1 - SAME are one, while rounds last."""


@dataclass(frozen=True)
class DualOptimum:
    """The dual optimum in floats, and the primal solution it was found with.

    Attributes:
        constraint: the cells.
        nu: y - f (n,).
        u: neurons (k, d) of the primal solution, one for each direction.
        s: their output signs (k,).
        violation: max_{|u| <= 1} |nu . relu(X u)| / beta - 1, over all cells.
    """

    constraint: DualConstraint
    nu: Float[np.ndarray, " n"]
    u: Float[np.ndarray, "k d"]
    s: Int[np.ndarray, " k"]
    violation: float


def dual_optimum(problem: Problem, constraint: DualConstraint | None = None) -> DualOptimum:
    """Return the dual optimum of a ridge problem, in floats; :func:`modeconn.regularised.ridge_gap` certifies it.

    Cost: a few rounds, each one cone program over the working set and one small least squares problem a cell.

    Args:
        problem: with ridge > 0 and free output weights.
        constraint: its cells, if there already.

    Raises:
        InputError: another problem, or the solver gives up.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> dual_optimum(problem_from_json({"X": [[1], [-1]], "y": [1, 2], "ridge": "1/4"})).nu.round(9)
        array([0.25, 0.25])
    """
    check_ridge_problem(problem)
    cells = DualConstraint(problem.X) if constraint is None else constraint
    y = np.array([float(v) for v in problem.y])
    X = np.array([[float(v) for v in row] for row in problem.X])
    beta = float(problem.ridge)
    nu, u, s, violation = y, np.zeros((0, X.shape[1])), np.zeros(0, int), np.inf
    working: list[int] = []
    best: tuple[float, np.ndarray, np.ndarray, np.ndarray] | None = None
    for _ in range(ROUNDS):
        sizes = np.linalg.norm(cells.projections(nu), axis=1) / beta
        violation = float(sizes.max(initial=0.0)) - 1
        if best is None or violation < best[0]:
            best = violation, nu, u, s
        if violation <= VIOLATION:
            break
        fresh = [k for k in np.argsort(-sizes).tolist() if sizes[k] > 1 + VIOLATION / 2 and k not in working]
        if not fresh:
            break
        working += fresh[:ENTERING]
        view = _view(cells, X, y, working)
        answer = least_ridge_objective(view, beta)
        if answer is None:
            raise InputError(f"dual optimum: the cone program over {len(working)} cells failed; rescale X and y")
        u, nu, rows = _finish(view, beta, answer)
        working = [working[k] for k in rows]  # one for each direction: cells that share a ray would be degenerate
        s = np.array([cells.kinds[k].s for k in working], int)
    assert best is not None, "one round at least"
    return _sharpest(cells, X, y, beta, best)


_State = tuple[float, np.ndarray, np.ndarray, np.ndarray]
"""violation, nu, u, s"""


def _sharpest(cells: DualConstraint, X: np.ndarray, y: np.ndarray, beta: float, best: _State) -> DualOptimum:
    """Return the dual optimum after attempts to sharpen it, by its duality gap: which ties are ties is a guess."""
    gap = _gap(y, best, beta)
    for near, same in ATTEMPTS:
        nu, u, s = _sharpen(cells, X, y, best[1], beta, near, same)
        state = cells.largest(nu) / beta - 1, nu, u, s
        if _gap(y, state, beta) < gap:
            best, gap = state, _gap(y, state, beta)
        if gap <= SHARP * (y @ y):
            break
    violation, nu, u, s = best
    return DualOptimum(cells, nu, u, s, violation)


def _gap(y: np.ndarray, state: _State, beta: float) -> float:
    """Return the duality gap of neurons with residual nu, made feasible by scaling."""
    violation, nu, u, _ = state
    feasible = nu / (1 + max(violation, 0.0))
    return float(nu @ nu / 2 + beta * np.linalg.norm(u, axis=1).sum() - feasible @ y + feasible @ feasible / 2)


def _sharpen(
    cells: DualConstraint, X: np.ndarray, y: np.ndarray, nu: np.ndarray, beta: float, near: float, same: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the residual and the neurons, with signs, on few directions nearly tight that fit y - nu, polished.

    An interior-point method spreads over all tight directions; Newton's method wants independent features.
    """
    p = cells.projections(nu)
    sizes = np.linalg.norm(p, axis=1)
    tight = np.flatnonzero(sizes >= (1 - near) * beta).tolist()
    if not tight:
        return y, np.zeros((0, X.shape[1])), np.zeros(0, int)
    view = _view(cells, X, y, tight)
    _, rows = _merge_parallel(p[tight], view.outputs, same)
    features = [view.outputs[k] * np.maximum(X @ p[tight[k]], 0.0) for k in rows]
    amounts = float_nnls(np.ascontiguousarray(np.array(features).T), y - nu)
    kept = np.flatnonzero(amounts > NEGLIGIBLE * amounts.max(initial=0.0)).tolist()
    part = view.part([rows[k] for k in kept])
    start = amounts[kept, None] * p[[tight[rows[k]] for k in kept]]
    u = polish_ridge(part, beta, start) if kept else start
    return y - part.map() @ u.ravel(), u, part.outputs


def _view(cells: DualConstraint, X: np.ndarray, y: np.ndarray, working: list[int]) -> RegionCell:
    """Return the cell of one neuron for each kind of the working set."""
    signs = np.array([cells.kinds[k].pattern for k in working])
    return RegionCell(X, y, signs, signs == 0, np.array([cells.kinds[k].s for k in working]))


def _finish(view: RegionCell, beta: float, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return polished neurons, one for each direction, the residual y - f, and the rows of the view they belong to."""
    merged, rows = _merge_parallel(u, view.outputs)
    part = view.part(rows)
    candidates = [merged, polish_ridge(part, beta, merged)] if rows else [merged]
    objective = [
        0.5 * ((view.y - part.map() @ v.ravel()) ** 2).sum() + beta * np.linalg.norm(v, axis=1).sum()
        for v in candidates
    ]
    u = candidates[int(np.argmin(objective))]
    return u, view.y - part.map() @ u.ravel(), rows


def _merge_parallel(u: np.ndarray, outputs: np.ndarray, same: float = SAME) -> tuple[np.ndarray, list[int]]:
    """Return the neurons that are not negligible, those of one direction and sign added up (cells share rays), and for
    each a row of the view that it belongs to."""
    lengths = np.linalg.norm(u, axis=1)
    merged: list[np.ndarray] = []
    rows: list[int] = []
    for k in np.argsort(-lengths).tolist():
        if lengths[k] <= NEGLIGIBLE * lengths.max():
            continue
        for i, other in enumerate(merged):
            if outputs[rows[i]] == outputs[k] and u[k] @ other > (1 - same) * lengths[k] * np.linalg.norm(other):
                merged[i] = other + u[k]
                break
        else:
            merged.append(u[k])
            rows.append(k)
    return np.array(merged).reshape(-1, u.shape[1]), rows
