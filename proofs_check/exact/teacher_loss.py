"""The Gaussian population loss of a net of non-negative weights against unit teachers, as an interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations

from proofs_check.exact.interval import BITS, Interval
from proofs_check.exact.rational import ExactInputError
from proofs_check.exact.relu_pair import relu_pair

__all__ = ["teacher_loss"]

Neuron = Mapping[int, Fraction]
"""The coordinates of w that are not 0, by axis."""


def teacher_loss(neurons: Iterable[Neuron], M: int, bits: int = BITS) -> Interval:
    """Return 1/2 E (sum_i relu(w_i . x) - sum_{j < M} relu(x_j))^2 for x ~ N(0, I), rigorously.

    Parallel neurons are added up first, so that a net that computes the teacher has loss exactly [0, 0]. Cost: one
    arctangent for each pair of different directions.

    Args:
        neurons: hidden weights by axis 0..M-1, none negative; output weights are 1.
        M: number of teachers.
        bits: significant bits of the intervals.

    Raises:
        ExactInputError: a negative weight, or an axis without a teacher.

    Example:
        >>> half = Fraction(1, 2)
        >>> teacher_loss([{0: half}, {1: Fraction(1)}, {0: half}], 2).is_point
        True
        >>> swapped = teacher_loss([{0: half, 1: half}, {0: half, 1: half}], 2)
        >>> float(swapped.lower), float(swapped.width) < 1e-30  # 1/4 - 1/(2 pi)
        (0.09084505690810467, True)

    Reference: theory sections 5 and 6; claim ZHAN.
    """
    sums: dict[tuple[tuple[int, Fraction], ...], Fraction] = {}
    for neuron in neurons:
        entries = sorted((axis, w) for axis, w in neuron.items() if w)
        if any(w < 0 or not 0 <= axis < M for axis, w in entries):
            raise ExactInputError(f"teacher loss: expected weights >= 0 on the axes 0..{M - 1}, found {dict(neuron)}")
        if entries:
            size = sum(w for _, w in entries)
            ray = tuple((axis, w / size) for axis, w in entries)
            sums[ray] = sums.get(ray, Fraction(0)) + size
    for axis in range(M):
        ray = ((axis, Fraction(1)),)
        sums[ray] = sums.get(ray, Fraction(0)) - 1
    terms = [(dict(ray), size) for ray, size in sums.items() if size]
    loss = Interval.point(0, bits)
    for one, a in terms:
        loss = loss + a**2 * _product(one, one) / 4
    for (one, a), (other, b) in combinations(terms, 2):
        products = _product(one, other), _product(one, one), _product(other, other)
        points = (Interval.point(value, bits) for value in products)
        loss = loss + a * b * relu_pair(*points).correlation()
    return loss


def _product(one: Neuron, other: Neuron) -> Fraction:
    return sum((w * other[axis] for axis, w in one.items() if axis in other), Fraction(0))
