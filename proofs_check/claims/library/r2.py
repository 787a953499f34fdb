"""R2: below B_M* the optimal sets of AdamW and Muon are disjoint at large width, from B_M* on they overlap."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from functools import lru_cache

import numpy as np

from modeconn.capacity import (
    AttainableLoss,
    ExactNet,
    attainable_loss,
    ball_json,
    common_point,
    copies_needed,
    least_gauge_sum,
)
from modeconn.capacity.exact_fit import exact_net
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome
from proofs_check.claims.library.r_cases import (
    FITTABLE,
    SHAPES,
    Rejected,
    accept_for,
    capacity_of,
    needed_width,
    regional_problems,
    states,
    system_of,
)

__all__ = ["CLAIM"]

FACTORS = ("1/2", "7/8", "63/64", "65/64", "3/2")
"""Radius of the ball over B_M*."""

BOX = Fraction(1, 2)
"""Radius of the box over that of the ball."""

GAP = Fraction(1, 50)
"""Relative gap allowed between the lower end, for every width, and the net of width at most N: what rounding costs."""


def _radius(instance: Instance) -> Fraction:
    """Return a rational radius on the wanted side of B_M*."""
    capacity, factor = capacity_of(instance), Fraction(instance["factor"])
    return Fraction(capacity.upper).limit_denominator(10**9) * factor


@lru_cache(maxsize=128)
def _loss(text: str) -> AttainableLoss:
    instance = json.loads(text)
    radius = _radius(instance)
    found = attainable_loss(system_of(instance), radius, capacity_of(instance))
    above = found.upper_certificate()
    accept_for(instance, *above)
    states(above[0], found.upper)
    if found.dual is not None:
        below = found.lower_certificate()
        accept_for(instance, below)
        states(below, found.lower, radius**2)
    elif found.lower:
        raise Rejected("a positive lower end without evidence")
    return found


def _least_in_ball(instance: Instance) -> AttainableLoss:
    """Return the least loss in the ball, both ends accepted by the checker."""
    return _loss(json.dumps(instance, sort_keys=True))


def _box_net(instance: Instance) -> ExactNet:
    """Return a net of the least loss of all nets in the box, accepted by the checker: V shared out finely enough."""
    system, square = system_of(instance), (BOX * _radius(instance)) ** 2
    gauge = least_gauge_sum(system, system.least_loss)
    copies = [math.ceil(v * (1 + 1e-9)) for v in np.abs(gauge.u).max(1) / float(square)]
    net = exact_net(system, gauge.active, gauge.u, np.ones(len(copies)), system.closest, copies)
    if net is None:
        raise Rejected("no net in the box was found")
    net = ExactNet(system, tuple(neuron._replace(beta=square) for neuron in net.neurons))
    region = ball_json("linf", BOX * _radius(instance))
    accept_for(instance, net.certificate(system.least_loss), net.problem(region))
    return net


def _check(instance: Instance) -> Outcome:
    """Return how far the ball's least loss is above that of all nets (below B_M*), or how far a net is inside."""
    system, radius = system_of(instance), _radius(instance)
    in_box, found = _box_net(instance), _least_in_ball(instance)
    detail = {
        "radius": str(radius),
        "lower": float(found.lower),
        "upper": float(found.upper),
        "box_width": in_box.width,
    }
    if _below(instance):
        gap, room = found.upper - found.lower, Fraction(needed_width(instance) - found.net.width)
        if found.lower <= system.least_loss:
            raise Rejected("the ball is not shown to miss the least loss of all nets")
        return Outcome(
            min(found.lower - system.least_loss, GAP * found.upper - gap, room), certified=True, detail=detail
        )
    both = common_point(found.net, radius, BOX * radius)
    regions = ball_json("linf", BOX * radius), ball_json("spectral", radius)
    accept_for(instance, both.certificate(system.least_loss), both.problem(*regions))
    room = Fraction(copies_needed(radius, BOX * radius) * needed_width(instance) - both.width)
    return Outcome(min(system.least_loss - both.loss, room), certified=True, detail=detail)


def _below(instance: Instance) -> bool:
    return Fraction(instance["factor"]) < 1


def _meet_below(instance: Instance) -> Outcome:
    """Check: below B_M* some net of the ball has the least loss of all nets, as the box's optimal nets do."""
    found = _least_in_ball(instance)
    above = found.lower - system_of(instance).least_loss
    return Outcome(-above, detail={"radius": str(found.radius), "lower": float(found.lower)})


def _box_never(instance: Instance) -> Outcome:
    """Check: at no width does a net of the box have the least loss of all nets."""
    net = _box_net(instance)
    return Outcome(-Fraction(1, net.width), detail={"width": net.width, "loss": str(net.loss)})


def _ball_shrinks(instance: Instance) -> Outcome:
    """Check: four times the width halve the least radius of the ball, as they do that of the box."""
    capacity = capacity_of(instance)
    assert capacity.square_upper is not None, "there is a net"
    claimed = capacity.square_upper / 4
    return Outcome(claimed - capacity.square_lower, detail={"claimed": float(claimed), "lower": capacity.lower**2})


CLAIM = Claim(
    id="R2",
    statement=(
        "the least loss in Muon's ball of radius r does not depend on the width m >= N and is above the least loss of "
        "all nets iff r < B_M*, while a box of any radius reaches it at a finite width: so the optimal sets of the two "
        "are disjoint at large width for r < B_M* and meet for r >= B_M* (one output; tried at r from 1/2 to 63/64 and "
        "from 65/64 to 3/2 of B_M*, box r/2; margin: the least of the certified gap to the least loss of all nets, 2 % "
        "less the gap between the bound for every width and a net of width <= N, and the width to spare)"
    ),
    source="theory R2, proved there",
    rests_on=("W1", "R3"),
    instances=lambda shape: regional_problems(shape, factor=FACTORS),
    shapes=SHAPES,
    check=_check,
    hypotheses=(FITTABLE,),
    controls=(
        Control(
            "overlap-below",
            "the optimal sets meet for some r < B_M* as well",
            check=_meet_below,
            hypotheses=(FITTABLE, Hypothesis("r < B_M*", _below)),
        ),
        Control("box-never-attains", "a small box reaches the least loss of all nets at no width", check=_box_never),
        Control("ball-shrinks-with-width", "B_M* halves when the width is four times as large", check=_ball_shrinks),
    ),
    cost=4.0,
)
