"""Exact topology and barriers of narrow nets: time, memory and growth, against a plain loop and a path finder.

    python benchmarks/bench_topology.py [--json FILE] [--quick]

Every row runs in a process of its own: level set and barriers from nothing, then certificates, then their check by the
standard-library checker. A row counts only if all its certificates are accepted and a false count is rejected; for
the sizes with a goal the worst of three drawn problems is shown.

Peers, in the same run. (1) The plain loop: ``scipy.optimize.nnls`` (``linprog`` for zero loss) over all ordered
assignments and edges, each program timed on a sample and scaled to their number; it is given our rays and cones for
nothing, and its answers on the sample are compared with the exact ones. Both sides run on one thread and the ratio is
one of processor time. (2) A nudged elastic band (climbing image, Adam, several rates and restarts in one compiled
program): what it reports, the largest loss of its images, and the exact largest loss along its chain, beside the exact
barrier. Growth is studied in m and in n.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import random
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Any

import jax
import numpy as np
from elastic_band import PAIRS, path_finder
from rates import product_rate
from records import growth, options, record, write_records
from scipy.optimize import linprog, nnls

from modeconn.cells import max_cones
from modeconn.cells.arrangement import arrangement
from modeconn.topology import (
    Landscape,
    certify_barrier,
    certify_components,
    communication_barrier,
    problem_from_json,
    problem_to_json,
)
from proofs_check.checker import check_certificate

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

GOALS = {(2, 5, 4): 10.0, (3, 6, 3): 60.0}
"""(d, n, m) -> seconds on two cores."""

GROWTH = [
    *((2, 5, m) for m in (1, 2, 3, 4, 5)),
    *((2, n, 3) for n in (3, 4, 6, 7)),
    *((3, n, 2) for n in (4, 5, 6, 7)),
    (3, 6, 3),
]
OVER_M, OVER_N = {(2, 5)}, {(2, 3), (3, 2)}
"""(d, n) of the studies over m, and (d, m) of those over n."""

COST = "cells: m out of the types, unordered"
SEEDS = 3
LOOP_GOAL = 20.0
CHECK_GOAL = 5.0
MEMORY_GOAL = 4096.0
CHECKED_CELLS = 10**7


def drawn_problem(d: int, n: int, seed: int) -> dict[str, Any]:
    """Return a problem of small random integers in general position: as many cells as there can be."""
    rng = random.Random(1000 * d + 100 * n + seed)
    while True:
        X = [[rng.randint(-5, 5) for _ in range(d)] for _ in range(n)]
        if len(arrangement([[Fraction(v) for v in row] for row in X]).cones) == max_cones(n, d):
            return {"X": X, "y": [rng.randint(-5, 5) for _ in range(n)]}


def measured(d: int, n: int, m: int, seed: int) -> dict[str, Any]:
    """Return size, answer, seconds and peak memory of one problem; to be run in a fresh process."""
    communication_barrier(problem_from_json(PAIRS["worked example"][0]), 1)  # imports what is imported on demand
    data = drawn_problem(d, n, seed)
    problem = problem_from_json(data)
    start, cpu = time.perf_counter(), time.process_time()
    matrix = communication_barrier(problem, m)
    solved, solved_cpu = time.perf_counter(), time.process_time()
    found = matrix.level_set
    certificates = [certify_components(found)]
    if matrix.merges:
        other = matrix.levels[0].index(matrix.highest)
        ends = found.components[0].representative, found.components[other].representative
        certificates.append(certify_barrier(found.complex, *ends))
    certified = time.perf_counter()
    texts = [json.loads(json.dumps(certificate)) for certificate in certificates]
    stated = problem_to_json(problem)
    checking = time.perf_counter()
    answers = [check_certificate(text, stated, max_cells=CHECKED_CELLS) for text in texts]
    checked = time.perf_counter()
    if not all(answer.accepted for answer in answers):
        raise SystemExit(f"{data}, width {m}: {answers}; nothing counts")
    if matrix.merges and Fraction(texts[1]["statement"]["value"]) != matrix.highest:
        raise SystemExit(f"{data}, width {m}: barrier {matrix.highest}, certified {texts[1]['statement']['value']}")
    texts[0]["statement"]["components"] += 1
    if check_certificate(texts[0], stated, max_cells=CHECKED_CELLS).accepted:
        raise SystemExit(f"{data}, width {m}: a false number of components was accepted")
    landscape = found.complex.landscape
    return {
        "d": d,
        "n": n,
        "m": m,
        "seed": seed,
        "types": len(landscape.types),
        "cells": len(found.complex),
        "ordered_cells": len(landscape.types) ** m,
        "programs_solved": len(landscape.fits()),
        "min_loss": str(found.least_loss),
        "components": len(found.components),
        "orbits": found.orbits,
        "barrier": str(matrix.highest) if matrix.merges else None,
        "topology_s": solved - start,
        "topology_cpu_s": solved_cpu - cpu,
        "certificates_s": certified - solved,
        "check_s": checked - checking,
        "check_over_construction": (checked - checking) / (certified - start),
        "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_fresh_processes(call: Callable[..., dict[str, Any]], tasks: Sequence[tuple[int, ...]]) -> list[dict[str, Any]]:
    """Return the results, each from a process of its own, so that nothing is warm and memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        return list(pool.map(call, *zip(*tasks, strict=True)))


# --------------------------------------------------------------------------------------------- the plain loop

Cell = tuple[int, ...]
Solver = Callable[[np.ndarray], float]


def loop_over_cells(cells: dict[Cell, list[np.ndarray]], solve: Solver) -> dict[Cell, float]:
    """Return the least loss of every ordered assignment, as a user would write it."""
    return {cell: solve(np.concatenate(blocks)) for cell, blocks in cells.items()}


def loop_over_edges(edges: list[tuple[Cell, Cell, list[np.ndarray]]], solve: Solver) -> dict[Cell, Cell]:
    """Return the minimum spanning forest of the cells (its edges are the barriers), as a user would write it."""
    parent: dict[Cell, Cell] = {}

    def find(cell: Cell) -> Cell:
        while (above := parent.setdefault(cell, cell)) != cell:
            cell = above
        return cell

    for _, a, b in sorted((solve(np.concatenate(blocks)), a, b) for a, b, blocks in edges):
        parent[find(a)] = find(b)
    return parent


def plain_loop(d: int, n: int, m: int, seed: int, sample: int, repeats: int = 3) -> dict[str, Any]:
    """Return the processor seconds of the plain loop, scaled from a sample, and ours, taken in turn, the best of each.

    To be run in a fresh process.
    """
    problem = problem_from_json(drawn_problem(d, n, seed))
    landscape = Landscape(problem)
    y = np.array([float(v) for v in problem.y])
    columns = np.array(landscape.columns, float)

    def block(mask: int) -> np.ndarray:
        return columns[[k for k in range(len(columns)) if mask >> k & 1]].reshape(-1, n)

    types = landscape.types
    T = len(types)
    blocks = [block(kind.face.mask) for kind in types]
    facets = [(t, c.to, c.face.mask) for t, kind in enumerate(types) for c in kind.crossings if t < c.to]
    counts = {"cells": T**m, "crossings": m * len(facets) * T ** (m - 1), "passages": m * T ** (m - 1)}
    rng = np.random.default_rng(0)
    cells = {cell: [blocks[t] for t in cell] for cell in map(tuple, rng.integers(T, size=(sample, m)).tolist())}
    masks = [union(types[t].face.mask for t in cell) for cell in cells]
    edges = []
    for _ in range(sample):
        rest = tuple(rng.integers(T, size=m - 1).tolist())
        a, b, facet = facets[int(rng.integers(len(facets)))]
        edges.append(((*rest, a), (*rest, b), [block(facet), *(blocks[t] for t in rest)]))
        masks.append(facet | union(types[t].face.mask for t in rest))

    def fit(matrix: np.ndarray) -> float:
        return 0.5 * nnls(matrix.T, y)[1] ** 2 if len(matrix) else 0.5 * float(y @ y)

    def reaches(matrix: np.ndarray) -> float:
        if not len(matrix):
            return 1.0
        return float(linprog(np.zeros(len(matrix)), A_eq=matrix.T, b_eq=y).status)

    answers = [*loop_over_cells(cells, fit).values(), *(fit(np.concatenate(parts)) for *_, parts in edges)]
    exact = [float(landscape.fit(mask).value) for mask in masks]
    wrong = sum(not math.isclose(x, v, rel_tol=1e-7, abs_tol=1e-9) for x, v in zip(answers, exact, strict=True))
    few = dict(list(cells.items())[: sample // 20])
    calls: dict[str, Callable[[], Any]] = {
        "ours": lambda: communication_barrier(problem, m),
        "cells": lambda: loop_over_cells(cells, fit),
        "edges": lambda: loop_over_edges(edges, fit),
        "linprog": lambda: loop_over_cells(few, reaches),
    }
    best = dict.fromkeys(calls, math.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            best[name] = min(best[name], time.process_time() - start)
    a_cell, an_edge, a_program = best["cells"] / len(cells), best["edges"] / sample, best["linprog"] / len(few)
    scaled = {
        "nnls": a_cell * counts["cells"] + an_edge * (counts["crossings"] + counts["passages"]),
        "nnls_cells_only": a_cell * counts["cells"],
        "linprog": a_program * sum(counts.values()),
    }
    return {
        "d": d,
        "n": n,
        "m": m,
        "seed": seed,
        **counts,
        "sampled": len(masks),
        "wrong_answers_on_the_sample": wrong,
        "topology_cpu_s": best["ours"],
        **{f"{name}_cpu_s": seconds for name, seconds in scaled.items()},
        **{f"{name}_ratio": seconds / best["ours"] for name, seconds in scaled.items()},
    }


def union(masks: Iterable[int]) -> int:
    """Return the union of bit sets."""
    return reduce(or_, masks, 0)


# --------------------------------------------------------------------------------------------- records

Row = dict[str, Any]


def size_of(row: Row) -> tuple[int, int, int]:
    """Return (d, n, m)."""
    return row["d"], row["n"], row["m"]


def studies_of(row: Row) -> list[dict[str, Any]]:
    """Return the studies that a size belongs to; unordered cells of m of the T types are what there is to look at."""
    d, n, m = size_of(row)
    cells = float(math.comb(row["types"] + m - 1, m))
    over_m = [growth(f"d = {d}, n = {n}", "m", m, cells, COST)] if (d, n) in OVER_M else []
    return over_m + ([growth(f"d = {d}, m = {m}", "n", n, cells, COST)] if (d, m) in OVER_N else [])


def topology_record(every: Sequence[Row], loops: Sequence[Row], size: tuple[int, int, int], rate: float) -> Row:
    """Return the record of one size: its slowest problem, the loop at its best."""
    rows = [row for row in every if size_of(row) == size]
    own = max(rows, key=lambda row: row["topology_s"])
    found = [loop for loop in loops if size_of(loop) == size]
    ratios = {name: min((float(loop[f"{name}_ratio"]) for loop in found), default=None) for name in ("nnls", "linprog")}
    goals = {
        f"check <= {CHECK_GOAL:.0f} x construction": all(r["check_over_construction"] <= CHECK_GOAL for r in rows),
        f"<= {MEMORY_GOAL:.0f} MiB": all(row["peak_MiB"] <= MEMORY_GOAL for row in rows),
    }
    if size in GOALS:
        goals[f"<= {GOALS[size]:.0f} s"] = own["topology_s"] <= GOALS[size]
        goals[f"{LOOP_GOAL:.0f} x nnls in a loop"] = ratios["nnls"] is not None and ratios["nnls"] >= LOOP_GOAL
    return record(
        "topology",
        f"d = {size[0]}, n = {size[1]}, m = {size[2]}" + (f", slowest of {len(rows)}" if len(rows) > 1 else ""),
        own["topology_s"],
        size=dict(zip("dnm", size, strict=True)),
        gate=0.0,  # certificates accepted and a false one rejected, or nothing gets here
        peers={f"{name} in a loop, scaled": own["topology_s"] * ratio for name, ratio in ratios.items() if ratio},
        floor=own["programs_solved"] * 2 * size[1] ** 3 / 3 / rate,
        bound="flops of a solution for each program",
        goal=", ".join(goals),
        met=all(goals.values()),
        dtype="float64 and rationals",
        growth=studies_of(own),
        goals_met=goals,
        cpu_seconds=own["topology_cpu_s"],
        certificates_seconds=own["certificates_s"],
        check_seconds=own["check_s"],
        peak_MiB=max(row["peak_MiB"] for row in rows),
        cells=own["cells"],
        ordered_cells=own["ordered_cells"],
        programs_solved=own["programs_solved"],
        components=own["components"],
        wrong_answers_of_nnls_on_the_sample=sum(loop["wrong_answers_on_the_sample"] for loop in found),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print, and write the records."""
    args = options(__doc__).parse_args(arguments)
    sizes = sorted({*GOALS, *([] if args.quick else GROWTH)})
    seeds = range(1 if args.quick else SEEDS)
    every = in_fresh_processes(
        measured, [(*size, seed) for size in sizes for seed in (seeds if size in GOALS else (0,))]
    )
    loops = in_fresh_processes(
        plain_loop, [(*size, seed, 200 if args.quick else 2000) for size in GOALS for seed in seeds]
    )
    rate = product_rate()
    rows = [topology_record(every, loops, size, rate) for size in sizes]
    rows += [path_finder(name, *((4, 500) if args.quick else (16, 4000))) for name in PAIRS]
    write_records(args.json, rows, quick=args.quick, problems=every, plain_loop=loops)


if __name__ == "__main__":
    main()
