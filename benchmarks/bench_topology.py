"""Exact topology and barriers of narrow nets: time, memory and growth, against a plain loop and a path finder.

    python benchmarks/bench_topology.py [--json FILE] [--quick]

Every row runs in a process of its own: level set and barriers from nothing, then certificates, then their check by the
standard-library checker. A row counts only if all its certificates are accepted and a false count is rejected; the
worst of three drawn problems is shown.

Peers, in the same run. (1) The plain loop: ``scipy.optimize.nnls`` (``linprog`` for zero loss) over all ordered
assignments and edges, each program timed on a sample and scaled to their number; it is given our rays and cones for
nothing, and its answers on the sample are compared with the exact ones. Both sides run on one thread and the ratio is
one of processor time. (2) A nudged elastic band (climbing image, Adam, several rates and restarts in one compiled
program): what it reports, the largest loss of its images, and the exact largest loss along its chain, beside the exact
barrier. A chain that steps over the ridge between two images reports less than any path can reach.
"""

from __future__ import annotations

import argparse
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
import jax.numpy as jnp
import numpy as np
from elastic_band import elastic_band, parameters
from records import record, write_records
from scipy.optimize import linprog, nnls

from modeconn.cells import max_cones
from modeconn.cells.arrangement import arrangement
from modeconn.nets import Net
from modeconn.paths import polyline_barrier
from modeconn.topology import (
    Landscape,
    LevelSet,
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
SEEDS = 3
LOOP_GOAL = 20.0
CHECK_GOAL = 5.0
MEMORY_GOAL = 4096.0
CHECKED_CELLS = 10**7

PAIRS: dict[str, tuple[dict[str, Any], int]] = {
    "worked example": ({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}, 2),
    "witness": ({"X": [[1, 0], [2, 1], [1, 1], [-2, 1]], "y": [1, 0, -1, -2]}, 2),
    "N8, m = 2": ({"X": [[-2, 0], [0, -1], [-1, 1], [-2, -1]], "y": [1, 1, -2, -2]}, 2),
    "N8, m = 3": ({"X": [[0, -2], [1, -2], [1, 0], [-1, 0]], "y": [2, 0, 0, 0]}, 3),
}
"""Problems with several components, for the path finder."""


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
        raise SystemExit(f"{data}, width {m}: {answers}")
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


# --------------------------------------------------------------------------------------------- the path finder


def pair_of(found: LevelSet, levels: Sequence[Sequence[Fraction]]) -> tuple[int, int]:
    """Return two components with the highest barrier."""
    k = len(found.components)
    return max(((i, j) for i in range(k) for j in range(i)), key=lambda pair: levels[pair[0]][pair[1]])


def path_finder(name: str, restarts: int, steps: int, images: int = 33) -> dict[str, Any]:
    """Return the exact barrier of the hardest pair of components and the best that an elastic band finds."""
    data, m = PAIRS[name]
    problem = problem_from_json(data)
    start = time.perf_counter()
    matrix = communication_barrier(problem, m)
    exact_s = time.perf_counter() - start
    i, j = pair_of(matrix.level_set, matrix.levels)
    exact = matrix.levels[i][j]
    ends = [parameters(matrix.level_set.components[k].representative) for k in (i, j)]
    X, y = jnp.asarray(data["X"], float), jnp.asarray(data["y"], float)
    band, keys = elastic_band(X, y, images, steps), jax.random.split(jax.random.key(0), restarts)
    rates = (0.1, 0.03, 0.01, 0.003)
    start = time.perf_counter()
    jax.block_until_ready(band(*ends, keys, jnp.asarray(rates[0])))
    first_s = time.perf_counter() - start
    start = time.perf_counter()
    chains = np.concatenate([jax.block_until_ready(band(*ends, keys, jnp.asarray(rate))) for rate in rates])
    band_s = time.perf_counter() - start
    d = len(X[0])
    reported, tops = [], []
    for chain in chains:
        weights = chain.reshape(len(chain), d + 1, m)
        knots = [Net(jnp.asarray(image[:d]), jnp.asarray(image[d:])) for image in weights]
        tops.append(float(polyline_barrier(knots, np.asarray(X), np.asarray(y)).max_loss))
        F = np.einsum("knj,kj->kn", np.maximum(np.asarray(X) @ weights[:, :d], 0.0), weights[:, d])
        reported.append(float(np.max(0.5 * np.sum((F - np.asarray(y)) ** 2, axis=1))))
    if min(tops) < float(exact) - 1e-9:
        raise SystemExit(f"{name}: a path of loss {min(tops)} lies below the exact barrier {exact}")
    return {
        "problem": name,
        "barrier": str(exact),
        "exact_s": exact_s,
        "band_reports": min(reported),
        "band_reports_too_low": sum(value < float(exact) - 1e-9 for value in reported),
        "band_best": min(tops),
        "band_median": float(np.median(tops)),
        "band_s": band_s,
        "band_first_call_s": first_s,
        "chains": len(tops),
        "images": images,
        "steps": steps,
        "excess_of_best": min(tops) / float(exact) - 1,
    }


# --------------------------------------------------------------------------------------------- report


def print_growth(rows: Sequence[dict[str, Any]]) -> None:
    """Print the worst row of each size."""
    heads = "types", "cells", "ordered", "solved", "comp.", "topology s", "certs s", "check s", "check/constr.", "MiB"
    print(f"{'d':>2}{'n':>3}{'m':>3}" + "".join(f"{head:>14}" for head in heads))
    for row in rows:
        print(
            f"{row['d']:>2}{row['n']:>3}{row['m']:>3}{row['types']:>14}{row['cells']:>14}{row['ordered_cells']:>14}"
            f"{row['programs_solved']:>14}{row['components']:>14}{row['topology_s']:>14.3f}{row['certificates_s']:>14.3f}"
            f"{row['check_s']:>14.3f}{row['check_over_construction']:>14.2f}{row['peak_MiB']:>14.0f}"
        )


def topology_record(
    rows: Sequence[dict[str, Any]], loops: Sequence[dict[str, Any]], size: tuple[int, int, int], problems: int
) -> dict[str, Any]:
    """Return the record of one size with a goal: its slowest problem, the loop at its best."""
    own = next(row for row in rows if (row["d"], row["n"], row["m"]) == size)
    ratio = min(float(loop["nnls_ratio"]) for loop in loops if (loop["d"], loop["n"], loop["m"]) == size)
    return record(
        "topology",
        f"d = {size[0]}, n = {size[1]}, m = {size[2]}, slowest of {problems}",
        own["topology_s"],
        size=dict(zip("dnm", size, strict=True)),
        gate=0.0,
        peers={"nnls in a loop": own["topology_s"] * ratio},
        goal=f"in <= {GOALS[size]:.0f} s, {LOOP_GOAL:.0f} x nnls in a loop",
        met=own["topology_s"] <= GOALS[size] and ratio >= LOOP_GOAL,
        dtype="float64 and rationals",
        peak_MiB=own["peak_MiB"],
        check_seconds=own["check_s"],
    )


def main() -> None:
    """Check, time, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="write the record to this file")
    parser.add_argument("--quick", action="store_true", help="one problem a size, the sizes with goals only")
    args = parser.parse_args()
    sizes = sorted({*GOALS, *([] if args.quick else GROWTH)})
    seeds = range(1 if args.quick else SEEDS)
    every = in_fresh_processes(measured, [(*size, seed) for size in sizes for seed in seeds])
    rows = [
        max((row for row in every if (row["d"], row["n"], row["m"]) == size), key=lambda row: row["topology_s"])
        for size in sizes
    ]
    print(f"exact topology and barriers, cold, float64 and rationals; the slowest of {len(seeds)} problems a size")
    print_growth(rows)

    verdicts: dict[str, bool] = {}
    loops = in_fresh_processes(
        plain_loop, [(*size, seed, 200 if args.quick else 2000) for size in GOALS for seed in seeds]
    )
    for size, seconds in GOALS.items():
        name = f"d = {size[0]}, n = {size[1]}, m = {size[2]}"
        own = [row["topology_s"] for row in every if (row["d"], row["n"], row["m"]) == size]
        found = [loop for loop in loops if (loop["d"], loop["n"], loop["m"]) == size]
        verdicts[f"{name}: topology in <= {seconds:.0f} s"] = max(own) <= seconds
        verdicts[f"{name}: {LOOP_GOAL:.0f} times faster than nnls in a loop"] = all(
            loop["nnls_ratio"] >= LOOP_GOAL for loop in found
        )
        first = found[0]
        print(
            f"{name}: {first['cells']} ordered cells, {first['crossings'] + first['passages']} edges; processor time "
            f"of the loop, scaled from {first['sampled']} programs, over ours, for each problem:"
        )
        for loop in found:
            print(
                f"  ours {loop['topology_cpu_s']:.2f} s; nnls {loop['nnls_cpu_s']:.0f} s, {loop['nnls_ratio']:.0f} "
                f"times (cells only: {loop['nnls_cells_only_ratio']:.0f}); linprog {loop['linprog_cpu_s']:.0f} s, "
                f"{loop['linprog_ratio']:.0f} times; {loop['wrong_answers_on_the_sample']} wrong answers of nnls"
            )
    worst = max(every, key=lambda row: row["check_over_construction"])
    heaviest = max(every, key=lambda row: row["peak_MiB"])
    verdicts[f"check <= {CHECK_GOAL:.0f} times construction"] = worst["check_over_construction"] <= CHECK_GOAL
    verdicts[f"memory <= {MEMORY_GOAL:.0f} MiB"] = heaviest["peak_MiB"] <= MEMORY_GOAL

    bands = [path_finder(name, *((4, 500) if args.quick else (16, 4000))) for name in PAIRS]
    print("nudged elastic band between the two components with the highest barrier")
    for band in bands:
        print(
            f"{band['problem']:<15} exact {band['barrier']:>7} = {float(Fraction(band['barrier'])):.6f} in "
            f"{band['exact_s']:.3f} s; band reports {band['band_reports']:.6f} ({band['band_reports_too_low']} of "
            f"{band['chains']} below the barrier), its best path truly {band['band_best']:.6f} "
            f"({100 * band['excess_of_best']:+.2g} %), median {band['band_median']:.4f}, in {band['band_s']:.1f} s "
            f"(compilation {band['band_first_call_s']:.1f} s)"
        )
    for goal, met in verdicts.items():
        print(f"{'met   ' if met else 'MISSED'} {goal}")
    found = [topology_record(rows, loops, size, len(seeds)) for size in GOALS]
    write_records(args.json, found, rows=every, plain_loop=loops, elastic_band=bands, goals=verdicts)


if __name__ == "__main__":
    main()
