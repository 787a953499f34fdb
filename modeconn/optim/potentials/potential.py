"""Potentials K of Lion-K: convex, K(0) = 0, with gradient, conjugate and the ball where the conjugate is finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.optim.polar import polar_factor
from modeconn.regions import NORMS, Norm
from modeconn.regions.norm import Leaf, as_matrix

__all__ = ["NormPotential", "Potential", "ball_indicator"]


@runtime_checkable
class Potential(Protocol):
    """A convex function K of one weight matrix with K(0) = 0; its conjugate is finite on a norm ball.

    The gradient is the direction of a Lion-K step; the ball, scaled by 1/lam, is the region that decoupled weight
    decay lam confines the weights to (claim L1). Implementations are frozen and hashable: a potential may be static.
    """

    @property
    def name(self) -> str:
        """Key in the registry, or the spelling :func:`potential_from_name` accepts."""

    @property
    def ball(self) -> Norm:
        """The norm whose unit ball is the domain of the conjugate."""

    @property
    def is_norm(self) -> bool:
        """Whether K is a norm, so that its conjugate is 0 on the ball (what claim L4 asks for)."""

    def value(self, x: Leaf) -> Float[Array, ""]:
        """Return K(x)."""

    def gradient(self, x: Leaf) -> Float[Array, ...]:
        """Return an element of the subdifferential of K at x, 0 at 0."""

    def conjugate(self, y: Leaf, slack: float = 0.0) -> Float[Array, ""]:
        """Return K*(y) = sup_x <x, y> - K(x); infinity where ball.value(y) > 1 + slack."""


def ball_indicator(ball: Norm, y: Leaf, slack: float) -> Float[Array, ""]:
    """Return 0 where ball.value(y) <= 1 + slack, else infinity. The slack absorbs rounding of a point on the sphere."""
    size = ball.value(y)
    return jnp.where(size <= 1 + slack, 0, jnp.inf).astype(size.dtype)


@dataclass(frozen=True)
class NormPotential:
    """K = a norm: K* is the indicator of the unit ball of the dual norm.

    Example:
        >>> import jax.numpy as jnp
        >>> K = NormPotential(NORMS["l1"])
        >>> K.gradient(jnp.array([-2.0, 0.0, 0.5])).tolist(), K.ball.name
        ([-1.0, 0.0, 1.0], 'linf')
    """

    norm: Norm

    @property
    def name(self) -> str:
        return self.norm.name

    @property
    def ball(self) -> Norm:
        return self.norm.dual

    @property
    def is_norm(self) -> bool:
        return True

    def value(self, x: Leaf) -> Float[Array, ""]:
        return self.norm.value(x)

    def gradient(self, x: Leaf) -> Float[Array, ...]:
        if self.norm == NORMS["nuclear"]:
            return polar_factor(as_matrix(x)).reshape(jnp.shape(x))
        return self.norm.subgradient(x)

    def conjugate(self, y: Leaf, slack: float = 0.0) -> Float[Array, ""]:
        return ball_indicator(self.ball, y, slack)
