"""A campaign on one process and on two: instances a second, and that both find the same.

    python benchmarks/bench_campaign.py [--quick] [--json FILE]

The time of two processes includes starting them and compiling in each; the steady rate beside it leaves the first
tenth of the instances out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import jax
from records import record, write_records

from modeconn.campaigns import Spec, engine_from_name, run_campaign, spec_from_table

JOBS = {
    "narrow-barrier": {"family": "narrow-barrier", "n": 4, "d": 2, "width": 2, "instances": 16_000},
    "segment-barrier": {"family": "segment-barrier", "n": 8, "d": 2, "width": 8, "instances": 200_000},
}
GOAL = 1.7


class Clock:
    """A reporter that notes when how much was done."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, int]] = []

    def start(self, task: str, total: int) -> None:
        """Begin."""
        self.marks = [(time.perf_counter(), 0)]

    def advance(self, task: str, steps: int = 1) -> None:
        """Note the time."""
        self.marks.append((time.perf_counter(), self.marks[-1][1] + steps))

    def finish(self, task: str) -> None:
        """End."""

    def steady_rate(self) -> float:
        """Instances a second after the first tenth."""
        total = self.marks[-1][1]
        first = next(mark for mark in self.marks if mark[1] >= 0.1 * total)
        return (total - first[1]) / (self.marks[-1][0] - first[0])


def run(spec: Spec, jobs: int, shard: int) -> tuple[dict[str, object], float, float]:
    """The summary, seconds, and the steady rate."""
    clock = Clock()
    engine = engine_from_name("processes", jobs)
    with tempfile.TemporaryDirectory() as folder:
        done = run_campaign(spec, Path(folder) / "run", engine, jobs=jobs, shard=shard, reporter=clock)
    return done.summary.to_json(), done.seconds, clock.steady_rate()


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, time, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="write the records to this file")
    parser.add_argument("--quick", action="store_true", help="a tenth of the instances")
    args = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)
    records = []
    for name, job in JOBS.items():
        count = job["instances"] // (10 if args.quick else 1)
        spec = spec_from_table({"job": [{**job, "instances": count}]}, name)
        shard = max(1, spec.instances // 40)
        (one, seconds_one, rate_one), (two, seconds_two, rate_two) = (run(spec, jobs, shard) for jobs in (1, 2))
        if one != two:
            raise SystemExit(f"{name}: one process and two found different things; no time counts")
        records.append(
            record(
                "campaign",
                f"{name}, two processes",
                seconds_two,
                size={"instances": spec.instances},
                gate=0.0,
                peers={"one process": seconds_one},
                goal=f"steady rate of two processes >= {GOAL} of one",
                met=rate_two >= GOAL * rate_one,
                instances_per_second={"one": rate_one, "two": rate_two, "ratio": rate_two / rate_one},
            )
        )
    write_records(args.json, records)


if __name__ == "__main__":
    main()
