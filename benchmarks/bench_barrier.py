"""Exact segment barriers against grids of 11 and 1,001 points of the same nets, in one run, as ratios.

    python benchmarks/bench_barrier.py [--json FILE] [--pairs 4] [--repeats 7]

The answers are checked before anything is timed. The grids are what a user would write: jitted, float64, a ``lax.map``
over t; once with a forward pass a point, once with the pre-activations of the two ends computed beforehand, which only
two-layer nets allow. Beside each time stands its floor on this machine: multiplications over the measured rate of a
matrix product plus bytes over the measured bandwidth of a copy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from records import record, write_records

from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net
from modeconn.paths import barrier_exact_batch
from modeconn.paths.batch import HOST_ENTRIES

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

SQUARED = LOSSES["half_squared_error"]


def pairs_of_nets(count: int, n: int, d: int, m: int, seed: int = 0) -> tuple[Net, Net, np.ndarray, np.ndarray]:
    """Return Gaussian pairs that compute almost the same function with neurons in another order, and their data."""
    rng = np.random.default_rng(seed)
    W, A, b = (
        rng.normal(size=(count, d, m)) / d**0.5,
        rng.normal(size=(count, 1, m)) / m**0.5,
        rng.normal(size=(count, m)),
    )
    order = rng.permutation(m)
    X = rng.normal(size=(n, d))
    Y = np.maximum(X @ W[0] + b[0], 0.0) @ A[0].T
    return Net(W, A, b), Net(W[..., order], A[..., order], b[..., order]), X, Y


def forward_grid(points: int) -> Callable[..., jax.Array]:
    """Return (nets0, nets1, X, Y) -> linear barriers (B,): a forward pass of the interpolated net a point."""
    t = jnp.linspace(0.0, 1.0, points)

    def one(pair: tuple[Net, Net], X: jax.Array, Y: jax.Array) -> jax.Array:
        def at(x: jax.Array) -> jax.Array:
            return net_loss(SQUARED, jax.tree.map(lambda p, q: (1 - x) * p + x * q, *pair), X, Y)

        losses = jax.lax.map(at, t)
        return jnp.max(losses - ((1 - t) * losses[0] + t * losses[-1]))

    return jax.jit(lambda nets0, nets1, X, Y: jax.lax.map(lambda pair: one(pair, X, Y), (nets0, nets1)))


def shared_grid(points: int) -> Callable[..., jax.Array]:
    """Return the same, with the pre-activations of both ends shared by all points."""
    t = jnp.linspace(0.0, 1.0, points)

    def one(pair: tuple[Net, Net], X: jax.Array, Y: jax.Array) -> jax.Array:
        net0, net1 = pair
        P0, P1 = X @ net0.W + net0.b, X @ net1.W + net1.b

        def at(x: jax.Array) -> jax.Array:
            F = jax.nn.relu((1 - x) * P0 + x * P1) @ ((1 - x) * net0.A + x * net1.A).T
            return 0.5 * jnp.sum((F - Y) ** 2)

        losses = jax.lax.map(at, t)
        return jnp.max(losses - ((1 - t) * losses[0] + t * losses[-1]))

    return jax.jit(lambda nets0, nets1, X, Y: jax.lax.map(lambda pair: one(pair, X, Y), (nets0, nets1)))


def rounds_of_times(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, np.ndarray]:
    """Return clock seconds and processor seconds (all threads) of each call, (repeats, 2), the calls taken in turn."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            clock, process = time.perf_counter(), time.process_time()
            jax.block_until_ready(call())
            times[name].append((time.perf_counter() - clock, time.process_time() - process))
    return {name: np.array(rows) for name, rows in times.items()}


def machine_rates(n: int, d: int, m: int) -> tuple[float, float]:
    """Return float64 operations a second in the product X W, and bytes a second in a pass over n m numbers, at best."""
    rng = np.random.default_rng(0)
    X, W = jnp.asarray(rng.normal(size=(n, d))), jnp.asarray(rng.normal(size=(d, m)))
    product, add = jax.jit(jnp.matmul), jax.jit(lambda x: x + 1.0, donate_argnums=0)
    P = [product(X, W)]

    def touch() -> jax.Array:
        P[0] = add(P[0])
        return P[0]

    times = rounds_of_times({"product": lambda: product(X, W), "pass": touch}, 100)
    return 2 * n * d * m / times["product"][:, 0].min(), 16 * n * m / times["pass"][:, 0].min()


def floors(n: int, d: int, m: int, rates: tuple[float, float]) -> dict[str, float]:
    """Return the least seconds a pair: operations at the rate of a product plus bytes at that of a copy."""
    flops, bandwidth = rates

    def floor(operations: float, touched: float) -> float:
        return operations / flops + touched / bandwidth

    entry = 8.0 * n * m
    grid = {f"grid {k}": floor(k * (2 * n * m * (d + 1)), k * 2 * entry) for k in (11, 1001)}
    shared = {f"shared grid {k}": floor(4 * n * d * m + k * 7 * n * m, k * 2 * entry) for k in (11, 1001)}
    # two products written, read for the start, the sign changes and three forward passes; five columns of them summed
    exact = floor(4 * n * d * m + 20 * n * m, (2 + 2 + 2 + 6 + 10) * entry)
    return {**grid, **shared, "exact, host": exact, "exact, device": exact}


def main() -> None:
    """Check, time, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="write the record to this file")
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs=3, default=(500, 32, 512), metavar=("n", "d", "m"))
    args = parser.parse_args()
    n, d, m = args.sizes
    nets0, nets1, X, Y = pairs_of_nets(args.pairs, n, d, m)
    stacked = tuple(jax.tree.map(jnp.asarray, nets) for nets in (nets0, nets1))
    data = jnp.asarray(X), jnp.asarray(Y)
    grids = {f"grid {k}": forward_grid(k) for k in (11, 1001)} | {
        f"shared grid {k}": shared_grid(k) for k in (11, 1001)
    }
    calls: dict[str, Callable[[], Any]] = {
        f"exact, {engine}": lambda engine=engine: barrier_exact_batch(nets0, nets1, X, Y, engine=engine)
        for engine in ("host", "device")
    }
    calls |= {name: lambda grid=grid: grid(*stacked, *data) for name, grid in grids.items()}

    first = {name: call() for name, call in calls.items()}  # also compiles
    host, device = first["exact, host"], first["exact, device"]
    np.testing.assert_allclose(device.barrier, host.barrier, rtol=1e-10, atol=1e-9)
    gap = float(np.max(np.abs(np.asarray(device.barrier) - host.barrier)))
    values = {name: np.asarray(value) for name, value in first.items() if "grid" in name}
    for name, value in values.items():
        if not (value <= host.upper).all():
            raise SystemExit(f"{name} exceeds the exact barrier: {value} > {host.upper}")
    np.testing.assert_allclose(values["grid 1001"], values["shared grid 1001"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(values["grid 1001"], host.barrier, rtol=1e-3, atol=1e-6)

    times = rounds_of_times(calls, args.repeats)
    least = floors(n, d, m, rates := machine_rates(n, d, m))
    peers = {name: times[name].min(0) for name in ("grid 1001", "shared grid 1001")}
    rows = []
    print(f"{jax.default_backend()}, float64, {args.pairs} pairs, n = {n}, d = {d}, m = {m}, one output")
    print(f"rates of this machine: product X W {rates[0] / 1e9:.1f} Gflop/s, pass over n m {rates[1] / 1e9:.1f} GB/s")
    print("best of the rounds, ms a pair; ratios of clock and of processor time to either grid of 1,001 points")
    print(f"{'':<18}{'clock':>9}{'median':>9}{'cpu':>9}{'floor':>8}{'/ grid':>16}{'/ shared grid':>16}{'short by':>10}")
    for name, seconds in times.items():
        barrier = first[name].barrier if name.startswith("exact") else values[name]
        best = seconds.min(0)
        row = {
            "name": name,
            "ms": 1e3 * best[0] / args.pairs,
            "median_ms": 1e3 * float(np.median(seconds[:, 0])) / args.pairs,
            "cpu_ms": 1e3 * best[1] / args.pairs,
            "floor_ms": 1e3 * least[name],
            "clock_and_cpu_ratio_to_grid_1001": (best / peers["grid 1001"]).tolist(),
            "clock_and_cpu_ratio_to_shared_grid_1001": (best / peers["shared grid 1001"]).tolist(),
            "largest_shortfall": float(np.max(host.barrier - barrier)),
            "barrier": np.asarray(barrier).tolist(),
        }
        rows.append(row)
        ratios = "".join(
            f"{clock:>8.3f}{cpu:>8.3f}"
            for clock, cpu in (row["clock_and_cpu_ratio_to_grid_1001"], row["clock_and_cpu_ratio_to_shared_grid_1001"])
        )
        print(
            f"{name:<18}{row['ms']:>9.2f}{row['median_ms']:>9.2f}{row['cpu_ms']:>9.2f}{row['floor_ms']:>8.2f}"
            f"{ratios}{row['largest_shortfall']:>10.1e}"
        )
    chosen = "host" if jax.default_backend() == "cpu" and n * m >= HOST_ENTRIES else "device"
    ratio = (times[f"exact, {chosen}"].min(0) / peers["grid 1001"])[0]
    met = bool(ratio < 1.0)
    print(f"engine chosen here: {chosen}; goal, cheaper than the grid of 1,001 points: {'met' if met else 'MISSED'}")
    best = times[f"exact, {chosen}"].min(0)
    row = record(
        "barrier",
        f"exact, {chosen}, {args.pairs} pairs",
        float(best[0]),
        size={"n": n, "d": d, "m": m, "c": 1, "pairs": args.pairs},
        gate=gap,
        peers={name: float(times[name].min(0)[0]) for name in ("grid 1001", "shared grid 1001", "grid 11")},
        floor=args.pairs * least[f"exact, {chosen}"],
        bound="bytes and flops",
        goal="cheaper than the grid of 1,001 points",
        met=met,
        grid_11_falls_short_by=float(np.max(host.barrier - values["grid 11"])),
    )
    write_records(args.json, [row], rows=rows, flops=rates[0], bandwidth=rates[1])


if __name__ == "__main__":
    main()
