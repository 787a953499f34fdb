"""Nets in rational coordinates (u, beta, s), w = u / sqrt(beta), alpha = s sqrt(beta), and the regions they lie in.

Prediction sum_j s_j relu(X u_j); W W^T = sum_j u_j u_j^T / beta_j; |alpha|^2 = sum_j beta_j. All of it is rational, so
loss, spectral ball and box are decided without rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from modeconn.capacity.neuron_types import TypeSystem
from modeconn.cells import is_positive_semidefinite
from modeconn.errors import InputError
from modeconn.nets import Net

__all__ = ["ExactNet", "ExactNeuron", "ball_json"]

Vector = tuple[Fraction, ...]


class ExactNeuron(NamedTuple):
    """A neuron: u = |alpha| w, beta = alpha^2 > 0, s = sign alpha."""

    u: Vector
    beta: Fraction
    s: int


@dataclass(frozen=True, eq=False)
class ExactNet:
    """A net without dead neurons, in exact coordinates.

    Attributes:
        system: the data it is meant for.
        neurons: its neurons, beta > 0 and u != 0.
    """

    system: TypeSystem
    neurons: tuple[ExactNeuron, ...]

    @property
    def width(self) -> int:
        """The number of neurons."""
        return len(self.neurons)

    @cached_property
    def prediction(self) -> Vector:
        """f(X), exact (n,)."""
        total = [Fraction(0)] * self.system.n
        for neuron in self.neurons:
            for i, x in enumerate(self.system.X):
                total[i] += neuron.s * max(_dot(x, neuron.u), Fraction(0))
        return tuple(total)

    @cached_property
    def loss(self) -> Fraction:
        """Half the squared error, exact."""
        return self.system.loss(self.prediction)

    @cached_property
    def shape(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Types whose closed cones hold the neurons, and the number of neurons of each."""
        counts: dict[int, int] = {}
        for u, _, s in self.neurons:
            values = [_dot(x, u) for x in self.system.X]
            t = next(
                t
                for t, kind in enumerate(self.system.types)
                if kind.s == s and all(sign * v >= 0 for sign, v in zip(kind.signs, values, strict=True))
            )
            counts[t] = counts.get(t, 0) + 1
        return tuple(counts), tuple(counts.values())

    @cached_property
    def gram(self) -> tuple[Vector, ...]:
        """W W^T, exact (d, d)."""
        d = self.system.d
        return tuple(
            tuple(sum((u[i] * u[k] / b for u, b, _ in self.neurons), Fraction(0)) for k in range(d)) for i in range(d)
        )

    @property
    def output_square(self) -> Fraction:
        """|alpha|^2, exact."""
        return sum((neuron.beta for neuron in self.neurons), Fraction(0))

    def is_in_ball(self, square_W: Fraction, square_A: Fraction | None = None) -> bool:
        """Return whether ||W||^2 <= square_W and |alpha|_2^2 <= square_A (default: the same), exactly."""
        gram = [
            [(square_W if i == k else Fraction(0)) - v for k, v in enumerate(row)] for i, row in enumerate(self.gram)
        ]
        return self.output_square <= (square_W if square_A is None else square_A) and is_positive_semidefinite(gram)

    @cached_property
    def box_square(self) -> Fraction:
        """The square of the least radius of a box that holds both leaves, exact."""
        entries = [v * v / neuron.beta for neuron in self.neurons for v in neuron.u]
        return max([*entries, *(neuron.beta for neuron in self.neurons)], default=Fraction(0))

    def ball_square(self, digits: int = 15) -> Fraction:
        """Return a short number just above the square of the least radius of a spectral ball that holds both leaves."""
        floats = np.array([[float(v) for v in row] for row in self.gram])
        guess = max(float(np.linalg.eigvalsh(floats)[-1]), float(self.output_square)) if self.neurons else 0.0
        if guess == 0:
            return Fraction(0)
        step = Fraction(10) ** (math.floor(math.log10(guess)) + 1 - digits)
        square = Fraction(math.ceil(Fraction(guess) / step)) * step
        jump = step
        while not self.is_in_ball(square):
            square += jump
            jump *= 2
        return square

    def balanced(self) -> ExactNet:
        """Return the net with |alpha| = ||W||, up to rounding: beta times a short number, the function unchanged."""
        if not self.neurons:
            return self
        floats = np.array([[float(v) for v in row] for row in self.gram])
        ratio = math.sqrt(float(np.linalg.eigvalsh(floats)[-1]) / float(self.output_square))
        factor = Fraction(ratio).limit_denominator(10**12)
        return ExactNet(self.system, tuple(ExactNeuron(u, b * factor, s) for u, b, s in self.neurons))

    def split(self, copies: int | Sequence[int]) -> ExactNet:
        """Return the net with every neuron cut into equal parts z / sqrt(k): f, W W^T and |alpha|^2 stay (claim R1).

        Args:
            copies: k, or one number a neuron.
        """
        each = [copies] * self.width if isinstance(copies, int) else list(copies)
        if len(each) != self.width or min(each, default=1) < 1:
            raise InputError(f"copies: expected {self.width} numbers >= 1, found {each}; give each neuron its own")
        parts = (
            ExactNeuron(tuple(v / k for v in u), b / k, s)
            for (u, b, s), k in zip(self.neurons, each, strict=True)
            for _ in range(k)
        )
        return ExactNet(self.system, tuple(parts))

    def to_net(self) -> Net:
        """Return the net in floats: NumPy leaves W (d, m) and A (1, m)."""
        roots = np.sqrt([float(neuron.beta) for neuron in self.neurons])
        U = np.array([[float(v) for v in neuron.u] for neuron in self.neurons]).reshape(-1, self.system.d)
        W: Any = (U / roots[:, None]).T
        A: Any = (roots * np.array([neuron.s for neuron in self.neurons]))[None, :]
        return Net(W, A)

    def certificate(self, level: Fraction, width: int | None = None) -> dict[str, Any]:
        """Return the "attained" certificate: some net of the width in the problem's region has loss <= level.

        The region is part of the problem it is checked against; see :func:`ball_json`.
        """
        statement = {"width": self.width if width is None else width, "level": str(level)}
        neurons = [[[str(v) for v in u], str(b), s] for u, b, s in self.neurons]
        return {
            "format": "modeconn.certificate/1",
            "kind": "attained",
            "statement": statement,
            "evidence": {"neurons": neurons},
        }

    def problem(self, *regions: Mapping[str, Any]) -> dict[str, Any]:
        """Return the problem of its data in one region, or in the intersection of several."""
        return self.system.to_json() | {"region": dict(regions[0]) if len(regions) == 1 else [dict(r) for r in regions]}


def ball_json(norm: str, radius: Fraction) -> dict[str, str]:
    """Return the region "both leaves in the ball of this norm and radius" as a problem file has it."""
    return {"norm": norm, "radius": str(radius)}


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True) if p and q), Fraction(0))
