"""Net-steps per second of training fleets, against optax with vmap and scan as a user would write it.

    python benchmarks/bench_fleet.py [--quick] [--json FILE]

For each shape and optimizer: first the answers are compared, then both sides are compiled and warmed up, then timed in
turns (minimum over repeats), so that a busy machine slows both. ``ratio`` is ours over the peer's. Beside it stands the
floor: the larger of bytes moved (parameters and moments read and written once a step) over the bandwidth measured on an
array of the size of a chunk's state, and multiply-adds over the rate measured on one large matrix product.

Lion and AdamW are the same algorithm on both sides. The peer of exact-polar Muon is ``optax.contrib.muon``, five
Newton-Schulz steps on every matrix: another function, so its gate is the optimizer's own definition, an SVD in float64.

On a GPU narrow nets are trained by the program that keeps them in registers, whose share of the memory floor may exceed
one. The plain program is checked and timed beside it; a kernel that does not compile there is said to be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from records import growth, options, record, timed, write_records
from torch_fleet import torch_peers

from modeconn.losses import LOSSES, net_loss
from modeconn.nets import Net
from modeconn.train import Fleet, train_fleet
from modeconn.train.choice import FUSED_ON, Program
from modeconn.train.chunks import cut, default_lanes, lanes_of
from modeconn.train.program import Recipe, advance, begin, draw_nets
from modeconn.train.training import places

POINTS, DECAY = 32, 0.1
SHAPES = {"4x16": (4, 16), "32x128": (32, 128)}
WIDER = {"4x64": (4, 64), "4x256": (4, 256)}
COST = "nets steps n m (d + 1)"
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
GATE, DECIDED_BY_ROUNDING = 1e-4, 1e-4
"""Largest difference of weights, and the share of weights whose gradient may be so small that rounding has its sign."""


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


def fused_program(name: str, d: int, width: int) -> Program | None:
    """The program that keeps these nets in registers, where the device is one for it and they fit."""
    if jax.devices()[0].platform not in FUSED_ON:
        return None
    from modeconn.train.fused import advance_fused, fits

    net = jax.eval_shape(lambda: Net(jnp.zeros((d, width), jnp.float32), jnp.zeros((1, width), jnp.float32)))
    return advance_fused if fits(Recipe(name, (), LOSS.name, "constant", None), net) else None


def own_program(
    name: str, width: int, nets: int, steps: int, X: jax.Array, Y: jax.Array, program: Program = advance
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
            state = jax.block_until_ready(program(recipe, *part[:3], X, Y, *numbers)[0])
        return jax.tree.map(lambda x: x[: part[3]], state.net)

    def run() -> Net:
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *threads.map(trained, parts))

    return start, run


def gate(name: str, d: int, width: int, X: jax.Array, Y: jax.Array, program: Program = advance) -> float:
    """Return the largest weight difference after 5 steps: to optax, or for Muon to NumPy in float64.

    To optax without the few weights whose every step is as long as the next one's, in a direction left to rounding.
    """
    steps, nets = 5, 16
    start, run = own_program(name, width, nets, steps, X, Y, program)
    got, rates = run(), fleet_of(name, width, nets).learning_rate
    if name != "muon":
        want = peer_program(name, steps, X, Y)(start, jnp.asarray(rates, jnp.float32))
        pairs = zip(*map(jax.tree.leaves, (got, want)), strict=True)
        differences = np.concatenate([np.abs(np.asarray(a - b)).ravel() for a, b in pairs])
        return float(np.quantile(differences, 1 - DECIDED_BY_ROUNDING, method="lower"))
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


def gated_programs(name: str, d: int, width: int) -> tuple[dict[str, Program], float, str | None]:
    """Return the programs to time, the one that train_fleet prefers first; their error; why the fused one is not there.

    A wrong or missing fused program is no reason to stop: train_fleet finds that out as well and uses the plain one.
    """
    X, Y = problem(d)
    plain: dict[str, Program] = {"plain": advance}
    error, fused = gate(name, d, width, X, Y), fused_program(name, d, width)
    if not error < GATE:
        raise SystemExit(f"{name} {d}x{width}: the answers differ by {error:.1e}; nothing was timed")
    if fused is None:
        return plain, error, None
    try:
        own = gate(name, d, width, X, Y, fused)
        reason = None if own < GATE else f"the answers differ by {own:.1e}"
    except Exception as trouble:  # a compiler may object in any way
        own, reason = error, f"{type(trouble).__name__}: {str(trouble)[:200]}"
    if reason is None:
        return {"fused": fused, **plain}, max(error, own), None
    print(f"{name} {d}x{width}: fused program left out: {reason}", flush=True)
    return plain, error, reason


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
    d, width = (SHAPES | WIDER)[shape]
    X, Y = problem(d)
    programs, error, left_out = gated_programs(name, d, width)
    start, _ = own_program(name, width, nets, steps, X, Y)
    runs = {key: own_program(name, width, nets, steps, X, Y, program)[1] for key, program in programs.items()}
    peer, columns = peer_program(name, steps, X, Y), jnp.asarray(fleet_of(name, width, nets).learning_rate, jnp.float32)
    best = timed({**runs, "peer": lambda: peer(start, columns)}, repeats)
    used = next(iter(runs))
    seconds = best[used]
    fleet, data = fleet_of(name, width, nets), (np.asarray(X), np.asarray(Y))
    whole = timed({"all": lambda: train_fleet(fleet, *data, steps=steps, record_every=steps).nets}, 2)["all"]
    parameters = width * (d + 1)
    moved = 2 * 4 * parameters * (1 + MOMENTS[name])
    lanes = default_lanes(jax.default_backend(), width, POINTS, d, 1, 4, nets)
    bytes_per_s = bandwidth(moved // 2 * lanes)
    by_bytes, by_products = moved / bytes_per_s, 2 * POINTS * parameters / rate
    floor = max(by_bytes, by_products) if used == "plain" else by_products
    bound = "bytes" if floor == by_bytes else "multiply-adds"
    share = nets * steps * by_bytes / seconds
    goal, met = goal_of(name, shape, best["peer"] / seconds, share)
    return record(
        "fleet",
        f"{name} {shape}, {nets} nets, {steps} steps",
        seconds,
        size={"nets": nets, "steps": steps, "points": POINTS, "d": d, "width": width},
        gate=error,
        peers={PEER_NAMES[name]: best["peer"], **torch_peers(name, d, width, nets, steps)},
        floor=nets * steps * floor,
        bound=bound,
        goal=goal,
        met=met,
        dtype="float32",
        program=used,
        fused_left_out=left_out,
        program_seconds={key: best[key] for key in runs},
        memory_floor_share=share,
        net_steps_per_s=nets * steps / seconds,
        train_fleet_net_steps_per_s=nets * steps / whole,
        bytes_per_s=bytes_per_s,
        multiply_adds_per_s=rate,
    )


def studied(row: dict[str, Any], most: int) -> dict[str, Any]:
    """Return the record with its studies of growth: over nets at 4x16, over the width at ``most`` nets."""
    size = row["size"]
    nets, d, width = size["nets"], size["d"], size["width"]
    cost = float(nets * size["steps"] * POINTS * width * (d + 1))
    over_nets = [growth("adamw 4x16", "nets", nets, cost, COST)] if (d, width) == SHAPES["4x16"] else []
    over_width = [growth("adamw, 4 inputs", f"width, {most} nets", width, cost, COST)] if nets == most else []
    return {**row, "growth": over_nets + over_width}


def grown(most: int, steps: int, repeats: int, rate: float) -> list[dict[str, Any]]:
    """Return the records of AdamW on fewer nets than ``most``, and on wider ones; they have no goal."""
    cases = [("4x16", most // 16), ("4x16", most // 4), *((shape, most) for shape in WIDER)]
    rows = [bench("adamw", shape, nets, steps, repeats, rate) for shape, nets in cases]
    return [studied({**row, "goal": None, "outcome": "no goal"}, most) for row in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print and write."""
    args = options(__doc__).parse_args(arguments)
    jax.config.update("jax_default_matmul_precision", "highest")
    big = jax.default_backend() != "cpu"
    nets = {"4x16": 65536 if big else 1024, "32x128": 4096 if big else 64}
    steps, repeats = (20, 2) if args.quick else (200, 9)
    rate, records = multiply_add_rate(), []
    for shape in SHAPES:
        for name in PEERS:
            records.append(bench(name, shape, nets[shape] // (8 if args.quick else 1), steps, repeats, rate))
    if not args.quick:
        records[0] = studied(records[0], nets["4x16"])
        records += grown(nets["4x16"], steps, 3, rate)
    write_records(args.json, records, quick=args.quick)


if __name__ == "__main__":
    main()
