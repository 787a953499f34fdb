"""Exact confidence intervals for a probability, from a count."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import NamedTuple

from scipy.stats import beta

from modeconn.errors import InputError

__all__ = ["Proportion", "clopper_pearson", "lower_tail"]


class Proportion(NamedTuple):
    """A frequency with an interval that holds the probability with the stated confidence, whatever it is."""

    lower: float
    frequency: float
    upper: float


def clopper_pearson(successes: int, trials: int, confidence: float = 0.99) -> Proportion:
    """Return the Clopper-Pearson interval of a binomial probability (two-sided, never too short).

    Raises:
        InputError: unless 0 <= successes <= trials, trials >= 1 and 0 < confidence < 1.

    Example:
        >>> clopper_pearson(0, 100, 0.95).lower, round(clopper_pearson(0, 100, 0.95).upper, 4)
        (0.0, 0.0362)

    Reference: Clopper and Pearson (1934).
    """
    if not (0 <= successes <= trials and trials >= 1 and 0 < confidence < 1):
        raise InputError(
            f"clopper_pearson: expected 0 <= successes <= trials, trials >= 1, 0 < confidence < 1; "
            f"found {successes}, {trials}, {confidence}"
        )
    tail = (1 - confidence) / 2
    lower = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    upper = 1.0 if successes == trials else float(beta.isf(tail, successes + 1, trials - successes))
    return Proportion(lower, successes / trials, upper)


def lower_tail(successes: int, trials: int, probability: Fraction) -> Fraction:
    """Return P(Binomial(trials, probability) <= successes), an exact rational.

    Example:
        >>> lower_tail(1, 2, Fraction(1, 2))
        Fraction(3, 4)
    """
    hit, whole = probability.numerator, probability.denominator
    miss = whole - hit
    terms = (comb(trials, k) * hit**k * miss ** (trials - k) for k in range(successes + 1))
    return Fraction(sum(terms), whole**trials)
