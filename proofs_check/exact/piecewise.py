"""The loss along a segment of two-layer ReLU nets as an exact piecewise quartic, in integer arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from operator import mul
from typing import Any, NamedTuple

from proofs_check.exact.polynomial import Polynomial
from proofs_check.exact.rational import ExactInputError, common_denominator, matrix_from, vector_from

__all__ = ["Line", "Piece", "SegmentLoss", "segment_loss", "surviving_pieces"]

GRID_BITS = 64
"""Breakpoints are also kept rounded outward to multiples of ``2**-GRID_BITS``, for cheap bounds."""

Line = tuple[Fraction, Fraction]
"""The straight line ``line[0] + line[1] t``: a baseline that is subtracted from the loss."""


class Piece(NamedTuple):
    """Between two neighbouring breakpoints, ``scale * loss`` is one quartic with integer coefficients.

    Attributes:
        start: left end, as (numerator, denominator), not reduced.
        end: right end, likewise.
        low: ``floor(2**GRID_BITS * start)``.
        high: an integer that is at least ``2**GRID_BITS * end`` and exceeds it by at most 1.
        coefficients: of ``scale * loss``, lowest first.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    low: int
    high: int
    coefficients: tuple[int, int, int, int, int]


class SegmentLoss(NamedTuple):
    """Integers that determine the half squared error of ``(1-t) net0 + t net1`` for every t.

    With ``p_ij(t) = u_ij + s_ij t`` the pre-activations (times one scale) and ``a_oj + t da_oj`` the output weights
    (times another), ``f_io(t) = sum_j (a_oj + t da_oj) relu(p_ij(t))`` and
    ``loss(t) = 2 sum_io (f_io(t) - y_io)**2 / scale``, all sums of integers.

    Attributes:
        start: u, (n, m).
        slope: s, (n, m).
        output: a, (c, m).
        output_slope: da, (c, m).
        target: y, (n, c).
        scale: common denominator of the loss.
    """

    start: list[list[int]]
    slope: list[list[int]]
    output: list[list[int]]
    output_slope: list[list[int]]
    target: list[list[int]]
    scale: int

    def __call__(self, t: Fraction) -> Fraction:
        """Return the loss at ``t`` in [0, 1] by running the net there: O(n m c), independent of the pieces."""
        p, q = t.numerator, t.denominator
        outputs = [[a * q + d * p for a, d in zip(*rows, strict=True)] for rows in zip(*self[2:4], strict=True)]
        total = 0
        for starts, slopes, targets in zip(self.start, self.slope, self.target, strict=True):
            hidden = [max(u * q + s * p, 0) for u, s in zip(starts, slopes, strict=True)]
            for row, y in zip(outputs, targets, strict=True):
                total += (sum(map(mul, row, hidden)) - y * q * q) ** 2
        return Fraction(2 * total, self.scale * q**4)

    def pieces(self) -> Iterator[Piece]:
        """Yield the quartic pieces from t = 0 to t = 1; the breakpoints are ordered exactly, equal ones taken together.

        Cost: O(n m) integer operations per output and one sort.
        """
        events, bits = self._breakpoints()
        residuals = [self._residuals_at_start(i) for i in range(len(self.start))]
        loss = [0] * 5
        for row in residuals:
            for r0, r1, r2 in row:
                loss[0] += 2 * r0 * r0
                loss[1] += 4 * r0 * r1
                loss[2] += 2 * r1 * r1 + 4 * r0 * r2
                loss[3] += 4 * r1 * r2
                loss[4] += 2 * r2 * r2
        start, low, last = (0, 1), 0, 0
        for key, i, j in events:
            u, s = self.start[i][j], self.slope[i][j]
            if key != last:
                end, floor = (abs(u), abs(s)), key >> (bits - GRID_BITS)
                yield Piece(start, end, low, floor + 1, (loss[0], loss[1], loss[2], loss[3], loss[4]))
                start, low, last = end, floor, key
            turns = 1 if s > 0 else -1
            for residual, a, da in zip(residuals[i], self.output, self.output_slope, strict=True):
                _switch(loss, residual, turns, a[j] * u, a[j] * s + da[j] * u, da[j] * s)
        yield Piece(start, (1, 1), low, 1 << GRID_BITS, (loss[0], loss[1], loss[2], loss[3], loss[4]))

    def _breakpoints(self) -> tuple[list[tuple[int, int, int]], int]:
        """Return sorted ``(floor(2**bits t), i, j)`` for the sign changes at 0 < t < 1, and ``bits``.

        Two different fractions with denominators below ``2**k`` differ by more than ``2**-2k``; with ``bits = 2 k`` the
        rounded values are therefore ordered as the exact ones, and equal exactly when those are.
        """
        crossing = [
            (abs(u), abs(s), i, j)
            for i, (starts, slopes) in enumerate(zip(self.start, self.slope, strict=True))
            for j, (u, s) in enumerate(zip(starts, slopes, strict=True))
            if (u < 0 < u + s) or (u + s < 0 < u)
        ]
        bits = max([GRID_BITS, *(2 * denominator.bit_length() for _, denominator, _, _ in crossing)])
        return sorted([((top << bits) // bottom, i, j) for top, bottom, i, j in crossing]), bits

    def _residuals_at_start(self, i: int) -> list[list[int]]:
        """Return the coefficients of ``f_io(t) - y_io`` just after t = 0, one triple for each output."""
        active = [(j, u, s) for j, (u, s) in enumerate(zip(self.start[i], self.slope[i], strict=True)) if (u or s) > 0]
        return [
            [
                sum(a[j] * u for j, u, _ in active) - y,
                sum(a[j] * s + da[j] * u for j, u, s in active),
                sum(da[j] * s for j, _, s in active),
            ]
            for a, da, y in zip(self.output, self.output_slope, self.target[i], strict=True)
        ]


def _switch(loss: list[int], residual: list[int], turns: int, q0: int, q1: int, q2: int) -> None:
    """Add ``turns * q(t)`` to a residual; with q signed so, the loss gains ``2 (r + q)**2 - 2 r**2``."""
    if turns < 0:
        q0, q1, q2 = -q0, -q1, -q2
    r0, r1, r2 = 2 * residual[0] + q0, 2 * residual[1] + q1, 2 * residual[2] + q2
    loss[0] += 2 * q0 * r0
    loss[1] += 2 * (q0 * r1 + q1 * r0)
    loss[2] += 2 * (q0 * r2 + q1 * r1 + q2 * r0)
    loss[3] += 2 * (q1 * r2 + q2 * r1)
    loss[4] += 2 * q2 * r2
    residual[0] += q0
    residual[1] += q1
    residual[2] += q2


def surviving_pieces(
    loss: SegmentLoss, baseline: Line, ceiling: Fraction | None = None, attained: Line | None = None
) -> tuple[list[tuple[Polynomial, Fraction, Fraction]], Line]:
    """Return the pieces of ``loss - baseline`` that a cheap rigorous bound leaves in play, as exact polynomials.

    The bound of a piece is its largest Bernstein coefficient on an interval that contains it and has ends on a grid of
    ``2**-64``. With a ceiling, pieces proved to stay at or below it are dropped. Without, a piece is dropped when it
    cannot exceed the largest value found at the points tried, one in each piece in play.

    Args:
        loss: the loss along the segment.
        baseline: the line to subtract.
        ceiling: decide against this number, instead of the best value found.
        attained: ``(value, t)`` attained by ``loss - baseline``: a start for the best value.

    Returns:
        ``[(polynomial, start, end), ...]`` and the best ``(value, t)`` found (``attained`` or (0, 0) with a ceiling).
    """
    extra = common_denominator([baseline[0] * loss.scale, baseline[1] * loss.scale])
    scale = loss.scale * extra
    base0, base1 = int(baseline[0] * scale), int(baseline[1] * scale)
    unit = scale << (4 * GRID_BITS)
    best, best_t = attained or (loss(Fraction(0)) - baseline[0], Fraction(0))
    level = (best if ceiling is None else ceiling) * unit
    level12 = 12 * level.numerator // level.denominator
    found = []
    for piece in loss.pieces():
        c0, c1, c2, c3, c4 = (extra * c for c in piece.coefficients) if extra > 1 else piece.coefficients
        c0, c1 = c0 - base0, c1 - base1
        bound12 = _bound12(c0, c1, c2, c3, c4, piece.low, piece.high - piece.low)
        if bound12 <= level12:
            continue
        found.append((bound12, piece, (c0, c1, c2, c3, c4)))
        t = piece.low + 1
        if ceiling is None and t < piece.high:
            value12 = _bound12(c0, c1, c2, c3, c4, t, 0)
            if value12 > level12:
                level12, best, best_t = value12, Fraction(value12, 12 * unit), Fraction(t, 1 << GRID_BITS)
    return [
        (Polynomial(Fraction(c, scale) for c in coefficients), Fraction(*piece.start), Fraction(*piece.end))
        for bound12, piece, coefficients in found
        if bound12 > level12
    ], (best, best_t)


def _bound12(c0: int, c1: int, c2: int, c3: int, c4: int, low: int, width: int) -> int:
    """Return 12 times the largest Bernstein coefficient of ``unit**4 c(x / unit)`` for x in [low, low + width].

    Here ``unit`` is ``2**GRID_BITS``. Width 0 gives 12 times the value at ``low``.
    """
    c0, c1, c2, c3 = c0 << 4 * GRID_BITS, c1 << 3 * GRID_BITS, c2 << 2 * GRID_BITS, c3 << GRID_BITS
    c3 += low * c4
    c2 += low * c3
    c1 += low * c2
    c0 += low * c1
    c3 += low * c4
    c2 += low * c3
    c1 += low * c2
    c3 += low * c4
    c2 += low * c3
    c3 += low * c4
    e1 = c1 * width
    square = width * width
    e2, e3, e4 = c2 * square, c3 * (square * width), c4 * (square * square)
    first = 12 * c0
    return max(
        first,
        first + 3 * e1,
        first + 6 * e1 + 2 * e2,
        first + 9 * e1 + 6 * e2 + 3 * e3,
        first + 12 * (e1 + e2 + e3 + e4),
    )


def segment_loss(net0: Sequence[Any], net1: Sequence[Any], X: Any, Y: Any) -> SegmentLoss:
    """Return the exact loss along the segment from ``net0`` to ``net1``.

    Args:
        net0: ``(W, A, b)``: W (d, m), A (c, m) or (m,) for one output or None for weights fixed at +1, b (m,) or None.
        net1: the other net, of the same shape.
        X: data, (n, d).
        Y: targets, (n, c), or (n,) for one output.

    Raises:
        ExactInputError: a number that is not finite, a ragged matrix, shapes that do not fit.

    Example:
        >>> loss = segment_loss(([[2]], None, None), ([[-2]], None, None), [[1]], [1])
        >>> loss(Fraction(0)), loss(Fraction(1, 2)), len(list(loss.pieces()))
        (Fraction(1, 2), Fraction(1, 2), 2)
    """
    data = matrix_from(X, "X")
    (hidden0, out0), (hidden1, out1) = (_net(net, len(data[0]), name) for net, name in ((net0, "net0"), (net1, "net1")))
    if (len(hidden0), len(out0)) != (len(hidden1), len(out1)):
        raise ExactInputError(
            f"nets: expected equal (width, outputs), found {(len(hidden0), len(out0))} and {(len(hidden1), len(out1))}"
        )
    targets = matrix_from(Y, "Y") if _is_nested(Y) else [[y] for y in vector_from(Y, "Y")]
    if (len(targets), len(targets[0])) != (len(data), len(out0)):
        raise ExactInputError(
            f"Y: expected {len(data)} rows of {len(out0)} outputs, found {len(targets)} of {len(targets[0])}"
        )
    scale_x, rows = _integers([[*row, Fraction(1)] for row in data])
    scale_w, weights = _integers(hidden0 + hidden1)
    scale_a, outputs = _integers(out0 + out1)
    scale_y, goals = _integers(targets)
    width, count = len(hidden0), len(out0)
    pre = [[sum(map(mul, row, w)) for w in weights] for row in rows]
    scale_f = scale_x * scale_w * scale_a
    return SegmentLoss(
        start=[row[:width] for row in pre],
        slope=[[v - u for u, v in zip(row[:width], row[width:], strict=True)] for row in pre],
        output=[[a * scale_y for a in row] for row in outputs[:count]],
        output_slope=[
            [(b - a) * scale_y for a, b in zip(*pair, strict=True)]
            for pair in zip(outputs[:count], outputs[count:], strict=True)
        ],
        target=[[y * scale_f for y in row] for row in goals],
        scale=4 * (scale_f * scale_y) ** 2,
    )


def _net(net: Sequence[Any], inputs: int, name: str) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """Return the hidden weights, one row ``(w_j, b_j)`` a neuron, and the output weights (c, m)."""
    if isinstance(net, str | bytes) or not hasattr(net, "__len__") or len(net) != 3:
        raise ExactInputError(f"{name}: expected (W, A, b), with None for what is absent")
    W, A, b = net
    columns = matrix_from(W, f"{name}.W")
    if len(columns) != inputs:
        raise ExactInputError(f"{name}.W: expected {inputs} rows, one for each column of X, found {len(columns)}")
    width = len(columns[0])
    bias = [Fraction(0)] * width if b is None else vector_from(b, f"{name}.b")
    if A is None:
        outputs = [[Fraction(1)] * width]
    else:
        outputs = matrix_from(A, f"{name}.A") if _is_nested(A) else [vector_from(A, f"{name}.A")]
    for found, label in ((len(bias), "b"), (len(outputs[0]), "A")):
        if found != width:
            raise ExactInputError(f"{name}.{label}: expected {width} entries, one for each neuron, found {found}")
    return [[*column, beta] for column, beta in zip(zip(*columns, strict=True), bias, strict=True)], outputs


def _is_nested(values: Any) -> bool:
    """Whether the first entry is a row, so that a matrix was given and not a vector."""
    values = values.tolist() if hasattr(values, "tolist") else values
    return isinstance(values, list | tuple) and bool(values) and isinstance(values[0], list | tuple)


def _integers(matrix: list[list[Fraction]]) -> tuple[int, list[list[int]]]:
    """Return a common denominator and the matrix times it."""
    scale = common_denominator(x for row in matrix for x in row)
    return scale, [[x.numerator * (scale // x.denominator) for x in row] for row in matrix]
