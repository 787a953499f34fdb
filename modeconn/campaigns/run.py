"""Running a campaign: shards out, tallies in, each written as it comes; a lost worker costs its shard's time only."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from modeconn.campaigns.engine import Engine
from modeconn.campaigns.family import FAMILIES
from modeconn.campaigns.shards import Shard, ShardStore, locked, missing_shards
from modeconn.campaigns.spec import Spec
from modeconn.campaigns.summary import Summary, summarise
from modeconn.campaigns.tally import Tally, total
from modeconn.errors import InputError
from modeconn.precision import float64
from modeconn.reporter import SILENT, Reporter

__all__ = ["CampaignRun", "Worked", "run_campaign", "run_shard"]

LOSSES = 3
"""A shard that was in work so often when a worker died is not tried again."""

AHEAD = 2
"""Shards handed out for each worker: one in work, one waiting."""


class Worked(NamedTuple):
    """A shard that is done, as it travels back.

    Attributes:
        tally: what was found, as JSON values.
        seconds: of the worker, by the clock.
        cpu_seconds: of the worker's process, all its threads.
    """

    tally: dict[str, Any]
    seconds: float
    cpu_seconds: float


def run_shard(family: str, parameters: dict[str, Any], start: int, stop: int, seed: int) -> Worked:
    """Return what a shard shows; what travels to a worker.

    An instance on which the check raises is undecided there, with its message; the others go on.

    Raises:
        InputError: an instance of this size does not fit in memory.
    """
    clock, processor = time.perf_counter(), time.process_time()
    found = FAMILIES[family]
    blocks = range(start // found.grain, -(-stop // found.grain))
    try:
        with float64():
            tally = total(found.run_block(parameters, block, seed) for block in blocks).to_json()
    except MemoryError as error:
        raise InputError(
            f"{family} with {parameters}: {error or 'out of memory'}; finished shards are kept: make the instances "
            "smaller, or go on with --resume where there is more memory"
        ) from error
    return Worked(tally, time.perf_counter() - clock, time.process_time() - processor)


@dataclass
class CampaignRun:
    """What became of a run.

    Attributes:
        summary: over everything that is done, earlier runs included.
        seconds: of this run.
        instances: worked on in this run.
        lost: shards that a dead worker took with it and that were done again.
        busy: seconds that the workers spent on shards, added up; what is missing to ``jobs * seconds`` they waited,
            for their start above all.
        cpu: processor seconds that they spent on shards, added up.
        damaged: shard files that were put aside and done again.
    """

    summary: Summary
    seconds: float
    instances: int
    lost: int
    busy: float = 0.0
    cpu: float = 0.0
    damaged: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Instances a second in this run."""
        return self.instances / self.seconds if self.seconds > 0 else 0.0


def run_campaign(
    spec: Spec,
    folder: Path,
    engine: Engine,
    *,
    jobs: int = 1,
    shard: int | None = None,
    resume: bool = False,
    reporter: Reporter = SILENT,
) -> CampaignRun:
    """Return the summary of a campaign, worked to its end.

    What is found depends on the spec alone: not on the engine, the number of workers, the size of the shards, the order
    they are done in, or how often the run was interrupted.

    Args:
        spec: what to try.
        folder: shards, summary and lock; a folder serves one campaign at a time.
        engine: see :func:`modeconn.campaigns.engine_from_name`.
        jobs: workers of the engine, to keep them fed.
        shard: instances in a shard, the unit that is lost when the power goes; ``None``: the family's own number.
        resume: go on in a folder that holds shards of this campaign.
        reporter: told about progress, in instances.

    Raises:
        InputError: the folder is in use or holds another campaign, a full disk (what is written stays), instances that
            do not fit in memory, or a shard at which workers died :data:`LOSSES` times.
    """
    if shard is not None and shard < 1:
        raise InputError(f"expected at least one instance in a shard, found {shard}")
    with locked(folder):
        store = ShardStore(folder, spec)
        store.begin(resume)
        done = store.load()
        todo = missing_shards(spec, done, shard, jobs)
        start = time.perf_counter()
        reporter.start(spec.name, spec.instances)
        reporter.advance(spec.name, sum(stop - at for ranges in done.values() for at, stop in ranges))
        run = CampaignRun(summarise(spec, done), 0.0, 0, 0, damaged=store.damaged)
        for item, worked in _worked(todo, spec.seed, engine, jobs):
            if worked is None:
                run.lost += 1
                continue
            tally = Tally.from_json(worked.tally)
            store.save(item, tally)
            done.setdefault(item.cell.id, {})[item.start, item.stop] = tally
            run.instances += item.stop - item.start
            run.busy += worked.seconds
            run.cpu += worked.cpu_seconds
            reporter.advance(spec.name, item.stop - item.start)
        reporter.finish(spec.name)
        run.seconds = time.perf_counter() - start
        run.summary = summarise(spec, done)
        return run


def _worked(todo: Iterator[Shard], seed: int, engine: Engine, jobs: int) -> Iterator[tuple[Shard, Worked | None]]:
    """Yield shards with what they show as they come; ``None`` for one that was lost and will be done again."""
    again: list[Shard] = []
    losses: Counter[str] = Counter()
    while True:
        broken, settled = False, 0
        with engine() as executor:
            pending: dict[Future[Any], Shard] = {}
            while True:
                broken = broken or not _feed(executor, pending, again, todo, seed, AHEAD * jobs)
                if not pending:
                    break
                wait(pending, return_when=FIRST_COMPLETED)
                for future in [future for future in pending if future.done()]:  # in the order handed out
                    item = pending.pop(future)
                    settled += 1
                    if _is_lost(future):
                        broken = True
                        again.append(item)
                        losses[item.id] += 1
                        yield item, None
                    else:
                        yield item, Worked(*future.result())
        if not broken:
            return
        if not settled:
            raise InputError("the engine takes no work; finished shards are kept: go on with --resume once it does")
        worst, count = losses.most_common(1)[0] if losses else ("", 0)
        if count >= LOSSES:
            raise InputError(
                f"workers died {count} times while shard {worst} was in work (out of memory?); finished shards are "
                "kept: go on with --resume, with fewer --jobs or a smaller --shard"
            )


def _feed(
    executor: Executor,
    pending: dict[Future[Any], Shard],
    again: list[Shard],
    todo: Iterator[Shard],
    seed: int,
    limit: int,
) -> bool:
    """Hand out shards until ``limit`` are out; return whether the executor still takes work."""
    while len(pending) < limit:
        item = again.pop(0) if again else next(islice(todo, 1), None)
        if item is None:
            return True
        arguments = (item.cell.family, dict(item.cell.parameters), item.start, item.stop, seed)
        try:
            pending[executor.submit(run_shard, *arguments)] = item
        except (BrokenProcessPool, RuntimeError):  # a worker has died: nothing more goes in
            again.insert(0, item)
            return False
    return True


def _is_lost(future: Future[Any]) -> bool:
    """Return whether the worker died, as against the work raised."""
    if future.cancelled():  # with its scheduler
        return True
    error = future.exception()
    return isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker"
