"""How far weights are from a KKT point of their optimizer's limit problem, and where they lie in its region."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from modeconn.errors import InputError
from modeconn.optim import Mixture, Potential, tree_region
from modeconn.optim.potentials import TreePotential
from modeconn.regions import leaf_names

__all__ = ["in_region", "kkt_score", "kkt_score_by_leaf", "region_ratios"]

Scalar = float | Float[Array, ""]


def _leaf_score(K: Potential, gradient: Array, x: Array, weight_decay: Scalar, slack: float) -> Array:
    lam = jnp.asarray(weight_decay, x.dtype)
    score = K.value(gradient) + lam * jnp.sum(gradient * x)
    return score if K.is_norm else score + K.conjugate(lam * x, slack)


def kkt_score_by_leaf(
    gradient: PyTree, params: PyTree, potential: TreePotential, weight_decay: Scalar, slack: float = 1e-6
) -> dict[str, Float[Array, ""]]:
    """Return the summands of :func:`kkt_score`, one for each leaf name; each is >= 0 in the region."""
    names = leaf_names(params)
    if leaf_names(gradient) != names:
        raise InputError(
            f"kkt_score: gradient has leaves {leaf_names(gradient)}, parameters {names}; "
            "differentiate with respect to these parameters"
        )
    potentials = [potential.of(name) if isinstance(potential, Mixture) else potential for name in names]
    pairs = zip(potentials, jax.tree.leaves(gradient), jax.tree.leaves(params), strict=True)
    scores = [_leaf_score(K, g, x, weight_decay, slack) for K, g, x in pairs]
    return dict(zip(names, scores, strict=True))


def kkt_score(
    gradient: PyTree, params: PyTree, potential: TreePotential, weight_decay: Scalar, slack: float = 1e-6
) -> Float[Array, ""]:
    """Return K(grad L(x)) + lam <grad L(x), x>, the Frank-Wolfe gap of min L over ||x||_dual <= 1/lam, times lam.

    >= 0 in the region by the definition of the dual norm, and zero there iff x is a KKT point; lam = 0 gives the
    stationarity measure K(grad L). For a potential that is not a norm the limit problem carries the penalty
    K*(lam x) / lam, and the score is the Fenchel-Young gap K(-grad L) + K*(lam x) + lam <grad L, x> (K is even):
    the same zero set, infinite outside the region. Outside the region the score of a norm may be negative: read it
    beside :func:`region_ratios`.

    Args:
        gradient: grad L(x), a tree like ``params``.
        params: x.
        potential: K, or a mixture with one for each leaf name.
        weight_decay: lam >= 0; may be traced.
        slack: by how much a leaf may leave the region before the penalty is infinite (potentials that are not norms).

    Returns:
        A number in units of the loss times lam.

    Raises:
        InputError: the two trees have different leaves.

    Example:
        >>> import jax.numpy as jnp
        >>> from modeconn.optim import POTENTIALS
        >>> x, g = {"W": jnp.array([0.5, -0.5])}, {"W": jnp.array([-1.0, 3.0])}
        >>> float(kkt_score(g, x, POTENTIALS["l1"], 2.0)), float(kkt_score(g, x, POTENTIALS["l1"], 1.0))
        (0.0, 2.0)

    Reference: Chen, Liu, Liang, Liu (2024); Xie, Li (2024) for AdamW; claim L3.
    """
    return jnp.sum(jnp.stack(list(kkt_score_by_leaf(gradient, params, potential, weight_decay, slack).values())))


def region_ratios(params: PyTree, potential: TreePotential, weight_decay: Scalar) -> dict[str, Float[Array, ""]]:
    """Return lam ||leaf||_dual for each leaf name: at most 1 in the region, 1 on its boundary, 0 for lam = 0.

    Example:
        >>> import jax.numpy as jnp
        >>> from modeconn.optim import POTENTIALS
        >>> {k: float(v) for k, v in region_ratios({"W": jnp.array([1.0, -3.0])}, POTENTIALS["l1"], 0.5).items()}
        {'W': 1.5}

    Reference: claims L1, L4.
    """
    region = tree_region(potential, params, 1.0)
    return {name: jnp.asarray(weight_decay, r.dtype) * r for name, r in region.ratios(params).items()}


def in_region(
    params: PyTree, potential: TreePotential, weight_decay: Scalar, tolerance: float = 0.0
) -> Bool[Array, ""]:
    """Return whether lam ||leaf||_dual <= 1 + tolerance for every leaf."""
    ratios = region_ratios(params, potential, weight_decay)
    return jnp.all(jnp.stack(list(ratios.values())) <= 1 + tolerance)
