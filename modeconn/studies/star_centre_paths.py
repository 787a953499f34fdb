"""What lies between trained nets: segments and fold-lines through a centre, their loss and their length."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import ArrayLike

from modeconn.align import weight_matching
from modeconn.nets import Net
from modeconn.paths import Barrier, polyline_barrier, polyline_barrier_on_grid, segment_curve, segment_loss

__all__ = ["Alignment", "aligned_feet", "chain_curve", "distance", "measure_chain", "normalised_length"]

GRID_POINTS = 101
CURVE_POINTS = 41
"""Points a leg of the curves that are drawn."""


class Alignment(NamedTuple):
    """Feet after an alignment of their neurons."""

    name: str
    feet: list[Net]


def aligned_feet(feet: Sequence[Net]) -> list[Alignment]:
    """Return the feet as trained, and with every foot's neurons permuted nearest to those of the first one."""
    first = feet[0]
    matched = [first, *(weight_matching(first, foot)[0] for foot in feet[1:])]
    return [Alignment("as trained", list(feet)), Alignment("weight matching", matched)]


def distance(one: Net, other: Net) -> float:
    """Return the Euclidean distance over all weights.

    Example:
        >>> distance(Net(np.array([[0.0]])), Net(np.array([[2.0]])))
        2.0
    """
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return float(np.sqrt(sum(np.sum((np.asarray(a) - np.asarray(b)) ** 2) for a, b in leaves)))


def normalised_length(knots: Sequence[Net]) -> float:
    r"""Return the NGD ratio of a polygonal chain: its length over the Euclidean distance of its ends.

    $$\text{NGD} = \frac{\sum_k \lVert \theta_{k+1} - \theta_k \rVert}{\lVert \theta_K - \theta_0 \rVert} \ge 1,$$

    1 for a straight segment: an upper bound of the normalised geodesic distance between the ends.

    Example:
        >>> corner = [Net(np.array([[x, y]])) for x, y in ((0.0, 0.0), (3.0, 0.0), (3.0, 4.0))]
        >>> normalised_length(corner)
        1.4

    Reference: Lin, Li, Wu (2024), normalised geodesic distance; our formulation.
    """
    return sum(distance(a, b) for a, b in itertools.pairwise(knots)) / distance(knots[0], knots[-1])


def measure_chain(knots: Sequence[Net], X: ArrayLike, Y: ArrayLike, loss: str) -> Barrier:
    """Return the barrier of a chain: exact for the half squared error, from a grid (and called so) for other losses."""
    if loss == "half_squared_error":
        return polyline_barrier(knots, X, Y, loss)
    return polyline_barrier_on_grid(knots, X, Y, loss, points=GRID_POINTS)


def chain_curve(knots: Sequence[Net], X: ArrayLike, Y: ArrayLike, loss: str) -> dict[str, Any]:
    """Return the loss at equally spaced points of a chain, legs taking equal shares of t in [0, 1]."""
    t = np.linspace(0.0, 1.0, CURVE_POINTS)
    legs = []
    for a, b in itertools.pairwise(knots):
        exact = loss == "half_squared_error"
        legs.append(segment_curve(a, b, X, Y)(t) if exact else segment_loss(a, b, X, Y, t, loss))
    at = np.concatenate([(k + t) / len(legs) for k in range(len(legs))])
    return {"t": at.tolist(), "loss": np.concatenate(legs).tolist()}
