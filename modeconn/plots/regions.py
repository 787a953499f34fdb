"""Where each optimizer ended in its region, the spectrum of its hidden matrix, and how it came there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from modeconn.plots.style import colour_of, figure_style, label_of, panels, width_axis
from modeconn.plots.tables import Row, distinct, select, spread

__all__ = ["loss_history", "region_membership", "stable_rank_against_width"]

KKT_FLOOR = 1e-9
"""Smallest KKT score shown on the logarithmic axis; smaller ones are drawn at it."""


def region_membership(runs: Sequence[Row]) -> Figure:
    """Return lam times the norm of the hidden matrix (1 is the boundary of the region) against the KKT score."""
    finite = [row for row in runs if not row["diverged"]]
    with figure_style():
        figure, shown = panels(finite, height=3.2)
        for ax, rows in shown:
            for optimizer in distinct(rows, "optimizer"):
                chosen = select(rows, optimizer=optimizer)
                ax.scatter(
                    [row["ratio_W"] for row in chosen],
                    [max(row["kkt_score"], KKT_FLOOR) for row in chosen],
                    s=[12 + 14 * np.log2(max(row["width"], 2)) for row in chosen],
                    color=colour_of(optimizer),
                    alpha=0.55,
                    label=label_of(optimizer),
                    linewidth=0,
                )
            ax.axvline(1.0, color="#999999", linewidth=0.8)
            ax.set_yscale("log")
            ax.set_xlabel("lam x norm of W (1 = boundary; larger marker: wider net)")
            ax.set_ylabel("KKT score (0 = constrained optimum)")
            ax.legend(fontsize=7)
    return figure


def stable_rank_against_width(runs: Sequence[Row]) -> Figure:
    """Return the stable rank of the hidden matrix against width, a line an optimizer."""
    finite = [row for row in runs if not row["diverged"]]
    with figure_style():
        figure, shown = panels(finite)
        for ax, rows in shown:
            for optimizer in distinct(rows, "optimizer"):
                chosen = select(rows, optimizer=optimizer)
                widths, low, middle, high = spread(chosen, "width", lambda r: r["stable_rank"])
                ax.plot(widths, middle, "-o", color=colour_of(optimizer), label=label_of(optimizer), markersize=4)
                ax.fill_between(widths, low, high, color=colour_of(optimizer), alpha=0.15, linewidth=0)
            width_axis(ax, distinct(rows, "width"))
            ax.set_ylabel("stable rank of W")
            ax.legend(fontsize=7)
    return figure


def loss_history(history: Sequence[Row]) -> Figure:
    """Return the training loss per data point against steps, median over seeds, a line an optimizer and width."""
    with figure_style():
        figure, shown = panels(history)
        for ax, rows in shown:
            widths = sorted(distinct(rows, "width"))
            for row in rows:
                shade = 0.35 + 0.65 * (widths.index(row["width"]) + 1) / len(widths)
                label = label_of(row["optimizer"]) if row["width"] == widths[-1] else None
                colour = colour_of(row["optimizer"])
                ax.plot(row["step"], row["loss"], color=colour, alpha=shade, label=label, linewidth=1.1)
            ax.set_yscale("log")
            ax.set_xlabel("step (darker: wider net)")
            ax.set_ylabel("training loss per data point")
            ax.legend(fontsize=7)
    return figure
