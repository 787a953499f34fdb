"""Scaling neurons inside a box by a linear program: directions are kept, few neurons stay."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from modeconn.constructions.cell_classes import SAFE, Classes, box_radii, classes_of, spread
from modeconn.constructions.cell_join import Reduced, join, shared_seats
from modeconn.constructions.cell_linear import sparse_vertex
from modeconn.constructions.cell_state import CellState, live_slots, prediction_drift, state_of_weights
from modeconn.constructions.connection import Connection
from modeconn.constructions.pair import Pair

__all__ = ["gauges", "in_box", "scaled", "scaled_cells"]


def scaled_cells(pair: Pair) -> Connection:
    """Return the path through the two nets with their neurons scaled to few live ones.

    The gauge of a neuron is g_j = |u_j|_inf / (B1 B2) <= 1: it fits the box iff w = B1 u / |u|_inf up to scale. With
    directions kept, {0 <= g <= 1 : prediction unchanged} is a polytope; at a vertex at most n neurons have a gauge
    strictly between 0 and 1, and least total gauge keeps few at 1. Classes are then concentrated: the sum U of a
    class needs ceil(|U|_inf / (B1 B2)) neurons. So

        live <= n + total gauge,    and the path exists if live0 + live1 - (slots shared by classes) <= m.

    When that fails, the objective is reweighted towards fewer neurons, and net1 is reduced again with only those
    slots that net0 leaves dead. Cost: two linear programs of n rows and m columns.

    Args:
        pair: nets with one output and a box for each leaf.

    Example:
        >>> from modeconn.constructions.pair import checked_pair
        >>> from modeconn.nets import Net
        >>> rng = np.random.default_rng(0)
        >>> nets = [Net(rng.uniform(-1, 1, (3, 80)), rng.uniform(-1, 1, (1, 80))) for _ in range(2)]
        >>> found = scaled_cells(checked_pair(*nets, rng.normal(size=(6, 3)), np.zeros(6), "linf:1"))
        >>> found.joined, found.live0 + found.live1 <= 80, float(found.radius_slack), found.drift < 1e-12
        (True, True, 0.0, True)

    Reference: theory, claim W4.
    """
    first = scaled(pair, 0, pair.width // 2)
    last = scaled(pair, 1, pair.width - first.live)
    if shared_seats(first, last, pair.X)[1] > pair.width:
        elsewhere = scaled(pair, 1, pair.width - first.live, ~live_slots(first.state))
        if shared_seats(first, elsewhere, pair.X)[1] < shared_seats(first, last, pair.X)[1]:
            last = elsewhere
    return join(pair, "scaled-cells", first, last)


def scaled(pair: Pair, which: int, most: int, allowed: Bool[np.ndarray, " m"] | None = None) -> Reduced:
    """Return net 0 or 1 of the pair at a vertex of the scaling polytope, its classes concentrated.

    Args:
        pair: the nets.
        which: 0 or 1.
        most: more live neurons than this call for the reweighted objective.
        allowed: slots that may stay alive, if the prediction can be kept so; all by default.
    """
    W, A = ((pair.W0, pair.A0), (pair.W1, pair.A1))[which]
    start = state_of_weights(W, A)
    classes = classes_of(W, start, pair.X)
    g = gauges(start, pair)
    counted = (classes.label >= 0) & (g > 0)
    M = np.zeros((len(pair.X), len(g)))
    M[:, counted] = _unit_columns(start, g, pair.X)[:, counted]
    f = M @ np.where(counted, g, 0.0)
    may = (counted if allowed is None else counted & allowed).astype(float)
    vertex = sparse_vertex(M, f, may * (1.0 - SAFE), most)
    if vertex is None:  # the cap just below 1 can exclude a net that fills its box
        vertex = sparse_vertex(M, f, may * max(1.0, float(g.max())), most)
    if vertex is None:
        vertex, how = np.where(counted, g, 0.0), "directions kept"
    else:
        how = f"scaled to {np.count_nonzero(vertex)}, total gauge {vertex.sum():.4g}"
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.where(vertex[:, None] > 0, start.u * (vertex / g)[:, None], 0.0)
    return in_box(pair, classes, start, classes.sums(u), f"{live_slots(start).sum()} neurons {how}")


def gauges(state: CellState, pair: Pair) -> Float[np.ndarray, " m"]:
    """Return g_j = |u_j|_inf / (B1 B2)."""
    hidden, output = box_radii(pair.region)
    return np.abs(state.u).max(axis=1, initial=0.0) / (hidden * output)


def in_box(pair: Pair, classes: Classes, start: CellState, U: Float[np.ndarray, "K d"], how: str) -> Reduced:
    """Return the classes with sums U in as few slots as the box allows, each neuron with beta = B2^2 gauge."""
    hidden, output = box_radii(pair.region)
    g = np.abs(U).max(axis=1, initial=0.0) / (hidden * output)
    parts = np.minimum(np.ceil(g * (1.0 + SAFE / 4)).astype(int), classes.sizes)
    state = spread(classes, U, output**2 * g, parts, start, pair.X)
    assert state is not None  # capped by the sizes
    return Reduced(state, classes, how, prediction_drift(start, state, pair.X))


def _unit_columns(
    start: CellState, g: Float[np.ndarray, " m"], X: Float[np.ndarray, "n d"]
) -> Float[np.ndarray, "n m"]:
    """Return what each neuron contributes at gauge 1."""
    return start.sign * np.maximum(X @ start.u.T, 0.0) / np.where(g > 0, g, 1.0)
