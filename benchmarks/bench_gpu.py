"""Everything an accelerator is asked to show, in one command, under ten minutes; records and a table at the end.

    python benchmarks/bench_gpu.py [--out benchmarks/results] [--minutes 10] [--quick]

Runs the GPU checks of the tests, then the benchmarks in order of importance, each in a process of its own, as many as
fit the time; what did not fit is named. The records are files ``<device>-<benchmark>.json`` in --out. Runs on a CPU as
well (and says so): that is how the script itself is checked.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jax

HERE = Path(__file__).parent
CHECKS = ("tests/optim/test_polar.py", "tests/train/test_precision_pinned.py", "tests/paths/test_barrier_batch.py")
BENCHMARKS = ("fleet", "polar", "barrier", "nnls", "campaign")


def slug(text: str) -> str:
    """Return a text as part of a file name.

    Example:
        >>> slug("NVIDIA H200")
        'nvidia-h200'
    """
    return "".join(c if c.isalnum() else "-" for c in text.lower()).strip("-")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what fits; return 0 if every check and benchmark that ran ended well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder of the records")
    parser.add_argument("--minutes", type=float, default=10.0, help="time for everything (default 10)")
    parser.add_argument("--quick", action="store_true", help="small sizes: a check of the script, not a measurement")
    args = parser.parse_args(arguments)
    end = time.monotonic() + 60 * args.minutes
    device = jax.devices()[0].device_kind
    name = f"{slug(device)}-{jax.local_device_count()}" if jax.default_backend() != "cpu" else "cpu-check"
    if jax.default_backend() == "cpu":
        print("no accelerator: this checks the script, it measures no GPU")
    args.out.mkdir(parents=True, exist_ok=True)
    tasks = [("checks", [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKS])]
    for benchmark in BENCHMARKS:
        target = args.out / f"{name}-{benchmark}.json"
        quick = {"barrier": ["--repeats", "2"]}.get(benchmark, ["--quick"]) if args.quick else []
        command = [sys.executable, str(HERE / f"bench_{benchmark}.py"), "--json", str(target), *quick]
        tasks.append((benchmark, command))
    failed = []
    for task, command in tasks:
        left = end - time.monotonic()
        if left < 20:
            print(f"{task}: no time left; not run")
            continue
        print(f"{task}: {left:.0f} s left", flush=True)
        try:
            done = subprocess.run(command, cwd=HERE.parent, check=False, timeout=left)
        except subprocess.TimeoutExpired:
            print(f"{task}: not finished in time; its record is missing")
            continue
        if done.returncode != 0:
            failed.append(task)
    files = sorted(str(path) for path in args.out.glob(f"{name}-*.json"))
    if files:
        subprocess.run([sys.executable, str(HERE / "table.py"), *files], cwd=HERE.parent, check=False)
    print(f"failed: {', '.join(failed)}" if failed else "everything that ran ended well")
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
