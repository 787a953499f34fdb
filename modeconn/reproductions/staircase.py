"""The staircase of connectivity of ridge-regularised optima: components and barrier against width."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.regularised import (
    OptimalSet,
    connection_width,
    optimal_set,
    orthant_dual,
    partial_sum_dual,
    planted_optimal_set,
    ridge_staircase,
    three_component_problem,
)
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.topology import Problem

__all__ = ["REPRODUCTION"]

RIDGE = Fraction(1, 10)
BETAS = {"quick": 6, "full": 19}
RANDOM = {"quick": ((4, 4),), "full": ((5, 4), (5, 4))}
"""(n, largest width) of the random problems, d = 2."""

_MARKS = (("m_star", "m*"), ("M_star", "M*"), ("sum", "m* + M*"), ("n_plus_1", "n + 1"))


def _problems(profile: Profile, seed: int) -> Iterator[tuple[str, OptimalSet, int]]:
    """Yield title, optimal set and largest width of each problem."""
    yield "rows (±√3, 1)", optimal_set(three_component_problem(RIDGE)), 4
    yield "rows ±e₁, ±e₂", planted_optimal_set(*orthant_dual([3, 4]), [1, 0, 0, 1]), 5 if profile == "full" else 4
    yield "three partial sums", planted_optimal_set(*partial_sum_dual(3), [0, 1, 1, 0], RIDGE), 4
    if profile == "full":
        yield "four partial sums", planted_optimal_set(*partial_sum_dual(4), [0, 1, 0, 0, 1], RIDGE), 5
    for k, (n, width) in enumerate(RANDOM[profile]):
        yield f"random, n = {n}" + (f" ({k + 1})" if k else ""), optimal_set(_random_problem(n, seed + k)), width


def _random_problem(n: int, seed: int) -> Problem:
    rng = random.Random(seed)
    X = tuple(tuple(Fraction(rng.randint(-5, 5)) for _ in range(2)) for _ in range(n))
    return Problem(X, tuple(Fraction(rng.randint(-5, 5)) for _ in range(n)), ridge=Fraction(1, 2))


def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    problems = list(_problems(profile, seed))
    reporter.start("staircase", sum(width for _, _, width in problems) + BETAS[profile])
    stairs: list[Row] = []
    for title, found, last in problems:
        n = len(found.problem.y)
        marks = {
            "m_star": found.smallest_support,
            "M_star": found.largest_support,
            "sum": found.smallest_support + found.largest_support,
            "n_plus_1": n + 1,
            "connected_from": connection_width(found),
        }
        for stair in ridge_staircase(found.problem, range(1, last + 1), found):
            stairs.append(
                {
                    "dataset": title,
                    "n": n,
                    "width": stair.width,
                    "attains": stair.attains,
                    "fewest": stair.count[0],
                    "most": stair.count[1],
                    "predicted": stair.predicted.components,
                    "isolated": stair.predicted.isolated,
                    "barrier_lower": stair.barrier[0],
                    "barrier_upper": stair.barrier[1],
                    "exact_polytope": found.is_exact,
                    **marks,
                }
            )
            reporter.advance("staircase")
    barriers: list[Row] = []
    for k in range(1, BETAS[profile] + 1):
        beta = Fraction(k, BETAS[profile] + 1)
        (stair,) = ridge_staircase(three_component_problem(beta), [2])
        b = float(beta)
        barriers.append(
            {
                "beta": b,
                "lower": stair.barrier[0],
                "upper": stair.barrier[1],
                "known": ((2 / math.sqrt(3) - 1) * b - b * b / 12) / 2,
            }
        )
        reporter.advance("staircase")
    reporter.finish("staircase")
    return {"stairs": stairs, "barriers": barriers}


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    stairs, barriers = tables["stairs"], tables["barriers"]
    titles = distinct(stairs, "dataset")
    with figure_style():
        figure = Figure(figsize=(2.7 * (len(titles) + 1), 4.8))
        axes = figure.subplots(2, len(titles) + 1, squeeze=False)
        for k, title in enumerate(titles):
            _draw_stairs(axes[0][k], axes[1][k], select(stairs, dataset=title))
            axes[0][k].set_title(title)
        axes[0][0].set_ylabel("components of the optimal set")
        axes[1][0].set_ylabel("barrier above the optimum")
        _draw_barriers(axes[0][-1], axes[1][-1], barriers)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _draw_stairs(top: Axes, bottom: Axes, rows: Sequence[Row]) -> None:
    widths = [row["width"] for row in rows]
    reached = [row for row in rows if row["attains"]]
    m = [row["width"] for row in reached]
    counts = [row["most"] for row in reached]
    top.step(m, counts, where="mid", color="#2f6db5", linewidth=1)
    top.plot(m, counts, "o", color="#2f6db5", label="graph of cells, intervals")
    top.plot(m, [row["predicted"] for row in reached], "x", color="#b0306a", label="optimal polytope")
    top.set_yscale("log")
    top.set_ylim(0.7, 4 * max(counts) + 3)
    ticks = sorted({1, *counts})
    top.set_yticks(ticks, labels=[str(tick) for tick in ticks])
    top.minorticks_off()
    bottom.plot(m, [row["barrier_upper"] for row in reached], "o-", color="#d9822b", markersize=4)
    places: dict[Any, list[str]] = {}
    for key, text in _MARKS:
        places.setdefault(rows[0][key], []).append(text)
    last = max(*widths, *places)
    for ax in (top, bottom):
        for at in places:
            ax.axvline(at, color="#aaaaaa", linewidth=0.8, linestyle=":")
        ax.set_xticks(range(1, last + 1))
        ax.set_xlim(0.5, last + 0.5)
        if m and m[0] > 1:
            ax.axvspan(0.5, m[0] - 0.5, color="#f0f0f0")
    for at, texts in places.items():
        top.annotate(
            "\n".join(texts), (at, 0.98), xycoords=("data", "axes fraction"), fontsize=7, va="top", ha="center"
        )
    bottom.set_ylim(bottom=0)
    bottom.set_xlabel("width m")
    bottom.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))


def _draw_barriers(top: Axes, bottom: Axes, rows: Sequence[Row]) -> None:
    betas = [row["beta"] for row in rows]
    top.plot(betas, [row["known"] for row in rows], "-", color="#777777", linewidth=1, label="closed form")
    top.plot(betas, [row["upper"] for row in rows], "o", color="#d9822b", markersize=4, label="interval")
    top.set_title("rows (±√3, 1), m = 2")
    top.set_ylabel("barrier B(β)")
    top.set_ylim(bottom=0)
    top.legend(loc="lower right", fontsize=7)
    error = [max(row["upper"] - row["known"], row["known"] - row["lower"]) for row in rows]
    bottom.semilogy(betas, error, "o", color="#d9822b", markersize=4)
    bottom.axhline(1e-10, color="#aaaaaa", linewidth=0.8, linestyle=":")
    bottom.set_ylim(1e-14, 1e-9)
    bottom.set_ylabel("largest distance of an end")
    bottom.set_xlabel("β")


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    found = []
    for title in distinct(tables["stairs"], "dataset"):
        rows = select(tables["stairs"], dataset=title)
        reached = [row for row in rows if row["attains"]]
        agree = all(row["fewest"] <= row["predicted"] <= row["most"] for row in reached)
        counts = ", ".join(f"{row['predicted']} at m = {row['width']}" for row in reached)
        found.append(
            f"{title}: m* = {rows[0]['m_star']}, M* = {rows[0]['M_star']}, n + 1 = {rows[0]['n_plus_1']}, connected "
            f"from m = {rows[0]['connected_from']} on; components {counts}; "
            f"{'both counts agree' if agree else 'the two counts differ'}."
        )
    worst = max(max(abs(row["upper"] - row["known"]), abs(row["known"] - row["lower"])) for row in tables["barriers"])
    found.append(f"B(beta) lies within {worst:.1g} of both ends of its interval at every beta drawn.")
    return found


REPRODUCTION = Reproduction(
    name="staircase",
    title="The staircase of connectivity of ridge-regularised optima",
    caption=(
        "Number of components of the set of global optima of 1/2 |f - y|^2 + (beta/2) (|W|^2 + |alpha|^2) and the "
        "barrier above the optimum at which the last of them join, against the width. Circles: graph of cells with "
        "second-order cone programs and rigorous intervals. Crosses: from the vertices of the optimal polytope, exact "
        "where the data are planted, in floats for random data. Dotted lines: m*, M*, m* + M*, n + 1; grey: too narrow "
        "to reach the optimum. Right: the barrier of the problem with rows (-sqrt 3, 1), (sqrt 3, 1) and y = (1, 1) at "
        "m = 2 against its closed form 1/2 [(2/sqrt 3 - 1) beta - beta^2/12]."
    ),
    claims=("K1", "K2", "K3", "K4", "K5"),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
