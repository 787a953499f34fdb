"""The width of claim W3, for boxes and tiny data: 2 (R / delta + 2 P), and the sharper 2 R / delta + 2 P + 1."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from modeconn.cells import arrangement
from modeconn.errors import InputError

__all__ = ["BoxWidth", "box_width"]

MOST_SUBSETS = 2_000_000
"""Largest number of sets of vertices gone through."""

TOLERANCE = 1e-9


@dataclass(frozen=True)
class BoxWidth:
    """A width from which on a sublevel set inside a box is path-connected, in floats.

    Attributes:
        patterns: P, activation patterns that are active somewhere.
        vertices: number of distinct nonzero vectors s D X v.
        delta: least positive distance of 0 from the hull of some of them.
        gauge: R / delta, an upper bound of the total gauge of a reduced net.
        width: 2 (R / delta + 2 P), the bound of claim W3.
        shared_width: 2 R / delta + 2 P + 1: classes of both nets share their slots.
    """

    patterns: int
    vertices: int
    delta: float
    gauge: float
    width: int
    shared_width: int


def box_width(
    X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], hidden: float, output: float, level: float
) -> BoxWidth | None:
    """Return the a-priori width for {half squared error <= level} in |W|_inf <= hidden, |alpha|_inf <= output.

    delta is attained at affinely independent vectors, at most n of them, whose hull's point nearest to 0 is the one
    of their affine hull: all such sets are gone through. R = |y| + sqrt(2 level). Cost exponential in n and d.

    Args:
        X: data (n, d), read as the decimals that are written.
        y: targets.
        hidden: radius of W.
        output: radius of alpha.
        level: bound of the loss, >= 0.

    Returns:
        The width, or ``None`` if there are too many sets of vertices.

    Raises:
        InputError: a radius that is not positive or a negative level.

    Example:
        >>> found = box_width(np.array([[1.0], [-1.0]]), np.array([1.0, 1.0]), 1.0, 1.0, 0.0)
        >>> found.patterns, found.vertices, round(found.delta, 4), found.width
        (2, 4, 0.7071, 12)

    Reference: theory, claim W3.
    """
    if not (hidden > 0 and output > 0 and level >= 0):
        raise InputError(
            f"box width: expected radii > 0 and a level >= 0, found {hidden}, {output}, {level}; give the box a size"
        )
    cones = arrangement([[Fraction(repr(float(v))) for v in row] for row in X]).cones
    points: set[tuple[float, ...]] = set()
    patterns = 0
    for cone in cones:
        active = np.array(cone.signs) > 0
        if not active.any():
            continue
        patterns += 1
        for v in _vertices(X, np.array(cone.signs)):
            f = np.round(hidden * output * active * (X @ v), 12) + 0.0
            if f.any():
                points |= {tuple(f.tolist()), tuple((-f + 0.0).tolist())}
    V = np.array(sorted(points)).reshape(-1, len(X))
    delta = _least_distance(V)
    if delta is None:
        return None
    gauge = (float(np.linalg.norm(y)) + math.sqrt(2.0 * level)) / delta
    widths = (math.ceil(2.0 * (gauge + 2 * patterns)), math.ceil(2.0 * gauge + 2 * patterns + 1))
    return BoxWidth(patterns, len(V), delta, gauge, *widths)


def _vertices(X: np.ndarray, signs: np.ndarray) -> list[np.ndarray]:
    """Return the vertices of {sigma_i x_i . v >= 0} in [-1, 1]^d: d of its walls meet there."""
    d = X.shape[1]
    rows = signs != 0
    walls = np.concatenate([signs[rows, None] * X[rows], np.eye(d), -np.eye(d)])
    heights = np.concatenate([np.zeros(rows.sum()), -np.ones(2 * d)])
    found = []
    for chosen in itertools.combinations(range(len(walls)), d):
        part = walls[list(chosen)]
        if abs(np.linalg.det(part)) > TOLERANCE:
            v = np.linalg.solve(part, heights[list(chosen)])
            if (walls @ v >= heights - TOLERANCE).all():
                found.append(v)
    return found


def _least_distance(V: Float[np.ndarray, "v n"]) -> float | None:
    """Return the least positive distance of 0 from the hull of some of the vectors, ``None`` if there are too many."""
    count, n = V.shape
    if sum(math.comb(count, k) for k in range(1, n + 1)) > MOST_SUBSETS:
        return None
    size = float(np.abs(V).max())
    V, best = V / size, math.inf
    for k in range(1, n + 1):
        sets = itertools.combinations(range(count), k)
        while chunk := list(itertools.islice(sets, 20_000)):
            L = V[np.array(chunk)]
            K = np.zeros((len(L), k + 1, k + 1))  # min |sum c_i L_i|^2 with sum c = 1
            K[:, :k, :k] = L @ L.transpose(0, 2, 1)
            K[:, :k, k] = K[:, k, :k] = 1.0
            right = np.zeros((len(L), k + 1, 1))
            right[:, k] = 1.0
            good = np.abs(np.linalg.det(K)) > TOLERANCE
            c = np.linalg.solve(K[good], right[good])[:, :k, 0]
            distance = np.linalg.norm(np.einsum("bk,bkn->bn", c, L[good]), axis=1)
            inside = (c >= -TOLERANCE).all(axis=1) & (distance > TOLERANCE)
            best = min(best, float(distance[inside].min(initial=math.inf)))
    return best * size
