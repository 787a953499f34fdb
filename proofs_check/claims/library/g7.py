"""G7, published and false: the geodesic ratio of neuron-sparse minima tends to one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isqrt

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import MAGNITUDE_LAWS, SquaredLengths, sample_minima, squared_lengths, two_piece_squares
from modeconn.star.minima import Minima
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.g_minima import SEEDS

__all__ = ["CLAIM"]

SHAPES = ((2, 7), (2, 8), (4, 8), (2, 9))
"""(M, k): width 4^k."""
LAWS = ("equal", "simplex", "half-normal", "pareto-3", "squared-normal", "pareto-1.5")
CONSTANT = 10
"""Largest c_2 granted; c_1 is granted up to 10^100."""
EXPONENT = 480
"""m r^2 is at least this: then c_1 M e^(-m r^2) < 10^-100 for M <= 8."""


def _instances(
    shape: Shape, laws: tuple[str, ...] = LAWS, eighths: tuple[int, ...] = (2, 3, 4, 5)
) -> SearchStrategy[Instance]:
    """Return instances: r in eighths, a law of the magnitudes, a seed of the pair."""
    M, k = shape
    fields = {"M": st.just(M), "m": st.just(4**k), "r": st.sampled_from(eighths), "law": st.sampled_from(laws)}
    return st.fixed_dictionaries({**fields, "seed": SEEDS})


def _lengths(instance: Instance) -> SquaredLengths:
    """Return the exact lengths of a pair of minima of the instance's law."""
    both = sample_minima(
        instance["seed"],
        2,
        instance["m"],
        instance["M"],
        labels="iid",
        magnitudes=instance["law"],
        zero_probability=instance["r"] / 8,
    )
    first, second = (Minima(both.labels[k : k + 1], both.magnitudes[k : k + 1]) for k in range(2))
    lengths, above = squared_lengths(first, second), two_piece_squares(first, second)[0]
    assert above is None or lengths.euclidean[0] <= lengths.spider[0] <= 2 * above, "a bound on the wrong side"
    return lengths


def _is_at_most(excess: Callable[[int, Fraction], Fraction]) -> Callable[[Instance], Outcome]:
    """Return the exact check, against the spider bound, of: the geodesic ratio is at most 1 + excess(sqrt(m), r)."""

    def check(instance: Instance) -> Outcome:
        lengths = _lengths(instance)
        claimed = 1 + excess(isqrt(instance["m"]), Fraction(instance["r"], 8))
        ratio = Fraction(int(lengths.spider[0]), int(lengths.euclidean[0]))
        detail = {"ratio_at_least": float(ratio) ** 0.5, "claimed": float(claimed)}
        return Outcome(claimed**2 - ratio, detail=detail)

    return check


def _equal(shape: Shape) -> SearchStrategy[Instance]:
    return _instances(shape, ("equal",))


LIKELY = Hypothesis(
    f"m is a square and m r^2 >= {EXPONENT}, so that a violation has probability < 10^-100 if the statement is true",
    lambda i: isqrt(i["m"]) ** 2 == i["m"] and 0 < i["r"] < 8 and i["m"] * i["r"] ** 2 >= 64 * EXPONENT,
)
FINITE = Hypothesis("the law is one of the table", lambda i: i["law"] in MAGNITUDE_LAWS)

CLAIM = Claim(
    id="G7",
    statement=(
        "two minima whose neurons are independently 0 with probability r, else on a uniform axis, magnitudes i.i.d. up "
        "to their sum: with probability >= 1 - c_1 M e^(-m r^2) the geodesic ratio is at most 1 + c_2/(r sqrt(m)), "
        f"granted c_1 <= 10^100, c_2 <= {CONSTANT} (margin in squared ratios, exact: every path is at least as long as "
        "the spiders are wide)"
    ),
    source=(
        "Lin, Li, Wu (2024), Theorem 14 with Definition 13 (which leaves dependence and magnitudes open); refuted for "
        "every law of finite variance: the ratio is at least sqrt(1 + (M - 1)/(kappa M/(1 - r) - 1)) in the limit"
    ),
    rests_on=("G1",),
    instances=_instances,
    shapes=SHAPES,
    check=_is_at_most(lambda root, r: Fraction(CONSTANT) / (r * root)),
    hypotheses=(LIKELY, FINITE),
    controls=(
        Control(
            "rate-free-of-r",
            f"the ratio is at most 1 + {CONSTANT}/sqrt(m)",
            check=_is_at_most(lambda root, r: Fraction(CONSTANT, root)),
        ),
        Control(
            "slower-rate",
            "equal magnitudes: the ratio is at most 1 + 1/(r m^(1/4))",
            check=_is_at_most(lambda root, r: 1 / (r * isqrt(root))),
            instances=_equal,
            shapes=((2, 8), (4, 8)),
        ),
        Control(
            "no-detour",
            "the ratio is 1: the neuron-sparse minima of a wide net are linearly connected",
            check=_is_at_most(lambda root, r: Fraction(0)),
            shapes=((2, 6), (2, 7)),
            hypotheses=(FINITE,),
        ),
    ),
    expected="refuted",
    cost=3.0,
)
