"""The exact barrier is never below a grid of 10^6 points: 1,000 random pairs, both engines, every point of every grid.

    python benchmarks/check_barrier_million.py [--json FILE] [--pairs 1000] [--points 1000000]

Four kinds of pairs in equal shares (width, outputs, bias, fixed output weights, targets taught by one end or random).
A grid value is rounded too, so it may exceed the exact one by rounding; the largest excess is reported, and the check
fails if one exceeds the rounding bound that the record states (``upper``) or 1e-13 of the largest loss.
"""

from __future__ import annotations

import argparse
import functools
import json
import time

import jax
import jax.numpy as jnp
import numpy as np

from modeconn.nets import Net
from modeconn.paths import barrier_exact_batch

jax.config.update("jax_enable_x64", True)

BLOCK = 1000

KINDS = [
    {"n": 3, "d": 2, "m": 2, "c": 1, "bias": False, "fixed": True, "taught": True},
    {"n": 5, "d": 2, "m": 3, "c": 1, "bias": True, "fixed": False, "taught": False},
    {"n": 4, "d": 3, "m": 5, "c": 2, "bias": True, "fixed": False, "taught": True},
    {"n": 8, "d": 2, "m": 8, "c": 1, "bias": False, "fixed": False, "taught": True},
]


def random_pairs(kind: dict[str, int], count: int, seed: int) -> tuple[Net, Net, np.ndarray, np.ndarray]:
    """Return stacks of nets, data and targets of one kind.

    Gaussian nets and targets; or, where the targets are taught by a net, that net on both ends, each time with its
    neurons in another order and a jitter, so that the loss is low at the ends and rises between them.
    """
    rng = np.random.default_rng(seed)
    n, d, m, c = (kind[key] for key in ("n", "d", "m", "c"))
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, c))

    def draw(*stack: int) -> list[np.ndarray]:
        return [rng.normal(size=(*stack, d, m)), rng.normal(size=(*stack, c, m)), rng.normal(size=(*stack, m))]

    stacks = [draw(count) for _ in range(2)]
    if kind["taught"]:
        teacher = draw()
        order = rng.permuted(np.broadcast_to(np.arange(m), (2, count, m)), axis=2)
        for stack, orders in zip(stacks, order, strict=True):
            for leaf, taught in zip(stack, teacher, strict=True):
                leaf[...] = np.moveaxis(taught[..., orders], -2, 0) + 0.1 * leaf
        H = np.maximum(X @ teacher[0] + kind["bias"] * teacher[2], 0.0)
        Y = H.sum(1, keepdims=True) if kind["fixed"] else H @ teacher[1].T
    nets = [Net(W, None if kind["fixed"] else A, b if kind["bias"] else None) for W, A, b in stacks]
    return nets[0], nets[1], X, Y


@functools.partial(jax.jit, static_argnames="points")
def grid_maxima(nets0: Net, nets1: Net, X: jax.Array, Y: jax.Array, points: int) -> tuple[jax.Array, jax.Array]:
    """Return the largest loss above the linear baseline, and the largest loss, over the grid of every pair."""
    grid = jnp.linspace(0.0, 1.0, points).reshape(-1, BLOCK)

    def one(pair: tuple[Net, Net]) -> tuple[jax.Array, jax.Array]:
        P0, P1 = (X @ net.W + (0.0 if net.b is None else net.b) for net in pair)
        A0, A1 = (jnp.ones((1, net.W.shape[1])) if net.A is None else net.A for net in pair)

        def losses(t: jax.Array) -> jax.Array:
            H = jax.nn.relu((1 - t) * P0[..., None] + t * P1[..., None])
            A = (1 - t) * A0[..., None] + t * A1[..., None]
            R = jnp.sum(H[:, None] * A[None], axis=2) - Y[..., None]
            return 0.5 * jnp.sum(R * R, axis=(0, 1))

        start, end = losses(jnp.zeros(1))[0], losses(jnp.ones(1))[0]

        def block(best: tuple[jax.Array, jax.Array], t: jax.Array) -> tuple[tuple[jax.Array, jax.Array], None]:
            loss = losses(t)
            excess = loss - ((1 - t) * start + t * end)
            return (jnp.maximum(best[0], excess.max()), jnp.maximum(best[1], loss.max())), None

        return jax.lax.scan(block, (-jnp.inf, -jnp.inf), grid)[0]

    return jax.lax.map(one, (nets0, nets1))


def main() -> int:
    """Run the check, print what was found, return 0 if the exact values stand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="write the record to this file")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--points", type=int, default=10**6)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    failures, positive, above, far, begin = 0, 0, -np.inf, 0.0, time.perf_counter()
    for k, kind in enumerate(KINDS):
        nets0, nets1, X, Y = random_pairs(kind, args.pairs // len(KINDS), args.seed + k)
        excess, largest = (np.asarray(a) for a in grid_maxima(nets0, nets1, X, Y, args.points // BLOCK * BLOCK))
        for engine in ("host", "device"):
            found = barrier_exact_batch(nets0, nets1, X, Y, engine=engine)
            scale = 1.0 + found.max_loss
            over = np.maximum((excess - found.barrier) / scale, (largest - found.max_loss) / scale)
            bad = (over > 1e-13) | (excess > found.upper)
            failures += int(bad.sum())
            positive += int((found.barrier > 1e-3).sum()) * (engine == "host")
            above = max(above, float(over.max()))
            far = max(far, float(((found.barrier - excess) / scale).max()))
            print(f"{kind} {engine}: {bad.sum()} of {len(bad)} below the grid, largest grid excess {over.max():.1e}")
    outcome = {
        "check": "barrier_million",
        "pairs": args.pairs // len(KINDS) * len(KINDS),
        "points": args.points // BLOCK * BLOCK,
        "seed": args.seed,
        "positive_barriers": positive,
        "below_grid": failures,
        "largest_grid_excess_relative": above,
        "largest_exact_excess_relative": far,
        "seconds": time.perf_counter() - begin,
    }
    print(json.dumps(outcome, indent=1))
    if args.json:
        with open(args.json, "w") as file:
            json.dump(outcome, file, indent=1)
    return int(failures > 0)


if __name__ == "__main__":
    raise SystemExit(main())
