"""Figures, drawn from the tables of a run; one registry, in the order in which a report shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from modeconn.plots.barriers import barrier_against_width, loss_along_segments
from modeconn.plots.regions import loss_history, region_membership, stable_rank_against_width
from modeconn.plots.style import to_svg
from modeconn.plots.tables import Row

__all__ = ["FIGURES", "FigureSpec", "to_svg"]


class FigureSpec(NamedTuple):
    """A figure of the report.

    Attributes:
        table: the table of the study that it is drawn from.
        title: heading in the report.
        caption: how to read it.
        draw: rows -> figure.
    """

    table: str
    title: str
    caption: str
    draw: Callable[[Sequence[Row]], Figure]


FIGURES: dict[str, FigureSpec] = {
    "barriers": FigureSpec(
        "barriers",
        "Exact segment barriers against width",
        "Barrier over the linear baseline, per data point; every value is the exact maximum over the segment, not a "
        "grid's. Solid: two nets of one optimizer. Dashed: two optimizers. Line: median; band: range over pairs. "
        "Right: the second net's neurons permuted by weight matching first.",
        barrier_against_width,
    ),
    "segments": FigureSpec(
        "curves",
        "Loss along segments",
        "The loss between two trained nets of the largest width, neurons as trained. Dotted: the linear baseline; the "
        "triangle stands where the exact barrier above it is attained.",
        loss_along_segments,
    ),
    "regions": FigureSpec(
        "runs",
        "Where training ended",
        "Decay lam holds AdamW and Lion in the box of radius 1/lam and Muon in the spectral ball of radius 1/lam: lam "
        "times the norm of W is 1 on the boundary. The KKT score is the Frank-Wolfe gap of claim L3, per data point; "
        "it is zero at a constrained optimum.",
        region_membership,
    ),
    "stable_rank": FigureSpec(
        "runs",
        "Stable rank of the hidden matrix",
        "Squared Frobenius norm over squared spectral norm; Muon keeps the spectrum flat.",
        stable_rank_against_width,
    ),
    "history": FigureSpec(
        "history",
        "Training loss",
        "Median over seeds of half the squared error per data point.",
        loss_history,
    ),
}
