"""Paths of dropout-stable nets, and small data sets whose minima no path joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from modeconn.constructions.dropout import dropout_path, thin_net
from modeconn.nets import Net
from modeconn.paths import barrier_exact, polyline_barrier
from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.topology import communication_barrier, problem_from_json
from proofs_check.claims.library.few_samples import first_disconnected

__all__ = ["REPRODUCTION"]

COPIES = (1, 2, 4, 8, 16)
TEACHERS, INPUTS, SAMPLES = 4, 3, 40
NOISE = 0.3
PAIRS = {"quick": 3, "full": 12}
DATA_SETS = {"quick": 6, "full": 40}
STEPS = 24
COLOURS = ("#b0306a", "#d9822b", "#8a5a44", "#2f6db5", "#2a9d63")


def _pair(seed: int, copies: int) -> tuple[Net, Net, np.ndarray, np.ndarray]:
    """Return two noisy copies of a teacher, each of its neurons split into so many, and the teacher's data."""
    rng = np.random.default_rng([seed, copies])
    X = rng.standard_normal((SAMPLES, INPUTS))
    W, a = rng.standard_normal((INPUTS, TEACHERS)), rng.choice([-1.0, 1.0], TEACHERS)
    nets = []
    for _ in range(2):
        owner = rng.permutation(np.repeat(np.arange(TEACHERS), copies))
        hidden = W[:, owner] + NOISE * rng.standard_normal((INPUTS, len(owner)))
        nets.append(Net(hidden, a[None, owner] / copies))  # type: ignore[arg-type]
    return nets[0], nets[1], X, np.maximum(X @ W, 0) @ a[:, None]


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    curves: list[Row] = []
    pairs: list[Row] = []
    reporter.start("dropout-path", len(COPIES) + 1)
    for copies in COPIES:
        for k in range(PAIRS[profile]):
            one, other, X, Y = _pair(seed + k, copies)
            thinned = thin_net(one, X, Y), thin_net(other, X, Y)
            knots = dropout_path(one, other, *thinned)
            found = polyline_barrier(knots, X, Y, baseline="endpoint_max")
            ends = float(max(found.loss_start, found.loss_end))
            straight = barrier_exact(one, other, X, Y, baseline="endpoint_max")
            epsilon = max(0.0, max(each.loss for each in thinned) - ends)
            row: dict[str, Any] = {"copies": copies, "width": copies * TEACHERS, "pair": k, "legs": len(knots) - 1}
            row |= {"epsilon": epsilon / SAMPLES, "path": float(found.barrier) / SAMPLES}
            pairs.append({**row, "segment": float(straight.barrier) / SAMPLES})
            if k == 0:
                curves += [{"width": copies * TEACHERS, **point} for point in _curve(knots, X, Y)]
        reporter.advance("dropout-path")
    data = [_data_set(width, seed * 1000 + k) for width in (2, 3) for k in range(DATA_SETS[profile])]
    reporter.advance("dropout-path")
    reporter.finish("dropout-path")
    return {"pairs": pairs, "curves": curves, "data_sets": [row for row in data if row is not None]}


def _curve(knots: Sequence[Net], X: np.ndarray, Y: np.ndarray) -> list[Row]:
    """Return the loss per sample along the chain."""
    legs = len(knots) - 1
    points: list[Row] = []
    for k in range(legs):
        for i in range(STEPS + (k == legs - 1)):
            s = i / STEPS
            W, A = (
                (1 - s) * np.asarray(u) + s * np.asarray(v) for u, v in zip(knots[k][:2], knots[k + 1][:2], strict=True)
            )
            F = np.maximum(X @ W, 0) @ A.T
            points.append({"t": (k + s) / legs, "loss": float(((F - Y) ** 2).sum() / 2 / SAMPLES)})
    return points


def _data_set(width: int, seed: int) -> Row | None:
    """Return the first data set of width + 2 samples with disconnected interpolating nets."""
    data = first_disconnected(width, seed)
    if data is None:
        return None
    barriers = communication_barrier(problem_from_json(data), width)
    found = barriers.level_set
    highest = max(
        level
        for i, row in enumerate(barriers.levels)
        for j, level in enumerate(row)
        if found.orbit_of[i] != found.orbit_of[j]
    )
    row: dict[str, Any] = {"width": width, "samples": width + 2, "X": data["X"], "y": data["y"]}
    return row | {"components": len(found.components), "orbits": found.orbits, "barrier": str(highest)}


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    with figure_style():
        figure = Figure(figsize=(12.5, 3.7))
        curve, bars, data = figure.subplots(1, 3)
        widths = distinct(tables["curves"], "width")
        for width, colour in zip(widths, COLOURS, strict=False):
            rows = select(tables["curves"], width=width)
            curve.plot([r["t"] for r in rows], [r["loss"] for r in rows], color=colour, label=f"m = {width}")
        curve.set_title("loss along the chain, one pair a width")
        curve.set_xlabel("t, equal time for each leg")
        curve.set_ylabel("half squared error per sample")
        curve.set_yscale("symlog", linthresh=0.001)
        curve.set_ylim(top=8 * max(row["loss"] for row in tables["curves"]))
        curve.legend(fontsize=7, ncols=3, loc="upper center")
        for key, colour, marker, name in (
            ("segment", "#999999", "v", "straight segment"),
            ("path", "#2f6db5", "o", "chain, exact"),
            ("epsilon", "#b0306a", "_", "epsilon of the halves"),
        ):
            rows = list(tables["pairs"])
            heights = [r[key] for r in rows]
            bars.plot([r["width"] for r in rows], heights, marker, color=colour, label=name, alpha=0.8, clip_on=False)
        bars.set_xscale("log", base=2)
        bars.set_xticks(widths, labels=[str(width) for width in widths])
        bars.minorticks_off()
        bars.set_yscale("symlog", linthresh=0.01)
        bars.set_ylim(0, 2 * max(max(row["segment"], row["path"], row["epsilon"]) for row in tables["pairs"]))
        bars.set_title("climb above the worse end")
        bars.set_xlabel("width m")
        bars.set_ylabel("half squared error per sample")
        bars.legend(fontsize=7, loc="lower right", bbox_to_anchor=(1.0, 0.04))
        for width, colour in ((2, "#2f6db5"), (3, "#2a9d63")):
            rows = select(tables["data_sets"], width=width)
            heights = [_number(row["barrier"]) for row in rows]
            data.plot([row["components"] for row in rows], heights, "o", color=colour, alpha=0.8, label=f"h = {width}")
        data.set_title("h + 2 samples: minima that no path joins")
        data.set_xlabel("components of the interpolating nets of width h")
        data.set_ylabel("barrier between orbits, exact")
        data.set_yscale("log")
        data.legend(fontsize=8)
    return figure


def _number(text: str) -> float:
    """Return a fraction written as text."""
    top, _, bottom = text.partition("/")
    return int(top) / int(bottom or 1)


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    worst = max(row["path"] - row["epsilon"] for row in tables["pairs"])
    examples = [select(tables["data_sets"], width=width)[0] for width in distinct(tables["data_sets"], "width")]
    return [
        f"Chain minus epsilon, per sample, over {len(tables['pairs'])} pairs: at most {worst:.2g}.",
        *(
            f"h = {row['width']}: X = {row['X']}, y = {row['y']}: {row['components']} components, {row['orbits']} up "
            f"to permutation, barrier {row['barrier']}."
            for row in examples
        ),
    ]


REPRODUCTION = Reproduction(
    name="dropout-path",
    title="Dropout stability and disconnected minima",
    caption=(
        "Left and middle: pairs of noisy nets, each with several copies of the neurons of one teacher; the more copies "
        "there are the less is lost when half of the neurons go (epsilon), and the chain of Kuditipudi et al. (2019) "
        "climbs by at most that, in float64 over every piece. Right: data sets of h + 2 samples whose interpolating "
        "nets of width h are disconnected even up to permutation, with exact communication barriers."
    ),
    claims=("KUD1", "KUD2"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
