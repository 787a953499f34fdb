"""Regions: products of norm balls over the leaves of a parameter tree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from modeconn.errors import InputError
from modeconn.regions.gauge import gauge_value
from modeconn.regions.norm import Norm, Radius

__all__ = ["Region", "leaf_names"]


def leaf_names(params: PyTree) -> tuple[str, ...]:
    """Return the name of each leaf in tree order: ``("W", "A", "b")`` for a net, without those that are None.

    The name is the last key on the way to the leaf: a field, a dictionary key or an index.

    Example:
        >>> import jax.numpy as jnp
        >>> leaf_names({"layer": {"W": jnp.ones(2)}, "bias": jnp.ones(1)})
        ('bias', 'W')
    """
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    return tuple(jax.tree_util.keystr(path[-1:], simple=True) if path else "" for path in paths)


def _for_leaf(rule: Any, name: str, what: str) -> Any:
    """Return ``rule`` itself, or its entry for the leaf when it is a mapping."""
    if not isinstance(rule, Mapping):
        return rule
    if name not in rule:
        raise InputError(f"region: no {what} for leaf {name!r}, found {sorted(rule)}; add one")
    return rule[name]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Region:
    """The product of balls {norm_k(leaf_k) <= radius_k}, leaves in tree order.

    Attributes:
        radii: one for each leaf; infinity is no constraint. They may be traced arrays.
        norms: one for each leaf (static).
        names: name of each leaf (static).

    Example:
        >>> import jax.numpy as jnp
        >>> from modeconn.nets import Net
        >>> from modeconn.regions import NORMS
        >>> net = Net(W=jnp.array([[3.0, -1.0]]), A=jnp.array([[0.5, 0.5]]))
        >>> region = Region.over(net, {"W": NORMS["linf"], "A": NORMS["spectral"]}, 2.0)
        >>> bool(region.contains(net)), float(region.distance(net)), float(region.ratios(net)["W"])
        (False, 1.0, 1.5)

    Reference: theory, section 2.
    """

    radii: tuple[Radius, ...]
    norms: tuple[Norm, ...] = field(metadata={"static": True})
    names: tuple[str, ...] = field(metadata={"static": True})

    @classmethod
    def over(
        cls, params: PyTree, norms: Norm | Mapping[str, Norm], radii: Radius | Mapping[str, Radius] = math.inf
    ) -> Region:
        """Return the region over the leaves of ``params``.

        Args:
            params: the parameter tree; only its leaf names are used.
            norms: one norm for all leaves, or one for each leaf name.
            radii: likewise; >= 0, infinity for no constraint.

        Raises:
            InputError: for a leaf without a norm or radius, or a negative radius.
        """
        names = leaf_names(params)
        region = cls(
            radii=tuple(_for_leaf(radii, name, "radius") for name in names),
            norms=tuple(_for_leaf(norms, name, "norm") for name in names),
            names=names,
        )
        for name, radius in zip(names, region.radii, strict=True):
            if not isinstance(radius, jax.core.Tracer) and not np.all(np.asarray(radius) >= 0):
                raise InputError(
                    f"region: expected a radius >= 0 for leaf {name!r}, found {radius}; inf means no constraint"
                )
        return region

    def _leaves(self, params: PyTree) -> tuple[list[Array], jax.tree_util.PyTreeDef]:
        leaves, tree = jax.tree.flatten(params)
        if len(leaves) != len(self.norms):
            raise InputError(
                f"region over the leaves {self.names}, found {len(leaves)} leaves {leaf_names(params)}; "
                "build the region from the same parameters"
            )
        return leaves, tree

    def contains(self, params: PyTree, atol: float = 0.0) -> Bool[Array, ""]:
        """Return whether every leaf lies in its ball, up to ``atol`` in its norm."""
        leaves, _ = self._leaves(params)
        inside = [norm.contains(x, r, atol) for norm, x, r in zip(self.norms, leaves, self.radii, strict=True)]
        return jnp.all(jnp.stack(inside))

    def distance(self, params: PyTree) -> Float[Array, ""]:
        """Return the Euclidean distance to the region, all leaves together."""
        leaves, _ = self._leaves(params)
        parts = [norm.distance(x, r) for norm, x, r in zip(self.norms, leaves, self.radii, strict=True)]
        return gauge_value(jnp.stack(parts), 2.0)

    def project(self, params: PyTree) -> PyTree:
        """Return the nearest point of the region in the Euclidean norm: leaf by leaf."""
        leaves, tree = self._leaves(params)
        parts = [norm.project(x, r) for norm, x, r in zip(self.norms, leaves, self.radii, strict=True)]
        return jax.tree.unflatten(tree, parts)

    def minimizer(self, gradient: PyTree) -> PyTree:
        """Return argmin of <gradient, x> over the region (finite radii): leaf by leaf, as in a Frank-Wolfe step."""
        leaves, tree = self._leaves(gradient)
        parts = [norm.minimizer(g, r) for norm, g, r in zip(self.norms, leaves, self.radii, strict=True)]
        return jax.tree.unflatten(tree, parts)

    def ratios(self, params: PyTree) -> dict[str, Float[Array, ""]]:
        """Return norm / radius of each leaf by name: 1 on the boundary, 0 where the radius is infinite."""
        leaves, _ = self._leaves(params)
        return {
            name: norm.value(x) / jnp.asarray(r, x.dtype)
            for name, norm, x, r in zip(self.names, self.norms, leaves, self.radii, strict=True)
        }
