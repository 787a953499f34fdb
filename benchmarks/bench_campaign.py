"""Campaigns on one worker and on two: instances a second, that both find the same, and what keeps the ratio below two.

    python benchmarks/bench_campaign.py [--quick] [--families NAME ...] [--json FILE]

The workers are started and have compiled before the clock runs; what that takes is given apart. The ratio of the rates
is 2 times three shares: ``work`` (processor seconds on one worker over those on two: below 1 where they are in each
other's way in caches and memory), ``core`` (how much of a core each of two workers got over what one got: below 1 where
the machine is busy with something else, or the parent needs the core) and ``fed`` (how much of the time they had a
shard). ``peers`` holds the same campaign in one process with all of XLA's threads as well.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import jax
from records import gate, options, record, write_records

from modeconn.campaigns import FAMILIES, Engine, InThisProcess, Spec, engine_from_name, run_campaign, run_shard
from modeconn.campaigns import spec_from_table as spec_of
from modeconn.errors import unknown_name

JOBS: dict[str, dict[str, Any]] = {
    "gram-reduction": {"n": 4, "d": 2, "instances": 120_000},
    "segment-barrier": {"n": 8, "d": 2, "width": 8, "instances": 120_000},
    "ball-contraction": {"rows": 2, "columns": 3, "potential": "nuclear", "instances": 1_200_000},
    "narrow-barrier": {"n": 4, "d": 2, "width": 2, "instances": 960},
    "claim": {"claim": "S1", "instances": 480},
    "trained-pair": {"optimizer": "muon", "width": 24, "n": 6, "d": 2, "instances": 320},
}
GOAL = 1.7
REPEATS = 3


class Profile(NamedTuple):
    """Where the time of a run went, in seconds.

    Attributes:
        seconds: by the clock.
        busy: of the workers on shards, added up.
        cpu: of the workers' processors.
        parent: of the parent's processor.
    """

    seconds: float
    busy: float
    cpu: float
    parent: float


def first_block(family: str, parameters: dict[str, Any]) -> int:
    """Do a block, so that everything is loaded and compiled; return which process did."""
    run_shard(family, parameters, 0, 1, 1)
    return os.getpid()


@contextmanager
def started(spec: Spec, jobs: int) -> Iterator[tuple[Executor, float]]:
    """Give so many workers that have done a block, and the seconds that took."""
    cell = spec.cells[0]
    start, ready = time.perf_counter(), set[int]()
    with engine_from_name("processes", jobs)() as pool:
        while len(ready) < jobs:
            tasks = [pool.submit(first_block, cell.family, dict(cell.parameters)) for _ in range(jobs)]
            ready |= {task.result() for task in tasks}
        yield pool, time.perf_counter() - start


def run(spec: Spec, engine: Engine, jobs: int) -> tuple[dict[str, object], Profile]:
    """The summary of a campaign and where its time went."""
    parent = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        done = run_campaign(spec, Path(folder) / "run", engine, jobs=jobs, shard=max(1, spec.instances // 40))
    return done.summary.to_json(), Profile(done.seconds, done.busy, done.cpu, time.process_time() - parent)


def measured(spec: Spec, repeats: int) -> dict[str, Any]:
    """The record of one family, runs on one and two workers taking turns, the best of each counted."""
    first_block(spec.cells[0].family, dict(spec.cells[0].parameters))
    with started(spec, 1) as (one, start_one), started(spec, 2) as (two, start_two):
        engines: dict[str, tuple[Engine, int]] = {
            "one": (lambda: nullcontext(one), 1),
            "two": (lambda: nullcontext(two), 2),
            "all threads": (InThisProcess, 1),
        }
        best: dict[str, Profile] = {}
        found = []
        for _ in range(repeats):
            for name, (engine, jobs) in engines.items():
                summary, profile = run(spec, engine, jobs)
                found.append(summary)
                best[name] = min(best.get(name, profile), profile)
    differing = sum(summary != found[0] for summary in found)
    a, b = best["one"], best["two"]
    ratio = a.seconds / b.seconds
    shares = {
        "work": a.cpu / b.cpu,
        "core": (b.cpu / b.busy) / (a.cpu / a.busy),
        "fed": (b.busy / (2 * b.seconds)) / (a.busy / a.seconds),
    }
    return record(
        "campaign",
        f"{spec.name}, two workers",
        b.seconds,
        size={"instances": spec.instances},
        gate=gate(f"{spec.name}: runs with another summary", differing, 0),
        allowed=0,
        peers={"one worker": a.seconds, "one process, all threads": best["all threads"].seconds},
        goal=f"two workers >= {GOAL} of one, once started",
        met=ratio >= GOAL,
        instances_per_second={"one": spec.instances / a.seconds, "two": spec.instances / b.seconds, "ratio": ratio},
        shares=shares,
        profile={name: profile._asdict() for name, profile in best.items()},
        start_seconds={"one": start_one, "two": start_two},
        load=os.getloadavg()[0],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, time, print and write."""
    parser = options(__doc__)
    parser.add_argument("--families", nargs="+", default=list(JOBS), metavar="NAME", help="only these families")
    args = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)
    records = []
    for name in args.families:
        if name not in JOBS:
            raise SystemExit(str(unknown_name("family", name, FAMILIES)))
        count = JOBS[name]["instances"] // (10 if args.quick else 1)
        spec = spec_of({"job": [{**JOBS[name], "family": name, "instances": count}]}, name)
        records.append(measured(spec, 1 if args.quick else REPEATS))
        row = records[-1]
        shares = ", ".join(f"{key} {value:.2f}" for key, value in row["shares"].items())
        parent = row["profile"]["two"]["parent"]
        print(f"{name}: {row['speedup']:.2f} = 2 x {shares}; parent {parent:.2f} s", flush=True)
    write_records(args.json, records, quick=args.quick)


if __name__ == "__main__":
    main()
