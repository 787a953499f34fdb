"""Pairs of nets trained by one optimizer and joined in its region: the path stays low and inside (W1, W4)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from modeconn.campaigns.families.drawing import block_generator, tally_of_margins
from modeconn.campaigns.family import Family, Parameters, names, positive_numbers, whole_numbers
from modeconn.campaigns.tally import Tally
from modeconn.constructions import Ball, Connection, WideRegion, connect_batch, problem_to_json
from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.optim import optimizer_from_name
from modeconn.studies.connectivity_samples import sample_path
from modeconn.train import Fleet, train_fleet
from proofs_check.checker import check_certificate

__all__ = ["FAMILY", "region_of_optimizer"]

NAME = "trained-pair"
GRAIN = 16
DEFAULTS: Parameters = {
    "optimizer": None,
    "width": None,
    "n": None,
    "d": None,
    "steps": 500,
    "learning_rate": 0.02,
    "weight_decay": 0.125,
    "certify": True,
}
"""Parameters: ``optimizer`` (a key of :data:`modeconn.optim.OPTIMIZERS`), ``width``, ``n`` data, ``d`` inputs;
``steps`` from the initialisation of He with ``learning_rate`` (decayed by a cosine) and ``weight_decay`` lambda (the
balls have radius 1/lambda); ``certify`` (the independent checker decides every path). A block shares its data.
"""

ALLOWANCE = 1e-9
"""For rounding: of the loss along the path, relative to one plus that of the worse end, and of the radii."""

NOT_TRAINED, OUTSIDE, TOO_NARROW = "training converges", "both nets are in the region", "the live neurons fit the width"


def _check(parameters: Parameters) -> None:
    """Raise :class:`InputError` for numbers out of range, an unknown optimizer, or one without a ball for paths."""
    whole_numbers(parameters, "width", "n", "d", "steps")
    positive_numbers(parameters, "learning_rate", "weight_decay")
    names(parameters, "optimizer")
    if not isinstance(parameters["certify"], bool):
        raise InputError(f"expected true or false for certify, found {parameters['certify']!r}")
    region_of_optimizer(parameters["optimizer"], float(parameters["weight_decay"]))


@lru_cache(maxsize=64)
def region_of_optimizer(optimizer: str, weight_decay: float) -> WideRegion:
    """Return the balls of radius 1 / lambda that the decay of an optimizer holds the leaves of a net in.

    Raises:
        InputError: an unknown optimizer, or one whose balls are no :class:`~modeconn.constructions.WideRegion`.

    Example:
        >>> str(region_of_optimizer("muon_mixed", 0.5))
        'linf:2 (A) & spectral:2 (W)'
    """
    leaves = {"W": np.zeros((1, 1)), "A": np.zeros((1, 1))}
    region = optimizer_from_name(optimizer).region(leaves, weight_decay)
    radius = 1 / Fraction(str(weight_decay))
    return WideRegion(
        tuple(Ball(leaf, norm.name, radius) for leaf, norm in zip(region.names, region.norms, strict=True))  # type: ignore[arg-type]
    )


def _run_block(parameters: Parameters, block: int, seed: int) -> Tally:
    """Return how far the paths of the block stay below the worse end's loss, and inside."""
    draw = block_generator(NAME, parameters, block, seed)
    X, Y = draw.standard_normal((parameters["n"], parameters["d"])), draw.standard_normal((parameters["n"], 1))
    first_seed = int(draw.integers(2**31))
    region = region_of_optimizer(parameters["optimizer"], float(parameters["weight_decay"]))
    nets, diverged = _trained(parameters, X, Y, first_seed)
    missed: dict[int, str] = {}
    for k, pair in enumerate(_pairs(nets)):
        if diverged[2 * k : 2 * k + 2].any():
            missed[k] = NOT_TRAINED
        elif max(ball.excess(net.W, net.A) for net in pair for ball in region.balls) > 0:  # type: ignore[arg-type]
            missed[k] = OUTSIDE
    found = _connections(nets, X, Y, region, [k for k in range(GRAIN) if k not in missed])
    margins, certified = np.zeros(GRAIN), 0
    refusals: dict[int, str] = {}
    for k, connection in found.items():
        if not connection.joined:
            missed[k] = TOO_NARROW
            continue
        margins[k] = _margin(connection, X, Y, region)
        if parameters["certify"] or margins[k] < 0:
            problem = problem_to_json(*_pairs(nets)[k], X, Y, region)
            verdict = check_certificate(connection.certificate(), problem)
            certified += int(verdict.accepted and margins[k] >= 0)
            if not verdict.accepted:
                margins[k], refusals[k] = -1.0, verdict.reason

    def judge(k: int) -> tuple[str, Mapping[str, Any]]:
        seeds = [first_seed + 2 * k, first_seed + 2 * k + 1]
        return "undecided", {"seeds": seeds, "checker": refusals.get(k, "accepted")}

    return tally_of_margins(margins, block * GRAIN, judge, certified=certified, missed=missed)


def _trained(parameters: Parameters, X: np.ndarray, Y: np.ndarray, first_seed: int) -> tuple[Net, np.ndarray]:
    """Return 2 ``GRAIN`` trained nets, stacked, and which of them diverged; always in one chunk of that size."""
    fleet = Fleet.of(
        optimizer=parameters["optimizer"],
        learning_rate=parameters["learning_rate"],
        width=parameters["width"],
        weight_decay=parameters["weight_decay"],
        seed=first_seed + np.arange(2 * GRAIN),
    )
    result = train_fleet(
        fleet,
        X,
        Y,
        steps=parameters["steps"],
        schedule="cosine",
        dtype="float64",
        chunk_size=2 * GRAIN,
        devices=jax.local_devices()[:1],
    )
    return result.nets, result.diverged


def _pairs(nets: Net) -> list[tuple[Net, Net]]:
    """Return the pairs of a stack: nets 0 and 1, 2 and 3, ..."""
    single = [Net(W, A) for W, A in zip(np.asarray(nets.W), np.asarray(nets.A), strict=True)]
    return list(zip(single[::2], single[1::2], strict=True))


def _connections(
    nets: Net, X: np.ndarray, Y: np.ndarray, region: WideRegion, members: list[int]
) -> dict[int, Connection]:
    """Return the connections of these pairs; a compiled batch has ``GRAIN`` rows, the last one repeated to fill it."""
    if not members:
        return {}
    spare = GRAIN - len(members) if region.kind == "gram" else 0
    rows = np.array(members + [members[-1]] * spare)
    first, second = (jax.tree.map(lambda leaf, end=end: np.asarray(leaf)[2 * rows + end], nets) for end in (0, 1))
    return dict(zip(members, connect_batch(first, second, X, Y, region), strict=False))


def _margin(connection: Connection, X: np.ndarray, Y: np.ndarray, region: WideRegion) -> float:
    """Return the allowance minus the rise above the worse end, and minus the way out of the region.

    The rise is that of the stated level and of nets sampled along the path, which know nothing of how it was made.
    """
    assert connection.path is not None
    assert connection.radius_slack is not None
    seen = sample_path(connection.path, X, Y, region)
    rise = max(seen.rise, connection.level_slack) / (1.0 + float(max(seen.loss[0], seen.loss[-1])))
    return ALLOWANCE - max(rise, float(seen.excess.max()), float(connection.radius_slack))


def _about(parameters: Parameters) -> str:
    """Return the claim: W1 for balls of the Gram matrices, W4 for boxes and products with one."""
    region = region_of_optimizer(parameters["optimizer"], float(parameters["weight_decay"]))
    return "W1" if region.kind == "gram" else "W4"


FAMILY = Family(
    NAME,
    "nets trained by one optimizer are joined below the worse one's loss inside its region (theory W1, W4), to 1e-9",
    GRAIN,
    DEFAULTS,
    _check,
    _run_block,
    about=_about,
    shard=320,
)
