"""The barrier between two minima after alignment, against the width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modeconn.align import match_minima
from modeconn.plots.style import figure_style
from modeconn.plots.tables import Row, distinct, select
from modeconn.population import population_loss
from modeconn.precision import in_float64
from modeconn.reporter import Reporter
from modeconn.reproductions.frame import Profile, Reproduction, Tables
from modeconn.star import Minima, sample_minima, weights

__all__ = ["REPRODUCTION"]

TEACHERS = {"quick": (2, 4), "full": (2, 4, 8)}
MULTIPLES = (1, 1.25, 1.5, 2, 3, 4, 8, 16)
WIDEST = {"quick": 48, "full": 256}
PAIRS = {"quick": 32, "full": 256}
TIMES = {"quick": 9, "full": 33}
LAWS = {"hausdorff": "uniform on the manifold", "iid": "independent labels"}
COLOURS = ("#2f6db5", "#2a9d63", "#d9822b")


@in_float64
def _compute(profile: Profile, seed: int, reporter: Reporter) -> Tables:
    rows: list[Row] = []
    cases = [
        (law, M, m)
        for law in LAWS
        for M in TEACHERS[profile]
        for m in sorted({round(c * M) for c in MULTIPLES})
        if m <= WIDEST[profile]
    ]
    reporter.start("permuted-barrier", len(cases))
    for law, M, m in cases:
        rows.append({"law": law, "M": M, "m": m, "pairs": PAIRS[profile], **_means(law, M, m, profile, seed)})
        reporter.advance("permuted-barrier")
    reporter.finish("permuted-barrier")
    return {"barriers": rows, "slopes": _slopes(rows)}


def _means(law: str, M: int, m: int, profile: Profile, seed: int) -> Row:
    """Return the means over pairs of the barrier as drawn, after alignment, and of its lower bound; standard errors."""
    drawn = sample_minima(seed, 2 * PAIRS[profile], m, M, labels=law)
    minima = [Minima(*each) for each in zip(drawn.labels, drawn.magnitudes, strict=True)]
    pairs = list(zip(minima[::2], minima[1::2], strict=True))
    matched = [match_minima(*first, *second) for first, second in pairs]
    W, V = (np.stack([weights(each, M) for each in column]) for column in zip(*pairs, strict=True))
    aligned = np.stack([v[:, each.permutation] for v, each in zip(V, matched, strict=True)])
    spare = ((0, 0), (0, 0), (0, WIDEST[profile] - m))  # zero neurons: one width, one compilation for each M
    times = jnp.linspace(0, 1, TIMES[profile] + 2)[1:-1]
    before, after = (np.asarray(_peaks(np.pad(W, spare), np.pad(v, spare), times)) for v in (V, aligned))
    return {
        "unaligned": float(before.mean()),
        "aligned": float(after.mean()) if any(each.mixed for each in matched) else 0.0,
        "lower": float(np.mean([each.lower for each in matched])),
        "mixed": float(np.mean([each.mixed for each in matched])),
        "aligned_error": float(after.std() / np.sqrt(len(after))),
    }


@jax.jit
def _peaks(W: Array, V: Array, times: Array) -> Array:
    """Return for every pair the largest loss at these times: a lower bound of the barrier, as both ends have loss 0."""
    teacher = jnp.eye(W.shape[1])

    def at(pair: tuple[Array, Array]) -> Array:
        losses = jax.vmap(lambda t: population_loss((1 - t) * pair[0] + t * pair[1], teacher, law="gaussian"))
        return losses(times).max()

    return jax.lax.map(at, (W, V))


def _slopes(rows: Sequence[Row]) -> list[Row]:
    """Return the slope of log barrier against log m from m = 3 M on, with a 95% interval from the standard errors."""
    found: list[Row] = []
    for law in distinct(rows, "law"):
        for M in distinct(rows, "M"):
            part = [r for r in select(rows, law=law, M=M) if r["m"] >= 3 * M and r["aligned"] > 0]
            if len(part) < 3:
                continue
            x, y = np.log([r["m"] for r in part]), np.log([r["aligned"] for r in part])
            error = np.array([r["aligned_error"] / r["aligned"] for r in part])
            (slope, _), covariance = np.polyfit(x, y, 1, w=1 / error, cov="unscaled")
            half = 1.96 * float(np.sqrt(covariance[0, 0]))
            low, high = float(slope) - half, float(slope) + half
            found.append({"law": law, "M": M, "slope": float(slope), "low": low, "high": high})
    return found


def _draw_law(ax: Axes, rows: Sequence[Row], law: str) -> None:
    for M, colour in zip(distinct(rows, "M"), COLOURS, strict=False):
        part = select(rows, law=law, M=M)
        x = [row["m"] / M for row in part]
        ax.plot(x, [row["unaligned"] for row in part], ":", color=colour)
        ax.errorbar(x, [row["aligned"] for row in part], [2 * row["aligned_error"] for row in part], fmt="-o",
                    color=colour, markersize=3.5, capsize=2, label=f"M = {M}")  # fmt: skip
        ax.plot(x, [row["lower"] for row in part], "--", color=colour, linewidth=0.9)
        bound = [M**2 / (16 * np.pi * row["m"]) for row in part]
        ax.plot(x, bound, color=colour, linewidth=0.8, alpha=0.4)
    ax.set_xscale("log", base=2)
    ax.set_yscale("symlog", linthresh=1e-5)
    ax.set_ylim(0, 1)
    ax.set_xlabel("width over teachers, m / M")
    ax.set_ylabel("mean barrier")
    ax.set_title(LAWS[law])
    ax.legend(fontsize=8)


def _draw(tables: Mapping[str, Sequence[Row]]) -> Figure:
    laws = distinct(tables["barriers"], "law")
    with figure_style():
        figure = Figure(figsize=(4.8 * len(laws), 3.8))
        for ax, law in zip(figure.subplots(1, len(laws), squeeze=False)[0], laws, strict=True):
            _draw_law(ax, tables["barriers"], law)
    return figure


def _findings(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    found = []
    for row in tables["slopes"]:
        part = select(tables["barriers"], law=row["law"], M=row["M"])
        peak = max(part, key=lambda r: r["aligned"])
        found.append(
            f"{LAWS[row['law']]}, M = {row['M']}: 0 at m = M, largest at m = {peak['m']} ({peak['aligned']:.2g}), then "
            f"m^({row['slope']:.2f}), 95% interval [{row['low']:.2f}, {row['high']:.2f}], "
            "published: O(m^(-1/2))."
        )
    return found


REPRODUCTION = Reproduction(
    name="permuted-barrier",
    title="The barrier modulo permutation against the width",
    caption=(
        "Pairs of random minima of m ReLU students against M orthonormal teachers, Gaussian inputs, closed-form loss. "
        "Dots: mean over the pairs of the largest loss at equal steps of the segment, neurons aligned by one exact "
        "assignment, two standard errors; dashed: a lower bound for every permutation, from the same assignment; "
        "dotted: neurons as drawn; pale: M^2 / (16 pi m), the bound of the claim. Below 10^-5 the axis is linear."
    ),
    claims=("ZHAN",),
    compute=_compute,
    draw=_draw,
    findings=_findings,
)
