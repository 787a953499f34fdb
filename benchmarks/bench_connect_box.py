"""Paths inside AdamW's box: time, live neurons and certificate size against n and m, beside one generic linear program.

    python benchmarks/bench_connect_box.py [--json FILE] [--quick] [--drawn]

Nets are trained with AdamW inside the box of their own decay (or drawn in it, ``--drawn``). Every path is checked
before its time counts: by the exact checker, and by ordinary forward passes along it; a pair that is not joined is a
goal missed. The peer is what a user without
cells would pick: the scaling program as one call of HiGHS with its defaults (presolve, dense rows, no repair), for one
net. Beside the time stands the floor of the reduction: reading the n m contributions of both nets once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from rates import bandwidth_of_a_copy
from records import gate, growth, options, record, rounds, write_records
from scipy.optimize import linprog

from modeconn.constructions import Connection, checked_pair, problem_to_json
from modeconn.constructions.cell_program import cell_program
from modeconn.constructions.pair import Pair
from modeconn.constructions.scaled_cells import scaled_cells
from modeconn.nets import Net, output_weights
from modeconn.train import Fleet, train_fleet, unstack
from proofs_check.checker import check_certificate

SIZES = ((25, 10, 1000), (50, 10, 1000), (100, 10, 1000), (200, 10, 1000), (100, 10, 250), (100, 10, 500),
         (100, 10, 2000), (100, 10, 4000))  # fmt: skip
CELL_SIZES = ((8, 3, 320), (20, 3, 80), (30, 4, 100))
Problem = tuple[tuple[Net, Net], np.ndarray, np.ndarray, str]

GOAL = (100, 10, 1000)
GOAL_SECONDS = 20.0
DRIFT = 1e-9
"""Largest relative change of the prediction that a reduction may leave."""

SLACK = 1e-8
"""By how much the level of a path may exceed the worse end, relative."""

COST = "n^2 m: n pivots over n rows and m columns"
DECAY = 0.5


def nets_in_box(n: int, d: int, m: int, drawn: bool, seed: int = 0) -> Problem:
    """Return two nets, their data and their box."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, d)), rng.normal(size=n)
    if drawn:
        first, last = (np.split(rng.uniform(-0.3, 0.3, (d + 1, m)), [d]) for _ in range(2))
        return (Net(*first), Net(*last)), X, y, "linf:0.3"
    fleet = Fleet.of(optimizer="adamw", width=m, learning_rate=2e-3, weight_decay=DECAY, seed=[seed, seed + 1])
    result = train_fleet(fleet, X, y, steps=1000, dtype="float64", schedule="cosine")
    return (unstack(result, 0), unstack(result, 1)), X, y, f"linf:{1 / DECAY:g}"


def generic_program(pair: Pair) -> int:
    """Return the support of the generic linear program for the first net: least total of 0 <= t <= cap."""
    H = pair.A0[0] * np.maximum(pair.X @ pair.W0, 0.0)
    hidden, output = (float(ball.radius) for ball in pair.region.balls)
    gauge = np.abs(pair.W0 * pair.A0).max(axis=0) / (hidden * output)
    caps = 1.0 / np.maximum(gauge, 1e-12)
    found = linprog(gauge, A_eq=H, b_eq=H.sum(axis=1), bounds=np.stack([0 * caps, caps], axis=1))
    if found.status != 0:
        raise SystemExit(f"HiGHS: {found.message}; nothing was timed")
    return int((found.x > 1e-9 * caps).sum())


def checked(found: Connection, nets: tuple[Net, Net], X: np.ndarray, y: np.ndarray, region: str) -> dict[str, Any]:
    """Return what the exact checker and forward passes say of the path; leave if they refuse it."""
    if found.path is None or found.level is None:
        return {"joined": False, "reason": found.reason}
    level = float(found.level)
    certificate = json.loads(text := json.dumps(found.certificate()))
    start = time.perf_counter()
    answer = check_certificate(certificate, problem_to_json(*nets, X, y, region))
    seconds = time.perf_counter() - start
    if not answer.accepted:
        raise SystemExit(f"not accepted: {answer.reason}; nothing was timed")
    path = found.path.nets(np.linspace(0, found.path.pieces, 20 * found.path.pieces + 1))
    F = np.stack([a[0] @ np.maximum(X @ w, 0.0).T for w, a in zip(path.W, output_weights(path), strict=True)])
    sampled = float(0.5 * ((F - y) ** 2).sum(axis=1).max())
    if sampled > level * (1 + 1e-9) + 1e-20:
        raise SystemExit(f"forward passes exceed the level: {sampled} > {level}; nothing was timed")
    return {
        "joined": True,
        "level": level,
        "level_slack": found.level_slack,
        "radius_slack": float(found.radius_slack or 0),
        "drift": found.drift,
        "sampled_largest_loss": sampled,
        "pieces": found.path.pieces,
        "certificate_mb": len(text) / 1e6,
        "check_s": seconds,
    }


def studies_of(n: int, d: int, m: int) -> list[dict[str, Any]]:
    """Return the studies of growth that a size belongs to: over n at the goal's width, over m at its n."""
    cost = float(n * n * m)
    over_n = [growth(f"m = {m}", f"n, at d = {d}", n, cost, COST)] if m == GOAL[2] else []
    return over_n + ([growth(f"n = {n}", f"m, at d = {d}", m, cost, COST)] if n == GOAL[0] else [])


def relative_slack(outcome: dict[str, Any]) -> float:
    """Return by how much the level of a path exceeds the worse end, relative; 0 for a pair that is not joined."""
    return float(outcome["level_slack"] / outcome["level"]) if outcome["joined"] else 0.0


def bench(size: tuple[int, int, int], name: str, repeats: int, drawn: bool, bandwidth: float) -> dict[str, Any]:
    """Return the record of one size: the path and its certificate."""
    n, d, m = size
    nets, X, y, region = nets_in_box(n, d, m, drawn)
    pair = checked_pair(*nets, X, y, region)
    construct = {"scaled-cells": scaled_cells, "cell-program": cell_program}[name]
    found = construct(pair)
    outcome = checked(found, nets, X, y, region)
    slack = gate(f"{name}, {size}: level above the worse end", relative_slack(outcome), SLACK)
    if found.joined:
        gate(f"{name}, {size}: drift of the prediction", found.drift, DRIFT)
    support = generic_program(pair)

    def whole() -> None:
        again = construct(pair)
        if again.path is not None:
            again.certificate()

    calls = {"path": lambda: construct(pair).drift, "whole": whole, "generic": lambda: generic_program(pair)}
    times = rounds(calls, repeats)
    has_goal = size == GOAL and name == "scaled-cells"
    goal = f"joined, <= {GOAL_SECONDS:.0f} s" if has_goal else "joined"
    return record(
        "connect_box",
        f"{name}, {'drawn' if drawn else 'trained'}, n = {n}, d = {d}, m = {m}",
        times["whole"].best,
        size={"n": n, "d": d, "m": m},
        gate=slack,
        allowed=SLACK,
        peers={"HiGHS for both nets, no path": 2 * times["generic"].best},
        floor=2 * 8 * n * m / bandwidth,
        bound="bytes",
        goal=goal,
        met=outcome["joined"] and (times["whole"].best <= GOAL_SECONDS or not has_goal),
        growth=studies_of(*size) if name == "scaled-cells" else (),
        construction=name,
        live=[found.live0, found.live1],
        needed=found.needed,
        path_seconds=times["path"].best,
        median_seconds=times["whole"].median,
        cpu_seconds=times["whole"].cpu,
        generic_support=support,
        **outcome,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print, and write the records."""
    parser = options(__doc__)
    parser.add_argument("--drawn", action="store_true", help="uniform nets instead of trained ones")
    args = parser.parse_args(arguments)
    bandwidth, repeats = bandwidth_of_a_copy(), 1 if args.quick else 3
    cases = [(size, "scaled-cells") for size in ((GOAL,) if args.quick else SIZES)]
    cases += [] if args.quick else [(size, "cell-program") for size in CELL_SIZES]
    records = [bench(size, name, repeats, args.drawn, bandwidth) for size, name in cases]
    write_records(args.json, records, quick=args.quick, bandwidth=bandwidth)


if __name__ == "__main__":
    main()
