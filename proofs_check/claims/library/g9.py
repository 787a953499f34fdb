"""G9: theta and -theta of a linear net of depth 2 are not joined by two pieces; what the best two pieces cost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.star import (
    LEAST_INTEGRAL,
    LEAST_INTEGRAL_ANY_CENTRE,
    LEAST_PEAK,
    LinearNet,
    antipodal_centre,
    antipode,
    exact_net,
    least_peak_any_centre,
    linear_star_centre,
    pathological_pair,
    scalar_centre,
    segment_defects,
)
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.linear_cases import as_json, compute_q, goal_of, minima_of, rows_of, sampled
from proofs_check.exact.linear_net import chain_error, leg_loss, unit_integral
from proofs_check.exact.polynomial import Polynomial, is_at_most, maximum_over_pieces

__all__ = ["CLAIM"]

SHAPES = ((2, 1, 1), (4, 1, 1), (4, 2, 1), (5, 2, 2))
"""(width m, inputs d, outputs c)."""

PEAK_TOLERANCE = Fraction(1, 10**9)
EXCESSES = (Fraction(0), Fraction(1, 2), Fraction(29, 70), Fraction(1, 4))


class Costs(NamedTuple):
    """The loss on the two legs from theta and -theta to a centre, in units of |Q|^2, exact.

    Attributes:
        legs: polynomials in t.
        peak: a value that is attained, within PEAK_TOLERANCE of the largest one.
        above: no value is larger.
        integral: sum of the two integrals.
    """

    legs: list[Polynomial]
    peak: Fraction
    above: Fraction
    integral: Fraction

    def peak_slack(self, bound: Fraction) -> Fraction:
        """Return how far the largest loss lies above a bound; negative exactly when it lies below."""
        if self.peak >= bound or all(is_at_most(leg, bound, Fraction(0), Fraction(1)) for leg in self.legs):
            return self.peak - bound
        return self.above - bound

    def is_peak(self, value: Fraction) -> bool:
        """Return whether the largest loss is this, exactly."""
        return self.peak == value and all(is_at_most(leg, value, Fraction(0), Fraction(1)) for leg in self.legs)


def _costs(feet: Sequence[LinearNet], centre: LinearNet, Q: np.ndarray) -> Costs:
    size = sum((Fraction(x) ** 2 for x in Q.ravel().tolist()), Fraction(0))
    goal, middle = rows_of(Q), [rows_of(B) for B in centre]
    legs = [leg_loss([rows_of(A) for A in net], middle, goal) * Polynomial([1 / size]) for net in feet]
    ends = (Fraction(0), Fraction(1, 2), Fraction(1))  # with a centre that is a minimum both legs peak halfway
    pieces = [(leg, a, b) for leg in legs for a, b in itertools.pairwise(ends)]
    found = maximum_over_pieces(pieces, PEAK_TOLERANCE)
    return Costs(legs, found.lower, found.upper, sum((unit_integral(leg) for leg in legs), Fraction(0)))


def _instance(shape: Shape, Q: list[list[int]], seed: int, kind: str, excess: Fraction) -> Instance:
    """Return theta with a centre: a random minimum, the best one, or the best with B_2 B_1 = (1 + excess) Q."""
    goal = np.array(Q, object)
    theta, centre = sampled(goal, [shape[0]], 2, seed)
    if kind == "published":
        theta = _json(pathological_pair(shape[0])[0])
    if kind != "random":
        centre = _json(antipodal_centre(exact_net(theta), goal, excess if kind == "no minimum" else 0, seed))
    return {"Q": Q, "minima": [theta], "centre": centre, "excess": str(excess)}


def _json(net: LinearNet) -> list[list[list[int | str]]]:
    return [as_json(layer) for layer in net]


def _drawn(*kinds: str) -> Callable[[Shape], SearchStrategy[Instance]]:
    def strategy(shape: Shape) -> SearchStrategy[Instance]:
        _, d, c = shape
        rows = st.lists(st.lists(st.integers(1, 3), min_size=d, max_size=d), min_size=c, max_size=c)
        seeds, excesses = st.integers(0, 2**16), st.sampled_from(EXCESSES)
        offered = [kind for kind in kinds if kind != "published" or (d, c) == (1, 1)]
        drawn = st.tuples(rows, seeds, st.sampled_from(offered), excesses)
        return drawn.map(lambda x: _instance(shape, [[1]] if x[2] == "published" else x[0], *x[1:]))

    return strategy


def _parts(instance: Instance) -> tuple[LinearNet, LinearNet, np.ndarray]:
    return minima_of(instance)[0], exact_net(instance["centre"]), goal_of(instance)


def _detail(found: Costs) -> dict[str, object]:
    return {"largest_loss": str(found.peak), "integral": str(found.integral), "unit": "E |Qx|^2, E xx^T = I"}


def _bounded(peak: Fraction, integral: Fraction) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the costs of this centre are at least these two."""

    def check(instance: Instance) -> Outcome:
        theta, centre, Q = _parts(instance)
        found = _costs([theta, antipode(theta)], centre, Q)
        return Outcome(min(found.peak_slack(peak), found.integral - integral), detail=_detail(found))

    return check


def _joined_exactly(theta: LinearNet, other: LinearNet, Q: np.ndarray) -> Fraction:
    """Return minus the deviation from Q on the two pieces from theta to another minimum, unless that is -theta."""
    centre = scalar_centre(theta, other, Q)
    if centre is None:
        return Fraction(0 if all((A == -B).all() for A, B in zip(theta, other, strict=True)) else -1)
    return -chain_error([[rows_of(A) for A in net] for net in (theta, centre, other)], rows_of(Q))


def _check(instance: Instance) -> Outcome:
    """The bounds hold at this centre and are attained at the best one; the smaller ones hold at the one off by g."""
    theta, centre, Q = _parts(instance)
    pair, (low, high) = (theta, antipode(theta)), least_peak_any_centre()
    found, best = _costs(pair, centre, Q), _costs(pair, antipodal_centre(theta, Q), Q)
    other = _costs(pair, antipodal_centre(theta, Q, Fraction(instance["excess"])), Q)
    others = _joined_exactly(theta, centre, Q) if Q.shape == (1, 1) and len(theta[0]) >= 3 else Fraction(0)
    first_order = [segment_defects(net, centre, Q)[1] for net in pair]
    margins = [
        found.peak_slack(LEAST_PEAK),
        found.integral - LEAST_INTEGRAL,
        Fraction(0) if best.is_peak(LEAST_PEAK) and best.integral == LEAST_INTEGRAL else Fraction(-1),
        other.peak_slack(low),
        other.integral - LEAST_INTEGRAL_ANY_CENTRE,
        high - low,
        others,
        -Fraction(abs(first_order[0] + first_order[1] + 2 * Q).max()),
    ]
    return Outcome(min(margins), detail=_detail(found))


def _joined_at_another(instance: Instance) -> Outcome:
    """The bound 1/4 for theta and *another* minimum in place of -theta, with a centre from the linear equations."""
    theta, other, Q = _parts(instance)
    centre = linear_star_centre([theta, other], Q)
    if centre is None:
        return Outcome(Fraction(0), detail={"centre": "not found"})
    found = _costs([theta, other], centre.net, Q)
    return Outcome(found.peak_slack(LEAST_PEAK), detail=_detail(found))


def _centre_is_minimum(instance: Instance) -> bool:
    return compute_q({"Q": instance["Q"], "minima": [instance["centre"]]})


MINIMUM = Hypothesis("theta computes Q, and Q is not 0", lambda i: compute_q(i) and bool(goal_of(i).any()))
CENTRE = Hypothesis("the centre is a minimum", _centre_is_minimum)

CLAIM = Claim(
    id="G9",
    statement=(
        "linear nets of depth 2: minima theta and -theta (such as ((1,0,0,0), (1,0,0,0)^T), Q = 1) are not joined by "
        "two pieces at any width. Over centres that are minima the largest loss on the two legs is at least "
        "1/4 E|Qx|^2 and the integrals add up to at least 4/15 E|Qx|^2, both attained by one explicit centre; over all "
        "centres the bounds are 3 - 2 sqrt(2) and 1/6. With one input, one output and m >= 3, any other two minima are "
        "joined by two pieces (margin: least slack, exact)"
    ),
    source="Lin, Li, Wu (2024), Lemma 17, our formulation; any Q, and centres that are no minima: proved here",
    rests_on=("G8",),
    instances=_drawn("random", "best", "published"),
    shapes=SHAPES,
    hypotheses=(MINIMUM, CENTRE),
    check=_check,
    controls=(
        Control(
            "constants-swapped",
            "the largest loss is at least 4/15 E|Qx|^2 and the integrals add up to at least 1/4 E|Qx|^2",
            check=_bounded(LEAST_INTEGRAL, LEAST_PEAK),
        ),
        Control(
            "integral-three-tenths",
            "the integrals add up to at least 3/10 E|Qx|^2",
            check=_bounded(LEAST_PEAK, Fraction(3, 10)),
        ),
        Control(
            "any-centre-peak",
            "the largest loss is at least 1/4 E|Qx|^2 for centres that are no minima too",
            check=_bounded(LEAST_PEAK, Fraction(0)),
            hypotheses=(MINIMUM,),
            instances=_drawn("no minimum"),
        ),
        Control(
            "any-centre-integral",
            "the integrals add up to at least 4/15 E|Qx|^2 for centres that are no minima too",
            check=_bounded(Fraction(0), LEAST_INTEGRAL),
            hypotheses=(MINIMUM,),
            instances=_drawn("no minimum"),
        ),
        Control(
            "any-two-minima",
            "the largest loss is at least 1/4 E|Qx|^2 between any two minima",
            check=_joined_at_another,
            instances=_drawn("random"),
            shapes=((4, 1, 1), (5, 2, 1)),
        ),
    ),
    cost=1.5,
)
