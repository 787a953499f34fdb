"""Known answers about narrow nets: barriers above the least loss of one neuron less, and the first staircase."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from modeconn.reproductions.answers.answer import Answer, Found, certified
from modeconn.topology import (
    CellComplex,
    Landscape,
    LevelSet,
    certify_barrier,
    certify_components,
    communication_barrier,
    level_set_topology,
    problem_from_json,
    problem_to_json,
)
from proofs_check.claims.library.narrow_cases import accept_minimum

__all__ = ["narrow_answers"]

Data = dict[str, Any]

ABOVE: tuple[tuple[Data, int, Fraction, Fraction], ...] = (
    ({"X": [[0, -2], [1, -2], [1, 0], [-1, 0]], "y": [2, 0, 0, 0]}, 3, Fraction(1, 2), Fraction(0)),
    (
        {"X": [[1, 0, -2], [1, 0, -3], [1, -2, 0], [1, -3, 0], [2, -1, -1], [3, -1, -2]], "y": [1, 1, 1, 1, 2, 3]},
        2,
        Fraction(1, 106),
        Fraction(0),
    ),
    ({"X": [[-2, 0], [0, -1], [-1, 1], [-2, -1]], "y": [1, 1, -2, -2]}, 2, Fraction(101, 26), Fraction(3)),
)
"""Problem, width m, its barrier, and the least loss of m - 1 neurons, which the barrier exceeds."""

FIRST: Data = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}
STAIRS = ((1, 1, 1), (2, 4, 2), (3, 1, 1))
"""Width, components, orbits of the first staircase."""


def narrow_answers(seed: int) -> Iterator[Answer]:
    """Yield the answers of section 3."""
    for data, m, barrier, below in ABOVE:
        landscape = Landscape(problem_from_json(data))
        where = f"d = {len(data['X'][0])}, m = {m}"
        found = level_set_topology(landscape, m)
        yield Answer(f"N8 barrier, {where}", "N8", f"barrier, {where}", barrier, str(barrier), _barrier(found))
        least = _least(CellComplex(landscape, m - 1))
        yield Answer(f"N8 below, {where}", "N8", f"least loss of m - 1, {where}", below, str(below), least)
        if below:
            own = _least(found.complex)
            yield Answer(f"N8 own, {where}", "N8", f"least loss of m, {where}", Fraction(5, 2), "5/2", own)
    yield from _first_staircase()


def _least(cells: CellComplex) -> Found:
    """Return the least loss of a width; the checker accepted it, or this raises."""
    value = accept_minimum(cells)
    return Found(value, value, "certified", 0.0)


def _barrier(found: LevelSet) -> Found:
    """Return the highest barrier between two components, certified for the nets that stand for them."""
    matrix = communication_barrier(found)
    last = matrix.merges[-1].groups
    start, end = (found.components[group[0]].representative for group in last[:2])
    problem = problem_to_json(found.complex.landscape.problem)
    return certified(matrix.highest, "value", certify_barrier(found.complex, start, end), problem)


def _first_staircase() -> Iterator[Answer]:
    """Yield components, orbits and barrier of the three-row problem that the guide begins with."""
    landscape = Landscape(problem_from_json(FIRST))
    problem = problem_to_json(landscape.problem)
    for m, components, orbits in STAIRS:
        found = level_set_topology(landscape, m)
        certificate = certify_components(found)
        counts = (("components", components, len(found.components)), ("orbits", orbits, found.orbits))
        for name, known, ours in counts:
            yield Answer(
                f"N5 {name}, m = {m}",
                "N5",
                f"{name} of the minima, three rows, m = {m}",
                known,
                str(known),
                certified(ours, name, certificate, problem),
            )
        if components > 1:
            level = Fraction(1, 140)
            what = f"barrier, three rows, m = {m}"
            yield Answer(f"N5 barrier, m = {m}", "N5", what, level, str(level), _barrier(found))
