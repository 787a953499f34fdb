"""Singular values along a path: claim W2, the spectrum of the states between two nets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from modeconn.constructions.connection import WidePath
from modeconn.precision import in_float64
from modeconn.probes import singular_values, spectrum

__all__ = ["PathSpectra", "path_spectra"]

Reals = NDArray[np.float64]


class PathSpectra(NamedTuple):
    """Spectra of the hidden matrix W (its bias as a last row) at K points of a path.

    Attributes:
        taus: where (K,).
        singular_values: (K, min(d, m)), decreasing.
        stable_rank: (K,), ||W||_F^2 / ||W||_op^2.
        effective_rank: (K,), exponential of the entropy of the normalised singular values.
    """

    taus: Float[np.ndarray, " K"]
    singular_values: Float[np.ndarray, "K k"]
    stable_rank: Float[np.ndarray, " K"]
    effective_rank: Float[np.ndarray, " K"]

    @property
    def least_stable_rank(self) -> float:
        """Return the least stable rank at these points."""
        return float(self.stable_rank.min())


@in_float64
def path_spectra(path: WidePath, taus: ArrayLike | None = None) -> PathSpectra:
    """Return the spectra of W along a path, at 8 points a piece by default.

    W W^T is linear on a piece of a :class:`GramPath`, so stable rank is at least its least value at the knots:
    tr G is linear and lambda_max(G) convex. On the exchange between two nets with the same W W^T nothing changes.

    Args:
        path: from :func:`modeconn.constructions.connect`.
        taus: points in [0, path.pieces].

    Example:
        >>> from modeconn.constructions import connect
        >>> from modeconn.nets import Net
        >>> rng = np.random.default_rng(0)
        >>> nets = [Net(rng.normal(size=(2, 20)) / 5, rng.normal(size=(1, 20)) / 5) for _ in range(2)]
        >>> path = connect(*nets, rng.normal(size=(4, 2)), np.zeros(4), "spectral:2").path
        >>> rank = path_spectra(path).stable_rank
        >>> bool(rank.min() >= min(rank[0], rank[-1]) - 1e-12)
        True

    Reference: theory, claim W2.
    """
    points = np.linspace(0, path.pieces, 8 * path.pieces + 1) if taus is None else np.asarray(taus, np.float64)
    nets = path.nets(points)
    W: Reals = np.asarray(nets.W)
    if nets.b is not None:
        W = np.concatenate([W, np.asarray(nets.b)[:, None]], axis=1)
    summary = spectrum(W)
    return PathSpectra(
        points, np.asarray(singular_values(W)), np.asarray(summary.stable_rank), np.asarray(summary.effective_rank)
    )
