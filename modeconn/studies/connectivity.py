"""The study of wide nets: does training land where the construction joins, and from which width on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from modeconn.constructions import WideRegion
from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.reporter import SILENT, Reporter
from modeconn.studies.connectivity_nets import DataCase, TrainedNets, functionals, region_of, train_case
from modeconn.studies.connectivity_pairs import bends_of, measure_pair

__all__ = ["CONNECTIVITY_PROFILES", "ConnectivitySettings", "connectivity_study"]

Row = dict[str, Any]

QUICK_WIDTHS = (4, 8, 16, 24, 28, 64)
FULL_WIDTHS = (4, 8, 12, 16, 20, 24, 26, 27, 28, 32, 40, 48, 64, 96)
"""N = n c + d (d + 1) / 2 + c (c + 1) / 2 is 27 for 16 points, 3 components with a bias column and one output."""

SYNTHETIC = DataCase("synthetic", "synthetic:n=16,d=4,teacher=3,seed=1", QUICK_WIDTHS)
BREAST_CANCER = DataCase("breast_cancer", "breast_cancer", QUICK_WIDTHS, 16, 3)
DIABETES = DataCase("diabetes", "diabetes", QUICK_WIDTHS, 16, 3)
DIGITS = DataCase("digits", "digits", (8, 16, 24, 32, 40, 44, 46, 48, 64, 96, 128), 10, 3, (0, 1, 2))


@dataclass(frozen=True)
class ConnectivitySettings:
    """A study of the paths between trained nets.

    Attributes:
        cases: data and widths.
        optimizers: keys of :data:`modeconn.studies.HYPERPARAMETERS`.
        seeds: nets of each optimizer and width. All pairs of them are joined; pairs of two optimizers take seeds
            (i, i + 1), so that no pair starts from the same weights.
        steps: of training.
        chain_steps: of learning a chain.
        tolerance: a segment or chain counts as joining with an exact barrier of at most this share of the loss of
            the zero net. The construction gets no such allowance.
        certified: pairs of each group whose certificate is decided by the exact checker.
        seed: of everything.
    """

    cases: tuple[DataCase, ...] = (SYNTHETIC, BREAST_CANCER)
    optimizers: tuple[str, ...] = ("adamw", "lion", "muon")
    seeds: int = 3
    steps: int = 500
    chain_steps: int = 400
    tolerance: float = 0.01
    certified: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seeds < 2:
            raise InputError(f"connectivity: expected at least 2 seeds to have pairs of nets, found {self.seeds}")


CONNECTIVITY_PROFILES: dict[str, ConnectivitySettings] = {
    "quick": ConnectivitySettings(),
    "full": ConnectivitySettings(
        cases=(
            *(replace(case, widths=FULL_WIDTHS) for case in (SYNTHETIC, BREAST_CANCER, DIABETES)),
            DIGITS,
        ),
        seeds=5,
        steps=2000,
        chain_steps=1500,
        certified=3,
    ),
}
"""Profile -> size of the study: ``quick`` is a matter of seconds on one core, ``full`` of minutes."""


@dataclass(frozen=True)
class _Group:
    """Pairs of two optimizers (or of one) at one width, and the region in which they are joined."""

    optimizers: tuple[str, str]
    width: int
    region: WideRegion
    ends: Sequence[tuple[Net, Net]]
    seeds: Sequence[tuple[int, int]] = field(default=())


def connectivity_study(settings: ConnectivitySettings, reporter: Reporter = SILENT) -> dict[str, list[Row]]:
    """Return the tables of the study.

    Args:
        settings: the study.
        reporter: is told of every group of pairs.

    Returns:
        ``pairs``: a row a pair, see :func:`~modeconn.studies.connectivity_pairs.measure_pair`; ``groups``: a row for
        each case, pair of optimizers and width: region, N, fractions of pairs joined, median barriers and live
        counts; ``cases``: a row a case: sizes, unit of the losses, nets that diverged.

    Raises:
        InputError: data that cannot be had.
    """
    tables: dict[str, list[Row]] = {"cases": [], "groups": [], "pairs": []}
    for case in settings.cases:
        trained = train_case(case, settings.optimizers, settings.seeds, settings.steps, settings.seed)
        data = trained.data
        groups = list(_groups(settings, case, trained))
        label = {"dataset": case.name}
        sizes = {"data": data.name, "n": data.n, "d": data.d, "c": data.c}
        unit = {"zero_loss": trained.zero_loss, "tolerance": settings.tolerance, "diverged": trained.diverged}
        tables["cases"].append(label | sizes | unit)
        bends = iter(bends_of([e for group in groups for e in group.ends], data, settings.chain_steps, settings.seed))
        title = f"paths on {case.name}"
        reporter.start(title, len(groups))
        for group in groups:
            rows = []
            for k, (ends, seeds) in enumerate(zip(group.ends, group.seeds, strict=True)):
                certify = k < settings.certified
                found = measure_pair(ends, next(bends), data, group.region, trained.zero_loss, certify)
                rows.append({"seed_a": seeds[0], "seed_b": seeds[1]} | found)
            a, b = group.optimizers
            shared = label | {"width": group.width, "optimizer_a": a, "optimizer_b": b, "cross": a != b}
            tables["pairs"] += [shared | row for row in rows]
            about = {"region": str(group.region), "kind": group.region.kind, "N": functionals(group.region, data)}
            tables["groups"].append(shared | about | _summary(rows, settings.tolerance))
            reporter.advance(title)
        reporter.finish(title)
    return tables


def _groups(settings: ConnectivitySettings, case: DataCase, trained: TrainedNets) -> Iterable[_Group]:
    """Yield the groups of a case that have pairs: one optimizer first, then two."""
    both = combinations_with_replacement(settings.optimizers, 2)
    for a, b in sorted(both, key=lambda names: names[0] != names[1]):
        for width in case.widths:
            first, second = trained.nets[a, width], trained.nets[b, width]
            if a == b:
                seeds = list(combinations(range(len(first)), 2))
            else:
                seeds = [(i, (i + 1) % len(second)) for i in range(min(len(first), len(second))) if len(second) > 1]
            if seeds:
                region = region_of((a, b), [*first, *second])
                yield _Group((a, b), width, region, [(first[i], second[j]) for i, j in seeds], seeds)


def _summary(rows: Sequence[Row], tolerance: float) -> Row:
    """Return the fractions of pairs joined, and medians."""

    def share(flags: Iterable[bool]) -> float:
        return float(np.mean(list(flags)))

    def middle(column: str) -> float:
        return float(np.median([row[column] for row in rows]))

    decided = [row["certified"] for row in rows if row["certified"] is not None]
    rises = [row["sampled_rise"] for row in rows if row["joined"]]
    return {
        "pairs": len(rows),
        "constructed": share(row["joined"] for row in rows),
        "segment": share(row["segment_barrier"] <= tolerance for row in rows),
        "chain": share(row["chain_barrier"] <= tolerance for row in rows),
        "chain_inside": share(row["chain_excess"] <= 0 for row in rows),
        "segment_barrier": middle("segment_barrier"),
        "chain_barrier": middle("chain_barrier"),
        "largest_rise": max(rises, default=None),
        "live": float(np.median([row["live_a"] + row["live_b"] for row in rows])),
        "needed": middle("needed"),
        "loss": float(np.median([max(row["loss_a"], row["loss_b"]) for row in rows])),
        "certified": sum(decided),
        "decided": len(decided),
    }
