"""The problem of a wide path, two nets with data and a region, read strictly from the user's JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any, NamedTuple

from proofs_check.checker.frame import CertificateError, ProblemError, fields
from proofs_check.checker.narrow_read import parts, rational
from proofs_check.checker.wide_region import Constraint, net_is_inside, read_region
from proofs_check.exact.psd import whole_rows
from proofs_check.exact.rational import ExactInputError, matrix_from, round_down, round_up, vector_from

__all__ = [
    "Net",
    "Pair",
    "Prediction",
    "at_least",
    "at_most",
    "common_scale",
    "read_bound",
    "read_pair",
    "require_nets_inside",
]

MAX_SCALE_BITS = 20_000
"""Largest common denominator, in bits, of the numbers of one sort in a certificate: sums of them must stay cheap."""


class Net(NamedTuple):
    """Neurons as columns: w_j with the bias as its last entry if there is one, and a_j (c entries)."""

    w: tuple[tuple[Fraction, ...], ...]
    a: tuple[tuple[Fraction, ...], ...]


class Pair(NamedTuple):
    """Two nets of one shape, data (with a last column of ones if there is a bias), targets (n, c) and the region."""

    net0: Net
    net1: Net
    X: list[list[Fraction]]
    Y: list[list[Fraction]]
    region: tuple[Constraint, ...]

    @property
    def width(self) -> int:
        """Return the number of neurons of each net."""
        return len(self.net0.w)


def read_pair(problem: Mapping[str, Any]) -> Pair:
    """Return the problem that a user's JSON object states.

    A JSON number in a net or in the data denotes the float it is read as, a string an exact number; a radius is the
    decimal that is written.

    Args:
        problem: ``{"net0", "net1", "X", "Y", "region"}``; a net is ``{"W" (d, m), "A" (c, m) or (m,), "b" (m,)}``,
            ``b`` left out in both nets where there is no bias.

    Raises:
        ProblemError: a field missing or unknown, output weights absent, numbers that are not finite, other shapes.

    Example:
        >>> net = {"W": [[1]], "A": [2], "b": ["1/2"]}
        >>> region = {"norm": "frobenius", "radius": 3}
        >>> pair = read_pair({"net0": net, "net1": net, "X": [[1]], "Y": [0], "region": region})
        >>> [str(value) for value in pair.net0.w[0]], pair.width
        (['1', '1/2'], 1)
    """
    try:
        found = fields(problem, "problem", ("net0", "net1", "X", "Y", "region"), ("about",))
        X = matrix_from(found["X"], "X")
        nets = [_net(found[name], len(X[0]), name) for name in ("net0", "net1")]
        shapes = [(len(net.w), len(net.w[0]), len(net.a[0])) for net in nets]
        if shapes[0] != shapes[1]:
            raise ExactInputError(f"nets: expected equal (width, inputs with bias, outputs), found {shapes}")
        _, inputs, outputs = shapes[0]
        Y = matrix_from(found["Y"], "Y") if _is_nested(found["Y"]) else [[y] for y in vector_from(found["Y"], "Y")]
        if (len(Y), len(Y[0])) != (len(X), outputs):
            raise ExactInputError(
                f"Y: expected {len(X)} rows of {outputs} outputs, found {len(Y)} rows of {len(Y[0])} outputs"
            )
        if inputs > len(X[0]):
            X = [[*row, Fraction(1)] for row in X]
        return Pair(nets[0], nets[1], X, Y, read_region(found["region"]))
    except (CertificateError, ExactInputError) as error:
        raise ProblemError(str(error)) from None


def _net(value: Any, inputs: int, name: str) -> Net:
    """Return the columns of a net on so many inputs."""
    W, A, b = parts(value, name, ("W",), ("A", "b"))
    if A is None:
        raise CertificateError(
            f"{name}: expected output weights A; nets with output weights fixed at 1 are not covered"
        )
    hidden = matrix_from(W, f"{name}.W")
    if len(hidden) != inputs:
        raise CertificateError(f"{name}.W: expected {inputs} rows, one for each column of X, found {len(hidden)}")
    if b is not None:
        hidden.append(vector_from(b, f"{name}.b"))
    output = matrix_from(A, f"{name}.A") if _is_nested(A) else [vector_from(A, f"{name}.A")]
    width = len(hidden[0])
    for row, label in ((hidden[-1], "b"), (output[0], "A")):
        if len(row) != width:
            raise CertificateError(f"{name}.{label}: expected {width} entries a row, one for each neuron")
    return Net(tuple(zip(*hidden, strict=True)), tuple(zip(*output, strict=True)))


def _is_nested(values: Any) -> bool:
    """Whether the first entry is a row, so that a matrix was given and not a vector."""
    values = values.tolist() if hasattr(values, "tolist") else values
    return isinstance(values, list | tuple) and bool(values) and isinstance(values[0], list | tuple)


def read_bound(statement: Any) -> tuple[Fraction, Fraction]:
    """Return the level and the factor 1 + radius_slack of the radii that a statement about a path names.

    Raises:
        CertificateError: a negative slack, which squared would pass for a larger radius.
    """
    level_, slack_ = parts(statement, "statement", ("level", "radius_slack"))
    level, slack = rational(level_, "level"), rational(slack_, "radius_slack")
    if slack < 0:
        raise CertificateError("radius_slack: expected a number >= 0")
    return level, 1 + slack


def common_scale(values: Iterable[Fraction], what: str) -> int:
    """Return the least common denominator of numbers in a certificate unless it is long.

    Raises:
        CertificateError: more than 20,000 bits; the remedy is in the message.
    """
    scale = 1
    for value in values:
        scale = lcm(scale, value.denominator)
        if scale.bit_length() > MAX_SCALE_BITS:
            raise CertificateError(
                f"{what}: a common denominator of more than {MAX_SCALE_BITS} bits; write multiples of a power of 1/2"
            )
    return scale


def require_nets_inside(setting: Pair, growth: Fraction) -> None:
    """Return if both nets lie in the region with its radii times ``growth``.

    A state of a path may leave out weights that no prediction sees; the nets themselves belong to the path all the
    same.

    Raises:
        CertificateError: one does not; the message names it and the ball.
    """
    for name, net in (("net0", setting.net0), ("net1", setting.net1)):
        for ball in setting.region:
            if not net_is_inside(ball._replace(radius=growth * ball.radius), *net):
                raise CertificateError(f"{name} lies outside {ball.name}")


def at_most(value: Fraction) -> str:
    """Return an upper bound for the reader: itself when short, else rounded up, so that what is said stays true.

    Example:
        >>> at_most(Fraction(27, 4)), at_most(Fraction(2**64, 3))
        ('27/4', '6.1489146912365179e+18')
    """
    return str(value) if _is_short(value) else f"{round_up(value):.17g}"


def at_least(value: Fraction) -> str:
    """Return a lower bound for the reader, rounded down unless it is short."""
    return str(value) if _is_short(value) else f"{round_down(value):.17g}"


def _is_short(value: Fraction) -> bool:
    """Whether the ratio is read easily."""
    return max(value.numerator.bit_length(), value.denominator.bit_length()) <= 32


class Prediction:
    """The running prediction of a path, and its loss against the targets, in integers.

    Attributes:
        sums: the prediction (n, c) in units of ``1 / scale``.
    """

    def __init__(self, Y: Sequence[Sequence[Fraction]], scale: int) -> None:
        """Start at the prediction 0."""
        self._factor, whole = whole_rows(Y)
        self._targets = [[y * scale for y in row] for row in whole]
        self._unit = scale * self._factor
        self.sums = [[0] * len(row) for row in whole]

    def require_level(self, level: Fraction, where: str) -> None:
        """Return if the half squared error, summed over data and outputs, is at most the level.

        Raises:
            CertificateError: it is not.
        """
        rows = zip(self.sums, self._targets, strict=True)
        rest = [value * self._factor - y for row, targets in rows for value, y in zip(row, targets, strict=True)]
        loss = Fraction(sum(map(mul, rest, rest)), 2 * self._unit * self._unit)
        if loss > level:
            raise CertificateError(f"{where}: the loss, {at_most(loss)}, exceeds the level")
