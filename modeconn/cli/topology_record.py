"""The result of ``modeconn topology`` as JSON values, and the certificates that go with it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modeconn.topology import BarrierMatrix, LevelSet, OrbitInRegion

__all__ = ["certificates", "orbit_barrier", "topology_record"]


def orbit_barrier(matrix: BarrierMatrix) -> Fraction | None:
    """Return the level at which all orbits are joined if neurons may be exchanged, ``None`` with fewer than two."""
    pairs = sorted((level, first, second) for first, second, level, _ in _closest(matrix))
    group = list(range(matrix.level_set.orbits))
    last = None
    for level, first, second in pairs:
        a, b = group[first], group[second]
        if a != b:
            group = [a if g == b else g for g in group]
            last = level
    return last


def _closest(matrix: BarrierMatrix) -> Iterator[tuple[int, int, Fraction, tuple[int, int]]]:
    """Yield each pair of orbits with their barrier up to permutation and two components that attain it."""
    orbit_of = matrix.level_set.orbit_of
    for first, second in combinations(range(matrix.level_set.orbits), 2):
        i = orbit_of.index(first)
        j = min((k for k, orbit in enumerate(orbit_of) if orbit == second), key=lambda k: matrix.levels[i][k])
        yield first, second, matrix.levels[i][j], (i, j)


def topology_record(matrix: BarrierMatrix, in_region: tuple[OrbitInRegion, ...] | None) -> dict[str, Any]:
    """Return the topology of one level set as JSON values, fractions as strings."""
    from modeconn.topology import point_to_json

    found = matrix.level_set
    joined = orbit_barrier(matrix)
    record = {
        "width": found.complex.width,
        "cells": len(found.complex),
        "min_loss": str(found.least_loss),
        "level": str(found.level),
        "components": len(found.components),
        "orbits": found.orbits,
        "orbit_of": list(found.orbit_of),
        "dimensions": list(found.dimensions),
        "barrier": str(matrix.highest) if matrix.merges else None,
        "orbit_barrier": None if joined is None else str(joined),
        "barriers": [[str(level) for level in row] for row in matrix.levels],
        "representatives": [point_to_json(component.representative) for component in found.components],
    }
    if in_region is not None:
        record["orbits_in_region"] = [
            {
                "orbit": orbit.orbit,
                "verdict": orbit.verdict,
                "gauge": orbit.gauge if orbit.gauge == orbit.gauge else None,
                "point": None if orbit.point is None else point_to_json(orbit.point),
            }
            for orbit in in_region
        ]
    return record


def certificates(
    matrix: BarrierMatrix, in_region: tuple[OrbitInRegion, ...] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a suffix for the file's name and a certificate: of the components, the least loss if that is the level,
    the barrier of every pair of orbits up to permutation, and every orbit that the region avoids.
    """
    from modeconn.topology import certify_barrier, certify_components, certify_region_avoids

    found = matrix.level_set
    yield "", certify_components(found)
    if found.level == found.least_loss:
        yield "-minimum", _certify_minimum(found)
    for _, _, _, (i, j) in _closest(matrix):
        ends = found.components[i].representative, found.components[j].representative
        yield f"-barrier-{i}-{j}", certify_barrier(found.complex, *ends)
    for orbit in in_region or ():
        if orbit.verdict == "avoids":
            component = found.orbit_of.index(orbit.orbit)
            yield f"-region-avoids-{component}", certify_region_avoids(found, component, orbit)


def _certify_minimum(found: LevelSet) -> dict[str, Any]:
    """Return a certificate of the least loss of the width: vectors that cut every cell below it, and a net."""
    from modeconn.topology import point_to_json
    from modeconn.topology.certificates import cutting_vectors

    value = found.least_loss
    nus = cutting_vectors(found.complex, found.complex.words, value, strict=False) if value else []
    statement = {
        "width": found.complex.width,
        "value": str(value),
        "point": point_to_json(found.components[0].representative),
    }
    evidence = {"nus": [[str(v) for v in nu] for nu in nus]}
    return {"format": "modeconn.certificate/1", "kind": "minimum", "statement": statement, "evidence": evidence}


def beside(path: str, suffix: str) -> Path:
    """Return the path with a suffix before its extension.

    Example:
        >>> beside("out/c.json", "-barrier-0-2").as_posix()
        'out/c-barrier-0-2.json'
    """
    target = Path(path)
    return target.with_name(f"{target.stem}{suffix}{target.suffix}")
