"""The loss landscape of one problem over sets of generator columns: types of neurons, their rays, exact least losses.

A neuron of type (cone, s) with u = sum_r z_r r, z >= 0, over the rays r of its cone contributes
s relu(X u) = sum_r z_r s relu(X r): a cone of *columns*. So the least loss over a cell, or over the intersection of two
cells, is non-negative least squares over a set of columns, and depends on nothing but this set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from jaxtyping import Bool, UInt64

from modeconn.cells import Arrangement, ConeFit, ConeProgram, arrangement, common_denominator, primitive
from modeconn.errors import InputError
from modeconn.topology.masks import FitStore, is_subset, mask_words
from modeconn.topology.points import Neuron, Point, dot
from modeconn.topology.problem import Problem

__all__ = ["Crossing", "Face", "Landscape", "NeuronType"]


@dataclass(frozen=True)
class Face:
    """Where one neuron may be: the cone of some rays, with one sign. No rays: the neuron is zero."""

    s: int
    rays: tuple[int, ...]
    mask: int


@dataclass(frozen=True)
class Crossing:
    """A facet of a type, and the type on its other side."""

    to: int
    face: Face


@dataclass(frozen=True)
class NeuronType:
    """A full-dimensional pattern and an output sign."""

    signs: tuple[int, ...]
    face: Face
    crossings: tuple[Crossing, ...]


ZERO = Face(1, (), 0)


class Landscape:
    """Types, generator columns and exact least losses of a problem.

    Args:
        problem: the problem; its ridge term and region are not part of these programs.

    Attributes:
        arrangement: the cones of {w : x_i . w = 0}.
        types: all (cone, s), those of one cone side by side.
        columns: the distinct nonzero columns s relu(X r), primitive integer vectors.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> landscape = Landscape(problem_from_json({"X": [[1], [-1]], "y": [1, 1]}))
        >>> len(landscape.types), landscape.columns
        (4, [(0, 1), (0, -1), (1, 0), (-1, 0)])
    """

    def __init__(self, problem: Problem) -> None:
        if problem.ridge:
            raise InputError(
                f"ridge: expected 0 for exact level sets, found {problem.ridge}; drop the ridge term from the problem, "
                "or take intervals from enclosed_level_set"
            )
        self.problem = problem
        self.arrangement: Arrangement = arrangement(problem.X)
        scale = common_denominator([v for row in problem.X for v in row])
        rows = [[int(v * scale) for v in row] for row in problem.X]
        index: dict[tuple[int, ...], int] = {}
        # (ray, s) -> (column, kappa) with s relu(X ray) = kappa * column
        self._generators: dict[tuple[int, int], tuple[int, Fraction]] = {}
        for r, ray in enumerate(self.arrangement.rays):
            image = [max(sum(a * b for a, b in zip(row, ray, strict=True)), 0) for row in rows]
            if not any(image):
                continue
            short = primitive(image)
            kappa = Fraction(max(image), max(short) * scale)
            for s in problem.signs:
                column = index.setdefault(tuple(s * v for v in short), len(index))
                self._generators[r, s] = (column, kappa)
        self.columns = list(index)
        self.words = max(1, -(-len(self.columns) // 64))
        self.program = ConeProgram(self.columns, problem.y)
        self.types = self._types()
        self.store = FitStore(self.words)
        self._fits: dict[int, ConeFit] = {}
        self._decided: dict[tuple[int, Fraction], bool] = {}

    def _face(self, rays: Sequence[int], s: int) -> Face:
        mask = 0
        for r in rays:
            if (r, s) in self._generators:
                mask |= 1 << self._generators[r, s][0]
        return Face(s, tuple(rays), mask)

    def _types(self) -> list[NeuronType]:
        signs = self.problem.signs
        return [
            NeuronType(
                cone.signs,
                self._face(cone.rays, s),
                # a facet without rays is the origin: the passage through zero covers it
                tuple(
                    Crossing(len(signs) * facet.neighbour + k, self._face(facet.rays, s))
                    for facet in cone.facets
                    if facet.rays
                ),
            )
            for cone in self.arrangement.cones
            for k, s in enumerate(signs)
        ]

    @cached_property
    def type_words(self) -> UInt64[np.ndarray, "T W"]:
        """Column sets of the types as words."""
        return mask_words([t.face.mask for t in self.types], self.words)

    # ------------------------------------------------------------------------------------------- exact programs

    def fit(self, mask: int) -> ConeFit:
        """Return the exact least squares fit over the columns in ``mask``."""
        found = self._fits.get(mask)
        if found is None:
            found = self.program.solve([k for k in range(len(self.columns)) if mask >> k & 1])
            self._fits[mask] = found
            support = sum(1 << k for k in found.support)
            self.store.add(support, self.allowed(found.nu), found.value)
        return found

    def fits(self) -> list[ConeFit]:
        """Return everything solved so far."""
        return list(self._fits.values())

    def allowed(self, nu: Sequence[int]) -> int:
        """Return the columns c with nu . c <= 0 as a mask."""
        mask = 0
        for k, column in enumerate(self.columns):
            if sum(a * b for a, b in zip(nu, column, strict=True)) <= 0:
                mask |= 1 << k
        return mask

    def is_at_most(self, mask: int, level: Fraction) -> bool:
        """Return whether the least loss over the columns in ``mask`` is at most ``level``, solving only if needed."""
        known = self._decided.get((mask, level))
        if known is None:
            known = self.store.decide(mask, level)
            if known is None:
                known = self.fit(mask).value <= level
            self._decided[mask, level] = known
        return known

    def least(self, masks: UInt64[np.ndarray, "N W"]) -> Fraction:
        """Return the least loss over all the column sets; each solved one also answers for all sets its nu allows."""
        best: Fraction | None = None
        alive = masks
        while len(alive):
            fit = self._fit_words(alive[0])
            best = fit.value if best is None else min(best, fit.value)
            alive = alive[~is_subset(alive, self._allowed_words(fit))]
        assert best is not None, "at least one column set"
        return best

    def are_at_most(self, masks: UInt64[np.ndarray, "N W"], level: Fraction) -> Bool[np.ndarray, N]:
        """Return for every column set whether its least loss is at most ``level``."""
        answer = np.zeros(len(masks), bool)
        undecided = np.arange(len(masks))
        for k in range(len(self.store)):  # what is known already
            undecided = self._sift(masks, undecided, answer, k, level)
        while len(undecided):  # the program just solved decides its own set at least
            self._fit_words(masks[undecided[0]])
            undecided = self._sift(masks, undecided, answer, len(self.store) - 1, level)
        return answer

    def _sift(
        self,
        masks: UInt64[np.ndarray, "N W"],
        undecided: np.ndarray,
        answer: Bool[np.ndarray, N],
        k: int,
        level: Fraction,
    ) -> np.ndarray:
        """Use stored program k on the undecided sets, and return those that stay undecided."""
        support, allowed, value = self.store.entry(k)
        if value > level:
            return undecided[~is_subset(masks[undecided], allowed)]
        hit = is_subset(support, masks[undecided])
        answer[undecided[hit]] = True
        return undecided[~hit]

    def _fit_words(self, words: UInt64[np.ndarray, W]) -> ConeFit:
        return self.fit(_mask(words))

    def _allowed_words(self, fit: ConeFit) -> UInt64[np.ndarray, W]:
        return mask_words([self.allowed(fit.nu)], self.words)[0]

    # ------------------------------------------------------------------------------------------- points

    def realise(self, fit: ConeFit, faces: Sequence[Face]) -> Point:
        """Return the u-point of a fit whose column set is the union of the faces: each column to the first owner."""
        owner: dict[int, tuple[int, int, Fraction]] = {}
        for j, face in enumerate(faces):
            for r in face.rays:
                if (r, face.s) in self._generators:
                    column, kappa = self._generators[r, face.s]
                    owner.setdefault(column, (j, r, kappa))
        u = [[Fraction(0)] * self.problem.dimension for _ in faces]
        for column, coefficient in zip(fit.support, fit.coefficients, strict=True):
            j, r, kappa = owner[column]
            amount = coefficient / kappa
            u[j] = [a + amount * b for a, b in zip(u[j], self.arrangement.rays[r], strict=True)]
        return tuple(Neuron(tuple(v), face.s) for v, face in zip(u, faces, strict=True))

    def prediction(self, fit: ConeFit) -> list[Fraction]:
        """Return the n predictions of a fit."""
        f = [Fraction(0)] * len(self.problem.y)
        for k, coefficient in zip(fit.support, fit.coefficients, strict=True):
            f = [a + coefficient * b for a, b in zip(f, self.columns[k], strict=True)]
        return f

    def rays_of(self, t: int, columns: int) -> list[tuple[int, ...]]:
        """Return the rays of a type whose column is zero or in the mask ``columns``."""
        face = self.types[t].face
        kept = []
        for r in face.rays:
            generator = self._generators.get((r, face.s))
            if generator is None or columns >> generator[0] & 1:
                kept.append(self.arrangement.rays[r])
        return kept

    def types_of(self, neuron: Neuron) -> frozenset[int]:
        """Return all types whose closed cell holds the neuron (all types for a zero neuron)."""
        if neuron.is_zero:
            return frozenset(range(len(self.types)))
        sides = [dot(x, neuron.u) for x in self.problem.X]
        return frozenset(
            t
            for t, kind in enumerate(self.types)
            if kind.face.s == neuron.s and all(s * v >= 0 for s, v in zip(kind.signs, sides, strict=True))
        )


def _mask(words: UInt64[np.ndarray, W]) -> int:
    return sum(int(w) << (64 * k) for k, w in enumerate(words))
