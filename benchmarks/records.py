"""One record for every measured case, and the machine it was measured on.

A record says what was right before it says what was fast: ``gate`` is the largest error of the answer against an
independent one, and nothing is timed that misses it. ``speedup`` is the first peer's time over ours.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

__all__ = ["environment", "record", "timed", "write_records"]

SCHEMA = "modeconn.benchmark/1"
PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "optax", "torch", "cvxpy", "clarabel")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def environment() -> dict[str, Any]:
    """Return what the times depend on: device, versions, commit, load."""
    folder = Path(__file__).parent
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=folder)
    versions = {package: _version(package) for package in ("modeconn", *PACKAGES)}
    return {
        "device": jax.devices()[0].device_kind,
        "backend": jax.default_backend(),
        "devices": jax.device_count(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {package: version for package, version in versions.items() if version is not None},
        "commit": commit.stdout.strip() or None,
    }


def timed(functions: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the least time of each function in seconds, measured in turns after one call each to warm up."""
    best = dict.fromkeys(functions, math.inf)
    for function in functions.values():
        jax.block_until_ready(function())
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            jax.block_until_ready(function())
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def record(
    benchmark: str,
    case: str,
    seconds: float,
    *,
    size: Mapping[str, Any],
    gate: float,
    peers: Mapping[str, float] | None = None,
    floor: float | None = None,
    bound: str | None = None,
    goal: str | None = None,
    met: bool | None = None,
    dtype: str = "float64",
    precision: str = "highest",
    **more: Any,
) -> dict[str, Any]:
    """Return the record of one case.

    Args:
        benchmark: the script's name without ``bench_``.
        case: what was measured.
        seconds: of ours, for the whole size.
        size: n, d, m and the like.
        gate: error of the answer, already below what the script allows.
        peers: name -> seconds for the same work, in the same run; the first is the one to compare with.
        floor: seconds that the machine needs at least, from bytes or flops at measured rates.
        bound: what the floor counts.
        goal: in words.
        met: whether it was.
        dtype: of the arithmetic.
        precision: of matrix products.
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
        "size": dict(size),
        "dtype": dtype,
        "precision": precision,
        "seconds": seconds,
        "peers": compared,
        "speedup": None if first is None else first / seconds,
        "floor_seconds": floor,
        "floor_share": None if floor is None else floor / seconds,
        "bound": bound,
        **more,
    }


def write_records(path: str | None, records: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """Print one line a record, and write them to the file if there is one."""
    for row in records:
        peer = "" if row["speedup"] is None else f"  {row['speedup']:6.2f} x {next(iter(row['peers']))}"
        floor = "" if row["floor_share"] is None else f"  {100 * row['floor_share']:5.1f} % of the {row['bound']} floor"
        goal = "" if row["goal"] is None else f"  [{row['outcome']}: {row['goal']}]"
        print(f"{row['benchmark']:<9} {row['case']:<40} {1e3 * row['seconds']:10.3f} ms{peer}{floor}{goal}", flush=True)
    if path is not None:
        document = {"schema": SCHEMA, "environment": environment(), "records": list(records), **more}
        Path(path).write_text(json.dumps(document, indent=1) + "\n")
