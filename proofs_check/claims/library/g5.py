"""G5: several minima have a common centre, one segment away with high probability, two segments away always."""

from __future__ import annotations

from fractions import Fraction

from modeconn.star import Minima, centre_bound, centre_probability_iid, has_centre, sample_minima, two_piece_centre
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome
from proofs_check.claims.library.g_minima import accept_path
from proofs_check.claims.library.g_probability import is_frequency_at_least, samples

__all__ = ["CLAIM"]

SHAPES = ((2, 12, 2), (2, 32, 3), (2, 64, 4), (3, 120, 3))
"""(M, m, k)."""

_published = is_frequency_at_least(centre_bound, centre_probability_iid)


def _tight(instance: Instance) -> Minima:
    """Return k minima of width kM: uniform ones, without zero neurons, or with one neuron a teacher."""
    M, k, seed = instance["M"], instance["k"], instance["seed"]
    return sample_minima(seed, k, k * M, M, labels="bounded" if seed % 2 else "hausdorff")


def _theorem(instance: Instance) -> Outcome:
    """Return the margin of the probability; a centre two pieces away, at width kM, is certified by the checker."""
    M, feet = instance["M"], _tight(instance)
    centre, corners = two_piece_centre(feet.labels, M)
    for i, corner in enumerate(corners):
        foot = Minima(feet.labels[i], feet.magnitudes[i])
        accept_path([foot, corner, centre], (foot, centre), 2, M)
    return _published(instance)


def _always_linear(instance: Instance) -> Outcome:
    """Return the exact check of: uniform minima of width kM have a common linear centre."""
    labels = sample_minima(instance["seed"], instance["k"], instance["k"] * instance["M"], instance["M"]).labels
    return Outcome(Fraction(0 if has_centre(labels, instance["M"]) else -1), detail={"labels": labels.tolist()})


def _one_foot_less(m: int, M: int, k: int) -> Fraction:
    return centre_bound(m, M, k - 1)


VACUOUS = Hypothesis(
    "m >= kM and the bound is positive (elsewhere it says nothing)",
    lambda i: i["m"] >= i["k"] * i["M"] and centre_bound(i["m"], i["M"], i["k"]) > 0,
)
ROOM = Hypothesis("m >= kM", lambda i: i["m"] >= i["k"] * i["M"])

CLAIM = Claim(
    id="G5",
    statement=(
        "k uniform minima have a common linear centre with probability >= 1 - M ((M^k - 1)/M^k)^(m - kM), exactly so "
        "for i.i.d. labels; if m >= kM any k minima have a centre two segments away from each, which the checker "
        "accepts at m = kM (400 draws; refuted if so few centres have probability < 1e-9)"
    ),
    source="Lin, Li, Wu (2024), Theorems 10 and 11 (Theorem 10 read for k minima drawn independently)",
    rests_on=("G2",),
    instances=samples,
    shapes=SHAPES,
    check=_theorem,
    hypotheses=(VACUOUS,),
    controls=(
        Control(
            "one-foot-less",
            "the bound for k - 1 feet holds for k feet",
            check=is_frequency_at_least(_one_foot_less, centre_probability_iid),
            shapes=((2, 20, 3), (3, 60, 3)),
            hypotheses=(ROOM,),
        ),
        Control(
            "always-one-segment",
            "if m >= kM any k minima have a centre one segment away from each",
            check=_always_linear,
            shapes=((2, 6, 3), (3, 9, 3)),
            hypotheses=(ROOM,),
        ),
    ),
    cost=2.0,
)
