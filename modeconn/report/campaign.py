"""The folder of a campaign: summary, this run's times, one self-contained page, manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from modeconn.environment import environment
from modeconn.io import write_json, write_text
from modeconn.report.manifest import manifest

__all__ = ["write_campaign"]


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
