"""A net in Muon's ball and in AdamW's box at once: by splitting neurons (claim R1), and by a convex program.

In the ball of radius r_M the box of radius r_A asks of the k_t copies of type t that u_t^2 <= k_t r_A^2 beta_t entry by
entry and beta_t <= k_t r_A^2. With kappa_t = k_t r_A^2 real this is convex; the least sum of kappa is about m r_A^2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from modeconn.capacity.box import MOST_NEURONS, share_out
from modeconn.capacity.exact_fit import exact_net, live_types, vertex
from modeconn.capacity.inputs import whole_width
from modeconn.capacity.least_radius import SPARE, solve_over_types
from modeconn.capacity.net import ExactNet
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.capacity.program import BallAnswer, ball_program
from modeconn.errors import InputError

__all__ = ["Meeting", "common_point", "copies_needed", "meeting", "meeting_net", "with_fewer_types"]

INSIDE = 1e-9
"""Share of the ball's radius squared kept back from the solver, so that the rounded net is inside."""


def copies_needed(radius_M: Fraction, radius_A: Fraction) -> int:
    """Return the least integer k >= (r_M / r_A)^2.

    Example:
        >>> copies_needed(Fraction(3), Fraction(2)), copies_needed(Fraction(1), Fraction(2))
        (3, 1)
    """
    return max(1, math.ceil((radius_M / radius_A) ** 2))


def common_point(net: ExactNet, radius_M: Fraction, radius_A: Fraction, width: int | None = None) -> ExactNet:
    """Return a net of the same loss in the ball and in the box: every neuron in k >= (r_M / r_A)^2 equal parts.

    Splitting changes neither f nor W W^T nor |alpha|; entries of a net in the ball are at most r_M, those of its parts
    at most r_M / sqrt k <= r_A.

    Args:
        net: a net in the spectral ball of radius r_M (both leaves).
        radius_M: r_M.
        radius_A: r_A.
        width: at most so many neurons are wanted.

    Raises:
        InputError: the net is outside the ball, or the width does not suffice.

    Example:
        >>> from modeconn.capacity import least_radius, type_system
        >>> net = least_radius(type_system([[1], [-1]], [1, 1])).net
        >>> both = common_point(net, Fraction(3, 2), Fraction(3, 4))
        >>> both.width, both.loss, both.box_square <= Fraction(9, 16)
        (8, Fraction(0, 1), True)

    Reference: claim R1.
    """
    if not net.is_in_ball(radius_M**2):
        raise InputError(f"net: expected one in the spectral ball of radius {radius_M}, found one outside; enlarge it")
    k = copies_needed(radius_M, radius_A)
    if width is not None and k * net.width > width:
        raise InputError(
            f"width: expected at least {k} copies of {net.width} live neurons = {k * net.width}, found {width}"
        )
    return net.split(k)


@dataclass(frozen=True, eq=False)
class Meeting:
    """The nets of any width in a spectral ball, by how much box they need.

    Attributes:
        system: the data.
        level: loss <= level.
        square_M: radius of the ball, squared.
        copies_square: the least m r_A^2 for large m, in floats.
        answer: the float answer, few types live.
    """

    system: TypeSystem
    level: Fraction
    square_M: Fraction
    copies_square: float
    answer: BallAnswer


def _options(system: TypeSystem, level: Fraction, square_M: Fraction) -> dict[str, Any]:
    if level == system.least_loss:
        goal: dict[str, Any] = {"target": system.closest_floats}
    else:
        goal = {"level": float(level) * (1 - SPARE)}
    return {"least": "copies", "radius_square": float(square_M) * (1 - INSIDE), **goal}


def meeting(system: TypeSystem, square_M: Fraction, level: Fraction = Fraction(0)) -> Meeting | None:
    """Return the least m r_A^2 over nets of loss <= level in the ball of radius squared ``square_M``.

    ``None`` when the solver finds none, as below the least radius.
    """
    answer = solve_over_types(system, **_options(system, level, square_M))
    if answer is None or answer.copies is None:
        return None
    rows = live_types(answer.u, answer.beta)
    active = [answer.active[j] for j in rows]
    t = vertex(system, active, answer.u[rows], answer.beta[rows], answer.copies[rows])
    few = [active[j] for j in np.flatnonzero(t > 1e-9 * t.max())]
    again = ball_program(system, few, **_options(system, level, square_M))
    sharp = again is not None and again.value <= answer.value * (1 + 1e-6)
    return Meeting(system, level, square_M, answer.value, again if sharp and again is not None else answer)


Shape = tuple[Sequence[int], Sequence[int]]
"""Types with the number of neurons of each."""


def meeting_net(found: Meeting, width: int, also: Sequence[Shape] = ()) -> tuple[Fraction, ExactNet] | None:
    """Return r_A^2, exact, and a net of the width in the ball and in the box of radius r_A; ``None`` if none was found.

    The copies are made integers, then the least box for these copies is a further program. Other shapes, such as that
    of a good net of the box, may be tried as well. No net of more than ``MOST_NEURONS`` neurons is built.
    """
    width = min(whole_width(width), MOST_NEURONS)
    system, options = found.system, _options(found.system, found.level, found.square_M)
    answer: BallAnswer | None = found.answer
    if len(found.answer.active) > width:
        answer = with_fewer_types(found.answer, width, lambda types: ball_program(system, types, **options))
    shapes = list(also)
    if answer is not None and answer.copies is not None:
        copies = share_out(answer.copies.tolist(), width)
        assert copies is not None, "there are at most as many types as the width"
        shapes.append((answer.active, copies))
    nets = [net for types, copies in shapes if (net := _shaped_net(found, types, copies, options)) is not None]
    return min(((net.box_square, net) for net in nets), key=lambda pair: pair[0], default=None)


def _shaped_net(
    found: Meeting, types: Sequence[int], copies: Sequence[int], options: dict[str, Any]
) -> ExactNet | None:
    """Return the exact net of a shape in the ball and in the least box, ``None`` if there is none."""
    system = found.system
    sharp = ball_program(system, types, weights=copies, **options)
    if sharp is None:
        return None
    target = system.closest if found.level == system.least_loss else None
    rows = live_types(sharp.u, sharp.beta, 1e-9)
    net = exact_net(
        system, [sharp.active[j] for j in rows], sharp.u[rows], sharp.beta[rows], target, [copies[j] for j in rows]
    )
    return net if net is not None and net.loss <= found.level and net.is_in_ball(found.square_M) else None


def with_fewer_types(
    answer: BallAnswer, count: int, solve: Callable[[Sequence[int]], BallAnswer | None]
) -> BallAnswer | None:
    """Return the answer of a program with at most ``count`` types, by leaving out the smallest again and again.

    Greedy, so an upper bound; ``None`` when nothing can be left out any more.
    """
    current: BallAnswer | None = answer
    while current is not None and len(current.active) > count:
        order = np.argsort(current.beta)
        following = None
        for j in order[:TRIES]:
            following = solve([t for k, t in enumerate(current.active) if k != j])
            if following is not None:
                break
        current = following
    return current


TRIES = 4
"""Types that are tried before giving up."""
