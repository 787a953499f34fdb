"""Learning-rate schedules: a factor of the base rate, as a function of the fraction of the run that is done."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.errors import unknown_name

__all__ = ["SCHEDULES", "schedule_from_name"]

Schedule = Callable[[Float[Array, ""]], Float[Array, ""]]

SCHEDULES: dict[str, Schedule] = {
    "constant": jnp.ones_like,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: 0.5 * (1 + jnp.cos(jnp.pi * done)),
}
"""Step t of T uses learning_rate * SCHEDULES[name](t / T), t = 0, ..., T - 1; the two decays would reach 0 at t = T."""


def schedule_from_name(name: str) -> Schedule:
    """Return the schedule called ``name``; :class:`InputError` with the nearest name otherwise.

    Example:
        >>> import jax.numpy as jnp
        >>> float(schedule_from_name("linear")(jnp.asarray(0.25)))
        0.75
    """
    if name not in SCHEDULES:
        raise unknown_name("schedule", name, SCHEDULES)
    return SCHEDULES[name]
