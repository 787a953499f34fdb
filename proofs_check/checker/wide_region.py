"""Regions of wide nets: their JSON form, and the exact test that a net lies in one.

A region is an intersection of balls. A ball of radius r bounds one leaf, W or the output weights A, in the spectral,
Frobenius, Schatten-p (p even) or entrywise norm; or both together, ||W||_F^2 + ||A||_F^2 <= r^2. All but the entrywise
one are conditions on the Gram matrices G = W W^T (d, d) and A A^T (c, c), each convex and monotone in G:

    spectral     r^2 I - G positive semidefinite
    frobenius    trace G <= r^2                        joint: trace W W^T + trace A A^T <= r^2
    schatten:p   trace G^(p/2) <= (r^2)^(p/2)

With one output A is a vector and all of them are its Euclidean norm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from proofs_check.checker.frame import CertificateError, WrittenFloat, fields
from proofs_check.checker.narrow_read import parts, rational
from proofs_check.exact.psd import gram, is_psd, power_trace, whole_rows

__all__ = ["Constraint", "Gram", "gram_of", "holds", "net_is_inside", "read_region"]

MAX_POWER = 64
"""Largest p of a Schatten norm."""

_SCHATTEN = re.compile(r"schatten:([1-9][0-9]?)")


class Constraint(NamedTuple):
    """One ball.

    Attributes:
        leaf: "W", "A" or "joint".
        norm: "spectral", "frobenius", "schatten" or "linf".
        power: p of a Schatten norm, else 0.
        radius: r > 0.
    """

    leaf: str
    norm: str
    power: int
    radius: Fraction

    @property
    def name(self) -> str:
        """Return the ball in words, for a message."""
        norm = f"schatten:{self.power}" if self.power else self.norm
        return f"the {norm} ball of {'both leaves' if self.leaf == 'joint' else self.leaf}"


class Gram(NamedTuple):
    """A symmetric matrix ``entries / scale`` in integers, ``scale > 0``."""

    entries: Sequence[Sequence[int]]
    scale: int

    @property
    def trace(self) -> Fraction:
        """Return the trace."""
        return Fraction(power_trace(self.entries, 1), self.scale)


def read_region(value: Any) -> tuple[Constraint, ...]:
    """Return the balls of a region: a list of regions is their intersection.

    Args:
        value: ``{"W": ball, "A": ball}`` or one of the two, a ball ``{"norm", "radius"}`` for each leaf,
            ``{"joint": ball}`` with norm "frobenius"; or a list of these. A radius is a string, an integer, or the
            decimal that is written.

    Raises:
        CertificateError: any other form, a norm that is not covered, a radius that is not positive.

    Example:
        >>> [ball.name for ball in read_region({"W": {"norm": "schatten:4", "radius": "3/2"}})]
        ['the schatten:4 ball of W']
        >>> len(read_region([{"norm": "spectral", "radius": 1}, {"norm": "linf", "radius": "1/3"}]))
        4
    """
    found: list[Constraint] = []
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, Mapping) and "joint" in entry:
            leaves = fields(entry, "region", ("joint",))
        elif isinstance(entry, Mapping) and "norm" not in entry:
            leaves = fields(entry, "region", (), ("W", "A"))
        else:
            leaves = {"W": entry, "A": entry}
        if not leaves:
            raise CertificateError('region: expected a ball for "W", for "A", for both, or "joint"')
        found += [_ball(ball, leaf) for leaf, ball in leaves.items()]
    if not found:
        raise CertificateError("region: expected at least one ball, found none")
    return tuple(found)


def _ball(value: Any, leaf: str) -> Constraint:
    norm, radius_ = parts(value, f"region {leaf}", ("norm", "radius"))
    radius = rational(radius_.text if isinstance(radius_, WrittenFloat) else radius_, f"region {leaf} radius")
    if radius <= 0:
        raise CertificateError(f"region {leaf}: expected a radius > 0")
    power = 0
    if isinstance(norm, str) and (schatten := _SCHATTEN.fullmatch(norm)):
        norm, power = "schatten", int(schatten[1])
        if power % 2 or power > MAX_POWER:
            raise CertificateError(f"region {leaf}: Schatten norms are covered for even p from 2 to {MAX_POWER}")
    elif norm not in (("frobenius",) if leaf == "joint" else ("spectral", "frobenius", "linf")):
        wanted = '"frobenius"' if leaf == "joint" else '"spectral", "frobenius", "schatten:p" or "linf"'
        raise CertificateError(f"region {leaf}: expected norm {wanted}")
    if leaf == "joint" and power:
        raise CertificateError('region joint: expected norm "frobenius"')
    return Constraint(leaf, norm, power, radius)


def gram_of(rows: Sequence[Sequence[Fraction]]) -> Gram:
    """Return ``sum_j v_j v_j^T`` over rows v_j, at least one, exactly."""
    scale, whole = whole_rows(rows)
    return Gram(gram(whole, [1] * len(whole), len(whole[0])), scale * scale)


def holds(ball: Constraint, W: Gram, A: Gram, growth: Fraction = Fraction(1)) -> bool:
    """Return whether a net with these Gram matrices lies in the ball of radius ``growth * radius``, exactly.

    Args:
        ball: any but an entrywise one.
        W: W W^T, or a matrix that exceeds it by a positive semidefinite one (then False decides nothing).
        A: A A^T, likewise.
        growth: factor of the radius, > 0.

    Example:
        >>> ball, = read_region({"W": {"norm": "spectral", "radius": 2}})
        >>> one = Gram([[1]], 1)
        >>> holds(ball, Gram([[4, 0], [0, 3]], 1), one), holds(ball, Gram([[4, 1], [1, 3]], 1), one)
        (True, False)
    """
    square = (growth * ball.radius) ** 2
    if ball.leaf == "joint":
        return W.trace + A.trace <= square
    entries, scale = W if ball.leaf == "W" else A
    if ball.norm == "frobenius":
        return Fraction(power_trace(entries, 1), scale) <= square
    if ball.norm == "schatten":
        half = ball.power // 2
        return power_trace(entries, half) * square.denominator**half <= (square.numerator * scale) ** half
    if ball.norm == "spectral":
        top, bottom = square.numerator * scale, square.denominator
        return is_psd(
            [[(top if i == j else 0) - bottom * v for j, v in enumerate(row)] for i, row in enumerate(entries)]
        )
    raise AssertionError(f"unreachable: {ball.norm} is no condition on Gram matrices")


def net_is_inside(ball: Constraint, w: Sequence[Sequence[Fraction]], a: Sequence[Sequence[Fraction]]) -> bool:
    """Return whether the net with hidden columns w_j and output columns a_j lies in a ball, exactly."""
    if ball.norm == "linf":
        return all(abs(value) <= ball.radius for row in (w if ball.leaf == "W" else a) for value in row)
    return holds(ball, gram_of(w), gram_of(a))
