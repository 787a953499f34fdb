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
from modeconn.paths.inputs import Reals, Weights

__all__ = ["UNIT", "Segment", "Switches", "segment_between", "squared_rounding", "terms_size"]

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
        return Switches(self.sample[index], self.neuron[index], self.place[index], self.slope[index])


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
        return float(squared_rounding(loss, self.spread, self.depth, self.Y.size))


def segment_between(start: Weights, end: Weights, X: Reals, Y: Reals) -> Segment:
    """Return the segment from ``start`` (s = -1) to ``end`` (s = 1) on X (n, d), Y (n, c); 2 n d m multiplications.

    Raises:
        InputError: the squared error overflows.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows in the spread
        middle, gap = (Weights(*(0.5 * b + sign * a for a, b in zip(start, end, strict=True))) for sign in (0.5, -0.5))
        spread, depth = terms_size(X, start, end)
        largest = spread + np.linalg.norm(Y)
        if not np.isfinite(largest * largest):
            raise InputError("the squared error overflows float64: expected moderate numbers; rescale weights or data")
    return Segment(X @ middle.W + middle.b, X @ gap.W + gap.b, middle.A, gap.A, Y, float(spread), depth)


def terms_size(X: Reals, start: Weights, end: Weights) -> tuple[Reals, int]:
    """Return a bound on the terms of the predictions on the segment, and the number of roundings on the way to one.

    The terms of f_o(x_i) sum up to at most ||x_i|| sum_j max ||w_j|| max |a_oj| + sum_j max |b_j| max |a_oj|, with
    maxima over the segment; returned is a bound on the norm over (i, o). The nets may have a leading axis.
    """
    A = np.maximum(np.abs(start.A), np.abs(end.A))
    columns = np.linalg.norm(np.maximum(np.abs(start.W), np.abs(end.W)), axis=-2)
    biases = np.maximum(np.abs(start.b), np.abs(end.b))
    sizes = (np.linalg.norm((A * part[..., None, :]).sum(-1), axis=-1) for part in (columns, biases))
    spread = sum(size * factor for size, factor in zip(sizes, (np.linalg.norm(X), len(X) ** 0.5), strict=True))
    return np.asarray(spread), X.shape[1] + 2 * A.shape[-1] + 512


def squared_rounding(loss: Reals | float, spread: Reals | float, depth: int, entries: int) -> Reals | float:
    """Return a bound on the float64 error of half squared errors of about ``loss``.

    With g = depth 2^-53 a prediction is off by at most g times the sum of its |terms|, of norm at most ``spread``; so,
    up to the sum over the n c = ``entries`` residuals, |error| <= sqrt(2 L) g spread + (g spread)^2 / 2.
    """
    drift = depth * UNIT * spread
    return np.sqrt(2.0 * loss) * drift + 0.5 * drift * drift + (entries + 8) * UNIT * loss


def _blocks(n: int, m: int) -> list[slice]:
    """Return slices that cut n rows of length m into blocks of about :data:`BLOCK` entries."""
    step = max(1, BLOCK // m)
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]
