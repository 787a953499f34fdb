"""Barriers against width, and the loss along segments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from modeconn.plots.style import colour_of, figure_style, label_of, panels, width_axis
from modeconn.plots.tables import Row, distinct, select, spread

__all__ = ["barrier_against_width", "loss_along_segments"]

FLOOR = 1e-6
"""Smallest barrier per data point shown on the logarithmic axis; smaller ones are drawn at it."""


def barrier_against_width(barriers: Sequence[Row]) -> Figure:
    """Return barriers per data point against width: a row of panels a data set, a column an alignment.

    Solid lines join nets of one optimizer, dashed lines nets of two; the line is the median, the band the range.
    """
    datasets, alignments = distinct(barriers, "dataset"), distinct(barriers, "alignment")
    with figure_style():
        figure = Figure(figsize=(4.2 * len(alignments) + 1.2, 3.0 * len(datasets)))
        axes = figure.subplots(len(datasets), len(alignments), squeeze=False, sharex=True, sharey="row")
        for i, dataset in enumerate(datasets):
            for j, alignment in enumerate(alignments):
                ax, panel = axes[i, j], select(barriers, dataset=dataset, alignment=alignment)
                pairs = sorted(
                    {(row["optimizer_a"], row["optimizer_b"]) for row in panel}, key=lambda p: (p[0] != p[1], p)
                )
                for first, second in pairs:
                    rows = select(panel, optimizer_a=first, optimizer_b=second)
                    widths, low, middle, high = spread(rows, "width", lambda r: max(r["barrier"] / r["points"], FLOOR))
                    name = label_of(first) if first == second else f"{label_of(first)} to {label_of(second)}"
                    style = "-o" if first == second else "--s"
                    ax.plot(widths, middle, style, color=colour_of(first, second), label=name, markersize=4)
                    ax.fill_between(widths, low, high, color=colour_of(first, second), alpha=0.10, linewidth=0)
                width_axis(ax, distinct(barriers, "width"))
                ax.set_yscale("log")
                ax.set_title(f"{dataset.replace('_', ' ')}: {alignment}")
                if j == 0:
                    ax.set_ylabel("exact barrier per data point")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", fontsize=8)
    return figure


def loss_along_segments(curves: Sequence[Row]) -> Figure:
    """Return the exact loss along a few segments, the linear baselines, and marks where the barriers are attained."""
    with figure_style():
        figure, shown = panels(curves, height=3.2)
        for ax, rows in shown:
            for row in rows:
                first, second = row["optimizer_a"], row["optimizer_b"]
                colour, n = colour_of(first, second), row["points"]
                name = f"{label_of(first)} to {label_of(second)}"
                t, loss = np.asarray(row["t"]), np.asarray(row["loss"]) / n
                ax.plot(t, loss, "-" if first == second else "--", color=colour, label=name)
                ax.plot([0, 1], loss[[0, -1]], ":", color=colour, linewidth=0.8)
                at = row["argmax_t"]
                height = row["barrier"] + (1 - at) * row["loss_start"] + at * row["loss_end"]
                ax.plot([at], [height / n], "v", color=colour, markersize=6)
            ax.set_xlabel("t")
            ax.set_ylabel("loss per data point")
            ax.legend(fontsize=7)
    return figure
