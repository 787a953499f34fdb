"""Try millions of instances: families x parameters x seeds of a TOML file, in shards, on what machines there are.

  modeconn campaign SPEC.toml --jobs 4                     processes of this machine
  modeconn campaign SPEC.toml --engine dask --scheduler tcp://10.0.0.1:8786
  modeconn campaign SPEC.toml --resume                     go on after an interruption, with any --jobs or --shard

A file such as

  seed = 0
  [[job]]
  family = "segment-barrier"      # modeconn campaign --families lists them
  instances = 100000              # of each combination below
  n = [4, 8]
  d = 2
  width = [2, 4, 8]

The summary depends on the file alone: not on the engine, the workers, the shards or interruptions. Exit 0: nothing was
refuted; 1: a violation, confirmed exactly; 3: undecided instances."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modeconn.cli.options import add_json, positive_integer, write_json
from modeconn.errors import ExitCode, InputError

if TYPE_CHECKING:
    from modeconn.campaigns import CampaignRun

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("spec", nargs="?", metavar="SPEC.toml", help="what to try")
    parser.add_argument("--families", action="store_true", help="list the families and their parameters")
    parser.add_argument("--jobs", metavar="J", type=positive_integer, default=1, help="workers (default 1)")
    parser.add_argument(
        "--shard", type=positive_integer, help="instances in a shard, the unit written (default: a few seconds' work)"
    )
    parser.add_argument("--engine", default=None, help="inline, processes or dask (default: inline for one job)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler (default: a cluster of this machine)")
    parser.add_argument("--out", metavar="FOLDER", help="the campaign's folder (default runs/<name of the file>)")
    parser.add_argument("--resume", action="store_true", help="go on with the campaign in --out")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run the campaign, write its summary and page, print the table."""
    from modeconn.campaigns import engine_from_name, read_spec, run_campaign
    from modeconn.cli.progress import progress
    from modeconn.report.campaign import write_campaign

    if args.families:
        return _list(args.json)
    if args.spec is None:
        raise InputError("expected a file SPEC.toml; see modeconn campaign --help for one")
    spec = read_spec(args.spec)
    folder = Path(args.out or Path("runs") / Path(args.spec).stem)
    name = args.engine or ("inline" if args.jobs == 1 else "processes")
    engine = engine_from_name(name, args.jobs, args.scheduler)
    with progress(sys.stderr) as reporter:
        done = run_campaign(
            spec, folder, engine, jobs=args.jobs, shard=args.shard, resume=args.resume, reporter=reporter
        )
    for path in done.damaged:
        print(f"modeconn: {path} was damaged: put aside under {folder / 'damaged'} and done again", file=sys.stderr)
    if done.summary.halved:
        print(f"modeconn: batches cut in two for want of memory: {done.summary.halved}", file=sys.stderr)
    run_record = {
        "engine": name,
        "jobs": args.jobs,
        "seconds": done.seconds,
        "instances": done.instances,
        "instances_per_second": done.rate,
        "lost": done.lost,
        "busy_seconds": done.busy,
        "cpu_seconds": done.cpu,
        "halved": done.summary.halved,
    }
    summary = done.summary.to_json()
    page = write_campaign(folder, summary, run_record, ["modeconn", *sys.argv[1:]])
    write_json(args.json, summary)
    if args.json != "-":
        _print(done)
        print(f"\nreport: {page}")
    verdict = done.summary.verdict
    return {"refuted": ExitCode.REFUTED, "undecided": ExitCode.UNDECIDED}.get(verdict, ExitCode.HELD)


def _print(done: CampaignRun) -> None:
    for cell in done.summary.cells:
        tally = cell.tally
        values = ", ".join(f"{name} {value}" for name, value in cell.cell.parameters.items() if value != "")
        margin = "" if tally.margin is None else f"  margin {tally.margin:.3g}"
        print(f"{cell.verdict:<12} {tally.instances:>10,}  {cell.cell.family}: {values}{margin}")
    print(
        f"{done.summary.verdict}: {done.summary.tally.instances:,} instances; {done.instances:,} of them now, "
        f"{done.rate:,.0f} a second" + (f", {done.lost} shards lost with a worker and done again" if done.lost else "")
    )


def _list(target: str | None) -> int:
    from modeconn.campaigns import FAMILIES

    rows = [
        {"name": family.name, "statement": family.statement, "parameters": dict(family.defaults)}
        for family in FAMILIES.values()
    ]
    write_json(target, {"schema": "modeconn.families/1", "families": rows})
    if target != "-":
        for family in FAMILIES.values():
            print(f"{family.name}: {family.statement}")
            for name, value in family.defaults.items():
                print(f"    {name}" + ("" if value is None else f" (default {value!r})"))
    return ExitCode.HELD
