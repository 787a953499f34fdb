"""The second half of the search: witnesses on which trained nets really end where the regions say.

Small fleets measure how often AdamW and Muon reach zero loss in the predicted orbit. Witnesses from the search, best
score first, alternate with changes of the ones that train best.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modeconn.errors import InputError
from modeconn.io import write_json
from modeconn.reporter import SILENT, Reporter
from modeconn.studies.witness import Witness, examine
from modeconn.studies.witness_fleet import FleetSettings, OrbitsAtLevel, best_fractions
from modeconn.studies.witness_search import Data, SearchSettings, classify_data, data_of, mutate_problem
from modeconn.topology import problem_from_json

__all__ = ["RANKING", "TrainedWitness", "climb_by_training", "rank"]

RANKING = FleetSettings(optimizers=("adamw", "muon"), rates=(0.1, 0.3, 1.0), inits=("he",), tuning_seeds=48, steps=2000)
"""The small fleets by which witnesses are ranked."""

MAJORITY = 0.5

PARENTS = 8
"""Changes are made to one of so many best ones."""

LEAST_GAP = 1.04
"""Changes with a smaller gap are not trained."""

ATTEMPTS = 400
"""Changes drawn before a step gives up."""

STATE = "trained.json"


@dataclass(frozen=True)
class TrainedWitness:
    """A witness and, for each optimizer, the largest fraction of runs that ended in the predicted orbit."""

    witness: Witness
    fractions: dict[str, float]

    @property
    def least(self) -> float:
        """The fraction of the least successful optimizer."""
        return min(self.fractions.values())

    @property
    def has_majority(self) -> bool:
        """Whether more than half of the runs of every optimizer end in the predicted orbit."""
        return self.least > MAJORITY


def rank(trained: Sequence[TrainedWitness]) -> list[TrainedWitness]:
    """Return those with a majority first, by score; the others by the fraction of the least successful optimizer."""

    def key(entry: TrainedWitness) -> tuple[bool, float, float]:
        return (not entry.has_majority, 0.0 if entry.has_majority else -entry.least, -entry.witness.score)

    return sorted(trained, key=key)


def climb_by_training(
    witnesses: Sequence[Witness],
    settings: SearchSettings,
    seconds: float,
    *,
    steps: int | None = None,
    fleets: FleetSettings = RANKING,
    folder: Path | None = None,
    resume: bool = False,
    reporter: Reporter = SILENT,
    clock: Callable[[], float] = time.monotonic,
) -> list[TrainedWitness]:
    """Return the witnesses that were trained, ranked (see :func:`rank`).

    The steps do not depend on the budget, which only decides how many there are; the state is written after each.

    Args:
        witnesses: from the search, best first.
        settings: of the search; changes stay within them.
        seconds: budget; at least one witness is trained.
        steps: stop after so many.
        fleets: the small fleets.
        folder: where the state is kept.
        resume: count what the folder holds as trained already.
        reporter: is told seconds spent.
        clock: of the budget.
    """
    trained = _load(folder, settings) if resume else {}
    rng = random.Random(f"{settings.seed}/climb/{len(trained)}")
    waiting = [w for w in witnesses if data_of(w) not in trained]
    start, told, made = clock(), 0, 0
    reporter.start("training", max(1, int(seconds)))
    while (steps is None or made < steps) and (made == 0 or clock() - start < seconds):
        made += 1
        ranked = rank(list(trained.values()))
        chosen = None
        if made % 2 == 0 or not waiting:
            chosen = _change(ranked[:PARENTS], settings, rng, trained)
        if chosen is None:
            if not waiting:
                break
            chosen = waiting.pop(0)
        trained[data_of(chosen)] = _train(chosen, fleets)
        if folder is not None:
            write_json(folder / STATE, _to_json(settings, rank(list(trained.values()))))
        spent = min(int(clock() - start), max(1, int(seconds)))
        reporter.advance("training", spent - told)
        told = spent
    reporter.finish("training")
    return rank(list(trained.values()))


def _train(witness: Witness, fleets: FleetSettings) -> TrainedWitness:
    try:
        orbits = OrbitsAtLevel.of(witness)
    except InputError:  # what cannot be certified cannot be trained on either
        return TrainedWitness(witness, dict.fromkeys(fleets.optimizers, 0.0))
    return TrainedWitness(witness, best_fractions(witness, fleets, orbits))


def _change(
    parents: Sequence[TrainedWitness], settings: SearchSettings, rng: random.Random, known: dict[Data, TrainedWitness]
) -> Witness | None:
    """Return a new witness that differs from a parent in an entry or two, ``None`` if none turned up."""
    if not parents:
        return None
    for _ in range(ATTEMPTS):
        data = mutate_problem(data_of(rng.choice(parents).witness), settings, rng)
        if data is None or data in known:
            continue
        _, found = classify_data(data, settings.width)
        if found is not None and min(found.gaps.values()) >= LEAST_GAP:
            return found
    return None


def _to_json(settings: SearchSettings, trained: Sequence[TrainedWitness]) -> dict[str, Any]:
    return {
        "schema": "modeconn.witness-training/1",
        "settings": settings.to_json(),
        "trained": [{"fractions": t.fractions, "witness": t.witness.to_json()} for t in trained],
    }


def _load(folder: Path | None, settings: SearchSettings) -> dict[Data, TrainedWitness]:
    path = (folder or Path()) / STATE
    if folder is None or not path.exists():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        same = data["settings"] == settings.to_json()
        entries = [(problem_from_json(e["witness"]["problem"]), dict(e["fractions"])) for e in data["trained"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: expected the state of a search, found {error}; leave --resume out") from error
    if not same:
        raise InputError(f"{path}: expected a search with the same settings, found another; leave --resume out")
    trained = {}
    for problem, fractions in entries:
        witness = examine(problem, settings.width)
        if witness is not None:
            trained[data_of(witness)] = TrainedWitness(witness, fractions)
    return trained
