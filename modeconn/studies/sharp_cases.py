"""Data on which a width just below the threshold of W1 is disconnected, and how many neurons rigid nets have.

At the least radius B_M* of Muon's ball all interpolating nets consist of *tight* neurons: with nu, Lambda an optimal
dual (claim R3), every neuron has nu . f_j = alpha_j^2 = w_j^T Lambda w_j. These are two independent linear relations
between the N functionals, so at most N - 2 neurons of a rigid net are alive, and W1 with N - 2 in place of N
connects from m = N - 1 on: at this radius a net of N - 1 neurons is never isolated.

For rows x_i of norm 1 that add up to 0 with enough symmetry, nu = (1, ..., 1) and Lambda = I / d are such a dual up to
scale, and the tight directions are those that maximise sum_i relu(x_i . w) on the sphere. Then the nets are a polytope
{b >= 0 : Phi b = (y, G)}, b_k the amount of direction k, as for ridge-regularised optima (claims K1 to K5).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

from modeconn.regularised.polytope import Vertex, vertices

__all__ = [
    "TightSet",
    "polygon_rows",
    "polyhedron_rows",
    "polytope_components",
    "simplex_rows",
    "tight_set",
    "triangle_vertices",
    "vertex_live",
]


class TightSet(NamedTuple):
    """Tight directions of symmetric data.

    Attributes:
        directions: unit vectors w that maximise sum_i relu(x_i . w), (K, d).
        rank: of their functionals (relu(X w), w w^T, 1): the most neurons that a vertex can have.
        functionals: N = n + d (d + 1) / 2 + 1.
    """

    directions: Float[np.ndarray, "K d"]
    rank: int
    functionals: int


def polygon_rows(n: int) -> Float[np.ndarray, "n 2"]:
    """Return the corners of a regular polygon."""
    angles = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def simplex_rows(d: int) -> Float[np.ndarray, "n d"]:
    """Return the d + 1 corners of a regular simplex, of norm 1."""
    centred = np.eye(d + 1) - 1.0 / (d + 1)
    _, _, axes = np.linalg.svd(centred)
    rows = centred @ axes[:d].T
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def polyhedron_rows(name: str) -> Float[np.ndarray, "n 3"]:
    """Return the corners, of norm 1, of an octahedron, a cube or an icosahedron."""
    golden = (1 + math.sqrt(5)) / 2
    icosahedron = [np.roll([0.0, p, q * golden], k) for k in range(3) for p in (1, -1) for q in (1, -1)]
    corners = {
        "octahedron": np.concatenate([np.eye(3), -np.eye(3)]),
        "cube": np.array(list(itertools.product((1.0, -1.0), repeat=3))),
        "icosahedron": np.array(icosahedron),
    }[name]
    return corners / np.linalg.norm(corners, axis=1, keepdims=True)


def tight_set(X: Float[np.ndarray, "n d"], samples: int = 4000, seed: int = 0) -> TightSet:
    """Return the maximisers of sum_i relu(x_i . w) on the sphere, in floats.

    Such a w is the normalised sum of the rows it is active on; the patterns are met by drawing directions. Ties are
    decided at 1e-9, the rank at 1e-9 of the largest singular value.

    Example:
        >>> found = tight_set(polygon_rows(3))
        >>> len(found.directions), found.rank, found.functionals
        (6, 5, 7)
    """
    n, d = X.shape
    draws = np.random.default_rng(seed).standard_normal((samples, d))
    sums = np.unique((X @ draws.T > 0).T, axis=0) @ X
    sums = sums[np.linalg.norm(sums, axis=1) > 1e-9]
    units = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    values = np.maximum(X @ units.T, 0).sum(0)
    best = units[values > values.max() - 1e-9]
    _, first = np.unique(np.round(best, 9) + 0.0, axis=0, return_index=True)
    directions = best[first]
    i, j = np.triu_indices(d)
    columns = [np.maximum(X @ directions.T, 0.0), (directions[:, i] * directions[:, j]).T, np.ones((1, len(first)))]
    singular = np.linalg.svd(np.concatenate(columns), compute_uv=False)
    return TightSet(directions, int((singular > 1e-9 * singular[0]).sum()), n + d * (d + 1) // 2 + 1)


def triangle_vertices(y: Sequence[Fraction]) -> tuple[Vertex, ...]:
    """Return the vertices of the interpolating nets in Muon's ball of least radius, for unit rows at 120 degrees.

    On the unit circle sum_i relu(x_i . w) is 1 at w = x_i and w = -x_i and smaller elsewhere, so

        sum_i y_i <= sum_j |alpha_j| |w_j| <= |alpha|_2 |W|_F <= r sqrt(2) r.

    At r^2 = sum_i y_i / sqrt 2 all are equalities: neurons along these six directions with |w| = sqrt(2) alpha, and
    W W^T = r^2 I. With p_i, q_i the sums of sqrt(2) alpha^2 along x_i and -x_i the equations are rational:
    p_i + q_i = sum(y) / 3 and p_i + (q_j + q_k) / 2 = y_i.

    Example:
        >>> [len(v.support) for v in triangle_vertices([Fraction(10), Fraction(11), Fraction(13)])]
        [5, 5]

    Reference: theory W1, sharpness.
    """
    share = sum(y, Fraction(0)) / 3
    unit = [[Fraction(i == k) for k in range(3)] for i in range(3)]
    half = [[Fraction(int(i != k), 2) for k in range(3)] for i in range(3)]
    return vertices([unit[i] + unit[i] for i in range(3)] + [half[i] + unit[i] for i in range(3)], [*y, *[share] * 3])


def polytope_components(found: Sequence[Vertex], width: int) -> int:
    """Return the number of components of the nets of a width over a polytope of neuron amounts; 0 if there are none.

    A vertex with as many neurons as slots gives width! points. The others are pieces, joined when the union of two
    supports fits into the width; a piece has a dead slot, through which its neurons are permuted.

    Example:
        >>> edge = triangle_vertices([Fraction(10), Fraction(11), Fraction(13)])
        >>> [polytope_components(edge, m) for m in (4, 5, 6)]
        [0, 240, 1]

    Reference: claims K1 to K5.
    """
    full = sum(len(v.support) == width for v in found)
    pieces: list[set[int]] = []
    small = [set(v.support) for v in found if len(v.support) < width]
    for k in range(len(small)):
        joined = [p for p in pieces if any(len(small[k] | small[q]) <= width for q in p)]
        pieces = [p for p in pieces if p not in joined] + [set().union({k}, *joined)]
    return full * math.factorial(width) + len(pieces)


def vertex_live(found: TightSet, X: Float[np.ndarray, "n d"], trials: int = 20, seed: int = 0) -> int:
    """Return the most live neurons of a vertex found among random targets, in floats: these nets are isolated.

    Random amounts with G = T I give the targets y; a linear program with a random cost gives a vertex of all amounts
    with the same y and G.
    """
    rng = np.random.default_rng(seed)
    w = found.directions
    i, j = np.triu_indices(X.shape[1])
    gram = (w[:, i] * w[:, j]).T
    Phi = np.concatenate([np.maximum(X @ w.T, 0.0), gram])
    even = np.ones(len(w))
    _, singular, axes = np.linalg.svd(gram)
    free = axes[int((singular > 1e-9 * singular[0]).sum()) :]
    most = 0
    for _ in range(trials):
        move = rng.standard_normal(len(free)) @ free
        b = even + move * rng.uniform(0.2, 0.9) / max(float(np.abs(move).max(initial=0.0)), 1e-300)
        solved = linprog(rng.standard_normal(len(w)), A_eq=Phi, b_eq=Phi @ b, method="highs-ds")
        if solved.status == 0:
            most = max(most, int((solved.x > 1e-9).sum()))
    return most
