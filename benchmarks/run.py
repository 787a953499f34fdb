"""Every benchmark on this machine, each in a process of its own; records, page and plots in benchmarks/results.

    python benchmarks/run.py [NAME ...] [--accelerator] [--minutes M] [--quick] [--out FOLDER]

Records are files ``<machine>-<name>.json``; one is replaced only by a run of its benchmark that ended well. What fails
or does not fit the time is named at the end, and the rest is run all the same. Exit status: 0 if everything ended well,
1 if something failed or was cut off, 2 if there is nothing to run it on.

With ``--accelerator``: first the tests that an accelerator must pass, then the benchmarks it is for, in order of
importance, under ten minutes; refused where there is none (with ``--quick`` it checks the script on a CPU). Records of
``--quick`` are checks, not measurements, and go to runs/benchmarks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CHECKS = (
    "tests/optim/test_polar.py",
    "tests/train/test_precision_pinned.py",
    "tests/train/test_fused.py",
    "tests/paths/test_barrier_batch.py",
)
ACCELERATED = ("fleet", "polar", "barrier", "nnls", "campaign")
"""What an accelerator is for, in order of importance."""

MINUTES = 10.0
BUSY = 0.25
"""Load per core from which a machine is not idle."""

LEAST_SECONDS = 20.0
"""What is left of the time when the next task is not begun."""


class Task(NamedTuple):
    """One process: its name, its command, and the file it writes."""

    name: str
    command: list[str]
    target: Path | None = None


def benchmarks() -> list[str]:
    """Return the names of all benchmarks, those for an accelerator first."""
    found = {path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")}
    return [*(name for name in ACCELERATED if name in found), *sorted(found - set(ACCELERATED))]


def probe() -> tuple[str, str, int, int]:
    """Return backend, device, devices and cores, asked in a process that ends: one that stays would keep the memory."""
    ask = "import jax, json, os; d = jax.local_devices(); "
    ask += "print(json.dumps([jax.default_backend(), d[0].device_kind, len(d), os.cpu_count()]))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    backend, device, devices, cores = json.loads(done.stdout.splitlines()[-1])
    return backend, device, devices, cores


def machine(backend: str, device: str, devices: int, cores: int) -> str:
    """Return a machine as the beginning of a file name.

    Example:
        >>> machine("gpu", "NVIDIA H200", 1, 16), machine("cpu", "cpu", 1, 2)
        ('nvidia-h200-1', 'cpu-2-cores')
    """
    return f"cpu-{cores}-cores" if backend == "cpu" else slug(f"{device}-{devices}")


def slug(text: str) -> str:
    """Return a text as part of a file name.

    Example:
        >>> slug("NVIDIA H200")
        'nvidia-h200'
    """
    return "".join(c if c.isalnum() else "-" for c in text.lower()).strip("-")


def task_of(name: str, where: str, out: Path, quick: bool) -> Task:
    """Return the task of one benchmark, which writes beside its file first."""
    target = out / f"{where}-{name.replace('_', '-')}.json"
    script = str(HERE / f"bench_{name}.py")
    return Task(name, [sys.executable, script, "--json", f"{target}.new", *(["--quick"] if quick else [])], target)


def run(task: Task, limit: float | None) -> str | None:
    """Run one task; return why it did not end well, or nothing. Its file is replaced if it did."""
    written = None if task.target is None else Path(f"{task.target}.new")
    try:
        settings = {"OPENBLAS_NUM_THREADS": "1", **os.environ}  # its threads and XLA's would fight for the cores
        done = subprocess.run(task.command, cwd=HERE.parent, check=False, timeout=limit, env=settings)
        if done.returncode != 0:
            return f"failed with status {done.returncode}"
        if written is not None and task.target is not None:
            if not written.exists():
                return "wrote no records"
            written.replace(task.target)
    except subprocess.TimeoutExpired:
        return "not finished in time"
    finally:
        if written is not None:
            written.unlink(missing_ok=True)
    return None


def run_all(tasks: Sequence[Task], minutes: float | None) -> dict[str, str]:
    """Run the tasks one after the other; return what did not end well, and why."""
    begin, wrong = time.monotonic(), {}
    for task in tasks:
        left = None if minutes is None else 60 * minutes - (time.monotonic() - begin)
        if left is not None and left < LEAST_SECONDS:
            wrong[task.name] = "not begun, no time left"
            continue
        print(f"--- {task.name}" + ("" if left is None else f", {left:.0f} s left"), flush=True)
        start = time.monotonic()
        reason = run(task, left)
        print(f"--- {task.name}: {reason or 'done'} in {time.monotonic() - start:.0f} s\n", flush=True)
        if reason is not None:
            wrong[task.name] = reason
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, write the page; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"benchmarks (default: all of {', '.join(benchmarks())})"
    )
    parser.add_argument("--accelerator", action="store_true", help="the benchmarks for an accelerator, its tests first")
    parser.add_argument("--minutes", type=float, default=None, help=f"time for all (with --accelerator: {MINUTES:.0f})")
    parser.add_argument("--quick", action="store_true", help="small sizes: a check of the scripts, not a measurement")
    parser.add_argument("--out", type=Path, default=None, help="folder of the records")
    args = parser.parse_args(arguments)
    if unknown := sorted(set(args.names) - set(benchmarks())):
        parser.error(f"unknown benchmark {', '.join(unknown)}; known: {', '.join(benchmarks())}")
    found = probe()
    if args.accelerator and found[0] == "cpu" and not args.quick:
        print("no accelerator found: nothing is measured; --quick checks the script on a CPU", file=sys.stderr)
        return 2
    out = args.out or (HERE.parent / "runs" / "benchmarks" if args.quick else HERE / "results")
    out.mkdir(parents=True, exist_ok=True)
    names = args.names or (ACCELERATED if args.accelerator else benchmarks())
    tasks = [task_of(name, machine(*found), out, args.quick) for name in names]
    if args.accelerator:
        checks = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHECKS]
        tasks.insert(0, Task("tests on this device", checks))
    minutes = args.minutes if args.minutes is not None else MINUTES if args.accelerator else None
    if (load := os.getloadavg()[0]) > BUSY * found[3]:
        print(f"load {load:.1f} on {found[3]} cores: others use this machine, and times will show it", flush=True)
    begin = time.monotonic()
    wrong = run_all(tasks, minutes)
    page = [sys.executable, str(HERE / "table.py"), "--page", str(out), *map(str, sorted(out.glob("*.json")))]
    if (reason := run(Task("page", page), None)) is not None:
        wrong["page"] = reason
    print(f"records, page and plots: {out}; {(time.monotonic() - begin) / 60:.1f} minutes")
    for name, reason in wrong.items():
        print(f"{name}: {reason}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
