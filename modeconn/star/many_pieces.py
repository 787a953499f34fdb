"""Shorter paths of minima, with many pieces: a convex program once it is fixed where every neuron crosses 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import clarabel
import numpy as np
from scipy import sparse

from modeconn.errors import InputError
from modeconn.star.connectivity import are_linearly_connected
from modeconn.star.constructions import two_piece_path
from modeconn.star.geodesic import root, squared_lengths
from modeconn.star.minima import Minima, dyadic_magnitudes, teacher_count

__all__ = ["many_piece_path", "path_ratio"]


SPREADS = (0.0, 0.3, 0.6)
"""How far the crossings are spread about their even times; the shortest path wins."""
GOLDEN = (math.sqrt(5) - 1) / 2


def path_ratio(corners: Sequence[Minima]) -> float:
    """Return the length of a path of minima over the distance of its ends, rounded upward.

    Raises:
        InputError: two neighbouring corners that are not linearly connected, or equal ends.
    """
    for first, second in pairwise(corners):
        if not are_linearly_connected(first.labels, second.labels):
            raise InputError("path_ratio: expected corners linearly connected one to the next; see is_teacher")
    steps = (squared_lengths(*pair).euclidean for pair in pairwise(corners))
    straight = int(squared_lengths(corners[0], corners[-1]).euclidean)
    if straight == 0:
        raise InputError("path_ratio: expected two different ends, found equal ones")
    ratios = (root(Fraction(int(step), straight), math.inf) for step in steps)
    return math.nextafter(math.fsum(ratios), math.inf)


def many_piece_path(first: Minima, second: Minima, pieces: int = 8) -> list[Minima] | None:
    r"""Return the corners of a short path of minima with so many pieces; ``None`` if none of this form was found.

    A neuron that changes its teacher is 0 at one corner, that nearest to the fraction a/(a + b) of the way, where it
    would be if it moved evenly along its two rays, or scattered about it if that is shorter; one that is 0 at both
    ends may serve one teacher in between. With this fixed the corners of least energy

    $$\min \; \sum_k \lVert \theta_{k+1} - \theta_k \rVert^2$$

    over magnitudes >= 0 that add up to 1 for every teacher at every corner solve a convex quadratic program in
    m (pieces - 1) numbers. They are then rounded to minima that floats hold exactly, so the length is that of a path
    of minima whatever the solver did. With two pieces the centre is the best one, that of
    :func:`two_piece_squares`.

    Args:
        first: where the path starts.
        second: where it ends.
        pieces: number of pieces, at least 2.

    Raises:
        InputError: fewer than two pieces.

    Example:
        >>> from modeconn.star import sample_minima
        >>> both = sample_minima(0, 2, 40, 2)
        >>> ends = [Minima(both.labels[i], both.magnitudes[i]) for i in range(2)]
        >>> path_ratio(many_piece_path(*ends, 6)) < path_ratio(many_piece_path(*ends, 2))
        True

    Reference: claim G7, the upper bound.
    """
    if pieces < 2:
        raise InputError(f"many_piece_path: expected at least 2 pieces, found {pieces}")
    if two_piece_path(first, second) is None:
        return None
    found = [path for spread in SPREADS if (path := _path_crossing_at(first, second, pieces, spread)) is not None]
    return min(found, key=path_ratio, default=None)


def _path_crossing_at(first: Minima, second: Minima, pieces: int, spread: float) -> list[Minima] | None:
    """Return the path of least energy whose neurons cross 0 at their even times, spread by so much."""
    M = teacher_count(first)
    labels = _corner_labels(first, second, pieces, spread)
    if not all((labels == j).any(1).all() for j in range(1, M + 1)):
        return None
    inner = _least_energy(labels, first, second, M)
    if inner is None:
        return None
    magnitudes = dyadic_magnitudes(labels, np.maximum(inner, 1e-12), M)
    return [first, *(Minima(labels[k], magnitudes[k]) for k in range(pieces - 1)), second]


def _corner_labels(first: Minima, second: Minima, pieces: int, spread: float) -> np.ndarray:
    """Return the teacher that every neuron may serve at the inner corners, (pieces - 1, m)."""
    M = teacher_count(first)
    start, end = first.labels, second.labels
    total = first.magnitudes + second.magnitudes
    share = np.divide(first.magnitudes, total, out=np.zeros_like(total), where=total > 0)
    scatter = spread * ((np.arange(len(start)) * GOLDEN) % 1 - 0.5)
    crossing = np.clip(np.round((share + scatter) * pieces), 1, pieces - 1)
    corner = np.arange(1, pieces)[:, None]
    changing = np.where(corner < crossing, start, np.where(corner > crossing, end, 0))
    idle = np.zeros_like(start)
    places = np.flatnonzero((start == 0) & (end == 0))
    idle[places] = 1 + np.arange(len(places)) % M
    changes = (start != end) & (start > 0) & (end > 0)
    return np.asarray(np.where(changes, changing, np.maximum(np.maximum(start, end), idle)))


def _least_energy(labels: np.ndarray, first: Minima, second: Minima, M: int) -> np.ndarray | None:
    """Return the magnitudes at the inner corners, (pieces - 1, m), or ``None`` when the solver gives up."""
    corners, m = labels.shape
    difference = sparse.diags_array(
        [np.ones(corners), -np.ones(corners)], offsets=[0, -1], shape=(corners + 1, corners)
    )
    energy = sparse.kron(difference.T @ difference, sparse.eye_array(m), format="csc")
    linear = np.zeros((corners, m))
    linear[0] -= first.magnitudes
    linear[-1] -= second.magnitudes
    flat = labels.ravel()
    index = np.arange(corners * m)
    alive = flat > 0
    row = (index // m) * M + flat - 1
    sums = sparse.csc_array((np.ones(alive.sum()), (row[alive], index[alive])), shape=(corners * M, corners * m))
    zero = sparse.eye_array(corners * m, format="csr")[index[~alive]]
    constraints = sparse.vstack([sums, zero, -sparse.eye_array(corners * m)], format="csc")
    right = np.concatenate([np.ones(corners * M), np.zeros(int((~alive).sum()) + corners * m)])
    cones = [clarabel.ZeroConeT(corners * M + int((~alive).sum())), clarabel.NonnegativeConeT(corners * m)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    upper = sparse.csc_matrix(sparse.triu(energy))
    solution = clarabel.DefaultSolver(
        upper, linear.ravel(), sparse.csc_matrix(constraints), right, cones, settings
    ).solve()
    if solution.status not in (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved):
        return None
    return np.asarray(solution.x).reshape(corners, m)
