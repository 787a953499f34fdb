"""Pictures of loss landscapes of narrow nets: the merge tree of the minima, and the staircase in the width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, NullLocator

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row
from modeconn.topology import MergeTree

__all__ = ["draw_merge_tree", "draw_staircase", "topology_figure"]

GLOBAL, LOCAL, TRUNK, BARRIER = "#2a9d63", "#d9822b", "#444444", "#b0306a"

FEW = 8
"""Up to so many leaves all levels are written."""

LASTING = 0.045
"""Beyond, a leaf's or merge's level is written if its branch (two of its branches) takes this share of the axis."""


@dataclass(frozen=True)
class _Node:
    """A leaf or a merge: its level, its place on the horizontal axis, and the nodes below it."""

    level: Fraction
    x: float
    below: tuple[_Node, ...] = ()
    lowest: Fraction = Fraction(0)


def _forest(tree: MergeTree) -> tuple[list[_Node], list[int]]:
    """Return the roots, and the leaves from left to right: at every merge the branch with the deepest leaf first."""
    order: dict[tuple[int, ...], list[int]] = {(k,): [k] for k in range(len(tree.levels))}
    for merge in tree.merges:
        branches = sorted((order.pop(group) for group in merge.groups), key=lambda b: min(tree.levels[k] for k in b))
        order[merge.members] = [k for branch in branches for k in branch]
    leaves = [k for branch in sorted(order.values()) for k in branch]
    nodes: dict[tuple[int, ...], _Node] = {}
    for x, k in enumerate(leaves):
        nodes[(k,)] = _Node(tree.levels[k], float(x), (), tree.levels[k])
    for merge in tree.merges:
        below = tuple(sorted((nodes.pop(group) for group in merge.groups), key=lambda node: node.x))
        place = (below[0].x + below[-1].x) / 2
        nodes[merge.members] = _Node(merge.level, place, below, min(node.lowest for node in below))
    return sorted(nodes.values(), key=lambda node: node.x), leaves


def _text(value: Fraction) -> str:
    """Return the fraction, or its decimal value when it is too long for a label."""
    text = str(value)
    return text if len(text) <= 11 else f"≈ {float(value):.6g}"


def draw_merge_tree(ax: Axes, tree: MergeTree, level: Fraction | None = None) -> None:
    """Draw the disconnectivity graph: a leaf at the loss of each minimum, branches that join at the exact barrier.

    The vertical axis is quadratic in the height above the lowest minimum, so that low barriers stay visible beside
    high ones; it is the distance of the prediction from y when the least loss is 0. Levels of branches too short to see
    are not written.

    Args:
        ax: where.
        tree: minima up to permutation of the neurons.
        level: a level to mark; what it cuts off below are the orbits of that level set.
    """
    roots, leaves = _forest(tree)
    floor = float(min(tree.levels))
    top = max(float(node.level) for node in roots)
    above = top + 0.18 * max(top - floor, 1e-9)

    share = 0.0 if len(leaves) <= FEW else LASTING

    def scale(v: Any) -> Any:
        return np.sqrt(np.maximum(v - floor, 0.0))

    def is_visible(start: Fraction, end: float) -> bool:
        return bool(scale(end) - scale(float(start)) >= share * scale(above))

    branches = [(root, above) for root in roots]
    while branches:
        node, parent = branches.pop()
        lasting = sum(is_visible(child.lowest, float(node.level)) for child in node.below) > 1
        colour = GLOBAL if node.lowest == min(tree.levels) else LOCAL
        ax.plot([node.x, node.x], [float(node.level), parent], color=colour, linewidth=2.2, solid_capstyle="round")
        if node.below:
            ends = [node.below[0].x, node.below[-1].x]
            ax.plot(ends, [float(node.level)] * 2, color=TRUNK, linewidth=2.2, solid_capstyle="round")
            if lasting:
                ax.annotate(
                    _text(node.level),
                    (node.x, float(node.level)),
                    (4, 3),
                    textcoords="offset points",
                    color=BARRIER,
                    fontweight="bold",
                    path_effects=[withStroke(linewidth=2.5, foreground="white")],
                )
        else:
            ax.plot([node.x], [float(node.level)], "o", color=colour, markersize=8, zorder=3, clip_on=False)
            if is_visible(node.level, parent):
                ax.annotate(
                    _text(node.level),
                    (node.x, float(node.level)),
                    (0, -8),
                    textcoords="offset points",
                    ha="center",
                    va="top",
                    color=colour,
                    annotation_clip=False,
                )
        branches.extend((child, float(node.level)) for child in node.below)
    if level is not None and floor <= float(level) <= above:
        ax.axhline(float(level), color="#2f6db5", linewidth=0.9, linestyle="--")
        ax.text(len(leaves) - 0.45, float(level), f"level {_text(level)}", color="#2f6db5", ha="right", va="bottom")
    ax.set_yscale("function", functions=(scale, lambda v: v**2 + floor))
    ax.set_ylim(floor, above)
    ax.set_xlim(-0.6, len(leaves) - 0.4)
    ax.set_yticks([tick for tick in MaxNLocator(6).tick_values(floor, above) if floor <= tick <= above])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="x", bottom=False, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    ax.spines["left"].set_position(("outward", 8))
    ax.grid(axis="x", visible=False)
    ax.set_ylabel("loss")
    ax.set_xlabel("minima up to permutation (green: global)", labelpad=22)


def draw_staircase(counts: Axes, levels: Axes, rows: Sequence[Row]) -> None:
    """Draw components and orbits against width in one panel, the least loss and the barriers in another.

    Args:
        counts: the first panel.
        levels: the second panel.
        rows: one a width: ``width``, ``components``, ``orbits``, ``min_loss``, and the levels at which all components
            (``barrier``) and all orbits (``orbit_barrier``) are joined, ``None`` where there is only one.
    """
    widths = [row["width"] for row in rows]
    for key, name, colour, marker, side in (
        ("components", "components", TRUNK, "o", 7),
        ("orbits", "up to permutation", GLOBAL, "D", -7),
    ):
        values = [row[key] for row in rows]
        counts.plot(widths, values, drawstyle="steps-mid", color=colour, alpha=0.35)
        counts.plot(widths, values, marker, color=colour, label=name, markersize=6)
        for width, value in zip(widths, values, strict=True):
            _note(counts, str(value), width, value, colour, side)
    counts.set_yscale("symlog", linthresh=1.0, linscale=0.45)
    counts.set_ylim(0, 3.0 * max(row["components"] for row in rows) + 1)
    ticks = sorted({0, 1, *(row[key] for row in rows for key in ("components", "orbits"))})
    counts.set_yticks(ticks, labels=[str(tick) for tick in ticks])
    counts.yaxis.set_minor_locator(NullLocator())
    counts.set_ylabel("number")
    counts.tick_params(axis="x", labelbottom=False)

    for key, name, colour, marker, shift in (
        ("barrier", "barrier", BARRIER, "o", 0.09),
        ("orbit_barrier", "barrier up to permutation", LOCAL, "D", -0.09),
    ):
        barred = [row for row in rows if row[key] is not None]
        levels.plot([], [], marker, color=colour, label=name, markersize=6)
        for row in barred:
            x, ends = row["width"] + shift, [float(row["min_loss"]), float(row[key])]
            levels.plot([x, x], ends, color=colour, linewidth=2.2, alpha=0.6)
            levels.plot([x], ends[1:], marker, color=colour, markersize=6)
            _note(levels, _text(row[key]), x, ends[1], colour, 6 if shift > 0 else 2, shift)
    least = [float(row["min_loss"]) for row in rows]
    levels.hlines(least, [w - 0.2 for w in widths], [w + 0.2 for w in widths], color=GLOBAL, linewidth=2.6,
                  label="least loss")  # fmt: skip
    for row in rows:
        _note(levels, _text(row["min_loss"]), row["width"], float(row["min_loss"]), GLOBAL, -6)
    levels.margins(y=0.22)
    levels.set_xticks(widths, labels=[str(width) for width in widths])
    levels.set_xlim(min(widths) - 0.5, max(widths) + 0.5)
    levels.set_xlabel("width m")
    levels.set_ylabel("loss")
    for ax in (counts, levels):
        ax.grid(axis="x", visible=False)
        ax.legend(fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 0.98), ncols=3, handletextpad=0.3,
                  columnspacing=1.2)  # fmt: skip


def _note(ax: Axes, text: str, x: float, y: float, colour: str, side: float, shift: float = 0.0) -> None:
    """Write beside a marker: above it if ``side`` is positive, below if negative; to the left for a negative shift."""
    ax.annotate(
        text,
        (x, y),
        (4 if shift > 0 else -5 if shift < 0 else 0, side),
        textcoords="offset points",
        ha="left" if shift > 0 else "right" if shift < 0 else "center",
        va="bottom" if side > 0 else "top",
        color=colour,
    )


def topology_figure(
    tree: MergeTree | None = None, rows: Sequence[Row] = (), *, title: str = "", level: Fraction | None = None
) -> Figure:
    """Return the merge tree of the minima, the staircase in the width, or both side by side.

    Args:
        tree: minima of one width, from :func:`modeconn.topology.merge_tree`.
        rows: one a width, see :func:`draw_staircase`.
        title: heading of the tree.
        level: a level to mark in the tree.

    Example:
        >>> from modeconn.topology import merge_tree, problem_from_json
        >>> problem = problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]})
        >>> [text.get_text() for text in topology_figure(merge_tree(problem, 2)).axes[0].texts]
        ['1/140', '0', '0']

    Reference: claims N2 and N5.
    """
    across = [] if tree is None else [max(4.2, min(1.0 + 0.55 * len(tree.levels), 14.0))]
    across += [max(4.8, 1.0 + 0.9 * len(rows))] if rows else []
    with figure_style():
        figure = Figure(figsize=(sum(across), 4.6))
        parts = list(figure.subfigures(1, len(across), width_ratios=across, squeeze=False)[0])
        if tree is not None:
            ax = parts.pop(0).subplots()
            ax.set_title(title)
            draw_merge_tree(ax, tree, level)
        if rows:
            counts, levels = parts.pop(0).subplots(2, 1, sharex=True)
            draw_staircase(counts, levels, rows)
    return figure
