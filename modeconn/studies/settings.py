"""What a study of trained nets consists of, and how much of it each profile runs."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

from modeconn.errors import InputError
from modeconn.io import dumps

__all__ = ["HYPERPARAMETERS", "STUDY_PROFILES", "StudySettings"]

HYPERPARAMETERS: dict[str, tuple[float, float]] = {"adamw": (0.03, 1.0), "lion": (0.01, 1.0), "muon": (0.1, 0.3)}
"""Optimizer -> (learning rate at the start, weight decay lam): picked by eye from three rates and decays at width 32,
seeds 0 and 1, for a low training loss with lam ||W|| not far from 1, so that the regions matter. The study uses these
seeds too: read its losses as those of tuned runs."""


@dataclass(frozen=True)
class StudySettings:
    """A study: nets of every optimizer, width and seed on every data set, and the barriers between them.

    Attributes:
        datasets: (name, number of rows kept or ``None`` for all).
        optimizers: keys of :data:`HYPERPARAMETERS`.
        widths: hidden widths.
        seeds: number of seeds; nets of one seed and width start from the same weights.
        steps: of full-batch training, learning rate decayed to zero by a cosine.
        certified_width: barriers of nets this wide, one pair for each pair of optimizers, are enclosed in rational
            arithmetic as well.
        seed: of everything.
    """

    datasets: tuple[tuple[str, int | None], ...] = (("breast_cancer", None), ("digits", 500))
    optimizers: tuple[str, ...] = ("adamw", "lion", "muon")
    widths: tuple[int, ...] = (8, 32, 128)
    seeds: int = 4
    steps: int = 600
    certified_width: int = 8
    seed: int = 0
    learning: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(HYPERPARAMETERS))

    def __post_init__(self) -> None:
        if self.seeds < 2:
            raise InputError(f"study: expected at least 2 seeds to have pairs of nets, found {self.seeds}")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self)

    def digest(self) -> str:
        """Return a digest of the settings: parts of another study are never taken for parts of this one."""
        return hashlib.sha256(dumps(self.to_json()).encode()).hexdigest()[:16]


STUDY_PROFILES: dict[str, StudySettings] = {
    "quick": StudySettings(),
    "ci": StudySettings(widths=(8, 32), seeds=3, steps=300),
    "deep": StudySettings(
        datasets=(("breast_cancer", None), ("digits", None), ("diabetes", None)),
        widths=(8, 16, 32, 64, 128, 256, 512),
        seeds=10,
        steps=3000,
    ),
}
"""Profile of ``modeconn verify`` -> size of its study."""
