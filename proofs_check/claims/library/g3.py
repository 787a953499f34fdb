"""G3: two uniform minima are joined by two segments of minima, with high probability."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from modeconn.star import centre_bound, centre_probability_iid, has_centre, places, sample_minima, two_piece_path
from modeconn.star.minima import Minima
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome
from proofs_check.claims.library.g_minima import accept_path, has_matching
from proofs_check.claims.library.g_probability import is_frequency_at_least, samples

__all__ = ["CLAIM"]

SHAPES = ((2, 10, 2), (2, 16, 2), (3, 30, 2), (4, 48, 2), (4, 64, 2))
"""(M, m, k)."""
SPARSE = 40
"""Pairs with zero neurons on which the criterion meets the matching."""
Criterion = Callable[[np.ndarray, int], np.ndarray]

_published = is_frequency_at_least(centre_bound, centre_probability_iid)


def _sparse_labels(instance: Instance) -> np.ndarray:
    """Return labels (SPARSE, 2, width) of minima with zero neurons, so narrow that centres come and go."""
    M = instance["M"]
    width = 2 * M + instance["seed"] % (M + 1)
    found = sample_minima(instance["seed"], 2 * SPARSE, width, M, labels="iid", zero_probability=0.375)
    return found.labels.reshape(SPARSE, 2, width)


def _is_criterion(criterion: Criterion) -> Callable[[Instance], Outcome]:
    """Return the check of: two pieces suffice iff the criterion holds, by maximum matchings."""

    def check(instance: Instance) -> Outcome:
        labels = _sparse_labels(instance)
        matched = np.array([has_matching(pair, instance["M"]) for pair in labels])
        wrong = int((criterion(labels, instance["M"]) != matched).sum())
        return Outcome(-Fraction(wrong), detail={"pairs": SPARSE, "joined": int(matched.sum()), "wrong": wrong})

    return check


def _theorem(instance: Instance) -> Outcome:
    """Return the worst of: the frequency, the exact probability, the criterion; the first joined pair is certified."""
    found, criterion = _published(instance), _is_criterion(has_centre)(instance)
    M = instance["M"]
    pair = sample_minima(instance["seed"], 2, instance["m"], M)
    first, second = (Minima(*(part[k] for part in pair)) for k in range(2))
    path = two_piece_path(first, second)
    if path is not None:
        accept_path(path, (first, second), 2, M)
    elif has_matching(pair.labels, M):
        raise AssertionError("no path was found between minima that have a centre")
    detail = {**found.detail, **criterion.detail, "certified_path": path is not None}
    return Outcome(min(found.margin, criterion.margin), detail=detail)


def _enough_places(labels: np.ndarray, M: int) -> np.ndarray:
    found = places(labels, M)
    return np.asarray(found.own.sum(-1) + found.free >= M)


def _single_base(m: int, M: int, k: int) -> Fraction:
    return 1 - M * Fraction(M - 1, M) ** (m - 2 * M)


def _one_teacher(m: int, M: int, k: int) -> Fraction:
    return 1 - Fraction(M**2 - 1, M**2) ** (m - 2 * M)


VACUOUS = Hypothesis(
    "m >= kM and the bound is positive (elsewhere it says nothing)",
    lambda i: i["m"] >= i["k"] * i["M"] and centre_bound(i["m"], i["M"], i["k"]) > 0,
)

CLAIM = Claim(
    id="G3",
    statement=(
        "two uniform minima (in the Hausdorff sense) are joined by two segments of minima with probability >= 1 - M "
        "((M^2 - 1)/M^2)^(m - 2M); exactly so for i.i.d. labels; a pair is joined iff the teachers can be matched to "
        "places where each foot is 0 or serves them (400 draws; refuted if so few joined pairs have probability < 1e-9)"
    ),
    source="Lin, Li, Wu (2024), Theorem 8",
    rests_on=("G2",),
    instances=samples,
    shapes=SHAPES,
    check=_theorem,
    hypotheses=(VACUOUS,),
    controls=(
        Control(
            "base-of-one-foot",
            "the same with ((M - 1)/M)^(m - 2M)",
            check=is_frequency_at_least(_single_base, centre_probability_iid),
            shapes=((3, 20, 2), (4, 48, 2)),
        ),
        Control(
            "one-teacher",
            "the same without the factor M",
            check=is_frequency_at_least(_one_teacher, centre_probability_iid),
            shapes=((6, 100, 2), (8, 150, 2)),
            hypotheses=(),
        ),
        Control(
            "counting", "two pieces suffice iff M places can serve some teacher", check=_is_criterion(_enough_places)
        ),
        Control(
            "always",
            "two uniform minima are always joined by two segments",
            check=is_frequency_at_least(lambda m, M, k: Fraction(1)),
            shapes=((2, 8, 2), (3, 12, 2)),
            hypotheses=(),
        ),
    ),
    cost=3.0,
)
