"""Where each optimizer ended in its region, and the spectrum of its hidden matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from modeconn.plots.style import colour_of, figure_style, label_of, width_axis
from modeconn.plots.tables import Row, distinct, select, spread

__all__ = ["loss_history", "region_membership", "stable_rank_against_width"]


def region_membership(runs: Sequence[Row]) -> Figure:
    """Return lam times the norm of the hidden matrix (1 is the boundary of the region) against the KKT score."""
    datasets = distinct(runs, "dataset")
    with figure_style():
        figure = Figure(figsize=(4.6 * len(datasets), 3.2))
        axes = figure.subplots(1, len(datasets), squeeze=False)[0]
        for ax, dataset in zip(axes, datasets, strict=True):
            for optimizer in distinct(runs, "optimizer"):
                rows = select(runs, dataset=dataset, optimizer=optimizer)
                size = [12 + 14 * np.log2(max(row["width"], 2)) for row in rows]
                ax.scatter(
                    [row["ratio_W"] for row in rows],
                    [max(row["kkt_score"], 1e-9) for row in rows],
                    s=size,
                    color=colour_of(optimizer),
                    alpha=0.55,
                    label=label_of(optimizer),
                    linewidth=0,
                )
            ax.axvline(1.0, color="#999999", linewidth=0.8)
            ax.set_yscale("log")
            ax.set_title(f"{dataset.replace('_', ' ')} (marker size: width)")
            ax.set_xlabel("lam x norm of W (1 = boundary)")
            ax.set_ylabel("KKT score (0 = constrained optimum)")
            ax.legend(fontsize=7)
    return figure


def stable_rank_against_width(runs: Sequence[Row]) -> Figure:
    """Return the stable rank of the hidden matrix against width, a line an optimizer."""
    datasets = distinct(runs, "dataset")
    with figure_style():
        figure = Figure(figsize=(4.6 * len(datasets), 3.0))
        axes = figure.subplots(1, len(datasets), squeeze=False)[0]
        for ax, dataset in zip(axes, datasets, strict=True):
            for optimizer in distinct(runs, "optimizer"):
                rows = select(runs, dataset=dataset, optimizer=optimizer)
                widths, low, middle, high = spread(rows, "width", lambda r: r["stable_rank"])
                ax.plot(widths, middle, "-o", color=colour_of(optimizer), label=label_of(optimizer), markersize=4)
                ax.fill_between(widths, low, high, color=colour_of(optimizer), alpha=0.15, linewidth=0)
            width_axis(ax, distinct(runs, "width"))
            ax.set_title(dataset.replace("_", " "))
            ax.set_ylabel("stable rank of W")
            ax.legend(fontsize=7)
    return figure


def loss_history(history: Sequence[Row]) -> Figure:
    """Return the training loss per data point against steps, median over seeds, a line an optimizer and width."""
    datasets = distinct(history, "dataset")
    with figure_style():
        figure = Figure(figsize=(4.6 * len(datasets), 3.0))
        axes = figure.subplots(1, len(datasets), squeeze=False)[0]
        for ax, dataset in zip(axes, datasets, strict=True):
            rows = select(history, dataset=dataset)
            widths = sorted(distinct(rows, "width"))
            for row in rows:
                shade = 0.35 + 0.65 * (widths.index(row["width"]) + 1) / len(widths)
                label = label_of(row["optimizer"]) if row["width"] == widths[-1] else None
                ax.plot(
                    row["step"], row["loss"], color=colour_of(row["optimizer"]), alpha=shade, label=label, linewidth=1.1
                )
            ax.set_yscale("log")
            ax.set_title(f"{dataset.replace('_', ' ')} (darker: wider)")
            ax.set_xlabel("step")
            ax.set_ylabel("training loss per data point")
            ax.legend(fontsize=7)
    return figure
