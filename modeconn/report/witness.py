"""The folder of a witness: record, certificates, runs, and one self-contained page with the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from modeconn.environment import environment
from modeconn.io import write_json, write_text
from modeconn.plots import to_svg
from modeconn.plots.style import label_of
from modeconn.plots.witness import (
    OUTCOME_LABELS,
    REGION_LABELS,
    loss_along_path,
    reach_of_runs,
    slice_picture,
    where_runs_ended,
)
from modeconn.report.manifest import manifest
from modeconn.report.run_folder import csv_text
from modeconn.studies.witness import NORM_OF
from modeconn.studies.witness_story import WitnessStory, common_ends, write_story

__all__ = ["render_witness", "write_witness"]


def _figures(story: WitnessStory) -> list[dict[str, str]]:
    drawn = (
        (
            "The slice",
            slice_picture(story.certified, story.plane),
            "Loss on the plane through a zero-loss net of each orbit and the pass between them, with the nets that "
            "some choice of scales puts in each region: each holds one star and not the other. The path is the optimal "
            "one, projected where it leaves the plane; it never rises above the red level.",
        ),
        (
            "Loss along the path",
            loss_along_path(story.certified),
            "Along the optimal path (by arc length) and along the straight segment. The path's vertices are rational "
            "and the loss is convex between them, so the dashed line is exact; no path stays below it.",
        ),
        (
            "Where the runs are",
            reach_of_runs(story.certified, story.rows),
            "Each run by the least radius of either region that would hold it, over all choices of scales; the area of "
            "a dot is the number of runs there. Shaded: the optimizer's own region. Runs at its edge beside the other "
            "star are on the way to an orbit that the region does not reach.",
        ),
        (
            "Where the runs ended",
            where_runs_ended(story.rows, story.fractions),
            "All runs of the final fleets, none left out.",
        ),
    )
    return [{"title": title, "svg": to_svg(figure), "caption": caption} for title, figure, caption in drawn]


def _regions(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": REGION_LABELS[norm].split(" (")[0],
            "optimizers": ", ".join(label_of(name) for name, of in NORM_OF.items() if of == norm),
            "radius": radius,
            "decay": next(record["lambda"][name] for name, of in NORM_OF.items() if of == norm),
            "reaches": record["reaches"][norm],
            "predicted": record["predicted"][norm],
        }
        for norm, radius in record["radii"].items()
    ]


def _tables(story: WitnessStory) -> dict[str, Any]:
    """Return the rows of the page's tables."""
    table = []
    for name, fractions in story.fractions.items():
        own = [row for row in story.rows if row["optimizer"] == name]
        inside = sum(row["in_region"] for row in own) / len(own)
        entry = {"optimizer": label_of(name), "init": own[0]["init"], "rate": f"{own[0]['learning_rate']:g}"}
        table.append(entry | {"inside": inside, "fractions": fractions})
    rates = sorted({trial["learning_rate"] for trial in story.trials})
    shares = {(t["init"], t["optimizer"], t["learning_rate"]): f"{100 * t['predicted']:.0f}%" for t in story.trials}
    pairs = dict.fromkeys((t["init"], t["optimizer"]) for t in story.trials)
    return {
        "outcomes": [{"name": name, "label": label} for name, label in OUTCOME_LABELS.items()],
        "table": table,
        "ends": [
            end
            | {"optimizer": label_of(end["optimizer"]), "label": OUTCOME_LABELS[end["outcome"]], "loss": end["loss"]}
            for end in common_ends(story.rows)
        ],
        "rates": [f"{rate:g}" for rate in rates],
        "tried": [
            {
                "init": init,
                "optimizer": label_of(name),
                "shares": [shares.get((init, name, rate), "not tried") for rate in rates],
            }
            for init, name in pairs
        ],
    }


def render_witness(story: WitnessStory, provenance: Sequence[tuple[str, str]]) -> str:
    """Return the page of a witness, which opens from disk: no script, no font, no link to anywhere."""
    page = Environment(
        loader=PackageLoader("modeconn.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("witness.html")
    record = story.to_json()
    file, entry = next(iter(record["certificates"].items()))
    return page.render(
        w=record,
        regions=_regions(record),
        first={"file": file, "problem": entry["problem"]},
        figures=_figures(story),
        provenance=provenance,
        **_tables(story),
    )


def write_witness(story: WitnessStory, folder: Path, command: Sequence[str], settings: Mapping[str, Any]) -> Path:
    """Write ``witness.json``, certificates, ``runs.csv``, ``slice.npz``, ``report.html`` and ``manifest.json``.

    Returns:
        The path of the page.

    Raises:
        InputError: the folder cannot be written.
    """
    files = write_story(story, folder)
    problem, width = story.certified.witness.problem, story.certified.witness.width
    rows = [
        {key: value for key, value in row.items() if key not in ("W", "A")} | _weights(row, problem.dimension, width)
        for row in story.rows
    ]
    files.append(write_text(folder / "runs.csv", csv_text(rows)))
    where = environment()
    provenance = [
        ("command", " ".join(command)),
        ("device", f"{where['device']} ({where['backend']}), {where['platform']}"),
        ("precision", "training in float64; topology, barrier, certificates and assignment of runs in rationals"),
        ("versions", ", ".join(f"{name} {version}" for name, version in where["packages"].items())),
    ]
    page = write_text(folder / "report.html", render_witness(story, provenance))
    write_json(folder / "manifest.json", manifest(command, settings, where, {}, folder, [*files, page]))
    return page


def _weights(row: Mapping[str, Any], d: int, m: int) -> dict[str, Any]:
    """Return the weights of a run as columns W00, W01, ..., A0, ...; empty where it diverged or A is fixed."""
    cells = {f"W{k}{j}": None if row["W"] is None else row["W"][k][j] for k in range(d) for j in range(m)}
    return cells | {f"A{j}": None if row["A"] is None else row["A"][j] for j in range(m)}
