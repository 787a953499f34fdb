"""Where the solutions of AdamW (box of radius 1/lambda_A) and of Muon (spectral ball of radius 1/lambda_M) meet.

  modeconn phase-diagram                                         a built-in problem of five points
  modeconn phase-diagram DATA.json --widths 4,16,64 --out FOLDER
  modeconn phase-diagram --data diabetes --points 7 --inputs 2 --lambda-a 0.2:2 --lambda-m 0.1,0.3,0.5

DATA.json is {"X": [[..]], "y": [..]}, numbers taken as they are written. --data takes points of a data set, their first
principal directions, rounded to two decimals. Every cell is overlap, disjoint, empty (neither optimizer has a net of
loss <= --level) or undecided, and names the certificates that decide it; each is a file that 'modeconn check' accepts.

Exit 0; 2 on bad input; 3 if every cell is undecided."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import add_json, add_seed, positive_integer, positive_integers, ready_folder, write_json
from modeconn.errors import ExitCode, InputError

if TYPE_CHECKING:
    from modeconn.capacity import PhaseDiagram, TypeSystem

__all__ = ["axis", "configure", "run"]

MOST_WIDTHS = 100
"""Most widths of a diagram: each takes a second or two."""

COUNT = 16
"""Values on an axis given by its ends."""


def axis(text: str) -> list[Fraction]:
    """Read ``"0.2:2"`` or ``"0.2:2:10"`` (evenly spaced on a logarithmic scale), or ``"0.2,0.5,1/3"``.

    Example:
        >>> [str(v) for v in axis("0.5,1/3")], len(axis("0.2:2:10"))
        (['1/2', '1/3'], 10)
    """
    from modeconn.capacity import geometric_axis
    from modeconn.capacity.inputs import exact_radius
    from modeconn.cells.rational import as_fraction

    try:
        if ":" in text:
            low, high, count = (*text.split(":"), str(COUNT))[:3]
            values = geometric_axis(float(low), float(high), int(count))
        else:
            values = [as_fraction(word, "decay") for word in text.split(",")]
    except InputError:
        raise
    except ValueError:  # no number
        values = []
    if not values or min(values) <= 0 or text.count(":") > 2:
        raise InputError(f"expected positive decays such as 0.2:2, 0.2:2:10 or 0.2,0.5,1, found {text!r}")
    if len(set(values)) < len(values):
        raise InputError(f"expected different decays, found one twice in {text!r}; name it once")
    return [exact_radius(value, "decay") for value in values]


def _axis(text: str) -> list[Fraction]:
    """Read an axis; argparse shows the message of its own exception only."""
    try:
        return axis(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("problem", metavar="DATA.json", nargs="?", help="problem file (default: a built-in problem)")
    parser.add_argument("--data", metavar="NAME", help="points of a data set instead: a name or a file")
    parser.add_argument("--points", metavar="N", type=positive_integer, help="points of --data (default 6)")
    parser.add_argument("--inputs", metavar="D", type=positive_integer, help="principal directions (default 2)")
    add_seed(parser, "the choice of points")
    decays = "decays, LOW:HIGH[:COUNT] or a list (default: around the least radius)"
    parser.add_argument("--lambda-a", metavar="AXIS", type=_axis, help=f"AdamW's {decays}")
    parser.add_argument("--lambda-m", metavar="AXIS", type=_axis, help=f"Muon's {decays}")
    parser.add_argument(
        "--widths", metavar="M[,M]|A:B", type=positive_integers, default=[4, 16, 64], help="widths (default 4,16,64)"
    )
    parser.add_argument("--level", metavar="C", default="0", help='loss level such as "1/100" or 0.01 (default 0)')
    parser.add_argument(
        "--out", metavar="FOLDER", default="runs/phase-diagram", help="the run's folder (default runs/phase-diagram)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compute the diagram, write the folder, print the summary."""
    from modeconn.capacity import natural_axes, phase_diagram
    from modeconn.capacity.inputs import short
    from modeconn.cells.rational import as_fraction
    from modeconn.cli.progress import progress

    if len(args.widths) > MOST_WIDTHS:
        raise InputError(f"--widths: expected at most {MOST_WIDTHS} widths, found {len(args.widths)}; name fewer")
    level = as_fraction(args.level, "--level")
    if level < 0:
        raise InputError(f"--level: expected a number >= 0, found {short(level)}")
    about, system = _problem(args)
    folder = ready_folder(args.out, make=False)
    lambdas_A, lambdas_M = args.lambda_a, args.lambda_m
    if lambdas_A is None or lambdas_M is None:
        natural = natural_axes(system, args.widths, level)
        lambdas_A, lambdas_M = lambdas_A or natural[0], lambdas_M or natural[1]
    with progress(sys.stderr) as reporter:
        found = phase_diagram(system, lambdas_A, lambdas_M, args.widths, level, reporter=reporter)
    record = _write(found, folder, about)
    write_json(args.json, record)
    if args.json != "-":
        _print(record, folder)
    return ExitCode.UNDECIDED if found.counts()["undecided"] == len(found.cells) else ExitCode.HELD


def _problem(args: argparse.Namespace) -> tuple[str, TypeSystem]:
    """Return what the data are, in words, and the data."""
    from modeconn.capacity import example_system, type_system
    from modeconn.topology import read_problem

    if args.data is not None:
        if args.problem is not None:
            raise InputError("expected DATA.json or --data, found both; leave one out")
        return _from_dataset(args.data, args.points or 6, args.inputs or 2, args.seed)
    if args.points is not None or args.inputs is not None:
        raise InputError("--points and --inputs: expected --data, found none; a problem file is taken whole")
    if args.problem is None:
        return "the built-in problem", example_system()
    problem = read_problem(args.problem)
    if problem.ridge or problem.output_weights != "free":
        raise InputError(f"{args.problem}: expected free output weights and no ridge term; the diagram is about those")
    return str(args.problem), type_system(problem.X, problem.y)


def _from_dataset(name: str, points: int, inputs: int, seed: int) -> tuple[str, TypeSystem]:
    """Return points of a data set in their first principal directions, two decimals, targets of unit size."""
    import numpy as np

    from modeconn.capacity import type_system
    from modeconn.data import load_dataset

    data = load_dataset(name, n=points, seed=seed)
    if data.c != 1:
        raise InputError(f"--data: expected one output, found {data.c} in {data.name}; choose another data set")
    if inputs > min(data.d, data.n):
        raise InputError(f"--inputs: expected at most {min(data.d, data.n)} for {data.name}, found {inputs}")
    centred = data.X - data.X.mean(0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    left = left[:, :inputs] * np.sign(left[np.abs(left).argmax(0), range(left.shape[1])])[:inputs]
    scores = left * size[:inputs]
    X = np.round(scores / np.abs(scores).max() * 2, 2)
    y = data.Y[:, 0]
    y = np.round(y if data.task == "binary" else (y - y.mean()) / (np.abs(y - y.mean()).max() or 1.0), 2)
    return f"{data.name}, {inputs} principal directions, two decimals", type_system(X, y)


def _write(found: PhaseDiagram, folder: Path, about: str) -> dict[str, Any]:
    """Write figure, table, certificates, problem and manifest; return the record."""
    from modeconn.environment import environment
    from modeconn.io import write_bytes, write_text
    from modeconn.io import write_json as write_file
    from modeconn.plots import to_svg
    from modeconn.plots.phase_diagram import draw_phase_diagram
    from modeconn.report.manifest import manifest
    from modeconn.report.run_folder import csv_text

    ready_folder(str(folder / "certificates"))
    _forget(folder)
    files = [write_file(folder / "problem.json", found.system.to_json())]
    certificates = {}
    for name, fact in found.facts.items():
        problem = "problem.json"
        if "region" in fact.problem:
            problem = f"certificates/{name}-problem.json"
            files.append(write_file(folder / problem, fact.problem))
        files.append(write_file(folder / "certificates" / f"{name}.json", fact.certificate))
        certificates[name] = {
            "file": f"certificates/{name}.json",
            "problem": problem,
            "kind": fact.certificate["kind"],
            "statement": fact.certificate["statement"],
        }
    record = _record(found, about) | {"certificates": certificates}
    rows = found.rows()
    figure = draw_phase_diagram(rows, found.thresholds())
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=160, metadata={"Software": None})
    files.append(write_text(folder / "phase-diagram.svg", to_svg(figure)))
    files.append(write_bytes(folder / "phase-diagram.png", picture.getvalue()))
    files.append(write_text(folder / "phase-diagram.csv", csv_text(rows)))
    files.append(write_file(folder / "phase-diagram.json", record | {"cells": rows}))
    settings = {"level": str(found.level), "widths": list(found.boxes)}
    command = ["modeconn", *sys.argv[1:]]
    write_file(folder / "manifest.json", manifest(command, settings, environment(), {}, folder, files))
    return record


def _forget(folder: Path) -> None:
    """Remove the certificates that an earlier run listed in its record, so that none of them is taken for a new one.

    A damaged record names nothing that is known to be ours: no file is removed.
    """
    try:
        record = json.loads((folder / "phase-diagram.json").read_text(encoding="utf-8"))
        entries = record["certificates"].values()
        names = [name for entry in entries for name in (entry["file"], entry["problem"])]
        old = [folder / name for name in names if name.startswith("certificates/") and ".." not in name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    for file in old:
        if file.is_file():
            file.unlink()


def _record(found: PhaseDiagram, about: str) -> dict[str, Any]:
    """Return the numbers of the summary."""
    boxes = [
        {"width": width, "lower": box.lower, "upper": None if box.net is None else box.upper}
        for width, box in found.boxes.items()
    ]
    ball = found.ball
    return {
        "schema": "modeconn.phase-diagram/1",
        "about": about,
        "n": found.system.n,
        "d": found.system.d,
        "level": str(found.level),
        "reduced_width": found.system.reduced_width,
        "ball": {"lower": ball.lower, "upper": None if ball.net is None else ball.upper, "gap": ball.gap},
        "boxes": boxes,
        "counts": found.counts(),
        "thresholds": found.thresholds(),
    }


def _print(record: Mapping[str, Any], folder: Path) -> None:
    """Print the least radii, the counts, and how to check a certificate."""
    from modeconn.capacity.inputs import short
    from modeconn.cli.tables import console_of_tables

    def ends(of: Mapping[str, Any]) -> str:
        return f"[{of['lower']:.9g}, {'?' if of['upper'] is None else format(of['upper'], '.9g')}]"

    console = console_of_tables()
    level = short(Fraction(record["level"]))
    lines = [
        f"{record['about']}: n = {record['n']}, d = {record['d']}, loss <= {level}",
        f"least radius of Muon's ball, width >= {record['reduced_width']}: {ends(record['ball'])}",
        *(f"least radius of AdamW's box, width {box['width']}: {ends(box)}" for box in record["boxes"]),
        "cells: " + ", ".join(f"{count} {verdict}" for verdict, count in record["counts"].items()),
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False)
    first = next(iter(record["certificates"].values()), None)
    if first is not None:
        console.print(
            f"{len(record['certificates'])} certificates; check one: modeconn check {folder / first['file']} "
            f"--problem {folder / first['problem']}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"figure: {folder / 'phase-diagram.svg'}", markup=False, highlight=False, soft_wrap=True)
