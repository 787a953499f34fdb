"""The folder of a campaign: summary, times, a self-contained page, manifest; and what reports show of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from modeconn.environment import environment
from modeconn.errors import InputError
from modeconn.io import file_sha256, write_json, write_text
from modeconn.report.manifest import manifest

__all__ = ["campaign_rows", "read_campaign", "write_campaign"]

SUMMARY = "modeconn.campaign-summary/2"
WORST_FIRST = ("refuted", "undecided", "not refuted", "certified")


def write_campaign(folder: Path, summary: Mapping[str, Any], run: Mapping[str, Any], command: Sequence[str]) -> Path:
    """Write ``summary.json``, ``run.json``, ``report.html`` and ``manifest.json``; return the page's path.

    The summary is a function of what was found; everything that depends on the machine is in the other files.

    Args:
        folder: the campaign's folder.
        summary: :meth:`modeconn.campaigns.Summary.to_json`.
        run: engine, jobs, seconds and rate of the last run.
        command: the command line as typed.
    """
    where = environment()
    outputs = [folder / "summary.json", folder / "run.json", folder / "report.html"]
    write_json(outputs[0], summary)
    write_json(outputs[1], {"schema": "modeconn.campaign-run/1", **run, "environment": where})
    page = Environment(loader=PackageLoader("modeconn.report", "."), autoescape=True, undefined=StrictUndefined)
    text = page.get_template("campaign.html").render(summary=summary, run=run, command=" ".join(command), where=where)
    write_text(outputs[2], text)
    settings = {"name": summary["name"], "seed": summary["seed"]}
    write_json(folder / "manifest.json", manifest(command, settings, where, {}, folder, outputs))
    return outputs[2]


def read_campaign(folder: Path) -> dict[str, Any]:
    """Return the summary of a finished campaign, as its folder holds it.

    Raises:
        InputError: no campaign there, one that is not finished, or a summary that is not the one that was written.
    """
    path = folder / "summary.json"
    if not path.exists():
        if (folder / "shards").exists():
            raise InputError(
                f"the campaign in {folder} is not finished; end it: modeconn campaign SPEC.toml --out {folder} --resume"
            )
        raise InputError(f"expected the folder of a campaign, found no summary.json in {folder}; check the path")
    try:
        written = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["outputs"]["summary.json"]
        summary = json.loads(path.read_text(encoding="utf-8"))
        is_sound = written == file_sha256(path) and summary["schema"] == SUMMARY
    except (OSError, ValueError, KeyError, TypeError):
        is_sound = False
    if not is_sound:
        raise InputError(
            f"{path} is damaged or of another version: it is not what its manifest names; make it again with "
            f"modeconn campaign SPEC.toml --out {folder} --resume"
        )
    return dict(summary)


def campaign_rows(folders: Iterable[Path], out: Path) -> list[dict[str, Any]]:
    """Return what finished campaigns say of claims: one row for each campaign, claim, control and family.

    Args:
        folders: of the campaigns.
        out: the folder of the page that links to theirs.

    Returns:
        Rows with ``campaign``, ``claim``, ``control`` (empty for the claim itself), ``family``, ``verdict`` (the worst
        of the cells), ``cells``, ``instances``, ``vacuous``, ``certified``, ``refuted``, ``margin`` (the smallest)
        and ``page`` (relative to ``out``).

    Raises:
        InputError: as :func:`read_campaign`, or a campaign given twice.
    """
    rows: list[dict[str, Any]] = []
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise InputError(f"expected different campaigns, found {folder} twice; its instances would count twice")
        seen.add(folder.resolve())
        summary = read_campaign(folder)
        groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
        for cell in summary["cells"]:
            key = (cell["claim"], str(cell["parameters"].get("control", "")), cell["family"])
            groups.setdefault(key, []).append(cell)
        page = Path(os.path.relpath((folder / "report.html").resolve(), out.resolve())).as_posix()
        for (claim, control, family), cells in groups.items():
            counts = {key: sum(c[key] for c in cells) for key in ("instances", "vacuous", "certified", "refuted")}
            rows.append(
                {
                    "campaign": summary["name"],
                    "claim": claim,
                    "control": control,
                    "family": family,
                    "verdict": min((cell["verdict"] for cell in cells), key=WORST_FIRST.index),
                    "cells": len(cells),
                    **counts,
                    "margin": min((cell["margin"] for cell in cells if cell["margin"] is not None), default=None),
                    "page": page,
                }
            )
    return rows
