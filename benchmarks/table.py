"""The page of all records: goals missed first, then for each machine tables and plots. Every number is from the files.

    python benchmarks/table.py [FILE ...] [--page FOLDER]

Prints Markdown; with ``--page`` writes README.md and the plots into a folder instead. The same files give the same
bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from figures import compact, draw_growth, draw_speed, duration, series_of, short, slope
from schema import read_document

from modeconn.errors import ExitCode, InputError
from modeconn.io import write_text
from modeconn.plots.style import to_svg

__all__ = ["markdown", "page", "pictures", "read"]

RESULTS = Path(__file__).parent / "results"
Document = Mapping[str, Any]
Record = Mapping[str, Any]

SPEED_HEADS = ("case", "time", "instead", "speed", "share of floor", "error", "goal")
GROWTH_HEADS = ("over", "fixed", "sizes", "time", "slope", "slope of the theory", "theory counts")
RUN_HEADS = ("benchmark", "commit", "load before, after", "Python", "versions")

INTRODUCTION = """# Benchmarks

Made from the JSON files of this folder by `python benchmarks/table.py --page benchmarks/results`; measure with
`make bench`, or with `make bench-gpu` where there is an accelerator.

Answers are checked before anything is timed; *error* is what that check found, against an independent answer (0: equal
in exact arithmetic). *Time* is the least of several rounds, ours and its peers taken in turn. *Instead* is what one
would use otherwise, for the same work in the same run; *speed* is its time over ours. The *floor* is what the machine
needs at least, from the bytes or operations named and rates measured in the same run. A *slope* is the exponent of a
power law fitted to the times, beside that of the theory's count at the same sizes. The load is what the system reports
for the last minute: where it is well above one before the run, others were using the machine."""


def read(paths: Iterable[Path]) -> dict[str, Document]:
    """Return the files of records, checked, by name without ending.

    Raises:
        InputError: a file is cut off or of another form.
    """
    return {path.stem: read_document(path) for path in sorted(paths)}


def machine_of(document: Document) -> str:
    """Return the machine in words."""
    where = document["environment"]
    name = where["device"] if where["backend"] != "cpu" else where.get("processor") or where["device"]
    count = f"{where['devices']} device{'s' * (where['devices'] > 1)}, " if where["backend"] != "cpu" else ""
    return f"{name} ({where['backend']}, {count}{where['cpus']} cores)"


def benchmark_of(document: Document) -> str:
    """Return the one benchmark of a file."""
    return str(document["records"][0]["benchmark"])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def _goal(row: Record) -> str:
    if row["goal"] is None:
        return ""
    return f"met: {row['goal']}" if row["outcome"] == "met" else f"**missed**: {row['goal']}"


def _speeds(records: Sequence[Record]) -> str:
    rows = []
    for row in records:
        peers = list(row["peers"].items())
        rows.append(
            (
                row["case"],
                duration(row["seconds"]),
                "<br>".join(f"{name}: {duration(seconds)}" for name, seconds in peers),
                "<br>".join(f"{short(seconds / row['seconds'])} x" for _, seconds in peers),
                "" if row["floor_share"] is None else f"{short(100 * row['floor_share'])} % ({row['bound']})",
                f"{row['gate_error']:.1e}" if row["gate_error"] else "0",
                _goal(row),
            )
        )
    return _table(SPEED_HEADS, rows)


def _growth(records: Sequence[Record]) -> str:
    rows = []
    for series in series_of(records):
        ends = f"{duration(series.seconds[0])} to {duration(series.seconds[-1])}"
        sizes = ", ".join(map(compact, series.x))
        slopes = (f"{slope(series.x, y):.2f}" for y in (series.seconds, series.cost))
        rows.append((series.over, series.name, sizes, ends, *slopes, series.cost_is))
    return _table(GROWTH_HEADS, rows)


def _run(document: Document) -> tuple[str, ...]:
    where = document["environment"]
    commit = (where["commit"] or "unknown")[:12] + (", with changes" if where.get("modified") else "")
    before = where.get("load_before")
    load = f"{'?' if before is None else f'{before:.1f}'}, {where['load']:.1f}"
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items() if name != "jaxlib")
    return benchmark_of(document), commit, load, where["python"], versions


def _summary(documents: Iterable[Document]) -> str:
    goals = [row for document in documents for row in document["records"] if row["goal"] is not None]
    missed = [row for row in goals if row["outcome"] == "missed"]
    lines = [f"**Goals: {len(goals) - len(missed)} met, {len(missed)} missed.**"]
    for row in missed:
        peer = "" if row["speedup"] is None else f", {short(row['speedup'])} x {next(iter(row['peers']))}"
        floor = "" if row["floor_share"] is None else f", {short(100 * row['floor_share'])} % of the floor"
        lines.append(
            f"- missed: {row['benchmark']}, {row['case']}: {duration(row['seconds'])}{peer}{floor}; goal: {row['goal']}"
        )
    return "\n".join([lines[0], "", *lines[1:]]).rstrip()


def markdown(documents: Mapping[str, Document], shown: Iterable[str] = ()) -> str:
    """Return the page as text.

    Args:
        documents: name of the file without ending -> what it holds.
        shown: names of the plots that stand beside it.
    """
    there = set(shown)
    parts = [INTRODUCTION, _summary(documents.values())]
    for machine in dict.fromkeys(map(machine_of, documents.values())):
        group = {stem: document for stem, document in documents.items() if machine_of(document) == machine}
        parts += [f"## {machine}", _table(RUN_HEADS, map(_run, group.values()))]
        for stem, document in group.items():
            parts.append(f"### {benchmark_of(document)}")
            if document.get("quick"):
                parts.append("Small sizes: a check of the script, not a measurement.")
            parts.append(_speeds(document["records"]))
            if f"{stem}.svg" in there:
                parts.append(f"![speed and share of the floor, {benchmark_of(document)}]({stem}.svg)")
            if series_of(document["records"]):
                parts.append(_growth(document["records"]))
            if f"{stem}-growth.svg" in there:
                parts.append(f"![growth with size, {benchmark_of(document)}]({stem}-growth.svg)")
    return "\n\n".join(parts) + "\n"


def digest(document: Document) -> str:
    """Return the SHA-256 of the records, which their plots carry."""
    text = json.dumps(document["records"], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def pictures(documents: Mapping[str, Document]) -> dict[str, str]:
    """Return the plots, file name -> SVG, each with the digest of its records in the first line."""
    found = {}
    for stem, document in documents.items():
        drawn = {f"{stem}.svg": draw_speed, f"{stem}-growth.svg": draw_growth}
        for name, draw in drawn.items():
            if (figure := draw(document["records"])) is not None:
                found[name] = f"<!-- records {digest(document)} -->\n{to_svg(figure)}"
    return found


def page(documents: Mapping[str, Document]) -> dict[str, str]:
    """Return all that is generated: file name -> text."""
    drawn = pictures(documents)
    return {"README.md": markdown(documents, drawn), **drawn}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page, or write it with its plots; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="files of records (default: all of benchmarks/results)")
    parser.add_argument("--page", type=Path, default=None, help="write README.md and the plots into this folder")
    args = parser.parse_args(arguments)
    try:
        documents = read(args.files or RESULTS.glob("*.json"))
        if not documents:
            raise InputError("expected files of records, found none; make some with `python benchmarks/run.py`")
        if args.page is None:
            print(markdown(documents))
            return ExitCode.HELD
        args.page.mkdir(parents=True, exist_ok=True)
        written = page(documents)
        for name, text in written.items():
            write_text(args.page / name, text)
        for path in sorted(args.page.glob("*.svg")):
            if path.name not in written:
                print(f"{path}: of no record here; delete it")
    except InputError as error:
        print(error, file=sys.stderr)
        return ExitCode.BAD_INPUT
    return ExitCode.HELD


if __name__ == "__main__":
    raise SystemExit(main())
