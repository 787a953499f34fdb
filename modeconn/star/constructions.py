"""Paths of minima, built: two pieces, four pieces, and centres two pieces away; all points exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Int

from modeconn.errors import InputError
from modeconn.star.connectivity import places
from modeconn.star.minima import Minima, check_minima, teacher_count, weights

__all__ = [
    "common_centre",
    "four_piece_path",
    "merged",
    "path_certificate",
    "path_problem",
    "two_piece_centre",
    "two_piece_path",
]

Labels = Int[np.ndarray, " m"]


def _unit_minimum(labels: Labels) -> Minima:
    """Return the minimum in which every labelled neuron, one a teacher, has length 1."""
    return Minima(labels, np.where(labels > 0, 1.0, 0.0))


def common_centre(labels: Int[np.ndarray, "k m"], M: int) -> Minima | None:
    """Return a common linear centre of k minima, one neuron of length 1 a teacher; ``None`` if there is none.

    Teachers with a place of their own take the first one, the others take free places in order.

    Example:
        >>> centre = common_centre(np.array([[1, 2, 0, 0], [2, 1, 0, 0]]), 2)
        >>> centre.labels.tolist()
        [0, 0, 1, 2]
    """
    found = places(labels, M)
    free = iter(np.flatnonzero(found.teacher == 0))
    centre = np.zeros(labels.shape[-1], int)
    for j in range(1, M + 1):
        own = np.flatnonzero(found.teacher == j)
        place = own[0] if len(own) else next(free, None)
        if place is None:
            return None
        centre[place] = j
    return _unit_minimum(centre)


def merged(labels: Labels, M: int) -> Labels:
    """Return the labels of the minimum that keeps the first neuron of every teacher; linearly connected to it.

    Example:
        >>> merged(np.array([1, 2, 1, 2, 0]), 2).tolist()
        [1, 2, 0, 0, 0]
    """
    kept = np.zeros_like(labels)
    for j in range(1, M + 1):
        kept[np.flatnonzero(labels == j)[0]] = j
    return kept


def two_piece_path(first: Minima, second: Minima) -> list[Minima] | None:
    """Return the three corners of a two-piece path of minima; ``None`` if there is none.

    Raises:
        InputError: two ends that are no minima of one width for the same teachers.

    Reference: Lin, Li, Wu (2024), proof of Theorem 8; claim G3.
    """
    _check_pair(first, second)
    centre = common_centre(np.stack([first.labels, second.labels]), teacher_count(first))
    return None if centre is None else [first, centre, second]


def four_piece_path(first: Minima, second: Minima) -> list[Minima]:
    """Return the corners of a path of at most four pieces between any two minima of width m >= 2M - 1.

    Both are merged to one neuron a teacher; the merged minima have a common centre, or have one once a single neuron
    of each stands elsewhere among the places that its own minimum leaves to it. (Merging alone does not suffice: at
    m = 2M - 1 two minima without spare neurons may be derangements of each other on the same M places.)

    Raises:
        InputError: m < 2M - 1, or two minima that do not fit together.

    Reference: Lin, Li, Wu (2024), Theorem 9; claim G4.
    """
    _check_pair(first, second)
    M, m = teacher_count(first), first.labels.shape[-1]
    if m < 2 * M - 1:
        raise InputError(f"four_piece_path: expected m >= 2M - 1 = {2 * M - 1}, found m = {m}; widen both with zeros")
    for near, far in product(_reduced(first.labels, M), _reduced(second.labels, M)):
        centre = common_centre(np.stack([near, far]), M)
        if centre is not None:
            return [first, _unit_minimum(near), centre, _unit_minimum(far), second]
    raise AssertionError("Theorem 9 fails")  # claim G4 puts this on trial


def _reduced(labels: Labels, M: int) -> Iterator[Labels]:
    """Yield minima with one neuron a teacher, linearly connected to that of the labels: merged, then one moved."""
    base = merged(labels, M)
    yield base
    for j in range(1, M + 1):
        for place in np.flatnonzero((base == 0) & ((labels == 0) | (labels == j))):
            moved = np.where(base == j, 0, base)
            moved[place] = j
            yield moved


def two_piece_centre(labels: Int[np.ndarray, "k m"], M: int) -> tuple[Minima, list[Minima]]:
    """Return a minimum two pieces away from each of k minima of width m >= kM, and the k corners in between.

    The feet are merged to one neuron a teacher. The first k - 1 leave at least M places where all are zero; there the
    centre agrees with the last foot where that is not zero.

    Raises:
        InputError: m < kM.

    Reference: Lin, Li, Wu (2024), Theorem 11; claim G5.
    """
    k, m = labels.shape
    if m < k * M:
        raise InputError(f"two_piece_centre: expected m >= k M = {k * M}, found m = {m}; widen the minima with zeros")
    feet = np.stack([merged(foot, M) for foot in labels])
    shared = np.flatnonzero((feet[:-1] == 0).all(0))
    shared = shared[np.argsort(feet[-1, shared] == 0, kind="stable")][:M]  # the last foot's neurons first
    centre = np.zeros(m, int)
    centre[shared] = feet[-1, shared]
    left = [j for j in range(1, M + 1) if j not in centre]
    centre[shared[centre[shared] == 0]] = left
    return _unit_minimum(centre), [_unit_minimum(foot) for foot in feet]


def _rows(minimum: Minima, d: int) -> list[list[float]]:
    rows: list[list[float]] = weights(minimum, d).T.tolist()
    return rows


def path_problem(first: Minima, second: Minima, d: int) -> dict[str, Any]:
    """Return the problem of a ``"teacher-path"`` certificate: the two minima, one neuron a row."""
    return {"M": teacher_count(first), "start": _rows(first, d), "end": _rows(second, d)}


def path_certificate(corners: Sequence[Minima], d: int) -> dict[str, Any]:
    """Return the certificate that the straight pieces between the corners consist of minima, for the checker.

    Example:
        >>> from proofs_check.checker import check_certificate
        >>> first = Minima(np.array([1, 2, 0]), np.array([1.0, 1.0, 0.0]))
        >>> second = Minima(np.array([0, 2, 1]), np.array([0.0, 1.0, 1.0]))
        >>> check_certificate(path_certificate([first, second], 2), path_problem(first, second, 2)).accepted
        True
    """
    return {
        "format": "modeconn.certificate/1",
        "kind": "teacher-path",
        "statement": {"pieces": len(corners) - 1},
        "evidence": {"points": [_rows(corner, d) for corner in corners[1:-1]]},
    }


def _check_pair(first: Minima, second: Minima) -> None:
    if first.labels.ndim != 1 or first.labels.shape != second.labels.shape:
        raise InputError(
            f"expected two minima of one width, found labels {first.labels.shape} and {second.labels.shape}; "
            "take one of a batch"
        )
    M, other = teacher_count(first), teacher_count(second)
    if other != M:
        raise InputError(f"expected minima for the same teachers, found M = {M} and {other}")
    check_minima(first, M, "first end")
    check_minima(second, M, "second end")
