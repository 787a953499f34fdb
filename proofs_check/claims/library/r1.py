"""R1: splitting neurons carries Muon's level set into AdamW's box, so that the two meet at large width."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from modeconn.capacity import ExactNet, ExactNeuron, ball_json, common_point, copies_needed
from modeconn.capacity.rounding import decimal_root
from proofs_check.claims.claim import Claim, Control, Instance, Outcome
from proofs_check.claims.library.r_cases import (
    FITTABLE,
    SHAPES,
    accept_for,
    capacity_of,
    level_of,
    needed_width,
    regional_problems,
)

__all__ = ["CLAIM"]

RATIOS = ("1/2", "1", "5/4", "3/2", "2", "7/3")
"""Radius of the ball over that of the box."""


def _radii(instance: Instance) -> tuple[Fraction, Fraction]:
    """Return the radii of the ball, where it is just non-empty, and of the box."""
    square = capacity_of(instance).square_upper
    assert square is not None, "there is a net"
    ball = decimal_root(square, up=True)
    return ball, ball / Fraction(instance["ratio"])


def _net(instance: Instance) -> ExactNet:
    net = capacity_of(instance).net
    assert net is not None, "there is a net"
    return net


def _check(instance: Instance) -> Outcome:
    """Return the room left in the box and in the width k N, the smaller, after the checker accepted the common net."""
    level, net = level_of(instance), _net(instance)
    ball, box = _radii(instance)
    k = copies_needed(ball, box)
    width = k * needed_width(instance)
    both = common_point(net, ball, box)
    accept_for(
        instance,
        both.certificate(level, max(width, both.width)),
        both.problem(ball_json("linf", box), ball_json("spectral", ball)),
    )
    margin = min(1 - both.box_square / box**2, 1 - Fraction(both.width, width))
    detail = {"k": k, "width": both.width, "bound": width, "loss": str(both.loss), "ball": str(ball), "box": str(box)}
    return Outcome(margin, certified=True, detail=detail)


def _fits_with(copies: Callable[[Fraction], int]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: so many copies, as a function of r_M / r_A, bring the net into the box."""

    def check(instance: Instance) -> Outcome:
        ball, box = _radii(instance)
        k = max(1, copies(ball / box))
        square = _net(instance).split(k).box_square
        return Outcome(1 - square / box**2, detail={"k": k, "ball": str(ball), "box": str(box)})

    return check


def _equal_parts(instance: Instance) -> Outcome:
    """Check: the parts z / k, weights divided by k in place of sqrt k, have no larger loss."""
    net, (ball, box) = _net(instance), _radii(instance)
    k = copies_needed(ball, box)
    parts = net.split(k).neurons
    smaller = ExactNet(net.system, tuple(ExactNeuron(tuple(v / k for v in n.u), n.beta / k, n.s) for n in parts))
    return Outcome(level_of(instance) - smaller.loss, detail={"k": k, "loss": str(smaller.loss)})


CLAIM = Claim(
    id="R1",
    statement=(
        "if Muon's level set at c is not empty in the ball of radius r_M, then for every integer k >= (r_M / r_A)^2 "
        "and m >= k N, N = n + d (d + 1) / 2 + 1 (one output), it meets that of the box of radius r_A: cut every "
        "neuron into k parts z / sqrt(k) (margin: the room left in the box and in the width, relative)"
    ),
    source="theory R1, proved there",
    rests_on=("W1",),
    instances=lambda shape: regional_problems(shape, eighths=(0, 0, 1, 4), ratio=RATIOS),
    shapes=SHAPES,
    check=_check,
    hypotheses=(FITTABLE,),
    controls=(
        Control(
            "one-part-fewer",
            "k = ceil((r_M / r_A)^2) - 1 parts suffice",
            check=_fits_with(lambda ratio: math.ceil(ratio**2) - 1),
        ),
        Control("ratio-not-squared", "k >= r_M / r_A parts suffice", check=_fits_with(lambda ratio: math.ceil(ratio))),
        Control("parts-over-k", "the parts z / k have no larger loss", check=_equal_parts),
    ),
    cost=3.0,
)
