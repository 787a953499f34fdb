"""Tables and plots of the records in ``benchmarks/results``: speed against peers, share of the floor, growth with size.

    python benchmarks/table.py [FILE ...] [--plots FOLDER]

Prints Markdown, one table a machine. Every number comes from the files.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from records import SCHEMA

RESULTS = Path(__file__).parent / "results"
HEADS = ("benchmark", "case", "time", "peer", "speed", "share of floor", "gate", "outcome")


def read(paths: Sequence[Path]) -> Iterator[tuple[str, Mapping[str, Any], list[Mapping[str, Any]]]]:
    """Yield (machine, environment, records) of every file of records; files of other forms are left out."""
    for path in paths:
        document = json.loads(path.read_text())
        if document.get("schema") == SCHEMA:
            where = document["environment"]
            yield f"{where['device']} ({where['backend']}, {where['cpus']} cores)", where, document["records"]


def duration(seconds: float) -> str:
    """Return a time with three digits and a unit.

    Example:
        >>> duration(0.0123), duration(75.0)
        ('12.3 ms', '75 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def markdown(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of one machine."""
    lines = ["| " + " | ".join(HEADS) + " |", "|" + " --- |" * len(HEADS)]
    for row in records:
        peer = next(iter(row["peers"].items()), None)
        cells = (
            row["benchmark"],
            row["case"],
            duration(row["seconds"]),
            "" if peer is None else f"{peer[0]}: {duration(peer[1])}",
            "" if row["speedup"] is None else f"{row['speedup']:.2f} x",
            "" if row["floor_share"] is None else f"{100 * row['floor_share']:.0f} % ({row['bound']})",
            f"{row['gate_error']:.1e}",
            row["outcome"] + ("" if row["goal"] is None else f": {row['goal']}"),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plots(machine: str, records: Sequence[Mapping[str, Any]]) -> Figure:
    """Return speed against the first peer and share of the floor, case by case."""
    figure = Figure(figsize=(11, 0.28 * len(records) + 1.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    names = [f"{row['benchmark']}: {row['case']}" for row in records]
    colours = {"met": "#2a9d63", "missed": "#b3261e", "no goal": "#7fb7e6"}
    for ax, key, title in ((axes[0], "speedup", "speed, peer = 1"), (axes[1], "floor_share", "share of the floor")):
        values = [row[key] for row in records]
        shown = [k for k, value in enumerate(values) if value is not None]
        ax.barh(shown, [values[k] for k in shown], color=[colours[records[k]["outcome"]] for k in shown], height=0.7)
        ax.axvline(1.0, color="#39424e", linewidth=0.8)
        ax.set_xscale("log")
        ax.set_title(title, fontsize=9)
        ax.tick_params(labelsize=7)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    figure.suptitle(machine, fontsize=10)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, draw the plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="files of records (default: all of benchmarks/results)")
    parser.add_argument("--plots", type=Path, default=None, help="write one SVG a machine into this folder")
    args = parser.parse_args(arguments)
    machines: dict[str, list[Mapping[str, Any]]] = {}
    for machine, where, records in read(args.files or sorted(RESULTS.glob("*.json"))):
        machines.setdefault(machine, []).extend(records)
        commit = (where["commit"] or "unknown")[:12]
        print(f"{records[0]['benchmark']}: commit {commit}, load {where['load']:.1f}, jax {where['versions']['jax']}")
    for machine, records in machines.items():
        print(f"\n### {machine}\n\n{markdown(records)}")
        if args.plots is not None:
            args.plots.mkdir(parents=True, exist_ok=True)
            name = "".join(c if c.isalnum() else "-" for c in machine.lower()).strip("-")
            plots(machine, records).savefig(args.plots / f"{name}.svg")


if __name__ == "__main__":
    main()
