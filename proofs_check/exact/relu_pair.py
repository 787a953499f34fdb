"""The correlation of two ReLU neurons under Gaussian inputs and its derivatives, in interval arithmetic.

With C = u.v, P = |u|^2, Q = |v|^2, S = sqrt(P Q - C^2) and phi = pi/2 + arctan(C / S), for x ~ N(0, I),

    2 pi E relu(u.x) relu(v.x) = f = S + phi C,   f_C = phi,  f_P = S / 2P,  f_CC = 1 / S,  f_CP = -C / 2SP,
    f_PP = (2 C^2 - P Q) / 4 P^2 S,  f_PQ = 1 / 4S,   and the same in Q.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from proofs_check.exact.arc import arctangent, pi
from proofs_check.exact.interval import Interval, enclosure, square_root

__all__ = ["ReluPair", "relu_pair"]

Gradient = tuple[Interval, Interval, Interval]


@dataclass(frozen=True)
class ReluPair:
    """Two vectors that are not parallel, by their inner products.

    Attributes:
        C: u.v.
        P: |u|^2.
        Q: |v|^2.
        S: |u| |v| times the sine of their angle, positive.
        phi: pi minus their angle.
    """

    C: Interval
    P: Interval
    Q: Interval
    S: Interval
    phi: Interval

    def correlation(self) -> Interval:
        """Return E relu(u.x) relu(v.x)."""
        return (self.S + self.phi * self.C) / (2 * pi(self.S.bits))

    def gradient(self) -> Gradient:
        """Return the derivatives of f = 2 pi E relu relu in (C, P, Q)."""
        return self.phi, self.S / (2 * self.P), self.S / (2 * self.Q)

    def hessian(self) -> tuple[Gradient, Gradient, Gradient]:
        """Return the second derivatives of f in (C, P, Q)."""
        f_CC, f_PQ = 1 / self.S, 1 / (4 * self.S)
        f_CP, f_CQ = (-self.C / (2 * self.S * size) for size in (self.P, self.Q))
        bend = (2 * self.C.square() - self.P * self.Q) / (4 * self.S)
        f_PP, f_QQ = (bend / size.square() for size in (self.P, self.Q))
        return (f_CC, f_CP, f_CQ), (f_CP, f_PP, f_PQ), (f_CQ, f_PQ, f_QQ)


@lru_cache(maxsize=256)
def relu_pair(C: Interval, P: Interval, Q: Interval) -> ReluPair:
    """Return the pair of neurons with these inner products.

    Raises:
        ZeroDivisionError: the intervals do not exclude that the two are parallel, or that one is zero.

    Example:
        >>> one = Interval.point(1)
        >>> orthogonal = relu_pair(Interval.point(0), one, one)
        >>> (orthogonal.correlation() * 2 * pi()).contains(1)
        True

    Reference: Cho and Saul (2009), the arc-cosine kernel of order 1.
    """
    square = P * Q - C.square()
    if square.lower <= 0:
        raise ZeroDivisionError("two neurons may be parallel, or one of them zero")
    S = enclosure(square_root(square))
    return ReluPair(C, P, Q, S, pi(S.bits) / 2 + arctangent(C / S))
