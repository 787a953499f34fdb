"""Upper bounds of loss and norms at the knots of a path: what an exact check will find, with rounding accounted for."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from modeconn.constructions.gram_path import GramPath
from modeconn.constructions.pair import Pair
from modeconn.constructions.wide_region import Ball
from modeconn.precision import in_float64

__all__ = ["KnotBounds", "knot_bounds"]

Reals = Any  # float64 or extended precision

_EPS = float(np.finfo(np.float64).eps)
_BLOCK_NUMBERS = 2**22
_EXTENDED_WORK = 2e9
"""Multiplications up to which the knots are evaluated in extended precision; in float64 beyond."""


class KnotBounds(NamedTuple):
    """What holds at the knots, and by convexity between them.

    Attributes:
        losses: (K,) upper bounds of the loss.
        level: the largest of them, as a rational.
        radius_slack: least s (to rounding) such that every leaf has norm <= (1 + s) radius at every knot; 0 inside.
    """

    losses: Float[np.ndarray, " K"]
    level: Fraction
    radius_slack: Fraction


@in_float64
def knot_bounds(path: GramPath, pair: Pair, extended: bool = True) -> KnotBounds:
    """Return bounds at the knots that an exact evaluation confirms.

    Sums run in extended precision (where the machine has it, and up to 2e9 multiplications), with the standard bound
    k u sum |terms| of their rounding added. Cost O(K n c m) multiplications.

    Args:
        path: over the neurons of the pair.
        pair: data, loss and region.
        extended: whether to use extended precision at all; float64 is faster and its bounds about 1e-12 wider.

    Reference: Higham (2002), Accuracy and Stability of Numerical Algorithms, section 3.1.
    """
    (n, d), c, bases = pair.X.shape, pair.outputs, path.W.shape[1]
    work = n * bases * (d + len(path.base) * c)
    kind: Any = np.longdouble if extended and work <= _EXTENDED_WORK else np.float64
    X, W, A = pair.X.astype(kind), path.W.astype(kind), path.A.astype(kind)
    H, size = np.maximum(X @ W, 0), np.abs(pair.X) @ np.abs(path.W)
    terms = (d + int((path.t > 0).sum(1).max()) + 4) * float(np.finfo(kind).eps)
    losses: list[float] = []
    slack = 0.0
    block = max(1, _BLOCK_NUMBERS // (bases * max(c, d)))
    for first in range(0, len(path.base), block):
        T = _weights(path, first, block).astype(kind)
        out = (T[:, None] * A).reshape(-1, bases).T
        F = (H @ out).reshape(n, -1, c)
        error = terms * (size @ np.abs(out).astype(np.float64)).reshape(n, -1, c)
        losses += [_loss_bound(pair, F[:, k], error[:, k]) for k in range(len(T))]
        grams = {"W": (T[:, None] * W) @ W.T, "A": (T[:, None] * A) @ A.T}
        slack = max([slack, *(_slack(ball, grams, terms) for ball in pair.region.balls)])
    return KnotBounds(np.array(losses), Fraction(max(losses)), Fraction(slack))


def _weights(path: GramPath, first: int, count: int) -> Float[np.ndarray, "K B"]:
    """Return the weight of every base neuron at ``count`` knots."""
    base, t = path.base[first : first + count], path.t[first : first + count]
    T = np.zeros((len(base), path.W.shape[1]))
    np.add.at(T, (np.arange(len(base))[:, None], base), t)
    return T


def _loss_bound(pair: Pair, F: Reals, error: Float[np.ndarray, "n c"]) -> float:
    """Return an upper bound of the loss of predictions within ``error`` of F."""
    if pair.loss.name == "half_squared_error":
        residual = np.abs(F - pair.Y).astype(np.float64) * (1 + 2 * _EPS) + error
        bound = 0.5 * float(np.sum(residual * residual)) * (1 + (residual.size + 4) * _EPS)
    else:
        value = float(pair.loss.value(F.astype(np.float64), pair.Y)) * (1 + 64 * F.size * _EPS)
        moved = error + _EPS * np.abs(F).astype(np.float64)
        bound = value + pair.loss.lipschitz * float(np.sum(moved.max(1)))
    return math.nextafter(bound, math.inf)


def _slack(ball: Ball, grams: dict[str, Reals], terms: float) -> float:
    """Return the least s >= 0 (to rounding) with norm <= (1 + s) radius, for the Gram matrices (K, r, r)."""
    leaves = ("W", "A") if ball.leaf == "joint" else (ball.leaf,)
    trace = np.sum([np.trace(grams[leaf], axis1=1, axis2=2).astype(np.float64) for leaf in leaves], axis=0)
    margin = (terms + 8 * grams[leaves[0]].shape[1] * _EPS) * trace
    if ball.exponent == 2.0:
        norm = np.sqrt(trace + margin)
    else:
        values = np.maximum(np.linalg.eigvalsh(grams[leaves[0]].astype(np.float64)), 0.0) + margin[:, None]
        norm = np.sqrt(values[:, -1])
        if not math.isinf(ball.exponent):
            ratios = values / np.where(norm > 0, norm**2, 1.0)[:, None]
            norm = norm * np.sum(ratios ** (ball.exponent / 2), axis=1) ** (1.0 / ball.exponent)
    excess = float(norm.max()) / float(ball.radius) - 1.0
    return 0.0 if excess < -4 * _EPS else max(excess, 0.0) + 8 * _EPS
