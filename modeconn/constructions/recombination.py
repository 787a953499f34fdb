"""Recombination: non-negative weights on few points with the same sums (Caratheodory, Tchakaloff)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from modeconn.constructions.null_space import null_space, walk_to_boundary

__all__ = ["Recombination", "recombine"]

Reals = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
_GROUPED = 2.5
"""Points are grouped while there are more than this times N of them."""

NEGLIGIBLE = 1e-13
"""Points that weigh no more than this, relative to the heaviest, are rounding: a dead slot is worth more than they."""


class Recombination(NamedTuple):
    """Weights t >= 0 at a vertex of {t >= 0: M t = M t_start}.

    Attributes:
        t: weights (m,), exactly 0 off the support; at most rank M of them are positive.
        rank: numerical rank of the columns of the support, equal to their number.
        drift: largest |M (t - t_start)| of a row, over the largest |M| t_start of any row; measured after the repair.
        unrepaired: the same before the least-squares correction.
    """

    t: Reals
    rank: int
    drift: float
    unrepaired: float

    @property
    def support(self) -> Bool[np.ndarray, " m"]:
        """Return where t > 0."""
        return self.t > 0


def recombine(M: Float[np.ndarray, "N m"], start: Float[np.ndarray, " m"] | None = None) -> Recombination:
    """Return a vertex of the polytope {t >= 0: M t = M start}, reached from ``start`` (ones by default).

    Zero columns get t = 0, and so do points that are :data:`NEGLIGIBLE`; the repair gives their share to the others.
    While m > 2.5 N the points are put into 2 N groups, N of which survive: O(log(m / N)) rounds. Then one walk along
    the null space of what is left, rank-revealing, so that duplicate points, dependent functionals and dead neurons are
    used up too. At the end the weights of the support are corrected by least squares in float64 against sums in
    extended precision. Cost O(N m) + O(N^3) per round.

    Args:
        M: a column per point; some combination of its rows is positive on every nonzero column (the polytope is
            bounded).
        start: weights >= 0.

    Example:
        >>> M = np.stack([np.ones(50), np.arange(50.0)])
        >>> found = recombine(M)
        >>> int(found.support.sum()), bool(np.allclose(M @ found.t, M.sum(1))), found.drift < 1e-14
        (2, True, True)

    Reference: theory W1, step (i); Litterer, Lyons (2012); Tchernychova (2015).
    """
    m = M.shape[1]
    t0 = np.ones(m) if start is None else np.asarray(start, np.float64)
    size = np.linalg.norm(M, axis=0)
    p = t0 * size
    points = np.flatnonzero(p > NEGLIGIBLE * p.max(initial=0.0))
    p[p <= NEGLIGIBLE * p.max(initial=0.0)] = 0.0
    unit = np.where(size > 0, size, 1.0)
    while len(points) > _GROUPED * len(M):
        points = _grouped_round(M, unit, p, points)
    Q = M[:, points] / unit[points]
    weights = p[points]
    found = null_space(Q)
    live = walk_to_boundary(found.basis, weights)
    live = live[weights[live] > NEGLIGIBLE * weights.max(initial=0.0)]
    chosen = points[live]
    target = _sums(M, t0)
    t = np.zeros(m)
    t[chosen] = weights[live] / unit[chosen]
    scale = float(np.max(np.abs(M) @ t0, initial=0.0)) or 1.0
    before = float(np.abs(target - _sums(M, t)).max(initial=0.0))
    after = before
    if before > _EPS * scale:
        t, after = _repaired(M, unit, t, chosen, target, before)
    return Recombination(t, len(chosen), after / scale, before / scale)


def _grouped_round(M: Reals, unit: Reals, p: Reals, points: NDArray[np.int_]) -> NDArray[np.int_]:
    """Reduce groups of points, each treated as one point; scale p in place and return the points that stay."""
    groups = 2 * len(M)
    bounds = np.linspace(0, len(points), groups + 1).astype(int)
    sums = np.add.reduceat(M[:, points] * (p[points] / unit[points]), bounds[:-1], axis=1)
    size = np.linalg.norm(sums, axis=0)
    weights = size.copy()
    walk_to_boundary(null_space(sums / size).basis, weights)
    factor = np.repeat(weights / size, np.diff(bounds))
    p[points] *= factor
    return points[factor > 0]


def _sums(M: Reals, t: Reals) -> NDArray[np.longdouble]:
    """Return M t in extended precision, in blocks of rows."""
    live = np.flatnonzero(t)
    weights = t[live].astype(np.longdouble)
    rows = max(1, 2**22 // max(len(live), 1))
    return np.concatenate([M[i : i + rows, live].astype(np.longdouble) @ weights for i in range(0, len(M), rows)])


def _repaired(
    M: Reals, unit: Reals, t: Reals, chosen: NDArray[np.int_], target: NDArray[np.longdouble], before: float
) -> tuple[Reals, float]:
    """Return weights refined by least squares on the support, and their residual; every step lowers it."""
    factor, R = scipy.linalg.qr(M[:, chosen] / unit[chosen], mode="economic", check_finite=False)
    for _ in range(3):
        residual = np.asarray(target - _sums(M, t), np.float64)
        better = t.copy()
        better[chosen] += scipy.linalg.solve_triangular(R, factor.T @ residual, check_finite=False) / unit[chosen]
        if not (better[chosen] > 0).all():
            break
        after = float(np.abs(target - _sums(M, better)).max(initial=0.0))
        if not after < before:
            break
        t, before = better, after
    return t, before
