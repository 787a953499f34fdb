r"""A common linear centre of minima of a linear net, from linear equations for one layer.

**The equations.** Let theta_i = (A_1, ..., A_L), i = 1..r, be minima: A_L ... A_1 = Q. The segment from
C = (B_1, ..., B_L) to theta_i computes sum_k t^k (1-t)^(L-k) S_k, S_k the sum of the mixed products with k layers of
theta_i. It computes Q throughout if and only if S_k = C(L, k) Q for k = 0..L. Fix B_1, ..., B_{L-1} and let P_k (of
theta_i) be the mixed sums of the first L-1 layers: then S_k = A_L P_{k-1} + B_L P_k, and what is left is **linear** in
B_L:

    B_L P_0 = Q,    B_L P_k = C(L, k) Q - A_L P_{k-1}   for k = 1..L-1 and every i.                             (*)

P_0 = B_{L-1} ... B_1 is common to all i, so (*) has 1 + r (L-1) blocks of d columns; k = L holds already.

**Theorem.** Let Q have rank q and kernel N, and let W_l = sum_i A_{l-1} ... A_1 N (with the layers of theta_i;
W_1 = N). Suppose that for l = 1..L-1 the *pure products* A_l ... A_1 of the r minima, each on a complement V of N, are
together independent modulo W_{l+1}, and that m_l >= q (1 + r l) + dim W_{l+1}. Draw B_1, ..., B_{L-1} generic among
the layers with B_l W_l = 0. Then (*) has a solution.

*Proof.* On N every mixed product vanishes but the pure one: the first factor of C after A_j ... A_1 kills W_{j+1}. So
on N (*) reads B_L A_{L-1} ... A_1 x = 0 (add A_L A_{L-1} ... A_1 x = Qx = 0 for k = L): it asks that B_L W_L = 0. On V,
claim: at every level l the columns of P_0^(l) and P_k^(l), k = 1..l, of all i are independent modulo W_{l+1}. For l = 1
they are B_1 V, generic, and the A_1 V, independent by assumption. From l-1 to l: P_k^(l) = A_l P_{k-1}^(l-1) +
B_l P_k^(l-1) for k < l. By the claim at l-1 the vectors P_k^(l-1) V are independent modulo W_l, so that B_l maps them
to vectors that are arbitrary and independent of each other; added to whatever A_l contributes, they stay independent
of each other and of the pure products and W_{l+1}, for B_l outside a proper algebraic subset, as long as there is
room: q (1 + r l) + dim W_{l+1} <= m_l. At l = L-1 all columns of (*) on V are independent modulo W_L, so a linear map
B_L with the wanted values on V and 0 on W_L exists. []

dim W_l <= r (d - q). For Q of full column rank W = 0 and d (1 + r l) neurons suffice; with one input or one output
(transpose the net) and r minima that is 1 + r (L-1), one less than published. For one minimum (r = 1) the assumption
always holds: A_l ... A_1 v in A_l ... A_1 N implies Qv = 0. The assumption is an open condition: it holds almost
surely for any law with a density on a component where it holds once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from modeconn.errors import InputError
from modeconn.star.linear_algebra import annihilator, matrix_rank, solve_left
from modeconn.star.linear_minima import random_layer
from modeconn.star.linear_nets import LinearNet, check_linear_net, largest_entry, mixed_sums, segment_defects

__all__ = [
    "LinearCentre",
    "allowed_defect",
    "last_layer",
    "linear_star_centre",
    "products_independent",
    "sufficient_widths",
]

FLOAT_DEFECT = 1e-6
"""A float centre is one whose largest defect is at most this share of the largest entry of Q."""

SPREAD = 1e-8
"""Least deviation of the generic float layers around the mean of the feet."""


class LinearCentre(NamedTuple):
    """A net joined to each of the feet by a straight segment of minima.

    Attributes:
        net: the centre (B_1, ..., B_L).
        defect: largest entry of a Bernstein coefficient of f - Q on any of the segments; 0 for exact nets.
        transposed: the first layer was solved for, that is the last one of the transposed nets.
        draws: how many times the other layers were drawn.
    """

    net: LinearNet
    defect: Any
    transposed: bool
    draws: int


def sufficient_widths(depth: int, shape: tuple[int, int], rank: int, feet: int) -> tuple[int, ...]:
    """Return hidden widths (m_1, ..., m_{L-1}) that suffice for a common centre: rank (1 + feet l) + feet (min - rank).

    The side with fewer columns is taken; for c < d the widths count from the output.

    Args:
        depth: L.
        shape: (c, d) of Q.
        rank: of Q.
        feet: number r of minima.

    Example:
        >>> sufficient_widths(3, (1, 5), 1, 2)     # one output, two minima: 2L - 1 at the first hidden layer
        (5, 3)
        >>> sufficient_widths(3, (4, 2), 1, 2)
        (5, 7)
    """
    c, d = shape
    side = min(c, d)
    widths = tuple(rank * (1 + feet * l) + feet * (side - rank) for l in range(1, depth))
    return widths[::-1] if c < d else widths


def products_independent(minima: Sequence[LinearNet], Q: Shaped[np.ndarray, "c d"]) -> bool:
    """Return whether the pure products of the minima are independent modulo W: the assumption of the theorem.

    Decided from the side of fewer columns, exactly for exact nets. Cost: a rank for each hidden layer.

    Example:
        >>> from modeconn.star.linear_nets import exact_net
        >>> one, minus = exact_net([[[1], [0]], [[1, 0]]]), exact_net([[[-1], [0]], [[-1, 0]]])
        >>> Q = np.array([[1]], object)
        >>> products_independent([one], Q), products_independent([one, minus], Q)
        (True, False)
    """
    if Q.shape[0] < Q.shape[1]:
        minima, Q = [_transposed(net) for net in minima], Q.T
    kernel = annihilator(Q.T).T
    q = Q.shape[1] - kernel.shape[1]
    reach = [net[0] for net in minima]
    for l in range(len(minima[0]) - 1):
        if l:
            reach = [net[l] @ product for net, product in zip(minima, reach, strict=True)]
        dead = np.concatenate([product @ kernel for product in reach], axis=1)
        if matrix_rank(np.concatenate(reach, axis=1)) < q * len(minima) + matrix_rank(dead):
            return False
    return True


def last_layer(
    minima: Sequence[LinearNet], Q: Shaped[np.ndarray, "c d"], earlier: Sequence[np.ndarray], weights: Sequence[int]
) -> Shaped[np.ndarray, "c m"] | None:
    """Return B_L with B_L P_0 = weights[0] Q and B_L P_k = weights[k] Q - A_L P_{k-1}, or ``None`` if there is none.

    Args:
        minima: the feet.
        Q: what they compute.
        earlier: B_1, ..., B_{L-1}.
        weights: L multiples of Q; the binomials C(L, 0), ..., C(L, L-1) for a centre.
    """
    columns: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    for net in minima:
        sums = mixed_sums(net[:-1], earlier)
        if not columns:
            columns.append(sums[0])
            targets.append(Q * weights[0])
        for k in range(1, len(net)):
            columns.append(sums[k])
            targets.append(Q * weights[k] - net[-1] @ sums[k - 1])
    return solve_left(np.concatenate(columns, axis=1), np.concatenate(targets, axis=1))


def linear_star_centre(
    minima: Sequence[LinearNet],
    Q: Shaped[np.ndarray, "c d"],
    directions: Shaped[np.ndarray, "d k"] | None = None,
    seed: int = 0,
    draws: int = 4,
) -> LinearCentre | None:
    """Return a minimum joined to every given one by a straight segment of minima, or ``None`` where none was found.

    The algorithm and the widths at which it succeeds are those of the theorem above; both sides are tried, the one
    with fewer columns first. ``None`` says that the drawn layers could not be completed, not that there is no centre.
    For exact nets the segments compute Q identically in t; for floats the defect is reported. Cost of a draw:
    O(r L^2) layer products and the solution of m unknowns in 1 + r (L-1) blocks of min(c, d) equations.

    Args:
        minima: r >= 1 nets of equal shapes, A_L ... A_1 = Q on the directions.
        Q: (c, d).
        directions: columns that span the data (independent); the nets need to agree with Q there only, and the widths
            needed count k in place of d. Default: all inputs.
        seed: of the generic layers.
        draws: attempts from each side.

    Raises:
        InputError: nets that do not fit together or are not minima.

    Example:
        >>> from modeconn.star.linear_minima import sample_linear_minimum
        >>> rng, Q = np.random.default_rng(1), np.array([[2]], object)
        >>> feet = [sample_linear_minimum(rng, Q, (7, 7)) for _ in range(3)]
        >>> centre = linear_star_centre(feet, Q)
        >>> centre.defect == 0
        True

    Reference: Lin, Li, Wu (2024), Theorems 16 and 18; claim G8, with fewer neurons and without their limits on Q.
    """
    _check_minima(minima, Q, directions)
    if directions is not None:
        minima, Q = [_restricted(net, directions) for net in minima], Q @ directions
    for flip in (Q.shape[0] < Q.shape[1], Q.shape[0] >= Q.shape[1]):
        feet, goal = ([_transposed(net) for net in minima], Q.T) if flip else (list(minima), Q)
        for draw in range(draws):
            net = _drawn_centre(feet, goal, np.random.default_rng([seed, draw, int(flip)]))
            if net is None:
                continue
            found = _transposed(net) if flip else net
            defect = largest_entry([D for foot in minima for D in segment_defects(foot, found, Q)])
            if defect <= allowed_defect(Q):
                return LinearCentre(_lifted(found, directions), defect, flip, draw + 1)
    return None


def _drawn_centre(minima: Sequence[LinearNet], Q: np.ndarray, rng: np.random.Generator) -> LinearNet | None:
    """Return (B_1, ..., B_L): generic layers with B_l W_l = 0, completed by the last one."""
    L = len(minima[0])
    kernel = annihilator(Q.T).T
    spread = [kernel for _ in minima]
    earlier: list[np.ndarray] = []
    for l in range(L - 1):
        rows, columns = minima[0][l].shape
        layer = random_layer(rng, rows, columns, Q.dtype == object)
        if Q.dtype != object:
            layers = np.stack([net[l] for net in minima])
            layer = layers.mean(0) + layer * np.sqrt(columns) * max(layers.std(0).mean(), SPREAD)
        dead = np.concatenate(spread, axis=1)
        if dead.shape[1]:
            alive = annihilator(dead)
            layer = layer @ alive.T @ alive if Q.dtype != object else layer[:, : len(alive)] @ alive
        earlier.append(layer)
        spread = [net[l] @ x for net, x in zip(minima, spread, strict=True)]
    last = last_layer(minima, Q, earlier, [math.comb(L, k) for k in range(L)])
    return None if last is None else (*earlier, last)


def allowed_defect(Q: np.ndarray) -> float:
    """Return the largest defect that counts as none: 0 for exact numbers."""
    return 0 if Q.dtype == object else FLOAT_DEFECT * float(abs(Q).max() or 1.0)


def _transposed(net: Sequence[np.ndarray]) -> LinearNet:
    return tuple(layer.T for layer in reversed(net))


def _restricted(net: LinearNet, directions: np.ndarray) -> LinearNet:
    return (net[0] @ directions, *net[1:])


def _lifted(net: LinearNet, directions: np.ndarray | None) -> LinearNet:
    """Return a net on all inputs that agrees with one on the directions."""
    if directions is None:
        return net
    first = solve_left(directions, net[0])
    if first is None:
        raise InputError("directions: expected independent columns, found dependent ones; give a basis")
    return (first, *net[1:])


def _check_minima(minima: Sequence[LinearNet], Q: np.ndarray, directions: np.ndarray | None) -> None:
    if not minima:
        raise InputError("linear star: expected at least one minimum, found none")
    if directions is not None and (directions.ndim != 2 or matrix_rank(directions) < directions.shape[1]):
        raise InputError("directions: expected independent columns (d, k); give a basis of the span of the data")
    for i, net in enumerate(minima):
        check_linear_net(net, Q, f"minimum {i}")
        if [layer.shape for layer in net] != [layer.shape for layer in minima[0]]:
            raise InputError(f"minimum {i}: expected the shapes of the first one; pad the narrower net with zeros")
        error = net[-1]
        for layer in reversed(net[:-1]):
            error = error @ layer
        error = error - Q if directions is None else (error - Q) @ directions
        size = abs(error).max()
        if size > allowed_defect(Q):
            raise InputError(f"minimum {i}: A_L ... A_1 differs from Q by {float(size):.3g}; expected a minimum")
