"""Reductions of random wide nets to at most N live neurons with everything that counts unchanged (W1)."""

from __future__ import annotations

import numpy as np

from modeconn.campaigns.families.drawing import block_generator, tally_of_margins
from modeconn.campaigns.family import Family, Parameters, whole_numbers
from modeconn.campaigns.tally import Tally, total
from modeconn.constructions import recombine
from modeconn.constructions.recombination_batch import recombine_batch
from modeconn.memory import in_halves

__all__ = ["FAMILY", "functionals_count"]

NAME = "gram-reduction"
GRAIN = 1024
DEFAULTS: Parameters = {"n": None, "d": None, "outputs": 1, "spare": 8}
"""``n`` data, ``d`` inputs, ``outputs``; the width is N + ``spare``. A block shares its data."""

DRIFT = 1e-9
"""Largest change of prediction or Gram matrices, relative to the sum of the neurons' absolute contributions."""


def functionals_count(n: int, d: int, c: int) -> int:
    """Return N = n c + d (d + 1) / 2 + c (c + 1) / 2.

    Example:
        >>> functionals_count(4, 2, 1)
        8
    """
    return n * c + d * (d + 1) // 2 + c * (c + 1) // 2


def _check(parameters: Parameters) -> None:
    """Raise :class:`modeconn.errors.InputError` unless all parameters are whole numbers >= 1."""
    whole_numbers(parameters, *DEFAULTS)


def _functionals(X: np.ndarray, W: np.ndarray, A: np.ndarray) -> np.ndarray:
    """Return the functionals of every neuron, (B, N, m): its prediction, w w^T and a a^T."""
    B, d, m = W.shape
    c = A.shape[1]
    H = np.maximum(np.einsum("nd,bdm->bnm", X, W), 0.0)
    prediction = np.einsum("bnm,bcm->bncm", H, A).reshape(B, -1, m)
    (i, j), (k, l) = np.triu_indices(d), np.triu_indices(c)
    return np.concatenate([prediction, W[:, i] * W[:, j], A[:, k] * A[:, l]], axis=1)


def _run_block(parameters: Parameters, block: int, seed: int) -> Tally:
    """Return how far the drift of every reduction stays below the allowance."""
    draw = block_generator(NAME, parameters, block, seed)
    n, d, c = (parameters[key] for key in ("n", "d", "outputs"))
    N = functionals_count(n, d, c)
    m = N + parameters["spare"]
    X = draw.standard_normal((n, d))
    W, A = draw.standard_normal((GRAIN, d, m)), draw.standard_normal((GRAIN, c, m))

    def work(start: int, stop: int) -> Tally:
        M = _functionals(X, W[start:stop], A[start:stop])
        t, _ = recombine_batch(M)
        for i in np.flatnonzero(_margins(M, t, N) < 0):  # dependent functionals: too few live neurons on the data
            t[i] = recombine(M[i]).t
        return tally_of_margins(_margins(M, t, N), block * GRAIN + start, lambda i: ("undecided", {}))

    parts, halved = in_halves(work, 0, GRAIN)
    return total([*parts, Tally(halved=halved)])


def _margins(M: np.ndarray, t: np.ndarray, N: int) -> np.ndarray:
    """Return the allowance minus the drift; negative as well where more than N neurons live or a weight is negative."""
    drift = np.abs(np.einsum("bnm,bm->bn", M, t - 1.0)) / np.abs(M).sum(axis=2).max(axis=1, keepdims=True)
    ok = (t >= 0).all(axis=1) & ((t > 0).sum(axis=1) <= N)
    return np.where(ok & np.isfinite(drift).all(axis=1), DRIFT - drift.max(axis=1), -1.0)


FAMILY = Family(
    NAME,
    "at most N = n c + d(d+1)/2 + c(c+1)/2 scaled neurons keep prediction and Gram matrices (theory W1), to 1e-9",
    GRAIN,
    DEFAULTS,
    _check,
    _run_block,
    about=lambda parameters: "W1",
    shard=100_000,
)
