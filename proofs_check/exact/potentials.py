"""Potentials K of Lion-K whose value and gradient can be computed exactly, or enclosed, with their dual balls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from proofs_check.exact.interval import BITS, Scalar, absolute, maximum, minimum, sign, square_root
from proofs_check.exact.rational import ExactInputError, number_from

__all__ = ["EXACT_POTENTIALS", "ExactPotential", "Matrix", "exact_potential", "norm", "total", "transpose"]

Matrix = tuple[tuple[Scalar, ...], ...]
"""Rows of numbers; a vector is a matrix of one row."""


@dataclass(frozen=True)
class ExactPotential:
    """A convex K with K(0) = 0: ``value`` and ``gradient`` are exact where they can be, else intervals.

    The gradient at a kink is the subgradient of least size, 0 at 0. Where an interval does not tell on which side of a
    kink a number lies, the answer encloses the subgradients on both.

    Attributes:
        name: name in :data:`EXACT_POTENTIALS`.
        value: K.
        gradient: a subgradient of K, of the same shape.
        ball: norm of the dual ball that closes dom K*: ``"linf"``, ``"l2"``, ``"max_column"``, ``"max_row"``,
            ``"spectral"``.
    """

    name: str
    value: Callable[[Matrix], Scalar]
    gradient: Callable[[Matrix], Matrix]
    ball: str


def exact_potential(name: str, threshold: int | float | str | Fraction = 1, bits: int = BITS) -> ExactPotential:
    """Return a potential by name.

    ``l1`` (gradient sign: Lion, Signum); ``frobenius``, also called ``l2`` (x / ||x||); ``sum_column`` and ``sum_row``
    (every column, or row, over its length); ``nuclear`` (polar factor; matrices with one row or column, or 2 x 2);
    ``huber_l1``: sum of x**2 / (2 e) for |x| <= e, else |x| - e/2; ``soft_l1``: sum of max(|x| - e, 0).

    Args:
        name: a name in :data:`EXACT_POTENTIALS`.
        threshold: e > 0 of the last two.
        bits: significant bits of square roots that are irrational.

    Raises:
        ExactInputError: an unknown name, a threshold that is not above 0.

    Example:
        >>> K = exact_potential("frobenius")
        >>> K.gradient(((Fraction(3), Fraction(-4)),))
        ((Fraction(3, 5), Fraction(-4, 5)),)
    """
    if name not in EXACT_POTENTIALS:
        raise ExactInputError(f"potential: expected one of {', '.join(sorted(EXACT_POTENTIALS))}, found {name!r}")
    e = number_from(threshold, "threshold")
    if e <= 0:
        raise ExactInputError(f"threshold: expected a number > 0, found {e}")
    return EXACT_POTENTIALS[name](e, bits)


def total(x: Matrix, term: Callable[[Scalar], Scalar]) -> Scalar:
    """Return the sum of ``term`` over the entries."""
    value: Scalar = Fraction(0)
    for row in x:
        for entry in row:
            value = value + term(entry)
    return value


def transpose(x: Matrix) -> Matrix:
    """Return the transpose."""
    return tuple(zip(*x, strict=True))


def norm(x: Matrix, bits: int = BITS) -> Scalar:
    """Return the Frobenius norm: exact if it is rational and the entries are exact, else an interval."""
    return square_root(total(x, _square), bits)


def _square(x: Scalar) -> Scalar:
    return x * x if isinstance(x, Fraction) else x.square()


def _each(f: Callable[[Scalar], Scalar]) -> Callable[[Matrix], Matrix]:
    return lambda x: tuple(tuple(f(entry) for entry in row) for row in x)


def _entrywise(name: str, value: Callable[[Scalar], Scalar], slope: Callable[[Scalar], Scalar]) -> ExactPotential:
    return ExactPotential(name, lambda x: total(x, value), _each(slope), "linf")


def _l1(e: Fraction, bits: int) -> ExactPotential:
    return _entrywise("l1", absolute, sign)


def _huber_l1(e: Fraction, bits: int) -> ExactPotential:
    def slope(x: Scalar) -> Scalar:
        return minimum(maximum(x / e, -1), 1)

    def value(x: Scalar) -> Scalar:
        size = absolute(x)
        return _square(minimum(size, e)) / (2 * e) + maximum(size - e, 0)

    return _entrywise("huber_l1", value, slope)


def _soft_l1(e: Fraction, bits: int) -> ExactPotential:
    def value(x: Scalar) -> Scalar:
        return maximum(absolute(x) - e, 0)

    def slope(x: Scalar) -> Scalar:
        return sign(maximum(x - e, 0) - maximum(-x - e, 0))

    return _entrywise("soft_l1", value, slope)


def _unit(x: Matrix, bits: int) -> Matrix:
    """Return ``x / ||x||``, and 0 for 0."""
    size = norm(x, bits)
    if isinstance(size, Fraction) and size == 0:
        return x
    return tuple(tuple(entry / size for entry in row) for row in x)


def _frobenius(e: Fraction, bits: int) -> ExactPotential:
    return ExactPotential("frobenius", lambda x: norm(x, bits), lambda x: _unit(x, bits), "l2")


def _sum_row(e: Fraction, bits: int) -> ExactPotential:
    def value(x: Matrix) -> Scalar:
        return sum((norm((row,), bits) for row in x), Fraction(0))

    return ExactPotential("sum_row", value, lambda x: tuple(_unit((row,), bits)[0] for row in x), "max_row")


def _sum_column(e: Fraction, bits: int) -> ExactPotential:
    rows = _sum_row(e, bits)
    return ExactPotential(
        "sum_column", lambda x: rows.value(transpose(x)), lambda x: transpose(rows.gradient(transpose(x))), "max_column"
    )


def _nuclear(e: Fraction, bits: int) -> ExactPotential:
    def value(x: Matrix) -> Scalar:
        if min(len(x), len(x[0])) == 1:
            return norm(x, bits)
        return square_root(total(x, _square) + 2 * absolute(_determinant(x)), bits)

    def gradient(x: Matrix) -> Matrix:
        if min(len(x), len(x[0])) == 1:
            return _unit(x, bits)
        side, size = sign(_determinant(x)), value(x)
        if isinstance(size, Fraction) and size == 0:
            return x
        (p, q), (r, s) = x
        return ((p + side * s) / size, (q - side * r) / size), ((r - side * q) / size, (s + side * p) / size)

    return ExactPotential("nuclear", value, gradient, "spectral")


def _determinant(x: Matrix) -> Scalar:
    if (len(x), len(x[0])) != (2, 2):
        raise ExactInputError(
            f"nuclear: expected a matrix with one row or one column, or 2 x 2, found {len(x)} x {len(x[0])}"
        )
    return x[0][0] * x[1][1] - x[0][1] * x[1][0]


EXACT_POTENTIALS: dict[str, Callable[[Fraction, int], ExactPotential]] = {
    "l1": _l1,
    "l2": _frobenius,
    "frobenius": _frobenius,
    "sum_column": _sum_column,
    "sum_row": _sum_row,
    "huber_l1": _huber_l1,
    "soft_l1": _soft_l1,
    "nuclear": _nuclear,
}
"""Name -> (threshold, bits) -> potential."""
