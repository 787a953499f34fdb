"""The folder of a run: verdicts, tables, arrays, report and manifest, each written whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modeconn.io import write_json, write_text
from modeconn.plots.tables import Row
from modeconn.report.html import render_report
from modeconn.report.manifest import manifest
from modeconn.studies import StudyResult

__all__ = ["csv_text", "write_run"]


def csv_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV with a header; columns are those of the first row, sequences are left out.

    Example:
        >>> print(csv_text([{"width": 8, "loss": 0.5, "t": [0, 1]}]), end="")
        width,loss
        8,0.5
    """
    columns = [key for key, value in rows[0].items() if not isinstance(value, list)] if rows else []
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _versions(environment: Mapping[str, Any]) -> dict[str, str]:
    own = {"modeconn": environment["modeconn"], "python": environment["python"]}
    return own | environment["packages"]


def write_run(folder: Path, verdicts: Mapping[str, Any], study: StudyResult | None, command: Sequence[str]) -> Path:
    """Write ``verdicts.json``, the study's tables, ``report.html`` and ``manifest.json``; return the report's path.

    ``verdicts["campaigns"]``, if it is there, holds the rows of :func:`modeconn.report.campaign.campaign_rows`.

    Raises:
        InputError: when the folder cannot be written (full disk, no permission); nothing already there is lost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outputs = [folder / "verdicts.json"]
    write_json(outputs[0], verdicts)
    tables: Mapping[str, Sequence[Row]] = {} if study is None else study.tables
    for name, rows in tables.items():
        if name in ("runs", "barriers", "certified"):
            outputs.append(folder / "study" / f"{name}.csv")
            write_text(outputs[-1], csv_text(rows))
    settings = {"profile": verdicts["environment"]["profile"], "seed": verdicts["environment"]["seed"]}
    inputs: Mapping[str, str] = {}
    if study is not None:
        settings["study"] = study.settings
        inputs = study.inputs
        outputs += [path for path in study.files if path.exists()]
    environment = verdicts["environment"]
    provenance = [
        ("command", " ".join(command)),
        ("profile, seed", f"{settings['profile']}, {settings['seed']}"),
        ("device", f"{environment['device']} ({environment['backend']}), {environment['platform']}"),
        ("precision", f"{environment['precision']}; decisions in rational arithmetic"),
        ("versions", ", ".join(f"{name} {version}" for name, version in _versions(environment).items())),
        ("seconds", f"{verdicts['seconds']:.1f}"),
    ]
    outputs.append(folder / "report.html")
    write_text(
        outputs[-1],
        render_report(
            "Mode connectivity on trial",
            "Claims about optimizers and loss landscapes, and the barriers between nets that were really trained.",
            verdicts if verdicts["claims"] else None,
            None if study is None else study.for_report(),
            tables,
            provenance,
        ),
    )
    write_json(folder / "manifest.json", manifest(command, settings, environment, inputs, folder, outputs))
    return outputs[-1]
