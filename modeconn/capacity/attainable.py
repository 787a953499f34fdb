"""The least loss in Muon's ball of a given radius, at any width, enclosed by two exact certificates (claim R2)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from modeconn.capacity.dual import Dual, dual_certificate, round_dual, unattainable_dual
from modeconn.capacity.exact_fit import exact_net, live_types, vertex
from modeconn.capacity.inputs import exact_radius
from modeconn.capacity.least_radius import Capacity, least_radius, solve_over_types
from modeconn.capacity.net import ExactNet, ExactNeuron, ball_json
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.capacity.rounding import decimal_below
from modeconn.errors import InputError

__all__ = ["AttainableLoss", "attainable_loss"]

BELOW = (Fraction(1, 10**9), Fraction(1, 10**7), Fraction(1, 10**5), Fraction(1, 100))
"""Shares by which the certified lower bound stays below the float loss, tried in turn."""


@dataclass(frozen=True, eq=False)
class AttainableLoss:
    """The least loss L*_M(r) of nets of any width >= N in the spectral ball of radius r, both ends exact.

    Attributes:
        radius: r.
        lower: every net in the ball has loss > lower (>= 0 when it is 0).
        upper: the loss of ``net``.
        dual: evidence that loss <= lower needs a larger radius; ``None`` when lower is 0.
        net: a net in the ball.
    """

    radius: Fraction
    lower: Fraction
    upper: Fraction
    dual: Dual | None
    net: ExactNet

    def lower_certificate(self) -> dict[str, Any]:
        """Return the "least-radius" certificate: loss <= lower needs r_W r_A >= b, and b > r^2.

        Raises:
            InputError: lower is 0, which needs no certificate.
        """
        if self.dual is None:
            raise InputError("lower bound: expected a positive one, found 0; it needs no certificate")
        return dual_certificate(self.dual, self.lower, None)

    def upper_certificate(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the "attained" certificate of the upper bound and the problem with its region."""
        return self.net.certificate(self.upper), self.net.problem(ball_json("spectral", self.radius))


def attainable_loss(system: TypeSystem, radius: Fraction, capacity: Capacity | None = None) -> AttainableLoss:
    """Return the least loss in the spectral ball of a radius (both leaves), over nets of any width.

    It does not depend on the width from N = n + d (d + 1) / 2 + 1 on, and is above the least loss of all nets iff the
    radius is below B_M*. Its residual, scaled, is the dual vector of the lower bound.

    Args:
        system: the data.
        radius: r > 0.
        capacity: the answer of :func:`modeconn.capacity.least_radius` at the least loss of all widths, if known.

    Raises:
        InputError: the radius is no positive number of a size that floats hold; or the solver gave up.

    Example:
        >>> from modeconn.capacity import type_system
        >>> found = attainable_loss(type_system([[1], [-1]], [1, 1]), Fraction(1))  # |x|/2 at best
        >>> round(float(found.lower), 6), round(float(found.upper), 6)
        (0.25, 0.25)

    Reference: claim R2.
    """
    radius = exact_radius(radius)
    square = radius**2
    if not any(system.closest):
        return _at_least_loss(system, radius, ExactNet(system, ()))
    capacity = least_radius(system, system.least_loss) if capacity is None else capacity
    if capacity.net is not None and capacity.square_upper is not None and capacity.square_upper <= square:
        return _at_least_loss(system, radius, capacity.net)
    answer = solve_over_types(system, least="loss", radius_square=float(square))
    if answer is None:
        raise InputError("attainable loss: the solver gave up; scale the data")
    rows = live_types(answer.u, answer.beta)
    active, u, beta = [answer.active[j] for j in rows], answer.u[rows], answer.beta[rows]
    t = vertex(system, active, u, beta)
    keep = np.flatnonzero(t > 1e-12 * t.max())
    rough = exact_net(system, [active[j] for j in keep], (t[:, None] * u)[keep], (t * beta)[keep])
    assert rough is not None, "nothing but rounding was asked for"
    net = _shrunk(rough.balanced(), square)
    dual = round_dual(system, answer.nu, answer.shape)
    for share in BELOW:
        level = decimal_below(Fraction(answer.value), 15) * (1 - share)
        if dual.product_bound(level) > square:
            return AttainableLoss(radius, level, net.loss, dual, net)
    return _at_least_loss(system, radius, net)


def _shrunk(net: ExactNet, square: Fraction) -> ExactNet:
    """Return the net with u and beta multiplied by a short number <= 1 that puts it into the ball."""
    need = net.ball_square()
    factor = min(Fraction(1), decimal_below(square / need, 14))
    return ExactNet(
        net.system, tuple(ExactNeuron(tuple(factor * v for v in u), factor * b, s) for u, b, s in net.neurons)
    )


def _at_least_loss(system: TypeSystem, radius: Fraction, net: ExactNet) -> AttainableLoss:
    """Return the enclosure whose lower end is the least loss of all nets, less a little where it is positive."""
    least = system.least_loss
    if not least:
        return AttainableLoss(radius, least, net.loss, None, net)
    level = decimal_below(least, 15) * (1 - BELOW[0])
    return AttainableLoss(radius, level, net.loss, unattainable_dual(system, level, radius**2), net)
