"""Two nets of one width, their data, loss and region: what every construction starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from modeconn.constructions.wide_region import LARGEST, WideRegion, region_from_json, region_from_text
from modeconn.errors import InputError
from modeconn.losses import Loss, loss_from_name
from modeconn.nets import Net, fold_bias
from modeconn.paths.inputs import checked_ends

__all__ = ["REGION_TOLERANCE", "Pair", "checked_pair", "problem_to_json"]

Reals = NDArray[np.float64]

REGION_TOLERANCE = 1e-9
"""Nets may leave their region by this much, relatively: rounding of a net trained onto the boundary. It is reported."""


@dataclass(frozen=True)
class Pair:
    """Two nets in one region, in float64, a bias folded into W as its last row (and X's last column of ones).

    Attributes:
        W0, A0: weights (d, m) and (c, m) of the first net.
        W1, A1: of the second.
        X: data (n, d).
        Y: targets (n, c).
        region: balls over W and A.
        loss: convex in the prediction, summed over the data.
        has_bias: whether the last row of W is a bias.
        shared: what several constructions compute once for the pair.
    """

    W0: Reals
    A0: Reals
    W1: Reals
    A1: Reals
    X: Reals
    Y: Reals
    region: WideRegion
    loss: Loss
    has_bias: bool
    shared: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def width(self) -> int:
        """Return m."""
        return self.W0.shape[1]

    @property
    def outputs(self) -> int:
        """Return c."""
        return self.A0.shape[0]

    def net(self, W: Reals, A: Reals) -> Net:
        """Return folded weights as a net of the user's form, with its bias taken out of W (the last row)."""
        leaves = (W[..., :-1, :], A, W[..., -1, :]) if self.has_bias else (W, A)
        return Net(*leaves)


def checked_pair(
    net0: Net, net1: Net, X: ArrayLike, Y: ArrayLike, region: Any, loss: str = "half_squared_error"
) -> Pair:
    """Return the checked pair.

    Args:
        net0: first net, with trainable output weights.
        net1: second net, of the same shapes.
        X: data (n, d).
        Y: targets (n,) or (n, c).
        region: a :class:`WideRegion`, its JSON value, or its short description (``"spectral:1.5"``).
        loss: key of :data:`modeconn.losses.LOSSES`.

    Raises:
        InputError: shapes that do not fit, NaN, fixed output weights, or a net outside its region by more than
            :data:`REGION_TOLERANCE` (with the amount).
    """
    region = region_from_text(region) if isinstance(region, str) else region_from_json(region)
    ell = loss_from_name(loss)
    if net0.A is None or net1.A is None:
        raise InputError("connect: output weights fixed at +1 have no Gram matrix; use nets with trainable A")
    _, _, data, targets = checked_ends(net0, net1, X, Y)
    ell.check_targets(targets)
    for name, array in (("X", data), ("Y", targets), ("first net", net0), ("second net", net1)):
        size = max(float(np.max(np.abs(leaf), initial=0.0)) for leaf in jax.tree.leaves(array))
        if size > LARGEST:
            raise InputError(f"connect: expected {name} of entries up to 1e40, found {size:.3g}; choose another unit")
    ends = []
    for net in (net0, net1):
        leaves = [None if leaf is None else np.asarray(leaf, np.float64) for leaf in net]
        ends.append(fold_bias(Net(*leaves), data))  # type: ignore[arg-type]
    (first, folded), (second, _) = ends
    pair = Pair(
        W0=np.asarray(first.W),
        A0=np.asarray(first.A),
        W1=np.asarray(second.W),
        A1=np.asarray(second.A),
        X=np.asarray(folded),
        Y=targets,
        region=region,
        loss=ell,
        has_bias=net0.b is not None,
    )
    for name, W, A in (("first net", pair.W0, pair.A0), ("second net", pair.W1, pair.A1)):
        region.check_contains(W, A, name, REGION_TOLERANCE)
    return pair


def problem_to_json(net0: Net, net1: Net, X: ArrayLike, Y: ArrayLike, region: Any) -> dict[str, Any]:
    """Return the problem as JSON values for the checker: the very numbers of nets and data, radii as written.

    Example:
        >>> net = Net(np.ones((1, 1)), np.ones((1, 1)))  # type: ignore[arg-type]
        >>> problem_to_json(net, net, [[2]], [0], "frobenius:1")["net0"]
        {'W': [[1.0]], 'A': [[1.0]]}
    """
    region = region_from_text(region) if isinstance(region, str) else region_from_json(region)
    nets = [
        {key: np.asarray(leaf, np.float64).tolist() for key, leaf in net._asdict().items() if leaf is not None}
        for net in (net0, net1)
    ]
    data = {"X": np.asarray(X, np.float64).tolist(), "Y": np.asarray(Y, np.float64).tolist()}
    return {"net0": nets[0], "net1": nets[1], **data, "region": region.to_json()}
