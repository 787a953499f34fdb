"""What ``modeconn topology`` computes for one width: the record that it prints, and the certificates of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from modeconn.topology import (
    BarrierMatrix,
    Landscape,
    LevelSet,
    OrbitInRegion,
    certify_barrier,
    certify_components,
    certify_region_avoids,
    communication_barrier,
    orbits_in_region,
    point_to_json,
)
from modeconn.topology.certificates import cutting_vectors

__all__ = ["OrbitPair", "Result", "file_beside", "level_set_result", "topology_record"]


class OrbitPair(NamedTuple):
    """Two orbits, the barrier between them if neurons may be exchanged, and two components that attain it."""

    first: int
    second: int
    barrier: Fraction
    components: tuple[int, int]


@dataclass(frozen=True)
class Result:
    """The topology of one level set.

    Attributes:
        matrix: its components and the barriers between them.
        in_region: how each orbit lies to the problem's region; empty without a region.
    """

    matrix: BarrierMatrix
    in_region: tuple[OrbitInRegion, ...]

    @property
    def level_set(self) -> LevelSet:
        """The components."""
        return self.matrix.level_set

    def orbit_pairs(self) -> Iterator[OrbitPair]:
        """Yield all pairs of orbits: permutations act on components, so one of the first orbit stands for all."""
        orbit_of, levels = self.level_set.orbit_of, self.matrix.levels
        for first, second in combinations(range(self.level_set.orbits), 2):
            i = orbit_of.index(first)
            j = min((k for k, orbit in enumerate(orbit_of) if orbit == second), key=levels[i].__getitem__)
            yield OrbitPair(first, second, levels[i][j], (i, j))

    @property
    def orbit_barrier(self) -> Fraction | None:
        """The level at which all orbits are joined up to permutation: each first has to join the orbit 0."""
        return max((pair.barrier for pair in self.orbit_pairs() if pair.first == 0), default=None)

    def _certified_pairs(self) -> list[tuple[int, int]]:
        """Return components to certify the barrier of: one pair for each two orbits, and one with the highest."""
        pairs = [pair.components for pair in self.orbit_pairs()]
        if self.matrix.merges and all(self.matrix.levels[i][j] < self.matrix.highest for i, j in pairs):
            pairs.append((0, self.matrix.levels[0].index(self.matrix.highest)))  # all join component 0 in the end
        return pairs

    def certificates(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield certificates with a suffix each for its file: components, least loss, barriers, regions avoided."""
        found = self.level_set
        yield "", certify_components(found)
        if found.level == found.least_loss:
            yield "-minimum", certify_minimum(found)
        for i, j in self._certified_pairs():
            ends = found.components[i].representative, found.components[j].representative
            yield f"-barrier-{i}-{j}", certify_barrier(found.complex, *ends)
        for orbit in self.in_region:
            if orbit.verdict == "avoids":
                component = found.orbit_of.index(orbit.orbit)
                yield f"-region-avoids-{component}", certify_region_avoids(found, component, orbit)


def level_set_result(landscape: Landscape, width: int, level: Fraction | None, max_cells: int) -> Result:
    """Compute the topology of the set of nets of one width with loss <= level (default: the least loss)."""
    matrix = communication_barrier(landscape, width, level, max_cells=max_cells)
    has_region = landscape.problem.region is not None
    return Result(matrix, orbits_in_region(matrix.level_set) if has_region else ())


def topology_record(result: Result) -> dict[str, Any]:
    """Return the topology of one level set as JSON values, fractions as strings; lists are indexed by component.

    ``barrier`` is the level at which all components are joined and ``orbit_barrier`` the one at which all orbits are,
    null where there is only one. ``dimensions`` is indexed by orbit; 0 is an isolated point in u-coordinates.
    """
    found, joined = result.level_set, result.orbit_barrier
    record: dict[str, Any] = {
        "width": found.complex.width,
        "cells": len(found.complex),
        "min_loss": str(found.least_loss),
        "level": str(found.level),
        "components": len(found.components),
        "orbits": found.orbits,
        "orbit_of": list(found.orbit_of),
        "dimensions": list(found.dimensions),
        "barrier": str(result.matrix.highest) if result.matrix.merges else None,
        "orbit_barrier": None if joined is None else str(joined),
        "barriers": [[str(level) for level in row] for row in result.matrix.levels],
        "representatives": [point_to_json(component.representative) for component in found.components],
    }
    if found.complex.landscape.problem.region is not None:
        record["orbits_in_region"] = [
            {
                "orbit": orbit.orbit,
                "verdict": orbit.verdict,
                "gauge": orbit.gauge if math.isfinite(orbit.gauge) else None,
                "point": None if orbit.point is None else point_to_json(orbit.point),
            }
            for orbit in result.in_region
        ]
    return record


def certify_minimum(found: LevelSet) -> dict[str, Any]:
    """Return a certificate of the least loss of the width: vectors that cut every cell below it, and a net."""
    value = found.least_loss
    nus = cutting_vectors(found.complex, found.complex.words, value, strict=False) if value else []
    statement = {
        "width": found.complex.width,
        "value": str(value),
        "point": point_to_json(found.components[0].representative),
    }
    evidence = {"nus": [[str(v) for v in nu] for nu in nus]}
    return {"format": "modeconn.certificate/1", "kind": "minimum", "statement": statement, "evidence": evidence}


def file_beside(path: str, suffix: str) -> Path:
    """Return the path with a suffix before its extension.

    Example:
        >>> file_beside("out/c.json", "-barrier-0-2").as_posix()
        'out/c-barrier-0-2.json'
    """
    target = Path(path)
    return target.with_name(f"{target.stem}{suffix}{target.suffix}")
