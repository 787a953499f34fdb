"""How sharp the width N of W1 is: fractions of pairs joined just below it, components there, and rigid nets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.studies.sharp_cases import (
    polygon_rows,
    polyhedron_rows,
    polytope_components,
    simplex_rows,
    tight_set,
    triangle_vertices,
    vertex_live,
)
from modeconn.studies.sharp_widths import METHODS, threshold, try_width
from modeconn.topology import (
    CellComplex,
    Landscape,
    certify_components,
    enclosed_level_set,
    level_set_topology,
    problem_from_json,
)
from modeconn.topology import problem_to_json as narrow_to_json
from proofs_check.checker import check_certificate

__all__ = ["REPRODUCTION"]

PAIRS = {"quick": 8, "full": 60}
DATA: dict[str, tuple[tuple[str, int, int], ...]] = {
    "quick": (("gaussian", 4, 2), ("permuted", 4, 2), ("triangle", 3, 2)),
    "full": (("gaussian", 5, 2), ("whole numbers", 5, 2), ("permuted", 5, 2), ("permuted", 5, 3), ("triangle", 3, 2)),
}
OFFSETS = (-3, -2, -1, 0, 1)
"""Width minus N; 2 N comes last."""

TRIANGLE_TARGETS = (Fraction(1), Fraction(11, 10), Fraction(13, 10))

MUON_RADIUS = "3/2"
MUON_LEVEL = Fraction(1, 100)
"""Of the interval computation for opposite points: the least radius that interpolates is sqrt 2."""

COLOURS = dict(zip(METHODS, ("#999999", "#d9822b", "#b0306a", "#2f6db5", "#2e8b57"), strict=True))


def _rigid_rows(profile: Profile) -> Iterator[tuple[str, np.ndarray]]:
    for n in (3, 4, 5, 7):
        yield f"{n}-gon", polygon_rows(n)
    for d in (3, 4) if profile == "quick" else (3, 4, 5, 6):
        yield f"simplex, d = {d}", simplex_rows(d)
    for name in ("octahedron", "cube", "icosahedron"):
        yield name, polyhedron_rows(name)


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    steps = len(DATA[profile]) * (len(OFFSETS) + 1)
    reporter.start("sharpness", steps + 2)
    widths: list[Row] = []
    for kind, n, d in DATA[profile]:
        N = threshold(n, d)
        for width in (*(N + k for k in OFFSETS), 2 * N):
            if kind != "triangle" or width >= N - 2:  # these nets have five neurons
                widths += _fractions(kind, n, d, width, PAIRS[profile], seed)
            reporter.advance("sharpness")
    components = [*_opposite_points(), *_triangle()]
    reporter.advance("sharpness")
    rigid: list[Row] = []
    for title, X in _rigid_rows(profile):
        found = tight_set(X, seed=seed)
        n, d = X.shape
        numbers = {"N": found.functionals, "directions": len(found.directions), "rank": found.rank}
        rigid.append({"dataset": title, "n": n, "d": d, **numbers, "live": vertex_live(found, X, seed=seed)})
    reporter.advance("sharpness")
    reporter.finish("sharpness")
    return {"widths": widths, "components": components, "rigid": rigid}


def _fractions(kind: str, n: int, d: int, width: int, pairs: int, seed: int) -> list[Row]:
    trials = [try_width(kind, n, d, width, seed * 10**6 + k) for k in range(pairs)]
    base = {"dataset": f"{kind}, n = {n}, d = {d}", "N": threshold(n, d), "width": width, "pairs": pairs}
    rows: list[Row] = []
    for method in METHODS:
        joined = sum(trial.joined[method] for trial in trials)
        accepted = sum(bool(trial.accepted) for trial in trials) if method == "balanced-climb" else None
        rows.append({**base, "method": method, "joined": joined, "fraction": joined / pairs, "accepted": accepted})
    return rows


def _opposite_points() -> Iterator[Row]:
    """Yield the components for X = (1, -1)^T, y = (1, 1): of zero loss, certified; in Muon's ball, by intervals.

    Without a ball a net and the same net with its two neurons exchanged are in different components at m = 2; every
    ball holds both or none, so the joint Frobenius ball is disconnected at every radius that interpolates.
    """
    data = {"X": [[1], [-1]], "y": [1, 1]}
    problem = problem_from_json(data)
    inside = problem_from_json({**data, "region": {"norm": "spectral", "radius": MUON_RADIUS}})
    for width in (2, 3):
        found = level_set_topology(CellComplex(Landscape(problem), width), level=Fraction(0))
        verdict = check_certificate(certify_components(found), narrow_to_json(problem))
        status = "certified" if verdict.accepted else f"rejected: {verdict.reason}"
        row = {"dataset": "opposite points, joint Frobenius", "N": 3, "width": width}
        yield {**row, "components": len(found.components), "status": status}
    for width in (2, 3):
        fewest, most = enclosed_level_set(inside, width, level=MUON_LEVEL).count
        status = f"intervals, radius {MUON_RADIUS}, loss <= {MUON_LEVEL}" + ("" if fewest == most else ", at most")
        row = {"dataset": "opposite points, Muon, d = 1", "N": threshold(2, 1), "width": width}
        yield {**row, "components": most, "status": status}


def _triangle() -> Iterator[Row]:
    """Yield the numbers of components of the interpolating nets of least radius for three rows at 120 degrees."""
    found = triangle_vertices(TRIANGLE_TARGETS)
    for width in (5, 6, 7):
        row = {"dataset": "three rows at 120°, Muon", "N": threshold(3, 2), "width": width}
        yield {**row, "components": polytope_components(found, width), "status": "rational polytope"}


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    titles = distinct(tables["widths"], "dataset")
    with figure_style():
        figure = Figure(figsize=(2.9 * (len(titles) + 2), 3.2))
        axes = figure.subplots(1, len(titles) + 2, squeeze=False)[0]
        for ax, title in zip(axes, titles, strict=False):
            _draw_fractions(ax, select(tables["widths"], dataset=title))
            ax.set_title(title)
        axes[0].set_ylabel("fraction of pairs joined")
        _draw_components(axes[-2], tables["components"])
        _draw_rigid(axes[-1], tables["rigid"])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(METHODS))
    return figure


def _draw_fractions(ax: Axes, rows: Sequence[Row]) -> None:
    N = rows[0]["N"]
    places: list[Any] = distinct(rows, "width")
    at = {width: k for k, width in enumerate(places)}
    for method in METHODS:
        mine = select(rows, method=method)
        fractions = [row["fraction"] for row in mine]
        style = ":" if method == "straight segment" else "-"
        ax.plot(
            [at[row["width"]] for row in mine],
            fractions,
            style,
            marker="o",
            ms=3.5,
            color=COLOURS[method],
            label=method,
        )
    names = {N: "N", 2 * N: "2N"}
    ax.set_xticks(list(at.values()), labels=[names.get(w, f"N{w - N:+d}".replace("-", "−")) for w in places])
    ax.set_ylim(-0.04, 1.06)
    ax.set_xlabel(f"width m (N = {N})")


def _draw_components(ax: Axes, rows: Sequence[Row]) -> None:
    for title, marker, colour in zip(distinct(rows, "dataset"), "os^", ("#2f6db5", "#d9822b", "#2e8b57"), strict=True):
        mine = select(rows, dataset=title)
        ax.plot(
            [row["width"] - row["N"] for row in mine], [row["components"] for row in mine],
            "-", marker=marker, color=colour, label=title,
        )  # fmt: skip
    ax.set_yscale("log")
    ax.set_ylim(0.7, 2000)
    ticks = sorted({1, *(row["components"] for row in rows)})
    ax.set_yticks(ticks, labels=[str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_xticks([-2, -1, 0], labels=["N−2", "N−1", "N"])
    ax.set_xlabel("width m")
    ax.set_title("components just below N")
    ax.set_ylabel("components")
    ax.legend(fontsize=6.5, loc="upper right")


def _draw_rigid(ax: Axes, rows: Sequence[Row]) -> None:
    places = range(len(rows))
    ax.barh(places, [row["live"] for row in rows], color="#8fb3d9", label="live neurons of a rigid net")
    ax.plot([row["N"] - 2 for row in rows], places, "|", ms=9, color="#b0306a", label="N − 2")
    ax.set_yticks(list(places), labels=[row["dataset"] for row in rows], fontsize=7)
    ax.invert_yaxis()
    ax.set_title("at the least radius")
    ax.set_xlabel("neurons")
    ax.legend(fontsize=6.5, loc="upper right")


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    climbs = [row for row in tables["widths"] if row["method"] == "balanced-climb"]
    found = []
    for below, text in ((1, "N - 1"), (2, "N - 2")):
        rows = [row for row in climbs if row["width"] == row["N"] - below]
        pairs, joined, accepted = (sum(row[key] for row in rows) for key in ("pairs", "joined", "accepted"))
        found.append(
            f"m = {text}: the balanced climb joins {joined} of {pairs} pairs in Muon's ball, {accepted} of these paths "
            "accepted by the checker"
            + (
                "; that width N - 1 always suffices for one output is proved in modeconn.constructions.balanced_climb."
                if below == 1
                else "; that it finds none does not show that there is none."
            )
        )
    for title in distinct(tables["components"], "dataset"):
        rows = select(tables["components"], dataset=title)
        counts = ", ".join(f"{row['components']} at m = {row['width']}" for row in rows)
        statuses = ", ".join(distinct(rows, "status"))
        found.append(f"{title} (N = {rows[0]['N']}): components {counts} ({statuses}).")
    sharp = [row["dataset"] for row in tables["rigid"] if row["live"] == row["N"] - 2]
    over = sum(row["live"] > row["N"] - 2 for row in tables["rigid"])
    found.append(
        f"Rigid nets of least radius with N - 2 live neurons, isolated points at m = N - 2: {', '.join(sharp)} "
        f"(numerical); more than N - 2: {over} of {len(tables['rigid'])} data sets, none being possible."
    )
    return found


REPRODUCTION = Reproduction(
    name="sharpness",
    title="How sharp is the width N of the connectivity theorem?",
    caption=(
        "Left: fraction of pairs that each construction joins in the least Muon ball around them, against the width; "
        "below their widths they refuse, although most such pairs may be connected (a straight segment "
        "often does it unless the nets are permutations of one another). Paths of the balanced climb (width N - 1) are "
        "checked in exact arithmetic. Middle: components of the nets of zero loss just below N: certified for opposite "
        "points without a ball, which leaves two of them in every ball at m = 2; in Muon's ball by rigorous intervals; "
        "for three unit rows at 120 degrees at Muon's least radius from a rational polytope. Right: most "
        "live neurons found in a rigid net of least radius on symmetric data, in floats, against "
        "the bound N - 2."
    ),
    claims=("W1", "W1B"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
