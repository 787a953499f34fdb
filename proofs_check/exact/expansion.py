"""The zero-loss set of a smooth student wider than its teacher: affine pieces, enumerated and counted exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import comb

from proofs_check.exact.rational import ExactInputError

__all__ = [
    "Piece",
    "affine_pieces",
    "are_meeting",
    "bell_number",
    "connected_groups",
    "piece_count",
    "student_matches",
    "surjection_count",
]

Row = tuple[Fraction, ...]
"""Coefficients of a linear equation, its right hand side last."""

Teacher = Sequence[tuple[Sequence[int], int]]
"""Neurons (w, a): a sum of a sigma(w . x)."""


@dataclass(frozen=True)
class Piece:
    """An affine subspace of the students theta = (w_1, ..., w_m, a_1, ..., a_m).

    Attributes:
        equations: its equations in reduced row echelon form, so that equal subspaces are equal records.
        unknowns: the number of weights, m (d + 1).
    """

    equations: tuple[Row, ...]
    unknowns: int

    @property
    def dimension(self) -> int:
        """The dimension of the subspace."""
        return self.unknowns - len(self.equations)

    def contains(self, theta: Sequence[Fraction | int]) -> bool:
        """Return whether a student lies in the piece."""
        return all(sum(c * x for c, x in zip(row, theta, strict=False)) == row[-1] for row in self.equations)

    def is_inside(self, other: Piece) -> bool:
        """Return whether this piece is a subset of the other: its equations imply the other's."""
        return len(_reduced([*self.equations, *other.equations])) == len(self.equations)


def affine_pieces(teacher: Teacher, m: int) -> set[Piece]:
    """Return the affine pieces of the students of width m that compute the teacher, by brute force.

    Every student neuron gets a label: a neuron of the teacher, or one of m - r spare groups. Neurons with one label
    share their hidden weights; their output weights add up to that of the teacher's neuron, or to 0 in a spare group.
    All labellings that use every neuron of the teacher are written as equations and reduced; equal ones count once.
    Cost: m^m reductions of m (d + 1) equations, so m <= 5.

    Args:
        teacher: r neurons (w, a), with integer weights.
        m: width of the student, at least r.

    Example:
        >>> [len(affine_pieces([([1], 2)], m)) for m in (1, 2, 3)]
        [1, 3, 10]

    Reference: Simsek et al. (2021), Theorem 4.2; claim SIM.
    """
    r = len(teacher)
    if not 1 <= r <= m:
        raise ExactInputError(f"affine pieces: expected 1 <= r <= m, found r = {r}, m = {m}")
    labellings = (labels for labels in product(range(m), repeat=m) if set(range(r)) <= set(labels))
    return {_piece(teacher, labels) for labels in labellings if _is_in_order(labels, r)}


def _is_in_order(labels: Sequence[int], r: int) -> bool:
    """Return whether spare groups appear in the order of their numbers: other numberings give the same equations."""
    spare = list(dict.fromkeys(label for label in labels if label >= r))
    return spare == list(range(r, r + len(spare)))


def _piece(teacher: Teacher, labels: Sequence[int]) -> Piece:
    m, d = len(labels), len(teacher[0][0])
    unknowns = m * (d + 1)
    rows: list[Row] = []
    for label in set(labels):
        group = [i for i, other in enumerate(labels) if other == label]
        has_teacher = label < len(teacher)
        w, a = teacher[label] if has_teacher else ((0,) * d, 0)
        for i in group if has_teacher else group[1:]:
            for k in range(d):
                entries = {i * d + k: 1} if has_teacher else {i * d + k: 1, group[0] * d + k: -1}
                rows.append(_row(entries, w[k], unknowns))
        rows.append(_row({m * d + i: 1 for i in group}, a, unknowns))
    return Piece(_reduced(rows), unknowns)


def _row(entries: dict[int, int], right: int, unknowns: int) -> Row:
    return (*(Fraction(entries.get(k, 0)) for k in range(unknowns)), Fraction(right))


def _reduced(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the reduced row echelon form without zero rows (a row 0 = 1 is kept)."""
    rest = [list(row) for row in rows]
    done: list[list[Fraction]] = []
    for k in range(len(rest[0]) if rest else 0):
        pivot = next((row for row in rest if row[k]), None)
        if pivot is None:
            continue
        rest.remove(pivot)
        pivot = [x / pivot[k] for x in pivot]
        for row in (*rest, *done):
            factor = row[k]
            if factor:
                row[:] = [x - factor * p for x, p in zip(row, pivot, strict=True)]
        done.append(pivot)
    return tuple(tuple(row) for row in done)


def are_meeting(one: Piece, other: Piece) -> bool:
    """Return whether two pieces have a student in common: their equations do not contradict each other."""
    return not any(not any(row[:-1]) for row in _reduced([*one.equations, *other.equations]))


def student_matches(teacher: Teacher, theta: Sequence[int], m: int) -> bool:
    """Return whether the student with integer weights computes the teacher, for the activation sigma(z) = 2^z.

    It is enough to compare at x_k = k (1, B, B^2, ...), k < m + r, with B above all differences of weights: there a
    neuron is the geometric series of the ratio 2^(w . x_1), different ones for different w, and so many values of
    so many geometric series vanish only with the coefficients (Vandermonde).

    Args:
        teacher: r neurons with integer weights.
        theta: the student's weights (w_1, ..., w_m, a_1, ..., a_m).
        m: its width.

    Example:
        >>> student_matches([([1], 2)], [1, 1, 3, -1], 2), student_matches([([1], 2)], [1, 1, 3, 1], 2)
        (True, False)
    """
    d = len(teacher[0][0])
    students = [(theta[i * d : (i + 1) * d], theta[m * d + i]) for i in range(m)]
    base = 1 + 2 * max(abs(x) for w, _ in (*students, *teacher) for x in w)
    terms = [(sum(x * base**k for k, x in enumerate(w)), a) for w, a in students]
    terms += [(sum(x * base**k for k, x in enumerate(w)), -a) for w, a in teacher]
    return all(sum(a * Fraction(2) ** (k * z) for z, a in terms) == 0 for k in range(len(terms)))


def piece_count(r: int, m: int) -> int:
    """Return T(r, m) by its closed formula: sum over u of C(m, u) G(r, m - u) Bell(u).

    u neurons are spare and fall into any number of unnamed groups; the others map onto the teacher's r neurons.

    Example:
        >>> [piece_count(r, m) for r, m in ((1, 2), (2, 3), (2, 4), (3, 4), (3, 5))]
        [3, 12, 62, 60, 450]

    Reference: Simsek et al. (2021), Proposition 4.3 (in their form the spare groups are a sum over compositions).
    """
    return sum(comb(m, u) * surjection_count(r, m - u) * bell_number(u) for u in range(m - r + 1))


def surjection_count(r: int, m: int) -> int:
    """Return the number of maps of m things onto r: sum_i (-1)^(r - i) C(r, i) i^m.

    Example:
        >>> surjection_count(2, 3)
        6
    """
    return sum((-1) ** (r - i) * comb(r, i) * i**m for i in range(r + 1))


def bell_number(u: int) -> int:
    """Return the number of partitions of u things into groups.

    Example:
        >>> [bell_number(u) for u in range(6)]
        [1, 1, 2, 5, 15, 52]
    """
    numbers = [1]
    for n in range(u):
        numbers.append(sum(comb(n, k) * numbers[k] for k in range(n + 1)))
    return numbers[u]


def connected_groups(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Yield the connected components of a union of affine pieces, as lists of pieces."""
    rest = list(pieces)
    while rest:
        group = frontier = [rest.pop()]
        while frontier:
            reached = [piece for piece in rest if any(are_meeting(piece, other) for other in frontier)]
            rest = [piece for piece in rest if piece not in reached]
            group, frontier = [*group, *reached], reached
        yield group
