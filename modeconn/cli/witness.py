"""Search for data on which AdamW and Muon must end in different components, certify them, and train to see it.

  modeconn witness --d 2 --width 2 --n 3:5 --budget 60s
  modeconn witness --problem MY.json --width 2        the whole story of a given problem

Half of the budget searches for the largest gaps and barriers, half trains small fleets on what was found. The best
witness is certified and told in FOLDER: witness.json, certificates, runs.csv, report.html. Exit 0: a certified witness;
3: none within the budget (the state is kept: go on with --resume)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import (
    add_json,
    add_seed,
    jobs,
    positive_integer,
    positive_integers,
    ready_folder,
    write_json,
)
from modeconn.errors import ExitCode, InputError

if TYPE_CHECKING:
    from modeconn.reporter import Reporter
    from modeconn.studies.witness import Witness
    from modeconn.studies.witness_search import SearchSettings

__all__ = ["configure", "run", "seconds"]

MOST_INPUTS = 6
"""Problems that differ by permutations and signs of the inputs count as one; d inputs have 2^d d! of these."""

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """Read ``"60s"``, ``"10m"``, ``"2h"`` or a number of seconds.

    Example:
        >>> seconds("2m"), seconds("90")
        (120.0, 90.0)
    """
    number, unit = (text[:-1], UNITS[text[-1]]) if text[-1:] in UNITS else (text, 1.0)
    try:
        value = float(number) * unit
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a duration such as 60s, 10m or 2h, found {text!r}")
    return value


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--d", metavar="D", type=positive_integer, default=2, help="inputs (default 2)")
    parser.add_argument("--width", metavar="M", type=positive_integer, default=2, help="hidden width (default 2)")
    parser.add_argument(
        "--n",
        type=positive_integers,
        default=(3, 4, 5),
        metavar="N[,N]|A:B",
        help="data points (default 3:5, both ends)",
    )
    parser.add_argument(
        "--budget", metavar="TIME", type=seconds, default=60.0, help="time to search, such as 60s or 10m (default 60s)"
    )
    parser.add_argument(
        "--entries", metavar="E", type=positive_integer, default=2, help="largest entry of X and y (default 2)"
    )
    add_seed(parser)
    parser.add_argument("--jobs", metavar="J", type=jobs, default=1, help="worker processes of the search (default 1)")
    parser.add_argument(
        "--seeds", metavar="K", type=positive_integer, default=256, help="runs of each final fleet (default 256)"
    )
    parser.add_argument("--problem", metavar="FILE", help="tell the story of this problem instead of searching")
    parser.add_argument(
        "--out", metavar="FOLDER", default="runs/witness", help="the run's folder (default runs/witness)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted search in --out")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Search, certify, train, write the folder, print the record."""
    from modeconn.cli.progress import progress
    from modeconn.studies.witness_fleet import FleetSettings
    from modeconn.studies.witness_search import SearchSettings
    from modeconn.studies.witness_story import tell_witness

    if args.d > MOST_INPUTS:
        raise InputError(f"--d: expected at most {MOST_INPUTS} inputs, found {args.d}; lower it")
    settings = SearchSettings(args.d, args.width, tuple(args.n), args.entries, args.seed)
    with progress(sys.stderr) as reporter:
        if args.problem is not None:
            witness, missed = _given(args.problem, args.width)
            folder = ready_folder(args.out)
        else:
            folder = ready_folder(args.out)
            witness, missed = _searched(args, settings, folder, reporter)
        if witness is None:
            write_json(args.json, {"schema": "modeconn.witness/1", "found": False, "near_misses": missed})
            if args.json != "-":
                print("no witness found: " + missed["reason"])
            return ExitCode.UNDECIDED
        story = tell_witness(witness, FleetSettings(seeds=args.seeds), reporter)

    from modeconn.report.witness import write_witness

    used = settings.to_json() if args.problem is None else {"problem": str(args.problem), "width": args.width}
    page = write_witness(story, folder, ["modeconn", *sys.argv[1:]], used)
    write_json(args.json, {"found": True, **story.to_json()})
    if args.json != "-":
        _print(story.to_json())
        print(f"\nreport: {page}")
    return ExitCode.HELD


def _given(path: str, width: int) -> tuple[Witness | None, dict[str, Any]]:
    from modeconn.studies.witness import examine, orbit_gauges, zero_loss_set
    from modeconn.topology import read_problem

    found = zero_loss_set(read_problem(path), width)
    witness = examine(found)
    gauges = {norm: list(orbit_gauges(found, norm)) for norm in ("linf", "spectral")} if witness is None else {}
    reason = f"{found.orbits} orbits of zero-loss nets, met at multiples {gauges} of the unit regions"
    return witness, {"reason": reason, "orbits": found.orbits, "gauges": gauges}


def _searched(
    args: argparse.Namespace, settings: SearchSettings, folder: Path, reporter: Reporter
) -> tuple[Witness | None, dict[str, Any]]:
    """Return the best certified witness, or what came closest."""
    from modeconn.studies.witness_certificates import certify_witness
    from modeconn.studies.witness_climb import climb_by_training
    from modeconn.studies.witness_search import search_witnesses

    half = args.budget / 2
    common: dict[str, Any] = {"folder": folder, "resume": args.resume, "reporter": reporter}
    result = search_witnesses(settings, half, jobs=args.jobs, **common)
    refused: list[str] = []
    trained = climb_by_training(result.witnesses, settings, half, **common) if result.witnesses else []
    for entry in trained:
        try:
            certify_witness(entry.witness)
            return entry.witness, {}
        except InputError as error:
            refused.append(str(error))
    reason = (
        f"{result.drawn} problems drawn, {result.several_orbits} with zero loss in several orbits, "
        f"{result.near_misses} of them met first in the same orbit (or in two at once) by both regions"
    )
    return None, {"reason": reason, "drawn": result.drawn, "several_orbits": result.several_orbits, "refused": refused}


def _print(record: dict[str, Any]) -> None:
    """Print the problem, the certified numbers and where the runs ended."""
    from rich.console import Console
    from rich.table import Table

    from modeconn.plots.style import label_of
    from modeconn.studies.witness import NORM_OF

    console = Console()
    console = console if console.is_terminal else Console(width=110)
    data, names = record["problem"], list(record["fractions"])
    rows = " ".join("[" + ", ".join(row) + "]" for row in data["X"])
    console.print(f"X = {rows}\ny = [{', '.join(data['y'])}], width {record['width']}", markup=False, highlight=False)
    console.print(
        f"{record['components']} components in {record['orbits']} orbits; barrier {record['barrier']} "
        f"({record['relative_barrier']:.1%} of the loss of the zero net); "
        f"{len(record['certificates'])} certificates accepted",
        markup=False,
        highlight=False,
    )
    table = Table(title="\nWhere training ended", title_justify="left")
    for heading in ("optimizer", "region"):
        table.add_column(heading)
    for heading in ("decay", "orbit predicted", "gap", *record["fractions"][names[0]]):
        table.add_column(heading, justify="right")
    for name in names:
        norm = NORM_OF[name]
        shares = [f"{share:.1%}" for share in record["fractions"][name].values()]
        region = f"{norm}, radius {record['radii'][norm]}"
        table.add_row(
            label_of(name), region, record["lambda"][name], str(record["predicted"][norm]),
            f"{record['gaps'][norm]:.3f}", *shares,
        )  # fmt: skip
    console.print(table)
