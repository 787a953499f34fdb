"""A segment between two nets: where its ReLUs switch, and the prediction along it.

Everything is written in s = 2t - 1 in [-1, 1], centred at the midpoint: a pre-activation is P(s) = p + s q with p and q
half the sum and half the difference of its end values, |p| + |q| = max(|P(-1)|, |P(1)|), and likewise an output weight
is A(s) = u + s v. No coefficient then exceeds the size of what it describes, so nothing cancels that a forward pass
would not cancel too. A pre-activation changes sign inside iff |q| > |p|, at s = -p/q, and from there on the prediction
gains |q| (s - tau) A(s), whichever way the neuron switches.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeconn.errors import InputError
from modeconn.nets import Net, check_net

__all__ = ["UNIT", "Segment", "Switches", "as_real", "as_targets", "check_ends", "segment_between"]

Reals = NDArray[np.float64]

UNIT = 2.0**-53
"""Largest relative error of one float64 operation."""

BLOCK = 1 << 16
"""Entries of a block of rows, so that its temporaries stay in cache."""


class Switches(NamedTuple):
    """Sign changes of pre-activations inside the segment, one row each.

    Attributes:
        sample: data point (N,).
        neuron: hidden neuron (N,).
        place: s of the sign change (N,), in (-1, 1).
        slope: |q| (N,), half the change of the pre-activation along the segment.
    """

    sample: NDArray[np.intp]
    neuron: NDArray[np.intp]
    place: Reals
    slope: Reals

    def take(self, index: NDArray[np.intp]) -> Switches:
        """Return the sign changes at ``index``."""
        return Switches(*(column[index] for column in self))


class Segment(NamedTuple):
    """A segment with its data, in NumPy float64.

    Attributes:
        P: midpoint pre-activations p (n, m).
        Q: half differences q (n, m).
        U: midpoint output weights u (c, m).
        V: half differences v (c, m).
        Y: targets (n, c).
        spread: bound on the terms of the predictions, see :func:`terms_size`.
        depth: number of roundings on the way to a prediction.
    """

    P: Reals
    Q: Reals
    U: Reals
    V: Reals
    Y: Reals
    spread: float
    depth: int

    def predictions(self, s: float) -> Reals:
        """Return f(X) at s, shape (n, c). Cost n m (c + 4)."""
        n, m = self.P.shape
        A = (self.U + s * self.V).T
        F = np.empty_like(self.Y)
        for rows in _blocks(n, m):
            F[rows] = np.maximum(self.P[rows] + s * self.Q[rows], 0.0) @ A
        return F

    def loss(self, s: float) -> float:
        """Return the half squared error at s."""
        R = self.predictions(s) - self.Y
        return 0.5 * float(np.vdot(R, R))

    def start(self) -> Reals:
        """Return the coefficients (3, c, n) in s of the prediction just after the start s = -1."""
        n, m = self.P.shape
        coefficients = np.empty((3, self.Y.shape[1], n))
        for rows in _blocks(n, m):
            P, Q = self.P[rows], self.Q[rows]
            active = np.where(np.abs(Q) > np.abs(P), Q < 0, P > 0)
            P, Q = P * active, Q * active
            coefficients[0, :, rows] = (P @ self.U.T).T
            coefficients[1, :, rows] = (P @ self.V.T + Q @ self.U.T).T
            coefficients[2, :, rows] = (Q @ self.V.T).T
        return coefficients

    def switches(self) -> Switches:
        """Return the sign changes inside the segment, by data point."""
        n, m = self.P.shape
        parts = []
        for rows in _blocks(n, m):
            P, Q = self.P[rows].ravel(), self.Q[rows].ravel()
            index = np.flatnonzero(np.abs(Q) > np.abs(P))
            q = Q[index]
            row = index // m
            parts.append(Switches(row + rows.start, index - row * m, -P[index] / q, np.abs(q)))
        return Switches(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def rounding(self, loss: float) -> float:
        """Return a bound on the float64 error of a half squared error of about ``loss`` on the segment."""
        return float(squared_rounding(np.float64(loss), np.float64(self.spread), self.depth, self.Y.size))


def segment_between(net0: Net, net1: Net, X: object, Y: object) -> Segment:
    """Return the segment from ``net0`` (s = -1) to ``net1`` (s = 1) on the data. Cost 2 n d m multiplications.

    Args:
        net0: W (d, m), A (c, m) or None, b (m,) or None.
        net1: a net with the same leaves and shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.

    Raises:
        InputError: the nets or the data are not finite or do not fit together.
    """
    data, start, end = check_ends(net0, net1, X)
    targets = as_targets(Y, len(data), 1 if start.A is None else len(start.A))
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows in the spread
        segment = _assemble(data, start, end, targets)
        largest = segment.spread + float(np.linalg.norm(targets))
        if not np.isfinite(largest * largest):
            raise InputError("the squared error overflows float64: expected moderate numbers; rescale weights or data")
    return segment


def _assemble(data: Reals, start: Net, end: Net, targets: Reals) -> Segment:
    """Return the segment of checked arrays."""
    half_sum = Net(*(None if a is None else 0.5 * b + 0.5 * a for a, b in zip(start, end, strict=True)))
    half_gap = Net(*(None if a is None else 0.5 * b - 0.5 * a for a, b in zip(start, end, strict=True)))
    P, Q = data @ half_sum.W, data @ half_gap.W
    if half_sum.b is not None:
        P, Q = P + half_sum.b, Q + half_gap.b
    U = np.ones((1, P.shape[1])) if half_sum.A is None else half_sum.A
    V = np.zeros((1, P.shape[1])) if half_gap.A is None else half_gap.A
    spread, depth = terms_size(data, start, end)
    return Segment(P, Q, U, V, targets, float(spread), depth)


def terms_size(data: Reals, start: Net, end: Net) -> tuple[Reals, int]:
    """Return a bound on the terms of the predictions on the segment, and the number of roundings on the way to one.

    The bound is that of Cauchy and Schwarz, || ||x_i|| sum_j max ||w_j|| max |a_oj| ||, the norm over (i, o) and the
    maxima over the segment. The leaves of the nets may have leading axes.
    """
    largest = np.linalg.norm(np.maximum(np.abs(start.W), np.abs(end.W)), axis=-2)
    size = np.linalg.norm(data, axis=1)
    if start.b is not None:
        largest = np.hypot(largest, np.maximum(np.abs(start.b), np.abs(end.b)))
        size = np.hypot(size, 1.0)
    A = np.ones((1, largest.shape[-1])) if start.A is None else np.maximum(np.abs(start.A), np.abs(end.A))
    total = np.linalg.norm((A * largest[..., None, :]).sum(-1), axis=-1)
    return np.linalg.norm(size) * total, data.shape[1] + 2 * largest.shape[-1] + 512


def squared_rounding(loss: Reals, spread: Reals, depth: int, entries: int) -> Reals:
    """Return a bound on the float64 error of half squared errors of about ``loss``.

    With g = depth 2^-53 a prediction is off by at most g times the sum of its |terms|, whose norm is at most ``spread``;
    so, up to the sum over the n c = ``entries`` residuals, |error| <= sqrt(2 L) g spread + (g spread)^2 / 2.
    """
    drift = depth * UNIT * spread
    return np.sqrt(2.0 * loss) * drift + 0.5 * drift * drift + (entries + 8) * UNIT * loss


def check_ends(net0: Net, net1: Net, X: object) -> tuple[Reals, Net, Net]:
    """Return the data and the two nets as float64 NumPy arrays; raise :class:`InputError` unless they fit together."""
    data = as_real(X, "X")
    ends = []
    for net, name in ((net0, "first net"), (net1, "second net")):
        leaves = (None if leaf is None else as_real(leaf, f"{name}: {key}") for key, leaf in zip(Net._fields, net, strict=True))
        ends.append(Net(*leaves))  # type: ignore[arg-type]
        check_net(ends[-1], name)
    start, end = ends
    if start.W.shape[1] != end.W.shape[1]:
        raise InputError(
            f"the nets have widths {start.W.shape[1]} and {end.W.shape[1]}: expected equal widths; "
            "add dead neurons to the narrower one"
        )
    for key, a, b in zip(Net._fields, start, end, strict=True):
        if (a is None) != (b is None):
            raise InputError(f"only one of the nets has {key}: expected both or neither; give the other one too")
        if a is not None and a.shape != b.shape:
            raise InputError(f"the nets have {key} of shapes {a.shape} and {b.shape}: expected equal shapes")
    if data.ndim != 2 or data.shape[0] == 0 or data.shape[1] != start.W.shape[0]:
        raise InputError(
            f"expected X of shape (n, {start.W.shape[0]}) with n >= 1, found {data.shape}; one row a data point, "
            "one column an input of the nets"
        )
    return data, start, end


def as_targets(Y: object, n: int, c: int) -> Reals:
    """Return the targets as (n, c); a vector (n,) is taken for c = 1."""
    targets = as_real(Y, "Y")
    if targets.ndim == 1 and c == 1:
        targets = targets[:, None]
    if targets.shape != (n, c):
        raise InputError(f"expected Y of shape ({n}, {c}), found {np.shape(Y)}; one row a data point, one column an output")
    return targets


def as_real(value: object, name: str) -> Reals:
    """Return the value as a finite float64 array; raise :class:`InputError` otherwise."""
    try:
        array = np.asarray(value)
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        array = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected an array of real numbers, found {type(value).__name__} ({error})") from error
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise InputError(f"{name} holds {bad} NaN or infinite entries; expected finite numbers, clean the data first")
    return array


def _blocks(n: int, m: int) -> list[slice]:
    """Return slices that cut n rows of length m into blocks of about :data:`BLOCK` entries."""
    step = max(1, BLOCK // m)
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]
