"""Soft-thresholded and Huber-smoothed norms: inside the ball their conjugate is a penalty, not 0."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from modeconn.errors import InputError
from modeconn.optim.potentials.potential import ball_indicator
from modeconn.regions import Norm
from modeconn.regions.norm import Leaf

__all__ = ["Huber", "SoftThreshold"]


def _check_level(name: str, delta: float) -> None:
    if not 0 < delta < float("inf"):
        raise InputError(f"{name}: expected a finite delta > 0, found {delta}; for delta = 0 use the norm itself")


@dataclass(frozen=True)
class SoftThreshold:
    """K(x) = sum_i max(s_i - delta, 0) over the magnitudes s of a sum-type norm (l1, nuclear, sum_column, sum_row).

    The gradient keeps the unit directions of the magnitudes above delta and drops the others. With dual norm ||.||_d,
    K*(y) = delta ||y|| + indicator(||y||_d <= 1): inside the ball the limit problem carries the penalty
    delta ||x||.

    Example:
        >>> import jax.numpy as jnp
        >>> from modeconn.regions import NORMS
        >>> SoftThreshold(NORMS["l1"], 1.0).gradient(jnp.array([-2.0, 0.5])).tolist()
        [-1.0, 0.0]
    """

    norm: Norm
    delta: float

    def __post_init__(self) -> None:
        _check_level("soft threshold", self.delta)
        if self.norm.p != 1.0:
            raise InputError(f"soft threshold: expected l1, nuclear, sum_column or sum_row, found {self.norm.name}")

    @property
    def name(self) -> str:
        return f"soft_{self.norm.name}:{self.delta:g}"

    @property
    def ball(self) -> Norm:
        return self.norm.dual

    @property
    def is_norm(self) -> bool:
        return False

    def value(self, x: Leaf) -> Float[Array, ""]:
        s, _ = self.norm.split(x)
        return jnp.sum(jnp.maximum(s - self.delta, 0))

    def gradient(self, x: Leaf) -> Float[Array, ...]:
        s, rebuild = self.norm.split(x)
        return rebuild((s > self.delta).astype(s.dtype)).reshape(jnp.shape(x))

    def conjugate(self, y: Leaf, slack: float = 0.0) -> Float[Array, ""]:
        return self.delta * self.norm.value(y) + ball_indicator(self.ball, y, slack)


@dataclass(frozen=True)
class Huber:
    """K = Moreau envelope of a norm, K(x) = min_u ||u|| + |x - u|^2 / (2 delta): its gradient is 1/delta-Lipschitz.

    gradK(x) is the Euclidean projection of x / delta onto the unit ball of the dual norm, and
    K*(y) = (delta/2) |y|^2 + indicator(||y||_d <= 1). For l1 it is the Huber function of the entries, for the
    nuclear norm that of the singular values.

    Example:
        >>> import jax.numpy as jnp
        >>> from modeconn.regions import NORMS
        >>> K = Huber(NORMS["l1"], 2.0)
        >>> K.gradient(jnp.array([-3.0, 1.0])).tolist(), float(K.value(jnp.array([-3.0, 1.0])))
        ([-1.0, 0.5], 2.25)
    """

    norm: Norm
    delta: float

    def __post_init__(self) -> None:
        _check_level("Huber", self.delta)

    @property
    def name(self) -> str:
        return f"huber_{self.norm.name}:{self.delta:g}"

    @property
    def ball(self) -> Norm:
        return self.norm.dual

    @property
    def is_norm(self) -> bool:
        return False

    def value(self, x: Leaf) -> Float[Array, ""]:
        s, t = self._magnitudes(x)
        return jnp.sum(t * (s - 0.5 * self.delta * t))

    def gradient(self, x: Leaf) -> Float[Array, ...]:
        return self.ball.project(jnp.asarray(x) / self.delta, 1.0)

    def conjugate(self, y: Leaf, slack: float = 0.0) -> Float[Array, ""]:
        s, _ = self.norm.split(y)
        return 0.5 * self.delta * jnp.sum(s * s) + ball_indicator(self.ball, y, slack)

    def _magnitudes(self, x: Leaf) -> tuple[Array, Array]:
        """Return the magnitudes of x and of the gradient there."""
        s, _ = self.norm.split(x)
        return s, self.ball.project_magnitudes(s / self.delta, 1.0)
