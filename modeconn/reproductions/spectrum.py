"""Singular values along constructed paths: of one optimizer, and from one optimizer to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.constructions import WidePath, WideRegion, connect, path_spectra
from modeconn.nets import Net
from modeconn.plots.style import colour_of, figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.studies.connectivity_nets import DataCase, TrainedNets, region_of, train_case

__all__ = ["REPRODUCTION"]

CASES: dict[Profile, DataCase] = {
    "quick": DataCase("breast_cancer", "breast_cancer", (96,), rows=16, components=6),
    "full": DataCase("breast_cancer", "breast_cancer", (320,), rows=64, components=11),
}
"""Twice N, or more: N = 45 and 143."""

SEEDS: dict[Profile, int] = {"quick": 3, "full": 6}
STEPS: dict[Profile, int] = {"quick": 600, "full": 4000}
POINTS = 129


class _Case(NamedTuple):
    """Pairs of nets and the region they are joined in."""

    title: str
    optimizers: tuple[str, str]
    region: WideRegion
    pairs: Sequence[tuple[Net, Net]]


def _cases(trained: TrainedNets, width: int) -> list[_Case]:
    adamw, muon = trained.nets["adamw", width], trained.nets["muon", width]
    same = list(combinations(adamw, 2))
    crossed = list(zip(adamw, [*muon[1:], *muon[:1]], strict=True))  # never from one seed
    balls = region_of(["adamw", "muon"], adamw), region_of(["adamw", "muon"], [*adamw, *muon])
    return [
        _Case("Muon to Muon\nin its ball", ("muon", "muon"), region_of(["muon"], muon), list(combinations(muon, 2))),
        _Case("AdamW to Muon\nin a ball for both", ("adamw", "muon"), balls[1], crossed),
        _Case("AdamW to AdamW\nin a spectral ball", ("adamw", "adamw"), balls[0], same),
        _Case("AdamW to AdamW\nin its box", ("adamw", "adamw"), region_of(["adamw"], adamw), same),
    ]


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    case = CASES[profile]
    trained = train_case(case, ("adamw", "muon"), SEEDS[profile], STEPS[profile], seed)
    data, cases = trained.data, _cases(trained, case.widths[0])
    tables: Tables = {"curves": [], "pairs": []}
    reporter.start("spectra", sum(len(case.pairs) for case in cases))
    for title, (a, b), region, pairs in cases:
        for k, ends in enumerate(pairs):
            found = connect(*ends, data.X, data.Y, region)
            shared: dict[str, Any] = {
                "case": title,
                "optimizer_a": a,
                "optimizer_b": b,
                "region": str(region),
                "pair": k,
            }
            if found.path is None:
                tables["pairs"].append(shared | {"construction": None, **dict.fromkeys(_COLUMNS)})
            else:
                curve, row = _along(found.path, region.kind == "gram")
                tables["curves"].append(shared | curve)
                tables["pairs"].append(shared | {"construction": found.construction} | row)
            reporter.advance("spectra")
    reporter.finish("spectra")
    return tables


_COLUMNS = ("stable_a", "stable_b", "stable_least", "margin", "effective_least", "reduction_change", "bound_claimed")


def _along(path: WidePath, gram: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the spectra along a path, and the margin of W2's bound: least stable rank less that of the ends."""
    share = -(-(POINTS - 1) // path.pieces)
    seen = path_spectra(path, np.linspace(0, path.pieces, share * path.pieces + 1))
    ends = float(seen.stable_rank[0]), float(seen.stable_rank[-1])
    s = seen.singular_values
    change = float(np.abs(s[: share + 1] - s[0]).max() / s[0, 0])  # the first piece is the reduction of the first net
    curve = {
        "t": (seen.taus / path.pieces).tolist(),
        "stable_rank": seen.stable_rank.tolist(),
        "effective_rank": seen.effective_rank.tolist(),
        "singular_values": s.T.tolist(),
    }
    least = seen.least_stable_rank
    row = (*ends, least, least - min(ends), float(seen.effective_rank.min()), change, gram)
    return curve, dict(zip(_COLUMNS, row, strict=True))


def _ranks(ax: Axes, rows: Sequence[Row], column: str) -> None:
    """Draw a rank along every path, and for the first one the lower of its two ends."""
    for k, row in enumerate(rows):
        colour = colour_of(row["optimizer_a"], row["optimizer_b"])
        ax.plot(row["t"], row[column], color=colour, linewidth=1.8 if k == 0 else 0.8, alpha=1.0 if k == 0 else 0.6)
    if column == "stable_rank":
        ends = rows[0][column]
        ax.axhline(min(ends[0], ends[-1]), color="black", linewidth=0.8, linestyle="--")


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    curves = tables["curves"]
    cases = distinct(curves, "case")
    with figure_style():
        figure = Figure(figsize=(3.3 * len(cases) + 0.5, 7.4))
        axes = figure.subplots(3, len(cases), squeeze=False, sharex=True, sharey="row")
        for (stable, effective, values), case in zip(axes.T, cases, strict=True):
            rows = select(curves, case=case)
            stable.set_title(case)
            _ranks(stable, rows, "stable_rank")
            _ranks(effective, rows, "effective_rank")
            for value in rows[0]["singular_values"]:
                values.plot(
                    rows[0]["t"], value, color=colour_of(rows[0]["optimizer_a"], rows[0]["optimizer_b"]), linewidth=1.2
                )
            values.set_xlabel("t along the path")
        axes[2, 0].set_ylim(bottom=0)  # shared: after all of them are drawn
        for ax, words in zip(
            axes[:, 0], ("stable rank of W", "effective rank of W", "singular values of W"), strict=True
        ):
            ax.set_ylabel(words)
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    found = []
    for case in distinct(tables["pairs"], "case"):
        rows = [row for row in select(tables["pairs"], case=case) if row["construction"] is not None]
        if not rows:
            found.append(f"{' '.join(case.split())}: no pair joined.")
            continue
        margin, change = min(row["margin"] for row in rows), max(row["reduction_change"] for row in rows)
        worst = min(rows, key=lambda row: row["margin"])
        if rows[0]["bound_claimed"]:
            held = "held at every sample" if margin >= -1e-9 * worst["stable_least"] else "FAILED"
            words = f"W2's bound {held}: least stable rank minus the lower end {margin:.2g}; singular values on the "
            words += f"reduction unchanged to {change:.0e}"
        else:
            words = f"no bound is claimed: least stable rank minus the lower end {margin:.2g}; singular values on the "
            words += f"reduction change by up to {change:.0%} of the largest"
        found.append(f"{' '.join(case.split())} ({rows[0]['region']}), {len(rows)} pairs: {words}.")
    return found


REPRODUCTION = Reproduction(
    name="spectrum",
    title="Spectra along constructed paths",
    caption=(
        "Spectra of the hidden matrix along paths between trained nets on which the loss never exceeds the worse end. "
        "Thick: the first pair; thin: others. Dashed: the lower stable rank of its two ends, a bound on the whole path "
        "by W2 where the path is linear in W W^T, that is in spectral balls (three panels on the left), not in a box. "
        "The path from AdamW to Muon does not stay in one optimizer's region: it lives in the least spectral ball that "
        "holds both. Flat parts: stages that keep W W^T. Pieces of a path take equal shares of t."
    ),
    claims=("W2",),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
