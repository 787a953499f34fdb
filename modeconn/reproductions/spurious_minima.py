"""Spurious minima of the teacher-student loss, verified, and the barrier of one swap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from modeconn.constructions.symmetric_minimum import symmetric_minimum
from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from proofs_check.claims.library.safran import swap_height, swap_loss
from proofs_check.exact.symmetric_minimum import critical_box, hessian_pivots, verify_symmetric_minimum

__all__ = ["REPRODUCTION"]

WIDTHS = {"quick": (5, 6, 7, 8, 9, 10, 12, 15, 20), "full": (*range(5, 21), 25, 30, 40, 60, 100)}
STEPS = {"quick": 24, "full": 128}
GOOD, BAD, LINE = "#2a9d63", "#b0306a", "#2f6db5"


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    minima: list[Row] = []
    reporter.start("spurious-minima", len(WIDTHS[profile]))
    for k in WIDTHS[profile]:
        proposal = symmetric_minimum(k).tolist()
        found = verify_symmetric_minimum(k, proposal)
        row: dict[str, Any] = {"k": k, **dict(zip("abcde", proposal, strict=True)), "verdict": "undecided"}
        row |= {"loss": None, "loss_width": None, "least_pivot": None, "split_curvature": None}
        if found is not None:
            row |= {
                "verdict": "strict local minimum",
                "loss": float(found.loss.lower),
                "loss_width": float(found.loss.width),
                "least_pivot": float(min(found.pivots)),
                "split_curvature": float(found.split_curvature),
            }
        elif (box := critical_box(k, proposal)) is not None:
            last = hessian_pivots(k, box)[-1]
            row |= {"verdict": "saddle" if last.upper < 0 else "undecided", "least_pivot": float(last.upper)}
        minima.append(row)
        reporter.advance("spurious-minima")
    reporter.finish("spurious-minima")
    return {"minima": minima, "swap": _swap(STEPS[profile])}


def _swap(steps: int) -> list[Row]:
    """Return the loss while two neurons of a global minimum change places."""
    rows: list[Row] = []
    for i in range(steps + 1):
        t = Fraction(i, steps)
        inside = swap_height() if 2 * t == 1 else swap_loss(t) if 0 < t < 1 else None
        rows.append({"t": float(t), "loss": 0.0 if inside is None else float(inside.lower)})
    return rows


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    verified = [row for row in tables["minima"] if row["loss"] is not None]
    widths = [row["k"] for row in verified]
    with figure_style():
        figure = Figure(figsize=(12.5, 3.6))
        losses, pivots, swap = figure.subplots(1, 3)
        losses.plot(widths, [row["loss"] for row in verified], "-o", color=BAD, markersize=4)
        losses.set_title("loss at the spurious minimum")
        losses.set_ylim(bottom=0)
        losses.set_ylabel("loss F")
        pivots.plot(
            widths, [row["least_pivot"] for row in verified], "-o", color=GOOD, markersize=4, label="least pivot"
        )
        curvature = [row["split_curvature"] for row in verified]
        pivots.plot(widths, curvature, "-s", color=LINE, markersize=4, label="curvature once a neuron is split")
        saddles = [row for row in tables["minima"] if row["verdict"] == "saddle"]
        heights = [row["least_pivot"] for row in saddles]
        pivots.plot([row["k"] for row in saddles], heights, "x", color=BAD, label="negative pivot: a saddle")
        pivots.axhline(0, color="black", linewidth=0.8)
        pivots.set_title("second order, bounds of intervals")
        pivots.set_ylabel("least pivot, curvature of F")
        pivots.legend(fontsize=7)
        swap.plot([row["t"] for row in tables["swap"]], [row["loss"] for row in tables["swap"]], color=LINE)
        swap.set_title("two neurons of a global minimum swapped")
        swap.set_xlabel("t, from the minimum to its copy")
        swap.set_ylabel("loss F")
        for ax in (losses, pivots):
            ax.set_xlabel("neurons k of student and teacher")
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    kinds = ", ".join(f"k = {row['k']} {row['verdict']}" for row in tables["minima"])
    top = max(tables["swap"], key=lambda row: row["loss"])
    return [
        f"{kinds}.",
        f"The swap is highest at t = {top['t']:g}, with loss {top['loss']:.12f} = 1/4 - 1/(2 pi).",
    ]


REPRODUCTION = Reproduction(
    name="spurious-minima",
    title="Verified spurious minima",
    caption=(
        "k ReLU students against k orthonormal teachers, Gaussian inputs, F = 1/2 E (f - f*)^2 (Safran and Shamir, "
        "2018). The critical points with one odd neuron are found in floats by symmetry and verified in rational "
        "intervals: a Krawczyk box holds exactly one, and the pivots of the Hessian's blocks are positive. Middle: the "
        "least pivot, and the curvature in a direction that opens when the odd neuron is split in two (width k + 1)."
    ),
    claims=("SAF",),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
