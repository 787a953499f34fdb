"""What happens on the straight segment between two wide nets, and their points in u-coordinates."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from modeconn.constructions import Pair
from modeconn.topology import Neuron, Point
from proofs_check.claims.library.w_exact import Matrix, exact, loss_of, sums_of

__all__ = ["highest_on_segment", "point_of", "weights_between"]

STEPS = 8


def weights_between(pair: Pair, s: Fraction) -> tuple[Matrix, Matrix]:
    """Return W and A at (1 - s) theta_0 + s theta_1, exactly."""

    def blend(P: np.ndarray, Q: np.ndarray) -> Matrix:
        rows = zip(exact(P), exact(Q), strict=True)
        return [[(1 - s) * x + s * y for x, y in zip(row, other, strict=True)] for row, other in rows]

    return blend(pair.W0, pair.W1), blend(pair.A0, pair.A1)


def highest_on_segment(pair: Pair) -> tuple[Fraction, Fraction]:
    """Return the loss of the worse end, and the largest loss at eight steps of the segment, below its maximum."""
    X, Y = exact(pair.X), exact(pair.Y)
    losses = [loss_of(sums_of(*weights_between(pair, Fraction(k, STEPS)), X).prediction, Y) for k in range(STEPS + 1)]
    return max(losses[0], losses[-1]), max(losses)


def point_of(W: np.ndarray, A: np.ndarray) -> Point:
    """Return a net with one output in the coordinates u_j = |alpha_j| w_j."""
    columns = zip(zip(*exact(W), strict=True), exact(A)[0], strict=True)
    return tuple(Neuron(tuple(abs(a) * v for v in w), 1 if a >= 0 else -1) for w, a in columns)
