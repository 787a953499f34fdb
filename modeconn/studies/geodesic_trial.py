"""The geodesic ratio of neuron-sparse minima on trial: certified bounds against the published limit 1."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeconn.errors import InputError
from modeconn.reporter import SILENT, Reporter
from modeconn.star import (
    MAGNITUDE_LAWS,
    Minima,
    are_linearly_connected,
    clopper_pearson,
    disjoint_probability,
    geodesic_ratio_bounds,
    many_piece_path,
    path_ratio,
    sample_minima,
    spider_limit,
    two_piece_limit,
)

__all__ = ["CLAIMED_CONSTANTS", "GeodesicSettings", "geodesic_findings", "geodesic_trial"]

Row = dict[str, Any]

CLAIMED_CONSTANTS = (1, 10)
"""Values of c_2 for which the published bound 1 + c_2/(r sqrt(m)) is shown."""

CONFIDENCE = 0.999
"""Of every Clopper-Pearson interval."""


@dataclass(frozen=True)
class GeodesicSettings:
    """What is sampled.

    Attributes:
        cases: (M, r), r the probability of a zero neuron.
        laws: laws of the magnitudes, names of :data:`~modeconn.star.MAGNITUDE_LAWS`.
        widths: widths m.
        pairs: pairs of minima at each.
        active: numbers of active rows a teacher, for the variant in which it is bounded.
        path_laws: laws for which a shorter path is built between a pair.
        path_widths: widths at which it is.
        pieces: its number of pieces.
    """

    cases: tuple[tuple[int, float], ...] = ((2, 0.25), (4, 0.25), (4, 0.5))
    laws: tuple[str, ...] = tuple(MAGNITUDE_LAWS)
    widths: tuple[int, ...] = (16, 64, 256, 1024, 4096)
    pairs: int = 40
    active: tuple[int, ...] = (1, 4)
    path_laws: tuple[str, ...] = ("simplex", "pareto-1.5")
    path_widths: tuple[int, ...] = (64, 256, 1024)
    pieces: int = 8


def _pairs(minima: Minima) -> tuple[Minima, Minima]:
    return Minima(minima.labels[::2], minima.magnitudes[::2]), Minima(minima.labels[1::2], minima.magnitudes[1::2])


def _growth_row(settings: GeodesicSettings, seed: int, M: int, r: float, law: str, m: int) -> Row:
    """Return certified bounds over the pairs of one law and width."""
    first, second = _pairs(
        sample_minima(seed, 2 * settings.pairs, m, M, labels="iid", magnitudes=law, zero_probability=r)
    )
    bounds = geodesic_ratio_bounds(first, second)
    limit = spider_limit(M, r, MAGNITUDE_LAWS[law].moment_ratio)
    threshold = (1 + limit) / 2
    above = clopper_pearson(int((bounds.lower > threshold).sum()), settings.pairs, CONFIDENCE)
    joined = np.isfinite(bounds.upper)
    same = (first.labels == second.labels) & (first.labels > 0)
    squared_gap = np.where(same, (first.magnitudes - second.magnitudes) ** 2, 0.0).sum() / max(int(same.sum()), 1)
    claimed = {f"claimed_c{c}": 1 + c / (r * math.sqrt(m)) for c in CLAIMED_CONSTANTS}
    return {
        "M": M,
        "r": r,
        "law": law,
        "m": m,
        "pairs": settings.pairs,
        "lower_least": float(bounds.lower.min()),
        "lower_mean": float(bounds.lower.mean()),
        "lower_largest": float(bounds.lower.max()),
        "upper_mean": float(bounds.upper[joined].mean()) if joined.any() else None,
        "two_piece_pairs": int(joined.sum()),
        "limit_lower": limit,
        "limit_upper": two_piece_limit(M, r, MAGNITUDE_LAWS[law].moment_ratio),
        **claimed,
        "threshold": threshold,
        "above_threshold": above.frequency,
        "above_at_least": above.lower,
        "mean_squared_gap": float(squared_gap),
        "m2_mean_squared_gap": float(m**2 * squared_gap),
        "least_squares_ratio": float((bounds.upper[joined] ** 2 / 2).mean()) if joined.any() else None,
    }


def _bounded_row(settings: GeodesicSettings, seed: int, M: int, active: int, m: int) -> Row:
    """Return how often the ratio is exactly 1 with a bounded number of active rows a teacher."""
    pairs = 5 * settings.pairs
    first, second = _pairs(sample_minima(seed, 2 * pairs, m, M, labels="bounded", active=active))
    joined = are_linearly_connected(first.labels, second.labels)
    found = clopper_pearson(int(joined.sum()), pairs, CONFIDENCE)
    return {
        "M": M,
        "active": active,
        "m": m,
        "pairs": pairs,
        "ratio_one": found.frequency,
        "at_least": found.lower,
        "at_most": found.upper,
        "disjoint": float(disjoint_probability(m, M * active, M * active)),
        "bound": 1 - (M * active) ** 2 / m,
    }


def _path_row(settings: GeodesicSettings, seed: int, M: int, r: float, law: str, m: int) -> Row:
    """Return both bounds for one pair, the upper one by a path with many pieces."""
    first, second = _pairs(sample_minima(seed, 2, m, M, labels="iid", magnitudes=law, zero_probability=r))
    bounds = geodesic_ratio_bounds(first, second)
    path = many_piece_path(Minima(*(part[0] for part in first)), Minima(*(part[0] for part in second)), settings.pieces)
    return {
        "M": M,
        "r": r,
        "law": law,
        "m": m,
        "pieces": settings.pieces,
        "lower": float(bounds.lower[0]),
        "two_piece": float(bounds.upper[0]) if np.isfinite(bounds.upper[0]) else None,
        "many_piece": None if path is None else path_ratio(path),
    }


def geodesic_trial(
    settings: GeodesicSettings, seed: int = 0, reporter: Reporter = SILENT
) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the trial of "the geodesic ratio of neuron-sparse minima tends to 1".

    ``growth``: for every law of the magnitudes, (M, r) and width the certified bounds on the ratios of sampled pairs
    (exact rationals, roots rounded outward), the limits of both, the claimed bound, and a confidence bound on the
    probability that the ratio exceeds the middle between 1 and the limit. ``paths``: for one pair each the
    upper bound by a path with many pieces. ``bounded``: the variant that survives.

    Raises:
        InputError: r = 0 (the claim is about neuron-sparse minima).
    """
    if any(not 0 < r < 1 for _, r in settings.cases):
        raise InputError(f"geodesic_trial: expected zero probabilities in (0, 1), found {settings.cases}")
    cells = [(M, r, law, m) for M, r in settings.cases for law in settings.laws for m in settings.widths]
    few = [
        (M, active, m)
        for M in sorted({M for M, _ in settings.cases})
        for active in settings.active
        for m in settings.widths
        if m >= M * active
    ]
    ways = [(M, r, law, m) for M, r in settings.cases for law in settings.path_laws for m in settings.path_widths]
    reporter.start("pairs of minima", len(cells) + len(few) + len(ways))
    growth, bounded, paths = [], [], []
    for k, cell in enumerate(cells):
        growth.append(_growth_row(settings, seed * 10_000 + k, *cell))
        reporter.advance("pairs of minima")
    for k, case in enumerate(few):
        bounded.append(_bounded_row(settings, seed * 10_000 + len(cells) + k, *case))
        reporter.advance("pairs of minima")
    for k, cell in enumerate(ways):
        paths.append(_path_row(settings, seed * 10_000 + len(cells) + len(few) + k, *cell))
        reporter.advance("pairs of minima")
    reporter.finish("pairs of minima")
    return {"growth": growth, "bounded": bounded, "paths": paths}


def geodesic_findings(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return the report: the statement, the verdict, where the proof breaks, and what survives; from the tables."""
    growth, bounded = tables["growth"], tables["bounded"]
    widest = max(row["m"] for row in growth)
    longest = max(row["m"] for row in tables["paths"])
    paths = [row for row in tables["paths"] if row["m"] == longest and row["law"] == "simplex" and row["many_piece"]]
    pieces = tables["paths"][0]["pieces"]
    enclosed = ", ".join(
        f"[{row['lower']:.4f}, {row['many_piece']:.4f}] (M = {row['M']}, r = {row['r']:g})" for row in paths
    )
    narrow = min(row["m"] for row in growth)
    last = [row for row in growth if row["m"] == widest]
    finite = [row for row in last if row["limit_lower"] > 1]
    uniform = [row for row in last if row["law"] == "simplex"]
    worst = min(finite, key=lambda row: row["lower_least"] - 1)
    largest = max(finite, key=lambda row: row["limit_lower"])
    rare = min(finite, key=lambda row: row["above_at_least"])
    gaps = [row for row in growth if row["law"] == "simplex" and (row["M"], row["r"]) == (last[0]["M"], last[0]["r"])]
    small, wide = (next(row for row in gaps if row["m"] == m) for m in (narrow, widest))
    heavy = [row for row in last if row["limit_lower"] == 1]
    few = max((row for row in bounded if row["m"] == widest), key=lambda row: row["active"])
    numbers = ", ".join(
        f"{row['lower_least']:.4f} (M = {row['M']}, r = {row['r']:g}, limit {row['limit_lower']:.4f})"
        for row in uniform
    )
    fallen = max((row["lower_mean"] for row in heavy), default=None)
    infinite = f"(mean lower bound at most {fallen:.4f} at m = {widest}) " if fallen is not None else ""
    return [
        "The statement. Lin, Li and Wu (2024), Theorem 14: for two minima drawn independently from the neuron-sparse "
        "law SP(M, r), with probability at least 1 - c_1 M exp(-m r^2), the normalised geodesic distance is at most "
        "1 + c_2/(r sqrt(m)), with absolute constants; moreover by a two-piece path. Definition 13 fixes the "
        "probability r of a zero row and (1 - r)/M of each teacher, and leaves the dependence between rows and the "
        "magnitudes open. Our reading: independent rows (given that every teacher is served), magnitudes independent "
        f"of the labels by one of {len({row['law'] for row in growth})} laws, uniform on the simplex among them.",
        "The lower bound. Every row of a minimum lives on M rays glued at 0, so a row that changes its teacher travels "
        "a + b, not sqrt(a^2 + b^2), and by Minkowski's inequality every path of minima is at least as long as the "
        "root of the sum of the squared distances of its rows. For rows independent as above, with kappa = E g^2 / "
        "(E g)^2 of the magnitudes, the ratio of that bound to the straight line tends to sqrt(1 + (M - 1) / (kappa M "
        "/ (1 - r) - 1)), which exceeds 1 for every M >= 2, r < 1 and finite kappa, and does not depend on m.",
        f"The evidence. At m = {widest} and uniform magnitudes the least certified lower bounds over "
        f"{uniform[0]['pairs']} pairs are {numbers}. Over all laws of finite variance the least is "
        f"{worst['lower_least']:.4f} ({worst['law']}, M = {worst['M']}, r = {worst['r']:g}); the largest limit is "
        f"{largest['limit_lower']:.4f} ({largest['law']}). The probability of a ratio above the middle between 1 and "
        f"the limit is at least {rare['above_at_least']:.3f} in each case, with confidence {CONFIDENCE:g}, where the "
        "theorem lets it tend to 0. The bounds are exact rationals of the sampled weights, roots rounded downward. "
        "Claim G7 states the theorem with c_1 up to 10^100 and c_2 up to 10 and is refuted by single pairs.",
        "Both sides. The two-piece path is not the shortest. Paths whose neurons cross 0 at different times, of "
        f"{pieces} pieces, enclose the geodesic ratio of single pairs at m = {longest} with uniform magnitudes: "
        f"{enclosed}. The lower bound is not far from the truth.",
        "Where the proof breaks. Appendix A.7, Lemma 22: (a_i - b_i)^2 is given a positive expectation c, and "
        "Hoeffding's inequality is applied with c and epsilon fixed as m grows. But the a_i of a teacher add up to 1 "
        "over a number of rows proportional to m, so c is of order m^-2 and depends on m: between "
        f"m = {narrow} and m = {widest} its mean over the rows that serve the same teacher falls from "
        f"{small['mean_squared_gap']:.2g} to {wide['mean_squared_gap']:.2g}, while m^2 times it stays near "
        f"{wide['m2_mean_squared_gap']:.1f}. Besides, in the quotient A the sum of the (a_i - b_i)^2 is divided by m_t "
        "and the other squares by m_t^2. The rows that change their teacher then seem negligible against those that "
        "share it; in fact both sums are of order 1/m. Lemma 21 itself is sound (except that it lets "
        "several teachers use a row that is 0 at both ends): it is the two-piece path used here. But its ratio of "
        "squares, which the proof lets tend to 1/2, is "
        f"{wide['least_squares_ratio']:.3f} on average at m = {widest} (limit {wide['limit_upper'] ** 2 / 2:.3f}).",
        "What survives. The bound tends to 1 as r -> 1 or kappa -> infinity: when few rows carry the mass. For "
        f"magnitudes of infinite variance {infinite}"
        "this trial does not refute the limit. With k active rows for each teacher at uniform places it holds in the "
        "strongest form: the two minima have disjoint rows, hence ratio exactly 1, with probability at least "
        f"1 - (k M)^2/m; for k = {few['active']}, M = {few['M']}, m = {few['m']} the exact probability is "
        f"{few['disjoint']:.4f}, observed {few['ratio_one']:.4f} (claim G7B). The observation behind the theorem, that "
        "trained minima concentrate on few neurons and have ratios near 1, agrees with this variant.",
    ]
