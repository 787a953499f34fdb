"""A star centre of trained nets, learned by gradient descent on the segments that lead to it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.losses import loss_from_name, net_loss
from modeconn.nets import Net, check_net

__all__ = ["learn_centre"]


def learn_centre(
    feet: Sequence[Net],
    X: ArrayLike,
    Y: ArrayLike,
    loss: str = "half_squared_error",
    steps: int = 500,
    learning_rate: float = 0.01,
    seed: int = 0,
) -> Net:
    r"""Return a net C with small loss on the segments to all feet: a stochastic descent on

    $$\frac1r \sum_i \mathbb{E}_{t \sim U[0, 1]} \, L\bigl((1-t)\, C + t\, \theta_i\bigr).$$

    Starts from the mean of the feet; Adam with a cosine decay to zero; each step draws one t a foot and uses all data.
    In float32: the loss on the legs is measured afterwards, exactly. Cost of a step: 6 r n m (d + c) multiplications.

    Args:
        feet: r >= 1 nets of equal shapes.
        X: data (n, d).
        Y: targets (n, c).
        loss: key in :data:`modeconn.losses.LOSSES`.
        steps: of the descent.
        learning_rate: at the start.
        seed: of the draws of t.

    Returns:
        The centre, NumPy float64.

    Raises:
        InputError: feet of different shapes, or targets outside the domain of the loss.

    Example:
        >>> one, other = Net(np.array([[1.0]]), np.array([[2.0]])), Net(np.array([[2.0]]), np.array([[1.0]]))
        >>> centre = learn_centre([one, other], np.array([[1.0]]), np.array([[2.0]]), steps=300)
        >>> bool(abs(centre.W[0, 0] * centre.A[0, 0] - 2.0) < 0.2)
        True

    Reference: Lin, Li, Wu (2024), experiments; our formulation of their training of the centre.
    """
    if not feet or steps < 1:
        raise InputError(f"centre: expected at least one foot and one step, found {len(feet)} and {steps}")
    for i, foot in enumerate(feet):
        check_net(foot, f"foot {i}")
        if jax.tree.map(np.shape, foot) != jax.tree.map(np.shape, feet[0]):
            raise InputError(f"foot {i}: expected the shapes of foot 0; pad the narrower net with dead neurons")
    targets = np.asarray(Y, np.float64)
    loss_from_name(loss).check_targets(targets)
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves).astype(np.float32), *feet)
    data = (np.asarray(X, np.float32), targets.astype(np.float32))
    with jax.enable_x64(False), jax.default_matmul_precision("highest"):
        centre = _descend(stacked, *data, jax.random.key(seed), learning_rate, loss, steps)
        return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), centre)


@functools.partial(jax.jit, static_argnames=("loss", "steps"))
def _descend(feet: Net, X: Any, Y: Any, key: Any, learning_rate: float, loss: str, steps: int) -> Net:
    chosen = loss_from_name(loss)
    optimizer = optax.inject_hyperparams(optax.adam)(learning_rate)
    count = feet.W.shape[0]

    def objective(centre: Net, t: Any) -> Any:
        def on_leg(foot: Net, at: Any) -> Any:
            return net_loss(chosen, jax.tree.map(lambda c, f: (1.0 - at) * c + at * f, centre, foot), X, Y)

        return jnp.mean(jax.vmap(on_leg)(feet, t)) / X.shape[0]

    def step(state: tuple[Net, Any], k: Any) -> tuple[tuple[Net, Any], None]:
        centre, memory = state
        t = jax.random.uniform(jax.random.fold_in(key, k), (count,))
        memory.hyperparams["learning_rate"] = learning_rate * 0.5 * (1.0 + jnp.cos(jnp.pi * k / steps))
        updates, memory = optimizer.update(jax.grad(objective)(centre, t), memory, centre)
        return (optax.apply_updates(centre, updates), memory), None

    start = jax.tree.map(lambda leaf: leaf.mean(0), feet)
    (centre, _), _ = jax.lax.scan(step, (start, optimizer.init(start)), jnp.arange(steps))
    return centre
