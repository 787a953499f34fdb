"""Non-negative least squares over thousands of column sets: the batch on the device against the solvers of a CPU.

    python benchmarks/bench_nnls.py [--quick] [--json FILE]

Two kinds of work. ``cells``: the columns of an arrangement (the images of its rays, small integers) over pairs of its
types, as the exact topology asks. ``random``: dense columns of their own for every problem. Peer in the same run, in
turns: ``scipy.optimize.nnls`` on every problem. For cells a second record holds the whole way to exact values, from
proposal to rational solution: batch and exact finish against the exact program set by set. ``level set`` is what the
landscape does with all the sets together, exactly, where one fit answers for many: against the batch, floats alone.

Gate: the values are those of SciPy, the exact ones are the same fractions either way, and so are the verdicts of level
sets; ``repairs`` counts the proposals that the exact finish had to correct. ``cpu_seconds`` is processor time, which a
busy machine disturbs less. Growth is studied in the number of column sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import jax
import numpy as np
from records import gate, growth, options, record, rounds, timed, write_records

from modeconn.cells import ConeProgram, float_nnls, nnls_batch
from modeconn.topology import Landscape, problem_from_json
from modeconn.topology.masks import mask_words

CELLS = {"cells d=2 n=5": (2, 5), "cells d=3 n=6": (3, 6), "cells d=2 n=10": (2, 10)}
RANDOM = {"random n=5 k=12": (5, 12), "random n=10 k=30": (10, 30)}
LEVEL_SETS = {"level set d=3 n=6": (3, 6), "level set d=3 n=8": (3, 8)}
SETS = (1_000, 10_000, 100_000)
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
    gate(case, error, GATE)
    gate(f"{case}, share not solved", 1.0 - float(found.solved.mean()), 0.01)
    best = timed({"own": batched, "peer": plain}, repeats)
    return record(
        "nnls",
        f"{case}, {batch} problems",
        best["own"],
        size={"problems": batch, "n": n, "k": k},
        gate=error,
        allowed=GATE,
        peers={"scipy.optimize.nnls": best["peer"]},
        problems_per_s=batch / best["own"],
        solved=float(found.solved.mean()),
        cpu_seconds={"own": cpu_seconds(batched), "scipy.optimize.nnls": cpu_seconds(plain)},
    )


def random_problems(n: int, k: int, batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, n, k)), rng.normal(size=(batch, n)), rng.random((batch, k)) < 0.7


def landscape_of(d: int, n: int, rng: np.random.Generator) -> Landscape:
    """Return the landscape of small integer data."""
    X, y = rng.integers(-4, 5, (n, d)), rng.integers(-3, 4, n)
    return Landscape(problem_from_json({"X": X.tolist(), "y": y.tolist()}))


def unions(landscape: Landscape, batch: int, types: int, rng: np.random.Generator) -> list[int]:
    """Return column sets of draws of that many types, as masks."""
    masks = []
    for row in rng.integers(0, len(landscape.types), (batch, types)).tolist():
        mask = 0
        for t in row:
            mask |= landscape.types[t].face.mask
        masks.append(mask)
    return masks


def rows_of(landscape: Landscape, masks: Sequence[int]) -> np.ndarray:
    """Return masks as rows of booleans."""
    return np.array([[mask >> j & 1 for j in range(len(landscape.columns))] for mask in masks], bool)


def landscape_problems(d: int, n: int, batch: int) -> tuple[Landscape, np.ndarray]:
    """Return a landscape and column sets of pairs of its types, as its level sets ask for."""
    rng = np.random.default_rng(1)
    landscape = landscape_of(d, n, rng)
    return landscape, rows_of(landscape, unions(landscape, batch, 2, rng))


def level_set(case: str, d: int, n: int, batch: int, repeats: int) -> dict[str, Any]:
    """Return the record of exact verdicts on distinct column sets, after they agree with the values of the batch."""
    rng = np.random.default_rng(1)
    landscape = landscape_of(d, n, rng)
    masks = list(dict.fromkeys(unions(landscape, batch, 3, rng)))
    allowed, words = rows_of(landscape, masks), mask_words(masks, landscape.words)
    columns, target = np.array(landscape.columns, float).T, np.array([float(v) for v in landscape.problem.y])
    found = nnls_batch(columns, target, allowed)
    floats = 0.5 * ((found.z @ columns.T - target) ** 2).sum(1)
    level = Fraction(round(1000 * float(np.median(floats))), 1000)
    verdicts = landscape.are_at_most(words, level)
    clear = found.solved & (np.abs(floats - float(level)) > GATE)
    size = f"{len(masks)} sets"
    wrong = gate(f"{case}, {size}: share of other verdicts", float((verdicts != (floats <= level))[clear].mean()), 0.0)
    fits = len(landscape.fits())

    fresh = [Landscape(landscape.problem) for _ in range(repeats + 1)]  # a landscape remembers: a new one each time
    times = rounds(
        {
            "own": lambda: fresh.pop().are_at_most(words, level),
            "peer": lambda: nnls_batch(columns, target, allowed).z,
        },
        repeats,
    )
    return record(
        "nnls",
        f"{case}, {size}",
        times["own"].best,
        size={"problems": len(masks), "n": n, "k": columns.shape[1]},
        gate=wrong,
        allowed=0.0,
        peers={"nnls_batch, floats alone": times["peer"].best},
        growth=[growth(case, "column sets", len(masks), len(masks), "sets")],
        exact_fits=fits,
        cpu_seconds={"own": times["own"].cpu, "nnls_batch, floats alone": times["peer"].cpu},
    )


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print and write."""
    args = options(__doc__).parse_args(arguments)
    accelerator = jax.default_backend() != "cpu"
    batch, repeats = (256, 2) if args.quick else (16384 if accelerator else 2048, 5)
    records = []
    for case, (n, k) in RANDOM.items():
        records.append(compared(case, *random_problems(n, k, batch), repeats))
    for case, (d, n) in CELLS.items():
        landscape, allowed = landscape_problems(d, n, batch)
        columns, target = np.array(landscape.columns, float).T, [float(v) for v in landscape.problem.y]
        stacked = np.broadcast_to(columns, (batch, *columns.shape)), np.broadcast_to(target, (batch, len(target)))
        records.append(compared(case, *stacked, allowed, repeats))
        records.append(finished(case, landscape, allowed[: batch // 4], repeats))
    for case, (d, n) in LEVEL_SETS.items():
        for count in SETS[: 1 if args.quick else None]:
            records.append(level_set(case, d, n, count, 2))
    write_records(args.json, records, quick=args.quick)


if __name__ == "__main__":
    main()
