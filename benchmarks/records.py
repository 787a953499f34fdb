"""One record for every measured case, and the machine it was measured on.

A record says what was right before it says what was fast: ``gate`` is the largest error of the answer against an
independent one, and nothing is timed that misses it. ``speedup`` is the first peer's time over ours. A case that
belongs to a study of growth says so, with what its theory counts at that size. What a file must hold: ``schema.py``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
from schema import SCHEMA, check_document

from modeconn.io import write_json

__all__ = ["Times", "environment", "gate", "growth", "options", "record", "rounds", "timed", "write_records"]

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "optax", "torch", "cvxpy", "clarabel")
MEASURED = ("modeconn", "proofs_check", "benchmarks/*.py")
"""What a commit must agree with to be the commit that was measured."""

_LOAD_BEFORE = os.getloadavg()[0]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*words: str) -> str | None:
    """Return what git says, or nothing where there is no git or no repository."""
    if shutil.which("git") is None:
        return None
    root = Path(__file__).parents[1]
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=root)
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str | None:
    """Return the name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or None
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, None)


def environment() -> dict[str, Any]:
    """Return what the times depend on: device, versions, commit, load when the script began and now."""
    commit = _git("rev-parse", "HEAD")
    versions = {package: _version(package) for package in ("modeconn", *PACKAGES)}
    return {
        "device": jax.devices()[0].device_kind,
        "backend": jax.default_backend(),
        "devices": jax.device_count(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "load_before": _LOAD_BEFORE,
        "load": os.getloadavg()[0],
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {package: version for package, version in versions.items() if version is not None},
        "commit": commit,
        "modified": None if commit is None else bool(_git("status", "--porcelain", "--", *MEASURED)),
    }


def options(description: str | None) -> argparse.ArgumentParser:
    """Return the parser that all benchmarks share, ``--json FILE`` and ``--quick``; a script may add its own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", default=None, help="write the records to this file")
    parser.add_argument("--quick", action="store_true", help="small sizes, few repeats: a check, not a measurement")
    return parser


class Times(NamedTuple):
    """Seconds of one call over the rounds.

    Attributes:
        best: least by the clock.
        median: by the clock.
        cpu: least of the processor, all threads together; a busy machine disturbs it less.
    """

    best: float
    median: float
    cpu: float


def rounds(functions: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, Times]:
    """Return the times of each function, measured in turns after one call each to warm up."""
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for function in functions.values():
        jax.block_until_ready(function())
    for _ in range(repeats):
        for name, function in functions.items():
            clock, process = time.perf_counter(), time.process_time()
            jax.block_until_ready(function())
            rows[name].append((time.perf_counter() - clock, time.process_time() - process))
    found = {}
    for name, taken in rows.items():
        clocks = sorted(row[0] for row in taken)
        found[name] = Times(clocks[0], clocks[len(clocks) // 2], min(row[1] for row in taken))
    return found


def timed(functions: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the least time of each function by the clock; see :func:`rounds`."""
    return {name: times.best for name, times in rounds(functions, repeats).items()}


def gate(case: str, error: float, allowed: float) -> float:
    """Return the error of an answer, or leave before anything is timed: more than is allowed, or not a number."""
    if not error <= allowed:
        raise SystemExit(f"{case}: the answer is off by {error:.1e}, allowed are {allowed:.1e}; nothing was timed")
    return float(error)


def growth(series: str, over: str, x: float, cost: float, cost_is: str) -> dict[str, Any]:
    """Return the place of a case in a study of growth.

    Args:
        series: what is held fixed; the cases of one series are joined by a line.
        over: what grows.
        x: its value here.
        cost: what the theory counts at this size, in any unit: only its slope matters.
        cost_is: the same as a formula.
    """
    return {"series": series, "over": over, "x": x, "cost": cost, "cost_is": cost_is}


def record(
    benchmark: str,
    case: str,
    seconds: float,
    *,
    size: Mapping[str, Any],
    gate: float,
    allowed: float | None = None,
    peers: Mapping[str, float] | None = None,
    floor: float | None = None,
    bound: str | None = None,
    goal: str | None = None,
    met: bool | None = None,
    dtype: str = "float64",
    precision: str = "highest",
    growth: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> dict[str, Any]:
    """Return the record of one case.

    Args:
        benchmark: the script's name without ``bench_``.
        case: what was measured.
        seconds: of ours, for the whole size.
        size: n, d, m and the like.
        gate: error of the answer, already below what the script allows.
        allowed: what the script allows.
        peers: name -> seconds for the same work, in the same run; the first is the one to compare with.
        floor: seconds that the machine needs at least, from bytes or flops at measured rates.
        bound: what the floor counts.
        goal: in words.
        met: whether it was.
        dtype: of the arithmetic.
        precision: of matrix products.
        growth: the studies it belongs to, see :func:`growth`.
        more: further numbers.
    """
    compared = dict(peers or {})
    first = next(iter(compared.values()), None)
    return {
        "benchmark": benchmark,
        "case": case,
        "outcome": "no goal" if met is None else "met" if met else "missed",
        "goal": goal,
        "gate_error": gate,
        "gate_allowed": allowed,
        "size": dict(size),
        "dtype": dtype,
        "precision": precision,
        "seconds": seconds,
        "peers": compared,
        "speedup": None if first is None else first / seconds,
        "floor_seconds": floor,
        "floor_share": None if floor is None else floor / seconds,
        "bound": bound,
        "growth": [dict(study) for study in growth],
        **more,
    }


def write_records(path: str | None, records: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """Print one line a record, and write them, checked and whole, to the file if there is one.

    Raises:
        InputError: a record is not of the schema; nothing is written.
    """
    for row in records:
        peer = "" if row["speedup"] is None else f"  {row['speedup']:6.2f} x {next(iter(row['peers']))}"
        floor = "" if row["floor_share"] is None else f"  {100 * row['floor_share']:5.3g} % of the {row['bound']} floor"
        goal = "" if row["goal"] is None else f"  [{row['outcome']}: {row['goal']}]"
        print(f"{row['benchmark']:<9} {row['case']:<40} {1e3 * row['seconds']:10.3f} ms{peer}{floor}{goal}", flush=True)
    document = {"schema": SCHEMA, "environment": environment(), "records": list(records), **more}
    check_document(document, path or "records")
    if path is not None:
        write_json(path, document)
