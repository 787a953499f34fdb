"""ZHAN: the barrier between two minima after the best permutation falls with the width."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.align import match_minima
from modeconn.star import Minima, sample_minima
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.exact.arc import pi
from proofs_check.exact.interval import Interval
from proofs_check.exact.teacher_loss import teacher_loss

__all__ = ["CLAIM", "Pair", "loss_between", "pairs_of"]

SHAPES = ((2, 2), (2, 4), (3, 6), (4, 12))
"""Teachers M and width m."""

PAIRS = 4
"""Pairs of minima in an instance, over which the mean is taken."""

HALF = Fraction(1, 2)


class Pair(NamedTuple):
    """Two minima and an order of the second's neurons: labels and magnitudes, as they face each other."""

    labels: np.ndarray
    magnitudes: np.ndarray
    other_labels: np.ndarray
    other_magnitudes: np.ndarray

    def permuted(self, order: np.ndarray) -> Pair:
        """Return the pair with the second minimum's neurons in another order."""
        return self._replace(other_labels=self.other_labels[order], other_magnitudes=self.other_magnitudes[order])

    def aligned(self) -> Pair:
        """Return the pair with the least mixing of teachers."""
        return self.permuted(match_minima(*self).permutation)

    def mixed_mass(self) -> Fraction:
        """Return the sum of both magnitudes over the places where two teachers meet."""
        places = (self.labels != self.other_labels) & (self.labels > 0) & (self.other_labels > 0)
        return sum((Fraction(float(x)) for x in (self.magnitudes + self.other_magnitudes)[places]), Fraction(0))


def _fleets(shape: Shape) -> SearchStrategy[Instance]:
    """Return the law and the seed of four pairs of minima, and a time i / 8."""
    M, m = shape
    return st.fixed_dictionaries(
        {
            "M": st.just(M),
            "m": st.just(m),
            "law": st.sampled_from(["hausdorff", "iid"]),
            "seed": st.integers(0, 2**31 - 1),
            "eighth": st.integers(1, 7),
        }
    )


def pairs_of(instance: Instance) -> list[Pair]:
    """Return the pairs of minima of an instance, in the order drawn."""
    drawn: Minima = sample_minima(instance["seed"], 2 * PAIRS, instance["m"], instance["M"], labels=instance["law"])
    return [Pair(*(x[2 * k + s] for s in (0, 1) for x in (drawn.labels, drawn.magnitudes))) for k in range(PAIRS)]


def loss_between(pair: Pair, t: Fraction, M: int) -> Interval:
    """Return the loss at time t of the segment between the two minima, rigorously."""
    neurons = []
    for j, a, k, b in zip(*(x.tolist() for x in pair), strict=True):
        neuron: dict[int, Fraction] = {}
        for label, weight in ((j, (1 - t) * Fraction(a)), (k, t * Fraction(b))):
            if label:
                neuron[label - 1] = neuron.get(label - 1, Fraction(0)) + weight
        neurons.append(neuron)
    return teacher_loss(neurons, M, bits=64)


def _check_with(mixing: int = 8, rate: int = 16, is_aligned: bool = True) -> Callable[[Instance], Outcome]:
    """Return the check of both inequalities with these constants.

    Args:
        mixing: of loss(t) <= t (1 - t) s^2 / (mixing pi), s the mixed mass, for both orders of the neurons.
        rate: of mean loss(1/2) <= M^2 / (rate pi m).
        is_aligned: whether the mean is that after alignment.
    """

    def check(instance: Instance) -> Outcome:
        M, m, t = instance["M"], instance["m"], Fraction(instance["eighth"], 8)
        given = pairs_of(instance)
        aligned = [pair.aligned() for pair in given]
        slacks = [
            (t * (1 - t) * pair.mixed_mass() ** 2 / (mixing * pi()) - loss_between(pair, t, M)).lower
            for pair in (given[0], *aligned)
            if pair.mixed_mass()
        ]
        halfway = [loss_between(pair, HALF, M) for pair in (aligned if is_aligned else given)]
        mean = sum(halfway, Interval.point(0)) / PAIRS
        rate_slack = (Fraction(M**2) / (rate * m * pi()) - mean).lower
        detail = {"mean_halfway": float(mean.upper), "mixed_mass": [float(pair.mixed_mass()) for pair in aligned]}
        return Outcome(min([rate_slack, *slacks]), detail=detail)

    return check


def _least_at_twice(instance: Instance) -> Outcome:
    """Check: the mean at m = 2 M is at most that at m = 8 M. (At m = M aligned minima coincide: nothing to compare.)"""
    means = []
    for times in (2, 8):
        there = {**instance, "m": times * instance["M"]}
        losses = (loss_between(pair.aligned(), HALF, instance["M"]) for pair in pairs_of(there))
        means.append(sum(losses, Interval.point(0)) / PAIRS)
    return Outcome((means[1] - means[0]).upper, detail={"means": [float(mean.upper) for mean in means]})


def _no_places(instance: Instance) -> Outcome:
    """Check: after alignment no two teachers meet."""
    return Outcome(-sum((pair.aligned().mixed_mass() for pair in pairs_of(instance)), Fraction(0)))


CLAIM = Claim(
    id="ZHAN",
    statement=(
        "minima of m students against M orthonormal teachers, Gaussian inputs, loss 1/2 E (f - f*)^2: with s the "
        "magnitude in places where two teachers meet, the segment has loss(t) <= t (1 - t) s^2 / (8 pi) in any order "
        "of the neurons; and the mean loss halfway over the fleet, neurons aligned by exact assignment, is at most "
        "M^2 / (16 pi m), below the published O(m^(-1/2)) (rational intervals; the constants are ours; margin: the "
        f"least slack over {PAIRS} pairs)"
    ),
    source="Zhan, Li, Wu (2025), the barrier modulo permutation of two-layer ReLU students; our formulation",
    instances=_fleets,
    shapes=SHAPES,
    check=_check_with(),
    controls=(
        Control("quarter-of-it", "loss(t) <= t (1 - t) s^2 / (32 pi)", _check_with(mixing=32), shapes=((2, 2), (2, 4))),
        Control(
            "unaligned",
            "the mean is as small for neurons in the order drawn",
            _check_with(is_aligned=False),
            shapes=((2, 12),),
        ),
        Control(
            "least-at-2M",
            "the mean over the fleet of a seed is no larger at m = 2 M than at m = 8 M",
            _least_at_twice,
            shapes=((2, 2), (3, 3)),
        ),
        Control("no-mixing", "aligned neurons never meet another teacher", _no_places, shapes=((2, 4), (3, 6))),
    ),
    cost=12.0,
    rests_on=("G1",),
)
