"""G7B, what survives of G7: with a bounded number of active rows a teacher the geodesic ratio does tend to one."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import Minima, are_linearly_connected, disjoint_probability, sample_minima, squared_lengths
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.g_minima import SEEDS, accept_path
from proofs_check.claims.library.g_probability import frequency_margin

__all__ = ["CLAIM"]

SHAPES = ((1, 1, 8), (2, 1, 32), (2, 3, 256), (4, 2, 512))
"""(M, k, m): teachers, active rows of each, width."""
PAIRS = 100


def _instances(shape: Shape) -> SearchStrategy[Instance]:
    M, k, m = shape
    return st.fixed_dictionaries({"M": st.just(M), "k": st.just(k), "m": st.just(m), "seed": SEEDS})


def _pairs(instance: Instance) -> tuple[Minima, Minima]:
    m, M, k = instance["m"], instance["M"], instance["k"]
    both = sample_minima(instance["seed"], 2 * PAIRS, m, M, labels="bounded", active=k)
    return Minima(both.labels[::2], both.magnitudes[::2]), Minima(both.labels[1::2], both.magnitudes[1::2])


def _theorem(instance: Instance) -> Outcome:
    """Return the worst of: the exact probability of disjoint rows minus the bound, the frequency of ratio 1."""
    m, active = instance["m"], instance["M"] * instance["k"]
    bound = 1 - Fraction(active**2, m)
    first, second = _pairs(instance)
    joined, lengths = are_linearly_connected(first.labels, second.labels), squared_lengths(first, second)
    assert ((lengths.spider == lengths.euclidean) >= joined).all(), "a segment of minima is shorter than its spiders"
    if joined.any():
        i = int(joined.argmax())
        start, end = (Minima(part.labels[i], part.magnitudes[i]) for part in (first, second))
        accept_path([start, end], (start, end), 1, instance["M"])
    margin = min(disjoint_probability(m, active, active) - bound, frequency_margin(int(joined.sum()), PAIRS, bound))
    return Outcome(margin, detail={"ratio_one": int(joined.sum()), "pairs": PAIRS, "bound": float(bound)})


def _all_near_one(instance: Instance) -> Outcome:
    """Return the exact check of: every pair has a geodesic ratio of at most 1 + 1/sqrt(m)."""
    lengths = squared_lengths(*_pairs(instance))
    worst = max(Fraction(int(a), int(b)) for a, b in zip(lengths.spider, lengths.euclidean, strict=True))
    claimed = 1 + Fraction(1, int(instance["m"] ** 0.5))
    return Outcome(claimed**2 - worst, detail={"ratio_at_least": float(worst) ** 0.5, "claimed": float(claimed)})


FEW = Hypothesis("(k M)^2 <= m", lambda i: (i["k"] * i["M"]) ** 2 <= i["m"])

CLAIM = Claim(
    id="G7B",
    statement=(
        "two minima with k active rows for each of M teachers at uniform places, whatever their magnitudes: with "
        "probability >= 1 - (k M)^2/m the segment between them consists of minima, so the geodesic ratio is 1 (exact "
        "probability of disjoint rows; 100 pairs, refuted if so few segments have probability < 1e-9; one certified)"
    ),
    source="own: what survives of Lin, Li, Wu (2024), Theorem 14; a union bound over the active rows and Lemma 7",
    rests_on=("G2",),
    instances=_instances,
    shapes=SHAPES,
    check=_theorem,
    hypotheses=(FEW,),
    controls=(
        Control(
            "growing",
            "the ratio is at most 1 + 1/sqrt(m) with m/(2M) active rows a teacher too",
            check=_all_near_one,
            shapes=((2, 64, 256), (2, 256, 1024)),
            hypotheses=(),
        ),
    ),
)
