"""Paths between wide nets in a spectral ball: one large pair, batches of small ones, growth, and peers.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_connect.py [--json FILE] [--skip-large] [--skip-peers] [--steps 100]

Every path is checked before its time counts: ends, forward passes along it, and, for one pair of each size
but the largest, the exact checker. Peers, on the same pairs: Garipov's learned polygonal chain and Bezier curve (Adam,
time until their largest loss on a grid of 201 points is within 1% of the worse end's, or the limit), and the reduction
by one generic linear program (HiGHS, dual simplex).

The large pair is trained here with Muon (exact polar factor) on 200 digits, 16 principal components, 10 outputs.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from records import record, write_records
from scipy.optimize import linprog
from sklearn.decomposition import PCA

from modeconn.constructions import Connection, connect, connect_batch, functionals_of, problem_to_json, recombine
from modeconn.constructions.wide_region import region_from_text
from modeconn.data import load_dataset
from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net
from modeconn.train import Fleet, train_fleet
from proofs_check.checker import check_certificate

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

SQUARED = LOSSES["half_squared_error"]
REGION = "spectral:6.7"
GRID = 201


def fitted_pairs(count: int, n: int, d: int, m: int, seed: int = 0) -> tuple[Net, Net, np.ndarray, np.ndarray]:
    """Return stacked random nets (count, ...), output weights fitted to the same targets, and the data."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = np.sin(X @ rng.normal(size=(d, 1)))
    stacks = []
    for _ in range(2):
        W = rng.normal(size=(count, d, m)) / m**0.5
        H = np.maximum(X @ W, 0.0)
        A = np.stack([np.linalg.lstsq(h, Y, rcond=None)[0].T for h in H])
        A += 0.01 * rng.normal(size=A.shape) * np.linalg.norm(A) / (count * m) ** 0.5
        balance = np.sqrt(np.linalg.norm(A, 2, axis=(1, 2)) / np.linalg.norm(W, 2, axis=(1, 2)))[:, None, None]
        stacks.append(Net(W * balance, A / balance))
    return stacks[0], stacks[1], X, Y


def member(nets: Net, k: int) -> Net:
    """Return one net of a stack."""
    return Net(*(None if leaf is None else np.asarray(leaf, np.float64)[k] for leaf in nets))


def digits_pair(steps: int) -> tuple[Net, Net, np.ndarray, np.ndarray]:
    """Return two Muon-trained nets of width 4,400 on 200 digits, 16 principal components, and the data."""
    data = load_dataset("digits", n=200, task="multiclass")
    X = PCA(16, random_state=0).fit_transform(data.X)
    X = X / X.std()
    fleet = Fleet.grid(optimizers=["muon"], learning_rates=[0.05], weight_decays=[1 / 6.7], widths=[4400], seeds=[0, 1])
    result = train_fleet(
        fleet, X, data.Y, steps=steps, schedule="cosine", record_every=steps, padding="largest", init="rich"
    )
    nets = [member(result.nets, k) for k in range(2)]
    return nets[0], nets[1], X, np.asarray(data.Y, np.float64)


def worst_on_path(found: Connection, X: np.ndarray, Y: np.ndarray, points: int) -> float:
    """Return the largest loss on a path by ordinary forward passes, after checking its ends."""
    taus = np.linspace(0.0, found.path.pieces, points)
    nets = [found.path.net(float(tau)) for tau in taus]
    return max(float(net_loss(SQUARED, net, X, Y)) for net in nets)


def check(found: Connection, net0: Net, net1: Net, X: np.ndarray, Y: np.ndarray, region: str, exact: bool) -> None:
    """Stop unless the path joins these nets below its level, and the exact checker agrees where asked."""
    if found.path is None:
        raise SystemExit(f"no path: {found.reason}")
    for tau, net in ((0, net0), (found.path.pieces, net1)):
        np.testing.assert_array_equal(found.path.net(tau).W, net.W)
        np.testing.assert_array_equal(found.path.net(tau).A, net.A)
    if worst_on_path(found, X, Y, 41) > float(found.level) * (1 + 1e-9):
        raise SystemExit("the sampled path exceeds its level")
    if exact:
        answer = check_certificate(found.certificate(), problem_to_json(net0, net1, X, Y, region))
        if not answer.accepted:
            raise SystemExit(answer.reason)


def timed(call: Callable[[], Any], repeats: int = 3) -> tuple[float, float]:
    """Return the least clock and processor seconds of a call."""
    rows = []
    for _ in range(repeats):
        clock, process = time.perf_counter(), time.process_time()
        jax.block_until_ready(call())
        rows.append((time.perf_counter() - clock, time.process_time() - process))
    return min(row[0] for row in rows), min(row[1] for row in rows)


def learned_curve(net0: Net, net1: Net, X: np.ndarray, Y: np.ndarray, kind: str, limit_s: float) -> dict[str, Any]:
    """Train the middle of a curve (Garipov et al. 2018) until its loss on a grid is within 1% of the worse end."""
    ends = [jax.tree.map(jnp.asarray, net) for net in (net0, net1)]
    middle = jax.tree.map(lambda a, b: (a + b) / 2, *ends)
    data = jnp.asarray(X), jnp.asarray(Y)

    def at(middle: Net, t: jax.Array) -> jax.Array:
        if kind == "bezier":
            net = jax.tree.map(
                lambda a, b, c: (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c, ends[0], middle, ends[1]
            )
        else:
            bend = jax.tree.map(lambda a, b, c: jnp.where(t < 0.5, a + 2 * t * (b - a), b + (2 * t - 1) * (c - b)),
                                ends[0], middle, ends[1])  # fmt: skip
            net = bend
        return net_loss(SQUARED, net, *data)

    optimizer = optax.adam(3e-3)

    @jax.jit
    def steps(middle: Net, state: Any, key: jax.Array) -> tuple[Net, Any]:
        def step(carry: tuple[Net, Any], key: jax.Array) -> tuple[tuple[Net, Any], None]:
            middle, state = carry
            ts = (jnp.arange(8) + jax.random.uniform(key, (8,))) / 8
            gradient = jax.grad(lambda p: jnp.mean(jax.vmap(lambda t: at(p, t))(ts)))(middle)
            change, state = optimizer.update(gradient, state)
            return (optax.apply_updates(middle, change), state), None

        return jax.lax.scan(step, (middle, state), jax.random.split(key, 50))[0]

    worst = jax.jit(lambda middle: jnp.max(jax.lax.map(lambda t: at(middle, t), jnp.linspace(0.0, 1.0, GRID))))
    goal = 1.01 * max(float(net_loss(SQUARED, net, X, Y)) for net in (net0, net1))
    state, key = optimizer.init(middle), jax.random.key(0)
    jax.block_until_ready((steps(middle, state, key), worst(middle)))  # compiles
    start, best, count = time.perf_counter(), float(worst(middle)), 0
    while best > goal and time.perf_counter() - start < limit_s:
        key = jax.random.fold_in(key, count)
        middle, state = steps(middle, state, key)
        count += 50
        best = min(best, float(worst(middle)))
    return {
        "seconds": time.perf_counter() - start,
        "steps": count,
        "reached": best <= goal,
        "largest_loss": best,
        "goal": goal,
        "spectral_norm_of_bend": float(jnp.linalg.norm(middle.W, 2)),
    }


def by_highs(net: Net, X: np.ndarray) -> dict[str, Any]:
    """Reduce one net with a generic linear program: a random cost over {t >= 0: M t = M 1}."""
    M = functionals_of(region_from_text(REGION)).features(net.W, net.A, X)
    cost = np.random.default_rng(0).uniform(size=M.shape[1])
    start = time.perf_counter()
    lp = linprog(cost, A_eq=M, b_eq=M.sum(1), bounds=(0, None), method="highs-ds", options={"time_limit": 300})
    seconds = time.perf_counter() - start
    ours = timed(lambda: recombine(M))
    found = recombine(M)
    scale = np.abs(M).sum(1).max()
    drift = None if lp.x is None else float(np.abs(M @ (lp.x - 1)).max() / scale)
    live = None if lp.x is None else int((lp.x > 0).sum())
    return {"N": M.shape[0], "m": M.shape[1], "highs_seconds": seconds, "highs_status": int(lp.status),
            "highs_live": live, "highs_drift": drift, "seconds": ours[0], "live": found.rank, "drift": found.drift,
            "ratio": seconds / ours[0]}  # fmt: skip


def small_pairs(count: int) -> dict[str, Any]:
    """Time one pair of width 512 and a batch of them."""
    nets0, nets1, X, Y = fitted_pairs(count, 64, 8, 512)
    singles = [(member(nets0, k), member(nets1, k)) for k in range(count)]
    region = "spectral:30"
    first, batch = connect(*singles[0], X, Y, region), connect_batch(nets0, nets1, X, Y, region)
    check(first, *singles[0], X, Y, region, exact=True)
    for found, pair in zip(batch, singles, strict=True):
        check(found, *pair, X, Y, region, exact=False)
    check(batch[1], *singles[1], X, Y, region, exact=True)
    one = timed(lambda: connect(*singles[0], X, Y, region))
    each = timed(lambda: [connect(*pair, X, Y, region) for pair in singles], 2)
    together = timed(lambda: connect_batch(nets0, nets1, X, Y, region), 3)
    return {"n": 64, "d": 8, "c": 1, "m": 512, "pairs": count, "one_s": one, "one_by_one_s": each,
            "batched_s": together,
            "speed_up_clock_cpu": [each[0] / together[0], each[1] / together[1]],
            "live": [first.live0, first.live1], "N": first.functionals,
            "gate": max(found.level_slack / float(found.level) for found in (first, *batch))}  # fmt: skip


def growth() -> list[dict[str, Any]]:
    """Return seconds against N (at m = 2 N) and against m (at one N), and of the two walks at the least width."""
    rows = []
    sizes = [(16, 4, 2), (64, 8, 2), (128, 8, 2), (256, 16, 2), (64, 8, 8), (64, 8, 32), (64, 8, 128)]
    for n, d, times in sizes:
        N = n + d * (d + 1) // 2 + 1
        nets0, nets1, X, Y = fitted_pairs(1, n, d, times * N)
        pair = member(nets0, 0), member(nets1, 0)
        found = connect(*pair, X, Y, "spectral:30")
        check(found, *pair, X, Y, "spectral:30", exact=n <= 64 and times <= 8)
        seconds = timed(lambda pair=pair, X=X, Y=Y: connect(*pair, X, Y, "spectral:30"), 2)
        rows.append({"N": N, "m": times * N, "construction": found.construction, "clock_s": seconds[0],
                     "cpu_s": seconds[1], "pieces": found.path.pieces, "drift": found.drift})  # fmt: skip
    for n, d, more, name in [
        (16, 4, 1, "edge-walk"),
        (64, 8, 1, "edge-walk"),
        (16, 4, 0, "tau-climb"),
        (64, 8, 0, "tau-climb"),
    ]:
        N = n + d * (d + 1) // 2 + 1
        nets0, nets1, X, Y = fitted_pairs(1, n, d, N + more)
        pair = member(nets0, 0), member(nets1, 0)
        found = connect(*pair, X, Y, "spectral:30", construction=name)
        check(found, *pair, X, Y, "spectral:30", exact=n <= 16)
        seconds = timed(
            lambda pair=pair, X=X, Y=Y, name=name: connect(*pair, X, Y, "spectral:30", construction=name), 2
        )
        rows.append({"N": N, "m": N + more, "construction": found.construction, "clock_s": seconds[0],
                     "cpu_s": seconds[1], "pieces": found.path.pieces, "drift": found.drift})  # fmt: skip
    return rows


def large_pair(steps: int, peers: bool) -> dict[str, Any]:
    """Time the path and the certificate of the digits pair."""
    net0, net1, X, Y = digits_pair(steps)
    clock, process = time.perf_counter(), time.process_time()
    found = connect(net0, net1, X, Y, REGION)
    certificate = json.dumps(found.certificate())
    seconds = time.perf_counter() - clock, time.process_time() - process
    check(found, net0, net1, X, Y, REGION, exact=False)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    row: dict[str, Any] = {
        "nets": f"Muon (polar factor), {steps} steps, decay 1/6.7", "n": 200, "d": 16, "c": 10, "m": 4400,
        "N": found.functionals, "rank": found.rank, "live": [found.live0, found.live1],
        "construction": found.construction, "clock_s": seconds[0], "cpu_s": seconds[1], "peak_memory_GiB": memory,
        "certificate_MB": len(certificate) / 1e6, "losses": [found.knot_losses[0], found.knot_losses[-1]],
        "level_slack": found.level_slack, "radius_slack": float(found.radius_slack), "drift": found.drift,
        "goal_met": seconds[0] <= 60 and memory <= 4}  # fmt: skip
    if peers:
        row["chain"] = learned_curve(net0, net1, X, Y, "chain", 2 * seconds[0])
    return row


def records_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was measured as records."""
    small = found["small"]
    size = {key: small[key] for key in ("n", "d", "c", "m", "N")}
    curves = {f"learned {kind}": row["seconds"] for kind, row in found.get("curves", {}).items()}
    rows = [
        record(
            "connect", "one pair", small["one_s"][0], size=size, gate=small["gate"], peers=curves,
            goal="<= 0.5 s", met=small["one_s"][0] <= 0.5, cpu_seconds=small["one_s"][1],
            curves=found.get("curves"),
        ),
        record(
            "connect", f"{small['pairs']} pairs batched", small["batched_s"][0], size=size, gate=small["gate"],
            peers={"one by one": small["one_by_one_s"][0]}, goal=">= 5 x one by one",
            met=small["one_by_one_s"][0] >= 5 * small["batched_s"][0],
            cpu_seconds=small["batched_s"][1], peer_cpu_seconds=small["one_by_one_s"][1],
        ),
    ]  # fmt: skip
    for row in found["growth"]:
        case = f"{row['construction']}, N = {row['N']}, m = {row['m']}"
        rows.append(
            record(
                "connect",
                case,
                row["clock_s"],
                size={"N": row["N"], "m": row["m"]},
                gate=row["drift"],
                cpu_seconds=row["cpu_s"],
                pieces=row["pieces"],
            )
        )
    for row in found.get("highs", []):
        rows.append(
            record(
                "connect",
                f"reduction, N = {row['N']}, m = {row['m']}",
                row["seconds"],
                size={"N": row["N"], "m": row["m"]},
                gate=row["drift"],
                peers={"HiGHS": row["highs_seconds"]},
                highs_drift=row["highs_drift"],
                live=row["live"],
                highs_live=row["highs_live"],
            )
        )
    if "large" in found:
        row = found["large"]
        peers = {"learned chain": row["chain"]["seconds"]} if "chain" in row else {}
        rows.append(
            record(
                "connect",
                "digits, path and certificate",
                row["clock_s"],
                size={key: row[key] for key in ("n", "d", "c", "m", "N")},
                gate=row["drift"],
                peers=peers,
                goal="<= 60 s and <= 4 GiB",
                met=row["goal_met"],
                **{k: v for k, v in row.items() if len(k) > 1},
            )
        )
    return rows


def main() -> None:
    """Check, time, print, and write the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="write the records to this file")
    parser.add_argument("--steps", type=int, default=100, help="training steps of the large pair")
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--skip-large", action="store_true")
    parser.add_argument("--skip-peers", action="store_true")
    args = parser.parse_args()
    found: dict[str, Any] = {"small": small_pairs(args.pairs), "growth": growth()}
    if not args.skip_peers:
        nets0, nets1, X, Y = fitted_pairs(1, 64, 8, 512)
        pair = member(nets0, 0), member(nets1, 0)
        found["curves"] = {kind: learned_curve(*pair, X, Y, kind, 30.0) for kind in ("chain", "bezier")}
        wide, _, Z, _ = fitted_pairs(1, 256, 16, 800)
        found["highs"] = [by_highs(pair[0], X), by_highs(member(wide, 0), Z)]
    if not args.skip_large:
        found["large"] = large_pair(args.steps, not args.skip_peers)
    write_records(args.json, records_of(found))


if __name__ == "__main__":
    main()
