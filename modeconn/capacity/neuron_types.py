"""The types a neuron can have on a data set: a cone of weights and the sign of its output, with exact generators.

With u = |alpha| w a neuron of type (sigma, s) predicts s D X u, D = [sigma > 0], linear in u on the closed cone
{u : sigma_i x_i . u >= 0}. Neurons of one type may be merged or split at will, so a net of any width is one vector u a
type, and what the nets of any width can predict is the span of the features relu(X w).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from modeconn.capacity.inputs import check_sizes
from modeconn.cells import arrangement, common_denominator, max_cones, rank, solve_rational
from modeconn.errors import InputError
from modeconn.topology import Problem, problem_from_json

__all__ = ["MAX_TYPES", "NeuronType", "TypeSystem", "independent_rows", "type_system"]

Vector = tuple[Fraction, ...]

MAX_TYPES = 1000
"""Most types that the convex programs take on."""

PRIME = 2**127 - 1
"""Independence modulo this prime is independence; dependence is checked otherwise."""


@dataclass(frozen=True)
class NeuronType:
    """A closed cone of weights and an output sign.

    Attributes:
        signs: side of every row of X, 0 for zero rows (n,).
        s: output sign, +1 or -1.
        walls: rows of X, one for each facet of the cone.
        generators: integer vectors whose non-negative combinations are the cone (its part in the row space of X, and
            both directions of a basis of the orthogonal complement).
    """

    signs: tuple[int, ...]
    s: int
    walls: tuple[int, ...]
    generators: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class TypeSystem:
    """A data set with one output and the types of its neurons.

    Attributes:
        X: rows (n, d), exact.
        y: targets (n,), exact.
        types: all types, those with s = +1 first.
    """

    X: tuple[Vector, ...]
    y: Vector
    types: tuple[NeuronType, ...]

    @property
    def n(self) -> int:
        """Number of data points."""
        return len(self.X)

    @property
    def d(self) -> int:
        """Input dimension."""
        return len(self.X[0])

    @property
    def reduced_width(self) -> int:
        """N = n + d (d + 1) / 2 + 1: so many neurons carry any prediction and Gram matrices (claim W1)."""
        return self.n + self.d * (self.d + 1) // 2 + 1

    @cached_property
    def inputs(self) -> Float[np.ndarray, "n d"]:
        """X in floats."""
        return np.array([[float(v) for v in row] for row in self.X])

    @cached_property
    def targets(self) -> Float[np.ndarray, " n"]:
        """y in floats."""
        return np.array([float(v) for v in self.y])

    @cached_property
    def maps(self) -> Float[np.ndarray, "t n d"]:
        """The matrix s D X of every type in floats."""
        active = np.array([[t.s * (sign > 0) for sign in t.signs] for t in self.types], float)
        return active[:, :, None] * self.inputs

    def walls(self, t: int) -> Float[np.ndarray, "w d"]:
        """Return the inward normals of the cone of type t in floats."""
        kind = self.types[t]
        rows = [kind.signs[i] * self.inputs[i] for i in kind.walls]
        return np.array(rows).reshape(-1, self.d)

    @cached_property
    def scale(self) -> int:
        """A number q that makes q X whole."""
        return common_denominator([v for row in self.X for v in row])

    @cached_property
    def whole(self) -> tuple[tuple[int, ...], ...]:
        """q X."""
        return tuple(tuple(int(v * self.scale) for v in row) for row in self.X)

    def integer_column(self, t: int, vector: Sequence[int]) -> tuple[int, ...]:
        """Return s D (q X) v for a whole vector of the cone of type t."""
        kind = self.types[t]
        return tuple(
            kind.s * sum(a * b for a, b in zip(x, vector, strict=True)) if sign > 0 else 0
            for x, sign in zip(self.whole, kind.signs, strict=True)
        )

    @cached_property
    def closest(self) -> Vector:
        """The exact prediction closest to y among those of nets of any width.

        A basis of the features is chosen modulo a prime; that the residual is orthogonal to all features is checked.
        """
        count = len(self.types) // 2  # the other sign spans the same
        columns = [self.integer_column(t, g) for t in range(count) for g in self.types[t].generators]
        basis = [columns[k] for k in independent_rows(columns, self.n)]
        if len(basis) == self.n:
            return self.y
        gram = [[Fraction(sum(a * b for a, b in zip(p, q, strict=True))) for q in basis] for p in basis]
        weights = solve_rational(gram, [_dot(a, self.y) for a in basis]) if basis else []
        assert weights is not None, "the basis is independent"
        terms = list(zip(weights, basis, strict=True))
        found = tuple(sum((w * column[i] for w, column in terms), Fraction(0)) for i in range(self.n))
        residual = [a - b for a, b in zip(self.y, found, strict=True)]
        assert not any(_dot(column, residual) for column in set(columns)), "the prime divides a minor of the features"
        return found

    @cached_property
    def closest_floats(self) -> Float[np.ndarray, " n"]:
        """The closest prediction in floats."""
        return np.array([float(v) for v in self.closest])

    @property
    def least_loss(self) -> Fraction:
        """The least loss of nets of any width, without a region."""
        return self.loss(self.closest)

    def loss(self, prediction: Iterable[Fraction]) -> Fraction:
        """Return half the squared error of a prediction."""
        return sum(((f - v) ** 2 for f, v in zip(prediction, self.y, strict=True)), Fraction(0)) / 2

    def to_json(self) -> dict[str, Any]:
        """Return X and y as strings, the problem a certificate is checked against."""
        return {"X": [[str(v) for v in row] for row in self.X], "y": [str(v) for v in self.y]}


def _dot(a: Sequence[int], b: Sequence[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True) if p), Fraction(0))


def independent_rows(rows: Sequence[tuple[int, ...]], size: int) -> list[int]:
    """Return the first up to ``size`` rows that are independent modulo :data:`PRIME`, hence independent."""
    chosen: list[int] = []
    echelon: list[tuple[int, list[int]]] = []
    seen: set[tuple[int, ...]] = set()
    for index, vector in enumerate(rows):
        if vector in seen:
            continue
        seen.add(vector)
        rest = [v % PRIME for v in vector]
        for pivot, row in echelon:
            if factor := rest[pivot]:
                rest = [(a - factor * b) % PRIME for a, b in zip(rest, row, strict=True)]
        pivot = next((k for k, v in enumerate(rest) if v), -1)
        if pivot >= 0:
            inverse = pow(rest[pivot], -1, PRIME)
            chosen.append(index)
            echelon.append((pivot, [v * inverse % PRIME for v in rest]))
            if len(chosen) == size:
                break
    return chosen


def _read(X: Any, y: Any) -> Problem:
    """Return the data as exact numbers; arrays are taken as the decimals that they print."""
    rows = np.asarray(X).tolist() if isinstance(X, np.ndarray) else [list(row) for row in X]
    targets = np.asarray(y).tolist() if isinstance(y, np.ndarray) else list(y)
    return problem_from_json({"X": rows, "y": targets})


def type_system(X: Any, y: Any) -> TypeSystem:
    """Return the types of a neuron on the data (X, y), enumerated exactly.

    Cost: that of the arrangement, proportional to the number of cones, at most 2 sum_{k < d} C(n - 1, k).

    Args:
        X: inputs (n, d): rationals, strings, or floats taken as their shortest decimal.
        y: targets (n,).

    Raises:
        InputError: wrong shapes, numbers that are not finite or not of size 1e-30 to 1e30, or more than
            :data:`MAX_TYPES` types.

    Example:
        >>> found = type_system([[1], [-1]], [1, 1])
        >>> [(t.signs, t.s) for t in found.types]
        [((-1, 1), 1), ((1, -1), 1), ((-1, 1), -1), ((1, -1), -1)]
        >>> found.reduced_width
        4
    """
    problem = _read(X, y)
    check_sizes((v for row in problem.X for v in row), "X")
    check_sizes(problem.y, "y")
    rows = rank(problem.X)
    bound = 2 * max_cones(len({row for row in problem.X if any(row)}), rows)
    if bound > MAX_TYPES:
        raise InputError(
            f"X: expected rows with at most {MAX_TYPES} neuron types, found {len(problem.X)} rows of rank {rows}, "
            f"which may have {bound}; take fewer data points or fewer inputs"
        )
    found = arrangement(problem.X)
    sideways = [tuple(s * v for v in line) for line in found.lineality for s in (1, -1)]
    types = []
    for s in (1, -1):
        for cone in found.cones:
            walls = []
            for facet in cone.facets:
                beyond = found.cones[facet.neighbour].signs
                walls.append(next(i for i in range(len(beyond)) if beyond[i] != cone.signs[i]))
            rays = (*(found.rays[k] for k in cone.rays), *sideways)
            types.append(NeuronType(cone.signs, s, tuple(walls), rays))
    return TypeSystem(problem.X, problem.y, tuple(types))
