"""The level and the radius slack that the knots of a cell path ask for: what its certificate can state."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from modeconn.constructions.cell_path import CellPath
from modeconn.constructions.cell_state import CellState, live_slots, weights_of_state
from modeconn.constructions.pair import Pair
from modeconn.constructions.wide_region import Ball
from modeconn.losses import Loss
from modeconn.precision import in_float64

__all__ = ["knot_loss_bounds", "slack_of_path"]

EPS = float(np.finfo(np.float64).eps)

MARGIN = 1e-12
"""Where a Gram matrix is within this distance of its ball, relatively, float eigenvalues do not decide: slack."""


@in_float64
def knot_loss_bounds(pair: Pair, states: CellState) -> tuple[float, ...]:
    """Return upper bounds of the loss at the knots that include the rounding of their evaluation.

    Preactivations are off by at most (d + 4) eps |x_i| . |u_j|, the rounding of u at given nets included; neurons are
    summed without rounding. Cost k n m d.
    """
    return tuple(_knot_bound(pair, CellState(*(leaf[k] for leaf in states))) for k in range(len(states.u)))


def _knot_bound(pair: Pair, state: CellState) -> float:
    live = live_slots(state)
    H = state.sign[live, None] * np.maximum(state.u[live] @ pair.X.T, 0.0)
    f = np.array([math.fsum(column) for column in H.T])
    error = (state.u.shape[1] + 4) * EPS * (np.abs(pair.X) @ np.abs(state.u).sum(axis=0))
    return _loss_bound(pair.loss, f, error, pair.Y)


def _loss_bound(loss: Loss, f: np.ndarray, error: np.ndarray, Y: Float[np.ndarray, "n 1"]) -> float:
    """Return an upper bound of the loss of any prediction within ``error`` of f."""
    rounding = 1.0 + (len(f) + 8) * EPS
    if math.isinf(loss.lipschitz):  # the half squared error
        return float(0.5 * np.sum((np.abs(f - Y[:, 0]) * rounding + error) ** 2)) * rounding
    return (float(loss.value(f[:, None], Y)) + loss.lipschitz * float(error.sum())) * rounding**2


def slack_of_path(pair: Pair, path: CellPath) -> Fraction:
    """Return s >= 0, a multiple of 1e-18, such that every leaf stays in (1 + s) times its balls at all knots.

    Entrywise balls, and |alpha|_2 of one output, are decided in rationals: 0 if they hold. (The float nearest to 0.2 is
    above 1/5, so a net that fills its box may need 6e-17.) Balls of the hidden Gram matrix within 1e-12 of their
    boundary get that much slack, because floats do not decide them there.
    """
    given = {anchor.knot: anchor for anchor in path.anchors}
    worst = Fraction(0)
    for k in range(path.pieces + 1):
        state = path.state(k)
        W, A = (given[k].W, given[k].A) if k in given else weights_of_state(state)
        for ball in pair.region.balls:
            exact = _entries_hold(ball, W, A, None if k in given else state)
            if exact is None:
                worst = max(worst, Fraction(ball.excess(W, A) + MARGIN))
            elif not exact and k in given and ball.norm == "linf":
                leaf = W if ball.leaf == "W" else A
                worst = max(worst, Fraction(float(np.abs(leaf).max())) / ball.radius - 1)
            elif not exact:
                worst = max(worst, Fraction(max(ball.excess(W, A), 0.0) + 16 * EPS))
    return Fraction(math.ceil(worst * 10**18), 10**18)


def _entries_hold(ball: Ball, W: np.ndarray, A: np.ndarray, state: CellState | None) -> bool | None:
    """Return whether an entrywise ball, or a ball of the output vector, holds exactly; ``None`` for other balls.

    For a state these are u^2 <= r^2 beta and beta <= r^2; entries well inside are left to floats.
    """
    square = ball.radius**2
    if ball.leaf == "A" and ball.is_gram:
        beta = [Fraction(float(a)) ** 2 for a in A[0]] if state is None else [Fraction(float(b)) for b in state.beta]
        return sum(beta, Fraction(0)) <= square
    if ball.norm != "linf":
        return None
    leaf = W if ball.leaf == "W" else A
    near = np.argwhere(np.abs(leaf) > float(ball.radius) * (1.0 - 1e-12))
    if state is None:
        return all(abs(Fraction(float(leaf[tuple(at)]))) <= ball.radius for at in near)
    if ball.leaf == "A":
        return all(Fraction(float(state.beta[j])) <= square for _, j in near)
    return all(Fraction(float(state.u[j, i])) ** 2 <= square * Fraction(float(state.beta[j])) for i, j in near)
