"""Minima of the teacher-student model: which axis every neuron lies on, and how long it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from modeconn.errors import InputError

__all__ = [
    "UNIT",
    "Minima",
    "check_minima",
    "dyadic_magnitudes",
    "minima_from_weights",
    "teacher_count",
    "units",
    "weights",
]

UNIT = 2.0**-28
"""Magnitudes are multiples of this, so that floats lie exactly on the manifold and squares add up in int64."""


class Minima(NamedTuple):
    """A batch of minima of E (sum_i relu(w_i.x) - sum_{j <= M} relu(x_j))^2: neuron i is magnitudes[i] e_labels[i].

    Attributes:
        labels: (..., m), the teacher 1..M that a neuron serves, 0 for a neuron that is 0.
        magnitudes: (..., m), positive where the label is, multiples of :data:`UNIT` that add up to exactly 1 over the
            neurons of a teacher.
    """

    labels: Int[np.ndarray, "*n m"]
    magnitudes: Float[np.ndarray, "*n m"]


def teacher_count(minima: Minima) -> int:
    """Return M, the largest label."""
    return int(minima.labels.max(initial=0))


def weights(minima: Minima, d: int) -> Float[np.ndarray, "*n d m"]:
    """Return the hidden matrices, one neuron a column; the output weights are all 1.

    Raises:
        InputError: fewer input dimensions than teachers.

    Example:
        >>> weights(Minima(np.array([1, 0, 2]), np.array([1.0, 0.0, 1.0])), d=2).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if d < teacher_count(minima):
        raise InputError(f"weights: expected d >= M = {teacher_count(minima)}, found d = {d}; use a larger d")
    axes = np.arange(1, d + 1)[:, None]
    return np.asarray(np.where(minima.labels[..., None, :] == axes, minima.magnitudes[..., None, :], 0.0))


def minima_from_weights(W: Float[np.ndarray, "*n d m"], M: int) -> Minima:
    """Return labels and magnitudes of hidden matrices whose neurons lie on the teachers' rays.

    The sums of the columns are the caller's affair (a trained net meets them to rounding).

    Raises:
        InputError: no matrices of finite numbers with d >= M rows, or a neuron is off the rays;
            ``proofs_check.exact.teacher.is_teacher`` decides the general case.
    """
    W = np.asarray(W)
    if W.ndim < 2 or not 1 <= M <= W.shape[-2] or W.dtype.kind not in "iuf" or not np.isfinite(W).all():
        raise InputError(
            f"minima_from_weights: expected finite matrices (..., d, m) with d >= M >= 1, found shape {W.shape} of "
            f"{W.dtype} and M = {M}; one neuron is a column"
        )
    used = W != 0
    if (used.sum(-2) > 1).any() or used[..., M:, :].any() or (W < 0).any():
        raise InputError(f"minima_from_weights: expected neurons on the rays of e_1..e_{M}, found one off them")
    return Minima(np.where(used.any(-2), used.argmax(-2) + 1, 0), W.sum(-2))


def units(minima: Minima) -> Int[np.ndarray, "*n m"]:
    """Return the magnitudes as integers, in units of :data:`UNIT`.

    Raises:
        InputError: a magnitude that is no multiple of it.
    """
    scaled = minima.magnitudes / UNIT
    if not (np.abs(scaled) < 2.0**62).all() or (np.rint(scaled) != scaled).any():
        raise InputError("units: expected magnitudes that are multiples of UNIT; use dyadic_magnitudes")
    return np.asarray(scaled.astype(np.int64))


def check_minima(minima: Minima, M: int, name: str) -> None:
    """Raise :class:`InputError` unless the magnitudes are those of minima for M teachers, exactly."""
    a, whole = units(minima), round(1 / UNIT)
    if a.shape != minima.labels.shape:
        raise InputError(f"{name}: expected a magnitude for each label, found {a.shape} and {minima.labels.shape}")
    sums = [np.where(minima.labels == j, a, 0).sum(-1) for j in range(M + 1)]
    if (a < 0).any() or np.any(sums[0]) or any((total != whole).any() for total in sums[1:]):
        raise InputError(
            f"{name}: expected minima: magnitudes >= 0 that add up to 1 for each of {M} teachers, 0 for label 0; "
            "use dyadic_magnitudes"
        )


def dyadic_magnitudes(
    labels: Int[np.ndarray, "n m"], relative: Float[np.ndarray, "n m"], M: int
) -> Float[np.ndarray, "n m"]:
    """Return magnitudes in the ratios of ``relative`` (to UNIT each) that add up to exactly 1 over every teacher.

    Every served neuron gets one unit, the rest is shared out in proportion and rounded down, and what is left goes to
    the longest neuron. Cost O(n m M).
    """
    whole = round(1 / UNIT)
    found = np.zeros(labels.shape, np.int64)
    for j in range(1, M + 1):
        mine = labels == j
        share = np.where(mine, relative, 0.0)
        free = whole - mine.sum(-1, keepdims=True)
        counted = np.where(mine, 1 + np.floor(share / share.sum(-1, keepdims=True) * free).astype(np.int64), 0)
        longest = counted.argmax(-1)[..., None]
        rest = whole - counted.sum(-1, keepdims=True)
        np.put_along_axis(counted, longest, np.take_along_axis(counted, longest, -1) + rest, -1)
        found += counted
    return np.asarray(found * UNIT)
