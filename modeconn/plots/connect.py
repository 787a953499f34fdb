"""Loss along a constructed path beside other paths of the same two nets, and the live neurons beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from modeconn.plots.style import colour_of, figure_style
from modeconn.plots.tables import Row, distinct, select

__all__ = ["PATHS", "draw_connections"]

PATHS: Mapping[str, tuple[str, str | None, str]] = {
    "segment": ("straight segment", "#8c8c8c", "--"),
    "chain": ("learned one-bend chain", "#b0306a", "-."),
    "constructed": ("constructed path", None, "-"),
}
"""Kind of path -> label, colour (``None``: the optimizer's), line; drawn in this order."""

LOWEST = 1e-9
"""On the logarithmic axis of the loss, losses below this share of the largest one drawn are drawn at it."""


def draw_connections(rows: Sequence[Row]) -> Figure:
    """Return the figure: a column a case, the loss along its paths above, the live neurons of its path below.

    Args:
        rows: one a path, with columns ``case`` (title), ``optimizer``, ``path`` (key of :data:`PATHS`), ``t`` and
            ``loss`` (lists), ``live`` (list, or ``None`` where it is not of interest) and ``worse_end`` (a loss).
    """
    cases = distinct(rows, "case")
    with figure_style():
        figure = Figure(figsize=(4.4 * len(cases) + 0.4, 4.6))
        axes = figure.subplots(2, len(cases), squeeze=False, sharex=True, height_ratios=[2.2, 1.0])
        for (above, below), case in zip(axes.T, cases, strict=True):
            chosen = select(rows, case=case)
            _losses(above, chosen)
            _live(below, chosen)
            above.set_title(case)
            below.set_xlabel("t along the path")
        axes[0, 0].set_ylabel("loss")
        axes[1, 0].set_ylabel("live neurons")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        if len(distinct(rows, "optimizer")) > 1:  # one line for the colours of all
            at = labels.index(PATHS["constructed"][0])
            handles[at], labels[at] = Line2D([], [], color="#39424e", linewidth=2.0), f"{labels[at]}, in each colour"
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _losses(ax: Axes, rows: Sequence[Row]) -> None:
    """Draw the losses on a logarithmic axis, the worse end as a thin line."""
    top = max(max(row["loss"]) for row in rows)
    floor = LOWEST * top if top > 0 else LOWEST
    for name, (label, colour, line) in PATHS.items():
        for row in select(rows, path=name):
            shown = np.maximum(row["loss"], floor)
            own = colour or colour_of(row["optimizer"])
            ax.plot(row["t"], shown, line, color=own, linewidth=2.0 if name == "constructed" else 1.3, label=label)
    ax.axhline(max(rows[0]["worse_end"], floor), color="black", linewidth=0.6, label="worse end")
    ax.set_yscale("log")


def _live(ax: Axes, rows: Sequence[Row]) -> None:
    for row in rows:
        if row["live"] is not None:
            ax.plot(row["t"], row["live"], color=PATHS[row["path"]][1] or colour_of(row["optimizer"]), linewidth=1.4)
    ax.set_ylim(bottom=0)
