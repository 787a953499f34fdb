"""The two-dimensional slice of a witness: loss and reach on the plane of two nets and the pass between them.

Nets are written (W, alpha) = (u, s), output weights at their signs; the plane goes through a net of each predicted
orbit and through the highest point of the optimal path between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from modeconn.cells import RegionBall, RegionCell, least_gauge
from modeconn.nets import Net
from modeconn.studies.witness_certificates import CertifiedWitness
from modeconn.topology import Problem, lift_path

__all__ = ["Slice", "box_reach", "path_losses", "spectral_reach", "witness_slice"]

GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Slice:
    """Loss and reaches on a plane of nets.

    Attributes:
        x: coordinate along the segment from the net in the box (0) to the net in the spectral ball (1).
        y: coordinate towards the highest point of the path, which has y = 1.
        loss: (len(y), len(x)).
        reach: for each norm the least radius that holds each net, (len(y), len(x)).
        path: the optimal path's vertices, projected orthogonally onto the plane, (k, 2).
        distance: of each vertex from the plane, (k,).
        summit: coordinates of the highest point.
    """

    x: Float[np.ndarray, " X"]
    y: Float[np.ndarray, " Y"]
    loss: Float[np.ndarray, "Y X"]
    reach: dict[str, Float[np.ndarray, "Y X"]]
    path: Float[np.ndarray, "k 2"]
    distance: Float[np.ndarray, " k"]
    summit: tuple[float, float]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as arrays by name."""
        reaches = {f"reach_{norm}": values for norm, values in self.reach.items()}
        return {"x": self.x, "y": self.y, "loss": self.loss, **reaches, "path": self.path, "distance": self.distance}


def box_reach(U: Float[np.ndarray, "*batch d m"], *, fixed: bool = False) -> Float[np.ndarray, "*batch"]:
    """Return the least r with |W|_inf, |alpha|_inf <= r for some net over u: (max |u|)^(1/2).

    Example:
        >>> float(box_reach(np.array([[4.0, 0.0], [-9.0, 1.0]])))
        3.0
    """
    largest = np.abs(U).max((-2, -1))
    return largest if fixed else np.sqrt(largest)


def spectral_reach(U: Float[np.ndarray, "*batch d m"], *, fixed: bool = False) -> Float[np.ndarray, "*batch"]:
    """Return the least r with ||W||_op, |alpha|_2 <= r for some net over u.

    r^4 = min over beta > 0, sum beta = 1 of the largest eigenvalue of sum_j u_j u_j^T / beta_j, convex in beta: golden
    section for two neurons, else one semidefinite program a net.

    Example:
        >>> round(float(spectral_reach(np.diag([3.0, 1.0]))), 6)    # orthogonal: r^2 = (9 + 1)^(1/2)
        1.778279
    """
    if fixed:
        return np.linalg.norm(U, 2, axis=(-2, -1))
    if U.shape[-1] == 2:
        return _two_neurons(U) ** 0.25
    flat = U.reshape(-1, *U.shape[-2:])
    return np.sqrt([_several_neurons(one) for one in flat]).reshape(U.shape[:-2])


def _two_neurons(U: np.ndarray) -> np.ndarray:
    a, b = (U[..., 0] ** 2).sum(-1), (U[..., 1] ** 2).sum(-1)
    c = (U[..., 0] * U[..., 1]).sum(-1) ** 2

    def largest(beta: np.ndarray) -> np.ndarray:
        p, q = a / beta, b / (1 - beta)
        return (p + q) / 2 + np.sqrt((p - q) ** 2 / 4 + c / (beta * (1 - beta)))

    low, high = np.full(a.shape, 1e-12), np.full(a.shape, 1 - 1e-12)
    for _ in range(70):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        shrink = largest(left) < largest(right)
        low, high = np.where(shrink, low, left), np.where(shrink, right, high)
    return largest((low + high) / 2)


def _several_neurons(U: np.ndarray) -> float:
    """Return the least gauge over the one point u: its signs and sizes stand for a cell and a prediction."""
    d, m = U.shape
    signs = np.kron(np.eye(m, dtype=int), np.ones(d, int))  # neuron j sees the rows of its own block only
    X = np.concatenate([np.diag(np.where(u < 0, -1.0, 1.0)) for u in U.T])
    sizes = np.abs(U.T).ravel()
    cell = RegionCell(X, sizes, signs, np.zeros(signs.shape, bool), np.ones(m, int))
    fit = least_gauge(cell, RegionBall("spectral", 1.0, "spectral"), 0.0, sizes)
    return float("nan") if fit is None else fit.value


def _flat(net: Net) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(leaf, float)) for leaf in (net.W, net.A) if leaf is not None])


def _losses(problem: Problem, W: np.ndarray, A: np.ndarray) -> np.ndarray:
    """Return half the squared errors of nets W (..., d, m), A (..., m)."""
    X = np.array([[float(v) for v in row] for row in problem.X])
    y = np.array([float(v) for v in problem.y])
    residual = (np.maximum(X @ W, 0) * A[..., None, :]).sum(-1) - y
    return (residual**2).sum(-1) / 2


def _leaves(problem: Problem, points: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return W (..., d, m) and alpha (..., m) of flattened nets."""
    d = problem.dimension
    W = points[..., : d * m].reshape(*points.shape[:-1], d, m)
    A = points[..., d * m :] if points.shape[-1] > d * m else np.ones((*points.shape[:-1], m))
    return W, A


def witness_slice(certified: CertifiedWitness, points: int = 161, margin: float = 0.35) -> Slice:
    """Return the plane through the two nets and the highest point of the path between them.

    Args:
        certified: nets and path.
        points: of the grid, each way.
        margin: how far the picture goes beyond what it shows, as a share of it.
    """
    problem, m = certified.witness.problem, certified.witness.width
    fixed = problem.output_weights == "fixed"
    nets = np.array([_flat(net) for net in lift_path(list(certified.barrier.points), fixed=fixed)])
    losses = _losses(problem, *_leaves(problem, nets, m))
    origin, across = nets[0], nets[-1] - nets[0]
    up = nets[int(losses.argmax())] - origin
    if np.linalg.matrix_rank(np.array([across, up])) < 2:
        up = next(e for e in np.eye(len(origin)) if np.linalg.matrix_rank(np.array([across, e])) == 2)
    up = up - across * (up @ across) / (across @ across)  # perpendicular, so that the picture keeps angles
    basis = np.array([across, up])
    coordinates = np.linalg.lstsq(basis.T, (nets - origin).T, rcond=None)[0].T
    ranges = []
    for values in coordinates.T:
        room = margin * max(values.max() - values.min(), 1e-9)
        ranges.append(np.linspace(values.min() - room, values.max() + room, points))
    x, y = ranges
    plane = origin + x[None, :, None] * across + y[:, None, None] * up
    W, A = _leaves(problem, plane, m)
    U = W * np.abs(A)[..., None, :]
    summit = coordinates[int(losses.argmax())]
    return Slice(
        x,
        y,
        _losses(problem, W, A),
        {"linf": box_reach(U, fixed=fixed), "spectral": spectral_reach(U, fixed=fixed)},
        coordinates,
        np.linalg.norm(nets - origin - coordinates @ basis, axis=1),
        (float(summit[0]), float(summit[1])),
    )


def path_losses(
    problem: Problem, nets: Sequence[Net], points: int = 201
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Return arc length, from 0 to 1, and loss along a polyline of nets."""
    flat, m = np.array([_flat(net) for net in nets]), np.shape(nets[0].W)[1]
    t = np.linspace(0, 1, points)[:, None]
    pieces = [a + t * (b - a) for a, b in itertools.pairwise(flat)]
    lengths = np.array([np.linalg.norm(b - a) for a, b in itertools.pairwise(flat)])
    starts = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    s = np.concatenate([start + t[:, 0] * length for start, length in zip(starts, lengths, strict=True)])
    return s / lengths.sum(), _losses(problem, *_leaves(problem, np.concatenate(pieces), m))
