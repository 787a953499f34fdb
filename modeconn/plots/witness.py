"""The pictures of a witness: slice with both regions, loss along the path, reach of the runs, where they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from modeconn.plots.style import colour_of, figure_style, label_of
from modeconn.plots.tables import Row, distinct, select
from modeconn.studies.witness import NORM_OF, Witness
from modeconn.studies.witness_certificates import CertifiedWitness
from modeconn.studies.witness_fleet import OUTCOMES
from modeconn.studies.witness_slice import Slice, box_reach, path_losses, spectral_reach
from modeconn.topology import lift, lift_path

__all__ = ["loss_along_path", "reach_of_runs", "slice_picture", "where_runs_ended"]

REGION_COLOURS = {"linf": colour_of("adamw"), "spectral": colour_of("muon")}
REGION_LABELS = {"linf": "box (AdamW, Lion)", "spectral": "spectral ball (Muon)"}
OUTCOME_LABELS = {
    "predicted": "zero loss, predicted orbit",
    "elsewhere": "zero loss, another orbit",
    "above": "loss above eps",
    "diverged": "diverged",
}
OUTCOME_COLOURS = {"elsewhere": "#b3261e", "above": "#c9cfd6", "diverged": "#1c2430"}


def slice_picture(certified: CertifiedWitness, plane: Slice) -> Figure:
    """Return the loss on the plane of the two nets and the pass between them, with both regions and the path."""
    witness = certified.witness
    barrier = float(witness.barrier)
    with figure_style():
        figure = Figure(figsize=(8.2, 5.6))
        ax = figure.subplots()
        levels = np.concatenate([[0.0], np.geomspace(barrier / 60, 12 * barrier, 22)])
        shown = np.clip(plane.loss, 0, levels[-1] * 0.999)
        ax.grid(False)
        filled = ax.contourf(
            plane.x, plane.y, shown, levels=levels, cmap="Greys", norm=colors.PowerNorm(0.35, 0, 4 * levels[-1])
        )
        ax.contour(plane.x, plane.y, plane.loss, levels=[barrier], colors="#b3261e", linewidths=1.2)
        for norm, colour in REGION_COLOURS.items():
            inside = (plane.reach[norm] <= float(witness.radii[norm])).astype(float)
            ax.contourf(plane.x, plane.y, inside, levels=[0.5, 2], colors=[colour], alpha=0.16)
            radius = float(witness.radii[norm])
            ax.contour(plane.x, plane.y, plane.reach[norm], levels=[radius], colors=[colour], linewidths=1.8)
        flat = plane.distance <= 1e-9 * max(1.0, float(np.abs(plane.path).max()))
        ax.plot(*plane.path.T, ":", color="#e08a00", linewidth=2.0)
        ax.plot(*plane.path[flat].T, "o", color="#e08a00", markersize=4)
        ax.plot(*plane.path[~flat].T, "o", color="#e08a00", markerfacecolor="white", markersize=4)
        ax.plot(*plane.summit, "X", color="#b3261e", markersize=10, markeredgecolor="white", zorder=5)
        for x, norm in ((0.0, "linf"), (1.0, "spectral")):
            ax.plot([x], [0.0], "*", color=REGION_COLOURS[norm], markersize=17, markeredgecolor="white", zorder=6)
        ticks = [0, barrier / 4, barrier, 4 * barrier, levels[-1]]
        bar = figure.colorbar(filled, ax=ax, ticks=ticks, shrink=0.85)
        bar.ax.set_yticklabels([f"{v:.2g}" for v in ticks])
        bar.set_label("loss (cut off at the top)")
        ax.set_xlabel("from the net in the box (0) to the net in the spectral ball (1)")
        ax.set_ylabel("towards the pass (1)")
        handles: list[Any] = [
            Line2D([], [], color=REGION_COLOURS[norm], linewidth=1.8, label=f"{REGION_LABELS[norm]}, r = {radius}")
            for norm, radius in witness.radii.items()
        ]
        handles += [
            Line2D([], [], color="#b3261e", linewidth=1.2, label=f"loss = barrier = {witness.barrier}"),
            Line2D([], [], color="#e08a00", linestyle=":", marker="o", label="optimal path (hollow: off the plane)"),
            Line2D([], [], color="#b3261e", linestyle="", marker="X", markersize=9, label="pass"),
            Line2D(
                [], [], color="#555555", linestyle="", marker="*", markersize=13, label="zero-loss net of each orbit"
            ),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
    return figure


def loss_along_path(certified: CertifiedWitness) -> Figure:
    """Return the loss along the optimal path and along the straight segment, with the exact barrier."""
    problem = certified.witness.problem
    points = list(certified.barrier.points)
    nets = lift_path(points, fixed=problem.output_weights == "fixed")
    ends = [nets[0], nets[-1]]
    with figure_style():
        figure = Figure(figsize=(6.4, 3.0))
        ax = figure.subplots()
        for polyline, colour, name in ((ends, "#777777", "straight segment"), (nets, "#e08a00", "optimal path")):
            ax.plot(*path_losses(problem, polyline), color=colour, label=name, linewidth=1.6)
        barrier = certified.witness.barrier
        ax.axhline(float(barrier), color="#b3261e", linestyle="--", linewidth=1.0, label=f"exact barrier {barrier}")
        top = max(2.2 * float(barrier), 1e-12)
        ax.set_ylim(-0.03 * top, top)
        ax.set_xlim(0, 1)
        ax.set_xlabel("share of the way, from the net in the box to the net in the spectral ball")
        ax.set_ylabel("loss")
        ax.legend(fontsize=8, loc="upper left")
    return figure


def _outputs(row: Mapping[str, Any]) -> np.ndarray:
    W = np.asarray(row["W"], float)
    return W if row["A"] is None else W * np.abs(np.asarray(row["A"], float))


def reach_of_runs(certified: CertifiedWitness, rows: Sequence[Row]) -> Figure:
    """Return the runs by the least radius of either region that would hold them; a panel an optimizer.

    Reach does not change when a neuron's scale moves between its input and output weights. Runs at one place (to two
    digits) are one dot, its area the number of runs.
    """
    witness = certified.witness
    fixed = witness.problem.output_weights == "fixed"
    optimizers = distinct(rows, "optimizer")
    largest: list[list[float]] = [[], []]
    with figure_style():
        figure = Figure(figsize=(3.4 * len(optimizers), 4.1))
        axes = figure.subplots(1, len(optimizers), sharex=True, sharey=True, squeeze=False)[0]
        for ax, optimizer in zip(axes, optimizers, strict=True):
            _regions(ax, witness, NORM_OF[optimizer])
            own = [row for row in select(rows, optimizer=optimizer) if row["W"] is not None]
            for good in (False, True):
                chosen = [_outputs(row) for row in own if (row["outcome"] == "predicted") is good]
                if not chosen:
                    continue
                U = np.array(chosen)
                places = np.round(np.stack([box_reach(U, fixed=fixed), spectral_reach(U, fixed=fixed)]), 2)
                where, counts = np.unique(places, axis=1, return_counts=True)
                largest = [[*seen, v] for seen, v in zip(largest, where.max(1), strict=True)]
                colour = colour_of(optimizer) if good else "#8a94a0"
                ax.scatter(*where, s=10 + 900 * counts / len(own), color=colour, alpha=0.55, linewidth=0)
            for norm in ("linf", "spectral"):
                net = np.asarray(lift(certified.inside[norm]).W)
                place = (float(box_reach(net, fixed=fixed)), float(spectral_reach(net, fixed=fixed)))
                largest = [[*seen, v] for seen, v in zip(largest, place, strict=True)]
                ax.plot(*place, "*", color=REGION_COLOURS[norm], markersize=11, markeredgecolor="white", zorder=6)
            ax.set_title(label_of(optimizer))
            ax.set_xlabel("radius of the box needed")
        axes[0].set_xlim(0, 1.12 * max(largest[0]))
        axes[0].set_ylim(0, 1.12 * max(largest[1]))
        axes[0].set_ylabel("radius of the spectral ball needed")
        legend = (
            ("*", REGION_COLOURS["linf"], "orbit in the box"),
            ("*", REGION_COLOURS["spectral"], "orbit in the ball"),
            ("o", "#55708f", "runs: zero loss, predicted orbit"),
            ("o", "#8a94a0", "runs: other ends"),
        )
        handles = [
            Line2D([], [], color=colour, linestyle="", marker=marker, markersize=10, label=label)
            for marker, colour, label in legend
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _regions(ax: Axes, witness: Witness, norm: str) -> None:
    """Shade what the optimizer's region allows, and draw its edge."""
    radius = float(witness.radii[norm])
    span, line = (ax.axvspan, ax.axvline) if norm == "linf" else (ax.axhspan, ax.axhline)
    span(0, radius, color=REGION_COLOURS[norm], alpha=0.10, linewidth=0)
    line(radius, color=REGION_COLOURS[norm], linewidth=1.4)


def where_runs_ended(rows: Sequence[Row], fractions: Mapping[str, Mapping[str, float]]) -> Figure:
    """Return the fraction of runs with each outcome, a bar an optimizer."""
    names = list(fractions)
    with figure_style():
        figure = Figure(figsize=(7.2, 0.62 * len(names) + 1.3))
        ax = figure.subplots()
        for k, name in enumerate(names):
            left = 0.0
            for outcome in OUTCOMES:
                share = fractions[name][outcome]
                colour = OUTCOME_COLOURS.get(outcome, colour_of(name))
                ax.barh(k, share, left=left, color=colour, height=0.62)
                if share >= 0.04:
                    ink = "#1c2430" if outcome == "above" else "white"
                    ax.text(left + share / 2, k, f"{share:.0%}", ha="center", va="center", color=ink, fontsize=9)
                left += share
        runs = {name: len(select(rows, optimizer=name)) for name in names}
        ax.set_yticks(range(len(names)), [f"{label_of(name)} ({runs[name]} runs)" for name in names])
        ax.invert_yaxis()
        ax.grid(False)
        ax.set_xlim(0, 1)
        ax.set_xlabel("fraction of runs")
        handles = [
            Line2D([], [], marker="s", linestyle="", markersize=8, color=colour, label=OUTCOME_LABELS[outcome])
            for outcome, colour in {"predicted": "#55708f", **OUTCOME_COLOURS}.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8)
    return figure
