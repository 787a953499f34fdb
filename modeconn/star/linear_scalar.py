r"""Depth 2, one input, one output: antipodal pairs are the only ones that two pieces do not join.

A minimum is z = (A_1, A_2) in R^{2m} with <z, z> = s, s = 2Q, for the form <z, w> = A_2 B_1 + B_2 A_1 of signature
(m, m); a segment of minima is one whose ends have <z, w> = s. So a centre of z_1, z_2 is a z with

    <z, z_1> = <z, z_2> = <z, z> = s.

**Theorem.** For Q != 0 and m >= 2 there is a centre if and only if z_2 != -z_1.

*Proof.* With z_2 = -z_1 the first two contradict each other. Otherwise put g = <z_1, z_2>. If z_1, z_2 are dependent
they are equal. Let them be independent. If g = s, z_1 is a centre. If g = -s, the vector n = z_1 + z_2 is isotropic and
orthogonal to both; adding tau n to a solution of the two linear equations changes <z, z> by 2 tau <z, n> = 4 tau s, and
some tau is right. Otherwise the span is not degenerate, z = s / (s + g) (z_1 + z_2) + w with w orthogonal to it, and
<w, w> = s (g - s) / (g + s) is wanted. For |g| < |s| the span is definite of the sign of s, the value wanted has the
other sign, and the complement has all m directions of that one. For |g| > |s| the complement has signature
(m-1, m-1), which takes every value. []

For m = 1 no two different minima are joined, by any number of pieces: a product of affine functions of t that is
constant has constant factors. For m >= 3 there is a rational centre: some x != 0 is orthogonal to both A_2, so that
(x, 0) is isotropic and orthogonal to z_1, z_2, and a multiple of it mends <z, z>.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from jaxtyping import Shaped

from modeconn.errors import InputError
from modeconn.star.linear_algebra import annihilator, solve_left
from modeconn.star.linear_minima import random_layer
from modeconn.star.linear_nets import LinearNet, check_linear_net, end_to_end

__all__ = ["is_scalar_pair_joined", "scalar_centre"]

DRAWS = 20


def is_scalar_pair_joined(start: LinearNet, end: LinearNet, Q: Shaped[np.ndarray, "1 1"]) -> bool:
    """Return whether two exact minima of depth 2 with one input and one output are joined by at most two pieces.

    Raises:
        InputError: other nets, or nets that are no minima.

    Example:
        >>> from modeconn.star.linear_antipodal import pathological_pair
        >>> theta, minus = pathological_pair()
        >>> other = theta[0], theta[1] + np.array([[0, 1, 0, 0]], object)
        >>> is_scalar_pair_joined(theta, minus, np.array([[1]], object)), is_scalar_pair_joined(
        ...     other, minus, np.array([[1]], object))
        (False, True)

    Reference: theorem above; claim G9.
    """
    _check(start, end, Q)
    if len(start[0]) == 1:
        return all((a == b).all() for a, b in zip(start, end, strict=True))
    return not Q.any() or any((a != -b).any() for a, b in zip(start, end, strict=True))


def scalar_centre(start: LinearNet, end: LinearNet, Q: Shaped[np.ndarray, "1 1"], seed: int = 0) -> LinearNet | None:
    """Return an exact centre of two minima of depth 2 with one input and one output, ``None`` for an antipodal pair.

    Unlike :func:`~modeconn.star.linear_centre.linear_star_centre` it succeeds for every pair that has one (m >= 3).

    Raises:
        InputError: m < 3 (centres may be irrational), other nets, or nets that are no minima.
    """
    _check(start, end, Q)
    m = len(start[0])
    if m < 3:
        raise InputError(f"scalar centre: expected m >= 3, found {m}; a rational centre need not exist")
    if not Q.any():
        return start[0] * 0, start[1] * 0
    if not is_scalar_pair_joined(start, end, Q):
        return None
    s = 2 * Fraction(Q[0, 0])
    duals = np.stack([np.concatenate([A_2.ravel(), A_1.ravel()]) for A_1, A_2 in (start, end)], axis=1)
    solved = solve_left(duals, np.array([[s, s]], object))
    free = annihilator(duals)
    isotropic = annihilator(duals[:m])
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS if solved is not None else 0):
        z = (solved + random_layer(rng, 1, len(free), exact=True) @ free).ravel()
        x = (random_layer(rng, 1, len(isotropic), exact=True) @ isotropic).ravel()
        slope = z[m:] @ x
        if slope:
            b_1 = z[:m] + x * ((s / 2 - z[m:] @ z[:m]) / slope)
            return b_1[:, None], z[m:][None, :]
    if (start[1] @ end[0] + end[1] @ start[0])[0, 0] != s:
        raise InputError(f"scalar centre: none found in {DRAWS} draws; choose another seed")
    return start  # g = s: all of them failed because there is nothing to mend


def _check(start: LinearNet, end: LinearNet, Q: np.ndarray) -> None:
    for name, net in (("start", start), ("end", end)):
        check_linear_net(net, Q, name)
        if len(net) != 2 or Q.shape != (1, 1) or Q.dtype != object or net[0].shape != start[0].shape:
            raise InputError(f"{name}: expected an exact net of depth 2, one input, one output; see linear_star_centre")
        if (end_to_end(net) != Q).any():
            raise InputError(f"{name}: expected a minimum, A_2 A_1 = Q; it computes something else")
