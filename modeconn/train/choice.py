"""Which program advances the nets of a chunk: the plain one, or on a GPU the fused one where that is trusted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from modeconn.errors import InputError
from modeconn.memory import is_out_of_memory
from modeconn.train.program import Lanes, Recipe, TrainState, advance, begin

__all__ = ["Choice"]

Program: TypeAlias = Callable[..., tuple[TrainState, jax.Array]]

FUSED_ON = ("gpu",)
"""Platforms with a compiler for the fused program."""

_TRIAL_LANES, _TRIAL_STEPS, _TRIAL_RATE = 8, 3, 1e-3
_TRIAL_ERROR = 1e-2
"""Distance of two trials over the distance moved. Rounding turns the sign of a gradient entry of its own size, here
and there; any error of a formula moves every entry."""


class Choice:
    """The program of each kind of chunk in one run, and what was found out on the way.

    The fused program takes every chunk on a GPU that it can, once it has trained nets of that kind for a few steps as
    the plain one does. Where it does not compile here, or its trial disagrees, the plain program goes on and
    :attr:`warnings` says so.

    Attributes:
        fused: descriptions of what the fused program trains.
        warnings: why it does not train what it should.
    """

    def __init__(self) -> None:
        self.fused: list[str] = []
        self.warnings: list[str] = []
        self._trusted: dict[Hashable, bool] = {}

    def fused_program(self, device: jax.Device, recipe: Recipe, *arguments: Any) -> Program | None:
        """Return the fused program if it is to advance this chunk, ``None`` for the plain one.

        Args:
            device: where the chunk is.
            recipe: of the chunk.
            arguments: the further ones of :func:`modeconn.train.program.advance`.
        """
        if device.platform not in FUSED_ON or not self._trusts(recipe, arguments):
            return None
        from modeconn.train.fused import advance_fused

        return advance_fused

    def _trusts(self, recipe: Recipe, arguments: tuple[Any, ...]) -> bool:
        key = recipe, *(np.shape(x) for x in jax.tree.leaves(arguments[2:]))
        if key not in self._trusted:
            self._trusted[key] = self._try(recipe, arguments)
        return self._trusted[key]

    def _try(self, recipe: Recipe, arguments: tuple[Any, ...]) -> bool:
        """Return whether the fused program fits, compiles and agrees with the plain one; note the outcome."""
        state: TrainState = arguments[2]
        what = f"{recipe.optimizer}, {state.net.W.shape[1]} inputs, {state.net.W.shape[2]} neurons"
        try:
            from modeconn.train.fused import fits

            if not fits(recipe, state.net):
                return False
            error = _trial_error(recipe, arguments)
        except Exception as problem:  # a compiler may object in any way; the plain program does the same work
            if is_out_of_memory(problem) or isinstance(problem, InputError):
                raise
            reason = str(problem).strip().splitlines() or [""]
            self.warnings.append(f"{what}: fused program not used: {type(problem).__name__}: {reason[0]}")
            return False
        if not error < _TRIAL_ERROR:
            self.warnings.append(f"{what}: fused program not used: it differs from the plain one by {error:.1e}")
            return False
        self.fused.append(what)
        return True


def _trial_error(recipe: Recipe, arguments: tuple[Any, ...]) -> float:
    """Return how far the two programs are apart after a few steps of random nets, over the distance moved.

    The fused program runs at the shapes and on the device of the arguments, so that it is compiled once.
    """
    from modeconn.train.fused import advance_fused

    base_key, lanes, state, X, Y, _, counts, _ = arguments
    rng = np.random.default_rng(0)

    device = next(iter(state.net.W.devices()))

    def normal(x: Any, rows: int) -> Any:
        return jax.device_put(rng.normal(size=(rows, *x.shape[1:])).astype(x.dtype), device)

    def full(x: Any, value: float) -> Any:
        return jax.device_put(np.full(x.shape, value, x.dtype), device)

    trial = Lanes(
        lanes.instance_id,
        full(lanes.width, state.net.W.shape[-1]),
        full(lanes.learning_rate, _TRIAL_RATE),
        full(lanes.weight_decay, 0.1),
        {name: full(beta, 0.9) for name, beta in lanes.betas.items()},
    )
    few, again = slice(0, min(len(lanes.width), _TRIAL_LANES)), np.arange(len(lanes.width)) % _TRIAL_LANES
    start = begin(recipe, trial, jax.tree.map(lambda x: normal(x, _TRIAL_LANES)[again], state.net))
    steps = np.zeros(len(counts), np.int32)
    steps[0] = _TRIAL_STEPS
    numbers = normal(X, len(X)), normal(Y, len(Y)), np.int32(0), steps, np.int32(_TRIAL_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a compiler that JAX means to drop: then no trial
        fused, losses = advance_fused(recipe, base_key, trial, start, *numbers)
    some = jax.tree.map(lambda x: x[few], (trial, start))
    plain, expected = advance(recipe, base_key, *some, *numbers)
    own, other = jax.tree.leaves((fused, losses)), jax.tree.leaves((plain, expected))
    before = jax.tree.leaves((start, jnp.zeros_like(losses)))
    return max(
        float(jnp.abs(a[few] - b).sum() / jnp.abs(b - c[few]).sum()) for a, b, c in zip(own, other, before, strict=True)
    )
