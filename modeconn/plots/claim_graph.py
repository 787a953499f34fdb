"""The claims as a graph: which statement rests on which, coloured by verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from modeconn.plots.style import figure_style

__all__ = ["VERDICT_COLOURS", "arrow_path", "claim_depths", "claim_graph", "direct_support", "text_colour"]

VERDICT_COLOURS = {
    "certified": "#2a9d63",
    "not refuted": "#7fb7e6",
    "refuted": "#b3261e",
    "refuted, as expected": "#d98a84",
    "undecided": "#e0a82e",
    "not on trial": "#e3e7eb",
}

STEP_X, STEP_Y, WIDTH, HEIGHT = 1.7, 0.72, 1.15, 0.42


def text_colour(background: str) -> str:
    """Return black or white, whichever has more contrast to a background.

    Black has if the relative luminance L satisfies (L + 0.05) / 0.05 >= 1.05 / (L + 0.05).

    Example:
        >>> text_colour("#b3261e"), text_colour("#e3e7eb")
        ('white', 'black')

    Reference: WCAG 2.1, contrast ratio.
    """
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(background)]
    luminance = sum(share * v for share, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "black" if (luminance + 0.05) ** 2 >= 1.05 * 0.05 else "white"


def claim_depths(rests_on: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the depth of each claim: 0 if it rests on none, else one more than the deepest it rests on.

    Args:
        rests_on: id -> ids; ids that are not keys are ignored.

    Raises:
        ValueError: the claims rest on each other in a circle.

    Example:
        >>> claim_depths({"N1": [], "N2": ["N1"], "N6": ["N1", "N2"]})
        {'N1': 0, 'N2': 1, 'N6': 2}
    """
    depths: dict[str, int] = {}

    def depth(name: str, below: tuple[str, ...]) -> int:
        if name in below:
            raise ValueError(f"claims rest on each other in a circle: {' -> '.join((*below, name))}")
        if name not in depths:
            found = [depth(other, (*below, name)) for other in rests_on[name] if other in rests_on]
            depths[name] = 1 + max(found, default=-1)
        return depths[name]

    return {name: depth(name, ()) for name in rests_on}


def direct_support(rests_on: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return what each claim rests on but for what follows: N1 is left out where it rests on N2, which rests on N1.

    Args:
        rests_on: id -> ids, without circles; ids that are not keys are ignored.

    Example:
        >>> direct_support({"N1": [], "N2": ["N1"], "N6": ["N1", "N2"]})
        {'N1': [], 'N2': ['N1'], 'N6': ['N2']}
    """
    below: dict[str, set[str]] = {}
    for name in sorted(rests_on, key=claim_depths(rests_on).__getitem__):
        known = [other for other in rests_on[name] if other in rests_on]
        below[name] = set(known).union(*(below[other] for other in known))
    implied = {name: set().union(*(below.get(other, ()) for other in others)) for name, others in rests_on.items()}
    return {
        name: [other for other in others if other in below and other not in implied[name]]
        for name, others in rests_on.items()
    }


def claim_graph(rests_on: Mapping[str, Sequence[str]], verdicts: Mapping[str, str]) -> Figure:
    """Return the drawing: families from top to bottom, an arrow from each claim to those that rest on it.

    Arrows that follow from others are left out, see :func:`direct_support`.

    Args:
        rests_on: id -> the ids it rests on.
        verdicts: id -> a key of ``VERDICT_COLOURS``; a claim without one is "not on trial".
    """
    depths = claim_depths(rests_on)
    columns = max(4, 1 + max(depths.values(), default=0))
    place = _places(rests_on, depths, columns)
    lines = 1 + max((round(-y / STEP_Y) for _, y in place.values()), default=0)
    width = STEP_X * (columns - 1) + WIDTH
    with figure_style():
        figure = Figure(figsize=(1.2 * width + 1.6, 0.72 * STEP_Y * lines + 1.2))
        ax = figure.subplots()
        ax.set_axis_off()
        for name, below in direct_support(rests_on).items():
            for other in below:
                path = arrow_path(place[other], place[name])
                arrow = FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=7, color="#7d8894", linewidth=0.7)
                ax.add_patch(arrow)
        for name, (x, y) in place.items():
            colour = VERDICT_COLOURS[verdicts.get(name, "not on trial")]
            box = FancyBboxPatch(
                (x, y - HEIGHT / 2), WIDTH, HEIGHT, "round,pad=0,rounding_size=0.12", facecolor=colour,
                edgecolor="#39424e", linewidth=0.6,
            )  # fmt: skip
            ax.add_patch(box)
            ax.text(x + WIDTH / 2, y, name, ha="center", va="center", fontsize=8, color=text_colour(colour))
        shown = [verdict for verdict in VERDICT_COLOURS if verdict in {verdicts.get(n, "not on trial") for n in place}]
        handles = [FancyBboxPatch((0, 0), 1, 1, facecolor=VERDICT_COLOURS[v], edgecolor="#39424e") for v in shown]
        ax.legend(handles, shown, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=8)
        ax.set_xlim(-0.2, width + 0.2)
        ax.set_ylim(-STEP_Y * lines + HEIGHT / 2, STEP_Y)
    return figure


def _places(
    rests_on: Mapping[str, Sequence[str]], depths: Mapping[str, int], columns: int
) -> dict[str, tuple[float, float]]:
    """Return where each box stands: families with arrows first, one column a depth, then the claims without any."""
    used = {other for others in rests_on.values() for other in others if other in rests_on}
    alone = [name for name, others in rests_on.items() if name not in used and not set(others) & set(rests_on)]
    place: dict[str, tuple[float, float]] = {}
    line = 0
    for family in dict.fromkeys(_family(name) for name in rests_on if name not in alone):
        taken: dict[int, int] = {}
        for name in rests_on:
            if _family(name) == family and name not in alone:
                at = taken.get(depths[name], 0)
                taken[depths[name]] = at + 1
                place[name] = (STEP_X * depths[name], -STEP_Y * (line + at))
        line += max(taken.values())
    for k, name in enumerate(alone):
        place[name] = (STEP_X * (k % columns), -STEP_Y * (line + k // columns))
    return place


def _family(name: str) -> str:
    """Return the letters an id begins with."""
    return re.match(r"[A-Za-z]*", name).group()  # type: ignore[union-attr]


def arrow_path(start: tuple[float, float], end: tuple[float, float]) -> Path:
    """Return the way from the right edge of one box to the left edge of another, behind no box.

    From one column to the next it is a curve in the gap between them; past further columns it runs between two lines.
    """
    (x, y), (x1, y1) = (start[0] + WIDTH, start[1]), end
    gap = STEP_X - WIDTH
    points, codes = [(x, y)], [Path.MOVETO]
    if x1 - x > 1.5 * gap:
        lane = y1 + STEP_Y / 2
        points += [(x + gap / 2, y), (x + gap / 2, lane), (x + gap, lane), (x1 - gap, lane)]
        codes += [Path.CURVE4] * 3 + [Path.LINETO]
        x, y = points[-1]
    points += [((x + x1) / 2, y), ((x + x1) / 2, y1), (x1, y1)]
    return Path(points, codes + [Path.CURVE4] * 3)
