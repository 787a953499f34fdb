r"""How long the shortest path of minima is, bounded on both sides, relative to the straight line.

Every neuron of a minimum lives on a spider: M rays glued at 0. Along a path gamma in the manifold

    length = int |gamma'| >= ( sum_i (int |gamma_i'|)^2 )^(1/2) >= ( sum_i d_i^2 )^(1/2),

with d_i = |a - b| for a neuron that serves the same teacher at both ends (or none at one of them), a + b for one that
changes its teacher. From above the two-piece path through the centre that minimises |c - first|^2 + |c - second|^2,
whose length is at most the root of twice that.

               e_1                        teacher j, places where both feet are 0 or serve j:
                |                         c_i = (a_i + b_i)/2 + delta_j/n_j,   delta_j = 1 - sum (a_i + b_i)/2
          a o   |   (a + b, not |a - b|)
             \  |
              \ |
      b o-------0------- e_3
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from modeconn.errors import InputError
from modeconn.star.connectivity import places
from modeconn.star.minima import UNIT, Minima, check_minima, teacher_count, units

__all__ = [
    "RatioBounds",
    "SquaredLengths",
    "geodesic_ratio_bounds",
    "root",
    "spider_limit",
    "squared_lengths",
    "two_piece_limit",
    "two_piece_squares",
]


class SquaredLengths(NamedTuple):
    """Exact squared lengths between pairs of minima, as integers, in units of UNIT^2.

    Attributes:
        spider: (n,), sum of squared spider distances: at most the square of the length of any path of minima.
        euclidean: (n,), squared Euclidean distance.
    """

    spider: Int[np.ndarray, "*n"]
    euclidean: Int[np.ndarray, "*n"]


class RatioBounds(NamedTuple):
    """Rigorous bounds on the geodesic ratio G = geodesic length / Euclidean distance, rounded outward.

    Attributes:
        lower: (n,), from the spider distances.
        upper: (n,), from the two-piece path; infinite where there is none.
    """

    lower: Float[np.ndarray, "*n"]
    upper: Float[np.ndarray, "*n"]


def _pair_units(first: Minima, second: Minima) -> tuple[np.ndarray, np.ndarray]:
    """Return the magnitudes of pairs in units, after a check that both are minima of the same teacher."""
    if first.labels.shape != second.labels.shape or first.labels.size == 0:
        raise InputError(f"pairs: expected labels of one shape, found {first.labels.shape} and {second.labels.shape}")
    M = max(teacher_count(first), teacher_count(second))
    check_minima(first, M, "first of the pairs")
    check_minima(second, M, "second of the pairs")
    return units(first), units(second)


def squared_lengths(first: Minima, second: Minima) -> SquaredLengths:
    """Return spider and Euclidean squared lengths of pairs, exactly; cost O(n m M).

    Raises:
        InputError: pairs of different shapes, or that are no minima of one teacher.

    Example:
        >>> one, other = Minima(np.array([1, 2]), np.ones(2)), Minima(np.array([2, 1]), np.ones(2))
        >>> lengths = squared_lengths(one, other)  # two neurons change their teacher: (1 + 1)^2 each, instead of 2
        >>> lengths.spider / lengths.euclidean
        np.float64(2.0)
    """
    a, b = _pair_units(first, second)
    change = (first.labels != second.labels) & (first.labels > 0) & (second.labels > 0)
    squares, twice = a * a + b * b, 2 * a * b
    same = first.labels == second.labels
    euclidean = (squares - np.where(same, twice, 0)).sum(-1)
    spider = (squares - np.where(same, twice, 0) + np.where(change, twice, 0)).sum(-1)
    return SquaredLengths(spider, euclidean)


def two_piece_squares(first: Minima, second: Minima) -> list[Fraction | None]:
    r"""Return min |c - first|^2 + |c - second|^2 over centres c, in units of UNIT^2; ``None`` without a centre.

    $$\sum_j \Bigl[\frac{2 \delta_j^2}{n_j} + \sum_{i \in P_j} \frac{(a_i - b_i)^2}{2}
      + \sum_{i \notin P_j} (a_i^2 + b_i^2)\Bigr],$$

    with n_j places P_j for teacher j. Places where both are 0 are shared out evenly, after one for every teacher that
    has no other; the minimum is over centres on those places. The length of the two pieces is at most the root of
    twice this, with equality when they are equally long. Exact.
    """
    M, whole = teacher_count(first), round(1 / UNIT)
    a, b = map(np.atleast_2d, _pair_units(first, second))
    found = places(np.stack([np.atleast_2d(first.labels), np.atleast_2d(second.labels)], -2), M)
    missing = found.own == 0
    spare = found.free - missing.sum(-1)
    n = found.own + missing + np.maximum(spare, 0)[:, None] // M
    shared = found.teacher > 0
    fixed = (2 * (a * a + b * b) - np.where(shared, (a + b) ** 2, 0)).sum(-1)  # twice the terms without delta
    sums = np.stack([np.where(found.teacher == j, a + b, 0).sum(-1) for j in range(1, M + 1)], -1)
    return [
        None
        if spare[i] < 0
        else Fraction(int(fixed[i]), 2)
        + sum(Fraction((2 * whole - int(s)) ** 2, 2 * int(count)) for s, count in zip(sums[i], n[i], strict=True))
        for i in range(len(n))
    ]


def geodesic_ratio_bounds(first: Minima, second: Minima) -> RatioBounds:
    """Return rigorous bounds on the geodesic ratios of pairs of minima, batched.

    Raises:
        InputError: two minima that are equal.

    Reference: theory section 5, G6 and G7.
    """
    lengths = squared_lengths(first, second)
    euclidean = np.atleast_1d(lengths.euclidean)
    if (euclidean == 0).any():
        raise InputError("geodesic_ratio_bounds: expected two different minima, found a pair that is equal")
    lower, upper = [], []
    pairs = zip(np.atleast_1d(lengths.spider), euclidean, two_piece_squares(first, second), strict=True)
    for spider, straight, squares in pairs:
        lower.append(root(Fraction(int(spider), int(straight)), -math.inf))
        upper.append(math.inf if squares is None else root(2 * squares / int(straight), math.inf))
    return RatioBounds(np.array(lower), np.array(upper))


def root(square: Fraction, direction: float) -> float:
    """Return the square root rounded to a float on the side of ``direction``, -inf or inf, for certain."""
    found = math.sqrt(square)
    while (Fraction(found) ** 2 > square) if direction < 0 else (Fraction(found) ** 2 < square):
        found = math.nextafter(found, direction)
    return found


def _served_share(M: int, zero_probability: float) -> float:
    if M < 1 or not 0 <= zero_probability < 1:
        raise InputError(f"expected M >= 1 and 0 <= r < 1, found M = {M} and r = {zero_probability}")
    return (1 - zero_probability) / M


def spider_limit(M: int, zero_probability: float, moment_ratio: float) -> float:
    r"""Return the limit m -> infinity of the spider lower bound on the geodesic ratio.

    Labels i.i.d. (0 with probability r, else uniform), magnitudes g_i / sum g with g i.i.d., E g^2 / (E g)^2 = kappa:

    $$\sqrt{1 + \frac{M - 1}{\kappa M / (1 - r) - 1}}.$$

    *Proof.* Let q = (1 - r)/M and E g = 1. A teacher's sum is (1 + o(1)) m q almost surely, so a neuron of label j has
    a = g/(mq) (1 + o(1)), and by the law of large numbers m q^2 |first - second|^2 -> 2 kappa q M - 2 q^2 M (the
    second term from neurons with equal labels). Changing its teacher adds 2ab to a neuron's squared distance, which
    happens with probability q^2 M (M - 1): m q^2 spider^2 -> the same + 2 q^2 M (M - 1). Divide. For kappa = 2 this is
    sqrt((6 q_c + 2 q_s + 2 q_z)/(4 q_c + 2 q_s + 2 q_z)). It is 1 iff M = 1 or kappa is infinite, for r < 1.

    Example:
        >>> round(spider_limit(2, 0.3, 2.0), 3)
        1.101
    """
    q = _served_share(M, zero_probability)
    return math.sqrt(1 + (M - 1) / (moment_ratio / q - 1))


def two_piece_limit(M: int, zero_probability: float, moment_ratio: float) -> float:
    r"""Return the limit m -> infinity of the two-piece upper bound on the geodesic ratio, for the same law.

    With q = (1 - r)/M, rho = q + r (share of a teacher's mass on places open to it) and p = q^2 + 2 q r + r^2/M
    (share of places that serve it):

    $$\sqrt{\frac{2 (1 - \rho)^2 / p + \kappa (2 - \rho) / q - 1}{\kappa / q - 1}}.$$

    For r = 0 and kappa = 2 it is sqrt((2 M^2 - 1)/(2 M - 1)), about sqrt(M + 1/2).

    Example:
        >>> round(two_piece_limit(2, 0.0, 2.0) ** 2 * 3, 9)
        7.0
    """
    q = _served_share(M, zero_probability)
    rho, p = q + zero_probability, q * q + 2 * q * zero_probability + zero_probability**2 / M
    if math.isinf(moment_ratio):
        return math.sqrt(2 - rho)
    squares = 2 * (1 - rho) ** 2 / p + moment_ratio * (2 - rho) / q - 1
    return math.sqrt(squares / (moment_ratio / q - 1))
