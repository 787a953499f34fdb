"""Witnesses of claim N6: data for which the box of AdamW and the spectral ball of Muon meet different orbits only.

The *gauge* of an orbit is the least multiple, in u-coordinates, of the region with radii 1 that reaches its zero-loss
nets; with radii r for W and for the output weights the region meets the orbit iff r >= reach, with reach = gauge^(1/2)
(the gauge itself when output weights are fixed: then u = w). A problem is a witness iff the orbit of least reach
differs between the two norms and is unique in each: any radius between the least and the second least reach of a norm
meets one orbit only. Since the region of an optimizer with decoupled decay lam has radius 1/lam, lam_A and lam_M are
the reciprocals of two such radii.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from modeconn.cells import RegionBall, fraction_text, least_gauge
from modeconn.errors import InputError
from modeconn.topology import (
    Ball,
    CellComplex,
    LevelSet,
    Problem,
    ProductRegion,
    communication_barrier,
    level_set_topology,
    problem_to_json,
)
from modeconn.topology.region import region_cell

__all__ = ["NORM_OF", "Witness", "examine", "orbit_gauges", "simplest_between", "with_region", "zero_loss_set"]

NORM_OF = {"adamw": "linf", "lion": "linf", "muon": "spectral"}
"""The norm of each optimizer's region, for the hidden weights and for the output weights."""

SEPARATION = 1 + 1e-6
"""Two reaches count as different when their ratio exceeds this."""

INNER = (2 / 3, 9 / 10)
"""A radius is the simplest fraction in this part of the gap between two reaches, on a logarithmic scale: clear of the
orbit that must be avoided, with room for the one that must be met."""


@dataclass(frozen=True)
class Witness:
    """A problem whose zero-loss orbits are split by the two norms.

    Attributes:
        problem: data, without a region.
        width: m.
        orbits: number of orbits of zero-loss components.
        components: their number.
        reaches: for each norm, the least radius that meets each orbit (floats).
        predicted: for each norm, the orbit that its ball meets first.
        radii: for each norm, a radius between the least and the second least reach; lam is its reciprocal.
        barrier: the least communication barrier between a component of one predicted orbit and one of the other:
            no permutation of neurons brings the two closer. An absolute loss, exact.
        highest: the largest such barrier over the same pairs.
    """

    problem: Problem
    width: int
    orbits: int
    components: int
    reaches: dict[str, tuple[float, ...]]
    predicted: dict[str, int]
    radii: dict[str, Fraction]
    barrier: Fraction
    highest: Fraction

    @property
    def gaps(self) -> dict[str, float]:
        """For each norm, the second least reach over the least."""
        return {norm: _second(values) / min(values) for norm, values in self.reaches.items()}

    @property
    def relative_barrier(self) -> float:
        """The barrier over ell(0), the loss of the zero net; at most 1 by claim N7."""
        zero = sum((v * v for v in self.problem.y), Fraction(0)) / 2
        return float(self.barrier / zero)

    @property
    def score(self) -> float:
        """log(smaller gap) * relative barrier: what the search maximises."""
        return math.log(min(self.gaps.values())) * self.relative_barrier

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the witness, rationals as strings."""
        return {
            "problem": problem_to_json(self.problem),
            "width": self.width,
            "orbits": self.orbits,
            "components": self.components,
            "predicted": self.predicted,
            "radii": {norm: fraction_text(r) for norm, r in self.radii.items()},
            "lambda": {name: fraction_text(1 / self.radii[norm]) for name, norm in NORM_OF.items()},
            "reaches": {norm: list(values) for norm, values in self.reaches.items()},
            "gaps": self.gaps,
            "barrier": fraction_text(self.barrier),
            "highest_barrier": fraction_text(self.highest),
            "relative_barrier": self.relative_barrier,
            "score": self.score,
        }


def with_region(problem: Problem, norm: str, radius: Fraction) -> Problem:
    """Return the problem confined to the ball of a norm, of the same radius for W and for the output weights."""
    ball = Ball(norm, radius)  # type: ignore[arg-type]
    return Problem(problem.X, problem.y, problem.output_weights, problem.ridge, ProductRegion(ball, ball))


def zero_loss_set(problem: Problem, width: int, max_cells: int | None = None) -> LevelSet:
    """Return the topology of the zero-loss nets.

    Raises:
        InputError: the width cannot reach zero loss, or the problem is too large.
    """
    cells = CellComplex(problem, width) if max_cells is None else CellComplex(problem, width, max_cells)
    found = level_set_topology(cells)
    if found.least_loss:
        raise InputError(
            f"y: expected targets that width {width} fits exactly, found least loss {found.least_loss}; "
            "a witness is about zero-loss nets, so widen the net or change y"
        )
    return found


def orbit_gauges(found: LevelSet, norm: str) -> tuple[float, ...]:
    """Return for each orbit the least multiple of the unit region of a norm that meets it; NaN if a solver gave up.

    One small convex program for each cell of the level set; see :func:`modeconn.cells.least_gauge`.
    """
    cells, landscape = found.complex, found.complex.landscape
    output = None if landscape.problem.output_weights == "fixed" else norm
    ball = RegionBall(norm, 1.0, output)  # type: ignore[arg-type]
    gauges = []
    for members in found.orbit_cells():
        least = math.inf
        for cell in members:
            fit = landscape.fit(cells.mask(cell))
            prediction = [float(v) for v in landscape.prediction(fit)] if fit.value == found.level else None
            gauge = least_gauge(region_cell(landscape, cell), ball, float(found.level), _array(prediction))
            least = math.nan if gauge is None else min(least, gauge.value)
            if gauge is None:
                break
        gauges.append(least)
    return tuple(gauges)


def examine(problem: Problem | LevelSet, width: int | None = None) -> Witness | None:
    """Return the witness that a problem is, or ``None``.

    The topology and the barrier are exact; reaches are floats, compared with a margin of 1e-6: what a witness says
    about regions is certified by ``certify_witness``.

    Args:
        problem: the problem (any region is ignored), or its zero-loss set.
        width: m.

    Example:
        >>> from modeconn.topology import problem_from_json
        >>> found = examine(problem_from_json({"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}), 2)
        >>> found.barrier, found.predicted["linf"] != found.predicted["spectral"]
        (Fraction(1, 140), True)

    Reference: claim N6 (our formulation of the small-width claim of Zhang et al. 2026).
    """
    found = problem if isinstance(problem, LevelSet) else zero_loss_set(problem, width or 0)
    if found.orbits < 2:
        return None
    power = 1.0 if found.complex.landscape.problem.output_weights == "fixed" else 0.5
    reaches: dict[str, tuple[float, ...]] = {}
    for norm in ("linf", "spectral"):
        gauges = orbit_gauges(found, norm)
        if any(math.isnan(g) for g in gauges):
            return None
        reaches[norm] = tuple(g**power for g in gauges)
        if _second(reaches[norm]) < SEPARATION * min(reaches[norm]):
            return None
    predicted = {norm: values.index(min(values)) for norm, values in reaches.items()}
    if len(set(predicted.values())) == 1:
        return None
    levels = communication_barrier(found).levels
    one, other = (
        [k for k, orbit in enumerate(found.orbit_of) if orbit == predicted[norm]] for norm in ("linf", "spectral")
    )
    between = [levels[a][b] for a in one for b in other]
    radii = {norm: _radius(values) for norm, values in reaches.items()}
    base = found.complex.landscape.problem
    return Witness(
        Problem(base.X, base.y, base.output_weights),
        found.complex.width,
        found.orbits,
        len(found.components),
        reaches,
        predicted,
        radii,
        min(between),
        max(between),
    )


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction with the least denominator in [low, high], 0 < low < high.

    Example:
        >>> simplest_between(Fraction(314, 100), Fraction(315, 100))
        Fraction(22, 7)
    """
    whole = math.ceil(low)
    if whole <= high:
        return Fraction(whole)
    below = Fraction(whole - 1)
    return below + 1 / simplest_between(1 / (high - below), 1 / (low - below))


def _radius(values: Sequence[float]) -> Fraction:
    """Return a simple radius well inside the gap above the least reach."""
    least, log_gap = min(values), math.log(_second(values) / min(values))
    low, high = (Fraction(least * math.exp(part * log_gap)) for part in INNER)
    return simplest_between(low, high)


def _second(values: Sequence[float]) -> float:
    return sorted(values)[1]


def _array(values: Sequence[float] | None) -> Any:
    import numpy as np

    return None if values is None else np.array(values)
