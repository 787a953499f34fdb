"""Search for witnesses of claim N6 among problems with small integer entries.

Rounds of draws: fresh problems (targets of a random net, or random targets), and changes of an entry of the best
witnesses so far, or of near misses (zero loss in several orbits that both norms meet in the same order) while witnesses
are few. Each is tested cheaply first: which cells hold zero loss, and whether they form more than one orbit; only then
come gauges and barriers. Problems that differ by the order of the data, by permutations and signs of the inputs, or by
the sign of the targets (both norms ignore them) are one.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from modeconn.errors import InputError
from modeconn.io import write_json
from modeconn.reporter import SILENT, Reporter
from modeconn.studies.witness import Witness, examine
from modeconn.topology import CellComplex, Problem, level_set_topology, problem_from_json
from modeconn.topology.level_set import join_level_set

__all__ = ["SearchResult", "SearchSettings", "canonical_data", "search_witnesses"]

Data = tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]
"""Integer X (rows) and y."""

TASKS = 8
"""Tasks of a round, whatever the number of processes: the search does not depend on it."""

DRAWS = 60
"""Problems drawn by a task."""

KEPT = 40
"""Witnesses kept: the best by score, and before them those that no other beats in gap and barrier both."""

STATE = "search.json"


@dataclass(frozen=True)
class SearchSettings:
    """Where to search.

    Attributes:
        d: inputs.
        width: m.
        sizes: numbers n of data points.
        entries: largest absolute value of an entry of X and y.
        seed: of all random choices.
    """

    d: int = 2
    width: int = 2
    sizes: tuple[int, ...] = (3, 4, 5)
    entries: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("d", "width", "entries"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: expected at least 1, found {getattr(self, name)}")
        if not self.sizes or min(self.sizes) < 1:
            raise InputError(f"n: expected numbers of data points >= 1, found {list(self.sizes)}")
        different = (2 * self.entries + 1) ** self.d - 1
        if max(self.sizes) > different:
            raise InputError(
                f"n: expected at most {different} different points with entries up to {self.entries}, found "
                f"{max(self.sizes)}; raise --entries or lower --n"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the settings."""
        return {**vars(self), "sizes": list(self.sizes)}


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        witnesses: best score first.
        rounds: rounds finished.
        drawn: problems drawn.
        several_orbits: those with zero loss in more than one orbit.
        near_misses: those where the two norms meet the same orbit first, or two orbits at once.
    """

    witnesses: tuple[Witness, ...]
    rounds: int
    drawn: int
    several_orbits: int
    near_misses: int


def canonical_data(X: Sequence[Sequence[int]], y: Sequence[int]) -> Data:
    """Return the least form of the data over orders of the points, permutations and signs of the inputs, sign of y.

    Example:
        >>> canonical_data([(0, 1), (2, 0)], (5, 7)) == canonical_data([(-2, 0), (0, 1)], (-7, -5))
        True
    """
    d = len(X[0])

    def moved(row: Sequence[int], order: Sequence[int], signs: Sequence[int]) -> tuple[int, ...]:
        return tuple(s * row[k] for s, k in zip(signs, order, strict=True))

    forms = (
        tuple(sorted((moved(row, order, signs), t * v) for row, v in zip(X, y, strict=True)))
        for order in itertools.permutations(range(d))
        for signs in itertools.product((1, -1), repeat=d)
        for t in (1, -1)
    )
    best = min(forms)
    return tuple(row for row, _ in best), tuple(v for _, v in best)


def draw_problem(settings: SearchSettings, rng: random.Random) -> Data | None:
    """Return random data; every second time the targets are those of a random net. ``None`` if the draw is no use."""
    n, e = rng.choice(settings.sizes), settings.entries
    X = [tuple(rng.randint(-e, e) for _ in range(settings.d)) for _ in range(n)]
    if rng.random() < 0.5:
        net = [([rng.randint(-e, e) for _ in range(settings.d)], rng.choice((1, -1))) for _ in range(settings.width)]
        y = [sum(s * max(0, sum(a * b for a, b in zip(x, u, strict=True))) for u, s in net) for x in X]
    else:
        y = [rng.randint(-e, e) for _ in range(n)]
    return _usable(X, y, e)


def mutate_problem(data: Data, settings: SearchSettings, rng: random.Random) -> Data | None:
    """Return data with one or two entries changed, or with a point added or dropped; ``None`` if it is no use."""
    X, y, e = [list(row) for row in data[0]], list(data[1]), settings.entries
    change = rng.random()
    if change < 0.1 and len(y) + 1 in settings.sizes:
        X.append([rng.randint(-e, e) for _ in range(settings.d)])
        y.append(rng.randint(-e, e))
    elif change < 0.2 and len(y) - 1 in settings.sizes:
        k = rng.randrange(len(y))
        del X[k], y[k]
    else:
        for _ in range(rng.choice((1, 1, 2))):
            i, k = rng.randrange(len(y)), rng.randint(0, settings.d)
            if k == settings.d:
                y[i] = rng.randint(-e, e)
            else:
                X[i][k] = rng.randint(-e, e)
    return _usable(X, y, e)


def _usable(X: Sequence[Sequence[int]], y: Sequence[int], entries: int) -> Data | None:
    """Return the canonical data unless a point is zero or occurs twice, all targets are zero, or one is too large."""
    rows = [tuple(row) for row in X]
    if len(set(rows)) < len(rows) or not all(map(any, rows)) or not any(y) or max(map(abs, y)) > entries:
        return None
    return canonical_data(rows, y)


def classify_data(data: Data, width: int) -> tuple[str, Witness | None]:
    """Return what data are: ``"one orbit"`` (or no zero loss), ``"near miss"`` or ``"witness"``, and the witness."""
    problem = Problem(tuple(tuple(Fraction(v) for v in row) for row in data[0]), tuple(Fraction(v) for v in data[1]))
    cells = CellComplex(problem, width)
    joined, _ = join_level_set(cells, Fraction(0))
    if len(joined.roots()) < 2:
        return "one orbit", None
    found = examine(level_set_topology(cells))
    return ("near miss", None) if found is None else ("witness", found)


def _perform(settings: SearchSettings, round_: int, task: int, best: Sequence[Data]) -> dict[str, Any]:
    """Draw and test; the answer depends on the arguments alone."""
    rng = random.Random(f"{settings.seed}/{round_}/{task}")
    counts = {"drawn": 0, "one orbit": 0, "near miss": 0, "witness": 0}
    found: dict[Data, Witness] = {}
    near: list[Data] = []
    seen = set(best)
    for _ in range(DRAWS):
        if best and rng.random() < 0.6:
            data = mutate_problem(rng.choice(best), settings, rng)
        else:
            data = draw_problem(settings, rng)
        counts["drawn"] += 1
        if data is None or data in seen:
            continue
        seen.add(data)
        kind, witness = classify_data(data, settings.width)
        counts[kind] += 1
        if witness is not None:
            found[data] = witness
        elif kind == "near miss":
            near.append(data)
    return {"counts": counts, "found": found, "near": near}


def select(witnesses: Sequence[Witness], kept: int = KEPT) -> list[Witness]:
    """Return the best witnesses by score; those that none beats in both gap and barrier are kept first."""
    ranked = sorted(witnesses, key=lambda w: (-w.score, len(w.problem.y), w.problem.X, w.problem.y))
    front: list[Witness] = []
    best = -1.0
    for w in sorted(ranked, key=lambda w: (-min(w.gaps.values()), -w.relative_barrier)):
        if w.relative_barrier > best:
            front.append(w)
            best = w.relative_barrier
    chosen = {id(w) for w in [*front, *ranked][:kept]} | {id(w) for w in ranked[: max(0, kept - len(front))]}
    return [w for w in ranked if id(w) in chosen]


def data_of(witness: Witness) -> Data:
    """Return the canonical integer data of a witness."""
    X = [[int(v) for v in row] for row in witness.problem.X]
    return canonical_data(X, [int(v) for v in witness.problem.y])


def search_witnesses(
    settings: SearchSettings,
    seconds: float,
    *,
    jobs: int = 1,
    rounds: int | None = None,
    folder: Path | None = None,
    resume: bool = False,
    reporter: Reporter = SILENT,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Return the witnesses found within a budget.

    The rounds are the same for any number of processes; the budget only decides how many there are. After each round
    the state is written, so an interrupted search loses at most one round and ``resume`` goes on from there.

    Args:
        settings: where to search.
        seconds: budget; at least one round is made.
        jobs: processes.
        rounds: stop after so many rounds in all.
        folder: where the state is kept.
        resume: go on from the state in the folder.
        reporter: is told seconds spent.
        clock: of the budget.

    Raises:
        InputError: the problems are too large, or the state is that of other settings.
    """
    state = _State(settings, folder)
    if resume:
        state.load()
    start, told = clock(), 0
    reporter.start("search", max(1, int(seconds)))
    try:
        with _executor(jobs) as run:
            while (rounds is None or state.rounds < rounds) and (told == 0 or clock() - start < seconds):
                state.add(list(run(settings, state.rounds, state.parents())))
                spent = min(int(clock() - start), max(1, int(seconds)))
                reporter.advance("search", spent - told)
                told = max(spent, 1)
    finally:
        reporter.finish("search")
    return state.result()


Runner = Callable[[SearchSettings, int, Sequence[Data]], Iterator[dict[str, Any]]]


@contextmanager
def _executor(jobs: int) -> Iterator[Runner]:
    """Give a function that performs the tasks of a round, here or in worker processes, results in order."""
    if jobs == 1:
        yield lambda settings, k, best: (_perform(settings, k, task, best) for task in range(TASKS))
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_ignore_interrupts) as pool:

        def run(settings: SearchSettings, k: int, best: Sequence[Data]) -> Iterator[dict[str, Any]]:
            return pool.map(_perform, [settings] * TASKS, [k] * TASKS, range(TASKS), [best] * TASKS)

        try:
            yield run
        except BaseException:
            _abandon(pool)
            raise


def _abandon(pool: ProcessPoolExecutor) -> None:
    pool.shutdown(wait=False, cancel_futures=True)


def _ignore_interrupts() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _State:
    """The search so far, on disk after every round."""

    def __init__(self, settings: SearchSettings, folder: Path | None) -> None:
        self.settings, self.folder = settings, folder
        self.rounds = 0
        self.counts = {"drawn": 0, "one orbit": 0, "near miss": 0, "witness": 0}
        self.witnesses: list[Witness] = []
        self.near: list[Data] = []

    def parents(self) -> list[Data]:
        """Return the data to be changed: witnesses, filled up with the latest near misses."""
        best = [data_of(w) for w in self.witnesses]
        return best + self.near[: max(0, KEPT - len(best))]

    def add(self, answers: Sequence[dict[str, Any]]) -> None:
        """Take in a round and write the state."""
        known = {data_of(w): w for w in self.witnesses}
        for answer in answers:
            known |= answer["found"]
            self.near = [*answer["near"], *self.near][:KEPT]
            for name, count in answer["counts"].items():
                self.counts[name] += count
        self.witnesses = select(list(known.values()))
        self.rounds += 1
        if self.folder is not None:
            write_json(self.folder / STATE, self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": "modeconn.witness-search/1",
            "settings": self.settings.to_json(),
            "rounds": self.rounds,
            "counts": self.counts,
            "near": self.near,
            "witnesses": [w.to_json() for w in self.witnesses],
        }

    def load(self) -> None:
        """Read the state; nothing happens where there is none."""
        path = (self.folder or Path()) / STATE
        if self.folder is None or not path.exists():
            return
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            same = data["settings"] == self.settings.to_json()
            self.rounds, self.counts = int(data["rounds"]), dict(data["counts"])
            self.near = [(tuple(tuple(row) for row in X), tuple(y)) for X, y in data["near"]]
            problems = [problem_from_json(entry["problem"]) for entry in data["witnesses"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: expected the state of a search, found {error}; leave --resume out") from error
        if not same:
            raise InputError(f"{path}: expected a search with the same settings, found another; leave --resume out")
        found = [examine(problem, self.settings.width) for problem in problems]
        self.witnesses = [w for w in found if w is not None]

    def result(self) -> SearchResult:
        several = self.counts["near miss"] + self.counts["witness"]
        return SearchResult(tuple(self.witnesses), self.rounds, self.counts["drawn"], several, self.counts["near miss"])
