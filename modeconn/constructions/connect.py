"""One door to all constructions: the path between two wide nets inside their optimizer's region."""

from __future__ import annotations

import dataclasses
from typing import Any

from numpy.typing import ArrayLike

from modeconn.constructions.connection import Connection
from modeconn.constructions.pair import Pair, checked_pair
from modeconn.constructions.registry import construction_from_name, constructions_for
from modeconn.errors import InputError
from modeconn.nets import Net

__all__ = ["connect", "connect_pair"]


def connect(
    net0: Net,
    net1: Net,
    X: ArrayLike,
    Y: ArrayLike,
    region: Any,
    loss: str = "half_squared_error",
    construction: str = "auto",
) -> Connection:
    """Return the path from net0 to net1 that never exceeds the worse end's loss nor leaves the region.

    ``"auto"`` tries the constructions meant for the region, cheapest first, and returns the first that joins the nets;
    its ``reason`` also says which were tried before it and why they gave up. If none joins them, the answer has the
    numbers of the one that needs the least width, and the reasons of all.

    Args:
        net0: first net, in the region.
        net1: second net, of the same shapes, in the region.
        X: data (n, d).
        Y: targets (n,) or (n, c).
        region: a :class:`WideRegion`, its JSON value, or a description such as ``"spectral:1.5"``.
        loss: key of :data:`modeconn.losses.LOSSES`, convex in the prediction.
        construction: key of :data:`modeconn.constructions.CONSTRUCTIONS`, or ``"auto"``.

    Raises:
        InputError: unusable input, a net outside the region (with the amount), or a construction that is not meant
            for the region.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(4, 2))
        >>> nets = [Net(rng.normal(size=(2, 20)) / 5, rng.normal(size=(1, 20)) / 5) for _ in range(2)]
        >>> found = connect(*nets, X, np.zeros(4), "spectral:2")
        >>> found.construction, found.joined, found.live0 <= found.functionals
        ('disjoint-slots', True, True)

    Reference: theory, claims W1, W3 and W4.
    """
    return connect_pair(checked_pair(net0, net1, X, Y, region, loss), construction)


def connect_pair(pair: Pair, construction: str = "auto") -> Connection:
    """Return what :func:`connect` returns, for a checked pair."""
    if construction != "auto":
        chosen = construction_from_name(construction)
        if not chosen.suits(pair):
            names = ", ".join(c.name for c in constructions_for(pair)) or "none"
            raise InputError(
                f"{construction}: not meant for the region {pair.region} with {pair.outputs} outputs; try: {names}"
            )
        return chosen(pair)
    tried: list[Connection] = []
    for candidate in constructions_for(pair):
        found = candidate(pair)
        if found.joined:
            return dataclasses.replace(found, reason="; before it: ".join([found.reason, *_reasons(tried)]))
        tried.append(found)
    if not tried:
        raise InputError(
            f"connect: boxes are for one output only, found the region {pair.region} with {pair.outputs} outputs; "
            "take a spectral ball that holds both nets"
        )
    closest = min(tried, key=lambda found: found.needed)
    return dataclasses.replace(closest, reason=_reasons(tried)[0])


def _reasons(tried: list[Connection]) -> list[str]:
    """Return in one text (or none) why each of those that were tried gave up."""
    return ["; ".join(f"{found.construction}: {found.reason}" for found in tried)] if tried else []
