"""Two trained nets joined three ways: by the construction, by the straight segment, by a learned chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np

from modeconn.constructions import Connection, WideRegion, connect, problem_to_json
from modeconn.data import Dataset
from modeconn.nets import Net
from modeconn.paths import barrier_exact, polyline_barrier
from modeconn.studies.connectivity_chain import learn_bends
from modeconn.studies.connectivity_samples import sample_path
from proofs_check.checker import check_certificate

__all__ = ["bends_of", "measure_pair"]

Ends = tuple[Net, Net]


def bends_of(pairs: Sequence[Ends], data: Dataset, steps: int, seed: int = 0) -> list[Net]:
    """Return the learned bend of every pair, all learned side by side; pairs may differ in width."""
    width = max(a.W.shape[1] for a, _ in pairs)

    def padded(leaf: Any) -> Any:
        return np.pad(np.asarray(leaf), [(0, 0), (0, width - leaf.shape[1])])

    def stacked(nets: Iterable[Net]) -> Net:
        stack: Net = jax.tree.map(lambda *leaves: np.stack([padded(leaf) for leaf in leaves]), *nets)
        return stack

    starts, ends = zip(*pairs, strict=True)
    bends = learn_bends(stacked(starts), stacked(ends), data.X, data.Y, steps=steps, seed=seed)
    return [Net(*_cut(bends, i, start.W.shape[1])) for i, start in enumerate(starts)]


def _cut(nets: Net, i: int, width: int) -> Iterable[Any]:
    """Return the leaves of net i of a stack, without padding."""
    return (None if leaf is None else leaf[i][..., :width] for leaf in nets)


def measure_pair(
    ends: Ends, bend: Net, data: Dataset, region: WideRegion, unit: float, certify: bool
) -> dict[str, Any]:
    """Return what joins two nets, one row of JSON values; losses and barriers are in units of ``unit``.

    Barriers are above the worse end and exact: of the construction the level minus the worse end (rounding), of
    segment and chain the maximum over the whole path.

    Args:
        ends: the nets, in the region.
        bend: of the chain between them.
        data: the data.
        region: of the construction; the segment never leaves it, the chain may (``chain_excess``).
        unit: loss of the zero net.
        certify: whether the exact checker decides the path's certificate.
    """
    found = connect(*ends, data.X, data.Y, region)
    segment = barrier_exact(*ends, data.X, data.Y, baseline="endpoint_max")
    chain = polyline_barrier([ends[0], bend, ends[1]], data.X, data.Y, baseline="endpoint_max")
    W, A = np.asarray(bend.W), np.asarray(bend.A)
    return {
        "loss_a": float(segment.loss_start) / unit,
        "loss_b": float(segment.loss_end) / unit,
        **_constructed(found, ends, data, region, unit, certify),
        "segment_barrier": float(segment.barrier) / unit,
        "chain_barrier": float(chain.barrier) / unit,
        "chain_excess": max(ball.excess(W, A) for ball in region.balls),
    }


def _constructed(
    found: Connection, ends: Ends, data: Dataset, region: WideRegion, unit: float, certify: bool
) -> dict[str, Any]:
    """Return the columns about the constructed path."""
    row: dict[str, Any] = {
        "joined": found.joined,
        "construction": found.construction,
        "live_a": found.live0,
        "live_b": found.live1,
        "needed": found.needed,
        "barrier": None,
        "radius_slack": None,
        "sampled_rise": None,
        "sampled_excess": None,
        "certified": None,
    }
    if found.path is None or found.radius_slack is None:
        return row
    seen = sample_path(found.path, data.X, data.Y, region)
    row |= {
        "barrier": found.level_slack / unit,
        "radius_slack": float(found.radius_slack),
        "sampled_rise": seen.rise / unit,
        "sampled_excess": float(seen.excess.max()),
    }
    if certify:
        problem = problem_to_json(*ends, data.X, data.Y, region)
        row["certified"] = check_certificate(found.certificate(), problem).accepted
    return row
