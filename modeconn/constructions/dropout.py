"""Dropout stability and the path it gives between two nets."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from modeconn.errors import InputError
from modeconn.nets import Net, check_net, width

__all__ = ["Thinned", "dropout_path", "thin_net", "thinned_net"]

MAX_SUBSETS = 2000
"""Up to so many halves are all tried; beyond, neurons are taken away one by one."""


class Thinned(NamedTuple):
    """A net of which half the neurons may go.

    Attributes:
        kept: indices of the neurons that stay, at most half.
        factor: what their output weights are multiplied by.
        loss: half squared error of the thinned net.
        excess: that minus the loss of the net: it is epsilon-dropout stable for epsilon >= excess.
    """

    kept: tuple[int, ...]
    factor: float
    loss: float
    excess: float


def thin_net(net: Net, X: Float[np.ndarray, "n d"], Y: Float[np.ndarray, "n c"]) -> Thinned:
    """Return the half of the neurons, with its best factor, of least half squared error.

    All halves are tried up to 2000 of them (the least excess then); beyond, the neuron whose loss costs least goes
    first, which gives an upper bound of the least excess. Cost O(n c m) a subset.

    Args:
        net: width at least 2, with output weights.
        X: data.
        Y: targets.

    Example:
        >>> net = Net(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0]]))  # one neuron twice
        >>> thin_net(net, np.array([[1.0]]), np.array([[2.0]]))
        Thinned(kept=(0,), factor=2.0, loss=0.0, excess=0.0)

    Reference: Kuditipudi et al. (2019), Definition 1, for two layers and one factor a net.
    """
    check_net(net)
    m = width(net)
    if net.A is None or m < 2:
        raise InputError("thin_net: expected output weights and at least two neurons; pad the net with a dead one")
    hidden = np.maximum(X @ net.W + (0.0 if net.b is None else net.b), 0.0)
    parts = hidden.T[:, :, None] * np.asarray(net.A).T[:, None, :]  # (m, n, c): what each neuron predicts
    whole = _half_square(parts.sum(0) - Y)
    if comb(m, m // 2) <= MAX_SUBSETS:
        best = min((_fit(parts, Y, kept), kept) for kept in combinations(range(m), m // 2))[1]
    else:
        best = tuple(range(m))
        while len(best) > m // 2:
            best = min((_fit(parts, Y, rest), rest) for j in best for rest in [tuple(k for k in best if k != j)])[1]
    loss, factor = _fit(parts, Y, best)
    return Thinned(best, factor, loss, loss - whole)


def _half_square(residual: np.ndarray) -> float:
    return float((residual**2).sum() / 2)


def _fit(parts: np.ndarray, Y: np.ndarray, kept: tuple[int, ...]) -> tuple[float, float]:
    """Return the least loss of the kept neurons over a common factor, and the factor."""
    F = parts[list(kept)].sum(0)
    size = float((F * F).sum())
    factor = float((F * Y).sum()) / size if size > 0 else 1.0
    return _half_square(factor * F - Y), factor


def thinned_net(net: Net, thinned: Thinned) -> Net:
    """Return the net with the output weights of the kept neurons multiplied by the factor, those of the others 0.

    Example:
        >>> net = Net(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0]]))
        >>> thinned_net(net, Thinned((0,), 2.0, 0.0, 0.0)).A.tolist()
        [[2.0, 0.0]]
    """
    return net._replace(A=_outputs(net, thinned, np.asarray(thinned.kept)))


def _outputs(net: Net, thinned: Thinned, slots: np.ndarray) -> Any:
    """Return output weights (c, m) with the kept neurons' in these slots."""
    A = np.zeros_like(np.asarray(net.A))
    A[:, slots] = thinned.factor * np.asarray(net.A)[:, list(thinned.kept)]
    return A


def dropout_path(net0: Net, net1: Net, thinned0: Thinned, thinned1: Thinned) -> list[Net]:
    """Return the knots of a polygonal chain from net0 to net1 that stays below the losses of the thinned nets.

        max L on the chain <= max(L(net0), L(net1), L(thinned net0), L(thinned net1)),   L convex in the prediction.

    On every leg either only output weights move (the loss is convex along it) or only hidden weights of neurons with
    output 0 do (it is constant): thin net0; copy the kept neurons out of the slots that net1 keeps, and shift their
    outputs; write net1's hidden weights into all other slots; shift the outputs to what net1 keeps; write the rest of
    net1; undo its thinning. Five legs, seven if the kept slots overlap. Weights are copied, never added, so that the
    statement holds of the floats themselves.

    Args:
        net0: start, with output weights.
        net1: end, of the same shape.
        thinned0: half of net0's neurons or fewer, and their factor, as from :func:`thin_net`.
        thinned1: the same for net1.

    Raises:
        InputError: nets of different shapes, or more than half of the neurons kept.

    Example:
        >>> net0 = Net(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0]]))
        >>> net1 = Net(np.array([[2.0, 3.0]]), np.array([[1.0, 0.0]]))
        >>> len(dropout_path(net0, net1, Thinned((0,), 2.0, 0.0, 0.0), Thinned((0,), 1.0, 0.0, 0.0)))
        8

    Reference: Kuditipudi et al. (2019), Theorem 1, for two layers; claim KUD1.
    """
    check_net(net0, "net0")
    check_net(net1, "net1")
    shapes = [[None if leaf is None else np.shape(leaf) for leaf in net] for net in (net0, net1)]
    m = width(net0)
    if shapes[0] != shapes[1] or net0.A is None:
        raise InputError(f"dropout_path: expected nets of one shape with output weights, found {shapes}; pad or drop b")
    if 2 * max(len(thinned0.kept), len(thinned1.kept)) > m:
        raise InputError(f"dropout_path: expected at most {m // 2} of {m} neurons kept; thin both nets to half")
    slots = np.asarray(thinned0.kept, int)
    wanted = set(thinned1.kept)
    clashes = [k for k, slot in enumerate(slots) if slot in wanted]
    knots = [net0, thinned_net(net0, thinned0)]
    if clashes:
        free = [slot for slot in range(m) if slot not in wanted and slot not in set(slots.tolist())]
        moved = slots.copy()
        moved[clashes] = free[: len(clashes)]
        here = _with_hidden(knots[-1], moved[clashes], net0, slots[clashes])
        knots += [here, here._replace(A=_outputs(net0, thinned0, moved))]
        slots = moved
    others = np.setdiff1d(np.arange(m), slots)
    knots.append(_with_hidden(knots[-1], others, net1, others))
    knots.append(knots[-1]._replace(A=_outputs(net1, thinned1, np.asarray(thinned1.kept))))
    knots.append(_with_hidden(knots[-1], slots, net1, slots))
    return [*knots, net1]


def _with_hidden(net: Net, slots: np.ndarray, source: Net, origins: np.ndarray) -> Net:
    """Return the net with the hidden weights of some slots taken from the source's neurons."""
    W: Any = np.array(net.W)
    W[:, slots] = np.asarray(source.W)[:, origins]
    if net.b is None or source.b is None:
        return net._replace(W=W)
    b: Any = np.array(net.b)
    b[slots] = np.asarray(source.b)[origins]
    return net._replace(W=W, b=b)
