"""The topology of narrow nets in words: tables of components, barriers and widths, nets as sums of neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.table import Table

from modeconn.cli.tables import console_of_tables
from modeconn.cli.topology_record import Result
from modeconn.topology import Point

__all__ = ["counted", "net_text", "print_staircase", "print_topology"]

SHOWN = 12
"""Largest number of components, or of orbits, that a table lists."""


def print_topology(result: Result, certificates: Sequence[str] = ()) -> None:
    """Print one level set: its numbers, a net of each component, the barriers, the files of its certificates."""
    found = result.level_set
    console = console_of_tables()
    reached = "" if found.least_loss <= found.level else " (nothing reaches the level)"
    components, orbits = counted(len(found.components), "component"), counted(found.orbits, "orbit")
    print(
        f"width {found.complex.width}: {components} in {orbits} of the set of loss <= {_short(found.level)}; "
        f"least loss {_short(found.least_loss)}{reached}; {len(found.complex)} cells up to permutation, "
        f"{found.feasible_cells} of them met"
    )
    if found.components:
        _print_components(console, result)
    if len(found.components) > 1:
        _print_barriers(console, result)
    for path in certificates:
        print(f"certificate: {path}")


def _print_components(console: Console, result: Result) -> None:
    found = result.level_set
    verdicts = {orbit.orbit: orbit for orbit in result.in_region}
    print("a net of each component, f(x) = sum of +-relu(x . u):")
    table = Table()
    table.add_column("component", justify="right")
    table.add_column("orbit", justify="right")
    table.add_column("dimension", justify="right")
    if verdicts:
        table.add_column("region")
    table.add_column("neurons: sign of the output weight, u", overflow="fold")
    for k, component in enumerate(found.components[:SHOWN]):
        row = [str(k), str(component.orbit), str(found.dimensions[component.orbit])]
        if verdicts:
            row.append(f"{verdicts[component.orbit].verdict} (gauge {verdicts[component.orbit].gauge:.4g})")
        table.add_row(*row, net_text(component.representative))
    console.print(table)
    if len(found.components) > SHOWN:
        print(f"and {len(found.components) - SHOWN} more components: --json lists all")


def _print_barriers(console: Console, result: Result) -> None:
    found = result.level_set
    print(f"all components are joined at loss {_short(result.matrix.highest)}")
    pairs = list(result.orbit_pairs())
    if pairs:
        print("barriers between orbits, the loss at which they are joined if neurons may be exchanged:")
        table = Table()
        table.add_column("orbit", justify="right")
        for orbit in range(min(found.orbits, SHOWN)):
            table.add_column(str(orbit), justify="right")
        levels = {(pair.first, pair.second): _short(pair.barrier) for pair in pairs}
        for a in range(min(found.orbits, SHOWN)):
            row = ["" if a == b else levels[min(a, b), max(a, b)] for b in range(min(found.orbits, SHOWN))]
            table.add_row(str(a), *row)
        console.print(table)


def print_staircase(records: Sequence[Mapping[str, Any]]) -> None:
    """Print one row a width."""
    table = Table()
    headings = {
        "width": "width",
        "cells": "cells",
        "min_loss": "least loss",
        "level": "level",
        "components": "components",
        "orbits": "orbits",
        "barrier": "barrier",
        "orbit_barrier": "barrier up to permutation",
    }
    for heading in headings.values():
        table.add_column(heading, justify="right")
    for record in records:
        cells = (record[key] for key in headings)
        table.add_row(*("" if c is None else _short(Fraction(c)) if isinstance(c, str) else str(c) for c in cells))
    console_of_tables().print(table)


def net_text(point: Point) -> str:
    """Return a net as a list of its neurons.

    Example:
        >>> from modeconn.topology import Neuron
        >>> net_text((Neuron((Fraction(1, 3), Fraction(0)), 1), Neuron((Fraction(2), Fraction(-1)), -1)))
        '+(1/3, 0) -(2, -1)'
    """
    return " ".join(("+" if n.s > 0 else "-") + "(" + ", ".join(map(_short, n.u)) + ")" for n in point)


def _short(value: Fraction) -> str:
    """Return the fraction, or its decimal value if that is much shorter."""
    text = str(value)
    return text if len(text) <= 24 else f"~{float(value):.9g}"


def counted(number: int, noun: str) -> str:
    """Return the number with its noun, in the plural unless it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
