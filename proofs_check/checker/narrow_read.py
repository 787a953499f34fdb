"""The narrow-net problem and the parts of its certificates, read strictly from JSON values.

Every object must have exactly the fields that its kind names: a field that nobody checks would be shown to the reader
as part of an accepted statement. Numbers are exact: see :func:`rational`. In a problem file a JSON number such as 0.1
is the decimal that is written; a float read elsewhere has lost its text and is refused, and so are all floats in
certificates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from proofs_check.checker.frame import CertificateError, ProblemError, WrittenFloat, fields
from proofs_check.exact.cell_linear import dot
from proofs_check.exact.rational import ExactInputError, number_from

__all__ = [
    "Ball",
    "Neuron",
    "Point",
    "Problem",
    "brief",
    "integer",
    "items",
    "loss",
    "parts",
    "point",
    "points",
    "rational",
    "read_problem",
    "vector",
]


class Ball(NamedTuple):
    """One leaf of the region: ``norm`` is "linf" or "spectral" (the Euclidean norm on output weights)."""

    norm: str
    radius: Fraction


class Problem(NamedTuple):
    """The user's problem: data, whether output weights are fixed at 1, and the region (a ball per leaf, or None)."""

    X: tuple[tuple[Fraction, ...], ...]
    y: tuple[Fraction, ...]
    fixed: bool
    region: Mapping[str, Ball] | None


class Neuron(NamedTuple):
    """One neuron s * relu(x . u): u, the sign s, and the pre-activations X u."""

    u: tuple[Fraction, ...]
    s: int
    z: tuple[Fraction, ...]


Point = tuple[Neuron, ...]
"""A net in u-coordinates, u_j = |alpha_j| w_j and s_j = sign(alpha_j), in the order of its neurons."""

_BITS = 8_192  # of a numerator or denominator: a short text such as "1e9999" must not unfold into a long number
_POINT_BITS = 100_000  # of a point's common denominator: sums over many neurons must stay cheap
_NOTES = ("name", "comment", "description")


def rational(value: Any, what: str) -> Fraction:
    """Return a JSON integer or a string such as "3/7" or "0.1" exactly; floats, booleans and long numbers are refused.

    Raises:
        CertificateError: anything else, or more than 8192 bits in the numerator or denominator.
    """
    if type(value) is not int and not isinstance(value, str):
        raise CertificateError(f'{what}: expected an integer or a string such as "3/7" or "0.1", found {_short(value)}')
    try:
        found = number_from(value, what)
    except ExactInputError as error:
        raise CertificateError(str(error)) from error
    if max(found.numerator.bit_length(), found.denominator.bit_length()) > _BITS:
        raise CertificateError(f"{what}: a number of more than {_BITS} bits")
    return found


def parts(value: Any, what: str, required: Sequence[str], optional: Sequence[str] = ()) -> list[Any]:
    """Return the values of an object's required, then optional fields (None where absent); no others may be there."""
    found = fields(value, what, required, optional)
    return [found.get(name) for name in (*required, *optional)]


def items(value: Any, what: str, length: int | None = None) -> list[Any]:
    """Return a list, of the given length if one is given."""
    if not isinstance(value, list) or (length is not None and len(value) != length):
        wanted = "a list" if length is None else f"a list of {length}"
        raise CertificateError(f"{what}: expected {wanted}, found {_short(value)}")
    return value


def integer(value: Any, what: str, least: int = 0) -> int:
    """Return a JSON integer, at least ``least``; a boolean is none."""
    if type(value) is not int or value < least:
        raise CertificateError(f"{what}: expected an integer >= {least}, found {_short(value)}")
    return value


def vector(value: Any, what: str, length: int | None = None) -> tuple[Fraction, ...]:
    """Return a list of rationals."""
    return tuple(rational(entry, what) for entry in items(value, what, length))


def _number(value: Any, what: str) -> Fraction:
    """Return a number of the problem: as in :func:`rational`, or a decimal as it is written in the file."""
    return rational(value.text if isinstance(value, WrittenFloat) else value, what)


def _numbers(value: Any, what: str, length: int) -> tuple[Fraction, ...]:
    """Return a list of numbers of the problem."""
    return tuple(_number(entry, what) for entry in items(value, what, length))


def read_problem(value: Any) -> Problem:
    """Return the problem that a user's JSON object states.

    Raises:
        ProblemError: a field is missing, unknown, of the wrong form, or not covered (a ridge term, another norm).

    Example:
        >>> read_problem({"X": [["1", "1/2"]], "y": ["0"]}).fixed
        False
    """
    try:
        return _problem(value)
    except CertificateError as error:
        raise ProblemError(str(error)) from error


def _problem(value: Any) -> Problem:
    named = ("output_weights", "ridge", "region")
    X, y, outputs, ridge, region, *_ = parts(value, "problem", ("X", "y"), (*named, *_NOTES))
    rows = items(X, "problem X")
    if not rows or not isinstance(rows[0], list) or not rows[0]:
        raise CertificateError("problem X: expected at least one row of at least one number")
    data = tuple(_numbers(row, "problem X", len(rows[0])) for row in rows)
    if outputs not in (None, "free", "fixed"):
        raise CertificateError(f'problem output_weights: expected "free" or "fixed", found {_short(outputs)}')
    if ridge is not None and _number(ridge, "problem ridge") != 0:
        raise CertificateError("problem ridge: certificates about narrow nets cover ridge 0 only")
    return Problem(data, _numbers(y, "problem y", len(data)), outputs == "fixed", _region(region))


def _region(value: Any) -> dict[str, Ball] | None:
    """Return the ball of each leaf; a single ball stands for both leaves."""
    if value is None:
        return None
    leaves = value if isinstance(value, dict) and "norm" not in value else {"W": value, "A": value}
    balls = {}
    for leaf, ball in zip(("W", "A"), parts(leaves, "problem region", (), ("W", "A")), strict=True):
        if ball is None:
            continue
        norm, radius = parts(ball, f"problem region {leaf}", ("norm", "radius"))
        if norm not in ("linf", "spectral"):
            raise CertificateError(f'problem region {leaf}: expected norm "linf" or "spectral", found {_short(norm)}')
        balls[leaf] = Ball(norm, _number(radius, f"problem region {leaf}"))
        if balls[leaf].radius < 0:
            raise CertificateError(f"problem region {leaf}: the radius is negative")
    return balls


def point(value: Any, what: str, m: int, setting: Problem) -> Point:
    """Return a point of m neurons {"u": [d rationals], "s": 1 | -1}; s is 1 when output weights are fixed."""
    neurons = []
    common = 1
    for entry in items(value, what, m):
        u_, s = parts(entry, f"{what}, a neuron", ("u", "s"))
        if type(s) is not int or s not in ((1,) if setting.fixed else (1, -1)):
            raise CertificateError(f"{what}: sign expected {'1' if setting.fixed else '1 or -1'}, found {_short(s)}")
        u = vector(u_, f"{what}, u", len(setting.X[0]))
        common = lcm(common, *(number.denominator for number in u))
        if common.bit_length() > _POINT_BITS:
            raise CertificateError(f"{what}: a common denominator of more than {_POINT_BITS} bits")
        neurons.append(Neuron(u, s, tuple(dot(row, u) for row in setting.X)))
    return tuple(neurons)


def points(value: Any, what: str, m: int, setting: Problem) -> list[Point]:
    """Return a list of points of m neurons."""
    return [point(entry, what, m, setting) for entry in items(value, what)]


def loss(net: Point, setting: Problem) -> Fraction:
    """Return 1/2 |f - y|^2 with f_i = sum_j s_j max(x_i . u_j, 0), exactly; zero rows of X count too."""
    total = Fraction(0)
    for i, target in enumerate(setting.y):
        total += (sum((neuron.s * max(neuron.z[i], Fraction(0)) for neuron in net), Fraction(0)) - target) ** 2
    return total / 2


def brief(value: Fraction) -> str:
    """Return a rational for a message: itself when short, else its leading digits."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) <= 64:
        return str(value)
    return f"about 2^{value.numerator.bit_length() - value.denominator.bit_length()}"


def _short(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value) if not isinstance(value, int) or value.bit_length() < 200 else "a long integer"
    return text if len(text) <= 60 else f"{text[:57]}..."
