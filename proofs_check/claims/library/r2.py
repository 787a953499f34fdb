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
    accept,
    capacity_of,
    regional_problems,
    system_of,
)

__all__ = ["CLAIM"]

FACTORS = ("1/2", "7/8", "63/64", "65/64", "3/2")
"""Radius of the ball over B_M*."""

BOX = Fraction(1, 2)
"""Radius of the box over that of the ball."""


def _radius(instance: Instance) -> Fraction:
    """Return a rational radius on the wanted side of B_M*."""
    capacity, factor = capacity_of(instance), Fraction(instance["factor"])
    return Fraction(capacity.upper).limit_denominator(10**9) * factor


@lru_cache(maxsize=128)
def _loss(text: str) -> AttainableLoss:
    instance = json.loads(text)
    system = system_of(instance)
    found = attainable_loss(system, _radius(instance), capacity_of(instance))
    if found.dual is not None:
        accept(found.lower_certificate(), system.to_json())
    accept(*found.upper_certificate())
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
    accept(net.certificate(system.least_loss), net.problem(ball_json("linf", BOX * _radius(instance))))
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
    if Fraction(instance["factor"]) < 1:
        room = Fraction(system.reduced_width - found.net.width)
        return Outcome(min(found.lower - system.least_loss, room), certified=True, detail=detail)
    both = common_point(found.net, radius, BOX * radius)
    regions = ball_json("linf", BOX * radius), ball_json("spectral", radius)
    accept(both.certificate(system.least_loss), both.problem(*regions))
    room = Fraction(copies_needed(radius, BOX * radius) * system.reduced_width - both.width)
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
        "are disjoint at large width for r < B_M* and meet for r >= B_M* (margin: the certified gap between the "
        "losses, or the width to spare)"
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
