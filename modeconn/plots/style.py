"""One look for all figures: colours by optimizer, light axes, SVG text that stays text."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.plots.tables import Row, distinct, select

__all__ = ["COLOURS", "colour_of", "figure_style", "label_of", "panels", "to_svg", "width_axis"]

COLOURS = {"adamw": "#2f6db5", "lion": "#d9822b", "muon": "#2a9d63", "muon_mixed": "#7fbf7b"}
_CROSS = {
    ("adamw", "lion"): "#8a5a44",
    ("adamw", "muon"): "#b0306a",
    ("lion", "muon"): "#6a51a3",
}
_LABELS = {"adamw": "AdamW", "lion": "Lion", "muon": "Muon", "muon_mixed": "Muon + Lion"}


def label_of(optimizer: str) -> str:
    """Return the name of an optimizer as papers print it."""
    return _LABELS.get(optimizer, optimizer)


def colour_of(first: str, second: str | None = None) -> str:
    """Return the colour of an optimizer, or of a pair of different optimizers."""
    if second is None or first == second:
        return COLOURS.get(first, "#555555")
    a, b = sorted((first, second))
    return _CROSS.get((a, b), "#777777")


@contextmanager
def figure_style() -> Iterator[None]:
    """Set the look of a figure while it is drawn; nothing global changes."""
    with matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "modeconn",
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#e6e6e6",
            "axes.titlesize": 10,
            "legend.frameon": False,
            "figure.constrained_layout.use": True,
        }
    ):
        yield


def panels(rows: Sequence[Row], height: float = 3.0) -> tuple[Figure, list[tuple[Axes, list[Row]]]]:
    """Return a figure with a panel for each data set, side by side and titled, each with its rows."""
    datasets = distinct(rows, "dataset")
    figure = Figure(figsize=(4.6 * len(datasets), height))
    axes = figure.subplots(1, len(datasets), squeeze=False)[0]
    for ax, dataset in zip(axes, datasets, strict=True):
        ax.set_title(dataset.replace("_", " "))
    return figure, [(ax, select(rows, dataset=dataset)) for ax, dataset in zip(axes, datasets, strict=True)]


def width_axis(ax: Axes, widths: Sequence[int]) -> None:
    """Make the x axis one of widths: logarithmic, a tick at each."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted(widths), labels=[str(width) for width in sorted(widths)])
    ax.minorticks_off()
    ax.set_xlabel("width m")


def to_svg(figure: Figure) -> str:
    """Return the figure as an SVG element to be put into a page as it is."""
    buffer = io.StringIO()
    with figure_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
