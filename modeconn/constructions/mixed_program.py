"""Reductions in mixed regions: one leaf in an entrywise ball, the other in one of its Gram matrix (Muon with AdamW).

**A finite width suffices** for every region that is convex in (u, beta) at fixed sides and signs, holds with dead slots
added and does not see the order of slots (boxes, Gram balls, their products), every convex loss and every level.
*Proof.* Count the neurons of each of the 2 P classes: N in {0, 1, 2, ...}^2P. Let F be the counts for which the
level set has a net with at most N_k neurons in class k. F is upward closed, so it has finitely many minimal elements
(Dickson's lemma); let M be the largest sum of one. A net of the level set with counts N has a minimal N0 <= N below it.
The nets with sides and signs as given are a convex set in (u, beta), which holds a net with N0 live neurons: the
straight line to it stays in the level set. So every net reduces to at most M live neurons, and m >= 2 M joins
any two (m >= the largest sum of max(N0_k, N1_k) over pairs, plus one slot to permute through).

The width is not uniform in the radii. With X = (1, -1)^T, y = (1, 1), zero loss, a hidden ball r_W and
|alpha|_inf <= r_A, counts (N_1, N_2) are feasible iff 1 / N_1 + 1 / N_2 <= (r_W r_A)^2: at (r_W r_A)^2 = 3/2 and m = 3,
(1, 2) and (2, 1) are rigid nets that nothing joins, and as (r_W r_A)^2 decreases to 1 the least width that joins all
nets grows without bound. So a bound like 2 P + (R / (delta r_W r_A))^2 cannot hold with delta independent of the radii;
no explicit bound is proved here. What is done is per instance, and the live counts say whether it suffices.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float, Int

from modeconn.cells.conic import ConicProgram
from modeconn.constructions.cell_classes import SAFE, box_radii, classes_of, parts_needed, spread
from modeconn.constructions.cell_join import Reduced, join, shared_seats
from modeconn.constructions.cell_linear import sparse_vertex
from modeconn.constructions.cell_state import (
    CellState,
    live_slots,
    prediction_drift,
    state_of_weights,
    weights_of_state,
)
from modeconn.constructions.connection import Connection
from modeconn.constructions.merged_classes import merge_state, merged
from modeconn.constructions.pair import Pair
from modeconn.constructions.wide_region import WideRegion

__all__ = ["least_parts", "mixed_program", "rescaled"]

ROOM = 1e-8
"""The conic program keeps this distance from the Gram balls, relatively: what its solver may be off by."""

MOST_CLASSES = 250
"""The conic program is dense: beyond this many classes it is left out."""


def mixed_program(pair: Pair) -> Connection:
    """Return the path through the two nets, each reduced in the best of several ways.

    1. Merge classes: (U, b) in max(|U|_inf^2 / (r_W^2 b), b / r_A^2, 1) slots, rounded up.
    2. First a linear program over factors t_j, neurons (t u, t beta): the prediction and the Gram matrices in the
       region are linear in t, the entrywise balls are caps. A vertex has at most N' neurons strictly between 0 and
       their cap, N' = n + d (d + 1) / 2 for a spectral hidden ball, n + 1 for an output ball |alpha|_2.
    3. Then the convex program over the b of the classes, U fixed: least total number of slots in the region.

    Cost: a linear program of N' rows and m columns, a conic one in 3 K variables, for each net.

    Args:
        pair: nets with one output in a region with balls of both kinds.

    Example:
        >>> from modeconn.constructions.pair import checked_pair
        >>> from modeconn.nets import Net
        >>> rng = np.random.default_rng(0)
        >>> nets = [Net(rng.normal(size=(2, 60)) / 9, rng.uniform(-0.2, 0.2, (1, 60))) for _ in range(2)]
        >>> found = mixed_program(checked_pair(*nets, rng.normal(size=(5, 2)), np.zeros(5), "spectral:2,linf:0.3"))
        >>> found.joined, found.live0 + found.live1 <= 60
        (True, True)

    Reference: theory, claim W4 and the note on products in section 2a; the bound of the module docstring.
    """
    choices = [_candidates(pair, k) for k in (0, 1)]
    first, last = min(itertools.product(*choices), key=lambda both: shared_seats(both[0], both[1], pair.X)[1])
    return join(pair, "mixed-program", first, last)


def _candidates(pair: Pair, which: int) -> list[Reduced]:
    found = [merged(pair, which)]
    shrunk = rescaled(pair, which, pair.width // 2)
    if shrunk is not None:
        found.append(shrunk)
    return found + [better for one in found if (better := least_parts(pair, which, one)) is not None]


def rescaled(pair: Pair, which: int, most: int) -> Reduced | None:
    """Return net 0 or 1 with neurons (t u, t beta), t a vertex of the linear program, classes merged."""
    W, A = ((pair.W0, pair.A0), (pair.W1, pair.A1))[which]
    start = state_of_weights(W, A)
    classes = classes_of(W, start, pair.X)
    hidden, output = box_radii(pair.region)
    w, a = np.abs(W).max(axis=0), np.abs(A[0])
    counted = classes.label >= 0
    with np.errstate(divide="ignore"):
        cap = np.minimum((hidden / w) ** 2, (output / a) ** 2)
    cap = np.where(counted, np.maximum(cap * (1.0 - SAFE), 1.0), 0.0)  # nets may be on the boundary, up to rounding
    rows = [start.sign * np.maximum(pair.X @ start.u.T, 0.0), *_gram_rows(pair.region, np.where(a > 0, W, 0.0), A)]
    M = np.concatenate(rows) * cap
    t = sparse_vertex(M, M @ np.where(counted, 1.0 / np.where(counted, cap, 1.0), 0.0), counted.astype(float), most)
    if t is None:
        return None
    factor = t * cap
    state = CellState(start.u * factor[:, None], start.beta * factor, start.sign)
    reduced = merge_state(W, start, state, pair.X, pair.region)
    how = f"{live_slots(start).sum()} neurons rescaled to {np.count_nonzero(t)} and merged"
    return Reduced(reduced.state, reduced.classes, how, reduced.drift)


def _gram_rows(
    region: WideRegion, W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "1 m"]
) -> list[Float[np.ndarray, "q m"]]:
    """Return what each neuron adds to the Gram functions of the region's balls, one row a function."""
    rows: list[np.ndarray] = []
    for ball in region.balls:
        if not ball.is_gram:
            continue
        if ball.leaf == "A":
            rows.append(A**2)
        elif ball.leaf == "joint":
            rows.append((W**2).sum(axis=0, keepdims=True) + A**2)
        elif ball.norm == "frobenius":
            rows.append((W**2).sum(axis=0, keepdims=True))
        else:
            i, j = np.triu_indices(len(W))
            rows.append(W[i] * W[j])
    return rows


def least_parts(pair: Pair, which: int, reduced: Reduced) -> Reduced | None:
    """Return the reduced net with the beta of its classes chosen for the fewest slots, if that helps.

        minimise sum_k p_k  such that  p_k b_k >= |U_k|_inf^2 / r_W^2,  b_k <= r_A^2 p_k,  p_k <= N_k,
                                       sum_k U_k U_k^T / b_k and sum_k b_k in the Gram balls.

    Balls Schatten-p of W keep W W^T below what it is. ``None`` without an improvement that survives rounding.
    """
    W, A = ((pair.W0, pair.A0), (pair.W1, pair.A1))[which]
    classes = reduced.classes
    U = classes.sums(reduced.state.u)
    used = np.flatnonzero(np.abs(U).max(axis=1, initial=0.0) > 0)
    if not 0 < len(used) <= MOST_CLASSES:
        return None
    b = _least_parts(pair.region, U[used], classes.sizes[used], weights_of_state(reduced.state)[0])
    if b is None:
        return None
    beta = np.zeros(classes.count)
    beta[used] = b
    start = state_of_weights(W, A)
    state = spread(classes, U, beta, parts_needed(U, beta, pair.region), start, pair.X)
    if state is None or live_slots(state).sum() >= reduced.live:
        return None
    outside = max(ball.excess(*weights_of_state(state)) for ball in pair.region.balls)
    if outside > max(0.0, *(ball.excess(W, A) for ball in pair.region.balls)):
        return None
    drift = prediction_drift(start, state, pair.X)
    return Reduced(state, classes, f"{reduced.how}, betas for fewest slots", drift)


def _least_parts(
    region: WideRegion, U: Float[np.ndarray, "K d"], sizes: Int[np.ndarray, " K"], W: Float[np.ndarray, "d m"]
) -> Float[np.ndarray, " K"] | None:
    """Return b of the conic program; variables b, p and z (z_k b_k >= |U_k|^2), all relative to their scales."""
    K, d = U.shape
    hidden, output = box_radii(region)
    norm = np.linalg.norm(U, axis=1)
    direction = U / norm[:, None]
    scale = norm.max()
    e = np.eye(3 * K)
    b, p, z = e[:K], e[K : 2 * K], e[2 * K :]
    program = ConicProgram(3 * K)
    program.add("nonneg", p, sizes.astype(float))
    program.add("nonneg", -e)

    def product(x: np.ndarray, y: np.ndarray, least: float) -> None:  # x y >= least^2
        program.add("soc", np.stack([-(x + y), -(x - y), np.zeros(3 * K)]), np.array([0.0, 0.0, 2.0 * least]))

    for k in range(K):
        product(b[k], z[k], norm[k] / scale)
        if np.isfinite(hidden):
            product(b[k], p[k], float(np.abs(U[k]).max()) / (hidden * np.sqrt(scale)))
    if np.isfinite(output):
        program.add("nonneg", b - (output**2 / scale) * p)
    for ball in region.balls:
        square = float(ball.radius) ** 2 / scale * (1.0 - ROOM)
        if ball.leaf == "joint":
            program.add("nonneg", z.sum(axis=0) + b.sum(axis=0), square)
        elif ball.is_gram and (ball.leaf == "A" or ball.norm == "frobenius"):
            program.add("nonneg", (b if ball.leaf == "A" else z).sum(axis=0), square)
        elif ball.is_gram:
            bound = square * np.eye(d) if ball.norm == "spectral" else W @ W.T / scale
            i, j = _triangle(d)
            weight = np.where(i == j, 1.0, np.sqrt(2.0))
            program.add("psd", (weight * direction[:, i] * direction[:, j]).T @ z, weight * bound[i, j])
    found = program.solve(np.zeros((3 * K, 3 * K)), p.sum(axis=0))
    return None if found is None else np.maximum(found[0][:K], 1e-300) * scale


def _triangle(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the upper triangle, column by column."""
    pairs = [(i, j) for j in range(d) for i in range(j + 1)]
    return np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])
