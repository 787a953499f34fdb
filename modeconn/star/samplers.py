"""Random minima of the teacher-student model: laws of the labels and laws of the magnitudes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from jaxtyping import Float, Int
from scipy.special import gammaln, logsumexp

from modeconn.errors import InputError, unknown_name
from modeconn.star.minima import Minima, dyadic_magnitudes

__all__ = ["LABEL_LAWS", "MAGNITUDE_LAWS", "MagnitudeLaw", "hausdorff_log_weight", "sample_minima"]

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

LABEL_LAWS: dict[str, str] = {
    "hausdorff": "counts with weight m!/prod m_j! prod sqrt(m_j)/(m_j - 1)!, order uniform; no zero neuron",
    "iid": "every neuron 0 with probability r, else a uniform teacher; given that every teacher is served",
    "bounded": "the same number of neurons for every teacher at uniform places, the others 0",
}
"""Laws of the labels. With magnitudes uniform on the simplex, ``hausdorff`` is the uniform law on the manifold."""

MAX_ROUNDS = 1000
"""Redraws of labels that leave a teacher unserved."""


@dataclass(frozen=True)
class MagnitudeLaw:
    """A law of the magnitudes: independent g_i > 0 over the neurons of a teacher, divided by their sum.

    Attributes:
        draw: (generator, shape) -> g.
        moment_ratio: kappa = E g^2 / (E g)^2, in which the limits of the geodesic ratio are expressed.
        text: the law in words.
    """

    draw: Draw
    moment_ratio: float
    text: str


def _pareto(tail: float) -> Draw:
    return lambda rng, shape: (1 - rng.random(shape)) ** (-1 / tail)


MAGNITUDE_LAWS: dict[str, MagnitudeLaw] = {
    "simplex": MagnitudeLaw(lambda rng, shape: rng.standard_exponential(shape, method="inv"), 2.0, "uniform, simplex"),
    "equal": MagnitudeLaw(lambda rng, shape: np.ones(shape), 1.0, "all equal"),
    "half-normal": MagnitudeLaw(lambda rng, shape: np.abs(rng.standard_normal(shape)), math.pi / 2, "|N(0, 1)|"),
    "squared-normal": MagnitudeLaw(lambda rng, shape: rng.standard_normal(shape) ** 2, 3.0, "Dirichlet(1/2)"),
    "pareto-3": MagnitudeLaw(_pareto(3.0), 4 / 3, "Pareto, tail exponent 3"),
    "pareto-1.5": MagnitudeLaw(_pareto(1.5), math.inf, "Pareto, tail exponent 3/2: infinite variance"),
}
"""Laws of the magnitudes by name."""


def hausdorff_log_weight(k: Int[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    r"""Return log of sqrt(k) / (k! (k-1)!), the factor of a teacher with k neurons in the law of the counts.

    Where the labels have counts m_1, ..., m_M the manifold is a product of simplices with m_j vertices e_j-wise, of
    dimension m - M and volume prod sqrt(m_j) / (m_j - 1)!; there are m! / prod m_j! such labellings. Labellings with
    zero neurons have a lower dimension, hence probability 0.
    """
    return np.asarray(0.5 * np.log(k) - gammaln(k + 1) - gammaln(k))


@functools.lru_cache(maxsize=32)
def _log_totals(m: int, M: int) -> tuple[np.ndarray, ...]:
    """Return for 0..M teachers the log of the total weight of their counts that add up to 0..m; cost O(M m^2)."""
    weight = hausdorff_log_weight(np.arange(1, m + 1))
    totals = [np.where(np.arange(m + 1) == 0, 0.0, -np.inf)]
    for _ in range(M):
        rest = np.arange(m + 1)[:, None] - np.arange(1, m + 1)
        terms = np.where(rest >= 0, weight + totals[-1][np.maximum(rest, 0)], -np.inf)
        with np.errstate(divide="ignore"):  # no way at all: log 0
            totals.append(logsumexp(terms, axis=1))
    return tuple(totals)


def _hausdorff_counts(rng: np.random.Generator, n: int, m: int, M: int) -> np.ndarray:
    """Return counts (n, M): from the last teacher to the second, each given what is left."""
    weight, totals = hausdorff_log_weight(np.arange(1, m + 1)), _log_totals(m, M)
    left, uniform = np.full(n, m), rng.random((n, M))
    counts = np.zeros((n, M), int)
    for j in range(M - 1, -1, -1):
        for s in np.unique(left):
            law = np.exp(weight[:s] + totals[j][s - 1 :: -1][:s] - totals[j + 1][s])
            chosen = left == s
            found = np.searchsorted(np.cumsum(law), uniform[chosen, j] * law.sum(), side="right")
            counts[chosen, j] = 1 + np.minimum(found, np.flatnonzero(law)[-1])
        left = left - counts[:, j]
    return counts


def _in_random_order(rng: np.random.Generator, counts: np.ndarray, m: int) -> np.ndarray:
    """Return labels (n, m) with these counts of 1..M, zeros for the rest, in uniformly random order."""
    ends = np.cumsum(counts, 1)[:, :, None]
    place = np.arange(m)
    in_order = np.ones((len(counts), m), np.int8)
    for j in range(counts.shape[1]):
        in_order += place >= ends[:, j]
    in_order[in_order > counts.shape[1]] = 0
    return np.take_along_axis(in_order, rng.random((len(counts), m)).argsort(1), 1).astype(int)


def _iid_labels(seed: int, n: int, m: int, M: int, zero: float) -> np.ndarray:
    labels = np.zeros((n, m), int)
    missing = np.ones(n, bool)
    for attempt in range(MAX_ROUNDS):
        uniform = np.random.default_rng([seed, 0, attempt]).random((n, m))
        drawn = 1 + np.floor((uniform - zero) / (1 - zero) * M).clip(-1, M - 1).astype(int)
        labels[missing] = drawn[missing]
        missing = ~np.all([(labels == j).any(1) for j in range(1, M + 1)], axis=0)
        if not missing.any():
            return labels
    raise InputError(
        f"sample_minima: {missing.sum()} of {n} draws left a teacher unserved {MAX_ROUNDS} times; "
        "use a larger m or a smaller zero probability"
    )


def sample_minima(
    seed: int,
    n: int,
    m: int,
    M: int,
    *,
    labels: str = "hausdorff",
    magnitudes: str = "simplex",
    zero_probability: float = 0.0,
    active: int = 1,
) -> Minima:
    """Return n independent minima of width m for M teachers.

    ``labels="iid"`` with r = ``zero_probability`` > 0 is our reading of the neuron-sparse law of Lin, Li and Wu,
    Definition 13, which fixes the probability of each label and leaves dependence and magnitudes open: labels
    independent (given that every teacher is served), magnitudes independent of them by a law of
    :data:`MAGNITUDE_LAWS`. Magnitudes are rounded to multiples of ``UNIT``; what is returned lies on the manifold
    exactly, as floats. The first minima do not depend on n. Cost O(n m M), and O(M m^2) for ``hausdorff``.

    Args:
        seed: the same seed gives the same minima.
        n: how many.
        m: width, at least M (for ``bounded``: at least M ``active``).
        M: teachers, at most 16.
        labels: a law of :data:`LABEL_LAWS`.
        magnitudes: a law of :data:`MAGNITUDE_LAWS`.
        zero_probability: r in [0, 1), for ``iid``.
        active: neurons of each teacher, for ``bounded``.

    Raises:
        InputError: an unknown law, numbers out of range, or a seed that is no integer >= 0.

    Example:
        >>> minima = sample_minima(0, n=5, m=6, M=2)
        >>> minima.labels.shape, bool((weights_sum := (minima.magnitudes.sum(1) == 2.0)).all())
        ((5, 6), True)

    Reference: theory section 5, last paragraph.
    """
    if labels not in LABEL_LAWS:
        raise unknown_name("law of the labels", labels, LABEL_LAWS)
    if magnitudes not in MAGNITUDE_LAWS:
        raise unknown_name("law of the magnitudes", magnitudes, MAGNITUDE_LAWS)
    if not isinstance(seed, Integral) or seed < 0:
        raise InputError(f"sample_minima: expected an integer seed >= 0, found {seed!r}")
    least = M * active if labels == "bounded" else M
    if not (1 <= M <= 16 and n >= 1 and active >= 1 and m >= least and 0.0 <= zero_probability < 1.0):
        raise InputError(
            f"sample_minima: expected n, active >= 1, 1 <= M <= 16, m >= {least} and zero_probability in [0, 1), "
            f"found n = {n}, active = {active}, M = {M}, m = {m}, zero_probability = {zero_probability}"
        )
    if labels == "iid":
        found = _iid_labels(seed, n, m, M, zero_probability)
    else:
        rng = np.random.default_rng([seed, 1])
        counts = np.full((n, M), active) if labels == "bounded" else _hausdorff_counts(rng, n, m, M)
        found = _in_random_order(np.random.default_rng([seed, 2]), counts, m)
    relative = MAGNITUDE_LAWS[magnitudes].draw(np.random.default_rng([seed, 3]), (n, m))
    return Minima(found, dyadic_magnitudes(found, relative, M))
