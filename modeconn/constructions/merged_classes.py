"""Merging each class of neurons into one: the reduction of one-output nets in regions of Gram matrices."""

from __future__ import annotations

import numpy as np

from modeconn.constructions.cell_classes import classes_of, parts_needed, spread
from modeconn.constructions.cell_join import Reduced, join
from modeconn.constructions.cell_state import CellState, live_slots, prediction_drift, state_of_weights
from modeconn.constructions.connection import Connection
from modeconn.constructions.pair import Pair
from modeconn.constructions.wide_region import WideRegion

__all__ = ["merge_state", "merged", "merged_classes"]


def merged_classes(pair: Pair) -> Connection:
    """Return the path through the two nets with every (pattern, sign) class merged into one neuron.

    (u_1 + u_2)(u_1 + u_2)^T / (b_1 + b_2) <= u_1 u_1^T / b_1 + u_2 u_2^T / b_2, so summing u and beta inside a class
    keeps the prediction and |alpha|_2 and never raises W W^T: balls that grow with the Gram matrices are kept.
    Neurons that are active on no data point go to zero. At most one neuron a class and sign is left, and classes that
    occur in both nets share a slot: the path exists whenever the two nets together have fewer than m classes, so for
    every m >= 2 P + 1, P the number of activation patterns that are active somewhere (with m = 2 P unless
    neurons must be permuted and no slot is dead).

    Cost n m d. Nothing is solved for: predictions change by rounding only.

    Args:
        pair: nets with one output and a region of Gram matrices.

    Example:
        >>> from modeconn.constructions.pair import checked_pair
        >>> from modeconn.nets import Net
        >>> rng = np.random.default_rng(0)
        >>> nets = [Net(rng.normal(size=(1, 9)) / 3, rng.normal(size=(1, 9)) / 3) for _ in range(2)]
        >>> pair = checked_pair(*nets, np.array([[1.0], [-2.0]]), np.zeros(2), "spectral:2")
        >>> found = merged_classes(pair)  # two patterns, two signs
        >>> found.joined, found.live0, found.live1, found.needed
        (True, 3, 4, 4)

    Reference: theory, claim W1 (one output).
    """
    return join(pair, "merged-classes", *(merged(pair, k) for k in (0, 1)))


def merged(pair: Pair, which: int) -> Reduced:
    """Return net 0 or 1 of the pair with each class summed, in as few slots as the region's entrywise balls allow."""
    W, A = ((pair.W0, pair.A0), (pair.W1, pair.A1))[which]
    return merge_state(W, state_of_weights(W, A), state_of_weights(W, A), pair.X, pair.region)


def merge_state(W: np.ndarray, start: CellState, state: CellState, X: np.ndarray, region: WideRegion) -> Reduced:
    """Return ``state``, which has the sides and signs of ``start`` (a net with weights W), with its classes merged."""
    classes = classes_of(W, start, X)
    U, b = classes.sums(state.u), classes.sums(state.beta)
    reduced = spread(classes, U, b, np.minimum(parts_needed(U, b, region), classes.sizes), start, X)
    assert reduced is not None  # never more parts than slots
    how = f"{live_slots(start).sum()} neurons in {classes.count} classes merged"
    return Reduced(reduced, classes, how, prediction_drift(start, reduced, X))
