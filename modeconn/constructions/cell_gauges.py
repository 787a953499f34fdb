"""The linear program of least total gauge over the cells of one or two nets (HiGHS), and its repair."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["GaugePart", "solve_gauges"]

MARGIN = 1e-7
"""Solutions keep this distance from the sides of their cells, relative to |x|_1 and the gauge, for rounding."""

ROOM = 1e-9
"""Classes fill their slots up to this fraction only: what the solver and its repair may be off by."""

DUST = 1e-9
"""Gauges this much smaller than the largest one are the solver's rounding."""

LEAST = 1e-300


class GaugePart(NamedTuple):
    """The classes of one net in the program; V = U / (B1 B2), so that a class needs ceil(|V|_inf) neurons.

    Attributes:
        active: (K, n).
        sign: (K,).
        slots: N_k (K,).
        given: V of the net itself (K, d); its prediction is kept.
        gauge: variable that bounds |V_k|_inf (K,); a class of two nets may have one.
    """

    active: Bool[np.ndarray, "K n"]
    sign: Float[np.ndarray, " K"]
    slots: Int[np.ndarray, " K"]
    given: Float[np.ndarray, "K d"]
    gauge: Int[np.ndarray, " K"]


def solve_gauges(
    X: Float[np.ndarray, "n d"], parts: list[GaugePart], cost: Float[np.ndarray, " g"]
) -> tuple[list[Float[np.ndarray, "K d"]], Float[np.ndarray, " g"]] | None:
    """Return V of every part and the gauges g that minimise cost . g, or ``None`` if the solver gives up.

        sum_k s_k D_k X V_k as given, part by part;   |V_k|_inf <= g_k, N_k;   sigma_ki x_i . V_k >= margin_ki g_k

    with margins so small that the given net keeps twice as much. Predictions are restored to rounding.

    Cost: K (d + 1) variables, K (n + 2 d) + n rows, K n d entries.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    top = np.abs(X).max(axis=1, keepdims=True, initial=0.0)
    X = X / np.where(top > 0, top, 1.0)  # every row of the program is homogeneous in its point
    blocks = [_rows(X, part, len(cost)) for part in parts]
    free = sum(block.keep.shape[1] for block in blocks)
    keep = sparse.hstack(
        [sparse.block_diag([block.keep for block in blocks]), sparse.csr_matrix((len(X) * len(parts), len(cost)))]
    )
    below = sparse.hstack([sparse.block_diag([b.below for b in blocks]), sparse.vstack([b.gauges for b in blocks])])
    size = np.maximum(abs(keep).max(axis=1).toarray().reshape(-1), LEAST)
    caps = np.concatenate([np.repeat(part.slots * (1.0 - ROOM), X.shape[1]) for part in parts])
    upper = np.concatenate([caps, np.full(len(cost), np.inf)])
    found = linprog(
        np.concatenate([np.zeros(free), cost]),
        A_ub=below.tocsr(),
        b_ub=np.zeros(below.shape[0]),
        A_eq=(sparse.diags(1.0 / size) @ keep).tocsr(),
        b_eq=np.concatenate([block.keep @ part.given.reshape(-1) for block, part in zip(blocks, parts, strict=True)])
        / size,
        bounds=np.stack([np.concatenate([-caps, np.zeros(len(cost))]), upper], axis=1),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.status != 0:
        return None
    starts = np.cumsum([0, *(block.keep.shape[1] for block in blocks)])
    solutions = [
        _restored(block.keep.toarray(), part.given, found.x[at : at + part.given.size].reshape(part.given.shape))
        for block, part, at in zip(blocks, parts, starts[:-1], strict=True)
    ]
    return solutions, found.x[free:]


class _Rows(NamedTuple):
    """Sparse rows of one part: keep V = given; below V + gauges g <= 0."""

    keep: Any
    below: Any
    gauges: Any


def _rows(X: Float[np.ndarray, "n d"], part: GaugePart, gauges: int) -> _Rows:
    from scipy import sparse

    (K, n), d = part.active.shape, X.shape[1]
    blocks = part.sign[:, None, None] * part.active[:, :, None] * X[None]
    keep = sparse.csr_matrix(blocks.transpose(1, 0, 2).reshape(n, K * d))
    pick = sparse.csr_matrix((np.ones(K), (np.arange(K), part.gauge)), shape=(K, gauges))
    sides = np.where(part.active, 1.0, -1.0)
    top = np.maximum(np.abs(part.given).max(axis=1, initial=0.0), LEAST)
    room = np.maximum(sides * (part.given @ X.T), 0.0) / top[:, None]
    margin = np.minimum(MARGIN * np.abs(X).sum(axis=1)[None], 0.5 * room)
    walls = (
        sparse.block_diag([sparse.csr_matrix(-row[:, None] * X) for row in sides]) if K else sparse.csr_matrix((0, 0))
    )
    entries, eye = sparse.kron(pick, np.ones((d, 1))), sparse.eye(K * d)
    away = sparse.diags(margin.reshape(-1)) @ sparse.kron(pick, np.ones((n, 1)))
    return _Rows(keep, sparse.vstack([eye, -eye, walls]), sparse.vstack([-entries, -entries, away]))


def _restored(
    M: Float[np.ndarray, "n Kd"], given: Float[np.ndarray, "K d"], V: Float[np.ndarray, "K d"]
) -> Float[np.ndarray, "K d"]:
    """Return V without dust and with M V as given; a class moves in proportion to its gauge."""
    g = np.abs(V).max(axis=1, initial=0.0)
    weight = np.repeat(np.where(g > DUST * max(float(g.max(initial=0.0)), LEAST), g, 0.0), V.shape[1])
    v, f = np.where(weight > 0, V.reshape(-1), 0.0), M @ given.reshape(-1)
    for _ in range(3):
        v = v + weight * np.linalg.lstsq(M * weight, f - M @ v, rcond=None)[0]
    return v.reshape(V.shape)
