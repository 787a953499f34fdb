"""Where training lands: how many pairs of trained nets are joined, against the width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from modeconn.plots.style import colour_of, figure_style, label_of, width_axis
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.studies.connectivity import CONNECTIVITY_PROFILES, connectivity_study

__all__ = ["REPRODUCTION"]

WAYS = {
    "constructed": ("construction", "-", "o"),
    "chain": ("learned chain", "-.", "^"),
    "segment": ("segment", ":", "s"),
}
"""Column of the groups -> label, line, marker."""

LOWEST = 1e-6


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    found = connectivity_study(replace(CONNECTIVITY_PROFILES[profile], seed=seed), reporter)
    return {name: list(rows) for name, rows in found.items()}


def _pairs(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["optimizer_a"], row["optimizer_b"]) for row in rows))


def _fractions(ax: Axes, rows: Sequence[Row]) -> None:
    """Draw the share of pairs joined in each way, N, and the slots that boxes needed at the largest width."""
    names = _pairs(rows)
    for shift, (a, b) in enumerate(names):
        chosen = sorted(select(rows, optimizer_a=a, optimizer_b=b), key=lambda row: row["width"])
        m = [row["width"] * 2 ** (0.05 * (shift - (len(names) - 1) / 2)) for row in chosen]
        for column, (_, line, marker) in WAYS.items():
            share = [row[column] for row in chosen]
            ax.plot(m, share, line, marker=marker, markersize=3.5, linewidth=1.3, color=colour_of(a, b))
        if chosen[-1]["kind"] != "gram":
            ax.plot(chosen[-1]["needed"], -0.06, "|", color=colour_of(a, b), markersize=9, markeredgewidth=2)
    for N in sorted({row["N"] for row in rows if row["N"] is not None}):
        ax.axvline(N, color="black", linewidth=0.8, linestyle="--")
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        ax.annotate(
            f"N = {N}", (N, 0.3), xytext=(9, 0), textcoords="offset points", fontsize=7.5, va="center", bbox=paper
        )  # beyond N every pair is joined: there is room
    ax.set_ylim(-0.1, 1.05)


def _barriers(ax: Axes, rows: Sequence[Row]) -> None:
    """Draw median barriers of segment and chain."""
    for a, b in _pairs(rows):
        chosen = sorted(select(rows, optimizer_a=a, optimizer_b=b), key=lambda row: row["width"])
        m = [row["width"] for row in chosen]
        for column, (_, line, marker) in list(WAYS.items())[1:]:
            values = [max(row[f"{column}_barrier"], LOWEST) for row in chosen]
            ax.plot(m, values, line, marker=marker, markersize=3.5, linewidth=1.2, color=colour_of(a, b))
    ax.set_yscale("log")


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    groups, cases = tables["groups"], tables["cases"]
    with figure_style():
        figure = Figure(figsize=(4.3 * len(cases) + 0.6, 8.0))
        axes = figure.subplots(3, len(cases), squeeze=False, sharex="col", sharey="row")
        for column, case in zip(axes.T, cases, strict=True):
            rows = select(groups, dataset=case["dataset"])
            same, cross = select(rows, cross=False), select(rows, cross=True)
            column[0].set_title(f"{case['dataset']}: n = {case['n']}, d = {case['d']}, c = {case['c']}")
            _fractions(column[0], same)
            if cross:
                _fractions(column[1], cross)
            _barriers(column[2], same)
            for ax in column:
                width_axis(ax, distinct(rows, "width"))
                ax.tick_params(axis="x", labelrotation=90 if len(distinct(rows, "width")) > 8 else 0, labelsize=7.5)
                ax.set_xlabel("")
            column[2].set_xlabel("width m")
        for ax, words in zip(
            axes[:, 0], ("one optimizer:\npairs joined", "two optimizers:\npairs joined"), strict=False
        ):
            ax.set_ylabel(words)
        axes[2, 0].set_ylabel("one optimizer: median barrier\n/ loss of the zero net")
        handles = [
            *(Line2D([], [], color=colour_of(a, b), label=_name(a, b)) for a, b in _pairs(groups)),
            *(
                Line2D([], [], color="black", ls=line, marker=marker, markersize=4, label=label)
                for label, line, marker in WAYS.values()
            ),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8)
    return figure


def _name(a: str, b: str) -> str:
    return label_of(a) if a == b else f"{label_of(a)} - {label_of(b)}"


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    found = []
    for case in tables["cases"]:
        rows = select(tables["groups"], dataset=case["dataset"])
        words = []
        for a, b in _pairs(rows):
            chosen = sorted(select(rows, optimizer_a=a, optimizer_b=b), key=lambda row: row["width"])
            short = [row["width"] for row in chosen if row["constructed"] < 1]
            sure = [row["width"] for row in chosen if row["width"] > max(short, default=0)]
            last = chosen[-1]
            why = (
                f"N = {last['N']}" if last["N"] is not None else f"{last['needed']:g} slots needed at the largest width"
            )
            words.append(f"{_name(a, b)} from width {sure[0] if sure else 'beyond ' + str(max(short))} on ({why})")
        decided, accepted = (sum(row[key] for row in rows) for key in ("decided", "certified"))
        straight = max(row["segment"] for row in rows)
        found.append(
            f"{case['data']}: every pair joined by the construction: {'; '.join(words)}. {accepted} of {decided} "
            f"certificates given to the exact checker accepted. The segment joins at most {straight:.0%} of the pairs "
            f"of a group, at a barrier of {case['tolerance']:.0%} of the loss of the zero net."
        )
    return found


REPRODUCTION = Reproduction(
    name="width",
    title="Does training land where the construction joins?",
    caption=(
        "Nets trained with decay, from below to above the widths of the theorems. Solid: share of pairs that the "
        "construction joins inside the region, at no loss above the worse end but rounding; dash-dotted and dotted: "
        "share joined by a learned one-bend chain and by the straight segment, which count with an exact barrier up to "
        "one percent of the loss of the zero net, the chain also outside the region. Dashed vertical line: N of the "
        "spectral ball, from which on a path is sure; ticks below: median number of slots that pairs in a box needed "
        "at the largest width. Regions: the optimizers' own, radius 1/lambda or the largest norm where training left "
        "it larger; pairs of AdamW or Lion with Muon, and nets of several outputs, in the least spectral ball that "
        "holds them all. Third row: median exact barriers (not below 1e-6 as drawn). Data: samples of the named sets, "
        "on their first principal components."
    ),
    claims=("W1", "W4"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
