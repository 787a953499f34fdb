"""Function-preserving maps of nets: permute, rescale, split, merge, pad, remove, transfer.

Write z_j = (w_j, b_j, a_j) for neuron j; a bias counts as a last row of W. What each map keeps, the prediction aside
(every map keeps it, for every input):

    map            W W^T     A A^T          with output weights fixed at +1: W W^T
    permute        equal     equal          equal
    rescale        changes   changes        (refused)
    split          equal     equal          below
    merge          equal     below          above
    pad            equal     equal          equal
    remove_dead    below     below          below
    transfer       equal     equal          below

``below`` and ``above`` are meant in the order of symmetric matrices; :data:`SYMMETRIES` holds this table for the
tests and the documentation. "Equal" is up to rounding; permute, pad and remove_dead copy columns without arithmetic.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from modeconn.errors import InputError
from modeconn.nets.net import AnyArray, Net, namespace, width

__all__ = [
    "SYMMETRIES",
    "Symmetry",
    "hidden_gram",
    "is_dead",
    "merge",
    "output_gram",
    "pad",
    "permute",
    "remove_dead",
    "rescale",
    "split",
    "split_all",
    "split_equally",
    "transfer",
]

Relation = Literal["equal", "below", "above", "changes", "refused"]


class Symmetry(NamedTuple):
    """What a function-preserving map does to the Gram matrices: new against old, in the order of symmetric matrices."""

    name: str
    hidden_gram: Relation
    output_gram: Relation
    hidden_gram_fixed: Relation


SYMMETRIES: dict[str, Symmetry] = {
    row.name: row
    for row in (
        Symmetry("permute", "equal", "equal", "equal"),
        Symmetry("rescale", "changes", "changes", "refused"),
        Symmetry("split", "equal", "equal", "below"),
        Symmetry("split_equally", "equal", "equal", "below"),
        Symmetry("split_all", "equal", "equal", "below"),
        Symmetry("merge", "equal", "below", "above"),
        Symmetry("pad", "equal", "equal", "equal"),
        Symmetry("remove_dead", "below", "below", "below"),
        Symmetry("transfer", "equal", "equal", "below"),
    )
}


def hidden_gram(net: Net) -> Float[AnyArray, "d_ d_"]:
    """Return W W^T, with the bias, if any, as a last row of W."""
    W = net.W if net.b is None else namespace(net.W).concatenate([net.W, net.b[None]], axis=0)
    return W @ W.T


def output_gram(net: Net) -> Float[AnyArray, "c c"]:
    """Return A A^T; fixed output weights are no parameter and have none."""
    if net.A is None:
        raise InputError("output_gram: expected trainable output weights, found weights fixed at +1; they have no Gram")
    return net.A @ net.A.T


def _columns(net: Net, index: Any) -> Net:
    """Return the net of the given neurons, in the given order."""
    return jax.tree.map(lambda leaf: leaf[..., index], net)


def _join(net: Net, other: Net) -> Net:
    """Return the net of all neurons of both."""
    join = namespace(net.W).concatenate
    return jax.tree.map(lambda u, v: join([u, v], axis=-1), net, other)


def _scale(net: Net, hidden: Any, output: Any) -> Net:
    """Return the net with (w_j, b_j) times ``hidden`` and a_j times ``output`` (ignored where A is fixed)."""
    return Net(net.W * hidden, None if net.A is None else net.A * output, None if net.b is None else net.b * hidden)


def _put(net: Net, j: int, neuron: Net) -> Net:
    """Return the net with neuron j replaced by a one-neuron net."""
    index = np.arange(width(net))
    index[j] = width(net)
    return _columns(_join(net, neuron), index)


def _check_neuron(net: Net, j: int, what: str) -> None:
    if not 0 <= j < width(net):
        raise InputError(f"{what}: expected a neuron in 0..{width(net) - 1}, found {j}; the net has width {width(net)}")


def _factors(net: Net, values: Any) -> AnyArray:
    """Return concrete numbers as an array of the net's own kind and dtype."""
    return namespace(net.W).asarray(np.asarray(values, np.float64), net.W.dtype)


def permute(net: Net, order: Any) -> Net:
    """Return the net whose neuron k is neuron ``order[k]`` of the given one. Keeps W W^T and A A^T.

    Example:
        >>> net = Net(np.array([[1.0, 2.0, 3.0]]), np.array([[4.0, 5.0, 6.0]]))
        >>> permute(net, [2, 0, 1]).W.tolist()
        [[3.0, 1.0, 2.0]]
    """
    index = np.asarray(order)
    if index.shape != (width(net),) or sorted(index.tolist()) != list(range(width(net))):
        raise InputError(f"permute: expected every number 0..{width(net) - 1} once, found {index.tolist()}")
    return _columns(net, index)


def rescale(net: Net, factors: Any) -> Net:
    """Return the net with w_j, b_j times s_j and a_j divided by s_j, s_j > 0. Keeps |a_j| |w_j|, not the Gram matrices.

    Args:
        net: with trainable output weights.
        factors: positive numbers (m,), or one for all neurons.

    Raises:
        InputError: a factor that is not positive and finite, or fixed output weights (nothing can take up 1/s).

    Example:
        >>> net = Net(np.array([[1.0, 2.0]]), np.array([[4.0, 6.0]]))
        >>> rescale(net, [2.0, 0.5])[:2]
        (array([[2., 1.]]), array([[ 2., 12.]]))
    """
    s = np.asarray(factors, np.float64)
    if s.shape not in ((), (width(net),)):
        raise InputError(f"rescale: expected one factor or {width(net)} of them, found shape {s.shape}")
    if not (np.isfinite(s).all() and (s > 0).all()):
        raise InputError("rescale: expected positive finite factors, found others; relu only commutes with s > 0")
    if net.A is None:
        raise InputError("rescale: output weights fixed at +1 cannot take up 1/s; use a net with trainable A")
    return _scale(net, _factors(net, s), _factors(net, 1.0 / s))


def split(net: Net, j: int, shares: Any) -> Net:
    """Return the net with neuron j split into k parts sqrt(t_i) z_j, t_i >= 0, sum_i t_i = 1.

    The first part stays in slot j, the others are appended; the width grows by k - 1. Keeps W W^T and A A^T.
    With output weights fixed at +1 the parts are t_i w_j, and W W^T shrinks: sum t_i^2 <= 1.

    Raises:
        InputError: no such neuron, or shares that are negative or do not sum to 1 (1e-9).

    Example:
        >>> net = Net(np.array([[2.0]]), np.array([[4.0]]))
        >>> split(net, 0, [0.25, 0.75]).W.round(3).tolist()
        [[1.0, 1.732]]

    Reference: theory section 2a, step (ii) of W1.
    """
    _check_neuron(net, j, "split")
    t = np.asarray(shares, np.float64)
    if t.ndim != 1 or t.size == 0 or not (t >= 0).all() or not abs(t.sum() - 1.0) <= 1e-9:
        raise InputError(f"split: expected non-negative shares that sum to 1, found {t.tolist()}; normalise them")
    part = _factors(net, t if net.A is None else np.sqrt(t))
    parts = _scale(_columns(net, np.full(t.size, j)), part, part)
    grown = _put(net, j, _columns(parts, slice(0, 1)))
    return _join(grown, _columns(parts, slice(1, None)))


def split_equally(net: Net, j: int, k: int) -> Net:
    """Return the net with neuron j split into k equal parts z_j / sqrt(k) (w_j / k with fixed output weights)."""
    if k < 1:
        raise InputError(f"split_equally: expected k >= 1 parts, found {k}")
    return split(net, j, np.full(k, 1.0 / k))


def split_all(net: Net, k: int) -> Net:
    """Return the net of width k m with every neuron split into k equal parts: entries shrink by sqrt(k).

    Keeps W W^T and A A^T and divides every entry by sqrt(k), so a large enough k brings a spectral ball's net into any
    box. With fixed output weights the parts are w_j / k. The parts of neuron j are the columns j k, ..., j k + k - 1.

    Reference: theory R1.
    """
    if k < 1:
        raise InputError(f"split_all: expected k >= 1 parts, found {k}")
    part = _factors(net, 1.0 / k if net.A is None else 1.0 / np.sqrt(k))
    return _scale(_columns(net, np.repeat(np.arange(width(net)), k)), part, part)


def merge(net: Net, j: int, k: int, rtol: float | None = None) -> Net:
    """Return the net with parallel neurons j and k merged into slot j; the width falls by one.

    Needs (w_k, b_k) = t (w_j, b_j) with t >= 0. The new neuron has the direction of the two, and

        |w|^2 = |w_j|^2 + |w_k|^2,   a = (|w_j| a_j + |w_k| a_k) / |w|,

    norms taken with the bias. This keeps W W^T, and A A^T never grows (Cauchy-Schwarz); A A^T is kept iff
    |w_j| a_k = |w_k| a_j, the inverse of :func:`split`. With fixed output weights the new neuron is w_j + w_k.
    A neuron with w = 0, b = 0 is parallel to every other.

    Args:
        net: a net.
        j: slot that keeps the merged neuron.
        k: neuron that goes.
        rtol: how far from parallel the unit vectors may be; default 64 rounding errors. The prediction changes by at
            most rtol |(x, 1)| |w_k| |a_k|.

    Raises:
        InputError: j = k, no such neuron, or neurons that are not parallel (their distance is named).

    Example:
        >>> net = Net(np.array([[3.0, 4.0]]), np.array([[1.0, 2.0]]))
        >>> merge(net, 0, 1)[:2]                            # 3 * 1 + 4 * 2 = 5 * 2.2
        (array([[5.]]), array([[2.2]]))
    """
    _check_neuron(net, j, "merge")
    _check_neuron(net, k, "merge")
    if j == k:
        raise InputError(f"merge: expected two different neurons, found {j} twice")
    V = np.asarray(net.W, np.float64)
    if net.b is not None:
        V = np.concatenate([V, np.asarray(net.b, np.float64)[None]])
    p, q = (float(np.linalg.norm(V[:, i])) for i in (j, k))
    if net.A is not None and p == 0.0 and q == 0.0:
        merged = _scale(_columns(net, [j]), _factors(net, 1.0), _factors(net, 0.0))
    else:
        if p > 0.0 and q > 0.0:
            gap = float(np.linalg.norm(V[:, j] / p - V[:, k] / q))
            limit = 64 * float(jnp.finfo(net.W.dtype).eps) if rtol is None else rtol
            if gap > limit:
                raise InputError(
                    f"merge: neurons {j} and {k} are not parallel: unit vectors {gap:.3g} apart, allowed {limit:.3g}"
                )
        if net.A is None:
            u, v = _columns(net, [j]), _columns(net, [k])
            merged = Net(u.W + v.W, None, None if u.b is None or v.b is None else u.b + v.b)
        else:
            base, size = (j, p) if p > 0.0 else (k, q)
            norm = float(np.hypot(p, q))
            merged = _scale(_columns(net, [base]), _factors(net, norm / size), _factors(net, 1.0))
            a = net.A[:, [j]] * _factors(net, p / norm) + net.A[:, [k]] * _factors(net, q / norm)
            merged = merged._replace(A=a)
    return _columns(_put(net, j, merged), np.delete(np.arange(width(net)), k))


def pad(net: Net, m: int) -> Net:
    """Return the net of width m with dead neurons (z = 0) appended. Keeps W W^T and A A^T.

    Example:
        >>> pad(Net(np.array([[1.0]]), np.array([[2.0]])), 3).W.tolist()
        [[1.0, 0.0, 0.0]]
    """
    if m < width(net):
        raise InputError(f"pad: expected a width >= {width(net)}, found {m}; remove_dead makes a net narrower")
    dead = _scale(_columns(net, np.zeros(m - width(net), int)), _factors(net, 0.0), _factors(net, 0.0))
    return _join(net, dead)


def is_dead(net: Net) -> Bool[AnyArray, " m"]:
    """Return which neurons are zero for every input: a_j = 0, or w_j = 0 and b_j <= 0. Exact, no tolerance."""
    dead = (net.W == 0).all(0)
    if net.b is not None:
        dead &= net.b <= 0
    return dead if net.A is None else dead | (net.A == 0).all(0)


def remove_dead(net: Net) -> Net:
    """Return the net of the neurons that are not dead (one dead neuron is kept when all are).

    W W^T and A A^T lose the terms of the removed neurons, so they stay below; they are kept when those have z = 0.

    Example:
        >>> remove_dead(Net(np.array([[1.0, 0.0, 5.0]]), np.array([[2.0, 3.0, 0.0]]))).W.tolist()
        [[1.0]]
    """
    live = np.flatnonzero(~np.asarray(is_dead(net)))
    return _columns(net, live if live.size else np.array([0]))


def transfer(net: Net, j: int, slot: int, s: Any) -> Net:
    """Return the point at time s of the path that moves neuron j into a dead slot: sqrt(1-s) z_j and sqrt(s) z_j.

    At s = 0 it is the net itself, at s = 1 the neuron sits in ``slot`` and j is dead. Keeps W W^T and A A^T for
    every s in [0, 1]. With fixed output weights the two are (1-s) w_j and s w_j, and W W^T stays below. ``s`` may be
    traced (``vmap`` over s gives the path), the net not.

    Raises:
        InputError: j = slot, no such neuron, a slot with a non-zero weight, or s outside [0, 1].

    Example:
        >>> net = Net(np.array([[2.0, 0.0]]), np.array([[4.0, 0.0]]))
        >>> transfer(net, 0, 1, 0.25).W.round(3).tolist()
        [[1.732, 1.0]]

    Reference: theory section 2a, step (ii) of W1.
    """
    _check_neuron(net, j, "transfer")
    _check_neuron(net, slot, "transfer")
    if j == slot:
        raise InputError(f"transfer: expected two different slots, found {j} twice")
    source, target = _columns(net, [j]), _columns(net, [slot])
    if any(np.asarray(leaf).any() for key, leaf in target._asdict().items() if leaf is not None):
        raise InputError(f"transfer: slot {slot} is not dead (z = 0); remove or merge its neuron first")
    if not isinstance(s, jax.core.Tracer):
        if not 0.0 <= float(s) <= 1.0:
            raise InputError(f"transfer: expected s in [0, 1], found {float(s)}")
        s = _factors(net, float(s))
    xp = jnp if isinstance(s, jax.core.Tracer) else namespace(net.W)
    stays, moves = (1 - s, s) if net.A is None else (xp.sqrt(1 - s), xp.sqrt(s))
    return _put(_put(net, j, _scale(source, stays, stays)), slot, _scale(source, moves, moves))
