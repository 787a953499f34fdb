"""Decoupled decay pulls random parameters into the ball under random gradients (L1), thousands of runs at a time."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from modeconn.campaigns.families.drawing import block_generator, tally_of_margins
from modeconn.campaigns.family import Family, Parameters, names, whole_numbers
from modeconn.campaigns.tally import Tally, total
from modeconn.errors import unknown_name
from modeconn.memory import in_halves
from modeconn.optim import POTENTIALS, lion_k

__all__ = ["FAMILY"]

ALLOWANCE = 1e-12
"""Rounding of a few steps in float64, relative to the first distance plus one."""


NAME = "ball-contraction"
GRAIN = 1024
DEFAULTS: Parameters = {"potential": "l1", "rows": None, "columns": None, "steps": 4}
"""Parameters: ``potential``, ``rows``, ``columns``, ``steps``."""


def _check(parameters: Parameters) -> None:
    """Raise :class:`modeconn.errors.InputError` for numbers below 1 or an unknown potential."""
    whole_numbers(parameters, "rows", "columns", "steps")
    names(parameters, "potential")
    if parameters["potential"] not in POTENTIALS:
        raise unknown_name("potential", parameters["potential"], POTENTIALS)


def _run_block(parameters: Parameters, block: int, seed: int) -> Tally:
    """Return how far inside the bound the runs of the block stay."""
    draw = block_generator(NAME, parameters, block, seed)
    shape = (GRAIN, parameters["rows"], parameters["columns"])
    x = draw.standard_normal(shape) * np.exp(draw.standard_normal((GRAIN, 1, 1)))
    G = draw.standard_normal((GRAIN, parameters["steps"], *shape[1:]))
    rate, decay = draw.uniform(0.01, 0.5, GRAIN), draw.uniform(0.1, 2.0, GRAIN)

    def work(start: int, stop: int) -> Tally:
        part = slice(start, stop)
        columns = (jnp.asarray(column[part]) for column in (x, G, rate, decay))
        margins = np.asarray(_margins(parameters["potential"], *columns))
        return tally_of_margins(margins, block * GRAIN + start, lambda i: ("undecided", {}))

    parts, halved = in_halves(work, 0, GRAIN)
    return total([*parts, Tally(halved=halved)])


@partial(jax.jit, static_argnums=0)
def _margins(potential: str, x: jax.Array, G: jax.Array, rate: jax.Array, decay: jax.Array) -> jax.Array:
    """Return (bound - distance) / (1 + first distance) + allowance, the least over the steps, for each run."""
    K = POTENTIALS[potential]

    def one(x0: jax.Array, gradients: jax.Array, eps: jax.Array, lam: jax.Array) -> jax.Array:
        optimizer = lion_k(eps, K, weight_decay=lam)

        def step(carry: tuple[jax.Array, object], g: jax.Array) -> tuple[tuple[jax.Array, object], jax.Array]:
            x, state = carry
            update, state = optimizer.update(g, state, x)
            x = x + update
            return (x, state), K.ball.distance(lam * x, 1.0)

        _, distances = jax.lax.scan(step, (x0, optimizer.init(x0)), gradients)
        first = K.ball.distance(lam * x0, 1.0)
        powers = (1 - eps * lam) ** jnp.arange(1, len(gradients) + 1)
        return jnp.min((powers * first - distances) / (1 + first)) + ALLOWANCE

    return jax.vmap(one)(x, G, rate, decay)


FAMILY = Family(
    NAME,
    "dist(lam x_t, ball) <= (1 - eps lam)^t dist(lam x_0, ball) for any gradients (theory L1), to 1e-12",
    GRAIN,
    DEFAULTS,
    _check,
    _run_block,
    about=lambda parameters: "L1",
    shard=1_000_000,
)
