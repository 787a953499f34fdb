"""Non-negative least squares over thousands of column sets: the batch on the device against the solvers of a CPU.

    python benchmarks/bench_nnls.py [--quick] [--json FILE]

Two kinds of work. ``cells``: the columns of an arrangement (the images of its rays, small integers) over pairs of its
types, as the exact topology asks. ``random``: dense columns of their own for every problem. Peer in the same run, in
turns: ``scipy.optimize.nnls`` on every problem. For cells a second record holds the whole way to exact values, from
proposal to rational solution: batch and exact finish against the path that the landscape takes by default.

Gate: the values are those of SciPy, and the exact ones are the same fractions either way;
``repairs`` counts the proposals that the exact finish had to correct. ``cpu_seconds`` is processor time, which a busy
machine disturbs less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax
import numpy as np
from records import record, timed, write_records

from modeconn.cells import ConeProgram, float_nnls, nnls_batch
from modeconn.topology import Landscape, problem_from_json

CELLS = {"cells d=2 n=5": (2, 5), "cells d=3 n=6": (3, 6), "cells d=2 n=10": (2, 10)}
RANDOM = {"random n=5 k=12": (5, 12), "random n=10 k=30": (10, 30)}
GATE = 1e-6


def cpu_seconds(function: Callable[[], Any]) -> float:
    """Return the processor time of one call, all threads together."""
    start = time.process_time()
    jax.block_until_ready(function())
    return time.process_time() - start


def one_by_one(columns: np.ndarray, targets: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Return z (B, k) from SciPy, problem after problem."""
    z = np.zeros(allowed.shape)
    for b, row in enumerate(allowed):
        z[b, row] = float_nnls(np.ascontiguousarray(columns[b][:, row]), targets[b])
    return z


def values(columns: np.ndarray, targets: np.ndarray, z: np.ndarray) -> np.ndarray:
    return 0.5 * ((np.einsum("bnk,bk->bn", columns, z) - targets) ** 2).sum(1)


def compared(case: str, columns: np.ndarray, targets: np.ndarray, allowed: np.ndarray, repeats: int) -> dict[str, Any]:
    """Return the record of float proposals, after the values agree with SciPy's."""
    batch, n, k = columns.shape

    def batched() -> np.ndarray:
        return nnls_batch(columns, targets, allowed).z

    def plain() -> np.ndarray:
        return one_by_one(columns, targets, allowed)

    found = nnls_batch(columns, targets, allowed)
    error = float(np.abs(values(columns, targets, found.z) - values(columns, targets, plain())).max())
    if not (error < GATE and found.solved.mean() > 0.99):
        raise SystemExit(f"{case}: values differ by {error:.1e}, {found.solved.mean():.1%} solved; nothing was timed")
    best = timed({"own": batched, "peer": plain}, repeats)
    return record(
        "nnls",
        f"{case}, {batch} problems",
        best["own"],
        size={"problems": batch, "n": n, "k": k},
        gate=error,
        peers={"scipy.optimize.nnls": best["peer"]},
        problems_per_s=batch / best["own"],
        solved=float(found.solved.mean()),
        cpu_seconds={"own": cpu_seconds(batched), "scipy.optimize.nnls": cpu_seconds(plain)},
    )


def random_problems(n: int, k: int, batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, n, k)), rng.normal(size=(batch, n)), rng.random((batch, k)) < 0.7


def landscape_problems(d: int, n: int, batch: int) -> tuple[Landscape, np.ndarray]:
    """Return a landscape and column sets of pairs of its types, as its level sets ask for."""
    rng = np.random.default_rng(1)
    X, y = rng.integers(-4, 5, (n, d)), rng.integers(-3, 4, n)
    landscape = Landscape(problem_from_json({"X": X.tolist(), "y": y.tolist()}))
    pairs = rng.integers(0, len(landscape.types), (batch, 2))
    masks = [landscape.types[a].face.mask | landscape.types[b].face.mask for a, b in pairs.tolist()]
    return landscape, np.array([[mask >> j & 1 for j in range(len(landscape.columns))] for mask in masks], bool)


def exact(landscape: Landscape, allowed: np.ndarray, z: np.ndarray | None) -> tuple[list[Fraction], int]:
    """Return the exact values, and the number of repairs: from SciPy's proposals, or from rows of z."""
    sets = [np.flatnonzero(row).tolist() for row in allowed]
    if z is None:
        program = ConeProgram(landscape.columns, landscape.problem.y)
        return [program.solve(indices).value for indices in sets], program.repairs
    rows = iter([z[b, indices] for b, indices in enumerate(sets) if indices])
    program = ConeProgram(landscape.columns, landscape.problem.y, lambda columns, target: next(rows))
    return [program.solve(indices).value for indices in sets], program.repairs


def finished(case: str, landscape: Landscape, allowed: np.ndarray, repeats: int) -> dict[str, Any]:
    """Return the record of exact values, after both ways have returned the same fractions."""
    columns, target = np.array(landscape.columns, float).T, np.array([float(v) for v in landscape.problem.y])

    def batched() -> tuple[list[Fraction], int]:
        return exact(landscape, allowed, nnls_batch(columns, target, allowed).z)

    def default() -> tuple[list[Fraction], int]:
        return exact(landscape, allowed, None)

    (ours, repairs), (theirs, default_repairs) = batched(), default()
    if ours != theirs:
        raise SystemExit(f"{case}: the exact values differ; nothing was timed")
    best = timed({"own": lambda: batched()[1], "peer": lambda: default()[1]}, repeats)
    return record(
        "nnls",
        f"{case} exact, {len(allowed)} problems",
        best["own"],
        size={"problems": len(allowed), "n": len(target), "k": columns.shape[1]},
        gate=0.0,
        peers={"ConeProgram": best["peer"]},
        problems_per_s=len(allowed) / best["own"],
        repairs={"own": repairs, "ConeProgram": default_repairs},
        cpu_seconds={"own": cpu_seconds(batched), "ConeProgram": cpu_seconds(default)},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer problems: a check, not a measurement")
    parser.add_argument("--json", metavar="FILE", help="write the records")
    options = parser.parse_args()
    accelerator = jax.default_backend() != "cpu"
    batch, repeats = (256, 2) if options.quick else (16384 if accelerator else 2048, 5)
    records = []
    for case, (n, k) in RANDOM.items():
        records.append(compared(case, *random_problems(n, k, batch), repeats))
    for case, (d, n) in CELLS.items():
        landscape, allowed = landscape_problems(d, n, batch)
        columns, target = np.array(landscape.columns, float).T, [float(v) for v in landscape.problem.y]
        stacked = np.broadcast_to(columns, (batch, *columns.shape)), np.broadcast_to(target, (batch, len(target)))
        records.append(compared(case, *stacked, allowed, repeats))
        records.append(finished(case, landscape, allowed[: batch // 4], repeats))
    write_records(options.json, records)


if __name__ == "__main__":
    main()
