"""A potential for each leaf, and potentials of whole parameter trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from modeconn.errors import InputError
from modeconn.optim.potentials.potential import Potential
from modeconn.regions import Norm, Region, leaf_names
from modeconn.regions.norm import Radius

__all__ = ["Mixture", "TreePotential", "tree_conjugate", "tree_gradient", "tree_region", "tree_value"]


@dataclass(frozen=True, init=False)
class Mixture:
    """K(params) = sum over leaves of K_name(leaf): a potential for each leaf name, ``default`` for the others.

    Muon as it is used: ``Mixture({"W": POTENTIALS["nuclear"]}, default=POTENTIALS["l1"])``.
    """

    rules: tuple[tuple[str, Potential], ...]
    default: Potential | None

    def __init__(self, rules: Mapping[str, Potential], default: Potential | None = None) -> None:
        object.__setattr__(self, "rules", tuple(sorted(rules.items())))
        object.__setattr__(self, "default", default)

    @property
    def name(self) -> str:
        """For example ``"W=nuclear,*=l1"``."""
        parts = [f"{leaf}={potential.name}" for leaf, potential in self.rules]
        return ",".join(parts + ([f"*={self.default.name}"] if self.default is not None else []))

    def of(self, leaf: str) -> Potential:
        """Return the potential of the leaf called ``leaf``; :class:`InputError` if there is none."""
        potential = dict(self.rules).get(leaf, self.default)
        if potential is None:
            raise InputError(f"mixture {self.name}: no potential for leaf {leaf!r}; add a rule or a default")
        return potential


TreePotential = Potential | Mixture
"""A potential for every leaf alike, or a mixture."""


def _per_leaf(K: TreePotential, params: PyTree) -> list[tuple[Potential, Array]]:
    named = zip(leaf_names(params), jax.tree.leaves(params), strict=True)
    return [(K.of(name) if isinstance(K, Mixture) else K, x) for name, x in named]


def tree_value(K: TreePotential, params: PyTree) -> Float[Array, ""]:
    """Return K(params), the sum over the leaves."""
    return jnp.sum(jnp.stack([k.value(x) for k, x in _per_leaf(K, params)]))


def tree_gradient(K: TreePotential, params: PyTree) -> PyTree:
    """Return gradK(params), leaf by leaf, with the dtypes and shapes of ``params``."""
    return jax.tree.unflatten(jax.tree.structure(params), [k.gradient(x) for k, x in _per_leaf(K, params)])


def tree_conjugate(K: TreePotential, params: PyTree, slack: float = 0.0) -> Float[Array, ""]:
    """Return K*(params), the sum over the leaves; infinity if a leaf leaves its unit ball by more than ``slack``."""
    return jnp.sum(jnp.stack([k.conjugate(x, slack) for k, x in _per_leaf(K, params)]))


def tree_region(K: TreePotential, params: PyTree, radius: Radius) -> Region:
    """Return the region {K*(params / radius) finite}: the ball of ``radius`` of the dual norm in every leaf.

    With weight decay lam the radius is 1/lam: the constraint of the limit problem of Lion-K (claims L1, L3).
    """
    norms: list[Norm] = [k.ball for k, _ in _per_leaf(K, params)]
    return Region(radii=(radius,) * len(norms), norms=tuple(norms), names=leaf_names(params))
