"""The study of star centres: minima trained on images, a learned centre, and the fold-lines through it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import jax
import numpy as np

from modeconn.data import Dataset, load_dataset
from modeconn.errors import InputError
from modeconn.losses import loss_from_name, net_loss
from modeconn.nets import Net, predict
from modeconn.precision import in_float64
from modeconn.reporter import SILENT, Reporter
from modeconn.studies.star_centre_learning import learn_centre
from modeconn.studies.star_centre_paths import (
    Alignment,
    aligned_feet,
    chain_curve,
    distance,
    measure_chain,
    normalised_length,
)
from modeconn.train import Fleet, train_fleet, unstack

__all__ = [
    "STAR_CENTRE_PROFILES",
    "StarCentreSettings",
    "available_datasets",
    "principal_components",
    "star_centre_study",
]

TABLES = ("nets", "pairs", "curves", "legs")
FALLBACK = "digits"
EMBEDDED = ("digits",)


@dataclass(frozen=True)
class StarCentreSettings:
    """A study of star centres.

    Attributes:
        datasets: names of :data:`modeconn.data.DATASETS` with class labels.
        losses: keys of :data:`modeconn.losses.LOSSES`; the half squared error is measured exactly, others on a grid.
        rows: data points of each set.
        components: principal components kept (``None``: all inputs); a bias column is added.
        width: hidden neurons m.
        feet: number r of minima, seeds 0..r-1.
        steps: of training each foot with AdamW, rate 0.01 decayed by a cosine, no weight decay.
        centre_steps: of learning a centre.
        seed: of the rows, the training and the centres.
    """

    datasets: tuple[str, ...] = ("mnist", "cifar10_part")
    losses: tuple[str, ...] = ("half_squared_error",)
    rows: int = 400
    components: int | None = 24
    width: int = 64
    feet: int = 5
    steps: int = 800
    centre_steps: int = 600
    seed: int = 0

    def __post_init__(self) -> None:
        if self.feet < 2:
            raise InputError(f"star centre: expected at least 2 feet to have pairs of them, found {self.feet}")


STAR_CENTRE_PROFILES: dict[str, StarCentreSettings] = {
    "quick": StarCentreSettings(),
    "full": StarCentreSettings(
        losses=("half_squared_error", "cross_entropy"),
        rows=1000,
        components=100,
        width=128,
        steps=2000,
        centre_steps=2000,
    ),
}
"""Profile -> size of the study: ``quick`` is a matter of seconds on one core, ``full`` of minutes."""


def available_datasets(names: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return the data sets that can be read here, and a note that says what stands in for the others.

    Without the environment variable MODECONN_DATA scikit-learn's 8x8 digits take the place of the sets that need it.

    Example:
        >>> available_datasets(["digits"])
        (('digits',), '')
    """
    missing = [name for name in names if name not in EMBEDDED]
    if not missing or os.environ.get("MODECONN_DATA"):
        return tuple(names), ""
    kept = tuple(dict.fromkeys(name if name in EMBEDDED else FALLBACK for name in names))
    note = f"MODECONN_DATA is not set: {FALLBACK} stands in for {', '.join(missing)}; set it to the data folder."
    return kept, note


def principal_components(data: Dataset, count: int | None) -> Dataset:
    """Return the data on their first ``count`` principal components, scaled to unit mean square, with a bias column."""
    X = data.X - data.X.mean(0)
    if count is not None:
        if not 1 <= count <= min(X.shape):
            raise InputError(f"{data.name}: expected 1 to {min(X.shape)} principal components, found {count}")
        left, values, _ = np.linalg.svd(X, full_matrices=False)
        X = left[:, :count] * values[:count]
    scale = np.sqrt(np.mean(X**2))
    return Dataset(X / scale, data.Y, f"{data.name}[components={count}]", data.task).with_bias_column()


@in_float64
def star_centre_study(settings: StarCentreSettings, reporter: Reporter = SILENT) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the study: feet, a centre for each alignment, and the paths between all pairs of feet.

    Args:
        settings: the study.
        reporter: is told of every data set and loss.

    Returns:
        ``nets`` (a row a foot or centre: loss per data point, accuracy, distance to the centre), ``pairs`` (a row for
        each pair, alignment and path: barrier above the linear baseline per data point, its method, NGD ratio),
        ``curves`` (the loss along the paths of the first pair), ``legs`` (the loss from the centre to each foot).

    Raises:
        InputError: data that cannot be had.
    """
    names, note = available_datasets(settings.datasets)
    tasks = [(name, loss) for name in names for loss in settings.losses]
    tables: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    title = f"star centre ({note})" if note else "star centre"
    reporter.start(title, len(tasks))
    for name, loss in tasks:
        data = principal_components(load_dataset(name, n=settings.rows, seed=settings.seed), settings.components)
        label = {"dataset": name, "loss_name": loss, "data": data.name, "note": note, "width": settings.width}
        for alignment in aligned_feet(_trained(settings, data, loss)):
            for table, rows in _measured(settings, data, loss, alignment).items():
                tables[table] += [label | {"alignment": alignment.name} | row for row in rows]
        reporter.advance(title)
    reporter.finish(title)
    return tables


def _trained(settings: StarCentreSettings, data: Dataset, loss: str) -> list[Net]:
    fleet = Fleet.grid(
        optimizers=["adamw"],
        learning_rates=[0.01],
        weight_decays=[0.0],
        widths=[settings.width],
        seeds=range(settings.feet),
    )
    result = train_fleet(
        fleet, data.X, data.Y, loss, settings.steps, schedule="cosine", base_seed=settings.seed, padding="largest"
    )
    if result.diverged.any():
        raise InputError(f"{data.name}: {int(result.diverged.sum())} of the feet diverged; train with a lower rate")
    return [jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), unstack(result, i)) for i in range(settings.feet)]


def _measured(
    settings: StarCentreSettings, data: Dataset, loss: str, alignment: Alignment
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table for one alignment of the feet."""
    feet = alignment.feet
    centre = learn_centre(feet, data.X, data.Y, loss, settings.centre_steps, seed=settings.seed)
    nets = [{"net": f"foot {i}", **_state(net, centre, data, loss)} for i, net in enumerate(feet)]
    nets.append({"net": "centre", **_state(centre, centre, data, loss)})
    pairs, curves = [], []
    for i, j in combinations(range(len(feet)), 2):
        for path, knots in (("segment", [feet[i], feet[j]]), ("fold-line", [feet[i], centre, feet[j]])):
            found = measure_chain(knots, data.X, data.Y, loss)
            row = {"path": path, "foot_a": i, "foot_b": j, "method": found.method}
            row |= {"distance": distance(feet[i], feet[j]), "ngd": normalised_length(knots)}
            per_point = {key: getattr(found, key) / data.n for key in ("barrier", "max_loss", "loss_start", "loss_end")}
            pairs.append(row | per_point)
            if (i, j) == (0, 1):
                curves.append(row | _per_point(chain_curve(knots, data.X, data.Y, loss), data.n))
    legs = [
        {"foot": i, **_per_point(chain_curve([centre, foot], data.X, data.Y, loss), data.n)}
        for i, foot in enumerate(feet)
    ]
    return {"nets": nets, "pairs": pairs, "curves": curves, "legs": legs}


def _per_point(curve: dict[str, Any], n: int) -> dict[str, Any]:
    return {"t": curve["t"], "loss": (np.asarray(curve["loss"]) / n).tolist()}


def _state(net: Net, centre: Net, data: Dataset, loss: str) -> dict[str, Any]:
    """Return how good a net is and how far from the centre."""
    right = np.argmax(predict(net, data.X), axis=1) == np.argmax(data.Y, axis=1)
    return {
        "loss": float(net_loss(loss_from_name(loss), net, data.X, data.Y)) / data.n,
        "accuracy": float(right.mean()),
        "distance_to_centre": distance(net, centre),
    }
