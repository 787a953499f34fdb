"""Polynomials in one variable over the rationals: Sturm sequences, exact comparison on an interval, rigorous maxima."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from proofs_check.exact.rational import ExactInputError, common_denominator

__all__ = [
    "Maximum",
    "Polynomial",
    "bernstein_coefficients",
    "count_roots",
    "greatest_common_divisor",
    "is_at_most",
    "isolate_roots",
    "maximum_enclosure",
    "maximum_over_pieces",
    "square_free_factors",
    "sturm_sequence",
]


@dataclass(frozen=True)
class Polynomial:
    """The polynomial ``sum_k coefficients[k] t**k``; leading zeros are dropped, so 0 has no coefficient.

    Example:
        >>> p = Polynomial([-2, 0, 1])
        >>> p(Fraction(3, 2)), (p * p).degree, p.derivative().coefficients
        (Fraction(1, 4), 4, (Fraction(0, 1), Fraction(2, 1)))
    """

    coefficients: tuple[Fraction, ...]

    def __init__(self, coefficients: Iterable[Fraction | int]) -> None:
        found = [Fraction(c) for c in coefficients]
        while found and found[-1] == 0:
            found.pop()
        object.__setattr__(self, "coefficients", tuple(found))

    @property
    def degree(self) -> int:
        """Return the degree; -1 for the zero polynomial."""
        return len(self.coefficients) - 1

    def __bool__(self) -> bool:
        return bool(self.coefficients)

    def __call__(self, t: Fraction | int) -> Fraction:
        value = Fraction(0)
        for c in reversed(self.coefficients):
            value = value * t + c
        return value

    def __neg__(self) -> Polynomial:
        return Polynomial(-c for c in self.coefficients)

    def __add__(self, other: Polynomial | Fraction | int) -> Polynomial:
        pairs = itertools.zip_longest(self.coefficients, _polynomial(other).coefficients, fillvalue=Fraction(0))
        return Polynomial(a + b for a, b in pairs)

    def __sub__(self, other: Polynomial | Fraction | int) -> Polynomial:
        return self + -_polynomial(other)

    def __mul__(self, other: Polynomial | Fraction | int) -> Polynomial:
        that = _polynomial(other).coefficients
        product = [Fraction(0)] * (len(self.coefficients) + len(that))
        for i, a in enumerate(self.coefficients):
            for j, b in enumerate(that):
                product[i + j] += a * b
        return Polynomial(product)

    def __divmod__(self, divisor: Polynomial) -> tuple[Polynomial, Polynomial]:
        if not divisor:
            raise ZeroDivisionError("division by the zero polynomial")
        rest, lead = list(self.coefficients), divisor.coefficients[-1]
        quotient = [Fraction(0)] * max(len(rest) - divisor.degree, 0)
        for k in reversed(range(len(quotient))):
            quotient[k] = rest[k + divisor.degree] / lead
            for i, c in enumerate(divisor.coefficients):
                rest[k + i] -= quotient[k] * c
        return Polynomial(quotient), Polynomial(rest)

    def derivative(self) -> Polynomial:
        """Return the derivative."""
        return Polynomial(k * c for k, c in enumerate(self.coefficients) if k)

    def primitive(self) -> Polynomial:
        """Return the positive multiple with coprime integer coefficients, which keeps long divisions short."""
        if not self:
            return self
        scale = common_denominator(self.coefficients)
        integers = [int(c * scale) for c in self.coefficients]
        divisor = math.gcd(*integers)
        return Polynomial(c // divisor for c in integers)


def _polynomial(value: Polynomial | Fraction | int) -> Polynomial:
    return value if isinstance(value, Polynomial) else Polynomial([value])


def greatest_common_divisor(p: Polynomial, q: Polynomial) -> Polynomial:
    """Return the primitive greatest common divisor (up to sign)."""
    p, q = p.primitive(), q.primitive()
    while q:
        p, q = q, divmod(p, q)[1].primitive()
    return p


def square_free_factors(p: Polynomial) -> list[Polynomial]:
    """Return ``[s_1, s_2, ...]`` with ``p`` a constant times ``s_1 s_2**2 s_3**3 ...``, square-free and coprime (Yun).

    Raises:
        ExactInputError: ``p`` is zero.

    Example:
        >>> p = Polynomial([0, 1]) * Polynomial([1, 1]) * Polynomial([1, 1])
        >>> [s.degree for s in square_free_factors(p)]
        [1, 1]
    """
    if not p:
        raise ExactInputError("square-free factors: expected a non-zero polynomial, found 0")
    common = greatest_common_divisor(p, p.derivative())
    rest, slope = divmod(p, common)[0], divmod(p.derivative(), common)[0]
    slope = slope - rest.derivative()
    factors = []
    while rest.degree > 0:
        factor = greatest_common_divisor(rest, slope)
        factors.append(factor)
        rest = divmod(rest, factor)[0]
        slope = divmod(slope, factor)[0] - rest.derivative()
    return factors


def sturm_sequence(p: Polynomial) -> list[Polynomial]:
    """Return ``p, p', -rem(p, p'), ...`` up to positive factors: sign changes lost over (a, b] count its roots."""
    chain = [p.primitive(), p.derivative().primitive()]
    while chain[-1]:
        chain.append((-divmod(chain[-2], chain[-1])[1]).primitive())
    return chain[:-1]


def count_roots(p: Polynomial, a: Fraction, b: Fraction) -> int:
    """Return the number of distinct roots in the closed interval ``[a, b]``, exactly.

    Raises:
        ExactInputError: ``p`` is zero or ``a > b``.

    Example:
        >>> count_roots(Polynomial([0, -1, 0, 1]), Fraction(-1), Fraction(1))
        3
    """
    return _count(_square_free_chain(p, a, b), a, b) + (p(a) == 0)


def _square_free_chain(p: Polynomial, a: Fraction, b: Fraction) -> list[Polynomial]:
    if not p:
        raise ExactInputError("roots: expected a non-zero polynomial, found 0")
    if a > b:
        raise ExactInputError(f"roots: expected an interval with a <= b, found [{a}, {b}]")
    common = greatest_common_divisor(p, p.derivative())
    return sturm_sequence(divmod(p, common)[0])


def _count(chain: Sequence[Polynomial], a: Fraction, b: Fraction) -> int:
    """Return the number of roots in ``(a, b]`` of the square-free head of the chain."""
    return _sign_changes(chain, a) - _sign_changes(chain, b)


def _sign_changes(chain: Sequence[Polynomial], t: Fraction) -> int:
    signs = [value > 0 for p in chain if (value := p(t)) != 0]
    return sum(x != y for x, y in itertools.pairwise(signs))


def isolate_roots(
    p: Polynomial, a: Fraction, b: Fraction, width: Fraction | None = None
) -> list[tuple[Fraction, Fraction]]:
    """Return disjoint intervals, in order, each of which holds exactly one of the distinct roots in ``[a, b]``.

    A root that bisection hits comes as ``(root, root)``; elsewhere the root lies inside ``(low, high)``.

    Args:
        p: non-zero polynomial.
        a: left end.
        b: right end.
        width: the intervals are bisected until they are at most this long (default: only until they are disjoint).

    Example:
        >>> isolate_roots(Polynomial([-2, 0, 1]), Fraction(0), Fraction(2), width=Fraction(1))
        [(Fraction(1, 1), Fraction(2, 1))]
    """
    chain = _square_free_chain(p, a, b)
    found = [(a, a)] if chain[0](a) == 0 else []
    pending = [(a, b)] if a < b else []
    while pending:
        low, high = pending.pop()
        inside = _count(chain, low, high)
        if inside == 1 and chain[0](high) == 0:
            found.append((high, high))
        elif inside == 1 and chain[0](low) != 0 and (width is None or high - low <= width):
            found.append((low, high))
        elif inside:
            middle = (low + high) / 2
            pending += [(middle, high), (low, middle)]
    return found


def is_at_most(p: Polynomial, bound: Fraction | int, a: Fraction, b: Fraction) -> bool:
    """Decide ``p(t) <= bound`` for all t in ``[a, b]``, exactly: equality is allowed, a tolerance is not used.

    Cheap tests come first: the ends, then the Bernstein coefficients. Otherwise ``q = p - bound`` changes sign exactly
    at its roots of odd multiplicity; without one inside ``(a, b)`` the sign at any point that is no root decides.

    Raises:
        ExactInputError: ``a > b``.

    Example:
        >>> p = Polynomial([0, 4, -4])
        >>> is_at_most(p, 1, Fraction(0), Fraction(1)), is_at_most(p, 1 - Fraction(1, 10**30), Fraction(0), Fraction(1))
        (True, False)
    """
    if a > b:
        raise ExactInputError(f"comparison: expected an interval with a <= b, found [{a}, {b}]")
    q = p - bound
    if not q:
        return True
    if q(a) > 0 or q(b) > 0:
        return False
    if a == b or max(bernstein_coefficients(q, a, b)) <= 0:
        return True
    odd = Polynomial([1])
    for factor in square_free_factors(q)[::2]:
        odd = odd * factor
    if odd.degree > 0 and _count(sturm_sequence(odd), a, b) - (odd(b) == 0) > 0:
        return False
    points = (a + (b - a) * Fraction(k, q.degree + 2) for k in range(1, q.degree + 2))
    return next(value for t in points if (value := q(t)) != 0) < 0


def bernstein_coefficients(p: Polynomial, a: Fraction, b: Fraction) -> list[Fraction]:
    """Return the Bernstein coefficients of ``p`` on ``[a, b]``: their range encloses that of ``p``, ends attained.

    Example:
        >>> bernstein_coefficients(Polynomial([0, 0, 1]), Fraction(-1), Fraction(1))
        [Fraction(1, 1), Fraction(-1, 1), Fraction(1, 1)]
    """
    shifted = list(p.coefficients) or [Fraction(0)]
    degree = len(shifted) - 1
    for i in range(degree):
        for k in reversed(range(i, degree)):
            shifted[k] += a * shifted[k + 1]
    scaled = [c * (b - a) ** k / math.comb(degree, k) for k, c in enumerate(shifted)]
    return [sum((math.comb(i, k) * scaled[k] for k in range(i + 1)), Fraction(0)) for i in range(degree + 1)]


class Maximum(NamedTuple):
    """A rigorous enclosure of a maximum: ``lower <= max <= upper``, and ``lower`` is the value at ``argument``."""

    lower: Fraction
    upper: Fraction
    argument: Fraction


def maximum_enclosure(p: Polynomial, a: Fraction, b: Fraction, tolerance: Fraction) -> Maximum:
    """Return an enclosure no wider than ``tolerance`` of the maximum of ``p`` on ``[a, b]``.

    Example:
        >>> found = maximum_enclosure(Polynomial([0, 3, 0, -1]), Fraction(0), Fraction(2), Fraction(1, 10**9))
        >>> found.lower <= 2 <= found.upper, found.upper - found.lower <= Fraction(1, 10**9)
        (True, True)
    """
    return maximum_over_pieces([(p, a, b)], tolerance)


def maximum_over_pieces(
    pieces: Iterable[tuple[Polynomial, Fraction, Fraction]], tolerance: Fraction, floor: Maximum | None = None
) -> Maximum:
    """Return an enclosure no wider than ``tolerance`` of the maximum of a piecewise polynomial.

    Branch and bound: Bernstein coefficients bound every part from above, its ends from below; the part with the
    largest bound is halved by de Casteljau's scheme until the two bounds meet.

    Args:
        pieces: ``(p, a, b)``: the polynomial ``p`` on ``[a, b]``.
        tolerance: largest width of the answer, above 0.
        floor: a value known to be attained; pieces that cannot exceed it are dropped.

    Raises:
        ExactInputError: the tolerance is not positive, an interval is empty, or there is nothing to maximise.
    """
    if tolerance <= 0:
        raise ExactInputError(f"maximum: expected a tolerance > 0, found {tolerance}")
    best = (floor.lower, floor.argument) if floor else None
    order = itertools.count()
    heap: list[tuple[Fraction, int, list[Fraction], Fraction, Fraction]] = []

    def add(bounds: list[Fraction], a: Fraction, b: Fraction) -> None:
        nonlocal best
        value, argument = max((bounds[0], a), (bounds[-1], b), key=lambda pair: pair[0])
        if best is None or value > best[0]:
            best = (value, argument)
        if (top := max(bounds)) > best[0]:
            heapq.heappush(heap, (-top, next(order), bounds, a, b))

    for p, a, b in pieces:
        if a > b:
            raise ExactInputError(f"maximum: expected an interval with a <= b, found [{a}, {b}]")
        add(bernstein_coefficients(p, a, b), a, b)
    if best is None:
        raise ExactInputError("maximum: expected at least one piece, found none")
    while heap and -heap[0][0] - best[0] > tolerance:
        _, _, bounds, a, b = heapq.heappop(heap)
        left, right, middle = *_halves(bounds), (a + b) / 2
        add(left, a, middle)
        add(right, middle, b)
    return Maximum(best[0], max(best[0], -heap[0][0]) if heap else best[0], best[1])


def _halves(bounds: list[Fraction]) -> tuple[list[Fraction], list[Fraction]]:
    """Return the Bernstein coefficients on the two halves of the interval (de Casteljau)."""
    left, right = [bounds[0]], [bounds[-1]]
    row = bounds
    while len(row) > 1:
        row = [(x + y) / 2 for x, y in itertools.pairwise(row)]
        left.append(row[0])
        right.append(row[-1])
    return left, right[::-1]
