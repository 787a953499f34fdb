"""Signs of preactivations decided exactly: floats with an error bound first, rationals for what they leave open."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float, Int8

__all__ = ["exact_signs", "same_sides"]

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)


def exact_signs(X: Float[np.ndarray, "n d"], V: Float[np.ndarray, "k d"]) -> Int8[np.ndarray, "k n"]:
    """Return the signs of v_k . x_i for the very floats given.

    A float product is trusted where it exceeds its rounding bound (d + 2) eps |v| . |x|; the others, those on or next
    to a hyperplane, are summed in rationals. Cost k n d plus that of the open ones.

    Example:
        >>> X = np.array([[0.1, 0.2, -(0.1 + 0.2)]])
        >>> (X @ np.ones(3)).tolist(), exact_signs(X, np.ones((1, 3))).tolist()  # the float sum says zero
        ([0.0], [[-1]])
    """
    size = X.shape[1]
    with np.errstate(under="ignore"):
        P = V @ X.T
        bound = (size + 2) * EPS * (np.abs(V) @ np.abs(X).T) + size * TINY
    signs = np.where(np.abs(P) > bound, np.sign(P), 0.0).astype(np.int8)
    meets = (V != 0).astype(np.float64) @ (X != 0).astype(np.float64).T > 0
    for k, i in np.argwhere(meets & (np.abs(P) <= bound)):
        total = sum((Fraction(float(a)) * Fraction(float(b)) for a, b in zip(V[k], X[i], strict=True)), Fraction(0))
        signs[k, i] = (total > 0) - (total < 0)
    return signs


def same_sides(first: Int8[np.ndarray, "k n"], last: Int8[np.ndarray, "k n"]) -> Bool[np.ndarray, " k"]:
    """Return for each slot whether no preactivation is on opposite open sides at the two ends of a piece."""
    return np.all(first * last >= 0, axis=-1)
