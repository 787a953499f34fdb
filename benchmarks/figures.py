"""Plots of records: speed against peers and share of the floor case by case; growth with size on logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator

from modeconn.plots.style import figure_style

__all__ = ["COLOURS", "Series", "compact", "draw_growth", "draw_speed", "duration", "series_of", "short", "slope"]

Record = Mapping[str, Any]

COLOURS = {"met": "#2f6db5", "missed": "#c1272d", "no goal": "#b3b8bf"}
LINES = ("#2f6db5", "#d9822b", "#2a9d63", "#6a51a3", "#8a5a44")
LABEL = "#39424e"
COLUMNS = 3


class Series(NamedTuple):
    """Cases that differ in one size only, ordered by it.

    Attributes:
        over: what grows.
        name: what is held fixed.
        x: its values.
        seconds: measured.
        peers: the first peer's seconds, or nothing.
        cost: what the theory counts.
        cost_is: as a formula.
    """

    over: str
    name: str
    x: list[float]
    seconds: list[float]
    peers: list[float | None]
    cost: list[float]
    cost_is: str


def series_of(records: Sequence[Record]) -> list[Series]:
    """Return the studies of growth among the records, those with at least three sizes."""
    points = [(study, row) for row in records for study in row.get("growth", ())]
    points.sort(key=lambda point: (point[0]["over"], point[0]["series"], point[0]["x"]))
    found = []
    for (over, name), group in groupby(points, key=lambda point: (point[0]["over"], point[0]["series"])):
        studies, rows = zip(*group, strict=True)
        if len({study["x"] for study in studies}) >= 3:
            found.append(
                Series(
                    over,
                    name,
                    [study["x"] for study in studies],
                    [row["seconds"] for row in rows],
                    [next(iter(row["peers"].values()), None) for row in rows],
                    [study["cost"] for study in studies],
                    studies[0]["cost_is"],
                )
            )
    return found


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the exponent p of the least-squares fit log y = p log x + const.

    Example:
        >>> round(slope([1.0, 2.0, 4.0], [3.0, 12.0, 48.0]), 12)
        2.0
    """
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def short(number: float) -> str:
    """Return a number with two digits, and no exponent where it is short without.

    Example:
        >>> short(0.0312), short(16.08), short(1234.0), short(2.3e-07)
        ('0.031', '16', '1200', '2.3e-07')
    """
    if not 1e-3 <= abs(number) < 1e5:
        return f"{number:.1e}"
    return f"{float(f'{number:.2g}'):.10g}"


def _with_unit(number: float, units: Sequence[tuple[str, float]]) -> str:
    """Return a positive number with three digits and the largest unit that it fills, or else the smallest."""
    unit, size = next((pair for pair in units if number >= 0.9995 * pair[1]), units[-1])
    return f"{float(f'{number / size:.3g}'):g}{unit}"


def duration(seconds: float) -> str:
    """Return a time with three digits and a unit.

    Example:
        >>> duration(0.0123), duration(75.0), duration(4800.0), duration(0.9999)
        ('12.3 ms', '75 s', '4800 s', '1 s')
    """
    return _with_unit(seconds, ((" s", 1.0), (" ms", 1e-3), (" us", 1e-6), (" ns", 1e-9)))


def compact(x: float) -> str:
    """Return a size with three digits.

    Example:
        >>> compact(64), compact(16_000), compact(1_024_000)
        ('64', '16k', '1.02M')
    """
    return _with_unit(x, (("M", 1e6), ("k", 1e3), ("", 1.0)))


def draw_speed(records: Sequence[Record]) -> Figure | None:
    """Return speed against the first peer and share of the floor, for the cases that have either; nothing if none."""
    rows = [row for row in records if row["peers"] or row["floor_share"] is not None]
    sides = [key for key in ("speedup", "floor_share") if any(row[key] is not None for row in rows)]
    if not rows:
        return None
    with figure_style():
        figure = Figure(figsize=(4.2 + 4.4 * len(sides), 0.32 * len(rows) + 1.5))
        axes = figure.subplots(1, len(sides), sharey=True, squeeze=False)[0]
        for ax, key in zip(axes, sides, strict=True):
            _bars(ax, rows, key)
        axes[0].set_yticks(range(len(rows)), [row["case"] for row in rows])
        axes[0].set_ylim(len(rows) - 0.4, -0.6)
        outcomes = [name for name in COLOURS if any(row["outcome"] == name for row in rows)]
        handles = [Patch(color=COLOURS[name], label=f"goal {name}" if name != "no goal" else name) for name in outcomes]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=8)
    return figure


def _bars(ax: Axes, rows: Sequence[Record], key: str) -> None:
    shown = [k for k, row in enumerate(rows) if row[key] is not None]
    values = [rows[k][key] for k in shown]
    low, high = min([*values, 1.0]), max([*values, 1.0])
    room = 4 * (high / low) ** 0.9 if key == "speedup" else 1.6 * (high / low) ** 0.15  # for the words after the bars
    ax.set_xscale("log")
    ax.set_xlim(low / 1.6, high * room)
    ax.set_axisbelow(True)
    ax.grid(visible=False, axis="y")
    start = [1.0] * len(shown) if key == "speedup" else [low / 1.6] * len(shown)
    widths = [value - begin for value, begin in zip(values, start, strict=True)]
    colours = [COLOURS[rows[k]["outcome"]] for k in shown]
    ax.barh(shown, widths, left=start, color=colours, height=0.62)
    ax.axvline(1.0, color=LABEL, linewidth=0.8)
    for k, value, begin in zip(shown, values, start, strict=True):
        text = f"{short(value)} x {next(iter(rows[k]['peers']))}" if key == "speedup" else f"{short(100 * value)} %"
        ax.annotate(
            text,
            (max(value, begin), k),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=LABEL,
        )
    ax.xaxis.set_major_formatter(lambda x, _: short(x) if key == "speedup" else f"{short(100 * x)} %")
    ax.set_title("speed: time of the first peer over ours" if key == "speedup" else "share of the floor")
    ax.tick_params(axis="both", labelsize=8)
    ax.tick_params(axis="y", length=0)


def draw_growth(records: Sequence[Record]) -> Figure | None:
    """Return time against size, a panel for what grows, with the theory's slope through the middle; nothing if none."""
    found = series_of(records)
    overs = list(dict.fromkeys(series.over for series in found))
    if not overs:
        return None
    columns, lines = min(len(overs), COLUMNS), math.ceil(len(overs) / COLUMNS)
    with figure_style():
        figure = Figure(figsize=(4.3 * columns + 0.4, 3.9 * lines))
        axes = figure.subplots(lines, columns, squeeze=False).ravel()
        for ax in axes[len(overs) :]:
            ax.set_axis_off()
        for ax, over in zip(axes, overs, strict=False):
            _panel(ax, [series for series in found if series.over == over])
    return figure


def _panel(ax: Axes, group: Sequence[Series]) -> None:
    handles = []
    for colour, series in zip(LINES, group, strict=False):
        theory = np.asarray(series.cost) * math.exp(np.mean(np.log(series.seconds)) - np.mean(np.log(series.cost)))
        ax.plot(series.x, theory, color=colour, linestyle=":", linewidth=1.2)
        ax.plot(series.x, series.seconds, color=colour, marker="o", markersize=4)
        known = [(x, peer) for x, peer in zip(series.x, series.peers, strict=True) if peer is not None]
        if known:
            ax.plot(*zip(*known, strict=True), color=colour, marker="s", markersize=3, linewidth=0.8, alpha=0.45)
        label = f"{series.name}: {slope(series.x, series.seconds):.2f} (theory {slope(series.x, series.cost):.2f})"
        handles.append(Line2D([], [], color=colour, marker="o", markersize=4, label=label))
    handles.append(Line2D([], [], color=LABEL, linestyle=":", label=f"theory: {group[0].cost_is}"))
    if any(peer is not None for series in group for peer in series.peers):
        handles.append(Line2D([], [], color=LABEL, marker="s", markersize=3, linewidth=0.8, label="first peer"))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ticks = sorted({x for series in group for x in series.x})
    few = ticks if len(ticks) <= 6 else ticks[:: math.ceil(len(ticks) / 6)]
    ax.set_xticks(few, [compact(x) for x in few])
    low, high = ax.get_ylim()
    if high < 100 * low:
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(lambda seconds, _: duration(seconds))
    ax.minorticks_off()
    ax.set_xlabel(group[0].over)
    ax.set_title("time and its slope")
    ax.legend(handles=handles, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.17), handlelength=2.2)
