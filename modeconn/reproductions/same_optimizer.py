"""Two nets of one optimizer, three ways to go from one to the other: loss and live neurons along the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from modeconn.constructions import connect
from modeconn.data import Dataset
from modeconn.nets import Net
from modeconn.paths import segment_loss
from modeconn.plots.connect import draw_connections
from modeconn.plots.style import label_of
from modeconn.plots.tables import Row
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.studies.connectivity_nets import DataCase, region_of, train_case
from modeconn.studies.connectivity_pairs import bends_of, measure_pair
from modeconn.studies.connectivity_samples import sample_path

__all__ = ["REPRODUCTION"]

OPTIMIZERS = ("adamw", "lion", "muon")
CASES: dict[Profile, DataCase] = {
    "quick": DataCase("breast_cancer", "breast_cancer", (48,), rows=16, components=3),
    "full": DataCase("breast_cancer", "breast_cancer", (256,), rows=64, components=5),
}
STEPS: dict[Profile, tuple[int, int]] = {"quick": (800, 800), "full": (4000, 4000)}
"""Steps of training, and of learning a chain."""

POINTS = 241


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    case, (steps, chain_steps) = CASES[profile], STEPS[profile]
    trained = train_case(case, OPTIMIZERS, 2, steps, seed)
    data, width = trained.data, case.widths[0]
    pairs = {name: (trained.nets[name, width][0], trained.nets[name, width][1]) for name in OPTIMIZERS}
    bends = dict(zip(OPTIMIZERS, bends_of(list(pairs.values()), data, chain_steps, seed), strict=True))
    tables: Tables = {"curves": [], "pairs": []}
    reporter.start("paths", len(OPTIMIZERS))
    for name, ends in pairs.items():
        region = region_of([name], ends)
        found = measure_pair(ends, bends[name], data, region, trained.zero_loss, certify=True)
        about = {"optimizer": name, "width": width, "data": data.name, "region": str(region)}
        tables["pairs"].append(about | found)
        path = connect(*ends, data.X, data.Y, region).path
        curves = {"segment": _chain(ends, data), "chain": _chain((ends[0], bends[name], ends[1]), data)}
        if path is not None:
            seen = sample_path(path, data.X, data.Y, region, points=POINTS)
            curves["constructed"] = {"t": seen.t.tolist(), "loss": seen.loss.tolist(), "live": seen.live.tolist()}
        unit = trained.zero_loss
        shared = {"case": f"{label_of(name)}, width {width}", "optimizer": name}
        shared |= {"worse_end": max(found["loss_a"], found["loss_b"])}
        for kind, curve in curves.items():
            scaled = {"loss": [value / unit for value in curve["loss"]]}
            tables["curves"].append(shared | {"path": kind} | curve | scaled)
        reporter.advance("paths")
    reporter.finish("paths")
    return tables


def _chain(knots: Sequence[Net], data: Dataset) -> dict[str, Any]:
    """Return the loss at equally spaced points of the chain through some nets."""
    legs = len(knots) - 1
    s = np.linspace(0.0, 1.0, POINTS // legs)
    losses = [segment_loss(a, b, data.X, data.Y, s) for a, b in pairwise(knots)]
    t = np.concatenate([(k + s) / legs for k in range(legs)])
    return {"t": t.tolist(), "loss": np.concatenate(losses).tolist(), "live": None}


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    figure = draw_connections(tables["curves"])
    figure.axes[0].set_ylabel("loss / loss of the zero net")
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    found = []
    for row in tables["pairs"]:
        if row["joined"]:
            verdict = {True: "accepted by the exact checker", False: "not accepted", None: "not checked"}
            how = (
                f"{row['construction']}, {row['live_a']} and {row['live_b']} live neurons after reduction, above the "
                f"worse end by {row['barrier']:.1e} (rounding); certificate {verdict[row['certified']]}"
            )
        else:
            how = f"no path: {row['needed']} neurons needed"
        found.append(
            f"{label_of(row['optimizer'])}, width {row['width']}, {row['region']}: {how}. Exact barrier of the "
            f"straight segment {row['segment_barrier']:.3g}, of the learned chain {row['chain_barrier']:.2g}."
        )
    return found


REPRODUCTION = Reproduction(
    name="same-optimizer",
    title="Two nets of one optimizer, and the path between them",
    caption=(
        "Pairs of nets trained with decay from two seeds; losses in units of the loss of the zero net. Solid: the "
        "constructed path inside the optimizer's own region (box for AdamW and Lion, spectral ball for Muon; radius "
        "1/lambda, or the largest norm where training left it larger), sampled by ordinary forward passes; an exact "
        "checker decides its certificate, loss <= level and norms <= radius on the whole path. Dashed: the straight "
        "segment. Dash-dotted: a chain of one bend learned by gradient descent, which need not stay in the region. "
        "Below: neurons of the constructed path that are not zero."
    ),
    claims=("W1", "W4"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
