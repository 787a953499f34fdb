r"""Paths of minima between any two minima of a linear net: one, two or three straight pieces.

Three pieces always do (given the width): let theta, theta' be any minima, Q != 0 of rank q, and suppose
m_l >= q (1 + 2l) + min(c, d) - q. By the theorem of :mod:`modeconn.star.linear_centre` for r = 1, theta has a centre
theta_1 of its own with generic first layers, B_1 zero on the kernel of Q. Its pure products B_l ... B_1 are generic, so
they are independent of those of theta' modulo the W of theta' (its own W is 0), and the theorem for r = 2 gives a
centre C of theta_1 and theta': theta - theta_1 - C - theta'. For Q = 0 the origin is a centre of all minima.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from modeconn.errors import InputError
from modeconn.star.linear_centre import allowed_defect, linear_star_centre
from modeconn.star.linear_nets import LinearNet, largest_entry, segment_defects

__all__ = ["LinearPath", "chain_defect", "linear_path"]

MOST_PIECES = 3
ATTEMPTS = 4


class LinearPath(NamedTuple):
    """A polygonal chain of minima.

    Attributes:
        knots: the nets, both ends included; ``len(knots) - 1`` straight pieces.
        defect: largest entry of a Bernstein coefficient of f - Q on any piece; 0 for exact nets: the chain computes Q
            identically in t.
    """

    knots: tuple[LinearNet, ...]
    defect: Any

    @property
    def pieces(self) -> int:
        """Number of straight pieces."""
        return len(self.knots) - 1


def chain_defect(knots: Sequence[LinearNet], Q: Shaped[np.ndarray, "c d"]) -> Any:
    """Return the largest entry of a Bernstein coefficient of f - Q along a polygonal chain of nets.

    Everywhere on the chain each entry of f - Q is at most this; it is 0 if and only if the chain computes Q.
    """
    return max(largest_entry(segment_defects(b, a, Q)) for a, b in itertools.pairwise(knots))


def linear_path(
    start: LinearNet, end: LinearNet, Q: Shaped[np.ndarray, "c d"], pieces: int | None = None, seed: int = 0
) -> LinearPath | None:
    """Return a chain of minima from ``start`` to ``end`` with as few straight pieces as the construction finds.

    Cost: that of at most 2 ATTEMPTS + 1 centres.

    Args:
        start: a minimum, A_L ... A_1 = Q.
        end: another, of the same shapes.
        Q: (c, d).
        pieces: exactly 1, 2 or 3; default: the first of these that works.
        seed: of the generic layers.

    Returns:
        The path, or ``None`` where none was found: almost surely not for 3 pieces at
        :func:`~modeconn.star.linear_centre.sufficient_widths` of two feet.

    Raises:
        InputError: nets that do not fit together or are not minima, another number of pieces.

    Example:
        >>> from modeconn.star.linear_nets import exact_net
        >>> one = exact_net([[[1], [0], [0]], [[1, 0, 0]]])
        >>> minus = exact_net([[[-1], [0], [0]], [[-1, 0, 0]]])
        >>> linear_path(one, minus, np.array([[1]], object), pieces=2) is None     # claim G9
        True
        >>> found = linear_path(one, minus, np.array([[1]], object))
        >>> found.pieces, found.defect == 0
        (3, True)

    Reference: Lin, Li, Wu (2024), Theorem 16; claim G8.
    """
    if pieces is not None and pieces not in range(1, MOST_PIECES + 1):
        raise InputError(f"linear path: expected 1, 2 or 3 pieces, found {pieces}; leave them out for the fewest")
    for count in range(1, MOST_PIECES + 1) if pieces is None else (pieces,):
        knots = _knots(start, end, Q, count, seed)
        if knots is None:
            continue
        defect = chain_defect(knots, Q)
        if defect <= allowed_defect(Q):
            return LinearPath(knots, defect)
    return None


def _knots(start: LinearNet, end: LinearNet, Q: np.ndarray, pieces: int, seed: int) -> tuple[LinearNet, ...] | None:
    """Return the ends and the knots between them for this number of pieces."""
    if pieces == 1:
        return start, end
    if pieces == 2:
        centre = linear_star_centre([start, end], Q, seed=seed)
        return None if centre is None else (start, centre.net, end)
    for attempt in range(ATTEMPTS):
        own = linear_star_centre([start], Q, seed=seed + attempt)
        centre = None if own is None else linear_star_centre([own.net, end], Q, seed=seed + attempt)
        if own is not None and centre is not None:
            return start, own.net, centre.net, end
    return None
