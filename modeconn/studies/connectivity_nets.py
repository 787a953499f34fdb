"""Fleets of wide nets on small data, and the least region that holds some of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import jax
import numpy as np

from modeconn.constructions import Ball, WideRegion, functionals_of
from modeconn.data import Dataset, load_dataset
from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.studies.settings import HYPERPARAMETERS
from modeconn.studies.star_centre import principal_components
from modeconn.train import Fleet, train_fleet, unstack

__all__ = ["DataCase", "TrainedNets", "functionals", "load_case", "region_of", "train_case"]

NORM_OF: Mapping[str, str] = {"adamw": "linf", "lion": "linf", "muon": "spectral"}
"""Optimizer -> the norm whose ball of radius 1/lambda its decay holds the leaves in."""

PLACES = 6
"""Radii are rounded up to so many decimals."""


@dataclass(frozen=True)
class DataCase:
    """Data small enough for nets wider than N.

    Attributes:
        name: of the case.
        source: as in :func:`modeconn.data.load_dataset`.
        widths: of the nets, from below to above the thresholds.
        rows: data points kept (``None``: all).
        components: principal components kept, scaled to unit mean square, with a bias column; ``None``: inputs as
            they are.
        classes: classes kept (``None``: all).
    """

    name: str
    source: str
    widths: tuple[int, ...]
    rows: int | None = None
    components: int | None = None
    classes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise InputError(f"{self.name}: expected widths >= 1, found {self.widths}")


@dataclass(frozen=True)
class TrainedNets:
    """Nets of one case, in float64.

    Attributes:
        data: the data.
        nets: (optimizer, width) -> one net a seed; a net that diverged is left out.
        diverged: number of nets left out.
    """

    data: Dataset
    nets: Mapping[tuple[str, int], Sequence[Net]]
    diverged: int

    @property
    def zero_loss(self) -> float:
        """Return half the squared norm of Y, the loss of the zero net: the unit of all losses and barriers."""
        return 0.5 * float(np.sum(self.data.Y**2))


def load_case(case: DataCase, seed: int = 0) -> Dataset:
    """Return the data of a case; ``seed`` draws the rows.

    Example:
        >>> data = load_case(DataCase("bc", "breast_cancer", (8,), rows=16, components=3))
        >>> data.X.shape, data.Y.shape
        ((16, 4), (16, 1))
    """
    data = load_dataset(case.source, n=case.rows, seed=seed, classes=case.classes)
    return data if case.components is None else principal_components(data, case.components)


def train_case(case: DataCase, optimizers: Sequence[str], seeds: int, steps: int, seed: int = 0) -> TrainedNets:
    """Return ``seeds`` nets for each optimizer and width, trained on the half squared error with weight decay.

    Rates and decays are those of :data:`modeconn.studies.HYPERPARAMETERS`, the rate decayed by a cosine; float32.
    """
    data = load_case(case, seed)
    parts = []
    for name in optimizers:
        rate, decay = HYPERPARAMETERS[name]
        grid = {"learning_rates": [rate], "weight_decays": [decay], "widths": case.widths, "seeds": range(seeds)}
        parts.append(Fleet.grid(optimizers=[name], **grid))  # type: ignore[arg-type]
    fleet = Fleet.concat(*parts)
    result = train_fleet(fleet, data.X, data.Y, steps=steps, schedule="cosine", base_seed=seed, padding="largest")
    nets: dict[tuple[str, int], list[Net]] = {(o, m): [] for o in optimizers for m in case.widths}
    for i in np.flatnonzero(~result.diverged).tolist():
        net = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), unstack(result, i))
        nets[fleet.optimizer[i], int(fleet.width[i])].append(net)
    return TrainedNets(data, nets, int(result.diverged.sum()))


def region_of(optimizers: Iterable[str], nets: Iterable[Net]) -> WideRegion:
    """Return the region in which nets of these optimizers are to be joined, a ball for each leaf.

    One norm for all of them: the box if each of the optimizers has it and there is one output, the spectral ball
    otherwise. Radius: the largest norm of the leaf among the nets, and no less than 1 / lambda where the ball is the
    optimizers' own; rounded up.

    Example:
        >>> net = Net(np.array([[3.0, 4.0]]), np.array([[0.5, 0.5]]))
        >>> str(region_of(["muon"], [net])), str(region_of(["adamw"], [net]))
        ('spectral:5 (W) & spectral:3.33333 (A)', 'linf:4 (W) & linf:1 (A)')
    """
    names, members = sorted(set(optimizers)), [(np.asarray(net.W), np.asarray(net.A)) for net in nets]
    if not members:
        raise InputError("region: expected at least one net, found none; train some that do not diverge")
    own = {NORM_OF[name] for name in names}
    norm = "linf" if own == {"linf"} and members[0][1].shape[0] == 1 else "spectral"
    least = max(1.0 / HYPERPARAMETERS[name][1] for name in names) if own == {norm} else 0.0
    balls = []
    for leaf in ("W", "A"):
        unit = Ball(leaf, norm, Fraction(1))
        radius = max(least, *(unit.value(W, A) for W, A in members))
        balls.append(Ball(leaf, norm, Fraction(math.ceil(radius * 10**PLACES), 10**PLACES)))
    return WideRegion(tuple(balls))


def functionals(region: WideRegion, data: Dataset) -> int | None:
    """Return N, the number of functionals of theory W1, ``None`` for a box (W4 has live counts instead)."""
    return functionals_of(region).count(data.n, data.d, data.c) if region.kind == "gram" else None
