"""Net-steps per second of training fleets, against optax with vmap and scan as a user would write it.

    python benchmarks/bench_fleet.py [--quick] [--json FILE]

For each shape and optimizer: first the answers are compared, then both sides are compiled and warmed up, then timed in
turns (minimum over repeats), so that a busy machine slows both. ``ratio`` is ours over the peer's. Beside it stands the
floor: the larger of bytes moved (parameters and moments read and written once a step) over the bandwidth measured on an
array of the size of a chunk's state, and multiply-adds over the rate measured on one large matrix product.

Lion and AdamW are the same algorithm on both sides. The peer of exact-polar Muon is ``optax.contrib.muon``, five
Newton-Schulz steps on every matrix: another function, so its gate is the optimizer's own definition, an SVD in float64.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from records import record, timed, write_records
from torch_fleet import torch_peers

from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net
from modeconn.train import Fleet, train_fleet
from modeconn.train.chunks import cut, default_lanes, lanes_of
from modeconn.train.program import Recipe, advance, begin, draw_nets
from modeconn.train.training import places

POINTS, DECAY = 32, 0.1
SHAPES = {"4x16": (4, 16), "32x128": (32, 128)}
GOALS = {("adamw", "4x16"): 1.0, ("adamw", "32x128"): 1.0, ("lion", "4x16"): 1.0, ("lion", "32x128"): 1.0}
GOALS[("muon", "4x16")] = 0.7
FLOOR_GOAL, FLOOR_CASE = 0.3, ("adamw", "4x16")
"""On an accelerator: the share of the memory floor (weights and moments read and written once a step), and where."""
PEERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adamw": optax.adamw,
    "lion": optax.lion,
    "muon": optax.contrib.muon,
}
PEER_NAMES = {"adamw": "optax.adamw", "lion": "optax.lion", "muon": "optax.contrib.muon"}
MOMENTS = {"adamw": 2, "lion": 1, "muon": 1}
LOSS = LOSSES["half_squared_error"]


def problem(d: int) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.normal(size=(POINTS, d)), jnp.float32), jnp.asarray(
        rng.normal(size=(POINTS, 1)), jnp.float32
    )


def peer_program(name: str, steps: int, X: jax.Array, Y: jax.Array) -> Callable[..., Net]:
    """optax as a user writes it: one net's scan, vmapped over nets and rates."""

    def train(net: Net, rate: jax.Array) -> Net:
        optimizer = PEERS[name](rate, weight_decay=DECAY)

        def step(carry: tuple[Net, Any], _: None) -> tuple[tuple[Net, Any], None]:
            net, state = carry
            gradient = jax.grad(lambda x: net_loss(LOSS, x, X, Y))(net)
            updates, state = optimizer.update(gradient, state, net)
            return (optax.apply_updates(net, updates), state), None

        return jax.lax.scan(step, (net, optimizer.init(net)), None, length=steps)[0][0]

    return jax.jit(jax.vmap(train))


def fleet_of(name: str, width: int, nets: int) -> Fleet:
    rates = np.geomspace(1e-4, 1e-3, nets)
    return Fleet.of(optimizer=name, learning_rate=rates, weight_decay=DECAY, width=width, seed=np.arange(nets))


def own_program(
    name: str, width: int, nets: int, steps: int, X: jax.Array, Y: jax.Array
) -> tuple[Net, Callable[[], Net]]:
    """The compiled part of train_fleet, the chunks cut and kept in flight as train_fleet does; and the initial nets."""
    fleet, recipe, key = fleet_of(name, width, nets), Recipe(name, (), LOSS.name, "constant", None), jax.random.key(0)
    d = X.shape[1]
    together = default_lanes(jax.default_backend(), width, POINTS, d, 1, 4, nets)
    seeds, widths = fleet.seed.astype(np.uint32), fleet.width.astype(np.int32)
    start = draw_nets(
        key,
        seeds,
        widths,
        d=d,
        c=1,
        columns=width,
        init="he",
        bias=False,
        fixed_output=False,
        dtype=np.dtype(np.float32),
    )
    parts = []
    for chunk in cut(recipe, width, np.arange(nets), together):
        lanes = lanes_of(fleet, chunk, np.dtype(np.float32))
        state = begin(recipe, lanes, jax.tree.map(lambda x, rows=chunk.rows: x[rows], start))
        parts.append((key, lanes, state, len(chunk.members)))
    numbers = (np.int32(0), np.array([steps], np.int32), np.int32(steps))

    threads = ThreadPoolExecutor(len(places(jax.devices()[:1])))

    def trained(part: tuple[Any, ...]) -> Net:
        with jax.default_matmul_precision("highest"):
            state = jax.block_until_ready(advance(recipe, *part[:3], X, Y, *numbers)[0])
        return jax.tree.map(lambda x: x[: part[3]], state.net)

    def run() -> Net:
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *threads.map(trained, parts))

    return start, run


def gate(name: str, d: int, width: int, X: jax.Array, Y: jax.Array) -> float:
    """Return the largest weight difference after 5 steps: to optax, or for Muon to NumPy in float64."""
    steps, nets = 5, 16
    start, run = own_program(name, width, nets, steps, X, Y)
    got, rates = run(), fleet_of(name, width, nets).learning_rate
    if name != "muon":
        want = peer_program(name, steps, X, Y)(start, jnp.asarray(rates, jnp.float32))
        return max(float(jnp.abs(a - b).max()) for a, b in zip(*map(jax.tree.leaves, (got, want)), strict=True))
    error = 0.0
    for i in range(nets):
        W, A = (np.asarray(leaf[i], np.float64) for leaf in jax.tree.leaves(start))
        momentum = [np.zeros_like(W), np.zeros_like(A)]
        for _ in range(steps):
            P = np.asarray(X, np.float64) @ W
            R = np.maximum(P, 0) @ A.T - np.asarray(Y, np.float64)
            gradients = [np.asarray(X, np.float64).T @ ((R @ A) * (P > 0)), R.T @ np.maximum(P, 0)]
            moved = []
            for x, m, g in zip((W, A), momentum, gradients, strict=True):
                U, _, Vt = np.linalg.svd(0.95**2 * m + (1 - 0.95**2) * g, full_matrices=False)
                moved.append((1 - rates[i] * DECAY) * x - rates[i] * (U @ Vt))
                m *= 0.95
                m += 0.05 * g
            W, A = moved
        pairs = zip(jax.tree.leaves(got), (W, A), strict=True)
        error = max(error, *(float(np.abs(a[i] - b).max()) for a, b in pairs))
    return error


def bandwidth(size: int) -> float:
    """Return the bytes/s of reading and writing an array of ``size`` bytes again and again: in cache if it fits."""
    rounds, x = 100, jnp.ones(size // 4, jnp.float32)
    update = jax.jit(lambda v: jax.lax.fori_loop(0, rounds, lambda _, w: 0.5 * w + 1, v))
    return 2 * x.nbytes * rounds / timed({"update": lambda: update(x)}, 5)["update"]


def multiply_add_rate() -> float:
    """Return the multiply-adds/s of one large float32 matrix product."""
    a = jnp.ones((2048, 2048), jnp.float32)
    product = jax.jit(lambda m: m @ m)
    return 2048**3 / timed({"product": lambda: product(a)}, 5)["product"]


def goal_of(name: str, shape: str, ratio: float, share: float) -> tuple[str | None, bool | None]:
    """Return the goal of a case in words and whether it is met, from the speed-up and the share of the memory floor."""
    if jax.default_backend() != "cpu" and (name, shape) == FLOOR_CASE:
        return f"{FLOOR_GOAL:.0%} of the memory floor", share >= FLOOR_GOAL
    goal = GOALS.get((name, shape))
    return (None, None) if goal is None else (f"{goal} x {PEER_NAMES[name]}", ratio >= goal)


def bench(name: str, shape: str, nets: int, steps: int, repeats: int, rate: float) -> dict[str, Any]:
    d, width = SHAPES[shape]
    X, Y = problem(d)
    error = gate(name, d, width, X, Y)
    if not error < 1e-4:
        raise SystemExit(f"{name} {shape}: the answers differ by {error:.1e}; nothing was timed")
    start, own = own_program(name, width, nets, steps, X, Y)
    peer, columns = peer_program(name, steps, X, Y), jnp.asarray(fleet_of(name, width, nets).learning_rate, jnp.float32)
    best = timed({"own": own, "peer": lambda: peer(start, columns)}, repeats)
    fleet, data = fleet_of(name, width, nets), (np.asarray(X), np.asarray(Y))
    whole = timed({"all": lambda: train_fleet(fleet, *data, steps=steps, record_every=steps).nets}, 2)["all"]
    parameters = width * (d + 1)
    moved = 2 * 4 * parameters * (1 + MOMENTS[name])
    lanes = default_lanes(jax.default_backend(), width, POINTS, d, 1, 4, nets)
    bytes_per_s = bandwidth(moved // 2 * lanes)
    floor = max(moved / bytes_per_s, 2 * POINTS * parameters / rate)
    bound = "bytes" if moved / bytes_per_s == floor else "multiply-adds"
    goal, met = goal_of(name, shape, best["peer"] / best["own"], nets * steps * moved / bytes_per_s / best["own"])
    return record(
        "fleet",
        f"{name} {shape}, {nets} nets, {steps} steps",
        best["own"],
        size={"nets": nets, "steps": steps, "points": POINTS, "d": d, "width": width},
        gate=error,
        peers={PEER_NAMES[name]: best["peer"], **torch_peers(name, d, width, nets, steps)},
        floor=nets * steps * floor,
        bound=bound,
        goal=goal,
        met=met,
        dtype="float32",
        memory_floor_share=nets * steps * moved / bytes_per_s / best["own"],
        net_steps_per_s=nets * steps / best["own"],
        train_fleet_net_steps_per_s=nets * steps / whole,
        bytes_per_s=bytes_per_s,
        multiply_adds_per_s=rate,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer nets, steps and repeats: a check, not a measurement"
    )
    parser.add_argument("--json", metavar="FILE", help="write the records")
    options = parser.parse_args()
    jax.config.update("jax_default_matmul_precision", "highest")
    big = jax.default_backend() != "cpu"
    nets = {"4x16": 65536 if big else 1024, "32x128": 4096 if big else 64}
    steps, repeats = (20, 2) if options.quick else (200, 9)
    rate, records = multiply_add_rate(), []
    for shape in SHAPES:
        for name in PEERS:
            records.append(bench(name, shape, nets[shape] // (8 if options.quick else 1), steps, repeats, rate))
    write_records(options.json, records)


if __name__ == "__main__":
    main()
