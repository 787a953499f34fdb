"""How likely random minima have a common centre: published bounds, and exact probabilities."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
from scipy.special import gammaln

from modeconn.errors import InputError
from modeconn.star.samplers import hausdorff_log_weight

__all__ = ["centre_bound", "centre_probability_hausdorff", "centre_probability_iid", "disjoint_probability"]


def centre_bound(m: int, M: int, k: int = 2) -> Fraction:
    """Return the published bound 1 - M ((M^k - 1)/M^k)^(m - kM); at most 0 where it says nothing (vacuous).

    Raises:
        InputError: unless k, M >= 1 and m >= kM.

    Reference: Lin, Li, Wu (2024), Theorem 8 (k = 2) and Theorem 10.
    """
    if min(k, M) < 1:
        raise InputError(f"centre_bound: expected k, M >= 1, found k = {k}, M = {M}")
    if m < k * M:
        raise InputError(f"centre_bound: expected m >= k M = {k * M}, found {m}; the exponent would be negative")
    return 1 - M * Fraction(M**k - 1, M**k) ** (m - k * M)


def centre_probability_iid(m: int, M: int, k: int = 2) -> Fraction:
    r"""Return the exact probability that k minima have a common linear centre, for labels i.i.d. and uniform on 1..M.

    Without zero neurons a centre exists iff every teacher has a place where all feet serve it; that all teachers
    are served (the condition of the law) is then automatic. By inclusion and exclusion

    $$P = \frac{\sum_s (-1)^s \binom Ms (M^k - s)^m}{\bigl(\sum_s (-1)^s \binom Ms (M - s)^m\bigr)^k}.$$

    Example:
        >>> centre_probability_iid(2, 2)  # (1, 2) or (2, 1), twice the same
        Fraction(1, 2)

    Reference: claims G3 and G5.
    """
    if min(k, M) < 1:
        raise InputError(f"centre_probability_iid: expected k, M >= 1, found k = {k}, M = {M}")
    hits = sum((-1) ** s * comb(M, s) * (M**k - s) ** m for s in range(M + 1))
    served = sum((-1) ** s * comb(M, s) * (M - s) ** m for s in range(M + 1))
    if served == 0:
        raise InputError(f"centre_probability_iid: expected m >= M = {M}, found {m}")
    return Fraction(hits, served**k)


def centre_probability_hausdorff(m: int) -> float:
    """Return the probability that two uniform minima are two-piece connected, for M = 2 teachers.

    The failure is a sum of positive terms over the counts (n, n') of teacher 1: no place shared by teacher 1, or none
    by teacher 2, minus both. Accurate to rounding; cost O(m^2).

    Raises:
        InputError: m < 2.
    """
    if m < 2:
        raise InputError(f"centre_probability_hausdorff: expected m >= M = 2, found {m}; widen the minima")
    n = np.arange(1, m)
    log_law = hausdorff_log_weight(n) + hausdorff_log_weight(m - n)
    law = np.exp(log_law - log_law.max())
    law /= law.sum()

    def log_choose(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        inside = (b >= 0) & (b <= a)
        a, b = np.where(inside, a, 0), np.where(inside, b, 0)
        return np.where(inside, gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1), -np.inf)

    first, second = np.meshgrid(n, n, indexing="ij")
    whole = log_choose(np.full_like(first, m), second)
    none_of_1 = np.exp(log_choose(m - first, second) - whole)
    none_of_2 = np.exp(log_choose(first, m - second) - whole)
    none_at_all = np.where(first + second == m, np.exp(-whole), 0.0)
    return float(1 - law @ (none_of_1 + none_of_2 - none_at_all) @ law)


def disjoint_probability(m: int, first: int, second: int) -> Fraction:
    """Return the exact probability that two uniformly placed sets of places do not meet: C(m - a, b) / C(m, b).

    Raises:
        InputError: unless m >= 1 and both sets have 0 to m places.

    Example:
        >>> disjoint_probability(4, 1, 2)
        Fraction(1, 2)
    """
    if not (m >= 1 and 0 <= first <= m and 0 <= second <= m):
        raise InputError(f"disjoint_probability: expected sets of 0 to m >= 1 places, found {first}, {second}, m = {m}")
    return Fraction(comb(m - first, second), comb(m, second))
