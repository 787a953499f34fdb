"""Ridge-regularised optima: certified duality gaps and staircases, with a cvxpy model of the convex program beside.

    python benchmarks/bench_regularised.py [--json FILE] [--quick]

A row counts only if the standard-library checker accepts its certificate, read back from JSON, and rejects one whose
lower end is above the truth. The peer, in the same run, is what one would write otherwise: the convex program over all
activation patterns in cvxpy (Pilanci and Ergen 2020), two vectors a pattern, default solver; it is given our patterns
for nothing. Its gap is what its own answer is worth: its objective, less the dual value of its residual scaled to be
feasible over all cells, both in floats, nothing certified; and the solver's status. Without cvxpy that part is skipped
by name. The staircase counts components and barriers for widths 1 to 4 and must agree with the optimal polytope.
"""

from __future__ import annotations

import importlib.util
import json
import random
import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import jax
import numpy as np
from rates import product_rate
from records import gate, growth, options, record, write_records

from modeconn.regularised import DualConstraint, certify_gap, dual_optimum, optimal_set, ridge_gap, ridge_staircase
from modeconn.topology import Problem, problem_to_json
from proofs_check.checker import check_certificate

jax.config.update("jax_enable_x64", True)

GAP_SIZES = ((5, 2), (10, 2), (20, 2), (40, 2), (5, 3), (10, 3), (20, 3))
GAP_GOAL = 30.0
"""Seconds for n = 20, d = 3: dual optimum, certificate, and its check."""

STAIR_GOAL = 60.0
"""Seconds for widths 1 to 4 of d = 2, n = 5."""

SEEDS = 3
GATE = 1e-6
"""Largest relative duality gap, certified."""


def drawn_problem(n: int, d: int, seed: int) -> Problem:
    """Return small random integers with beta = 1/2."""
    rng = random.Random(1000 * d + 10 * n + seed)
    X = tuple(tuple(Fraction(rng.randint(-9, 9)) for _ in range(d)) for _ in range(n))
    return Problem(X, tuple(Fraction(rng.randint(-9, 9)) for _ in range(n)), ridge=Fraction(1, 2))


def measured_gap(n: int, d: int, seed: int) -> dict[str, Any]:
    """Return seconds and the certified gap of one problem."""
    problem = drawn_problem(n, d, seed)
    start = time.perf_counter()
    constraint = DualConstraint(problem.X)
    optimum = dual_optimum(problem, constraint)
    solved = time.perf_counter()
    gap = ridge_gap(problem, optimum)
    text = json.dumps(certify_gap(gap))
    certified = time.perf_counter()
    answer = check_certificate(json.loads(text), problem_to_json(problem))
    checked = time.perf_counter()
    if not answer.accepted:
        raise SystemExit(f"n = {n}, d = {d}, seed {seed}: {answer.reason}")
    false = json.loads(text)
    false["statement"]["lower"] = str(gap.upper + Fraction(1, 10**6))
    if check_certificate(false, problem_to_json(problem)).accepted:
        raise SystemExit(f"n = {n}, d = {d}, seed {seed}: a false lower end was accepted")
    gate(f"n = {n}, d = {d}, seed {seed}: relative gap", float(gap.width / gap.upper), GATE)
    row = {
        "n": n,
        "d": d,
        "seed": seed,
        "cells": len(constraint.kinds),
        "lower": float(gap.lower),
        "upper": float(gap.upper),
        "relative_gap": float(gap.width / gap.upper),
        "neurons": len(gap.net),
        "dual_s": solved - start,
        "certificate_s": certified - solved,
        "check_s": checked - certified,
        "total_s": checked - start,
        "certificate_bytes": len(text),
    }
    return row | (peer(problem, constraint, row) if importlib.util.find_spec("cvxpy") else {})


def peer(problem: Problem, constraint: DualConstraint, row: dict[str, Any]) -> dict[str, Any]:
    """Return seconds, value and own gap of the cvxpy model."""
    import cvxpy as cp

    X, y = np.array(problem.X, float), np.array(problem.y, float)
    beta = float(problem.ridge)
    patterns = [np.array(kind.pattern) for kind in constraint.kinds if kind.s == 1]
    start = time.perf_counter()
    up, down = (cp.Variable((len(patterns), X.shape[1])) for _ in range(2))
    constraints = []
    fit: Any = 0
    for k, pattern in enumerate(patterns):
        active, sides = (pattern > 0)[:, None] * X, pattern[:, None] * X
        fit = fit + active @ (up[k] - down[k])
        constraints += [sides @ up[k] >= 0, sides @ down[k] >= 0]
    norms = cp.sum(cp.norm(up, axis=1)) + cp.sum(cp.norm(down, axis=1))
    model = cp.Problem(cp.Minimize(cp.sum_squares(fit - y) / 2 + beta * norms), constraints)
    model.solve()
    seconds = time.perf_counter() - start
    nu = y - fit.value
    nu_feasible = nu * min(1.0, beta / constraint.largest(nu))
    return {
        "cvxpy_s": seconds,
        "cvxpy_solver_s": model.solver_stats.solve_time,
        "cvxpy_solver": model.solver_stats.solver_name,
        "cvxpy_status": model.status,
        "cvxpy_value": float(model.value),
        "cvxpy_relative_error": abs(float(model.value) - row["upper"]) / row["upper"],
        "cvxpy_relative_gap": float(model.value - (nu_feasible @ y - nu_feasible @ nu_feasible / 2)) / row["upper"],
        "cvxpy_ratio": seconds / row["total_s"],
    }


def measured_staircase(seed: int) -> dict[str, Any]:
    """Return seconds and counts of the staircase of one problem, d = 2, n = 5, widths 1 to 4."""
    problem = drawn_problem(5, 2, seed)
    start = time.perf_counter()
    found = optimal_set(problem)
    stairs = list(ridge_staircase(problem, range(1, 5), found))
    seconds = time.perf_counter() - start
    if not all(stair.agrees and not stair.undecided for stair in stairs):
        raise SystemExit(f"staircase, seed {seed}: the polytope and the graph of cells disagree")
    return {
        "seed": seed,
        "m_star": found.smallest_support,
        "M_star": found.largest_support,
        "counts": [list(stair.count) for stair in stairs],
        "attained": [stair.attains for stair in stairs],
        "barriers": [list(stair.barrier) for stair in stairs],
        "seconds": seconds,
    }


def gap_record(rows: Sequence[dict[str, Any]], rate: float) -> dict[str, Any]:
    """Return the record of one size: its slowest problem."""
    row = max(rows, key=lambda row: row["total_s"])
    n, d = row["n"], row["d"]
    has_goal = (n, d) == GAP_SIZES[-1]
    return record(
        "regularised",
        f"certified gap, n = {n}, d = {d}, slowest of {len(rows)}",
        row["total_s"],
        size={"n": n, "d": d, "cells": row["cells"]},
        gate=max(row["relative_gap"] for row in rows),
        allowed=GATE,
        peers={"cvxpy, uncertified": row["cvxpy_s"]} if "cvxpy_s" in row else {},
        floor=2 * row["cells"] * n * d / rate,
        bound="flops of one look at every cell",
        goal=f"<= {GAP_GOAL:.0f} s" if has_goal else None,
        met=row["total_s"] <= GAP_GOAL if has_goal else None,
        dtype="float64 and rationals",
        growth=[growth(f"d = {d}", "n", n, float(row["cells"] * n * d), "cells n d")],
        dual_seconds=row["dual_s"],
        certificate_seconds=row["certificate_s"],
        check_seconds=row["check_s"],
        relative_gap=row["relative_gap"],
        peer_relative_gap=row.get("cvxpy_relative_gap"),
        peer_relative_error=row.get("cvxpy_relative_error"),
    )


def staircase_record(stairs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the record of the slowest staircase."""
    slowest = max(stairs, key=lambda stair: stair["seconds"])
    return record(
        "regularised",
        f"staircase 1 to 4, d = 2, n = 5, slowest of {len(stairs)}",
        slowest["seconds"],
        size={"n": 5, "d": 2, "m": 4},
        gate=0.0,  # counts of the polytope and of the graph of cells are equal, or nothing gets here
        goal=f"<= {STAIR_GOAL:.0f} s",
        met=slowest["seconds"] <= STAIR_GOAL,
        dtype="float64 and rationals",
        counts=slowest["counts"],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print, and write the records."""
    args = options(__doc__).parse_args(arguments)
    seeds = range(1 if args.quick else SEEDS)
    if importlib.util.find_spec("cvxpy") is None:
        print("cvxpy skipped: not installed")
    measured_gap(3, 2, 0)  # imports what is imported on demand
    sizes = GAP_SIZES[-1:] if args.quick else GAP_SIZES
    gaps = [[measured_gap(n, d, seed) for seed in seeds] for n, d in sizes]
    stairs = [measured_staircase(seed) for seed in seeds]
    rate = product_rate()
    rows = [*(gap_record(found, rate) for found in gaps), staircase_record(stairs)]
    write_records(args.json, rows, quick=args.quick, gaps=[row for found in gaps for row in found], staircases=stairs)


if __name__ == "__main__":
    main()
