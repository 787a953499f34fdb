r"""Minima theta and -theta of a linear net of even depth: no two-piece path at any width, and what the best ones cost.

**Not two-piece.** Let L be even and Q != 0, so that -theta is a minimum with theta. For a centre C the sum S_1 of the
mixed products with one layer of theta is linear in that layer, so -theta has -S_1. A centre needs S_1 = L Q and
-S_1 = L Q, which add up to 0 = 2 L Q.

**L = 2.** With G = B_2 B_1 - Q and U = B_2 A_1 + A_2 B_1 the error at the point (1-t) C + t (+-theta) is

$$e_\pm(t) = (1-t)^2\, G + t(1-t)\,(\pm U - 2Q), \qquad \text{loss} = \lVert e \rVert_F^2 \quad (E\,xx^T = I).$$

*The centre is a minimum* (G = 0). Both legs peak at t = 1/2, at |+-U - 2Q|^2 / 16; the larger is at least
|Q|^2 / 4, since e_+ + e_- = -4 t(1-t) Q. The integrals add up to (2|U|^2 + 8|Q|^2) / 30 >= 4/15 |Q|^2. Equality in
both: U = 0.

*Any centre.* Averaging the two legs removes U; along Q, with g = <G, Q> / |Q|^2, there remain (1-t) (g - (2+g) t). The
largest loss is at least (sqrt(2) - 1)^2 = 3 - 2 sqrt(2) = 0.1716 times |Q|^2, attained by G = (sqrt(2) - 1) Q, U = 0;
the integrals add up to at least 1/6, at G = Q/2. So 1/4 and 4/15 are the answers for centres that are minima, and only
for those. The lower bound on the largest loss is a dual: weights w_0 at the centre (sign +) and w_1 / 2 at the point
tau of each leg (sign -) with w_0 = w_1 (1-tau)^2 and w_0 + w_1 = 1 remove g and U and leave
2 tau (1-tau) / (1 + (1-tau)^2), largest at tau = 2 - sqrt(2); a rational tau near it gives a rational bound.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from modeconn.errors import InputError
from modeconn.star.linear_algebra import annihilator, solve_left
from modeconn.star.linear_minima import random_layer
from modeconn.star.linear_nets import LinearNet, check_linear_net, exact_net
from proofs_check.exact.linear_net import leg_loss, unit_integral
from proofs_check.exact.polynomial import Maximum, maximum_over_pieces

__all__ = [
    "LEAST_INTEGRAL",
    "LEAST_INTEGRAL_ANY_CENTRE",
    "LEAST_PEAK",
    "TwoLegLoss",
    "antipodal_centre",
    "antipode",
    "least_peak_any_centre",
    "pathological_pair",
    "two_leg_loss",
]

LEAST_PEAK = Fraction(1, 4)
"""Least over centres that are minima of the largest loss on the two legs, in units of E |Qx|^2."""

LEAST_INTEGRAL = Fraction(4, 15)
"""Least over centres that are minima of the sum of the integrals of the loss over the two legs, likewise."""

LEAST_INTEGRAL_ANY_CENTRE = Fraction(1, 6)
"""The same sum over all centres, minima or not."""

DRAWS = 20


class TwoLegLoss(NamedTuple):
    """The loss on the two legs from theta to a centre to -theta, for inputs with E x x^T = I.

    Attributes:
        peak: rigorous enclosure of the largest loss.
        integral: sum of the two integrals over t in [0, 1], exact.
    """

    peak: Maximum
    integral: Fraction


def antipode(net: LinearNet) -> LinearNet:
    """Return -theta, which computes the same as theta for even depth.

    Raises:
        InputError: odd depth.
    """
    if len(net) % 2:
        raise InputError(f"antipode: -theta is a minimum for even depth only, found L = {len(net)}; use an even one")
    return tuple(-layer for layer in net)


def pathological_pair(m: int = 4) -> tuple[LinearNet, LinearNet]:
    """Return theta = (e_1, e_1^T) and -theta, exact minima for Q = 1 (d = 1, L = 2) of width m.

    Reference: Lin, Li, Wu (2024), Lemma 17 (m = 4); claim G9.
    """
    unit = [1] + [0] * (m - 1)
    net = exact_net([[[x] for x in unit], [unit]])
    return net, antipode(net)


def antipodal_centre(
    net: LinearNet, Q: Shaped[np.ndarray, "c d"], excess: Fraction | int = 0, seed: int = 0
) -> LinearNet:
    """Return an exact centre of theta and -theta (L = 2) with B_2 A_1 + A_2 B_1 = 0 and B_2 B_1 = (1 + excess) Q.

    ``excess`` = 0 is the best centre among the minima, for the largest loss and for the integral. B_1 is drawn with its
    range in the kernel of A_2 and its rows in those of Q, then B_2 [B_1, A_1] = [(1 + excess) Q, 0] is solved.

    Raises:
        InputError: another depth, floats, or a net too narrow: m >= c + d always suffices.

    Example:
        >>> one, _ = pathological_pair()
        >>> found = two_leg_loss(one, antipodal_centre(one, np.array([[1]], object)), np.array([[1]], object))
        >>> found.peak.upper, found.integral
        (Fraction(1, 4), Fraction(4, 15))
    """
    check_linear_net(net, Q)
    if len(net) != 2 or Q.dtype != object:
        raise InputError("antipodal centre: expected an exact net of depth 2; convert floats with exact_net")
    A_1, A_2 = net
    kernel, rows = annihilator(A_2.T), annihilator(annihilator(Q.T).T)
    rng = np.random.default_rng(seed)
    targets = np.concatenate([Q * (1 + Fraction(excess)), 0 * Q], axis=1)
    for _ in range(DRAWS if len(kernel) else 0):
        B_1 = kernel.T @ random_layer(rng, len(kernel), len(rows), exact=True) @ rows
        B_2 = solve_left(np.concatenate([B_1, A_1], axis=1), targets)
        if B_2 is not None:
            return B_1, B_2
    raise InputError(f"antipodal centre: found none at width {A_1.shape[0]}; widen the net with zeros")


def two_leg_loss(
    net: LinearNet, centre: LinearNet, Q: Shaped[np.ndarray, "c d"], tolerance: Fraction = Fraction(1, 10**12)
) -> TwoLegLoss:
    """Return the largest loss and the integrated loss on the legs theta - centre - (-theta), exactly (any even depth).

    Args:
        net: theta, exact.
        centre: exact, of the same shapes; a minimum or not.
        Q: (c, d).
        tolerance: width of the enclosure of the largest loss.
    """
    goal = [[Fraction(x) for x in row] for row in Q.tolist()]
    legs = [leg_loss(_rows(foot), _rows(centre), goal) for foot in (net, antipode(net))]
    peak = maximum_over_pieces([(leg, Fraction(0), Fraction(1)) for leg in legs], tolerance)
    return TwoLegLoss(peak, sum((unit_integral(leg) for leg in legs), Fraction(0)))


def least_peak_any_centre(bits: int = 40) -> tuple[Fraction, Fraction]:
    """Return rational bounds around 3 - 2 sqrt(2), the least largest loss over all centres in units of E |Qx|^2.

    The lower one is the dual value at a rational tau, the upper one the largest loss at a rational excess g of the
    centre: max(g, 1 / (2 + g))^2. They differ by about 2^-bits.

    Example:
        >>> low, high = least_peak_any_centre()
        >>> low < high, round(float(low), 13), float(high - low) < 1e-11
        (True, 0.1715728752538, True)
    """
    g = Fraction(math.isqrt(2 << 2 * bits), 1 << bits) - 1
    tau = 1 - g
    dual = 2 * tau * (1 - tau) / (1 + (1 - tau) ** 2)
    return dual**2, max(g, 1 / (2 + g)) ** 2


def _rows(net: LinearNet) -> list[list[list[Fraction]]]:
    return [[[Fraction(x) for x in row] for row in layer.tolist()] for layer in net]
