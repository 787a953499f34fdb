"""The least radius of Muon's ball that interpolates (or reaches a loss level), enclosed by two exact certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from modeconn.capacity.dual import Dual, dual_certificate, least_gradients, round_dual
from modeconn.capacity.exact_fit import exact_net, level_target, live_types, vertex
from modeconn.capacity.inputs import short
from modeconn.capacity.net import ExactNet
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.capacity.program import BallAnswer, ball_program
from modeconn.capacity.rounding import decimal_root
from modeconn.cells import as_fraction
from modeconn.errors import InputError

__all__ = ["SPARE", "Capacity", "check_level", "least_radius", "loose_bound", "solve_over_types"]

START = 150
"""Types in the first program; those that its answer does not price correctly are added."""

ROUNDS = 25
"""Times that types are added."""

SPARE = 1e-8
"""Share of the level kept back from the solver, so that the rounded net still reaches the level."""

ROOMS = (0.0, 1e-10, 1e-9, SPARE)
"""Shares kept back where the bound should be sharp, tried in turn."""


@dataclass(frozen=True, eq=False)
class Capacity:
    """The least radius of a region that reaches a level, between a certificate and an explicit net.

    Attributes:
        norm: of the ball, the same radius for both leaves.
        width: m; ``None`` for every width from ``system.reduced_width`` on.
        level: loss <= level.
        square_lower: exact lower bound on the radius squared (15 digits).
        square_upper: exact upper bound; ``None`` if no net was found.
        dual: the evidence below.
        net: the net above, with its loss exact; ``None`` if none was found.
    """

    norm: str
    width: int | None
    level: Fraction
    square_lower: Fraction
    square_upper: Fraction | None
    dual: Dual
    net: ExactNet | None

    @property
    def lower(self) -> float:
        """The least radius is at least this."""
        return float(decimal_root(self.square_lower, up=False))

    @property
    def upper(self) -> float:
        """The least radius is at most this; inf if no net was found."""
        return float("inf") if self.square_upper is None else float(decimal_root(self.square_upper, up=True))

    @property
    def gap(self) -> float:
        """(upper - lower) / upper, 1 if no net was found."""
        return 1.0 if self.square_upper is None else 1.0 - self.lower / self.upper

    def lower_certificate(self) -> dict[str, Any]:
        """Return the "least-radius" certificate of the lower bound."""
        return dual_certificate(self.dual, self.level, self.width)

    def upper_certificate(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the "attained" certificate of the upper bound and the problem with its region.

        Raises:
            InputError: there is no net.
        """
        if self.net is None or self.square_upper is None:
            raise InputError("upper bound: expected a net, found none; raise the width or the level")
        region = {"norm": self.norm, "radius": str(decimal_root(self.square_upper, up=True))}
        return self.net.certificate(self.level, self.width), self.net.problem(region)


def check_level(system: TypeSystem, level: object) -> Fraction:
    """Return a level as an exact number.

    Raises:
        InputError: no net of any width reaches the level, or the zero net does.
    """
    found = as_fraction(level, "level")
    if found < system.least_loss:
        raise InputError(
            f"level: expected at least {short(system.least_loss)}, the least loss of any width on these data, "
            f"found {short(found)}; raise the level"
        )
    if found >= system.loss((Fraction(0),) * system.n):
        raise InputError(
            f"level: expected less than the loss of the zero net, found {short(found)}; every region reaches it"
        )
    return found


def solve_over_types(system: TypeSystem, **options: Any) -> BallAnswer | None:
    """Return the answer of :func:`modeconn.capacity.program.ball_program` over all types, adding types as needed.

    A type whose gauge against (nu, Lambda) is above 1 could improve the answer; it joins, and the program is solved
    again. With few types all of them take part at once.
    """
    count = len(system.types)
    if count <= START:
        return ball_program(system, range(count), **options)
    order = np.random.default_rng(0).permutation(count)
    active = sorted(order[:START].tolist())
    answer = None
    for _ in range(ROUNDS):
        answer = ball_program(system, active, **options)
        if answer is None:
            if len(active) == count:
                return None
            active = sorted({*active, *order[: 2 * len(active)].tolist()})
            continue
        live = [active[j] for j in live_types(answer.u, answer.beta)]
        missing = sorted(set(range(count)) - set(active))
        shape = answer.shape + 1e-9 * np.eye(system.d)
        gauges = least_gradients(system, answer.nu, shape, missing)[0]
        bound = max(least_gradients(system, answer.nu, shape, live)[0].max(initial=0.0), 1e-300)
        wrong = [(g, t) for g, t in zip(gauges, missing, strict=True) if g > bound * (1 + 1e-8)]
        if not wrong:
            return answer
        worst = sorted(wrong, reverse=True)[:START]
        active = sorted({*live, *(t for _, t in worst), *active})
    return answer


def least_radius(system: TypeSystem, level: Fraction = Fraction(0)) -> Capacity:
    """Return B_M*: the least radius of a spectral ball (both leaves) with a net of loss <= level, of any width.

        max nu . y - |nu| sqrt(2 level)  =  B_M*^2  =  min p : sum_t u_t u_t^T / beta_t <= p I, sum_t beta_t <= p

    over all patterns and both signs. The lower end is a rational dual vector with the mu of claim R3, the upper end a
    rational net with exactly the wanted prediction; both are exact, the solver only proposes.

    Cost: a semidefinite program with a block of size d + 1 a type, then exact linear algebra with n unknowns.

    Args:
        system: the data; see :func:`modeconn.capacity.type_system`.
        level: loss <= level.

    Raises:
        InputError: no net of any width reaches the level, or the zero net does.

    Example:
        >>> from modeconn.capacity import type_system
        >>> found = least_radius(type_system([[1], [-1]], [1, 1]))  # |x|: B_M*^2 = 2
        >>> round(float(found.square_lower), 6), round(float(found.square_upper), 6), found.net.width
        (2.0, 2.0, 2)

    Reference: claims R2 and R3.
    """
    level = check_level(system, level)
    edge = level == system.least_loss
    target = system.closest_floats if edge else None
    slack = 0.0 if edge else float(level)
    answer = solve_over_types(system, target=target, level=slack)
    if answer is None:
        raise InputError("least radius: the solver gave up; scale the data")
    dual = round_dual(system, answer.nu, answer.shape)
    if edge and level:
        dual = dual.lengthened()
    net = _tight_net(system, answer, target, slack, level)
    return Capacity(
        "spectral", None, level, dual.product_bound(level), None if net is None else net.ball_square(), dual, net
    )


def loose_bound(system: TypeSystem, level: Fraction = Fraction(0)) -> Dual:
    """Return the best lower bound on B_M*^2 with mu = 0, for comparison: the dual of gates that need not be obeyed.

    It is valid, and usually far below :func:`least_radius`, which costs the same.

    Raises:
        InputError: as :func:`least_radius`; or the solver gave up.

    Reference: claim R3.
    """
    level = check_level(system, level)
    edge = level == system.least_loss
    target = system.closest_floats if edge else None
    everything = range(len(system.types))
    answer = ball_program(system, everything, target=target, level=0.0 if edge else float(level), gated=True)
    if answer is None:
        raise InputError("loose bound: the solver gave up; scale the data")
    dual = round_dual(system, answer.nu, answer.shape, np.zeros((len(system.types), system.n)))
    return dual.lengthened() if edge and level else dual


def _tight_net(
    system: TypeSystem, answer: BallAnswer, target: np.ndarray | None, slack: float, level: Fraction
) -> ExactNet | None:
    """Return the best exact net near an answer: first with its neurons reduced to a vertex, then with all of them."""
    rows = live_types(answer.u, answer.beta)
    active, u, beta = [answer.active[j] for j in rows], answer.u[rows], answer.beta[rows]
    t = vertex(system, active, u, beta)
    keep = [j for j in range(len(active)) if t[j] > 1e-9 * t.max()]
    few = [active[j] for j in keep]
    found = [_exact(system, few, (t[:, None] * u)[keep], (t * beta)[keep], level)]
    for room in ROOMS:  # nothing to spare is needed where the exact prediction can be hit
        again = ball_program(system, few, target=target, level=slack * (1 - room))
        if again is not None and again.value <= answer.value * (1 + 1e-6):
            found.append(_exact(system, few, again.u, again.beta, level))
            if found[-1] is not None:
                break
    if all(net is None for net in found):
        found.append(_exact(system, active, u, beta, level))
    return min((net for net in found if net is not None), key=lambda net: net.ball_square(), default=None)


def _exact(
    system: TypeSystem, active: Sequence[int], u: np.ndarray, beta: np.ndarray, level: Fraction
) -> ExactNet | None:
    """Return an exact net near floats whose loss is at most the level: rounded only, if that will do."""
    prediction = np.einsum("knd,kd->n", system.maps[list(active)], u)
    net = exact_net(system, active, u, beta) if level > system.least_loss else None
    if net is None or net.loss > level:
        net = exact_net(system, active, u, beta, level_target(system, prediction, level))
    return None if net is None or net.loss > level else net.balanced()
