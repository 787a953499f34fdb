"""Every known answer of the theory in one table, beside what the library computes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row
from modeconn.reporter import Reporter
from modeconn.reproductions.answers import (
    HOW,
    Answer,
    narrow_answers,
    regularised_answers,
    relatives_answers,
    star_answers,
    wide_answers,
)
from modeconn.reproductions.frame import Profile, Reproduction, Tables

__all__ = ["REPRODUCTION", "SECTIONS"]

SECTIONS: dict[str, Callable[[int], Iterator[Answer]]] = {
    "wide nets": wide_answers,
    "narrow nets": narrow_answers,
    "regularised optima": regularised_answers,
    "star and geodesic": star_answers,
    "relatives": relatives_answers,
}
"""Sections of the theory and their answers, in its order; each function takes a seed."""

COLOURS = {"certified": "#2a9d63", "exact": "#2f6db5", "interval": "#6a51a3", "numerical": "#777777",
           "sampled": "#d9822b", "refused": "#b0306a"}  # fmt: skip
DIFFERS = "#b0306a"
RANGE = (1e-18, 10.0)
"""Of the axis of differences; what is smaller, 0 included, stands at its left end."""

COLUMNS = ((0.0, "claim"), (0.07, "what"), (0.61, "known"), (0.83, "found"))
"""Left edges of the columns of text."""


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    """Return the table, the same for both profiles; the seed is that of the samples."""
    rows: list[Row] = []
    reporter.start("known-answers", len(SECTIONS))
    for section, answers in SECTIONS.items():
        rows += [{"section": section, **answer.row()} for answer in answers(seed)]
        reporter.advance("known-answers")
    reporter.finish("known-answers")
    return {"answers": rows}


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    rows = tables["answers"]
    places = _places(rows)
    bottom = max(places.values()) + 1.0
    with figure_style():
        figure = Figure(figsize=(13.0, 0.185 * bottom + 0.9))
        text, chart = figure.subplots(1, 2, width_ratios=[2.6, 1.0], sharey=True)
        text.set_xlim(0, 1)
        text.axis("off")
        for left, head in COLUMNS:
            text.text(left, -1.0, head, fontsize=8, weight="bold", va="center")
        for k, row in enumerate(rows):
            _write(text, places[k], row)
            if k == 0 or rows[k - 1]["section"] != row["section"]:
                text.text(0.0, places[k] - 1.1, row["section"], fontsize=8, style="italic", va="center")
        _chart(chart, rows, places)
        chart.set_ylim(bottom, -1.8)
    return figure


def _places(rows: Sequence[Row]) -> dict[int, float]:
    """Return the height of every row, with room for the names of the sections."""
    places, height, section = {}, 0.0, None
    for k, row in enumerate(rows):
        height += 1.0 if row["section"] == section else 2.2
        section, places[k] = row["section"], height
    return places


def _write(ax: Axes, place: float, row: Row) -> None:
    relation = "" if row["relation"] == "=" or not row["known"][0].isdigit() else f"{row['relation']} "
    cells = row["claim"], row["what"], relation + row["known"], row["ours"]
    agrees = row["agrees"] == "yes"
    for (left, _), cell in zip(COLUMNS, cells, strict=True):
        ax.text(left, place, cell, fontsize=7, va="center", color="black" if agrees else DIFFERS)


def _chart(ax: Axes, rows: Sequence[Row], places: Mapping[int, float]) -> None:
    """Draw difference and tolerance of every row, as far as the axis goes."""
    low, high = RANGE
    for how in HOW:
        chosen = [k for k, row in enumerate(rows) if row["how"] == how]
        if chosen:
            x = [min(max(rows[k]["difference"], low), high) for k in chosen]
            ax.plot(x, [places[k] for k in chosen], "o", color=COLOURS[how], markersize=3.5, label=how, clip_on=False)
    allowed = [k for k, row in enumerate(rows) if row["tolerance"] > 0]
    ax.plot([rows[k]["tolerance"] for k in allowed], [places[k] for k in allowed], "|", color="black", markersize=6,
            label="tolerance")  # fmt: skip
    wrong = [k for k, row in enumerate(rows) if row["agrees"] == "no"]
    x = [min(max(rows[k]["difference"], low), high) for k in wrong]
    ax.plot(x, [places[k] for k in wrong], "o", color=DIFFERS, markersize=8, fillstyle="none", label="does not agree")
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ticks = [low, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1.0]
    ax.set_xticks(ticks, labels=["0", *(f"$10^{{{round(e)}}}$" for e in (-15, -12, -9, -6, -3, 0))])
    ax.minorticks_off()
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("difference from the known value")
    ax.xaxis.set_label_position("top")
    ax.xaxis.tick_top()
    ax.tick_params(axis="y", left=False, labelleft=False)
    ax.legend(fontsize=7, loc="center right")


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    rows = tables["answers"]
    agree = sum(row["agrees"] == "yes" for row in rows)
    counts = ", ".join(f"{n} {how}" for how in HOW if (n := sum(row["how"] == how for row in rows)))
    found = [f"{agree} of {len(rows)} answers agree with the theory: {counts}."]
    for row in rows:
        if row["agrees"] == "no":
            note = f" ({row['note']})" if row["note"] else ""
            found.append(
                f"Does not agree: {row['what']}: known {row['known']}, found {row['ours']}, {row['how']}{note}."
            )
    return found


REPRODUCTION = Reproduction(
    name="known-answers",
    title="Known answers of the theory",
    caption=(
        "Numbers that the theory states, each beside what the library computes for it now. The dot is the difference "
        "from the known value, for an interval that of its farther end, for an inequality by how much it fails; the "
        "left end is exactly 0 (or below 10^-18). The bar is what still counts as agreement. "
        + " ".join(f"{how.capitalize()}: {text}." for how, text in HOW.items())
        + " One seed in 300 or so lets a sampled mean miss its limit by chance. Ringed in red: what does not agree, a "
        "published statement or one of ours; the text says why. Rates and bounds on probabilities have figures of "
        "their own."
    ),
    claims=("W1", "N4", "N5", "N8", "K1", "K3", "K5", "G1", "G2", "G3", "G4", "G6", "G7", "G8", "G9", "SIM", "AIN",
            "SAF", "KUD2", "ZHAN"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)  # fmt: skip
