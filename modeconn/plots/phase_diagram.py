"""The phase diagram of two optimizers: a panel a width, a cell a pair of weight decays, undecided cells left blank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from modeconn.plots.style import colour_of, figure_style
from modeconn.plots.tables import Row, distinct, select

__all__ = ["REASONS", "draw_phase_diagram"]

REASONS: Mapping[str, tuple[str, str]] = {
    "overlap": ("#9fcfb4", "overlap: a common net is shown"),
    "ball empty": ("#bcd0ea", "disjoint: no net in Muon's ball reaches the level, one in AdamW's box does"),
    "box empty": ("#f2cfa5", "disjoint: no net in AdamW's box reaches the level, one in Muon's ball does"),
    "apart": ("#d98ba8", "disjoint: both reach it, no net of both does"),
    "empty": ("#d9dce0", "neither reaches it"),
    "undecided": ("#ffffff", "undecided"),
}
"""Reason of a verdict -> colour and words, in the order of the legend."""


def draw_phase_diagram(cells: Sequence[Row], thresholds: Sequence[Row]) -> Figure:
    """Return the diagram: cells coloured by their certified verdict, lines where a region becomes empty.

    Args:
        cells: rows of :meth:`modeconn.capacity.PhaseDiagram.rows`.
        thresholds: rows of :meth:`modeconn.capacity.PhaseDiagram.thresholds`.
    """
    widths = sorted(distinct(cells, "width"))
    with figure_style():
        figure = Figure(figsize=(3.3 * len(widths) + 0.6, 4.2))
        axes = figure.subplots(1, len(widths), sharex=True, sharey=True, squeeze=False)[0]
        for ax, width in zip(axes, widths, strict=True):
            _panel(ax, select(cells, width=width), select(thresholds, width=width))
            ax.set_title(f"width {width}")
            ax.set_xlabel("weight decay of AdamW (box)")
        axes[0].set_ylabel("weight decay of Muon (ball)")
        shown = set(distinct(cells, "reason"))
        handles: list[Patch | Line2D] = [
            Patch(facecolor=colour, edgecolor="#b0b6bd", label=words)
            for reason, (colour, words) in REASONS.items()
            if reason in shown
        ]
        for optimizer, words in (("muon", "least radius of the ball"), ("adamw", "least radius of the box")):
            handles.append(Line2D([], [], color=colour_of(optimizer), label=f"{words}: net shown"))
            handles.append(Line2D([], [], color=colour_of(optimizer), linestyle=":", label=f"{words}: none beyond"))
        figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=7.5)
    return figure


def _edges(values: Sequence[float]) -> np.ndarray:
    """Return the edges of cells around values on a logarithmic axis."""
    logs = np.log(np.array(values))
    if len(logs) == 1:
        return np.exp(logs[0] + np.array([-0.1, 0.1]))
    middle = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]]))


def _panel(ax: Axes, cells: Sequence[Row], thresholds: Sequence[Row]) -> None:
    """Draw the cells of one width and the ends of both capacities."""
    across, up = sorted(distinct(cells, "lambda_A")), sorted(distinct(cells, "lambda_M"))
    names = list(REASONS)
    field = np.full((len(up), len(across)), names.index("undecided"))
    for row in cells:
        field[up.index(row["lambda_M"]), across.index(row["lambda_A"])] = names.index(row["reason"])
    x, y = _edges(across), _edges(up)
    colours = ListedColormap([colour for colour, _ in REASONS.values()])
    ax.pcolormesh(x, y, field, cmap=colours, vmin=-0.5, vmax=len(names) - 0.5, edgecolor="white", linewidth=0.3)
    for row in thresholds:
        line, low, high = (ax.axhline, y[0], y[-1]) if row["optimizer"] == "muon" else (ax.axvline, x[0], x[-1])
        for key, style in (("lambda_attained", "-"), ("lambda_empty", ":")):
            if row[key] is not None and low < row[key] < high:
                line(row[key], color=colour_of(row["optimizer"]), linestyle=style, linewidth=1.4)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    for axis, ends in ((ax.xaxis, (x[0], x[-1])), (ax.yaxis, (y[0], y[-1]))):
        steps = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0) if ends[1] < 6 * ends[0] else (1.0, 2.0, 5.0)
        ticks = [v * 10.0**k for k in range(-6, 7) for v in steps if ends[0] <= v * 10.0**k <= ends[1]]
        axis.set_ticks(ticks, labels=[f"{v:g}" for v in ticks])
        axis.set_ticks([], minor=True)
    ax.grid(False)
