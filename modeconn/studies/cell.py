"""One cell of a study: one data set at one width. Trains the nets and measures everything between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, combinations_with_replacement, product
from typing import Any

import numpy as np

from modeconn.align import weight_matching
from modeconn.data import Dataset
from modeconn.nets import Net
from modeconn.paths import (
    Barrier,
    barrier_enclosure,
    barrier_exact,
    net_barrier_on_grid,
    rounded_outward,
    segment_curve,
)
from modeconn.probes import stable_rank
from modeconn.studies.settings import StudySettings
from modeconn.train import Fleet, FleetResult, train_fleet, unstack
from proofs_check.checker import barrier_certificate, barrier_problem, check_certificate

__all__ = ["measure_cell", "run_rows"]

ALIGNMENTS = ("as trained", "weight matching")
"""What is done to the second net's neurons before the segment is drawn."""

CURVE_POINTS = 201
GRID_POINTS = 11
"""Points of the grid that is common practice, measured beside the exact value."""


def measure_cell(settings: StudySettings, data: Dataset, dataset: str, width: int) -> dict[str, Any]:
    """Return the rows of every table for one data set and width, and the trained nets.

    Barriers join the nets of one optimizer for all pairs of seeds, and those of two optimizers for all pairs of
    different seeds; a pair appears as trained, and with the second net's neurons permuted by weight matching.

    Args:
        settings: the study.
        data: its data, with a bias column.
        dataset: its name in the tables.
        width: hidden width.

    Returns:
        ``{"runs", "barriers", "curves", "history", "certified", "nets"}``; nets as arrays by name.
    """
    result = _train(settings, data, width)
    nets = {
        (name, int(seed)): unstack(result, i)
        for i, (name, seed) in enumerate(zip(result.fleet.optimizer, result.fleet.seed, strict=True))
        if not result.diverged[i]
    }
    barriers, curves, certified = [], [], []
    for (first, i), (second, j) in _pairs(settings, nets):
        one = nets[first, i]
        aligned, _ = weight_matching(one, nets[second, j])
        for alignment, other in zip(ALIGNMENTS, (nets[second, j], aligned), strict=True):
            found = barrier_exact(one, other, data.X, data.Y)
            grid = net_barrier_on_grid(one, other, data.X, data.Y, points=GRID_POINTS)
            row = {"dataset": dataset, "width": width, "points": data.n, "alignment": alignment}
            row |= {"optimizer_a": first, "seed_a": i, "optimizer_b": second, "seed_b": j}
            barriers.append(row | found.to_json() | {"barrier_on_grid": float(grid.barrier)})
            if other is nets[second, j] and (i, j) == (0, 1):
                curves.append(row | found.to_json() | _curve(one, other, data))
                if width == settings.certified_width:
                    certified.append(_certified(one, other, data, found) | row | {"pair": f"{first} to {second}"})
    return {
        "runs": run_rows(result, data, dataset),
        "barriers": barriers,
        "curves": curves,
        "history": _history(result, data, dataset, width),
        "certified": certified,
        "nets": {
            f"{dataset}-w{width}-{name}-s{seed}-{leaf}": np.asarray(value)
            for (name, seed), net in nets.items()
            for leaf, value in zip(("W", "a"), net, strict=False)
        },
    }


def _train(settings: StudySettings, data: Dataset, width: int) -> FleetResult:
    fleet = Fleet.concat(
        *(
            Fleet.grid(
                optimizers=[name],
                learning_rates=[settings.learning[name][0]],
                weight_decays=[settings.learning[name][1]],
                widths=[width],
                seeds=range(settings.seeds),
            )
            for name in settings.optimizers
        )
    )
    return train_fleet(
        fleet,
        data.X,
        data.Y,
        steps=settings.steps,
        schedule="cosine",
        record_every=max(1, settings.steps // 60),
        base_seed=settings.seed,
    )


def _pairs(
    settings: StudySettings, nets: dict[tuple[str, int], Net]
) -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    """Yield the pairs of (optimizer, seed) whose nets are joined; nets that diverged have no pair."""
    for first, second in combinations_with_replacement(settings.optimizers, 2):
        seeds: Iterator[Sequence[int]] = (
            combinations(range(settings.seeds), 2)
            if first == second
            else ((i, j) for i, j in product(range(settings.seeds), repeat=2) if i < j)
        )
        for i, j in seeds:
            if (first, i) in nets and (second, j) in nets:
                yield (first, i), (second, j)


def _curve(one: Net, other: Net, data: Dataset) -> dict[str, Any]:
    t = np.linspace(0.0, 1.0, CURVE_POINTS)
    return {"t": t.tolist(), "loss": segment_curve(one, other, data.X, data.Y)(t).tolist()}


def _certified(one: Net, other: Net, data: Dataset, found: Barrier) -> dict[str, Any]:
    """Return the rational enclosure of a barrier, what the checker says of it, and how far the float value is off."""
    enclosure = barrier_enclosure((one, other), data.X, data.Y)
    plain = [
        tuple(None if leaf is None else np.asarray(leaf, np.float64).tolist() for leaf in net) for net in (one, other)
    ]
    verdict = check_certificate(
        barrier_certificate(enclosure, "linear"), barrier_problem(plain, data.X.tolist(), data.Y.tolist())
    )
    bounds = rounded_outward(enclosure, "linear")
    return {
        "lower": float(bounds.lower),
        "upper": float(bounds.upper),
        "difference": abs(float(found.barrier) - float(enclosure.lower)),
        "checker": "accepted" if verdict.accepted else f"rejected: {verdict.reason}",
    }


def run_rows(result: FleetResult, data: Dataset, dataset: str) -> list[dict[str, Any]]:
    """Return a row for each net: what it is, how it ended, where it lies in its optimizer's region."""
    rows = []
    for i, optimizer in enumerate(result.fleet.optimizer):
        net, fleet = unstack(result, i), result.fleet
        finite = not result.diverged[i]
        rows.append(
            {
                "dataset": dataset,
                "width": int(fleet.width[i]),
                "optimizer": optimizer,
                "seed": int(fleet.seed[i]),
                "learning_rate": float(fleet.learning_rate[i]),
                "weight_decay": float(fleet.weight_decay[i]),
                "diverged": bool(result.diverged[i]),
                "loss_per_point": float(result.final_loss[i]) / data.n if finite else None,
                "kkt_score": float(result.kkt[i]) / data.n if finite else None,
                "ratio_W": float(result.ratios["W"][i]) if finite else None,
                "ratio_A": float(result.ratios["A"][i]) if finite else None,
                "in_region": bool(result.in_region()[i]),
                "stable_rank": float(stable_rank(np.asarray(net.W, np.float64))) if finite else None,
            }
        )
    return rows


def _history(result: FleetResult, data: Dataset, dataset: str, width: int) -> list[dict[str, Any]]:
    """Return the median loss over seeds, one row an optimizer."""
    names = np.array(result.fleet.optimizer)
    return [
        {
            "dataset": dataset,
            "width": width,
            "optimizer": name,
            "step": result.recorded_steps.tolist(),
            "loss": (np.median(result.history[(names == name) & ~result.diverged], axis=0) / data.n).tolist(),
        }
        for name in dict.fromkeys(result.fleet.optimizer)
        if ((names == name) & ~result.diverged).any()
    ]
