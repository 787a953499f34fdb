"""The barrier of a polygonal chain of nets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths.barrier import Barrier
from modeconn.paths.chain import chain_barrier
from modeconn.paths.straight import TOLERANCE, leg_between, method_of

__all__ = ["check_knots", "polyline_barrier"]


def polyline_barrier(
    nets: Sequence[Net],
    X: ArrayLike,
    Y: ArrayLike,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    tolerance: float = TOLERANCE,
) -> Barrier:
    """Return the barrier of the polygonal chain through ``nets``, as :func:`barrier_exact` on every leg.

    Each of the k - 1 legs takes an equal share of t in [0, 1]; the baseline is that of the two ends of the chain.
    Cost and memory: one :func:`barrier_exact` a leg.

    Args:
        nets: the knots, k >= 2 nets with leaves of equal shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        loss: key in :data:`modeconn.losses.LOSSES`.
        baseline: key in :data:`BASELINES`.
        tolerance: as in :func:`barrier_exact`.

    Raises:
        InputError: fewer than two knots, and as in :func:`barrier_exact`.

    Example:
        >>> import numpy as np
        >>> knots = [Net(np.array([[w]])) for w in (1.0, 3.0, 1.0)]
        >>> found = polyline_barrier(knots, np.array([[1.0]]), np.array([1.0]))
        >>> found.barrier, found.argmax_t
        (2.0, 0.5)

    Reference: theory S1, leg by leg.
    """
    check_knots(nets)
    legs = [leg_between(a, b, X, Y, loss, baseline, tolerance) for a, b in itertools.pairwise(nets)]
    return chain_barrier(legs, baseline, method_of(loss))


def check_knots(nets: Sequence[Net]) -> None:
    """Raise :class:`InputError` unless the chain has two knots."""
    if len(nets) < 2:
        raise InputError(f"expected a chain of at least two nets, found {len(nets)}; give both of its ends")
