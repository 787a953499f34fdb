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
from typing import Any

from modeconn.campaigns.engine import Engine
from modeconn.campaigns.family import FAMILIES
from modeconn.campaigns.shards import Shard, ShardStore, locked, missing_shards
from modeconn.campaigns.spec import Spec
from modeconn.campaigns.summary import Summary, summarise
from modeconn.campaigns.tally import Tally, total
from modeconn.errors import InputError
from modeconn.precision import float64
from modeconn.reporter import SILENT, Reporter

__all__ = ["CampaignRun", "run_campaign", "run_shard"]

LOSSES = 3
"""A shard that was in work so often when a worker died is not tried again."""

AHEAD = 2
"""Shards handed out for each worker: one in work, one waiting."""


def run_shard(family: str, parameters: dict[str, Any], start: int, stop: int, seed: int) -> dict[str, Any]:
    """Return the tally of a shard as JSON values; what travels to a worker.

    An instance on which the check raises is undecided there, with its message; the others go on.

    Raises:
        InputError: an instance of this size does not fit in memory.
    """
    found = FAMILIES[family]
    blocks = range(start // found.grain, -(-stop // found.grain))
    try:
        with float64():
            return total(found.run_block(parameters, block, seed) for block in blocks).to_json()
    except MemoryError as error:
        raise InputError(
            f"{family} with {parameters}: {error or 'out of memory'}; finished shards are kept: make the instances "
            "smaller, or go on with --resume where there is more memory"
        ) from error


@dataclass
class CampaignRun:
    """What became of a run.

    Attributes:
        summary: over everything that is done, earlier runs included.
        seconds: of this run.
        instances: worked on in this run.
        lost: shards that a dead worker took with it and that were done again.
        damaged: shard files that were put aside and done again.
    """

    summary: Summary
    seconds: float
    instances: int
    lost: int
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
    shard: int = 20_000,
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
        shard: instances in a shard; the unit that is lost when the power goes.
        resume: go on in a folder that holds shards of this campaign.
        reporter: told about progress, in instances.

    Raises:
        InputError: the folder is in use or holds another campaign, a full disk (what is written stays), instances that
            do not fit in memory, or a shard at which workers died :data:`LOSSES` times.
    """
    if shard < 1:
        raise InputError(f"expected at least one instance in a shard, found {shard}")
    with locked(folder):
        store = ShardStore(folder, spec)
        store.begin(resume)
        done = store.load()
        todo = missing_shards(spec, done, shard)
        start = time.perf_counter()
        reporter.start(spec.name, spec.instances)
        reporter.advance(spec.name, sum(stop - at for ranges in done.values() for at, stop in ranges))
        worked, lost = 0, 0
        for item, tally in _worked(todo, spec.seed, engine, jobs):
            if tally is None:
                lost += 1
                continue
            store.save(item, tally)
            done.setdefault(item.cell.id, {})[item.start, item.stop] = tally
            worked += item.stop - item.start
            reporter.advance(spec.name, item.stop - item.start)
        reporter.finish(spec.name)
        seconds = time.perf_counter() - start
        return CampaignRun(summarise(spec, done), seconds, worked, lost, store.damaged)


def _worked(todo: Iterator[Shard], seed: int, engine: Engine, jobs: int) -> Iterator[tuple[Shard, Tally | None]]:
    """Yield shards with their tallies as they come; ``None`` for one that was lost and will be done again."""
    again: list[Shard] = []
    losses: Counter[str] = Counter()
    while True:
        broken = False
        with engine() as executor:
            pending: dict[Future[Any], Shard] = {}
            while True:
                broken = broken or not _feed(executor, pending, again, todo, seed, AHEAD * jobs)
                if not pending:
                    break
                wait(pending, return_when=FIRST_COMPLETED)
                for future in [future for future in pending if future.done()]:  # in the order handed out
                    item = pending.pop(future)
                    if _is_lost(future):
                        broken = True
                        again.append(item)
                        losses[item.id] += 1
                        yield item, None
                    else:
                        yield item, Tally.from_json(future.result())
        if not broken:
            return
        worst, count = losses.most_common(1)[0]
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
    error = future.exception()
    return isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker"
