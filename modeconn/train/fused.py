"""Training narrow nets without going to memory: a GPU keeps a block of nets in registers for all steps of a segment.

Compiled step by step, a step of many nets is some nine kernels, and the activations that they hand on are several times
the weights: at 4 x 16 weights and 32 points a step of AdamW moves seven times the bytes of reading and writing weights
and moments once. Here one warp of 32 threads trains a block of nets: a thread holds up to four neurons of a net, their
gradient and their moments, and the data points pass by one at a time, so that a step writes nothing at all. What bounds
it is the rate of instructions.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array, Float, Int, PyTree

from modeconn.nets import Net
from modeconn.train.program import Lanes, Recipe, TrainState, transformation
from modeconn.train.schedule import schedule_from_name

__all__ = ["ELEMENTWISE", "advance_fused", "block_of", "fits"]

ELEMENTWISE = ("adamw", "lion", "signum")
"""Optimizers whose step of an entry depends on that entry alone."""

_THREADS = 32
_BLOCK_WEIGHTS = 1024
"""Weights of a block: 32 a thread. With a gradient and two moments they fill half of a thread's registers."""
_ENTRIES = 4
"""Neurons of a thread at most: enough independent work to hide the latency of one, and a short sum across threads."""
_UNROLLED = 4
"""Data points written out in the body of the loop over them."""

Rows = tuple[Array, ...]
"""Weights of a block of nets, an array (m, B) for every row of W, then b, then every row of A."""


def block_of(rows: int, columns: int) -> int:
    """Return how many nets of ``rows`` x ``columns`` weights one program trains, 0 where not even one fits.

    Example:
        >>> block_of(rows=5, columns=16), block_of(rows=33, columns=128)
        (8, 0)
    """
    entries = min(_ENTRIES * _THREADS, _BLOCK_WEIGHTS // rows)
    nets = entries // columns
    return 0 if entries < _THREADS or nets == 0 else 1 << (nets.bit_length() - 1)


def _weights_a_neuron(net: Net) -> int:
    return net.W.shape[-2] + (net.b is not None) + (0 if net.A is None else net.A.shape[-2])


def fits(recipe: Recipe, net: Net) -> bool:
    """Return whether :func:`advance_fused` is for nets of this shape (a Net of arrays or of shapes).

    An elementwise optimizer, half the squared error of all data, float32, a power of two of neurons, and a net whose
    weights one warp can hold.
    """
    columns = net.W.shape[-1]
    known = recipe.optimizer in ELEMENTWISE and recipe.loss == "half_squared_error" and recipe.batch_size is None
    shaped = net.W.dtype == np.float32 and columns & (columns - 1) == 0
    return known and shaped and block_of(_weights_a_neuron(net), columns) > 0


def _rows(net: Net) -> list[Any]:
    """Return one weight of every neuron at a time, (B, m) each, of a Net of references."""
    W = [net.W.at[:, k] for k in range(net.W.shape[1])]
    A = [] if net.A is None else [net.A.at[:, j] for j in range(net.A.shape[1])]
    return [*W, *([] if net.b is None else [net.b]), *A]


def _is_net(x: Any) -> bool:
    return isinstance(x, Net)


def _read(ref: Any) -> Any:
    """Return what is in a reference (B, 1), or the rows of a Net of references."""
    return tuple(row[...] for row in _rows(ref)) if _is_net(ref) else ref[...]


def _write(ref: Any, value: Any) -> None:
    for target, row in zip(_rows(ref), value, strict=True) if _is_net(ref) else [(ref, value)]:
        target[...] = row


def _residual(rows: Rows, x: list[Array], y: list[Array]) -> tuple[Array, Array, list[Array]]:
    """Return pre-activations and activations (B, m) of one data point, and f(x) - y, (B, 1) an output."""
    hidden, output = rows[: len(x)], rows[len(x) :]
    P = functools.reduce(jnp.add, [w * a for w, a in zip(hidden, x, strict=True)])
    H = jnp.maximum(P, 0)
    F = [jnp.sum(H if a is None else a * H, axis=1, keepdims=True) for a in output or [None]]
    return P, H, [f - t for f, t in zip(F, y, strict=True)]


def _gradient(rows: Rows, x: list[Array], y: list[Array]) -> Rows:
    """Return the gradient of half the squared error at one data point, relu'(0) = 0."""
    P, H, R = _residual(rows, x, y)
    output = rows[len(x) :]
    dH = functools.reduce(jnp.add, [r * a for r, a in zip(R, output, strict=True)]) if output else R[0]
    dP = jnp.where(P > 0, dH, 0)
    return (*[dP * a for a in x], *([r * H for r in R] if output else []))


def _half_squares(rows: Rows, x: list[Array], y: list[Array]) -> Array:
    return functools.reduce(jnp.add, [r * r for r in _residual(rows, x, y)[2]]) / 2


def _kernel(
    recipe: Recipe, X: Any, Y: Any, numbers: Any, counts: Any, lanes: Lanes, state: TrainState, after: Any, losses: Any
) -> None:
    """Train one block of nets: references in, references out; ``numbers`` are the first step and their total."""
    (n, d), c, schedule = X.shape, Y.shape[1], schedule_from_name(recipe.schedule)
    lane = jax.tree.map(_read, lanes)
    rows, memory = jax.tree.map(_read, state, is_leaf=_is_net)
    zero, one = (jnp.asarray(value, rows[0].dtype) for value in (0, 1))
    constant = [] if state.net.b is None else [one]
    together = math.gcd(n, _UNROLLED)

    def over_points(term: Callable[..., Any], start: PyTree) -> Any:
        """Return ``start`` plus the sum of term(x, y) over the data, in their order."""

        def some(block: Array, sums: PyTree) -> PyTree:
            for i in [block * together + offset for offset in range(together)]:
                x, y = [X[i, k] for k in range(d)] + constant, [Y[i, j] for j in range(c)]
                sums = jax.tree.map(jnp.add, sums, term(x, y))
            return sums

        return jax.lax.fori_loop(np.int32(0), np.int32(n // together), some, start)

    def step(t: Array, carry: tuple[Rows, PyTree]) -> tuple[Rows, PyTree]:
        rows, memory = carry
        g = over_points(functools.partial(_gradient, rows), tuple(jnp.zeros_like(row) for row in rows))
        done = t.astype(zero.dtype) / numbers[1].astype(zero.dtype)
        move, memory = transformation(recipe, lane, schedule(done)).update(g, memory, rows)
        return tuple(jnp.add(row, change) for row, change in zip(rows, move, strict=True)), memory

    def interval(r: Array, carry: tuple[Array, Rows, PyTree]) -> tuple[Array, Rows, PyTree]:
        t, rows, memory = carry
        loss = over_points(functools.partial(_half_squares, rows), jnp.zeros_like(lane.learning_rate))
        losses[:, pl.ds(r, 1)] = loss
        end = t + counts[r]
        return end, *jax.lax.fori_loop(t, end, step, (rows, memory))

    _, rows, memory = jax.lax.fori_loop(np.int32(0), np.int32(counts.shape[0]), interval, (numbers[0], rows, memory))
    live = jax.lax.broadcasted_iota(jnp.int32, rows[0].shape, 1) < lane.width
    rows = tuple(jnp.where(live, row, zero) for row in rows)
    jax.tree.map(_write, tuple(after), (rows, memory), is_leaf=_is_net)


@functools.partial(jax.jit, static_argnames=("recipe", "interpret"))
def advance_fused(
    recipe: Recipe,
    base_key: Array,
    lanes: Lanes,
    state: TrainState,
    X: Float[Array, "n d"],
    Y: Float[Array, "n c"],
    first: Int[Array, ""],
    counts: Int[Array, " r"],
    total: Int[Array, ""],
    *,
    interpret: bool = False,
) -> tuple[TrainState, Float[Array, "lanes r"]]:
    """Return what :func:`modeconn.train.program.advance` returns, up to rounding, in one launch for all steps.

    Hypotheses: :func:`fits`. The sums over inputs, neurons and data points run in another order, and a GPU divides and
    takes roots of float32 within two units in the last place. The arithmetic of a net depends on neither its place nor
    the other nets. Padded neurons end exactly zero.

    Cost: that of ``advance`` in multiplications; in memory the states once, whatever the number of steps.

    Args:
        recipe: what to train; elementwise optimizer, half squared error, all data points in each step.
        base_key: unused, since no minibatch is drawn.
        lanes: numbers of the nets.
        state: from :func:`modeconn.train.program.begin`, or from an earlier call.
        X: data.
        Y: targets.
        first: number of the first step.
        counts: steps of every interval.
        total: steps of the run.
        interpret: run the kernel step by step in Python, on any device: for tests.
    """
    del base_key
    size, columns = state.net.W.shape[0], state.net.W.shape[-1]
    block = block_of(_weights_a_neuron(state.net), columns)
    blocks = -(-size // block)

    def filled(x: Array) -> Array:
        x = x[:, None] if x.ndim == 1 else x
        return jnp.pad(x, [(0, blocks * block - size)] + [(0, 0)] * (x.ndim - 1))

    def spec(x: Array) -> pl.BlockSpec:
        return pl.BlockSpec((block, *x.shape[1:]), lambda i: (i,) + (0,) * (x.ndim - 1))

    whole = pl.BlockSpec(memory_space=pl.ANY)
    given = jax.tree.map(filled, (lanes, state))
    made = (given[1], jnp.zeros((blocks * block, counts.shape[0]), X.dtype))
    kernel = pl.pallas_call(
        functools.partial(_kernel, recipe),
        out_shape=jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), made),
        grid=(blocks,),
        in_specs=(whole, whole, whole, whole, *jax.tree.map(spec, given)),
        out_specs=jax.tree.map(spec, made),
        compiler_params=plgpu.CompilerParams(num_warps=1, num_stages=1),
        interpret=interpret,
        name="train_block",
    )
    after, losses = kernel(X, Y, jnp.stack([first, total]), counts, *given)
    return jax.tree.map(lambda x, like: x[:size].reshape(like.shape), after, state), losses[:size]
