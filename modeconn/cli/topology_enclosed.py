"""Topology by rigorous intervals: with a ridge term in the objective, or inside the problem's region."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rich.table import Table

from modeconn.cli.tables import console_of_tables
from modeconn.cli.topology_tables import counted, net_text
from modeconn.topology import EnclosedBarriers, Problem, enclosed_barriers, enclosed_level_set, point_to_json

__all__ = ["enclosed_record", "enclosed_result", "print_enclosed"]


def enclosed_result(problem: Problem, width: int, level: Fraction | None, max_cells: int | None) -> EnclosedBarriers:
    """Compute components and barriers of {objective <= level}; the default level is just above the least objective."""
    limit = {} if max_cells is None else {"max_cells": max_cells}
    return enclosed_barriers(enclosed_level_set(problem, width, level, **limit))


def enclosed_record(result: EnclosedBarriers) -> dict[str, Any]:
    """Return the topology as JSON values: real numbers as intervals [lower, upper] of floats rounded outward.

    ``components`` counts what is certainly apart, ``count`` is the range left open by ``undecided`` decisions.
    """
    found = result.level_set
    return {
        "width": found.enclosures.cells.width,
        "min_loss": [float(end) for end in found.least],
        "level": str(found.level),
        "components": len(found.components),
        "count": list(found.count),
        "undecided": found.undecided,
        "orbits": found.orbits,
        "orbit_of": list(found.orbit_of),
        "barriers": [
            [[float(low), float(high)] for low, high in zip(*rows, strict=True)]
            for rows in zip(result.lower, result.upper, strict=True)
        ],
        "representatives": [point_to_json(component.representative) for component in found.components],
    }


def print_enclosed(result: EnclosedBarriers) -> None:
    """Print the numbers of one level set, a net of each component, and the highest barrier."""
    found, record = result.level_set, enclosed_record(result)
    low, high = record["min_loss"]
    open_ends = "" if found.undecided == 0 else f" (between {found.count[0]} and {found.count[1]}: bounds overlap)"
    components, orbits = counted(len(found.components), "component"), counted(found.orbits, "orbit")
    print(
        f"width {record['width']}: {components} in {orbits} of the set of objective <= {float(found.level):.12g}"
        f"{open_ends}; least objective in [{low:.12g}, {high:.12g}]"
    )
    table = Table()
    table.add_column("component", justify="right")
    table.add_column("orbit", justify="right")
    table.add_column("neurons: sign of the output weight, u", overflow="fold")
    for k, component in enumerate(found.components):
        table.add_row(str(k), str(found.orbit_of[k]), net_text(component.representative))
    console_of_tables().print(table)
    if len(found.components) > 1:
        lower, upper = (float(end) for end in result.highest)
        print(f"all components are joined at an objective in [{lower:.12g}, {upper:.12g}]")
