"""The folder of a reproduction: figure, tables, page and manifest, each written whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from modeconn.environment import environment
from modeconn.errors import InputError
from modeconn.io import write_bytes, write_json, write_text
from modeconn.plots import to_svg
from modeconn.report.manifest import manifest
from modeconn.report.run_folder import csv_text
from modeconn.reproductions.frame import Profile, Reproduction, Tables

__all__ = ["write_reproduction"]

DOTS_PER_INCH = 160


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def write_reproduction(
    reproduction: Reproduction, tables: Tables, folder: Path, command: Sequence[str], profile: Profile, seed: int
) -> Path:
    """Write ``NAME.svg``, ``NAME.png``, the tables, ``report.html`` and ``manifest.json``; return the page's path.

    Args:
        reproduction: what was made.
        tables: what it computed.
        folder: created if need be.
        command: the command line as typed.
        profile: the profile of the run.
        seed: its seed.

    Raises:
        InputError: a table is empty, or the folder cannot be written.
    """
    empty = [name for name, rows in tables.items() if not rows]
    if not tables or empty:
        raise InputError(f"{reproduction.name}: expected rows in every table, found none in {empty or 'any'}")
    figure = reproduction.draw(tables)
    svg = to_svg(figure)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror or error}; choose another --out") from None
    outputs = [folder / f"{reproduction.name}.svg", folder / f"{reproduction.name}.png", folder / "tables.json"]
    write_text(outputs[0], svg)
    write_bytes(outputs[1], _png(figure))
    write_json(outputs[2], {"schema": "modeconn.tables/1", "name": reproduction.name, "tables": tables})
    for name, rows in tables.items():
        outputs.append(folder / f"{name}.csv")
        write_text(outputs[-1], csv_text(rows))
    page = Environment(
        loader=PackageLoader("modeconn.reproductions", "."), autoescape=True, undefined=StrictUndefined
    ).get_template("page.html")
    findings = reproduction.findings(tables) if reproduction.findings is not None else ()
    outputs.append(folder / "report.html")
    text = page.render(
        reproduction=reproduction,
        svg=svg[svg.index("<svg") :],
        findings=findings,
        tables={name: len(rows) for name, rows in tables.items()},
        command=" ".join(command),
        profile=profile,
        seed=seed,
    )
    write_text(outputs[-1], text)
    settings = {"profile": profile, "seed": seed, "reproduction": reproduction.name}
    write_json(folder / "manifest.json", manifest(command, settings, environment(), {}, folder, outputs))
    return outputs[-1]
