"""G6: the geodesic ratio of two uniform minima is of order sqrt(M), by a two-piece path."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb, isqrt

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import (
    Minima,
    centre_bound,
    sample_minima,
    squared_lengths,
    two_piece_squares,
)
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.g_minima import SEEDS
from proofs_check.claims.library.g_probability import frequency_margin

__all__ = ["CLAIM"]

SHAPES = ((2, 64), (3, 144), (4, 256), (6, 576))
"""(M, m), m >= 16 M^2."""
PAIRS = 60


def _instances(shape: Shape) -> SearchStrategy[Instance]:
    M, m = shape
    return st.fixed_dictionaries({"M": st.just(M), "m": st.just(m), "seed": SEEDS})


def _pairs(instance: Instance) -> tuple[Minima, Minima]:
    both = sample_minima(instance["seed"], 2 * PAIRS, instance["m"], instance["M"])
    return Minima(both.labels[::2], both.magnitudes[::2]), Minima(both.labels[1::2], both.magnitudes[1::2])


def _is_path_at_most(square: Callable[[int], Fraction]) -> Callable[[Instance], Outcome]:
    """Return the check of: the two-piece path has squared ratio <= square(M), as often as two pieces are promised."""

    def check(instance: Instance) -> Outcome:
        M, (first, second) = instance["M"], _pairs(instance)
        lengths, above = squared_lengths(first, second), two_piece_squares(first, second)
        ratios = [
            None if squares is None else 2 * squares / int(straight)
            for squares, straight in zip(above, lengths.euclidean, strict=True)
        ]
        for ratio, spider, straight in zip(ratios, lengths.spider, lengths.euclidean, strict=True):
            assert ratio is None or ratio >= Fraction(int(spider), int(straight)) >= 1, "a bound on the wrong side"
        short = sum(ratio is not None and ratio <= square(M) for ratio in ratios)
        detail = {
            "pairs": PAIRS,
            "short": short,
            "largest": float(max((r for r in ratios if r is not None), default=0)),
        }
        return Outcome(frequency_margin(short, PAIRS, centre_bound(instance["m"], M)), detail=detail)

    return check


def _is_near_one(instance: Instance) -> Outcome:
    """Return the exact check, by the spider bound, of: the geodesic ratio is at most 1 + 1/sqrt(m)."""
    lengths = squared_lengths(*_pairs(instance))
    root = int(instance["m"] ** 0.5)
    claimed = (1 + Fraction(1, root)) ** 2
    ratios = [Fraction(int(a), int(b)) for a, b in zip(lengths.spider, lengths.euclidean, strict=True)]
    return Outcome(claimed - max(ratios), detail={"largest": float(max(ratios)), "claimed": float(claimed)})


def _failure_at_least(m: int) -> Fraction:
    """Return a rational lower bound on the probability that two uniform minima for M = 2 are not joined by two pieces.

    The count n of teacher 1 has weight sqrt(n (m - n)) C(m, n) C(m - 2, n - 1), the roots enclosed; without a common
    place for teacher 1, which has probability C(m - n, n')/C(m, n'), there is no centre.
    """
    scale = 10**6
    integers = [comb(m, n) * comb(m - 2, n - 1) for n in range(1, m)]
    roots = [isqrt(n * (m - n) * scale**2) for n in range(1, m)]
    low = [root * k for root, k in zip(roots, integers, strict=True)]
    high = sum((root + 1) * k for root, k in zip(roots, integers, strict=True))
    apart = sum(
        low[n - 1] * low[k - 1] * Fraction(comb(m - n, k), comb(m, k)) for n in range(1, m) for k in range(1, m - n + 1)
    )
    return Fraction(apart, high**2)


def _exponential_rate(instance: Instance) -> Outcome:
    """Return the exact check of: two pieces fail with probability <= 100 e^-m (1/e < 3/8)."""
    failure = _failure_at_least(instance["m"])
    claimed = 100 * Fraction(3, 8) ** instance["m"]
    return Outcome(claimed - failure, detail={"failure": float(failure), "claimed": float(claimed)})


WIDE = Hypothesis("m >= 16 M^2", lambda i: i["m"] >= 16 * i["M"] ** 2)

CLAIM = Claim(
    id="G6",
    statement=(
        "the two-piece path between two uniform minima has ratio <= sqrt(2 (M + 1)) to the straight line, hence so has "
        "the geodesic, at m >= 16 M^2 with the probability of Theorem 8 (squared ratios exact; the ratio tends to "
        "sqrt((2 M^2 - 1)/(2 M - 1)); refuted if so few short paths have probability < 1e-9)"
    ),
    source=(
        "Lin, Li, Wu (2024), Theorem 12 and its proof, with the probability of Theorem 8: the printed 1 - c_1 e^-m "
        "cannot hold for a two-piece path, see the control exponential-rate"
    ),
    rests_on=("G1", "G3"),
    instances=_instances,
    shapes=SHAPES,
    check=_is_path_at_most(lambda M: Fraction(2 * (M + 1))),
    hypotheses=(WIDE,),
    controls=(
        Control(
            "constant",
            "the two-piece path has ratio at most sqrt(2), for every M",
            check=_is_path_at_most(lambda M: Fraction(2)),
        ),
        Control("nearly-convex", "the geodesic ratio of uniform minima is at most 1 + 1/sqrt(m)", check=_is_near_one),
        Control(
            "exponential-rate",
            "M = 2: two pieces suffice with probability >= 1 - 100 e^-m (printed: 1 - c_1 e^-m, c_1 absolute)",
            check=_exponential_rate,
            shapes=((2, 32),),
            hypotheses=(),
        ),
    ),
    cost=2.0,
)
