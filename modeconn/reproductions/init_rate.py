"""How well two nets interpolate at initialisation, before and after a permutation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import linregress
from scipy.stats import t as student

from modeconn.align import initial_net, interpolation_gap, match_initial
from modeconn.plots.style import figure_style, width_axis
from modeconn.plots.tables import Row, distinct, select
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from proofs_check.claims.library.init_rate import CONSTANT, published_rate

__all__ = ["REPRODUCTION"]

DIMENSIONS = {"quick": (1, 2, 4, 8), "full": (1, 2, 4, 8, 16)}
WIDTHS = {"quick": (8, 16, 32, 64, 128, 256), "full": (8, 16, 32, 64, 128, 256, 512, 1024, 2048)}
PAIRS = {"quick": 24, "full": 100}
INPUTS = 16
COLOURS = ("#2f6db5", "#2a9d63", "#d9822b", "#b0306a", "#6a51a3")


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    gaps: list[Row] = []
    slopes: list[Row] = []
    reporter.start("init-rate", len(DIMENSIONS[profile]))
    for d in DIMENSIONS[profile]:
        rng = np.random.default_rng([seed, d])
        X = rng.standard_normal((INPUTS, d))
        X *= np.sqrt(d) / np.linalg.norm(X, axis=1, keepdims=True)
        points = []
        for h in WIDTHS[profile]:
            found = [_gaps(seed * 10**6 + 2 * k, d, h, X) for k in range(PAIRS[profile])]
            unaligned, aligned = np.mean(found, 0)
            points += [(np.log(h), np.log(gap)) for _, gap in found if gap > 0]
            row: dict[str, Any] = {"d": d, "h": h, "unaligned": float(unaligned), "aligned": float(aligned)}
            row |= {"largest": float(np.max(found, 0)[1]), "bound": CONSTANT * published_rate(d, h)}
            gaps.append(row)
        slopes.append({"d": d, "published": -1 / (2 * d + 4), **_slope(points)})
        reporter.advance("init-rate")
    reporter.finish("init-rate")
    return {"gaps": gaps, "slopes": slopes}


def _gaps(seed: int, d: int, h: int, X: np.ndarray) -> tuple[float, float]:
    """Return the largest gap halfway over the inputs, neurons as drawn and permuted."""
    one, other = (initial_net(seed + k, d, h) for k in (0, 1))
    moved = match_initial(one, other)
    return tuple(float(interpolation_gap(one, net, X, 0.5).max()) for net in (other, moved))  # type: ignore[return-value]


def _slope(points: Sequence[tuple[float, float]]) -> Row:
    """Return the slope of log gap against log width over all pairs of nets, with its 95% interval."""
    fit = linregress(*np.transpose(points))
    half = float(student.ppf(0.975, len(points) - 2) * fit.stderr)
    return {"slope": float(fit.slope), "low": float(fit.slope) - half, "high": float(fit.slope) + half}


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    dimensions = distinct(tables["gaps"], "d")
    with figure_style():
        figure = Figure(figsize=(9.6, 3.8))
        ax, rates = figure.subplots(1, 2, width_ratios=[1.35, 1])
        for d, colour in zip(dimensions, COLOURS, strict=False):
            rows = select(tables["gaps"], d=d)
            h = [row["h"] for row in rows]
            ax.plot(h, [row["aligned"] for row in rows], "-o", color=colour, markersize=3.5, label=f"d = {d}")
            ax.plot(h, [row["unaligned"] for row in rows], ":", color=colour)
            ax.plot(h, [row["bound"] for row in rows], color=colour, linewidth=0.8, alpha=0.4)
        width_axis(ax, distinct(tables["gaps"], "h"))
        ax.set_yscale("log")
        ax.set_xlabel("width h")
        ax.set_ylabel("mean gap at the worst input")
        ax.legend(fontsize=8, ncols=2)
        x = np.arange(len(dimensions))
        slopes = [select(tables["slopes"], d=d)[0] for d in dimensions]
        middle = [row["slope"] for row in slopes]
        error = [[row["slope"] - row["low"] for row in slopes], [row["high"] - row["slope"] for row in slopes]]
        rates.errorbar(x, middle, error, fmt="o", color="#2f6db5", capsize=3, label="fitted, 95% interval")
        rates.plot(x, [row["published"] for row in slopes], "s", color="#b0306a", label="-1/(2d + 4), published")
        rates.set_xticks(x, labels=[str(d) for d in dimensions])
        rates.set_ylim(top=0)
        rates.set_xlabel("input dimension d")
        rates.set_ylabel("slope in log width")
        rates.legend(fontsize=8)
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    return [
        "; ".join(
            f"d = {row['d']}: slope {row['slope']:.3f} in [{row['low']:.3f}, {row['high']:.3f}], published "
            f"{row['published']:.3f}"
            for row in tables["slopes"]
        )
        + "."
    ]


REPRODUCTION = Reproduction(
    name="init-rate",
    title="Permuted nets at initialisation",
    caption=(
        "Two nets at initialisation (W uniform on [-1/sqrt(d), 1/sqrt(d)], a on [-1/sqrt(h), 1/sqrt(h)]): mean over "
        "pairs of the largest |f_t - (1 - t) f_0 - t f_1| at t = 1/2 over 16 inputs of length sqrt(d). Solid: neurons "
        "permuted by exact assignment in the weights; dotted: as drawn; pale: h^(-1/(2d + 4)) / 2, the bound of the "
        "claim. Right: slopes fitted to all pairs, beside the upper bound of Entezari et al. (2022), Theorem 3.1."
    ),
    claims=("ENT",),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
