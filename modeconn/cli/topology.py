"""Print the exact topology of a level set of narrow nets: components, orbits, barriers, a net of each component.

The problem is a JSON file: {"X": [[..]], "y": [..], "output_weights": "free"|"fixed", "ridge": "0", "region": null or
{"norm": "linf"|"spectral", "radius": "13/10"}}; numbers are taken as they are written. The set is that of the nets with
loss <= --level; by default the level is the least loss, so these are the global minima. With a region in the problem,
components are those of the set without it, and each orbit is said to meet the region, to avoid it, or to be undecided.

Exit 0, or 2 if no net of this width reaches the level."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import add_json, integers, positive_integer, write_json
from modeconn.errors import ExitCode, InputError

if TYPE_CHECKING:
    from modeconn.topology import BarrierMatrix, Landscape, MergeTree, OrbitInRegion

__all__ = ["configure", "run"]

TREE_CELLS = 20_000
"""Up to so many cells a figure shows all minima; beyond, only the orbits of the level set."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("problem", metavar="PROBLEM", help="problem file, JSON")
    parser.add_argument("--width", metavar="M", type=positive_integer, help="number of neurons")
    parser.add_argument("--widths", metavar="A:B", help="several widths, such as 1:4 (end excluded) or 2,3: a staircase")
    parser.add_argument("--level", metavar="C", help='loss level such as "1/100" or 0.01; default: the least loss')
    parser.add_argument(
        "--certificate",
        metavar="OUT",
        help="write certificates for 'modeconn check': of the components to OUT, and beside it of the least loss, of "
        "the barrier between every two orbits, and of every orbit that the region avoids",
    )
    parser.add_argument("--figure", metavar="OUT", help="merge tree of the minima, and staircase: .svg or .png")
    parser.add_argument("--max-cells", metavar="N", type=positive_integer, help="refuse problems of more cells")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compute the topology and print it."""
    from modeconn.cells.rational import as_fraction
    from modeconn.cli.topology_tables import print_staircase, print_topology
    from modeconn.topology import Landscape, read_problem

    widths = _widths(args)
    for path in (args.certificate, args.figure, None if args.json == "-" else args.json):
        _require_folder(path)
    if args.figure is not None and Path(args.figure).suffix not in (".svg", ".png"):
        raise InputError(f"--figure: expected a name that ends in .svg or .png, found {args.figure!r}")
    level = None if args.level is None else as_fraction(args.level, "--level")
    landscape = _landscape(read_problem(args.problem), widths, args.max_cells)
    matrices = {width: _matrix(landscape, width, level, args.max_cells) for width in widths}
    regions = {width: _in_region(matrix) for width, matrix in matrices.items()}
    payload: dict[str, Any] = {"schema": "modeconn.topology/1"}
    records = {width: topology_record(matrix, regions[width]) for width, matrix in matrices.items()}
"""
