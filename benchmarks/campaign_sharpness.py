"""Muon's ball just below the width N of W1: is any pair of nets found that the balanced climb does not join at N - 1?

    python benchmarks/campaign_sharpness.py [--budget 300] [--seed 0] [--state FILE]

That width N - 1 always suffices for one output is proved (modeconn.constructions.balanced_climb); the campaign puts
the proof's algorithm on trial, on normal data, small integers, exchanged neurons and rigid nets of least radius, with
the exact checker as judge. At N - 2 it counts how often a path is found all the same: a pair without one is not shown
to be disconnected. With ``--state`` the campaign is written down every few seconds and goes on from there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from modeconn.errors import InputError
from modeconn.io import write_json
from modeconn.studies.sharp_widths import threshold, try_width

SCHEMA = "modeconn.campaign-sharpness/1"

CASES = (
    ("gaussian", 3, 1),
    ("gaussian", 4, 2),
    ("gaussian", 6, 3),
    ("whole numbers", 3, 1),
    ("whole numbers", 4, 2),
    ("whole numbers", 5, 3),
    ("permuted", 5, 2),
    ("permuted", 5, 3),
    ("triangle", 3, 2),
)
"""Kind of pair, number of data points and of inputs."""


def main() -> None:
    """Run until the budget is spent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=float, default=300.0, help="seconds to spend now")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path, help="file to write to and to go on from")
    options = parser.parse_args()
    done, counts, failures = 0, Counter[str](), []
    if options.state is not None and options.state.exists():
        state = json.loads(options.state.read_text(encoding="utf-8"))
        if state.get("schema") != SCHEMA or state["seed"] != options.seed:
            raise InputError(f"state: expected schema {SCHEMA} and seed {options.seed}; choose another file")
        done, counts, failures = state["done"], Counter(state["counts"]), state["failures"]
    end, told = time.monotonic() + options.budget, time.monotonic()
    while (now := time.monotonic()) < end:
        for kind, n, d in CASES:
            for below in (1, 2):
                width = threshold(n, d) - below
                trial = try_width(kind, n, d, width, options.seed * 10**9 + done, ("balanced-climb",))
                name = f"{kind} ({n}, {d}), N - {below}"
                counts[f"{name}: pairs"] += 1
                counts[f"{name}: joined and accepted"] += bool(trial.accepted)
                if trial.accepted is False or (below == 1 and not trial.accepted):
                    failure = {"kind": kind, "n": n, "d": d, "width": width, "draw": done, "reason": trial.reason}
                    failures.append(failure)
                    print("not joined:", json.dumps(failure), flush=True)
        done += 1
        if now - told >= 10:
            told = now
            _tell(options, done, counts, failures)
    _tell(options, done, counts, failures)
    for name, count in sorted(counts.items()):
        print(f"{count:8d}  {name}")


def _tell(options: argparse.Namespace, done: int, counts: Counter[str], failures: list[dict[str, object]]) -> None:
    """Print where the campaign stands, and write it down."""
    pairs = sum(count for name, count in counts.items() if name.endswith("N - 1: pairs"))
    print(f"{pairs} pairs at N - 1, {len(failures)} failures", flush=True)
    if options.state is not None:
        state = {"schema": SCHEMA, "seed": options.seed, "done": done, "counts": counts, "failures": failures}
        write_json(options.state, state)


if __name__ == "__main__":
    main()
