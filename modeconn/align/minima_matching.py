"""Alignment of two minima of the teacher-student model: the permutation with the least mixing of axes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from modeconn.errors import InputError

__all__ = ["MinimaMatching", "match_minima", "mixing_cost"]


class MinimaMatching(NamedTuple):
    """Two aligned minima.

    Attributes:
        permutation: neuron ``permutation[i]`` of the second minimum takes the place of neuron i of the first.
        lower: no permutation has a smaller loss halfway along the segment than this, hence no smaller barrier.
        mixed: number of places where two different teachers meet.
        mixed_mass: sum of both magnitudes over these places.
    """

    permutation: Int[np.ndarray, " m"]
    lower: float
    mixed: int
    mixed_mass: float


def mixing_cost(a: Float[np.ndarray, "*n"], b: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    r"""Return E D^2 for a neuron a e_j that meets b e_k, j != k, halfway: what the place misses, x ~ N(0, I).

    $$D = \tfrac12\bigl(a\,\mathrm{relu}(x_j) + b\,\mathrm{relu}(x_k) - \mathrm{relu}(a x_j + b x_k)\bigr)
        = \tfrac12 \min(a |x_j|, b |x_k|) \text{ where } x_j x_k < 0 \text{, else } 0.$$

    Example:
        >>> float(mixing_cost(np.array(1.0), np.array(1.0)).round(6))  # a swap has two such places: 2 * 0.045423
        0.045423
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    angle = np.arctan2(a, b)  # E min(a|x|, b|y|)^2 in polar coordinates, E r^2 = 2
    first = a**2 * (np.pi / 2 - angle - np.sin(2 * angle) / 2)
    second = b**2 * (angle - np.sin(2 * angle) / 2)
    return np.asarray((first + second) / (4 * np.pi))


def match_minima(
    labels: Int[np.ndarray, " m"],
    magnitudes: Float[np.ndarray, " m"],
    other_labels: Int[np.ndarray, " m"],
    other_magnitudes: Float[np.ndarray, " m"],
) -> MinimaMatching:
    """Return the permutation that minimises the sum of E D^2 over the places where two teachers meet.

    Halfway along the segment the student misses sum_i D_i with D_i >= 0, so the loss there is at least
    1/2 sum_i E D_i^2: the minimum of the assignment bounds the barrier under every permutation from below. Cost O(m^3).

    Args:
        labels: the teacher 1..M of each neuron of the first minimum, 0 for a neuron that is 0.
        magnitudes: their lengths.
        other_labels: those of the second minimum, of the same width.
        other_magnitudes: their lengths.

    Raises:
        InputError: shapes that differ.

    Example:
        >>> found = match_minima(np.array([1, 2]), np.ones(2), np.array([2, 1]), np.ones(2))
        >>> found.permutation.tolist(), found.lower, found.mixed
        ([1, 0], 0.0, 0)

    Reference: Zhan, Li and Wu (2025), Analyzing the role of permutation invariance; claim ZHAN.
    """
    shapes = {np.shape(x) for x in (labels, magnitudes, other_labels, other_magnitudes)}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise InputError(f"match_minima: expected four arrays of one shape (m,), found shapes {sorted(shapes)}")
    is_mixed = (labels[:, None] != other_labels) & (labels[:, None] > 0) & (other_labels > 0)
    cost = np.where(is_mixed, mixing_cost(magnitudes[:, None], other_magnitudes), 0.0)
    rows, permutation = linear_sum_assignment(cost)
    chosen = is_mixed[rows, permutation]
    mass = (magnitudes + other_magnitudes[permutation])[chosen].sum()
    return MinimaMatching(permutation, float(cost[rows, permutation].sum() / 2), int(chosen.sum()), float(mass))
