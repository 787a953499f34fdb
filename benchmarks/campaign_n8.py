"""The open case of claim N8, by exact trial: is a zero-loss barrier above L*_1 possible with 2 inputs and 2 neurons?

    python benchmarks/campaign_n8.py [--budget 300] [--seed 0] [--state FILE]

Draws data that two neurons fit exactly, half of them fresh and half mutations of cases with the highest barrier over
L*_1 so far (ties broken at random), and decides each in exact arithmetic. An exception is certified by the checker and
printed. With ``--state`` the campaign is written down every few seconds and goes on from there: the same cases follow
as without the interruption.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from modeconn.errors import InputError
from modeconn.io import write_json
from proofs_check.claims.library.narrow_open_case import (
    Case,
    certify_exception,
    draw_case,
    judge_case,
    mutate_case,
)

BATCH = 200
"""Cases between two looks at the clock."""

ELITE = 64
"""Cases with the highest ratios that are mutated."""

SCHEMA = "modeconn.campaign-n8/1"


class Campaign:
    """The trial so far; a function of the seed and the number of batches alone."""

    def __init__(self, seed: int) -> None:
        self.seed, self.batches, self.seconds = seed, 0, 0.0
        self.counts: Counter[str] = Counter()
        self.elite: list[tuple[float, float, Case]] = []  # ratio, a random number, case
        self.exceptions: list[dict[str, Any]] = []
        self._seen: set[str] = set()

    def run_batch(self) -> None:
        """Draw and decide the next cases."""
        rng = np.random.default_rng([self.seed, self.batches])
        start = time.perf_counter()
        for _ in range(BATCH):
            if self.elite and rng.random() < 0.5:
                self._take(mutate_case(self.elite[rng.integers(len(self.elite))][2], rng), rng.random())
            else:
                self._take(draw_case(rng), rng.random())
        self.elite = sorted(self.elite, key=lambda entry: entry[:2], reverse=True)[:ELITE]
        self.batches += 1
        self.seconds += time.perf_counter() - start

    def _take(self, case: Case, lot: float) -> None:
        self.counts["drawn"] += 1
        name = hashlib.blake2b(repr(case).encode(), digest_size=8).hexdigest()
        if name in self._seen:
            return
        self._seen.add(name)
        self.counts["different"] += 1
        found = judge_case(case)
        self.counts[found.kind] += 1
        if found.kind == "connected":
            return
        self.elite.append((found.ratio, lot, case))
        if found.kind == "exception":
            certified = certify_exception(case)
            record = {**case.data(), "barrier": str(certified.barrier), "least_loss_of_width_1": str(certified.below)}
            self.exceptions.append(record)
            print("exception, accepted by the checker:", json.dumps(record), flush=True)

    @property
    def best(self) -> float:
        """The highest barrier over L*_1."""
        return max((ratio for ratio, _, _ in self.elite), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """Return the state."""
        elite = [{"ratio": str(ratio), "lot": lot, **asdict(case)} for ratio, lot, case in self.elite]
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            "batches": self.batches,
            "seconds": self.seconds,
            "counts": dict(self.counts),
            "exceptions": self.exceptions,
            "elite": elite,
            "seen": sorted(self._seen),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], seed: int) -> Campaign:
        """Return the campaign of a state; raises :class:`InputError` if it is that of another seed or program."""
        if data.get("schema") != SCHEMA or data["seed"] != seed:
            raise InputError(f"state: expected schema {SCHEMA} and seed {seed}, found another; choose another file")
        found = cls(seed)
        found.batches, found.seconds, found.exceptions = data["batches"], data["seconds"], data["exceptions"]
        found.counts = Counter(data["counts"])
        found.elite = [(float(entry["ratio"]), entry["lot"], _case(entry)) for entry in data["elite"]]
        found._seen = set(data["seen"])
        return found


def _case(entry: dict[str, Any]) -> Case:
    X, W = (tuple(map(tuple, entry[key])) for key in ("X", "W"))
    return Case(X, W, tuple(entry["signs"]), entry["output_weights"])


def main() -> None:
    """Run until the budget is spent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=float, default=300.0, help="seconds to spend now")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path, help="file to write to and to go on from")
    options = parser.parse_args()
    campaign = Campaign(options.seed)
    if options.state is not None and options.state.exists():
        campaign = Campaign.from_json(json.loads(options.state.read_text(encoding="utf-8")), options.seed)
    end, told = time.monotonic() + options.budget, 0.0
    while (now := time.monotonic()) < end:
        campaign.run_batch()
        if now - told >= 10 or time.monotonic() >= end:
            told = now
            counts = ", ".join(f"{count} {kind}" for kind, count in campaign.counts.items())
            print(f"{campaign.seconds:7.0f} s: {counts}; highest barrier / L*_1: {campaign.best:.6f}", flush=True)
            if options.state is not None:
                write_json(options.state, campaign.to_json())
    print(f"exceptions to barrier <= L*_1 (d = 2, width 2, zero loss): {len(campaign.exceptions)}")


if __name__ == "__main__":
    main()
