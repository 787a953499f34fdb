"""States of a one-output net in cell coordinates (u, beta, sign): u_j = |alpha_j| w_j, beta_j = alpha_j^2.

The neuron is alpha_j = s_j sqrt(beta_j), w_j = u_j / sqrt(beta_j), and beta_j = 0 means that both are zero. While no
preactivation changes its side, the prediction sum_j s_j relu(X u_j) is linear in u, and

    w_jk^2 = u_jk^2 / beta_j,    W W^T = sum_j u_j u_j^T / beta_j,    alpha_j^2 = beta_j

are jointly convex in (u, beta). So every ball over W or alpha used here is convex at fixed sides and signs, and a
straight line between two states in the region stays in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

__all__ = [
    "CellState",
    "between",
    "live_slots",
    "prediction_drift",
    "state_of_weights",
    "state_prediction",
    "weights_of_state",
]


class CellState(NamedTuple):
    """A net in cell coordinates; leading axes are knots of a path.

    Attributes:
        u: (..., m, d).
        beta: (..., m), >= 0; a slot with beta = 0 has u = 0 and is dead.
        sign: (..., m), +1 or -1; +1 where dead.
    """

    u: Float[np.ndarray, "*k m d"]
    beta: Float[np.ndarray, "*k m"]
    sign: Float[np.ndarray, "*k m"]


def state_of_weights(W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "1 m"]) -> CellState:
    """Return the state of a net; neurons with alpha_j = 0 become dead, whatever their w_j.

    Example:
        >>> state_of_weights(np.array([[3.0, 1.0]]), np.array([[-2.0, 0.0]]))
        CellState(u=array([[6.],
               [0.]]), beta=array([4., 0.]), sign=array([-1.,  1.]))
    """
    alpha = np.asarray(A, np.float64)[0]
    beta = alpha**2
    alive = beta > 0.0  # an alpha whose square underflows is dead too
    u = np.where(alive[:, None], np.abs(alpha)[:, None] * np.asarray(W, np.float64).T, 0.0)
    return CellState(u, beta, np.where(alive & (alpha < 0), -1.0, 1.0))


def weights_of_state(state: CellState) -> tuple[Float[np.ndarray, "*k d m"], Float[np.ndarray, "*k 1 m"]]:
    """Return (W, A) of a state, zero where it is dead."""
    root = np.sqrt(state.beta)
    safe = np.where(root > 0, root, 1.0)
    W = np.swapaxes(state.u / safe[..., None], -1, -2)
    return W, (state.sign * root)[..., None, :]


def live_slots(state: CellState) -> Bool[np.ndarray, "*k m"]:
    """Return which slots hold a neuron."""
    return state.beta > 0.0


def state_prediction(state: CellState, X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "*k n"]:
    """Return sum_j s_j relu(X u_j)."""
    return np.einsum("...m,...mn->...n", state.sign, np.maximum(state.u @ X.T, 0.0))


def prediction_drift(first: CellState, last: CellState, X: Float[np.ndarray, "n d"]) -> float:
    """Return the largest change of the prediction, relative to the size sum_j relu(x . u_j) of what it sums."""
    size = float(np.maximum(first.u @ X.T, 0.0).sum(axis=0).max(initial=0.0))
    change = float(np.abs(state_prediction(last, X) - state_prediction(first, X)).max(initial=0.0))
    return change / size if size > 0 else change


def between(first: CellState, last: CellState, s: Float[np.ndarray, " k"]) -> CellState:
    """Return (1 - s) first + s last in (u, beta), row by row; a slot has the sign of its live end."""
    u = (1.0 - s)[:, None, None] * first.u + s[:, None, None] * last.u
    beta = (1.0 - s)[:, None] * first.beta + s[:, None] * last.beta
    return CellState(u, beta, np.where(first.beta > 0.0, first.sign, last.sign))
