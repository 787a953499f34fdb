"""Least total gauge inside a box over all neurons with the given sides and signs: the linear program over cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from modeconn.constructions.cell_classes import Classes, box_radii, classes_of
from modeconn.constructions.cell_exact import exact_signs, same_sides
from modeconn.constructions.cell_gauges import GaugePart, solve_gauges
from modeconn.constructions.cell_join import Reduced, join, shared_seats
from modeconn.constructions.cell_state import CellState, live_slots, state_of_weights
from modeconn.constructions.connection import Connection
from modeconn.constructions.pair import Pair
from modeconn.constructions.scaled_cells import in_box, scaled

__all__ = ["cell_program", "least_gauges"]

MOST_ENTRIES = 2_000_000
"""Largest number of entries of the program's matrix; beyond, only classes that are alive after scaling enter."""

REWEIGHTINGS = 3


class Block(NamedTuple):
    """One net in the program: its classes, their sums, and the classes that enter."""

    start: CellState
    classes: Classes
    sums: Float[np.ndarray, "K d"]
    used: np.ndarray


def cell_program(pair: Pair) -> Connection:
    """Return the path through the two nets reduced to least total gauge over their cells.

    For every class k, with its N_k slots, U_k moves in the closed cone of the class:

        minimise sum_k g_k   such that   sum_k s_k D_k X U_k = f,   sigma_ki x_i . U_k >= 0,
                                         |U_k|_inf <= B1 B2 g_k,    g_k <= N_k.

    By duality there is nu with nu . v >= 1 on every vertex of the cells in use, so the total gauge is at most
    |f| / delta, delta the least positive distance of 0 from a hull of such vertices: a bound without m. Then
    ceil(g_k) neurons hold class k, in all at most |f| / delta + 2 P, P the number of patterns.

    Each net is reduced by itself first. If they do not fit into the width together, both are reduced by one program
    that counts a class of both nets once: minimise sum_k max(g_k of net0, g_k of net1).
    Classes shared by both nets share their slots, so m >= 2 |f| / delta + 2 P + 1 suffices.

    Cost: a linear program of K (d + 1) variables and K (n + 2 d) + n rows, K <= min(m, 2 P) classes.

    Args:
        pair: nets with one output and a box for each leaf.

    Reference: theory, claims W3 and W4.
    """
    reduced = [scaled(pair, k, pair.width // 2) for k in (0, 1)]
    blocks = [_block(pair, k, reduced[k]) for k in (0, 1)]
    for k in (0, 1):
        found = least_gauges(pair, [blocks[k]], pair.width // 2)
        if found is not None and found[0].live < reduced[k].live:
            reduced[k] = found[0]
    needed = shared_seats(reduced[0], reduced[1], pair.X)[1]
    if needed > pair.width:
        both = least_gauges(pair, blocks, pair.width)
        if both is not None and shared_seats(both[0], both[1], pair.X)[1] < needed:
            reduced = both
    return join(pair, "cell-program", *reduced)


def _block(pair: Pair, which: int, fallback: Reduced) -> Block:
    """Return net 0 or 1 with all its classes, or those alive after scaling when the program would be too large."""
    W, A = ((pair.W0, pair.A0), (pair.W1, pair.A1))[which]
    start = state_of_weights(W, A)
    classes = classes_of(W, start, pair.X)
    n, d = pair.X.shape
    sums = classes.sums(start.u)
    used = np.ones(classes.count, bool)
    if classes.count * (n + 3) * d > MOST_ENTRIES:
        sums = classes.sums(fallback.state.u)
        used = np.abs(sums).max(axis=1) > 0
    return Block(start, classes, sums, used)


def least_gauges(pair: Pair, blocks: list[Block], most: int) -> list[Reduced] | None:
    """Return the nets at least total gauge, a class that several of them have counted once.

    Args:
        pair: the nets' data and region.
        blocks: one or both nets.
        most: if more slots are needed, the objective is reweighted towards fewer classes; the best is returned.

    Returns:
        One reduced net a block, or ``None`` if the solver gives up or a solution does not survive rounding.
    """
    if not all(block.used.any() for block in blocks):
        return None  # nothing to reduce
    scale = float(np.prod(box_radii(pair.region)))
    names: dict[bytes, int] = {}
    parts = []
    for block in blocks:
        classes, used = block.classes, np.flatnonzero(block.used)
        keys = classes.keys()
        gauge = np.array([names.setdefault(keys[k], len(names)) for k in used], int)
        sums = block.sums[used] / scale
        parts.append(GaugePart(classes.active[used], classes.sign[used], classes.sizes[used], sums, gauge))
    cost = np.ones(len(names))
    best: tuple[int, list[Reduced]] | None = None
    for _ in range(1 + REWEIGHTINGS):
        found = solve_gauges(pair.X, parts, cost)
        if found is None:
            break
        solutions, g = found
        reduced = [_placed(pair, block, V * scale) for block, V in zip(blocks, solutions, strict=True)]
        kept = [r for r in reduced if r is not None]
        if len(kept) == len(blocks):
            needed = kept[0].live if len(kept) == 1 else shared_seats(kept[0], kept[1], pair.X)[1]
            if best is None or needed < best[0]:
                best = needed, kept
        if best is not None and best[0] <= most:
            break
        cost = 1.0 / (np.ceil(g - 1e-9).clip(1.0) * (g + 1e-2 * max(float(g.max(initial=0.0)), 1e-300)))
    return None if best is None else best[1]


def _placed(pair: Pair, block: Block, V: Float[np.ndarray, "k d"]) -> Reduced | None:
    """Return the solution in the box, unless a neuron of it would be on the wrong side of a hyperplane, exactly."""
    U = np.zeros(block.sums.shape)
    U[block.used] = V
    total = float(np.abs(U).max(axis=1, initial=0.0).sum()) / float(np.prod(box_radii(pair.region)))
    how = f"{live_slots(block.start).sum()} neurons in {block.classes.count} cells, least total gauge {total:.4g}"
    reduced = in_box(pair, block.classes, block.start, U, how)
    kept = same_sides(exact_signs(pair.X, block.start.u), exact_signs(pair.X, reduced.state.u))
    return reduced if bool(kept.all()) else None
