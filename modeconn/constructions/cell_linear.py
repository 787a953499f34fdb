"""Vertices of {0 <= g <= upper : M g = f}: HiGHS proposes one, least squares on its support restores the equations."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["drift_of", "restored", "sparse_vertex", "vertex"]

TOLERANCE = 1e-9
"""A solver's entry this close to a bound, relatively, is meant to lie on it."""

REWEIGHTINGS = 4
"""Rounds of the reweighted objective, at most."""


def vertex(
    M: Float[np.ndarray, "n k"],
    f: Float[np.ndarray, " n"],
    cost: Float[np.ndarray, " k"],
    upper: Float[np.ndarray, " k"],
) -> Float[np.ndarray, " k"] | None:
    """Return a vertex that minimises cost . g; at most rank M of its entries lie strictly between their bounds.

    Rows are scaled to largest entry 1. The equations hold to rounding, see :func:`restored`.

    Args:
        M: columns.
        f: the sum to keep.
        cost: objective.
        upper: upper bounds, infinity allowed.

    Returns:
        g, or ``None`` if the solver gives up.
    """
    from scipy.optimize import linprog

    size = np.abs(M).max(axis=1, initial=0.0)
    rows = size > 0
    A, b = M[rows] / size[rows, None], f[rows] / size[rows]
    bounds = np.stack([np.zeros_like(upper), upper], axis=1)
    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(cost, A_eq=A, b_eq=b, bounds=bounds, method="highs-ds", options=options)
    if found.status != 0:
        return None
    g = np.clip(found.x, 0.0, upper)
    scale = np.where(np.isfinite(upper), upper, max(float(g.max(initial=0.0)), 1e-300))
    g[g <= TOLERANCE * scale] = 0.0
    full = np.isfinite(upper) & (g >= upper * (1.0 - TOLERANCE))
    g[full] = upper[full]
    return restored(A, b, g, (g > 0) & ~full, upper)


def restored(
    A: Float[np.ndarray, "n k"],
    b: Float[np.ndarray, " n"],
    g: Float[np.ndarray, " k"],
    free: Bool[np.ndarray, " k"],
    upper: Float[np.ndarray, " k"],
) -> Float[np.ndarray, " k"]:
    """Return g with its free entries moved so that A g = b to rounding, by least squares refined three times."""
    g, free = g.copy(), free.copy()
    for _ in range(3):
        columns = np.flatnonzero(free)
        if not len(columns):
            break
        g[columns] += np.linalg.lstsq(A[:, columns], b - A @ g, rcond=None)[0]
        free &= (g > 0) & (g < upper)
        g = np.clip(g, 0.0, upper)
    return g


def drift_of(M: Float[np.ndarray, "n k"], f: Float[np.ndarray, " n"], g: Float[np.ndarray, " k"]) -> float:
    """Return max |M g - f|, relative to the size max |M| |g| of what is summed."""
    size = max(float((np.abs(M) @ np.abs(g)).max(initial=0.0)), float(np.abs(f).max(initial=0.0)))
    return float(np.abs(M @ g - f).max(initial=0.0)) / size if size > 0 else 0.0


def sparse_vertex(
    M: Float[np.ndarray, "n k"],
    f: Float[np.ndarray, " n"],
    upper: Float[np.ndarray, " k"],
    most: int,
) -> Float[np.ndarray, " k"] | None:
    """Return the vertex of least total, or one with fewer entries if that has more than ``most``.

    Reweighting: the cost of an entry is 1 / (g + e) for the last g, which drives small entries to zero. Fewest entries
    is a hard problem; this is a heuristic, and the count it reaches is reported, never assumed.
    """
    best = g = vertex(M, f, np.ones(M.shape[1]), upper)
    for _ in range(REWEIGHTINGS):
        if g is None or best is None or np.count_nonzero(best) <= most:
            break
        g = vertex(M, f, 1.0 / (g + 1e-2 * max(float(g.max()), 1e-300)), upper)
        if g is not None and np.count_nonzero(g) < np.count_nonzero(best):
            best = g
    return best
