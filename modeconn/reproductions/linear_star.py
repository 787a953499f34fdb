"""Linear nets: the width at which linear equations give a centre, and the pair that two pieces cannot join."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.star import (
    LEAST_INTEGRAL,
    LEAST_PEAK,
    antipodal_centre,
    antipode,
    chain_defect,
    exact_matrix,
    last_layer,
    least_peak_any_centre,
    linear_path,
    pathological_pair,
    random_layer,
    sample_linear_minimum,
    two_leg_loss,
)
from proofs_check.exact.linear_net import leg_loss

__all__ = ["REPRODUCTION"]

CASES = ((2, 2), (3, 2), (4, 2), (3, 3))
"""(depth L, minima r) of the sweep over the width; one input, one output."""

DRAWS = {"quick": 6, "full": 40}
CENTRES = {"quick": 60, "full": 1000}
POINTS = 41
_COLOURS = ("#2f6db5", "#d9822b", "#2a9d63", "#b0306a")


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    reporter.start("linear star", 4)
    tables: Tables = {}
    for name, rows in (
        ("widths", _widths(DRAWS[profile], seed)),
        ("paths", _paths(seed)),
        ("centres", _centres(CENTRES[profile], seed)),
        ("legs", _legs()),
    ):
        tables[name] = rows
        reporter.advance("linear star")
    reporter.finish("linear star")
    return tables


def _widths(draws: int, seed: int) -> list[Row]:
    """Return how often generic first layers are completed to an exact centre, against the width."""
    rows: list[Row] = []
    for L, r in CASES:
        threshold = 1 + r * (L - 1)
        for m in range(max(threshold - 3, 1), threshold + 3):
            found = 0
            for draw in range(draws):
                rng = np.random.default_rng([seed, L, r, m, draw])
                Q = exact_matrix([[1 + draw % 3]])
                feet = [sample_linear_minimum(rng, Q, [m] * (L - 1)) for _ in range(r)]
                earlier = [random_layer(rng, m, 1 if l == 0 else m, exact=True) for l in range(L - 1)]
                last = last_layer(feet, Q, earlier, [math.comb(L, k) for k in range(L)])
                found += last is not None and all(chain_defect([(*earlier, last), net], Q) == 0 for net in feet)
            rows.append({"depth": L, "minima": r, "width": m, "threshold": threshold, "draws": draws, "found": found})
    return rows


def _paths(seed: int) -> list[Row]:
    """Return the fewest pieces found between pairs of minima of several shapes, in exact arithmetic."""
    rows: list[Row] = []
    shapes = ((2, 1, 1, 1, 4), (4, 1, 1, 1, 8), (3, 2, 3, 1, 9), (2, 2, 2, 2, 7))
    for L, d, c, rank, m in shapes:
        rng = np.random.default_rng([seed, L, d, c, m])
        Q = random_layer(rng, c, rank, exact=True) @ random_layer(rng, rank, d, exact=True) + exact_matrix(
            [[int(i == j and i < rank) for j in range(d)] for i in range(c)]
        ) * (4 if rank == min(c, d) else 0)
        first, second = (sample_linear_minimum(rng, Q, [m] * (L - 1)) for _ in range(2))
        pairs = {"generic": second} | ({} if L % 2 else {"antipodal": antipode(first)})
        for kind, other in pairs.items():
            path = linear_path(first, other, Q, seed=seed)
            rows.append(
                {
                    "pair": kind,
                    "depth": L,
                    "inputs": d,
                    "outputs": c,
                    "width": m,
                    "pieces": None if path is None else path.pieces,
                    "largest_defect": None if path is None else str(path.defect),
                    "segment_defect": float(chain_defect([first, other], Q)),
                }
            )
    return rows


def _centres(count: int, seed: int) -> list[Row]:
    """Return what two pieces through random centres cost the pathological pair, in units of E x^2."""
    theta, _ = pathological_pair()
    Q, rng = exact_matrix([[1]]), np.random.default_rng([seed, 9])
    low, high = least_peak_any_centre()
    best = {
        "best minimum": antipodal_centre(theta, Q),
        "least peak, any centre": antipodal_centre(theta, Q, Fraction(29, 70)),
        "least integral, any centre": antipodal_centre(theta, Q, Fraction(1, 2)),
    }
    random = {f"minimum {k}": sample_linear_minimum(rng, Q, [4]) for k in range(count)}
    rows: list[Row] = []
    for name, centre in (best | random).items():
        found = two_leg_loss(theta, centre, Q, Fraction(1, 10**6))
        rows.append(
            {
                "centre": name,
                "is_minimum": "any" not in name,
                "largest_loss": float(found.peak.upper),
                "integral": float(found.integral),
                "bound_largest": str(LEAST_PEAK),
                "bound_integral": str(LEAST_INTEGRAL),
                "bound_any_low": float(low),
                "bound_any_high": float(high),
            }
        )
    return rows


def _legs() -> list[Row]:
    """Return the loss on the two legs through the best centres of the pathological pair."""
    theta, minus = pathological_pair()
    Q = exact_matrix([[1]])
    t = [Fraction(k, POINTS - 1) for k in range(POINTS)]
    rows: list[Row] = []
    for name, excess in (("best minimum", Fraction(0)), ("best of all centres", Fraction(29, 70))):
        centre = antipodal_centre(theta, Q, excess)
        first, second = (
            leg_loss([layer.tolist() for layer in net], [layer.tolist() for layer in centre], Q.tolist())
            for net in (theta, minus)
        )
        losses = [float(first(x)) for x in t] + [float(second(1 - x)) for x in t[1:]]
        rows.append({"centre": name, "t": [k / (2 * POINTS - 2) for k in range(2 * POINTS - 1)], "loss": losses})
    return rows


def _draw_widths(ax: Axes, rows: Sequence[Row]) -> None:
    """Draw a line of dots for each case: full where all draws were completed, hollow where none was."""
    cases = list(dict.fromkeys((row["depth"], row["minima"]) for row in rows))
    for height, (colour, (L, r)) in enumerate(zip(_COLOURS, cases, strict=True)):
        part = select(rows, depth=L, minima=r)
        for row in part:
            x = [row["width"]]
            ax.plot(x, [height], "o", color=colour, markerfacecolor="white", markersize=10)
            ax.plot(x, [height], "o", color=colour, alpha=row["found"] / row["draws"], markersize=10)
        ax.plot([part[0]["threshold"] - 0.5] * 2, [height - 0.4, height + 0.4], color="#333333", linewidth=1.2)
    ax.set_yticks(range(len(cases)), labels=[f"L = {L}, r = {r}" for L, r in cases])
    ax.set_ylim(-0.7, len(cases) - 0.3)
    ax.set_xlabel("width m; bar: 1 + r (L - 1) neurons or more")


def _draw_legs(ax: Axes, rows: Sequence[Row]) -> None:
    for colour, row in zip(_COLOURS, rows, strict=False):
        ax.plot(row["t"], row["loss"], color=colour, label=row["centre"])
        ax.axhline(max(row["loss"]), color=colour, linestyle=":", linewidth=0.9)
    ax.set_xlabel("t, from θ over the centre (1/2) to -θ")
    ax.set_ylabel("loss in units of E x²")
    ax.set_ylim(0, 0.33)
    ax.legend(fontsize=7, loc="upper center")


def _draw_centres(ax: Axes, rows: Sequence[Row]) -> None:
    random = [row for row in rows if row["centre"].startswith("minimum ")]
    ax.loglog([r["largest_loss"] for r in random], [r["integral"] for r in random], ".", color="#999999", markersize=4)
    named = [row for row in rows if row not in random]
    for colour, row in zip(_COLOURS, named, strict=False):
        ax.loglog([row["largest_loss"]], [row["integral"]], "D", color=colour, markersize=6, label=row["centre"])
    first = rows[0]
    ax.axvline(float(Fraction(first["bound_largest"])), color="#2f6db5", linestyle=":", linewidth=0.9)
    ax.axhline(float(Fraction(first["bound_integral"])), color="#2f6db5", linestyle=":", linewidth=0.9)
    ax.set_xlabel("largest loss on the legs (dotted: 1/4)")
    ax.set_ylabel("integral over the legs / E x² (dotted: 4/15)")
    ax.legend(fontsize=7)


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    with figure_style():
        figure = Figure(figsize=(13.0, 3.4))
        widths, legs, centres = figure.subplots(1, 3)
        widths.set_title("generic first layers: completed (full), or not")
        _draw_widths(widths, tables["widths"])
        legs.set_title("θ = (e₁, e₁) to -θ: the best two pieces")
        _draw_legs(legs, tables["legs"])
        centres.set_title("what two pieces cost, centre by centre")
        _draw_centres(centres, tables["centres"])
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    below = [row for row in tables["widths"] if row["width"] < row["threshold"]]
    above = [row for row in tables["widths"] if row["width"] >= row["threshold"]]
    low, high = tables["centres"][0]["bound_any_low"], tables["centres"][0]["bound_any_high"]
    return [
        f"Generic first layers were completed in {sum(r['found'] for r in above)} of {sum(r['draws'] for r in above)} "
        f"draws at m >= 1 + r (L - 1), and in {sum(r['found'] for r in below)} of {sum(r['draws'] for r in below)} "
        "below; every centre that counts computes Q identically along all its segments. That a draw fails below the "
        "threshold says nothing about other centres.",
        "Pieces found: "
        + "; ".join(
            f"{r['pair']}, L = {r['depth']}, {r['outputs']} x {r['inputs']}, m = {r['width']}: {r['pieces']}"
            for r in tables["paths"]
        )
        + ".",
        "The constants 1/4 and 4/15 of the pathological pair are those of centres that are minima. A centre that is "
        f"none does better: the least largest loss is 3 - 2 sqrt(2) = {low:.10f} (enclosed by rationals "
        f"{high - low:.0e} apart), and the least integral 1/6.",
    ]


REPRODUCTION = Reproduction(
    name="linear-star",
    title="Star and two-piece connectivity of linear nets",
    caption=(
        "Left: one input, one output; random integer minima and random first layers, the last layer solved for in "
        "exact arithmetic; a draw counts when the product is Q identically along all segments (full dots: all draws, "
        "hollow: none). Middle and right: the "
        "pair theta, -theta of depth 2 and width 4, which no two pieces join; losses are exact polynomials in t, the "
        "bounds are proved in claim G9. Grey: random centres that are minima."
    ),
    claims=("G8", "G9"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
