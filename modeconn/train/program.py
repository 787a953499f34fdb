"""The compiled part of training: many steps of many nets in one program."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.experimental.layout import Layout, with_layout_constraint
from jaxtyping import Array, Float, Int, PyTree

from modeconn.losses import loss_from_name
from modeconn.nets import Net, initialise
from modeconn.optim import Mixture, NormPotential, optimizer_from_name
from modeconn.optim.potentials import TreePotential
from modeconn.probes import kkt_score_by_leaf, region_ratios
from modeconn.train.gradient import loss_and_gradient, loss_value
from modeconn.train.schedule import schedule_from_name

__all__ = ["Final", "Lanes", "Recipe", "TrainState", "advance", "begin", "draw_nets", "measure", "transformation"]

INIT_ROLE, BATCH_ROLE = 0, 1
"""What a key is for: folded into the base key first, so that weights and minibatches never share random bits."""

_VECTOR = 16
"""Inputs from which on W is stored by neurons: floats in a vector of the processor."""


@dataclass(frozen=True)
class Recipe:
    """What a training program is compiled for; everything else is traced.

    Attributes:
        optimizer: key of the registry.
        betas: which of ``"b1"``, ``"b2"`` the fleet sets itself.
        loss: key of the registry.
        schedule: key of the registry.
        batch_size: data points of a step, ``None`` for all of them.
    """

    optimizer: str
    betas: tuple[str, ...]
    loss: str
    schedule: str
    batch_size: int | None


class Lanes(NamedTuple):
    """What differs between the nets that run side by side, leading axis L.

    Attributes:
        instance_id, width: (L,) integers.
        learning_rate, weight_decay: (L,) floats in the dtype of training.
        betas: (L,) floats by name, the keys of ``Recipe.betas``.
    """

    instance_id: Array
    width: Array
    learning_rate: Array
    weight_decay: Array
    betas: dict[str, Array]


class TrainState(NamedTuple):
    """Weights and the optimizer's memory."""

    net: Net
    memory: PyTree


class Final(NamedTuple):
    """Measurements at the end of training: loss, summands of the KKT score and lam ||x||_dual by leaf name."""

    loss: Any
    kkt: dict[str, Any]
    ratios: dict[str, Any]


def _key(base_key: Array, role: int, index: Array) -> Array:
    return jax.random.fold_in(jax.random.fold_in(base_key, role), index)


def _live(net: Net, width: Array) -> Net:
    """Return the net with the neurons from ``width`` on exactly zero."""
    live = jnp.arange(net.W.shape[-1]) < width
    return jax.tree.map(lambda x: jnp.where(live, x, 0), net)


def _by_neuron(state: TrainState) -> TrainState:
    """Return the state with every long W of a net in it stored by neurons: the weights and what the optimizer keeps."""

    def stored(x: Any) -> Any:
        if not isinstance(x, Net) or not isinstance(x.W, jax.Array) or x.W.shape[0] < _VECTOR:
            return x
        return x._replace(W=with_layout_constraint(x.W, Layout(major_to_minor=(1, 0))))

    return jax.tree.map(stored, state, is_leaf=lambda x: isinstance(x, Net))


def transformation(recipe: Recipe, lane: Lanes, factor: Array | float) -> optax.GradientTransformation:
    """Return the optimizer of one lane, its learning rate times ``factor``."""
    build = optimizer_from_name(recipe.optimizer).build
    return build(lane.learning_rate * factor, lane.weight_decay, **lane.betas)


@functools.partial(jax.jit, static_argnames=("d", "c", "columns", "init", "bias", "fixed_output", "dtype"))
def draw_nets(
    base_key: Array,
    seed: Int[Array, " lanes"],
    width: Int[Array, " lanes"],
    *,
    d: int,
    c: int,
    columns: int,
    init: str,
    bias: bool,
    fixed_output: bool,
    dtype: Any,
) -> Net:
    """Return initial nets, stacked and padded to ``columns``; a net depends on its own seed and width only."""

    def one(seed: Array, width: Array) -> Net:
        key = _key(base_key, INIT_ROLE, seed)
        return initialise(
            key, d, width, c, name=init, bias=bias, fixed_output=fixed_output, padded_width=columns, dtype=dtype
        )

    return jax.vmap(one)(seed, width)


@functools.partial(jax.jit, static_argnames="recipe")
def begin(recipe: Recipe, lanes: Lanes, nets: Net) -> TrainState:
    """Return the state before the first step, padded neurons set to zero."""

    def one(lane: Lanes, net: Net) -> TrainState:
        net = _live(net, lane.width)
        return TrainState(net, transformation(recipe, lane, 1).init(net))

    return jax.vmap(one)(lanes, nets)


@functools.partial(jax.jit, static_argnames="recipe")
def advance(
    recipe: Recipe,
    base_key: Array,
    lanes: Lanes,
    state: TrainState,
    X: Float[Array, "n d"],
    Y: Float[Array, "n c"],
    first: Int[Array, ""],
    counts: Int[Array, " r"],
    total: Int[Array, ""],
) -> tuple[TrainState, Float[Array, "lanes r"]]:
    """Return the states after ``sum(counts)`` more steps out of ``total``, and the loss before each interval.

    The steps are first, first + 1, ...; interval r has counts[r] of them. One program serves every interval length:
    the trip count is traced. The arithmetic of a lane does not depend on the other lanes.

    Where d is large, W stays in memory neuron by neuron from step to step: the neurons of all nets are then the rows
    of one matrix, both products with X are plain ones, and no step moves W or its gradient to another layout. Where d
    is small this would leave the rest of a step with rows shorter than a vector of the processor.

    Cost: 2 n m (d + c) multiplications a net and step for the gradient, plus the optimizer's own.
    """
    loss, schedule = loss_from_name(recipe.loss), schedule_from_name(recipe.schedule)
    n, size = X.shape[0], recipe.batch_size

    def one(lane: Lanes, state: TrainState) -> tuple[TrainState, Array]:
        batch_key = _key(base_key, BATCH_ROLE, lane.instance_id)

        def gradient(net: Net, t: Array) -> Net:
            if size is None:
                return loss_and_gradient(loss, net, X, Y)[1]
            rows = jax.random.randint(jax.random.fold_in(batch_key, t), (size,), 0, n)
            g = loss_and_gradient(loss, net, X[rows], Y[rows])[1]
            return jax.tree.map(lambda x: x * jnp.asarray(n / size, x.dtype), g)

        def step(t: Array, state: TrainState) -> TrainState:
            done = t.astype(X.dtype) / total.astype(X.dtype)
            optimizer = transformation(recipe, lane, schedule(done))
            move, memory = optimizer.update(gradient(state.net, t), state.memory, state.net)
            return _by_neuron(TrainState(_live(jax.tree.map(jnp.add, state.net, move), lane.width), memory))

        def interval(carry: tuple[TrainState, Array], count: Array) -> tuple[tuple[TrainState, Array], Array]:
            state, t = carry
            before = loss_value(loss, state.net, X, Y)
            return (jax.lax.fori_loop(t, t + count, step, state), t + count), before

        (state, _), losses = jax.lax.scan(interval, (_by_neuron(state), first), counts)
        return state, losses

    return jax.vmap(one)(lanes, state)


def _limit_potential(optimizer: str, params: PyTree) -> TreePotential:
    """Return the optimizer's K; outside the Lion-K family the support functions of the balls of its region."""
    entry = optimizer_from_name(optimizer)
    if entry.potential is not None:
        return entry.potential
    region = entry.region(params, 1.0)
    balls = zip(region.names, region.norms, strict=True)
    return Mixture({name: NormPotential(norm.dual) for name, norm in balls})


@functools.partial(jax.jit, static_argnames=("optimizer", "loss"))
def measure(
    optimizer: str,
    loss: str,
    nets: Net,
    weight_decay: Float[Array, " lanes"],
    X: Float[Array, "n d"],
    Y: Float[Array, "n c"],
) -> Final:
    """Return loss, KKT score and region ratios of stacked nets; padded neurons change none of them.

    For an optimizer outside the Lion-K family they are those of the region it is compared with (AdamW: the l_inf ball).
    """
    ell = loss_from_name(loss)
    potential = _limit_potential(optimizer, jax.tree.map(lambda leaf: leaf[0], nets))

    def one(net: Net, lam: Array) -> Final:
        value, gradient = loss_and_gradient(ell, net, X, Y)
        return Final(value, kkt_score_by_leaf(gradient, net, potential, lam), region_ratios(net, potential, lam))

    return jax.vmap(one)(nets, weight_decay)
