"""Star centres of trained nets: five minima, a learned centre, fold-lines and their length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.studies import STAR_CENTRE_PROFILES, star_centre_study

__all__ = ["REPRODUCTION"]

KINDS = {
    ("segment", "as trained"): ("segment", "#999999", "--"),
    ("segment", "weight matching"): ("segment, matched", "#2f6db5", "--"),
    ("fold-line", "as trained"): ("fold-line", "#d9822b", "-"),
    ("fold-line", "weight matching"): ("fold-line, matched", "#2a9d63", "-"),
}
"""(path, alignment) -> label, colour, line."""

_LOSSES = {"half_squared_error": "half squared error", "cross_entropy": "cross entropy"}


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    return {name: list(rows) for name, rows in _study(profile, seed, reporter).items()}


def _study(profile: Profile, seed: int, reporter: Reporter) -> Mapping[str, Sequence[Row]]:
    return star_centre_study(replace(STAR_CENTRE_PROFILES[profile], seed=seed), reporter)


def _draw_legs(ax: Axes, rows: Sequence[Row]) -> None:
    for alignment, colour in (("as trained", "#d9822b"), ("weight matching", "#2a9d63")):
        for k, row in enumerate(select(rows, alignment=alignment)):
            ax.plot(row["t"], row["loss"], color=colour, linewidth=0.9, label=None if k else alignment)
    ax.set_xlabel("t, from the centre (0) to a foot (1)")
    ax.legend(fontsize=7)


def _draw_paths(ax: Axes, rows: Sequence[Row]) -> None:
    for (path, alignment), (label, colour, style) in KINDS.items():
        for row in select(rows, path=path, alignment=alignment):
            ax.plot(row["t"], row["loss"], style, color=colour, label=label, linewidth=1.2)
    ax.set_xlabel("t, from foot 0 to foot 1")
    ax.set_ylim(top=1.35 * max(max(row["loss"]) for row in rows))
    ax.legend(fontsize=7, ncols=2, loc="upper center")


def _draw_pairs(ax: Axes, rows: Sequence[Row], value: str) -> None:
    """Draw a dot for each pair of feet and a bar at the median, a column a kind of path."""
    for column, ((path, alignment), (_, colour, _)) in enumerate(KINDS.items()):
        values = np.array([row[value] for row in select(rows, path=path, alignment=alignment)])
        spread = column + np.linspace(-0.18, 0.18, len(values))
        ax.plot(spread, values, "o", color=colour, markersize=3.5, alpha=0.8)
        ax.hlines(np.median(values), column - 0.3, column + 0.3, color=colour, linewidth=2)
    ticks = ["segment", "segment,\nmatched", "fold-line", "fold-line,\nmatched"]
    ax.set_xticks(range(len(KINDS)), labels=ticks, fontsize=7)


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    cases = list(dict.fromkeys((row["dataset"], row["loss_name"]) for row in tables["pairs"]))
    with figure_style():
        figure = Figure(figsize=(14.0, 3.1 * len(cases)))
        axes = figure.subplots(len(cases), 4, squeeze=False)
        for (legs, paths, barriers, lengths), (dataset, loss) in zip(axes, cases, strict=True):
            wanted = {"dataset": dataset, "loss_name": loss}
            pairs = select(tables["pairs"], **wanted)
            how = "exact" if distinct(pairs, "method") == ["exact"] else "on a grid"
            legs.set_title(f"{dataset.replace('_', ' ')}: loss along the legs")
            legs.set_ylabel(f"{_LOSSES.get(loss, loss)} per data point")
            _draw_legs(legs, select(tables["legs"], **wanted))
            paths.set_title("loss along the paths of one pair")
            _draw_paths(paths, select(tables["curves"], **wanted))
            barriers.set_title(f"barrier per data point, {how}")
            _draw_pairs(barriers, pairs, "barrier")
            lengths.set_title("NGD ratio: length over distance of the ends")
            _draw_pairs(lengths, pairs, "ngd")
            for ax in (legs, paths, barriers):
                ax.set_ylim(bottom=0)
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    found = [note for note in distinct(tables["pairs"], "note") if note]
    for dataset, loss in dict.fromkeys((row["dataset"], row["loss_name"]) for row in tables["pairs"]):
        rows = select(tables["pairs"], dataset=dataset, loss_name=loss)
        middle = {
            kind: (np.median([row["barrier"] for row in part]), np.median([row["ngd"] for row in part]))
            for kind in KINDS
            if (part := select(rows, path=kind[0], alignment=kind[1]))
        }
        words = "; ".join(f"{KINDS[kind][0]} {barrier:.2g} (NGD {ngd:.2f})" for kind, (barrier, ngd) in middle.items())
        found.append(f"{rows[0]['data']}, {_LOSSES.get(loss, loss)}, median barrier per data point: {words}.")
    return found


REPRODUCTION = Reproduction(
    name="star-centre",
    title="Star centres of trained nets",
    caption=(
        "Five two-layer ReLU nets trained with AdamW from different seeds, and a centre learned by gradient descent on "
        "the loss at random points of the segments to them; beside it the same after weight matching of all feet to "
        "the first. Barriers are above the linear baseline: for the half squared error the exact maximum over the "
        "path, for cross entropy the largest of 101 points a leg (a lower bound). NGD ratio: length of the path over "
        "the Euclidean distance of its ends. Each data set is a sample of the named one, on its principal components "
        "in the quick profile; cifar10_part is the first 4,000 training images of CIFAR-10, a part of it."
    ),
    claims=("G8",),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
