"""Chains of one bend between two nets, learned by gradient descent: what the constructed path is compared with."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net

__all__ = ["learn_bends"]


def learn_bends(
    nets0: Net,
    nets1: Net,
    X: ArrayLike,
    Y: ArrayLike,
    steps: int = 400,
    learning_rate: float = 0.02,
    seed: int = 0,
) -> Net:
    r"""Return, for each of B pairs, a net C for which the chain from net0 over C to net1 has a small mean loss.

    $$\min_C \; \mathbb{E}_{t \sim U[0, 1]} \, \bigl[ L((1-t)\,\theta_0 + t\,C) + L((1-t)\,C + t\,\theta_1) \bigr]$$

    with L the half squared error. C starts halfway; Adam with a cosine decay to zero; one t a leg, pair and step, all
    data; float32. The regions of the nets play no part. Measure the chain with
    :func:`modeconn.paths.polyline_barrier`. Cost of a step: 12 B n m (d + c) multiplications.

    Args:
        nets0: nets at one end, leaves with a leading axis: W (B, d, m), A (B, c, m).
        nets1: nets at the other end.
        X: data (n, d).
        Y: targets (n, c).
        steps: of the descent.
        learning_rate: at the start.
        seed: of the draws of t.

    Returns:
        The bends, leaves (B, ...), NumPy float64. A neuron that is zero in both nets of a pair stays zero.

    Raises:
        InputError: leaves of different shapes, or no step.

    Example:
        >>> unit = np.ones((1, 1, 1))
        >>> bend = learn_bends(Net(unit, 2 * unit), Net(2 * unit, unit), [[1.0]], [[2.0]])
        >>> bool(abs(bend.W[0, 0, 0] * bend.A[0, 0, 0] - 2.0) < 0.1)
        True

    Reference: Garipov et al. (2018), section 3, polygonal chain.
    """
    shapes = [[np.shape(leaf) for leaf in jax.tree.leaves(nets)] for nets in (nets0, nets1)]
    if shapes[0] != shapes[1] or any(len(shape) < 2 for shape in shapes[0]) or steps < 1:
        raise InputError(
            f"chains: expected stacked nets of equal shapes and at least one step, found {shapes} and {steps}; "
            "pad the narrower nets with dead neurons"
        )
    ends = [jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), nets) for nets in (nets0, nets1)]
    data = np.asarray(X, np.float32), np.asarray(Y, np.float32)
    with jax.enable_x64(False), jax.default_matmul_precision("highest"):
        bends = _descend(*ends, *data, jax.random.key(seed), learning_rate, steps)
        return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), bends)


@functools.partial(jax.jit, static_argnames=("steps",))
def _descend(nets0: Net, nets1: Net, X: Any, Y: Any, key: Any, learning_rate: float, steps: int) -> Net:
    loss = LOSSES["half_squared_error"]
    optimizer = optax.inject_hyperparams(optax.adam)(learning_rate)

    def mixed(a: Net, b: Net, t: Any) -> Net:
        return jax.tree.map(lambda x, y: (1.0 - t) * x + t * y, a, b)

    def chain_loss(bend: Net, net0: Net, net1: Net, t: Any) -> Any:
        legs = mixed(net0, bend, t[0]), mixed(bend, net1, t[1])
        return sum(net_loss(loss, net, X, Y) for net in legs) / X.shape[0]

    def objective(bends: Net, t: Any) -> Any:
        return jnp.sum(jax.vmap(chain_loss)(bends, nets0, nets1, t))  # of one pair each: the pairs do not mix

    def step(state: tuple[Net, Any], k: Any) -> tuple[tuple[Net, Any], None]:
        bends, memory = state
        t = jax.vmap(lambda own: jax.random.uniform(jax.random.fold_in(own, k), (2,)))(keys)
        memory.hyperparams["learning_rate"] = learning_rate * 0.5 * (1.0 + jnp.cos(jnp.pi * k / steps))
        updates, memory = optimizer.update(jax.grad(objective)(bends, t), memory, bends)
        return (optax.apply_updates(bends, updates), memory), None

    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(nets0.W.shape[0]))  # of a pair, not of the batch
    start = mixed(nets0, nets1, 0.5)
    (bends, _), _ = jax.lax.scan(step, (start, optimizer.init(start)), jnp.arange(steps))
    return bends
