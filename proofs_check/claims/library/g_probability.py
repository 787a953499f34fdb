"""Probabilities of a common centre on trial: sampled minima against a bound, at an exact level."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import has_centre, lower_tail, sample_minima
from proofs_check.claims.claim import Instance, Outcome, Shape
from proofs_check.claims.library.g_minima import ALPHA, SEEDS
from proofs_check.exact.rational import floor_dyadic

__all__ = ["DRAWS", "Bound", "feet_labels", "frequency_margin", "is_frequency_at_least", "samples"]

DRAWS = 400
"""Draws of an instance."""
BITS = 40
"""Precision to which a bound is rounded, downward (in favour of the statement)."""
Bound = Callable[[int, int, int], Fraction]
"""(m, M, k) -> lower bound on a probability."""


def samples(shape: Shape) -> SearchStrategy[Instance]:
    """Return instances of shape (M, m, k): k uniform minima of width m, drawn again and again from a seed."""
    M, m, k = shape
    return st.fixed_dictionaries({"M": st.just(M), "m": st.just(m), "k": st.just(k), "seed": SEEDS})


def feet_labels(instance: Instance, draws: int = DRAWS) -> np.ndarray:
    """Return labels (draws, k, m) of uniform minima."""
    m, M, k = instance["m"], instance["M"], instance["k"]
    return sample_minima(instance["seed"], draws * k, m, M).labels.reshape(draws, k, m)


def frequency_margin(successes: int, trials: int, bound: Fraction) -> Fraction:
    """Return P(Binomial(trials, bound) <= successes) - ALPHA, exact: negative iff refuted at level ALPHA."""
    rounded = min(max(Fraction(floor_dyadic(bound, BITS)), Fraction(0)), Fraction(1))
    return lower_tail(successes, trials, rounded) - ALPHA


def is_frequency_at_least(bound: Bound, exact: Callable[[int, int, int], Fraction] | None = None) -> Any:
    """Return the check of: k uniform minima have a common linear centre with at least this probability.

    Args:
        bound: the lower bound.
        exact: exact probability under i.i.d. labels, held to the same bound.
    """

    def check(instance: Instance) -> Outcome:
        M, m, k = instance["M"], instance["m"], instance["k"]
        claimed = bound(m, M, k)
        successes = int(has_centre(feet_labels(instance), M).sum())
        margin = frequency_margin(successes, DRAWS, claimed)
        detail = {"successes": successes, "draws": DRAWS, "bound": float(claimed)}
        if exact is not None:
            probability = exact(m, M, k)
            margin = min(margin, probability - claimed)
            detail["iid_probability"] = float(probability)
        return Outcome(margin, detail=detail)

    return check
