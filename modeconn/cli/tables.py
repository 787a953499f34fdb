"""Tables on standard output: verdicts, and the study's headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["console_of_tables", "print_runs", "print_study", "print_verdicts"]

_STYLES = {"certified": "bold green", "not refuted": "green", "refuted": "bold red", "undecided": "yellow"}


def console_of_tables() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=110)


def print_verdicts(payload: Mapping[str, Any]) -> None:
    """Print one row a claim: verdict, instances, margin, controls."""
    table = Table(title="Claims on trial", title_justify="left")
    for heading in ("claim", "verdict"):
        table.add_column(heading)
    for heading in ("instances", "vacuous", "margin", "controls refuted", "seconds"):
        table.add_column(heading, justify="right")
    for claim in payload["claims"]:
        expected = claim["verdict"] == "refuted" and claim.get("expected") == "refuted"
        style = "green" if expected else _STYLES[claim["verdict"]]
        verdict = "refuted, as it must be" if expected else claim["verdict"]
        refuted = sum(control["refuted"] for control in claim["controls"])
        table.add_row(
            claim["id"],
            f"[{style}]{verdict}[/]",
            str(claim["instances"]),
            str(claim["vacuous"]),
            "" if claim["margin"] is None else f"{claim['margin']:.3g}",
            f"{refuted} of {len(claim['controls'])}",
            f"{claim['seconds']:.1f}",
        )
    console = console_of_tables()
    console.print(table)
    for claim in payload["claims"]:
        if claim.get("reason"):
            console.print(f"{claim['id']}: {claim['reason']}", markup=False, highlight=False)
        if claim.get("witness"):
            console.print(f"{claim['id']}: witness {claim['witness']}", markup=False, highlight=False)


def print_study(study: Any) -> None:
    """Print the study's headline table."""
    table = Table(title="\nExact barriers between trained nets, per data point (median)", title_justify="left")
    for index, heading in enumerate(study.headline_columns):
        table.add_column(heading, justify="left" if index < 2 else "right")
    for row in study.headline:
        table.add_row(*(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row))
    console_of_tables().print(table)


def print_runs(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one row a net: how training ended."""
    table = Table(title="Training", title_justify="left")
    columns = ("optimizer", "width", "seed", "loss_per_point", "kkt_score", "ratio_W", "ratio_A", "stable_rank")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="left" if column == "optimizer" else "right")
    for row in rows:
        cells = (row[column] for column in columns)
        table.add_row(*("diverged" if c is None else f"{c:.3g}" if isinstance(c, float) else str(c) for c in cells))
    console_of_tables().print(table)
