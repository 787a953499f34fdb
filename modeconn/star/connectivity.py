"""Exact criteria: which minima are joined by one segment of minima, by two, or to a common centre."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from modeconn.errors import InputError

__all__ = ["Places", "are_linearly_connected", "has_centre", "is_two_piece_connected", "places"]


class Places(NamedTuple):
    """What a common linear centre of k minima can use: a place serves one teacher, any teacher, or none.

    Attributes:
        own: (..., M), the number of places that can serve teacher j and no other.
        free: (...,), the number of places that can serve any teacher: every foot is 0 there.
        teacher: (..., m), the one teacher that a place can serve, 0 for a free place, -1 for none.
    """

    own: Int[np.ndarray, "*n M"]
    free: Int[np.ndarray, "*n"]
    teacher: Int[np.ndarray, "*n m"]


def are_linearly_connected(first: Int[np.ndarray, "*n m"], second: Int[np.ndarray, "*n m"]) -> Bool[np.ndarray, "*n"]:
    """Return whether the segment between two minima consists of minima: in every place one is 0 or both labels agree.

    Example:
        >>> are_linearly_connected(np.array([1, 2, 0]), np.array([1, 0, 2])).item()
        True

    Reference: Lin, Li, Wu (2024), Lemma 7; claim G2.
    """
    return np.asarray(((first == 0) | (second == 0) | (first == second)).all(-1))


def places(labels: Int[np.ndarray, "*n k m"], M: int) -> Places:
    """Return what a common linear centre of the k minima with these labels can use."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.ndim < 2 or labels.size == 0 or labels.min() < 0 or labels.max() > M:
        raise InputError(
            f"places: expected whole labels (..., k, m) in 0..{M}, found shape {labels.shape} of {labels.dtype}, or "
            "entries beyond; 0 is a zero neuron"
        )
    if M < 1:
        raise InputError(f"places: expected at least one teacher, found M = {M}")
    high = labels.max(-2)
    low = np.where(labels == 0, M + 1, labels).min(-2)
    teacher = np.where(high == 0, 0, np.where(low == high, high, -1))
    own = np.stack([(teacher == j).sum(-1) for j in range(1, M + 1)], -1)
    return Places(own, (high == 0).sum(-1), teacher)


def has_centre(labels: Int[np.ndarray, "*n k m"], M: int) -> Bool[np.ndarray, "*n"]:
    r"""Return whether k minima have a common centre, a minimum joined to each of them by a segment of minima.

    The centre serves every teacher j from a place where each foot is 0 or serves j, and different teachers from
    different places: a matching that saturates the teachers. A place admits one teacher, all of them or none, so
    Hall's condition is a count:

    $$\#\{j : \mathrm{own}_j = 0\} \le \mathrm{free}.$$

    Exact, for all magnitudes; cost O(k m M) for each.

    Args:
        labels: of k minima, (..., k, m).
        M: teachers.

    Example:
        >>> has_centre(np.array([[1, 2, 0], [2, 1, 0]]), 2).item()
        False
        >>> has_centre(np.array([[1, 2, 0, 0], [2, 1, 0, 0]]), 2).item()
        True

    Reference: Lin, Li, Wu (2024), Theorems 8 and 10; claims G3, G5.
    """
    found = places(labels, M)
    return np.asarray((found.own == 0).sum(-1) <= found.free)


def is_two_piece_connected(
    first: Int[np.ndarray, "*n m"], second: Int[np.ndarray, "*n m"], M: int
) -> Bool[np.ndarray, "*n"]:
    """Return whether two minima are joined by two segments of minima, see :func:`has_centre`.

    Example:
        >>> is_two_piece_connected(np.array([1, 2, 2]), np.array([1, 1, 2]), 2).item()
        True
    """
    if np.shape(first) != np.shape(second):
        raise InputError(f"two pieces: expected labels of one shape, found {np.shape(first)} and {np.shape(second)}")
    return has_centre(np.stack([first, second], -2), M)
