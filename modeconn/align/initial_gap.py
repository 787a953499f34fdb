"""Two nets at initialisation: what their interpolation misses, before and after alignment."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from modeconn.errors import InputError
from modeconn.nets import Net, permute, predict, width

__all__ = ["initial_net", "interpolation_gap", "match_initial"]


def initial_net(seed: int, d: int, h: int) -> Net:
    """Return a net of h neurons, W uniform on [-1/sqrt(d), 1/sqrt(d)] and a uniform on [-1/sqrt(h), 1/sqrt(h)].

    Example:
        >>> net = initial_net(0, d=4, h=100)
        >>> net.W.shape, bool(abs(net.W).max() <= 0.5), bool(abs(net.A).max() <= 0.1)
        ((4, 100), True, True)

    Reference: Entezari et al. (2022), section 3.
    """
    if d < 1 or h < 1:
        raise InputError(f"initial_net: expected d >= 1 and h >= 1, found d = {d}, h = {h}")
    rng = np.random.default_rng([seed, d, h])
    W, A = rng.uniform(-1, 1, (d, h)) / np.sqrt(d), rng.uniform(-1, 1, (1, h)) / np.sqrt(h)
    return Net(W, A)


def match_initial(reference: Net, net: Net) -> Net:
    """Return ``net`` with its neurons permuted nearest to ``reference``, in the scaled weights (sqrt(d) w, sqrt(h) a).

    Both blocks of weights are then uniform on a cube of side 2 and dimension d + 1. Cost O(h^3).

    Example:
        >>> net = initial_net(0, d=2, h=8)
        >>> bool((match_initial(net, permute(net, np.arange(8)[::-1])).W == net.W).all())
        True
    """
    d, h = np.shape(net.W)[0], width(net)
    left, right = (
        np.concatenate([np.sqrt(d) * np.asarray(n.W), np.sqrt(h) * np.asarray(n.A)]) for n in (reference, net)
    )
    _, order = linear_sum_assignment(-left.T @ right)
    return permute(net, order)


def interpolation_gap(net0: Net, net1: Net, X: Float[np.ndarray, "n d"], t: float) -> Float[np.ndarray, " n"]:
    """Return |f_t(x) - (1 - t) f_0(x) - t f_1(x)| for the net f_t at time t of the segment.

    Example:
        >>> net = initial_net(0, d=2, h=8)
        >>> float(interpolation_gap(net, net, np.eye(2), 0.5).max())
        0.0

    Reference: Entezari et al. (2022), Theorem 3.1.
    """
    middle = Net(*((1 - t) * np.asarray(u) + t * np.asarray(v) for u, v in zip(net0[:2], net1[:2], strict=True)))  # type: ignore[arg-type]
    f, f0, f1 = (np.asarray(predict(net, X))[:, 0] for net in (middle, net0, net1))
    return np.asarray(np.abs(f - (1 - t) * f0 - t * f1))
