"""Spurious minima of the teacher-student loss under Gaussian inputs, verified in interval arithmetic.

F(W) = 1/2 E (sum_i relu(w_i . x) - sum_j relu(x_j))^2,  x ~ N(0, I_k),  i, j = 0, ..., k - 1.

The minima in question are symmetric: with n = k - 1,

    w_0 = a e_0 + b (e_1 + ... + e_n),   w_i = c e_0 + d e_i + e (sum of the other e_j, j >= 1),

fixed by the permutations S_n that act on neurons and inputs together. A critical point among them is one of F, for F
is invariant. Its Hessian commutes with S_n, and R^(k x k) splits into 5 copies of the trivial representation, 5 of
the standard one, and one each of (n-2, 2) and (n-2, 1, 1): the Hessian is positive definite iff two 5 x 5 matrices
and two numbers are, whatever k. They are second derivatives along a few explicit fields of directions, for which most
neurons are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs_check.exact.arc import pi
from proofs_check.exact.interval import Interval, enclosure
from proofs_check.exact.rational import ExactInputError, number_from
from proofs_check.exact.relu_pair import ReluPair, relu_pair

__all__ = ["SymmetricMinimum", "critical_box", "hessian_pivots", "symmetric_loss", "verify_symmetric_minimum"]

RADIUS = Fraction(1, 2**30)
"""Half the side of the box around a proposed critical point."""

Entry = Callable[[int, int], int]
"""A direction of W: (neuron, input coordinate) -> integer."""

Entries = Sequence[Interval | int]


@dataclass(frozen=True)
class SymmetricMinimum:
    """A strict local minimum, verified.

    Attributes:
        k: number of neurons of student and teacher, and of inputs.
        box: for a, b, c, d, e an interval each; the box holds exactly one critical point of this symmetry.
        loss: F there.
        pivots: lower bounds of all pivots of the Hessian's blocks, positive.
        split_curvature: upper bound of a curvature of F once w_0 is split into two halves that move apart; negative
            means that at width k + 1 the point has a way down.
    """

    k: int
    box: tuple[Interval, ...]
    loss: Interval
    pivots: tuple[Fraction, ...]
    split_curvature: Fraction


def verify_symmetric_minimum(k: int, proposal: Sequence[float | str | Fraction]) -> SymmetricMinimum | None:
    """Return the minimum next to a proposed one, ``None`` if the intervals do not show that there is one.

    The Krawczyk operator maps a box around the proposal into its interior: it holds exactly one zero of the gradient
    among the symmetric W. All pivots of the Hessian's blocks are positive on the whole image. Cost: independent of k.

    Args:
        k: at least 5.
        proposal: a, b, c, d, e, accurate to some nine digits; never trusted.

    Example:
        >>> found = verify_symmetric_minimum(7, [-0.632703904915, 0.185991046320, 0.261691075835, 0.996922798794,
        ...                                      -0.035080155932])
        >>> round(float(found.loss.lower), 12), float(found.loss.width) < 1e-7
        (0.023202714913, True)
        >>> verify_symmetric_minimum(7, [-0.6, 0.2, 0.3, 1, 0]) is None
        True

    Reference: Safran and Shamir (2018), Spurious local minima are common, Theorem 1; claim SAF.
    """
    box = critical_box(k, proposal)
    if box is None:
        return None
    pivots = hessian_pivots(k, box)
    if pivots[-1].lower <= 0:
        return None
    # the halves of w_0 move by z and -z: f(w_0 / 2, .) bends twice as much in each, and what the two say of each other
    # is constant to second order, so that |w_0|^2 / 4 (curvature 1 along z) has to be left out
    bend = _Frame(k, 3).derivatives(box, [lambda i, j: (j == 1) - (j == 2) if i == 0 else 0])[1][0][0] - 1
    return SymmetricMinimum(k, box, symmetric_loss(k, box), tuple(x.lower for x in pivots), 4 * bend.upper)


def hessian_pivots(k: int, box: Sequence[Interval]) -> list[Interval]:
    """Return the pivots of the Hessian's blocks at a symmetric W, up to the first that may not be positive.

    The Hessian is positive definite iff the last one returned is positive; a negative one shows a way down.
    """
    found: list[Interval] = []
    for named, fields in ((1, _SYMMETRIC), (3, _STANDARD), (5, [_square]), (4, [_alternating])):
        for pivot in _pivots(_Frame(k, named).derivatives(box, fields)[1]):
            found.append(pivot)
            if pivot.lower <= 0:
                return found
    return found


def critical_box(k: int, proposal: Sequence[float | str | Fraction]) -> tuple[Interval, ...] | None:
    """Return a box near the proposal that holds exactly one symmetric critical point; ``None`` if that is not shown.

    Raises:
        ExactInputError: k < 5, or not five numbers.
    """
    if k < 5 or len(proposal) != 5:
        raise ExactInputError(f"symmetric minimum: expected k >= 5 and five numbers, found k = {k}, {len(proposal)}")
    centre = [number_from(x) for x in proposal]
    box = [Interval(x - RADIUS, x + RADIUS) for x in centre]
    frame = _Frame(k, 1)
    try:
        gradient, matrix = frame.derivatives([Interval.point(x) for x in centre], _SYMMETRIC)
        _, jacobian = frame.derivatives(box, _SYMMETRIC)
    except ZeroDivisionError:
        return None
    inverse = _inverse([[(x.lower + x.upper) / 2 for x in row] for row in matrix])
    if inverse is None:
        return None
    image = []
    for p, row in enumerate(inverse):
        moved = _total(y * g for y, g in zip(row, gradient, strict=True))
        entries = [_total(row[s] * jacobian[s][q] for s in range(5)) for q in range(5)]
        spread = _total((int(p == q) - entries[q]) * (box[q] - centre[q]) for q in range(5))
        image.append(centre[p] - moved + spread)
    is_inside = all(x.lower < y.lower and y.upper < x.upper for x, y in zip(box, image, strict=True))
    return tuple(image) if is_inside else None


def symmetric_loss(k: int, parameters: Sequence[Interval]) -> Interval:
    """Return F at the symmetric W with these a, b, c, d, e."""
    frame = _Frame(k, 1)
    w = frame.vectors(parameters)
    students = _total(count * frame.pair(w[i], w[j]).correlation() for i, j, count in frame.student_pairs())
    crossed = _total(count * frame.pair(w[i], frame.unit(j)).correlation() for i, j, count in frame.teacher_pairs())
    own = _total(frame.dot(w[i], w[i]) * Fraction(count, 4) for i, count in frame.neurons())
    return students - crossed + own + Fraction(k, 4) + Interval.point(k * (k - 1)) / (4 * pi())


@dataclass(frozen=True)
class _Frame:
    """Indices 0..named-1 one by one; the rest, which are alike, by two representatives and one for all others.

    Vectors have named + 3 coordinates, the last standing for all inputs that are neither named nor represented.
    """

    k: int
    named: int

    @property
    def rest(self) -> int:
        return self.k - self.named

    def unit(self, j: int) -> tuple[int, ...]:
        """Return e_j."""
        return tuple(int(i == j) for i in range(self.named + 3))

    def vectors(self, parameters: Sequence[Interval]) -> list[Entries]:
        """Return the named neurons and the two representatives."""
        a, b, c, d, e = parameters
        size = self.named + 3
        first: Entries = (a, *[b] * (size - 1))
        return [first, *((c, *(d if i == j else e for j in range(1, size))) for i in range(1, size - 1))]

    def direction(self, field: Entry) -> list[tuple[int, ...]]:
        """Return a field's vectors for the named neurons and the representatives."""
        size = self.named + 3
        return [tuple(int(field(i, j)) for j in range(size)) for i in range(size - 1)]

    def dot(self, u: Entries, v: Entries) -> Interval:
        """Return u.v."""
        counts = (*(1,) * self.named, int(self.rest >= 1), int(self.rest >= 2), max(self.rest - 2, 0))
        terms = (x * y * n for x, y, n in zip(u, v, counts, strict=True) if n and x != 0 and y != 0)
        return _total(enclosure(term) for term in terms)

    def pair(self, u: Entries, v: Entries) -> ReluPair:
        """Return the ReLU pair of two vectors."""
        return relu_pair(self.dot(u, v), self.dot(u, u), self.dot(v, v))

    def neurons(self) -> list[tuple[int, int]]:
        """Return neurons and how many each stands for."""
        return [(i, 1) for i in range(self.named)] + [(self.named, self.rest)] * (self.rest > 0)

    def student_pairs(self) -> list[tuple[int, int, int]]:
        """Return pairs of different neurons and how many pairs each stands for."""
        s, r = self.named, self.rest
        pairs = [(i, j, 1) for i in range(s) for j in range(i)] + [(i, s, r) for i in range(s)]
        return [pair for pair in (*pairs, (s, s + 1, r * (r - 1) // 2)) if pair[2]]

    def teacher_pairs(self) -> list[tuple[int, int, int]]:
        """Return pairs of a neuron and an input coordinate, and how many pairs each stands for."""
        s, r = self.named, self.rest
        pairs = [(i, j, 1) for i in range(s) for j in range(s)]
        pairs += [pair for i in range(s) for pair in ((i, s, r), (s, i, r))]
        return [pair for pair in (*pairs, (s, s, r), (s, s + 1, r * (r - 1))) if pair[2]]

    def derivatives(
        self, parameters: Sequence[Interval], fields: Sequence[Entry]
    ) -> tuple[list[Interval], list[list[Interval]]]:
        """Return the gradient and the Hessian of F along fields of directions, at a symmetric W."""
        size, w, moves = len(fields), self.vectors(parameters), [self.direction(field) for field in fields]
        gradient = [Interval.point(0) for _ in fields]
        lower = [[Interval.point(0) for _ in fields] for _ in fields]
        still = self.unit(-1)
        terms = [(w[i], w[j], [(m[i], m[j]) for m in moves], count) for i, j, count in self.student_pairs()]
        terms += [(w[i], self.unit(j), [(m[i], still) for m in moves], -count) for i, j, count in self.teacher_pairs()]
        for u, v, pushes, count in terms:
            moved = [(p, du, dv) for p, (du, dv) in enumerate(pushes) if any(du) or any(dv)]
            if not moved:
                continue
            pair = self.pair(u, v)
            f, bends = pair.gradient(), pair.hessian()
            first = [
                (self.dot(du, v) + self.dot(u, dv), 2 * self.dot(u, du), 2 * self.dot(v, dv)) for _, du, dv in moved
            ]
            for (p, du, dv), slopes in zip(moved, first, strict=True):
                gradient[p] = gradient[p] + _total(x * y for x, y in zip(f, slopes, strict=True)) * count
                along = [_total(x * y for x, y in zip(row, slopes, strict=True)) for row in bends]
                for (q, eu, ev), others in zip(moved, first, strict=True):
                    if q > p:
                        continue
                    second = (self.dot(du, ev) + self.dot(eu, dv), 2 * self.dot(du, eu), 2 * self.dot(dv, ev))
                    entry = _total(x * y for x, y in zip((*along, *f), (*others, *second), strict=True))
                    lower[p][q] = lower[p][q] + entry * count
        circle = 2 * pi()
        gradient = [g / circle for g in gradient]
        hessian = [[lower[max(p, q)][min(p, q)] / circle for q in range(size)] for p in range(size)]
        for i, count in self.neurons():
            half = Fraction(count, 2)
            for p, move in enumerate(moves):
                gradient[p] = gradient[p] + self.dot(w[i], move[i]) * half
                for q, other in enumerate(moves):
                    hessian[p][q] = hessian[p][q] + self.dot(move[i], other[i]) * half
        return gradient, hessian


def _z(i: int) -> int:
    """Return the coordinates of e_1 - e_2, a vector of the standard representation."""
    return (i == 1) - (i == 2)


_SYMMETRIC: list[Entry] = [
    lambda i, j: i == 0 and j == 0,
    lambda i, j: i == 0 and j > 0,
    lambda i, j: i > 0 and j == 0,
    lambda i, j: i > 0 and j == i,
    lambda i, j: i > 0 and j > 0 and j != i,
]
"""The directions of a, b, c, d, e."""

_STANDARD: list[Entry] = [
    lambda i, j: _z(j) if i == 0 else 0,
    lambda i, j: _z(i) if j == 0 else 0,
    lambda i, j: _z(i) if i == j else 0,
    lambda i, j: _z(i) if j > 0 else 0,
    lambda i, j: _z(j) if i > 0 else 0,
]
"""Five copies of z = e_1 - e_2: in w_0, along e_0, on the diagonal, by neurons and by inputs."""


def _square(i: int, j: int) -> int:
    """A vector of (n-2, 2): (e_1 - e_2)(e_3 - e_4)^T and its transpose."""
    z = {(1, 3): 1, (1, 4): -1, (2, 3): -1, (2, 4): 1}
    return z.get((i, j), 0) + z.get((j, i), 0)


def _alternating(i: int, j: int) -> int:
    """A vector of (n-2, 1, 1): (e_1 - e_2) wedge (e_1 - e_3)."""
    z = {(1, 3): -1, (2, 1): -1, (2, 3): 1}
    return z.get((i, j), 0) - z.get((j, i), 0)


def _total(terms: Iterable[Interval]) -> Interval:
    return sum(terms, Interval.point(0))


def _pivots(matrix: Sequence[Sequence[Interval]]) -> Iterator[Interval]:
    """Yield the pivots of a symmetric matrix, up to the first that may not be positive."""
    rest = [list(row) for row in matrix]
    while rest:
        pivot, head = rest[0][0], rest[0][1:]
        yield pivot
        if pivot.lower <= 0:
            return
        rest = [[x - row[0] * y / pivot for x, y in zip(row[1:], head, strict=True)] for row in rest[1:]]


def _inverse(matrix: Sequence[Sequence[Fraction]]) -> list[list[Fraction]] | None:
    """Return an inverse rounded to 60 bits after the point, ``None`` for a singular matrix."""
    size = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for k in range(size):
        best = max(range(k, size), key=lambda i: abs(rows[i][k]))
        if not rows[best][k]:
            return None
        rows[k], rows[best] = rows[best], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(size):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [[Fraction(round(x * 2**60), 2**60) for x in row[size:]] for row in rows]
