"""Make a figure of a paper or a theorem again, from nothing, with its tables and a page.

  modeconn reproduce                       list the figures
  modeconn reproduce staircase             runs/reproduce/staircase: .svg, .png, .csv, report.html, manifest.json
  modeconn reproduce all --profile full    every figure, at the size one would print

The same profile and seed give the same tables; no number in a figure comes from anywhere but its tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from modeconn.cli.options import add_json, add_seed, ready_folder, write_json
from modeconn.errors import ExitCode, unknown_name

__all__ = ["configure", "run"]

ALL = "all"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="the figure, or 'all'; none: list them")
    parser.add_argument(
        "--profile", metavar="NAME", default="quick", help="quick: seconds, full: minutes (default quick)"
    )
    add_seed(parser)
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        default="runs/reproduce",
        help="folder of the figures' folders (default runs/reproduce)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Make the figures, or list them."""
    from modeconn.reproductions import PROFILES, REPRODUCTIONS

    if args.profile not in PROFILES:
        raise unknown_name("profile", args.profile, PROFILES)
    if args.name is None:
        return _list(args)
    if args.name != ALL and args.name not in REPRODUCTIONS:
        raise unknown_name("figure", args.name, [*REPRODUCTIONS, ALL])
    root = ready_folder(args.out)
    made = {name: _make(name, root / name, args) for name in (REPRODUCTIONS if args.name == ALL else [args.name])}
    write_json(args.json, {"schema": "modeconn.reproduce/1", "pages": made})
    if args.json != "-":
        for name, page in made.items():
            print(f"{name:<18} {page}")
    return ExitCode.HELD


def _make(name: str, folder: Path, args: argparse.Namespace) -> str:
    """Compute, draw and write one figure; return the path of its page."""
    from modeconn.cli.progress import progress
    from modeconn.reproductions import REPRODUCTIONS, write_reproduction

    reproduction = REPRODUCTIONS[name]
    with progress(sys.stderr) as reporter:
        tables = reproduction.compute(args.profile, args.seed, reporter)
    page = write_reproduction(reproduction, tables, folder, ["modeconn", *sys.argv[1:]], args.profile, args.seed)
    return str(page)


def _list(args: argparse.Namespace) -> int:
    from modeconn.reproductions import REPRODUCTIONS

    listed: list[dict[str, Any]] = [
        {"name": name, "title": found.title, "claims": list(found.claims)} for name, found in REPRODUCTIONS.items()
    ]
    write_json(args.json, {"schema": "modeconn.reproductions/1", "figures": listed})
    if args.json != "-":
        for row in listed:
            print(f"{row['name']:<18} {row['title']}  ({', '.join(row['claims'])})")
    return ExitCode.HELD
