"""Many pairs of one shape at once: their reductions in one compiled call."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from modeconn.constructions.connect import connect_pair
from modeconn.constructions.connection import Connection
from modeconn.constructions.functionals import functionals_of
from modeconn.constructions.pair import Pair, checked_pair
from modeconn.constructions.recombination import Recombination
from modeconn.constructions.recombination_batch import recombine_batch
from modeconn.constructions.reduction import FAST, REDUCED, ReducedPair
from modeconn.errors import InputError
from modeconn.nets import Net

__all__ = ["connect_batch"]

_MAX_DRIFT = 1e-13


def connect_batch(
    nets0: Net, nets1: Net, X: ArrayLike, Y: ArrayLike, region: Any, loss: str = "half_squared_error"
) -> list[Connection]:
    """Return what :func:`connect` returns for each of B pairs, over the same data and region.

    The 2 B reductions are one compiled call (regions of kind ``"gram"``, m > N); a pair whose points are dependent, or
    whose live neurons do not fit side by side, goes through :func:`connect` alone; so do all, with a warning, where the
    reductions do not fit the device's memory. Bounds at the knots are taken in float64: levels may exceed the worse end
    by about 1e-12 of it, where :func:`connect` gets 1e-15.

    Args:
        nets0: stacked first nets, leaves (B, ...).
        nets1: stacked second nets.
        X: data (n, d).
        Y: targets (n,) or (n, c).
        region: as in :func:`connect`.
        loss: key of :data:`modeconn.losses.LOSSES`.

    Raises:
        InputError: as :func:`connect` does.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(4, 2))
        >>> nets = [Net(rng.normal(size=(3, 2, 20)) / 5, rng.normal(size=(3, 1, 20)) / 5) for _ in range(2)]
        >>> [found.joined for found in connect_batch(*nets, X, np.zeros(4), "spectral:2")]
        [True, True, True]

    Reference: theory, claim W1.
    """
    counts = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for net in (nets0, nets1) for leaf in net if leaf is not None}
    if len(counts) != 1 or 0 in counts:
        raise InputError(f"connect_batch: expected leaves with one leading axis (B, ...), B >= 1, found {counts}")
    pairs = [checked_pair(_member(nets0, k), _member(nets1, k), X, Y, region, loss) for k in range(next(iter(counts)))]
    _reduce_all(pairs)
    return [connect_pair(pair) for pair in pairs]


def _member(nets: Net, k: int) -> Net:
    leaves = [None if leaf is None else np.asarray(leaf)[k] for leaf in nets]
    return Net(*leaves)  # type: ignore[arg-type]


def _reduce_all(pairs: list[Pair]) -> None:
    """Leave its reduction with every pair for which the batch found one without drift."""
    first = pairs[0]
    if first.region.kind != "gram":
        return
    rule = functionals_of(first.region)
    if first.width <= rule.count(first.X.shape[0], first.X.shape[1], first.outputs):
        return
    nets = [(pair.W0, pair.A0) for pair in pairs] + [(pair.W1, pair.A1) for pair in pairs]
    features = np.stack([rule.features(W, A, first.X) for W, A in nets])
    try:
        weights, drift = recombine_batch(features)
    except MemoryError:
        warnings.warn("connect_batch: the reductions do not fit the device; each pair goes alone", stacklevel=3)
        return
    for k, pair in enumerate(pairs):
        both = (k, k + len(pairs))
        if all(drift[i] <= _MAX_DRIFT for i in both):
            ends = [
                Recombination(weights[i], int((weights[i] > 0).sum()), float(drift[i]), float(drift[i])) for i in both
            ]
            pair.shared[REDUCED] = ReducedPair(pair, rule, (features[both[0]], features[both[1]]), (ends[0], ends[1]))
            pair.shared[FAST] = True
