"""Potentials and their balls a second time, in NumPy: what the runs of the optimizers are measured with.

Independent of the code under test, which shares no line with it, and free of compilation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeconn.optim import POTENTIALS, Huber, NormPotential, SoftThreshold

__all__ = ["Measure", "measure"]

Reals = NDArray[np.float64]

_RANK = 1e-14


@dataclass(frozen=True)
class Measure:
    """K = the l_p norm of magnitudes, or its soft-thresholded or Huber-smoothed version (p = 1).

    Methods take stacks (..., d, m).

    Attributes:
        magnitude: ``"entry"``, ``"column"``, ``"row"`` or ``"singular"``.
        p: exponent of the norm; the ball in which decay holds the run has the dual exponent q.
        penalty: ``"none"``, ``"soft"`` or ``"huber"``: what K* is inside the ball.
        delta: level of the last two.

    Example:
        >>> K = measure("nuclear")
        >>> x = np.diag([3.0, 0.5])
        >>> float(K.value(x)), float(K.size(x)), float(K.distance(x)), K.gradient(x).tolist()
        (3.5, 3.0, 2.0, [[1.0, 0.0], [0.0, 1.0]])
    """

    magnitude: str
    p: float
    penalty: str = "none"
    delta: float = 0.0

    @property
    def q(self) -> float:
        """Return the dual exponent."""
        return math.inf if self.p == 1 else self.p / (self.p - 1)

    def magnitudes(self, x: Reals) -> tuple[Reals, Callable[[Reals], Reals]]:
        """Return the magnitudes s (..., k) and the map t -> the matrix with magnitudes t, 0 where s is, along x."""
        if self.magnitude == "entry":
            return np.abs(x).reshape(*x.shape[:-2], -1), lambda t: np.sign(x) * t.reshape(x.shape)
        if self.magnitude == "singular":
            U, s, Vt = np.linalg.svd(x, full_matrices=False)
            alive = s > _RANK * s.max(-1, keepdims=True)
            return s * alive, lambda t: (U * (t * alive)[..., None, :]) @ Vt
        axis = -2 if self.magnitude == "column" else -1
        lengths = np.sqrt((x * x).sum(axis))
        unit = x / np.expand_dims(np.where(lengths == 0, 1, lengths), axis)
        return lengths, lambda t: unit * np.expand_dims(t, axis)

    def value(self, x: Reals) -> Reals:
        """Return K(x)."""
        s, _ = self.magnitudes(x)
        if self.penalty == "soft":
            return np.maximum(s - self.delta, 0).sum(-1)
        if self.penalty == "huber":
            t = np.minimum(s / self.delta, 1)
            return (t * (s - self.delta * t / 2)).sum(-1)
        return _length(s, self.p)

    def gradient(self, x: Reals) -> Reals:
        """Return a subgradient of K at x, 0 along the zero magnitudes."""
        s, rebuild = self.magnitudes(x)
        if self.penalty == "soft":
            return rebuild((s > self.delta).astype(float))
        if self.penalty == "huber":
            return rebuild(np.minimum(s / self.delta, 1))
        if self.p == 1:
            return rebuild((s > 0).astype(float))
        length = _length(s, self.p)[..., None]
        return rebuild((s / np.where(length == 0, 1, length)) ** (self.p - 1))

    def conjugate(self, y: Reals) -> Reals:
        """Return K*(y) for y in the ball: 0 for a norm; outside it what the formula gives, not infinity."""
        s, _ = self.magnitudes(y)
        if self.penalty == "soft":
            return self.delta * s.sum(-1)
        return self.delta / 2 * (s * s).sum(-1)

    def conjugate_gradient(self, y: Reals) -> Reals:
        """Return a subgradient of K* at y in the ball: 0 for a norm."""
        if self.penalty == "soft":
            s, rebuild = self.magnitudes(y)
            return self.delta * rebuild((s > 0).astype(float))
        return self.delta * y

    def size(self, x: Reals) -> Reals:
        """Return the norm of the ball: at most 1 where K* is finite."""
        return _length(self.magnitudes(x)[0], self.q)

    def support(self, g: Reals) -> Reals:
        """Return max <g, x> over the ball: the norm of which K is a version."""
        return _length(self.magnitudes(g)[0], self.p)

    def distance(self, x: Reals) -> Reals:
        """Return the distance of x to the ball: Euclidean for q = 2 and inf, else in the ball's own norm."""
        s, _ = self.magnitudes(x)
        if math.isinf(self.q):
            return _length(np.maximum(s - 1, 0), 2.0)
        return np.maximum(_length(s, self.q) - 1, 0)

    def reach(self, d: int, m: int) -> float:
        """Return an r such that matrices (d, m) with entries at most 1 have size at most r, nearly attained."""
        power = 1 / self.q
        if self.magnitude == "entry":
            return float((d * m) ** power)
        if self.magnitude == "singular":
            return float(math.sqrt(d * m) * min(d, m) ** max(power - 0.5, 0))
        return float(math.sqrt(d) * m**power if self.magnitude == "column" else math.sqrt(m) * d**power)


def _length(s: Reals, p: float) -> Reals:
    if math.isinf(p):
        return s.max(-1)
    top = s.max(-1)
    return top * ((s / np.where(top == 0, 1, top)[..., None]) ** p).sum(-1) ** (1 / p)


def measure(name: str) -> Measure:
    """Return the measure of a potential of the registry, read off its description, not off what it computes."""
    potential = POTENTIALS[name]
    if isinstance(potential, NormPotential):
        return Measure(potential.norm.magnitude, potential.norm.p)
    if isinstance(potential, Huber | SoftThreshold) and potential.norm.p == 1:
        penalty = "soft" if isinstance(potential, SoftThreshold) else "huber"
        return Measure(potential.norm.magnitude, 1.0, penalty, potential.delta)
    raise ValueError(f"potential {name!r}: no measure; describe it in proofs_check.claims.library.measures")
