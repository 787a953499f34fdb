"""A path between wide nets seen by ordinary forward passes: a second opinion beside its certificate."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike, NDArray

from modeconn.constructions import WidePath, WideRegion
from modeconn.errors import InputError
from modeconn.losses import loss_from_name
from modeconn.nets import Net, fold_bias, predict
from modeconn.precision import in_float64

__all__ = ["PathSamples", "live_neurons", "sample_path"]

Reals = NDArray[np.float64]


class PathSamples(NamedTuple):
    """K nets of a path, each evaluated as any net is: weights in, predictions out, no use of how the path was made.

    Attributes:
        t: where, in [0, 1]; every piece of the path takes an equal share (K,).
        loss: (K,).
        live: neurons with a nonzero w (or bias) and a nonzero a (K,).
        excess: largest norm / radius - 1 over the balls of the region (K,); positive outside.
    """

    t: Float[np.ndarray, " K"]
    loss: Float[np.ndarray, " K"]
    live: Int[np.ndarray, " K"]
    excess: Float[np.ndarray, " K"]

    @property
    def max_loss(self) -> float:
        """Return the largest loss at these points: a lower bound of the path's."""
        return float(self.loss.max())

    @property
    def argmax_t(self) -> float:
        """Return where it is."""
        return float(self.t[self.loss.argmax()])

    @property
    def rise(self) -> float:
        """Return the largest loss minus the larger one of the two ends: 0 if the ends are the worst."""
        return self.max_loss - float(max(self.loss[0], self.loss[-1]))


def live_neurons(W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "c m"]) -> int:
    """Return the number of neurons with w != 0 and a != 0 (a bias counts as a row of W).

    Example:
        >>> live_neurons(np.array([[1.0, 0.0, 1.0]]), np.array([[2.0, 2.0, 0.0]]))
        1
    """
    return int((W.any(axis=0) & A.any(axis=0)).sum())


@in_float64
def sample_path(
    path: WidePath,
    X: ArrayLike,
    Y: ArrayLike,
    region: WideRegion,
    loss: str = "half_squared_error",
    points: int = 65,
) -> PathSamples:
    """Return at least ``points`` nets of a path, its knots among them. Cost of each: one forward pass and two SVDs.

    Args:
        path: from :func:`modeconn.constructions.connect`.
        X: data (n, d).
        Y: targets (n,) or (n, c).
        region: the balls whose norms are measured.
        loss: key of :data:`modeconn.losses.LOSSES`.
        points: at least so many, spread evenly over the pieces.

    Raises:
        InputError: fewer than two points.

    Example:
        >>> from modeconn.constructions import connect, region_from_text
        >>> rng = np.random.default_rng(0)
        >>> nets = [Net(rng.normal(size=(2, 20)) / 5, rng.normal(size=(1, 20)) / 5) for _ in range(2)]
        >>> X, y, region = rng.normal(size=(4, 2)), np.zeros(4), region_from_text("spectral:2")
        >>> seen = sample_path(connect(*nets, X, y, region).path, X, y, region)
        >>> seen.rise < 1e-12, bool((seen.excess <= 0).all()), int(seen.live[0])
        (True, True, 20)

    Reference: theory, claims W1 and W4.
    """
    if points < 2:
        raise InputError(f"expected at least 2 points of the path, found {points}; its ends are two")
    data, targets = np.asarray(X, np.float64), np.asarray(Y, np.float64).reshape(len(np.asarray(Y)), -1)
    chosen = loss_from_name(loss)
    share = -(-(points - 1) // max(path.pieces, 1))
    taus = np.linspace(0, path.pieces, share * path.pieces + 1)
    predictions, live, excess = [], [], []
    for tau in taus:
        net = Net(*(None if leaf is None else np.asarray(leaf) for leaf in path.net(float(tau))))  # type: ignore[arg-type]
        predictions.append(predict(net, data))
        folded = fold_bias(net, data)[0]
        W, A = np.asarray(folded.W), np.asarray(folded.A)
        live.append(live_neurons(W, A))
        excess.append(max(ball.excess(W, A) for ball in region.balls))
    losses = jax.vmap(chosen.value, in_axes=(0, None))(np.stack(predictions), targets)
    return PathSamples(taus / max(path.pieces, 1), np.asarray(losses), np.array(live), np.array(excess))
