"""Exact segment barriers of random pairs of nets against a grid (S1), many at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from modeconn.campaigns.families.drawing import block_generator, tally_of_margins
from modeconn.campaigns.family import Family, Parameters, whole_numbers
from modeconn.campaigns.tally import Tally, total
from modeconn.memory import in_halves
from modeconn.nets import Net
from modeconn.paths import barrier_certified, barrier_exact_batch

__all__ = ["FAMILY"]


NAME = "segment-barrier"
GRAIN = 512
DEFAULTS: Parameters = {"n": None, "d": None, "width": None, "outputs": 1, "points": 33}
"""Parameters: ``n`` data, ``d`` inputs, ``width``, ``outputs``, ``points`` of the grid. A block shares its data."""


def _check(parameters: Parameters) -> None:
    """Raise :class:`modeconn.errors.InputError` unless all parameters are whole numbers >= 1."""
    whole_numbers(parameters, *DEFAULTS)


def _run_block(parameters: Parameters, block: int, seed: int) -> Tally:
    """Return how far the grid stays below the upper end of the exact barrier, relative to the largest loss."""
    draw = block_generator(NAME, parameters, block, seed)
    n, d, m, c = (parameters[key] for key in ("n", "d", "width", "outputs"))
    X, Y = draw.standard_normal((n, d)), draw.standard_normal((n, c))
    twins = [(draw.standard_normal((GRAIN, d, m)), draw.standard_normal((GRAIN, c, m))) for _ in range(2)]

    def work(start: int, stop: int) -> Tally:
        nets0, nets1 = (Net(jnp.asarray(W[start:stop]), jnp.asarray(A[start:stop])) for W, A in twins)
        found = barrier_exact_batch(nets0, nets1, X, Y, engine="device")
        lower, upper, start_loss, end_loss = map(
            np.asarray, (found.lower, found.upper, found.loss_start, found.loss_end)
        )
        grid = _grid_excess(nets0, nets1, X, Y, parameters["points"], start_loss, end_loss)
        margins = (upper - grid) / (1.0 + found.max_loss)

        def judge(i: int) -> tuple[str, Mapping[str, Any]]:
            net0, net1 = (Net(net.W[i], net.A[i]) for net in (nets0, nets1))  # type: ignore[index]
            exact = barrier_certified(net0, net1, X, Y)
            low, high = float(lower[i]), float(upper[i])
            apart = high < exact.lower or exact.upper < low
            detail = {"found": [low, high], "exact": [float(exact.lower), float(exact.upper)]}
            return ("refuted" if apart else "rounding"), detail

        return tally_of_margins(margins, block * GRAIN + start, judge)

    parts, halved = in_halves(work, 0, GRAIN)
    return total([*parts, Tally(halved=halved)])


def _grid_excess(
    nets0: Net, nets1: Net, X: np.ndarray, Y: np.ndarray, points: int, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Return the largest loss above the linear baseline on an even grid, for each pair."""
    (W0, A0), (W1, A1) = ((np.asarray(net.W), np.asarray(net.A)) for net in (nets0, nets1))
    P0, P1 = (np.einsum("nd,bdm->bnm", X, W) for W in (W0, W1))
    best = np.full(len(P0), -np.inf)
    for t in np.linspace(0.0, 1.0, points):
        H = np.maximum((1 - t) * P0 + t * P1, 0.0)
        A = (1 - t) * A0 + t * A1
        R = np.einsum("bnm,bcm->bnc", H, A) - Y
        best = np.maximum(best, 0.5 * np.einsum("bnc,bnc->b", R, R) - ((1 - t) * start + t * end))
    return best


FAMILY = Family(
    NAME,
    "no point of a grid on the segment is above the exact barrier (theory S1)",
    GRAIN,
    DEFAULTS,
    _check,
    _run_block,
    about=lambda parameters: "S1",
    shard=100_000,
)
