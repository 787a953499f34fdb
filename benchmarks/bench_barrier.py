"""Exact segment barriers against grids of 11 and 1,001 points of the same nets, in one run, as ratios.

    python benchmarks/bench_barrier.py [--json FILE] [--quick] [--pairs 4] [--sizes n d m]

The answers are checked before anything is timed: each value is attained at its t, by a forward pass in NumPy, and no
point of any grid exceeds it. The grids are what a user would write: jitted, float64, a ``lax.map`` over t; once with a
forward pass a point, once with the pre-activations of the two ends computed beforehand, which only two-layer nets
allow. Beside each time stands its floor on this machine: multiplications over the measured rate of a matrix product
plus bytes over the measured bandwidth of a copy. Growth is studied in n m, one pair at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from records import gate, growth, options, record, rounds, timed, write_records

from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net
from modeconn.paths import Barrier, barrier_exact_batch
from modeconn.paths.batch import HOST_ENTRIES

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

SQUARED = LOSSES["half_squared_error"]
GATE = 1e-9
GROWTH = ((63, 64), (125, 128), (250, 256), (500, 512), (1000, 1024))
COST = "n m (4 d + log n m)"
PEERS = ("grid 1001", "shared grid 1001", "grid 11")


Pairs = tuple[Net, Net, np.ndarray, np.ndarray]


def pairs_of_nets(count: int, n: int, d: int, m: int, seed: int = 0) -> Pairs:
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


def machine_rates(n: int, d: int, m: int) -> tuple[float, float]:
    """Return float64 operations a second in the product X W, and bytes a second in a pass over n m numbers, at best."""
    rng = np.random.default_rng(0)
    X, W = jnp.asarray(rng.normal(size=(n, d))), jnp.asarray(rng.normal(size=(d, m)))
    product, add = jax.jit(jnp.matmul), jax.jit(lambda x: x + 1.0, donate_argnums=0)
    P = [product(X, W)]

    def touch() -> jax.Array:
        P[0] = add(P[0])
        return P[0]

    best = timed({"product": lambda: product(X, W), "pass": touch}, 100)
    return 2 * n * d * m / best["product"], 16 * n * m / best["pass"]


def exact_floor(n: int, d: int, m: int) -> float:
    """Return the least seconds a pair: operations at the rate of a product plus bytes at that of a copy.

    Two products written, read for the start, the sign changes and three forward passes; five columns of them summed.
    """
    flops, bandwidth = machine_rates(n, d, m)
    return (4 * n * d * m + 20 * n * m) / flops + (2 + 2 + 2 + 6 + 10) * 8.0 * n * m / bandwidth


def attained(pairs: Pairs, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return loss above the linear baseline, and loss, of each segment at its t, by a forward pass in NumPy."""
    nets0, nets1, X, Y = pairs

    def losses(x: np.ndarray) -> np.ndarray:
        x = x[:, None, None]
        W, A = ((1 - x) * p + x * q for p, q in ((nets0.W, nets1.W), (nets0.A, nets1.A)))
        b = (1 - x) * np.asarray(nets0.b)[:, None] + x * np.asarray(nets1.b)[:, None]
        F = np.maximum(X @ W + b, 0.0) @ A.transpose(0, 2, 1)
        return np.asarray(0.5 * ((F - Y) ** 2).sum((1, 2)))

    at = losses(t)
    return at - ((1 - t) * losses(0 * t) + t * losses(0 * t + 1)), at


def error_of(found: Barrier, pairs: Pairs, grids: dict[str, np.ndarray]) -> float:
    """Return how far barriers are from being attained at their t, or below a point of a grid; relative to the loss."""
    value, loss = attained(pairs, np.asarray(found.argmax_t))
    scale = 1.0 + np.maximum(loss, np.maximum(found.loss_start, found.loss_end))
    below = [np.max((grid - found.barrier) / scale) for grid in grids.values()]
    return float(max(np.max(np.abs(value - found.barrier) / scale), *below, 0.0))


def bench(n: int, d: int, m: int, count: int, repeats: int, studied: bool) -> list[dict[str, Any]]:
    """Return the records of both engines at one size; the goal belongs to the one that ``auto`` takes."""
    pairs = pairs_of_nets(count, n, d, m)
    stacked = tuple(jax.tree.map(jnp.asarray, part) for part in pairs)
    grids = {f"grid {k}": forward_grid(k) for k in (1001, 11)} | {
        f"shared grid {k}": shared_grid(k) for k in (1001, 11)
    }
    peers = {name: partial(grid, *stacked) for name, grid in grids.items()}
    own = {engine: partial(barrier_exact_batch, *pairs, engine=engine) for engine in ("host", "device")}
    values = {name: np.asarray(call()) for name, call in peers.items()}
    found = {engine: call() for engine, call in own.items()}
    size = f"n = {n}, m = {m}"
    errors = {engine: gate(f"exact, {engine}, {size}", error_of(found[engine], pairs, values), GATE) for engine in own}
    gap = np.max(np.abs(values["grid 1001"] - values["shared grid 1001"])) / (1.0 + found["host"].max_loss.max())
    gate(f"both grids, {size}", float(gap), GATE)

    times = rounds({**own, **peers}, repeats)
    floor = count * exact_floor(n, d, m)
    chosen = "host" if jax.default_backend() == "cpu" and n * m >= HOST_ENTRIES else "device"
    rows = []
    for engine in own:
        ours = times[engine]
        study = [growth(f"{engine} engine", f"n m, at d = {d}", n * m, n * m * (4 * d + math.log2(n * m)), COST)]
        rows.append(
            record(
                "barrier",
                f"{engine} engine, {count} {'pair' if count == 1 else 'pairs'}, {size}",
                ours.best,
                size={"n": n, "d": d, "m": m, "c": 1, "pairs": count},
                gate=errors[engine],
                allowed=GATE,
                peers={name: times[name].best for name in PEERS},
                floor=floor,
                bound="bytes and flops",
                goal="cheaper than the grid of 1,001 points" if engine == chosen else None,
                met=ours.best < times["grid 1001"].best if engine == chosen else None,
                growth=study if studied else (),
                chosen_here=engine == chosen,
                median_seconds=ours.median,
                cpu_seconds=ours.cpu,
                peer_cpu_seconds={name: times[name].cpu for name in PEERS},
                grids_fall_short_by={k: float(np.max(found[engine].barrier - v)) for k, v in values.items()},
            )
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print, and write the records."""
    parser = options(__doc__)
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--sizes", type=int, nargs=3, default=(500, 32, 512), metavar=("n", "d", "m"))
    args = parser.parse_args(arguments)
    n, d, m = args.sizes
    rows = bench(n, d, m, args.pairs, 2 if args.quick else 7, studied=False)
    for n, m in GROWTH[: 1 if args.quick else None]:
        rows += bench(n, 32, m, 1, 2 if args.quick else 3, studied=True)
    write_records(args.json, rows, quick=args.quick)


if __name__ == "__main__":
    main()
