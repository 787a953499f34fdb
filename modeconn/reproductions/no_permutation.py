"""Two nets that compute one function and that no permutation aligns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from matplotlib.figure import Figure
from matplotlib.patches import Polygon as Patch

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from proofs_check.claims.library.no_permutation import ORDERS, first_net, is_labelled, second_net
from proofs_check.exact.plane_net import accepted_region, interpolate, misclassified_share, permute_hidden

__all__ = ["REPRODUCTION"]

TIMES = {"quick": 32, "full": 256}
JUMP = Fraction(1, 2**20)
"""Just inside the segment, where the error is discontinuous."""

NAMES = ("as they are", "second layer swapped", "first layer swapped", "both swapped")
COLOURS = ("#b0306a", "#d9822b", "#2f6db5", "#2a9d63")
STYLES = ("-", "--", "-", "-")


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    one, other = first_net(Fraction(1)), second_net(Fraction(1))
    errors: list[Row] = []
    regions: list[Row] = []
    reporter.start("no-permutation", len(ORDERS))
    for name, orders in zip(NAMES, ORDERS, strict=True):
        moved = permute_hidden(other, orders)
        steps = [Fraction(k, TIMES[profile]) for k in range(TIMES[profile] + 1)]
        for t in sorted([*steps, JUMP, 1 - JUMP]):
            error = misclassified_share(interpolate(one, moved, t), is_labelled)
            errors.append({"permutation": name, "t": float(t), "error": float(error), "exact": str(error)})
        for polygon in accepted_region(interpolate(one, moved, Fraction(1, 2))):
            corners = [[float(p), float(q)] for p, q in polygon]
            regions.append({"permutation": name, "corners": corners, "label": is_labelled(*_inside(polygon))})
        reporter.advance("no-permutation")
    reporter.finish("no-permutation")
    return {"errors": errors, "regions": regions}


def _inside(polygon: Sequence[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    p, q = (sum((corner[k] for corner in polygon), Fraction(0)) / len(polygon) for k in (0, 1))
    return p, q


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    names = distinct(tables["errors"], "permutation")
    with figure_style():
        figure = Figure(figsize=(9.0, 4.0))
        left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[1.35, 1.0])[0]
        ax = left.subplots()
        for name, colour, style in zip(names, COLOURS, STYLES, strict=True):
            rows = select(tables["errors"], permutation=name)
            ax.plot([r["t"] for r in rows], [r["error"] for r in rows], style, color=colour, label=name, linewidth=1.6)
        ax.set_xlabel("t, from one net to the other")
        ax.set_ylabel("share of the square classified wrongly")
        ax.set_ylim(0, 0.33)
        ax.legend(fontsize=7, ncols=2, loc="upper center")
        for panel, name, colour in zip(
            right.subplots(2, 2, sharex=True, sharey=True).ravel(), names, COLOURS, strict=True
        ):
            for row in select(tables["regions"], permutation=name):
                panel.add_patch(Patch(row["corners"], color="#9ccfb2" if row["label"] else "#e2a6bf", linewidth=0))
            if not select(tables["regions"], permutation=name):
                panel.text(0.0, -0.5, "nothing is accepted", fontsize=7, ha="center", va="center")
            panel.plot([0, 0, 1], [1, 0, 0], color="black", linewidth=0.8)
            panel.set_xlim(-1, 1)
            panel.set_ylim(-1, 1)
            panel.set_aspect("equal")
            panel.set_xticks([-1, 0, 1])
            panel.set_yticks([-1, 0, 1])
            panel.grid(visible=False)
            panel.set_title(name, color=colour, fontsize=8)
        right.suptitle("accepted halfway (the quadrant p, q > 0 is the label)", fontsize=9)
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    halfway = {row["permutation"]: row["exact"] for row in tables["errors"] if row["t"] == 0.5}
    return ["Error halfway: " + "; ".join(f"{name} {error}" for name, error in halfway.items()) + "."]


REPRODUCTION = Reproduction(
    name="no-permutation",
    title="Two nets that no permutation aligns",
    caption=(
        "The two nets of Ainsworth, Hayase and Srinivasa (2023), two hidden layers of two ReLU neurons, with slope 0 "
        "in place of their 1/100: both compute -relu(-p) - relu(-q) and classify the square without error. Left: the "
        "exact error (an area, rational arithmetic) along the segment under each of the four permutations of hidden "
        "neurons; two of them jump. Right: what the net halfway accepts, green rightly and red wrongly."
    ),
    claims=("AIN",),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
