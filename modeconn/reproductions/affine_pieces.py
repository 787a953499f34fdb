"""How many affine pieces the zero-loss set of a wide smooth student has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from proofs_check.exact.expansion import affine_pieces, connected_groups, piece_count, surjection_count

__all__ = ["REPRODUCTION"]

WIDEST = {"quick": 5, "full": 6}
FORMULA_TO = 10
TEACHERS = (1, 2, 3, 4)
JOINED_UP_TO = {"quick": 62, "full": 450}
"""Most pieces whose connection is looked at."""

COLOURS = ("#2f6db5", "#2a9d63", "#d9822b", "#b0306a")


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    rows: list[Row] = []
    reporter.start("affine-pieces", len(TEACHERS))
    for r in TEACHERS:
        for m in range(r, FORMULA_TO + 1):
            row: dict[str, Any] = {
                "r": r,
                "m": m,
                "formula": piece_count(r, m),
                "without_spare": surjection_count(r, m),
            }
            row |= {"enumerated": None, "dimension": None, "components": None}
            if m <= WIDEST[profile]:
                pieces = sorted(affine_pieces([([k + 1], k + 2) for k in range(r)], m), key=lambda p: p.equations)
                row |= {"enumerated": len(pieces), "dimension": min(piece.dimension for piece in pieces)}
                if len(pieces) <= JOINED_UP_TO[profile]:
                    row["components"] = len(list(connected_groups(pieces)))
            rows.append(row)
        reporter.advance("affine-pieces")
    reporter.finish("affine-pieces")
    return {"pieces": rows}


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    with figure_style():
        figure = Figure(figsize=(9.0, 3.8))
        counts, shares = figure.subplots(1, 2)
        for r, colour in zip(distinct(tables["pieces"], "r"), COLOURS, strict=True):
            rows = select(tables["pieces"], r=r)
            widths = [row["m"] for row in rows]
            counts.plot(widths, [row["formula"] for row in rows], color=colour, linewidth=1.0, label=f"r = {r}")
            found = [row for row in rows if row["enumerated"] is not None]
            counts.plot([row["m"] for row in found], [row["enumerated"] for row in found], "o", color=colour)
            share = [row["without_spare"] / row["formula"] for row in rows]
            shares.plot(widths, share, "-o", color=colour, markersize=3)
        counts.set_yscale("log")
        counts.set_title("affine pieces T(r, m): line formula, dot enumerated")
        counts.set_ylabel("number of pieces")
        shares.set_title("share of them without a spare neuron")
        shares.set_ylabel("share of pieces")
        shares.set_ylim(0, 1.05)
        counts.legend(fontsize=8)
        for ax in (counts, shares):
            ax.set_xlabel("width m of the student")
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    found = [row for row in tables["pieces"] if row["enumerated"] is not None]
    equal = sum(row["enumerated"] == row["formula"] for row in found)
    counts = ", ".join(f"T({row['r']}, {row['m']}) = {row['enumerated']}" for row in found if row["m"] > row["r"])
    looked = [row for row in found if row["components"] is not None and row["m"] > row["r"]]
    joined = sum(row["components"] == 1 for row in looked)
    return [
        f"Enumeration and formula agree in {equal} of {len(found)} cases: {counts}.",
        f"With m > r the union is connected in {joined} of the {len(looked)} cases looked at.",
    ]


REPRODUCTION = Reproduction(
    name="affine-pieces",
    title="Affine pieces of the zero-loss set",
    caption=(
        "Students of width m that compute a teacher of r smooth neurons (Simsek et al., 2021): all ways to label the "
        "student's neurons are written as linear equations and reduced exactly, and different subspaces are counted, "
        "beside the closed formula T(r, m) = sum_u C(m, u) G(r, m - u) Bell(u)."
    ),
    claims=("SIM",),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
