"""Components of the set of global optima at a width, from the optimal polytope alone.

With P_m = {c in P* : |supp c| <= m}, a union of faces of P*:

* a vertex with |supp| = m gives m! isolated points: its neurons fill all slots, and no shorter support is near;
* a connected piece of P_m with a smaller support gives one component: a slot is empty or can be emptied, and through
  it neurons are exchanged, divided and united.

Pieces: vertices v with |supp v| < m, joined when |supp v + supp w| <= m. Hence the exact width from which the optima
are connected: the largest of M* + 1 and the bottleneck of the unions. It is at most min(m* + M*, rank(Phi) + 1), which
sharpens n + 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from modeconn.errors import InputError
from modeconn.regularised.optimal_set import OptimalSet

__all__ = ["OptimalComponents", "connection_width", "optimal_components"]


class OptimalComponents(NamedTuple):
    """Components of the set of global optima of one width, balanced nets in parameter space.

    Attributes:
        components: their number; 0 below m*.
        orbits: the same up to permutation of the neurons.
        isolated: number of components that are a point.
    """

    components: int
    orbits: int
    isolated: int


def optimal_components(found: OptimalSet, width: int) -> OptimalComponents:
    """Return the number of components of the set of global optima of a width.

    Cost: O(vertices^2).

    Args:
        found: the optimal set.
        width: the number m of neurons, at least 1.

    Example:
        >>> from modeconn.regularised import optimal_set
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1, 1, 1, 1], [-1, -1, -1, 1]], "y": [1, 1], "ridge": "1/10"})
        >>> [optimal_components(optimal_set(problem), m).components for m in (1, 2, 3)]
        [1, 3, 1]

    Reference: claims K1 to K5.
    """
    if width < 1:
        raise InputError(f"width: expected at least one neuron, found {width}")
    full = sum(len(vertex.support) == width for vertex in found.vertices)
    pieces = _pieces([frozenset(v.support) for v in found.vertices if len(v.support) < width], width)
    orders = full * math.factorial(width) if full else 0
    is_zero = found.largest_support == 0  # the zero net alone, at every width
    return OptimalComponents(orders + pieces, full + pieces, orders + int(is_zero))


def connection_width(found: OptimalSet) -> int:
    """Return the least width from which on the set of global optima is connected at every width.

    Example:
        >>> from modeconn.regularised import optimal_set
        >>> from modeconn.topology import problem_from_json
        >>> problem = problem_from_json({"X": [[1, 1, 1, 1], [-1, -1, -1, 1]], "y": [1, 1], "ridge": "1/10"})
        >>> connection_width(optimal_set(problem))
        3

    Reference: claim K5.
    """
    supports = [frozenset(v.support) for v in found.vertices]
    last = max(found.largest_support + 1, *(len(a | b) for a, b in combinations(supports, 2)), 1)
    width = last  # connected there and beyond: all is one piece, and no vertex fills the slots
    while width > max(found.smallest_support, 1) and optimal_components(found, width - 1).components == 1:
        width -= 1
    return width


def _pieces(supports: Sequence[frozenset[int]], width: int) -> int:
    """Return the number of classes of supports, two joined when their union has at most ``width`` elements."""
    parent = list(range(len(supports)))

    def root(k: int) -> int:
        while parent[k] != k:
            k = parent[k]
        return k

    for i, j in combinations(range(len(supports)), 2):
        if len(supports[i] | supports[j]) <= width:
            parent[root(i)] = root(j)
    return sum(root(k) == k for k in range(len(supports)))
