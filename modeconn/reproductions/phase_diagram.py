"""The phase diagram of AdamW and Muon on a small data set, certified cell by cell; how sharply B_M* is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from modeconn.capacity import (
    example_system,
    least_radius,
    loose_bound,
    natural_axes,
    phase_diagram,
    type_system,
)
from modeconn.plots.phase_diagram import draw_phase_diagram
from modeconn.plots.tables import Row
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables

__all__ = ["REPRODUCTION"]

WIDTHS = {"quick": (4, 16, 64), "full": (4, 16, 64, 256)}
COUNTS = {"quick": (36, 20), "full": (96, 48)}
PROBLEMS = {"quick": 10, "full": 100}
"""Random problems on which B_M* is enclosed."""

SIZES = ((3, 2), (4, 2), (6, 2), (4, 3), (5, 3))


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    system, widths = example_system(), WIDTHS[profile]
    axes = natural_axes(system, widths, counts=COUNTS[profile])
    found = phase_diagram(system, *axes, widths, reporter=reporter)
    return {"cells": [*found.rows()], "thresholds": [*found.thresholds()], "radii": _radii(profile, seed, reporter)}


def _radii(profile: Profile, seed: int, reporter: Reporter) -> list[Row]:
    """Return both ends of B_M*^2 for random problems, and the bound with mu = 0."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    reporter.start("least radius", PROBLEMS[profile])
    while len(rows) < PROBLEMS[profile]:
        n, d = SIZES[len(rows) % len(SIZES)]
        system = type_system(np.round(rng.normal(size=(n, d)), 3), np.round(rng.normal(size=n), 3))
        if system.least_loss:
            continue
        capacity = least_radius(system)
        loose = float(loose_bound(system).product_bound())
        upper = None if capacity.square_upper is None else float(capacity.square_upper)
        rows.append(
            {
                "n": n,
                "d": d,
                "types": len(system.types),
                "lower": float(capacity.square_lower),
                "upper": upper,
                "gap": capacity.gap,
                "without_mu": loose,
                "live": None if capacity.net is None else capacity.net.width,
                "N": system.reduced_width,
            }
        )
        reporter.advance("least radius")
    reporter.finish("least radius")
    return rows


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    return draw_phase_diagram(tables["cells"], tables["thresholds"])


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    cells, radii = tables["cells"], tables["radii"]
    undecided = sum(row["verdict"] == "undecided" for row in cells)
    apart = sum(row["reason"] == "apart" for row in cells)
    loose = sorted(1 - row["without_mu"] / row["lower"] for row in radii)
    return [
        f"{len(cells)} cells: {undecided} undecided; in {apart} both regions hold interpolating nets and no net lies "
        "in both.",
        f"On {len(radii)} random problems the two certified ends of the least radius differ by at most "
        f"{max(row['gap'] for row in radii):.1e} of it. Without mu the bound on its square is "
        f"{loose[len(loose) // 2]:.0%} too low in the median, {loose[-1]:.0%} at worst.",
    ]


REPRODUCTION = Reproduction(
    name="phase-diagram",
    title="Where the solutions of AdamW and Muon meet",
    caption=(
        "Interpolating nets of a five-point problem in the box of radius 1/lambda (AdamW) and in the spectral ball of "
        "radius 1/lambda (Muon), both leaves. Every coloured cell is decided by certificates that an independent exact "
        "checker accepts: an explicit rational net in one or both regions, or a rational dual vector that excludes all "
        "nets of a region. White cells are undecided. Muon's threshold does not move with the width, AdamW's does."
    ),
    claims=("R1", "R2", "R3", "R4"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
