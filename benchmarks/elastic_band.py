"""A nudged elastic band between two nets, as a path finder in common use: the peer of the exact barrier.

A chain that steps over the ridge between two images reports less than any path can reach, so beside what it reports
stands the exact largest loss along it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from records import gate, record, timed

from modeconn.nets import Net
from modeconn.paths import polyline_barrier
from modeconn.topology import (
    LevelSet,
    Point,
    certify_barrier,
    communication_barrier,
    lift,
    problem_from_json,
    problem_to_json,
)
from proofs_check.checker import check_certificate

__all__ = ["PAIRS", "elastic_band", "parameters", "path_finder"]

GATE = 1e-9
RATES = (0.1, 0.03, 0.01, 0.003)

PAIRS: dict[str, tuple[dict[str, Any], int]] = {
    "worked example": ({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}, 2),
    "witness": ({"X": [[1, 0], [2, 1], [1, 1], [-2, 1]], "y": [1, 0, -1, -2]}, 2),
    "N8, m = 2": ({"X": [[-2, 0], [0, -1], [-1, 1], [-2, -1]], "y": [1, 1, -2, -2]}, 2),
    "N8, m = 3": ({"X": [[0, -2], [1, -2], [1, 0], [-1, 0]], "y": [2, 0, 0, 0]}, 3),
}
"""Problems with several components."""


def elastic_band(X: jax.Array, y: jax.Array, images: int, steps: int) -> Callable[..., jax.Array]:
    """Return (start, end, keys, rate) -> chains (restarts, images, P): a nudged elastic band with a climbing image."""
    d = X.shape[1]

    def loss(theta: jax.Array) -> jax.Array:
        weights = theta.reshape(d + 1, -1)
        return 0.5 * jnp.sum((jax.nn.relu(X @ weights[:d]) @ weights[d] - y) ** 2)

    value_and_slope = jax.vmap(jax.value_and_grad(loss))

    def descent(chain: jax.Array, spring: float = 1.0) -> jax.Array:
        values, slopes = value_and_slope(chain)
        ahead, behind = chain[2:] - chain[1:-1], chain[1:-1] - chain[:-2]
        tangent = jnp.where((values[2:] > values[:-2])[:, None], ahead, behind)
        tangent /= jnp.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
        along = jnp.sum(slopes[1:-1] * tangent, axis=1, keepdims=True) * tangent
        stretch = jnp.linalg.norm(ahead, axis=1, keepdims=True) - jnp.linalg.norm(behind, axis=1, keepdims=True)
        band = slopes[1:-1] - along - spring * stretch * tangent
        climbs = jnp.arange(1, images - 1) == jnp.argmax(values[1:-1]) + 1
        return jnp.where(climbs[:, None], slopes[1:-1] - 2 * along, band)

    def run(start: jax.Array, end: jax.Array, key: jax.Array, rate: jax.Array) -> jax.Array:
        t = jnp.linspace(0.0, 1.0, images)[:, None]
        bump = jax.random.normal(key, start.shape) * jnp.sin(jnp.pi * t)
        chain = (1 - t) * start + t * end + bump
        optimizer = optax.adam(optax.cosine_decay_schedule(1.0, steps))

        def step(carry: Any, _: None) -> tuple[Any, jax.Array]:
            chain, state, best, best_value = carry
            updates, state = optimizer.update(descent(chain), state)
            chain = chain.at[1:-1].add(rate * updates)
            top = jnp.max(value_and_slope(chain)[0])
            best = jnp.where(top < best_value, chain, best)
            return (chain, state, best, jnp.minimum(top, best_value)), top

        first = (chain, optimizer.init(chain[1:-1]), chain, jnp.inf)
        return jax.lax.scan(step, first, None, length=steps)[0][2]

    return jax.jit(jax.vmap(run, in_axes=(None, None, 0, None)))


def parameters(point: Point) -> jax.Array:
    """Return a net over a u-point with balanced weights, as one vector."""
    net = lift(point)
    size = np.sqrt(np.linalg.norm(net.W, axis=0))
    scale = np.where(size > 0, size, 1.0)
    return jnp.asarray(np.concatenate([np.asarray(net.W) / scale, np.asarray(net.A) * size]).ravel())


def pair_of(found: LevelSet, levels: Sequence[Sequence[Fraction]]) -> tuple[int, int]:
    """Return two components with the highest barrier."""
    k = len(found.components)
    return max(((i, j) for i in range(k) for j in range(i)), key=lambda pair: levels[pair[0]][pair[1]])


def true_tops(chains: np.ndarray, data: dict[str, Any], m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for every chain the largest loss of its images, which it reports, and that of the polyline, exactly."""
    X, y = np.asarray(data["X"], float), np.asarray(data["y"], float)
    d = X.shape[1]
    weights = chains.reshape(*chains.shape[:2], d + 1, m)
    F = np.einsum("...nj,...j->...n", np.maximum(X @ weights[..., :d, :], 0.0), weights[..., d, :])
    reported = (0.5 * ((F - y) ** 2).sum(-1)).max(1)
    knots = [[Net(jnp.asarray(image[:d]), jnp.asarray(image[d:])) for image in chain] for chain in weights]
    return reported, np.array([float(polyline_barrier(chain, X, y).max_loss) for chain in knots])


def path_finder(name: str, restarts: int, steps: int, images: int = 33) -> dict[str, Any]:
    """Return the record of the hardest pair of components: its exact barrier, certified, and the best of the bands."""
    data, m = PAIRS[name]
    problem = problem_from_json(data)
    matrix = communication_barrier(problem, m)
    components = matrix.level_set.components
    i, j = pair_of(matrix.level_set, matrix.levels)
    level = matrix.levels[i][j]
    exact = float(level)
    certificate = certify_barrier(matrix.level_set.complex, components[i].representative, components[j].representative)
    answer = check_certificate(json.loads(json.dumps(certificate)), problem_to_json(problem))
    if not answer.accepted:
        raise SystemExit(f"{name}: {answer.reason}; nothing was timed")
    if Fraction(certificate["statement"]["value"]) != level:
        raise SystemExit(f"{name}: barrier {level}, certified {certificate['statement']['value']}; nothing was timed")
    ends = [parameters(components[k].representative) for k in (i, j)]
    band = elastic_band(jnp.asarray(data["X"], float), jnp.asarray(data["y"], float), images, steps)
    keys = jax.random.split(jax.random.key(0), restarts)
    jax.block_until_ready(band(*ends, keys, jnp.asarray(RATES[0])))  # compiles
    start = time.perf_counter()
    chains = np.concatenate([jax.block_until_ready(band(*ends, keys, jnp.asarray(rate))) for rate in RATES])
    band_s = time.perf_counter() - start
    reported, tops = true_tops(chains, data, m)
    error = gate(f"{name}: no path lies below the barrier", max(0.0, exact - float(tops.min())), GATE)
    return record(
        "topology",
        f"barrier of two components, {name}",
        timed({"exact": lambda: communication_barrier(problem, m)}, 3)["exact"],
        size={"d": len(data["X"][0]), "n": len(data["X"]), "m": m},
        gate=error,
        allowed=GATE,
        peers={"elastic band, not exact": band_s},
        dtype="float64 and rationals",
        barrier=str(level),
        band_reports=float(reported.min()),
        band_reports_too_low=int((reported < exact - GATE).sum()),
        band_best=float(tops.min()),
        band_median=float(np.median(tops)),
        band_excess_of_best=float(tops.min()) / exact - 1,
        chains=len(tops),
        images=images,
        steps=steps,
    )
