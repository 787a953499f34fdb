"""Print the exact topology of a level set of narrow nets: components, orbits, barriers, a net of each component.

The problem is a JSON file: {"X": [[..]], "y": [..], "output_weights": "free"|"fixed", "ridge": "0", "region": null or
{"norm": "linf"|"spectral", "radius": "13/10"}}; numbers are taken as they are written. The set is that of the nets with
loss <= --level; by default the level is the least loss, so these are the global minima. With a region in the problem,
components are those of the set without it, and each orbit is said to meet the region, to avoid it, or to be undecided;
--inside asks for the components and barriers inside the region. These, and those of a problem with a ridge term, are
decided by rigorous intervals [lower, upper]; there are no certificates and no figure of them.

Exit 0; 2 if the nets of --width do not reach the level (what is known is printed all the same)."""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import add_json, positive_integer, positive_integers, write_json
from modeconn.errors import ExitCode, InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from modeconn.cli.topology_record import Result
    from modeconn.topology import MergeTree, Problem

__all__ = ["configure", "run"]

TREE_CELLS = 20_000
"""Up to so many cells a figure shows all minima of the width; beyond, only the orbits of the level set."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("problem", metavar="PROBLEM", help="problem file, JSON")
    parser.add_argument("--width", metavar="M", type=positive_integer, help="number of neurons")
    parser.add_argument(
        "--widths", metavar="M[,M]|A:B", type=positive_integers, help="a staircase: 1:3 (both ends) or 2,3"
    )
    parser.add_argument("--level", metavar="C", help='loss level such as "1/100" or 0.01 (default: the least loss)')
    parser.add_argument(
        "--certificate",
        metavar="OUT",
        help="write certificates for 'modeconn check': of the components to OUT; beside it of the least loss, of the "
        "barrier between every two orbits, and of every orbit that the region avoids",
    )
    parser.add_argument("--figure", metavar="OUT", help="merge tree of the minima, staircase: .svg or .png")
    parser.add_argument("--max-cells", metavar="N", type=positive_integer, help="take on no more cells than this")
    parser.add_argument("--inside", action="store_true", help="components and barriers inside the problem's region")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compute the topology and print it."""
    from modeconn.cells.rational import as_fraction
    from modeconn.cli.topology_record import file_beside, level_set_result, topology_record
    from modeconn.cli.topology_tables import print_staircase, print_topology
    from modeconn.io import file_sha256
    from modeconn.io import write_json as write_file
    from modeconn.topology import MAX_CELLS, CellComplex, read_problem

    widths = _widths(args)
    _check_outputs(args)
    level = None if args.level is None else as_fraction(args.level, "--level")
    problem, max_cells = read_problem(args.problem), args.max_cells or MAX_CELLS
    if args.inside or problem.ridge:
        return _run_enclosed(args, problem, widths, level)
    landscape = CellComplex(problem, max(widths), max_cells).landscape  # says so first if the largest is too large
    results = {width: level_set_result(landscape, width, level, max_cells) for width in widths}
    records = {width: topology_record(result) for width, result in results.items()}

    payload: dict[str, Any] = {"schema": "modeconn.topology/1"} | (records[args.width] if args.width else {})
    if args.widths is not None:
        payload["widths"] = [records[width] for width in args.widths]
    if args.certificate is not None:
        payload["certificates"] = []
        note = {"problem": {"sha256": file_sha256(args.problem)}}
        for suffix, certificate in results[args.width].certificates():
            path = file_beside(args.certificate, suffix)
            payload["certificates"].append(str(write_file(path, certificate | note)))
    if args.figure is not None:
        _write_figure(args.figure, _figure(args, results, records, level))
    write_json(args.json, payload)
    if args.json != "-":
        if args.width is not None:
            print_topology(results[args.width], payload.get("certificates", ()))
        if args.widths is not None:
            print_staircase(payload["widths"])
    if args.width is not None and not records[args.width]["components"]:
        raise InputError(
            f"--level: expected at least {records[args.width]['min_loss']}, the least loss of width {args.width} for "
            f"this X and y, found {records[args.width]['level']}; raise the level or the width"
        )
    return ExitCode.HELD


def _run_enclosed(args: argparse.Namespace, problem: Problem, widths: list[int], level: Fraction | None) -> int:
    """Compute and print the topology by intervals."""
    from modeconn.cli.topology_enclosed import enclosed_record, enclosed_result, print_enclosed

    if args.certificate is not None or args.figure is not None:
        raise InputError("--certificate and --figure: expected a problem without ridge and no --inside; leave them out")
    first = {width: enclosed_result(problem, width, level, args.max_cells) for width in reversed(widths)}
    results = {width: first[width] for width in widths}  # the largest came first: it says if it is too large
    payload: dict[str, Any] = {"schema": "modeconn.topology-enclosed/1"}
    payload |= enclosed_record(results[args.width]) if args.width is not None else {}
    if args.widths is not None:
        payload["widths"] = [enclosed_record(results[width]) for width in args.widths]
    write_json(args.json, payload)
    if args.json != "-":
        for result in results.values():
            print_enclosed(result)
    return ExitCode.UNDECIDED if any(result.level_set.undecided for result in results.values()) else ExitCode.HELD


def _widths(args: argparse.Namespace) -> list[int]:
    """Return the widths to compute, ascending."""
    widths = sorted({*(args.widths or []), *([] if args.width is None else [args.width])})
    if not widths:
        raise InputError("width: expected --width M or --widths A:B, found neither; name the number of neurons")
    if args.certificate is not None and args.width is None:
        raise InputError("--certificate: expected --width, found only --widths; name the width to certify")
    return widths


def _check_outputs(args: argparse.Namespace) -> None:
    """Raise before the work if a file cannot be written after it."""
    for option, path in (("--certificate", args.certificate), ("--figure", args.figure)):
        if path is not None and not Path(path).parent.is_dir():
            raise InputError(f"{option}: expected a file in a folder that exists, found {path!r}; create the folder")
    if args.figure is not None and Path(args.figure).suffix not in (".svg", ".png"):
        raise InputError(f"--figure: expected a name that ends in .svg or .png, found {args.figure!r}")


def _figure(
    args: argparse.Namespace, results: Mapping[int, Result], records: Mapping[int, Any], level: Fraction | None
) -> Figure:
    """Return the merge tree of --width, the staircase of --widths, or both."""
    from modeconn.plots.topology import topology_figure

    rows = [_row(records[width]) for width in sorted(set(args.widths or []))]
    if args.width is None:
        return topology_figure(None, rows)
    tree, what = _tree(results[args.width])
    return topology_figure(tree, rows, title=f"{what} of width {args.width}", level=level)


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the staircase with its levels as fractions."""
    levels = ("min_loss", "barrier", "orbit_barrier")
    return dict(record) | {key: None if record[key] is None else Fraction(record[key]) for key in levels}


def _tree(result: Result) -> tuple[MergeTree, str]:
    """Return the merge tree of all minima, or of the orbits of the level set if there are very many cells."""
    from modeconn.topology import MergeTree, merge_tree
    from modeconn.topology.flood import Seed, flood

    found = result.level_set
    if len(found.complex) <= TREE_CELLS or not found.components:
        return merge_tree(found.complex), "Minima"
    first = [found.components[found.orbit_of.index(orbit)] for orbit in range(found.orbits)]
    merges = flood(found.complex, [Seed(c.cell, c.order, found.level) for c in first], up_to_permutation=True)
    return MergeTree((found.level,) * found.orbits, tuple(c.cell for c in first), tuple(merges)), "Level set"


def _write_figure(path: str, figure: Figure) -> None:
    """Write a figure as its name says."""
    from modeconn.io import write_bytes, write_text
    from modeconn.plots import to_svg

    if Path(path).suffix == ".svg":
        write_text(path, to_svg(figure))
    else:
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=160, metadata={"Software": None})
        write_bytes(path, picture.getvalue())
