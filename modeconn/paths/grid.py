"""Barriers read off a grid of points: for any model, with no word on what happens between the points."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from numpy.typing import ArrayLike

from modeconn.errors import InputError
from modeconn.losses import Loss, loss_from_name, net_loss
from modeconn.nets import Net
from modeconn.paths.barrier import Barrier, Ends, baseline_ends
from modeconn.paths.chain import Peak, chain_barrier
from modeconn.paths.inputs import Reals, Weights, checked_ends
from modeconn.paths.polyline import check_knots
from modeconn.precision import float64

__all__ = ["barrier_on_grid", "loss_between", "net_barrier_on_grid", "polyline_barrier_on_grid"]


class _GridLeg:
    """Losses at equally spaced points of one leg."""

    def __init__(self, losses: Reals) -> None:
        if not np.isfinite(losses).all():
            t = int(np.argmin(np.isfinite(losses))) / (len(losses) - 1)
            raise InputError(f"the loss at t = {t} is not finite; expected a loss that is, check the parameters there")
        self.losses = losses
        self.start, self.end = float(losses[0]), float(losses[-1])

    def peak(self, tilt: Ends) -> Peak:
        first, last = tilt
        t = np.linspace(0.0, 1.0, len(self.losses))
        heights = self.losses - ((1.0 - t) * first + t * last)
        k = int(np.argmax(heights))
        return Peak(float(heights[k]), float(t[k]), math.inf)

    def rounding(self, loss: float) -> float:
        return 0.0


def barrier_on_grid(
    loss_along: Callable[[Any], Any], points: int = 1001, baseline: str = "linear", compiled: bool = True
) -> Barrier:
    """Return the barrier of a path from its loss at equally spaced t; any path of any model.

    The value is a lower bound of the true barrier up to the rounding of ``loss_along``; there is no upper bound
    (``upper`` is ``inf``). t is a float64 scalar and 64-bit floats are on during the call, but a ``loss_along`` that
    works in float32 stays in float32: :func:`loss_between` widens parameters.

    Args:
        loss_along: t in [0, 1] -> scalar loss. JAX-traceable unless ``compiled`` is false.
        points: number of equally spaced points, both ends included.
        baseline: key in :data:`BASELINES`.
        compiled: trace the callable once and map it over the grid; otherwise call it point by point.

    Raises:
        InputError: fewer than two points, an unknown baseline, a loss that is not finite.

    Example:
        >>> found = barrier_on_grid(lambda t: 4 * t * (1 - t), points=11)
        >>> found.barrier, found.argmax_t, found.upper
        (1.0, 0.5, inf)
    """
    return chain_barrier([_GridLeg(_sampled(loss_along, points, baseline, compiled))], baseline, "grid")


def loss_between(loss: Callable[[Any], Any], start: Any, end: Any) -> Callable[[Any], Any]:
    """Return t -> loss((1 - t) start + t end) for two parameter pytrees, for :func:`barrier_on_grid`.

    Floating leaves are interpolated in float64; other leaves (step counters, flags) must agree and are kept.

    Args:
        loss: parameters -> scalar.
        start: pytree at t = 0.
        end: pytree at t = 1, of the same structure and shapes.

    Raises:
        InputError: the pytrees differ in structure, in a shape or in a leaf that cannot be interpolated.

    Example:
        >>> import jax.numpy as jnp
        >>> along = loss_between(lambda p: jnp.sum(p["w"] ** 2), {"w": jnp.ones(2)}, {"w": -jnp.ones(2)})
        >>> barrier_on_grid(along, points=3, baseline="endpoint_max").barrier   # 2 at both ends, 0 between
        0.0
    """
    tree: Any = jax.tree.structure(start)
    if tree != jax.tree.structure(end):
        raise InputError("the two parameter pytrees differ in structure: expected the same model twice")
    wide = [
        _widened(a, b, jax.tree_util.keystr(path))
        for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(start), jax.tree.leaves(end), strict=True)
    ]
    if not wide:
        raise InputError("the parameter pytrees are empty: expected at least one leaf")
    first, second = (jax.tree.unflatten(tree, list(column)) for column in zip(*wide, strict=True))
    return Partial(_interpolated, Partial(loss), first, second)


def net_barrier_on_grid(
    net0: Net,
    net1: Net,
    X: ArrayLike,
    Y: ArrayLike,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    points: int = 1001,
) -> Barrier:
    """Return the barrier of the segment between two nets from a grid; :func:`barrier_exact` needs none.

    Forward passes in float64, one a point: ``points`` n m (d + c) multiplications.

    Args:
        net0: net at t = 0.
        net1: net at t = 1, with leaves of the same shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        loss: key in :data:`modeconn.losses.LOSSES`.
        baseline: key in :data:`BASELINES`.
        points: number of equally spaced points, both ends included.

    Raises:
        InputError: as in :func:`barrier_exact` and :func:`barrier_on_grid`.

    Example:
        >>> import numpy as np
        >>> one, other = Net(np.array([[1.0, -1.0]])), Net(np.array([[-1.0, 1.0]]))
        >>> net_barrier_on_grid(one, other, np.array([[1.0]]), np.array([1.0]), points=11).barrier
        0.5
        >>> net_barrier_on_grid(one, other, np.array([[1.0]]), np.array([1.0]), points=6).barrier < 0.4
        True
    """
    return polyline_barrier_on_grid((net0, net1), X, Y, loss, baseline, points)


def polyline_barrier_on_grid(
    nets: Sequence[Net],
    X: ArrayLike,
    Y: ArrayLike,
    loss: str = "half_squared_error",
    baseline: str = "linear",
    points: int = 1001,
) -> Barrier:
    """Return the barrier of the polygonal chain through ``nets`` from a grid of ``points`` points on every leg.

    Args:
        nets: the knots, k >= 2 nets with leaves of equal shapes.
        X: data (n, d).
        Y: targets (n, c), or (n,) when c = 1.
        loss: key in :data:`modeconn.losses.LOSSES`.
        baseline: key in :data:`BASELINES`.
        points: points of each leg, both ends included.

    Raises:
        InputError: as in :func:`polyline_barrier` and :func:`barrier_on_grid`.
    """
    chosen = loss_from_name(loss)
    check_knots(nets)
    legs = []
    for net0, net1 in itertools.pairwise(nets):
        start, end, data, targets = checked_ends(net0, net1, X, Y)
        chosen.check_targets(targets)
        along = Partial(_net_loss(chosen), start, end, data, targets)
        legs.append(_GridLeg(_sampled(along, points, baseline, compiled=True)))
    return chain_barrier(legs, baseline, "grid")


def _sampled(loss_along: Callable[[Any], Any], points: int, baseline: str, compiled: bool) -> Reals:
    """Return the losses at the points of the grid."""
    baseline_ends(baseline, 0.0, 0.0)
    if points < 2:
        raise InputError(f"expected at least 2 points, found {points}; the ends of the path are two")
    grid = np.linspace(0.0, 1.0, points)
    with float64():
        if not compiled:
            return np.array([float(loss_along(float(t))) for t in grid])
        along = loss_along if isinstance(loss_along, Partial) else Partial(loss_along)
        return np.asarray(_mapped(along, grid), dtype=np.float64)


@jax.jit
def _mapped(along: Callable[[jax.Array], jax.Array], grid: jax.Array) -> jax.Array:
    return jax.lax.map(along, grid)


def _widened(a: Any, b: Any, name: str) -> tuple[Any, Any]:
    """Return the two leaves as they are interpolated."""
    if np.shape(a) != np.shape(b):
        raise InputError(f"leaf {name} has shapes {np.shape(a)} and {np.shape(b)}: expected the same model twice")
    if jnp.issubdtype(jnp.result_type(a), jnp.floating):
        return np.asarray(a, np.float64), np.asarray(b, np.float64)
    if not np.array_equal(np.asarray(a), np.asarray(b)):
        raise InputError(f"leaf {name} of type {jnp.result_type(a)} differs: only floating leaves can be interpolated")
    return a, b


def _interpolated(loss: Callable[[Any], Any], start: Any, end: Any, t: Any) -> Any:
    def between(a: Any, b: Any) -> Any:
        return (1.0 - t) * a + t * b if jnp.issubdtype(jnp.result_type(a), jnp.floating) else a

    return loss(jax.tree.map(between, start, end))


@functools.cache
def _net_loss(loss: Loss) -> Callable[..., jax.Array]:
    """Return the loss of the net at t, one function a loss so that it is compiled once."""

    def at(start: Weights, end: Weights, X: jax.Array, Y: jax.Array, t: jax.Array) -> jax.Array:
        return net_loss(loss, Net(*((1.0 - t) * a + t * b for a, b in zip(start, end, strict=True))), X, Y)

    return at
