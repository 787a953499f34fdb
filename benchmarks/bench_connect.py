"""Paths between wide nets in a spectral ball: one large pair, batches of small ones, growth, and peers.

    python benchmarks/bench_connect.py [--json FILE] [--quick] [--steps 100]

Every path is checked before its time counts: ends, forward passes along it, and, for one pair of each size
but the largest, the exact checker. Peers, on the same pairs: Garipov's learned polygonal chain and Bezier curve (Adam,
time until their largest loss on a grid of 201 points is within 1% of the worse end's, or the limit, which is said), and
the reduction by one generic linear program (HiGHS, dual simplex). The floor is one reading of the contributions of
both nets to all N functionals. Growth is studied in N and in m.

The large pair is trained here with Muon (exact polar factor) on 200 digits, 16 principal components, 10 outputs.
"""

from __future__ import annotations

import json
import math
import resource
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from rates import bandwidth_of_a_copy
from records import Times, gate, growth, options, record, rounds, write_records
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
ROUNDING = 1e-9
"""By how much forward passes in floats may exceed a level or a radius, relative."""

SLACK = 1e-8
"""By how much the level of a path may exceed the worse end, relative."""

DRIFT = 1e-9
"""Largest relative change of the functionals that a reduction may leave."""

OVER_N = [(16, 4, 2), (64, 8, 2), (128, 8, 2), (256, 16, 2)]
OVER_M = [(64, 8, 8), (64, 8, 32), (64, 8, 128)]
"""n, d, m / N of the studies of growth; (64, 8, 2) belongs to both."""

WALKS = [(16, 4), (32, 6), (64, 8)]
COST = "N m + N^3 a round"


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


def worst_on_path(found: Connection, X: np.ndarray, Y: np.ndarray, points: int) -> tuple[float, float]:
    """Return the largest loss and the largest spectral norm of a leaf on a path, by ordinary forward passes."""
    nets = [found.path.net(float(tau)) for tau in np.linspace(0.0, found.path.pieces, points)]
    norm = max(float(np.linalg.norm(leaf, 2)) for net in nets for leaf in (net.W, net.A))
    return max(float(net_loss(SQUARED, net, X, Y)) for net in nets), norm


def check(found: Connection, net0: Net, net1: Net, X: np.ndarray, Y: np.ndarray, region: str, exact: bool) -> None:
    """Stop unless the path joins these nets below its level inside the ball, and the exact checker agrees if asked."""
    if found.path is None:
        raise SystemExit(f"no path: {found.reason}; nothing was timed")
    for tau, net in ((0, net0), (found.path.pieces, net1)):
        if not all(np.array_equal(a, b) for a, b in zip(found.path.net(tau)[:2], net[:2], strict=True)):
            raise SystemExit(f"the path does not end in net{int(tau > 0)}; nothing was timed")
    loss, norm = worst_on_path(found, X, Y, 41)
    gate("the sampled path exceeds its level, relative", max(0.0, loss / float(found.level) - 1), ROUNDING)
    gate("the sampled path leaves the ball, relative", max(0.0, norm / float(region.split(":")[1]) - 1), ROUNDING)
    if exact:
        answer = check_certificate(found.certificate(), problem_to_json(net0, net1, X, Y, region))
        if not answer.accepted:
            raise SystemExit(f"not accepted: {answer.reason}; nothing was timed")


def slack_of(case: str, found: Connection) -> float:
    """Return by how much the level of a path exceeds the worse end, relative; leave if that is more than rounding."""
    return gate(f"{case}: level above the worse end", found.level_slack / float(found.level), SLACK)


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


def names_of(curves: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return learned curves as peers; one that ran out of time is worth its limit at least, and says so."""
    return {
        f"learned {kind}" + ("" if row["reached"] else ", limit reached"): row["seconds"]
        for kind, row in curves.items()
    }


def by_highs(net: Net, X: np.ndarray, bandwidth: float) -> dict[str, Any]:
    """Return the record of the reduction of one net, beside a linear program over {t >= 0: M t = M 1}."""
    M = functionals_of(region_from_text(REGION)).features(net.W, net.A, X)
    N, m = M.shape
    case = f"reduction, N = {N}, m = {m}"
    found = recombine(M)
    scale = np.abs(M).sum(1).max()
    if found.t.min() < 0 or found.support.sum() > N:
        raise SystemExit(f"{case}: {found.support.sum()} live, least weight {found.t.min()}; nothing was timed")
    drift = gate(case, float(np.abs(M @ (found.t - 1)).max() / scale), DRIFT)
    cost = np.random.default_rng(0).uniform(size=m)
    start = time.perf_counter()
    lp = linprog(cost, A_eq=M, b_eq=M.sum(1), bounds=(0, None), method="highs-ds", options={"time_limit": 300})
    seconds = time.perf_counter() - start
    return record(
        "connect",
        case,
        rounds({"ours": lambda: recombine(M)}, 3)["ours"].best,
        size={"N": N, "m": m},
        gate=drift,
        allowed=DRIFT,
        peers={"HiGHS" + ("" if lp.status == 0 else f", status {lp.status}"): seconds},
        floor=M.nbytes / bandwidth,
        bound="bytes",
        live=found.rank,
        highs_live=None if lp.x is None else int((lp.x > 0).sum()),
        highs_drift=None if lp.x is None else float(np.abs(M @ (lp.x - 1)).max() / scale),
    )


def small_pairs(count: int, repeats: int, bandwidth: float) -> list[dict[str, Any]]:
    """Return the records of one pair of width 512, with learned curves for it, and of a batch of them."""
    nets0, nets1, X, Y = fitted_pairs(count, 64, 8, 512)
    singles = [(member(nets0, k), member(nets1, k)) for k in range(count)]
    region = "spectral:30"
    first, batch = connect(*singles[0], X, Y, region), connect_batch(nets0, nets1, X, Y, region)
    check(first, *singles[0], X, Y, region, exact=True)
    for found, pair in zip(batch, singles, strict=True):
        check(found, *pair, X, Y, region, exact=False)
    check(batch[1], *singles[1], X, Y, region, exact=True)
    slack = max(slack_of(f"pair {k}", found) for k, found in enumerate((first, *batch)))
    curves = {kind: learned_curve(*singles[0], X, Y, kind, 30.0) for kind in ("chain", "bezier")}
    calls = {
        "one": lambda: connect(*singles[0], X, Y, region).level,
        "each": lambda: [connect(*pair, X, Y, region).level for pair in singles],
        "batch": lambda: [found.level for found in connect_batch(nets0, nets1, X, Y, region)],
    }
    times = rounds(calls, repeats)
    size = {"n": 64, "d": 8, "c": 1, "m": 512, "N": first.functionals}
    floor = 2 * 8.0 * first.functionals * 512 / bandwidth
    shared: dict[str, Any] = {"gate": slack, "allowed": SLACK, "bound": "bytes"}
    one, each, together = times["one"], times["each"], times["batch"]
    return [
        record(
            "connect", "one pair", one.best, size=size, **shared, peers=names_of(curves), floor=floor,
            goal="<= 0.5 s", met=one.best <= 0.5, cpu_seconds=one.cpu, curves=curves,
            live=[first.live0, first.live1],
        ),
        record(
            "connect", f"{count} pairs batched", together.best, size={**size, "pairs": count}, **shared,
            peers={"one by one": each.best}, floor=count * floor, goal=">= 5 x one by one",
            met=each.best >= 5 * together.best, cpu_seconds=together.cpu, peer_cpu_seconds=each.cpu,
        ),
    ]  # fmt: skip


def grown(n: int, d: int, m: int, name: str, studies: Sequence[dict[str, Any]], bandwidth: float) -> dict[str, Any]:
    """Return the record of one size and construction in the studies of growth."""
    nets0, nets1, X, Y = fitted_pairs(1, n, d, m)
    pair, region = (member(nets0, 0), member(nets1, 0)), "spectral:30"
    N = functionals(n, d)
    found = connect(*pair, X, Y, region, construction=name)
    check(found, *pair, X, Y, region, exact=n <= 64 and m <= 8 * N)
    slack = slack_of(f"{name}, N = {N}, m = {m}", found)
    gate(f"{name}, N = {N}, m = {m}: drift", found.drift, DRIFT)
    ours: Times = rounds({"ours": lambda: connect(*pair, X, Y, region, construction=name).level}, 2)["ours"]
    return record(
        "connect",
        f"{found.construction}, N = {N}, m = {m}",
        ours.best,
        size={"n": n, "d": d, "N": N, "m": m},
        gate=slack,
        allowed=SLACK,
        floor=2 * 8.0 * N * m / bandwidth,
        bound="bytes",
        growth=studies,
        cpu_seconds=ours.cpu,
        pieces=found.path.pieces,
        drift=found.drift,
    )


def functionals(n: int, d: int) -> int:
    """Return N of a spectral ball: the prediction, the Gram matrix of W, the norm of A."""
    return n + d * (d + 1) // 2 + 1


def growth_records(bandwidth: float) -> list[dict[str, Any]]:
    """Return seconds against N (at m = 2 N) and against m (at one N), and of the two walks at the least width."""
    rows = []
    for n, d, times in OVER_N + OVER_M:
        N = functionals(n, d)
        cost = N * N * times + N**3 * (1 + math.log2(times))
        studies = [growth("disjoint-slots, m = 2 N", "N", N, cost, COST)] if (n, d, times) in OVER_N else []
        if (n, d) == OVER_M[0][:2]:
            studies.append(growth(f"disjoint-slots, N = {N}", "m", times * N, cost, COST))
        rows.append(grown(n, d, times * N, "disjoint-slots", studies, bandwidth))
    for name, more in (("edge-walk", 1), ("tau-climb", 0)):
        for n, d in WALKS:
            N = functionals(n, d)
            study = growth(f"{name}, m = N{' + 1' * more}", "N", N, float(N**3), "N^3")
            rows.append(grown(n, d, N + more, name, [study], bandwidth))
    return rows


def large_pair(steps: int, bandwidth: float) -> dict[str, Any]:
    """Return the record of the digits pair: path and certificate."""
    net0, net1, X, Y = digits_pair(steps)
    clock, process = time.perf_counter(), time.process_time()
    found = connect(net0, net1, X, Y, REGION)
    certificate = json.dumps(found.certificate())
    seconds, cpu = time.perf_counter() - clock, time.process_time() - process
    check(found, net0, net1, X, Y, REGION, exact=False)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    curves = {"chain": learned_curve(net0, net1, X, Y, "chain", 2 * seconds)}
    return record(
        "connect",
        "digits, path and certificate",
        seconds,
        size={"n": 200, "d": 16, "c": 10, "m": 4400, "N": found.functionals},
        gate=slack_of("digits", found),
        allowed=SLACK,
        peers=names_of(curves),
        floor=2 * 8.0 * found.functionals * 4400 / bandwidth,
        bound="bytes",
        goal="<= 60 s and <= 4 GiB",
        met=seconds <= 60 and memory <= 4,
        nets=f"Muon (polar factor), {steps} steps, decay 1/6.7",
        construction=found.construction,
        rank=found.rank,
        live=[found.live0, found.live1],
        cpu_seconds=cpu,
        peak_memory_GiB=memory,
        certificate_MB=len(certificate) / 1e6,
        losses=[found.knot_losses[0], found.knot_losses[-1]],
        drift=gate("digits: drift", found.drift, DRIFT),
        radius_slack=float(found.radius_slack),
        curves=curves,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print, and write the records."""
    parser = options(__doc__)
    parser.add_argument("--steps", type=int, default=100, help="training steps of the large pair")
    parser.add_argument("--pairs", type=int, default=64)
    args = parser.parse_args(arguments)
    bandwidth = bandwidth_of_a_copy()
    rows = small_pairs(4 if args.quick else args.pairs, 1 if args.quick else 3, bandwidth)
    nets, _, X, _ = fitted_pairs(1, 64, 8, 512)
    rows.append(by_highs(member(nets, 0), X, bandwidth))
    if not args.quick:
        wide, _, Z, _ = fitted_pairs(1, 256, 16, 800)
        rows += [by_highs(member(wide, 0), Z, bandwidth), *growth_records(bandwidth), large_pair(args.steps, bandwidth)]
    write_records(args.json, rows, quick=args.quick)


if __name__ == "__main__":
    main()
