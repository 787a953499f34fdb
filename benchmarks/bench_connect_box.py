"""Paths inside AdamW's box: time, live neurons and certificate size against n and m, beside one generic linear program.

    python benchmarks/bench_connect_box.py [--json FILE] [--repeats 3] [--quick]

Nets are trained with AdamW inside the box of their own decay (or drawn in it, ``--drawn``). Every path is checked
before its time counts: by the exact checker, and by ordinary forward passes along it. The peer is what a user without
cells would pick: the scaling program as one call of HiGHS with its defaults (presolve, dense rows, no repair), for one
net. Beside the time stands the floor of the reduction: reading the n m contributions of both nets once.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from records import record, write_records
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
DECAY = 0.5


def nets_in_box(n: int, d: int, m: int, drawn: bool, seed: int = 0) -> Problem:
    """Return two nets, their data and their box."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, d)), rng.normal(size=n)
    if drawn:
        first, last = (np.split(rng.uniform(-0.3, 0.3, (d + 1, m)), [d]) for _ in range(2))
        return (Net(*first), Net(*last)), X, y, "linf:0.3"  # type: ignore[arg-type]
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
        raise SystemExit(f"not accepted: {answer.reason}")
    path = found.path.nets(np.linspace(0, found.path.pieces, 20 * found.path.pieces + 1))
    F = np.stack([a[0] @ np.maximum(X @ w, 0.0).T for w, a in zip(path.W, output_weights(path), strict=True)])
    sampled = float(0.5 * ((F - y) ** 2).sum(axis=1).max())
    if sampled > level * (1 + 1e-9) + 1e-20:
        raise SystemExit(f"forward passes exceed the level: {sampled} > {level}")
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


def row_of(size: tuple[int, int, int], name: str, repeats: int, drawn: bool, bandwidth: float) -> dict[str, Any]:
    """Return one line of the table: outcome first, then the best and the median time."""
    n, d, m = size
    nets, X, y, region = nets_in_box(n, d, m, drawn)
    pair = checked_pair(*nets, X, y, region)
    construct = {"scaled-cells": scaled_cells, "cell-program": cell_program}[name]
    found = construct(pair)
    outcome = checked(found, nets, X, y, region)
    times: dict[str, list[float]] = {"path": [], "path and certificate": [], "generic": []}
    for _ in range(repeats):
        start = time.perf_counter()
        found = construct(pair)
        times["path"].append(time.perf_counter() - start)
        if found.path is not None:
            found.certificate()
        times["path and certificate"].append(time.perf_counter() - start)
        start = time.perf_counter()
        support = generic_program(pair)
        times["generic"].append(time.perf_counter() - start)
    best = {key: min(values) for key, values in times.items()}
    return {
        "n": n,
        "d": d,
        "m": m,
        "construction": name,
        "live": [found.live0, found.live1],
        "needed": found.needed,
        "seconds": best,
        "median_s": {key: float(np.median(values)) for key, values in times.items()},
        "floor_s": 2 * 8 * n * m / bandwidth,
        "ratio_to_two_generic": best["path"] / (2 * best["generic"]),
        "generic_support": support,
        **outcome,
    }


def bandwidth_of_a_copy() -> float:
    """Return bytes a second of a copy larger than the caches, at best."""
    source = np.zeros(2**24)
    target = np.empty_like(source)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best


def record_of(row: dict[str, Any], nets: str) -> dict[str, Any]:
    """Return the record of one line of the table: the path and its certificate."""
    seconds = row["seconds"]["path and certificate"]
    size = tuple(row[key] for key in "ndm")
    has_goal = size == GOAL and row["construction"] == "scaled-cells"
    met = row["joined"] and seconds <= GOAL_SECONDS
    return record(
        "connect_box",
        f"{row['construction']}, {nets}, n = {size[0]}, d = {size[1]}, m = {size[2]}",
        seconds,
        size=dict(zip("ndm", size, strict=True)),
        gate=row.get("level_slack", 0.0),
        peers={"HiGHS for both nets, no path": 2 * row["seconds"]["generic"]},
        floor=row["floor_s"],
        bound="bytes",
        goal=f"<= {GOAL_SECONDS:.0f} s" if has_goal else None,
        met=met if has_goal else None,
        **{key: value for key, value in row.items() if key not in ("n", "d", "m", "seconds", "floor_s")},
        path_seconds=row["seconds"]["path"],
    )


def main() -> None:
    """Check, time, print, and write the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="write the records to this file")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--drawn", action="store_true", help="uniform nets instead of trained ones")
    parser.add_argument("--quick", action="store_true", help="the goal's size only")
    args = parser.parse_args()
    bandwidth = bandwidth_of_a_copy()
    cases = [(size, "scaled-cells") for size in ((GOAL,) if args.quick else SIZES)]
    cases += [] if args.quick else [(size, "cell-program") for size in CELL_SIZES]
    rows = [row_of(size, name, args.repeats, args.drawn, bandwidth) for size, name in cases]
    for row in rows:
        if not row["joined"]:
            print(f"not joined, {row['construction']}, m = {row['m']}: {row['reason']}")
    nets = "drawn" if args.drawn else "trained"
    write_records(args.json, [record_of(row, nets) for row in rows], bandwidth=bandwidth)


if __name__ == "__main__":
    main()
