"""The optimizers by name: members of Lion-K, AdamW, and practical Muon for comparison."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree

from modeconn.errors import unknown_name
from modeconn.optim.lion_k import (
    Scalar,
    check_hyperparameters,
    lion_k,
    nesterov_betas,
    polyak_betas,
    scale_by_decoupled_decay,
    scale_by_direction,
)
from modeconn.optim.newton_schulz import newton_schulz, newton_schulz_keller
from modeconn.optim.potentials import POTENTIALS, Mixture, TreePotential, tree_region
from modeconn.regions import Region, leaf_names
from modeconn.regions.norm import as_matrix

__all__ = [
    "OPTIMIZERS",
    "Optimizer",
    "adamw",
    "lion",
    "muon",
    "muon_keller",
    "muon_mixed",
    "muon_newton_schulz",
    "muon_optax",
    "normalized_sgd",
    "optimizer_from_name",
    "signum",
]

Rate: TypeAlias = Scalar | optax.Schedule

MUON_MIXTURE = Mixture({"W": POTENTIALS["nuclear"]}, default=POTENTIALS["l1"])
"""Muon as it is used: nuclear norm on the hidden matrix, l1 on output weights and biases."""

MUON_OPTAX_BALLS = Mixture({"b": POTENTIALS["l1"]}, default=POTENTIALS["nuclear"])
"""Balls to compare optax's Muon with: spectral on matrices, the box on biases, which it hands to AdamW."""

NET_OUTPUT_AXIS: Mapping[str, int] = MappingProxyType({"W": 1})
"""Axis that counts outputs in the leaves of a net; 0 for the leaves not named."""

_NESTEROV = nesterov_betas(0.95)
_POLYAK = polyak_betas(0.9)


def lion(
    learning_rate: Rate, weight_decay: Scalar = 0.0, b1: Scalar = 0.9, b2: Scalar = 0.99, decay: str = "explicit"
) -> optax.GradientTransformation:
    """Return Lion: Lion-K with K = l1, a step in the sign of the interpolated momentum."""
    return lion_k(learning_rate, POTENTIALS["l1"], weight_decay, b1, b2, decay)


def signum(
    learning_rate: Rate,
    weight_decay: Scalar = 0.0,
    b1: Scalar = _POLYAK[0],
    b2: Scalar = _POLYAK[1],
    decay: str = "explicit",
) -> optax.GradientTransformation:
    """Return Signum: Lion with b1 = b2, the sign of Polyak momentum."""
    return lion_k(learning_rate, POTENTIALS["l1"], weight_decay, b1, b2, decay)


def muon(
    learning_rate: Rate,
    weight_decay: Scalar = 0.0,
    b1: Scalar = _NESTEROV[0],
    b2: Scalar = _NESTEROV[1],
    decay: str = "explicit",
) -> optax.GradientTransformation:
    """Return the theory's Muon: Lion-K with K = nuclear norm, the exact polar factor on every leaf, no shape factor.

    The default betas are Nesterov momentum 0.95 (:func:`nesterov_betas`); vectors are one-row matrices.
    """
    return lion_k(learning_rate, POTENTIALS["nuclear"], weight_decay, b1, b2, decay)


def muon_mixed(
    learning_rate: Rate,
    weight_decay: Scalar = 0.0,
    b1: Scalar = _NESTEROV[0],
    b2: Scalar = _NESTEROV[1],
    decay: str = "explicit",
) -> optax.GradientTransformation:
    """Return Lion-K with the nuclear norm on the leaf ``W`` and l1 on every other leaf."""
    return lion_k(learning_rate, MUON_MIXTURE, weight_decay, b1, b2, decay)


def normalized_sgd(
    learning_rate: Rate,
    weight_decay: Scalar = 0.0,
    b1: Scalar = _POLYAK[0],
    b2: Scalar = _POLYAK[1],
    decay: str = "explicit",
) -> optax.GradientTransformation:
    """Return Lion-K with K = Frobenius norm: momentum SGD with each leaf's step normalised."""
    return lion_k(learning_rate, POTENTIALS["frobenius"], weight_decay, b1, b2, decay)


def relaxed_promotion(transformation: optax.GradientTransformation) -> optax.GradientTransformation:
    """Return ``transformation`` run under standard dtype promotion: optax mixes int32 counts and weak floats."""

    def init(params: PyTree) -> PyTree:
        with jax.numpy_dtype_promotion("standard"):
            return transformation.init(params)

    def update(gradient: PyTree, state: PyTree, params: PyTree | None = None) -> tuple[PyTree, PyTree]:
        with jax.numpy_dtype_promotion("standard"):
            move, state = transformation.update(gradient, state, params)
        return jax.tree.map(lambda u, g: u.astype(g.dtype), move, gradient), state

    return optax.GradientTransformation(init, update)


def adamw(
    learning_rate: Rate, weight_decay: Scalar = 0.0, b1: Scalar = 0.9, b2: Scalar = 0.999, eps: Scalar = 1e-8
) -> optax.GradientTransformation:
    """Return optax's AdamW with decay on every leaf; not Lion-K, its limit problem is the box (Xie, Li 2024)."""
    check_hyperparameters(learning_rate, weight_decay, b1, b2)
    return relaxed_promotion(optax.adamw(learning_rate, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay))


def muon_newton_schulz(
    learning_rate: Rate,
    weight_decay: Scalar = 0.0,
    b1: Scalar = _NESTEROV[0],
    b2: Scalar = _NESTEROV[1],
    decay: str = "explicit",
    steps: int = 5,
) -> optax.GradientTransformation:
    """Return :func:`muon` with five Newton-Schulz steps in place of the polar factor, and nothing else changed."""
    return optax.chain(
        scale_by_direction(lambda c: jax.tree.map(lambda x: newton_schulz(x, steps), c), b1, b2),
        scale_by_decoupled_decay(learning_rate, weight_decay, decay),
    )


def muon_keller(
    learning_rate: Rate,
    weight_decay: Scalar = 0.0,
    momentum: Scalar = 0.95,
    nesterov: bool = True,
    steps: int = 5,
    output_axis: int | Mapping[str, int] = NET_OUTPUT_AXIS,
    dtype: Any = jnp.bfloat16,
) -> optax.GradientTransformation:
    """Return Keller Jordan's Muon: Newton-Schulz in bfloat16 times sqrt(max(1, outputs / inputs)), decoupled decay.

    Args:
        learning_rate: eps >= 0 or a schedule.
        weight_decay: lam >= 0.
        momentum: beta in [0, 1).
        nesterov: whether the step looks ahead, beta m_{t+1} + (1 - beta) g_t.
        steps: Newton-Schulz steps.
        output_axis: axis of a matrix that counts outputs, for all leaves or by name; 0 as published. The default is
            that of :class:`modeconn.nets.Net`: 1 for ``W`` (d, m), 0 for ``A`` (c, m) and for every other leaf.
        dtype: of the Newton-Schulz arithmetic; ``None`` for that of the gradient.

    Every leaf is taken as a matrix, vectors as one row; in practice vectors and embeddings go to AdamW.
    """
    check_hyperparameters(b1=momentum)

    def direction(c: PyTree) -> PyTree:
        def step(name: str, x: Array) -> Array:
            shape = as_matrix(x).shape
            axis = output_axis.get(name, 0) if isinstance(output_axis, Mapping) else output_axis
            factor = math.sqrt(max(1.0, shape[axis] / shape[1 - axis]))
            return jnp.asarray(factor, x.dtype) * newton_schulz_keller(x, steps, dtype)

        leaves, tree = jax.tree.flatten(c)
        return jax.tree.unflatten(tree, [step(name, x) for name, x in zip(leaf_names(c), leaves, strict=True)])

    b1 = momentum**2 if nesterov else momentum
    return optax.chain(
        scale_by_direction(direction, b1, momentum), scale_by_decoupled_decay(learning_rate, weight_decay)
    )


def muon_optax(
    learning_rate: Rate, weight_decay: Scalar = 0.0, momentum: Scalar = 0.95, nesterov: bool = True
) -> optax.GradientTransformation:
    """Return ``optax.contrib.muon``: Newton-Schulz and a shape factor on matrices, AdamW elsewhere.

    Its momentum is bias-corrected, which turns the Nesterov direction away from Keller Jordan's from the second step
    on. Axis 0 of a matrix counts as inputs, whatever the leaf. The decay applies to all leaves.
    """
    check_hyperparameters(learning_rate, weight_decay, momentum)
    return relaxed_promotion(
        optax.contrib.muon(
            learning_rate,
            beta=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            adam_weight_decay=weight_decay,
        )
    )


def _radius(weight_decay: Scalar) -> Any:
    """Return 1 / lam, infinity for lam = 0; ``weight_decay`` may be an array or traced."""
    if isinstance(weight_decay, (int, float)):
        check_hyperparameters(weight_decay=weight_decay)
        return 1 / weight_decay if weight_decay > 0 else math.inf
    lam = jnp.asarray(weight_decay)
    return jnp.where(lam > 0, 1 / jnp.where(lam > 0, lam, 1), jnp.inf)


@dataclass(frozen=True)
class Optimizer:
    """An entry of :data:`OPTIMIZERS`.

    Attributes:
        name: its key.
        build: (learning_rate, weight_decay=0, **hyper) -> optax transformation.
        potential: K, for members of the Lion-K family; else ``None``.
        ball: potential whose ball is the region; for the practical variants that of the theory they are held against.
        is_theory: whether theory says that limits lie in the region (Lion-K and AdamW).
    """

    name: str
    build: Callable[..., optax.GradientTransformation]
    potential: TreePotential | None
    ball: TreePotential
    is_theory: bool

    def region(self, params: PyTree, weight_decay: Scalar) -> Region:
        """Return the region of the limit problem: balls of radius 1 / lam, infinite for lam = 0.

        Example:
            >>> import jax.numpy as jnp
            >>> region = OPTIMIZERS["muon"].region({"W": jnp.ones((2, 2))}, 0.5)
            >>> region.norms[0].name, region.radii
            ('spectral', (2.0,))
        """
        return tree_region(self.ball, params, _radius(weight_decay))


def _member(name: str, build: Callable[..., optax.GradientTransformation], potential: TreePotential) -> Optimizer:
    return Optimizer(name, build, potential, potential, True)


OPTIMIZERS: dict[str, Optimizer] = {
    entry.name: entry
    for entry in (
        _member("lion", lion, POTENTIALS["l1"]),
        _member("signum", signum, POTENTIALS["l1"]),
        _member("muon", muon, POTENTIALS["nuclear"]),
        _member("muon_mixed", muon_mixed, MUON_MIXTURE),
        _member("normalized_sgd", normalized_sgd, POTENTIALS["frobenius"]),
        Optimizer("adamw", adamw, None, POTENTIALS["l1"], True),
        Optimizer("muon_newton_schulz", muon_newton_schulz, None, POTENTIALS["nuclear"], False),
        Optimizer("muon_keller", muon_keller, None, POTENTIALS["nuclear"], False),
        Optimizer("muon_optax", muon_optax, None, MUON_OPTAX_BALLS, False),
    )
}


def optimizer_from_name(name: str) -> Optimizer:
    """Return the optimizer called ``name``; :class:`InputError` with the nearest name otherwise."""
    if name not in OPTIMIZERS:
        raise unknown_name("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]
