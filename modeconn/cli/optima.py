"""Print the global optima of a ridge-regularised problem: optimal value, tight directions, polytope, m* and M*.

The problem is a JSON file: {"X": [[..]], "y": [..], "ridge": "1/10"}, one output, free output weights; numbers are
taken as they are written. The optimal value is a certified interval: a rational dual point below, a net above. If the
dual optimum is rational with short denominators, everything else is exact; otherwise ties are told apart at 1e-8 and
the margin is shown. The components of the optimal set follow from the polytope; with --widths they are counted again by
the graph of cells, with the barrier between them.

Exit 0; 3 if an interval leaves a count open, or the two counts differ (ties that floats cannot decide)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import add_json, positive_integers, write_json
from modeconn.errors import ExitCode, InputError

if TYPE_CHECKING:
    from modeconn.regularised import OptimalSet, RidgeGap, RidgeStair

__all__ = ["configure", "run"]

SHOWN = 12
"""Largest number of tight directions or vertices that a table lists."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("problem", metavar="PROBLEM", help="problem file, JSON, with a ridge term")
    parser.add_argument(
        "--widths", metavar="M[,M]|A:B", type=positive_integers, help="count components again by the graph of cells"
    )
    parser.add_argument(
        "--certificate",
        metavar="OUT",
        help="write a certificate of the optimal value for 'modeconn check' to OUT; beside it, if the optimal set is "
        "exact, one of the components at each of --widths",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compute the optimal set and print it."""
    from modeconn.io import file_sha256
    from modeconn.io import write_json as write_file
    from modeconn.regularised import dual_optimum, optimal_set, ridge_gap, ridge_staircase
    from modeconn.topology import read_problem

    widths = sorted(args.widths or [])
    if args.certificate is not None and not Path(args.certificate).parent.is_dir():
        raise InputError(f"--certificate: expected a file in a folder that exists, found {args.certificate!r}")
    problem = read_problem(args.problem)
    optimum = dual_optimum(problem)
    gap, found = ridge_gap(problem, optimum), optimal_set(problem, optimum)
    stairs = list(ridge_staircase(problem, reversed(widths), found))[::-1]  # the largest says first if it is too large
    payload = _record(gap, found, stairs)
    if args.certificate is not None:
        note = {"problem": {"sha256": file_sha256(args.problem)}}
        payload["certificates"] = [
            str(write_file(path, certificate | note))
            for path, certificate in _certificates(args.certificate, gap, found, widths)
        ]
    write_json(args.json, payload)
    if args.json != "-":
        _print(payload)
    return ExitCode.HELD if all(stair.agrees and not stair.undecided for stair in stairs) else ExitCode.UNDECIDED


def _record(gap: RidgeGap, found: OptimalSet, stairs: list[RidgeStair]) -> dict[str, Any]:
    """Return the optimal set as JSON values; exact numbers as strings, others as floats."""
    from modeconn.regularised import connection_width, optimal_components

    def number(value: Any) -> Any:
        return str(value) if found.is_exact else float(value)

    rows = []
    for stair in stairs:
        row = {"width": stair.width, "least": list(stair.least), "attains_optimum": stair.attains}
        row |= {"count": list(stair.count), "undecided": stair.undecided, "barrier": list(stair.barrier)}
        rows.append(row)
    last = max(found.largest_support + 1, connection_width(found))
    return {
        "schema": "modeconn.optima/1",
        "value": {"lower": float(gap.lower), "upper": float(gap.upper), "gap": float(gap.width)},
        "is_exact": found.is_exact,
        "margin": found.margin,
        "nu": [number(v) for v in found.nu],
        "fit": [number(v) for v in found.fit],
        "tight": [{"p": [number(v) for v in t.p], "s": t.s} for t in found.directions],
        "vertices": [
            {"support": list(vertex.support), "amounts": [number(v) for v in vertex.amounts]}
            for vertex in found.vertices
        ],
        "m_star": found.smallest_support,
        "M_star": found.largest_support,
        "connected_from": connection_width(found),
        "components": [{"width": m, **optimal_components(found, m)._asdict()} for m in range(1, last + 1)],
        "widths": rows,
    }


def _certificates(
    path: str, gap: RidgeGap, found: OptimalSet, widths: list[int]
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the files and certificates to write."""
    from modeconn.cli.topology_record import file_beside
    from modeconn.regularised import certify_gap, certify_optimal_set

    yield Path(path), certify_gap(gap)
    if found.is_exact:
        for width in widths:
            yield file_beside(path, f"-width-{width}"), certify_optimal_set(found, width)


def _print(payload: dict[str, Any]) -> None:
    """Print the record in words and tables."""
    from rich.table import Table

    from modeconn.cli.tables import console_of_tables

    value = payload["value"]
    print(f"optimal value in [{value['lower']:.12g}, {value['upper']:.12g}], gap {value['gap']:.2g}, certified")
    how = "exact" if payload["is_exact"] else f"in floats; the next direction is {payload['margin']:.2g} short of beta"
    print(
        f"{len(payload['tight'])} tight directions, {len(payload['vertices'])} vertices ({how}); "
        f"m* = {payload['m_star']}, M* = {payload['M_star']}; connected from width {payload['connected_from']} on"
    )
    table = Table("direction", "sign", "beta u")
    for k, tight in enumerate(payload["tight"][:SHOWN]):
        table.add_row(str(k), f"{tight['s']:+d}", "(" + ", ".join(map(_short, tight["p"])) + ")")
    console_of_tables().print(table)
    table = Table("vertex", "amount x direction")
    for k, vertex in enumerate(payload["vertices"][:SHOWN]):
        terms = zip(vertex["amounts"], vertex["support"], strict=True)
        table.add_row(str(k), " + ".join(f"{_short(amount)} x {j}" for amount, j in terms) or "0")
    console_of_tables().print(table)
    counted = {row["width"]: row for row in payload["widths"]}
    table = Table("width", "components", "isolated", "by the graph of cells", "barrier above the least")
    for row in payload["components"]:
        again = counted.pop(row["width"], None)
        table.add_row(str(row["width"]), str(row["components"]), str(row["isolated"]), *_again(again))
    for width, again in counted.items():
        table.add_row(str(width), "1", "0", *_again(again))
    console_of_tables().print(table)
    for path in payload.get("certificates", ()):
        print(f"certificate: {path}")


def _again(row: dict[str, Any] | None) -> tuple[str, str]:
    """Return what the graph of cells says about a width, in two cells of a table."""
    if row is None:
        return "", ""
    fewest, most = row["count"]
    text = str(fewest) if fewest == most else f"{fewest} to {most}"
    if not row["attains_optimum"]:
        text += f" at {row['least'][1]:.6g}, above the optimum"
    low, high = row["barrier"]
    return text, f"[{low:.10g}, {high:.10g}]" if high else ""


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
