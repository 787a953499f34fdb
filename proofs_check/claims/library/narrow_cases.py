"""Certificates inside claims: the checker has the last word, and its refusal is a failure, never a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from modeconn.topology import (
    CellComplex,
    LevelSet,
    Neuron,
    PairBarrier,
    Point,
    Problem,
    barrier_between,
    certify_barrier,
    certify_components,
    certify_separated,
    communication_barrier,
    point_to_json,
    problem_to_json,
)
from modeconn.topology.certificates import cutting_vectors, new_certificate, vector_texts
from proofs_check.checker import check_certificate

__all__ = [
    "Rejected",
    "accept",
    "accept_barrier",
    "accept_components",
    "accept_minimum",
    "accept_separated",
    "are_joined",
    "farthest_pair",
    "pad",
    "texts",
]


class Rejected(AssertionError):
    """The checker did not accept a certificate that the constructor made."""


def accept(certificate: Mapping[str, Any], problem: Problem) -> None:
    """Raise :class:`Rejected` unless the checker accepts the certificate for this problem."""
    verdict = check_certificate(certificate, problem_to_json(problem))
    if not verdict.accepted:
        raise Rejected(f"{certificate['kind']} certificate rejected: {verdict.reason}")


def accept_components(found: LevelSet) -> None:
    """Raise unless the checker accepts the numbers of components and orbits."""
    accept(certify_components(found), found.complex.landscape.problem)


def accept_barrier(cells: CellComplex, start: Point, end: Point) -> PairBarrier:
    """Return the communication barrier between two nets, after the checker accepted it."""
    found = barrier_between(cells, start, end)
    accept(certify_barrier(cells, start, end, found), cells.landscape.problem)
    return found


def accept_separated(cells: CellComplex, start: Point, end: Point, level: Fraction) -> None:
    """Raise unless the checker accepts that two nets lie in different components of {loss <= level}."""
    accept(certify_separated(cells, start, end, level), cells.landscape.problem)


def accept_minimum(cells: CellComplex) -> Fraction:
    """Return the least loss of a width, after the checker accepted it."""
    landscape, least = cells.landscape, cells.least_loss()
    best = next(i for i in range(len(cells)) if landscape.is_at_most(cells.mask(cells.cell(i)), least))
    cell = cells.cell(best)
    point = landscape.realise(landscape.fit(cells.mask(cell)), cells.faces(cell))
    nus = cutting_vectors(cells, cells.words, least, strict=False) if least else []
    statement = {"width": cells.width, "value": str(least), "point": point_to_json(point)}
    accept(new_certificate("minimum", statement, {"nus": vector_texts(nus)}), landscape.problem)
    return least


def farthest_pair(found: LevelSet) -> tuple[int, int, Fraction] | None:
    """Return two components of a level set with the highest barrier, and that; ``None`` if it is connected."""
    if len(found.components) < 2:
        return None
    levels = communication_barrier(found).levels
    value, a, b = max((level, -a, -b) for a, row in enumerate(levels) for b, level in enumerate(row) if a < b)
    return -a, -b, value


def are_joined(found: LevelSet, start: Point, end: Point) -> bool:
    """Return whether two nets lie in one component of a level set."""
    first = found.component_of(start)
    return first is not None and first == found.component_of(end)


def pad(point: Point, width: int) -> Point:
    """Return the net with zero neurons added up to a width."""
    zero = Neuron((Fraction(0),) * len(point[0].u), 1)
    return point + (zero,) * (width - len(point))


def texts(values: Iterable[Fraction]) -> list[str]:
    """Return rationals as strings, for the detail of an outcome."""
    return [str(v) for v in values]
