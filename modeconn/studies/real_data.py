"""The study on real data: trained nets, the exact barriers between them, and where each optimizer ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modeconn.data import Dataset, load_dataset
from modeconn.io import write_json, write_npz
from modeconn.precision import in_float64
from modeconn.reporter import SILENT, Reporter
from modeconn.studies.cell import ALIGNMENTS, GRID_POINTS, measure_cell
from modeconn.studies.settings import StudySettings

__all__ = ["StudyResult", "real_data_study"]

TABLES = ("runs", "barriers", "curves", "history", "certified")


@dataclass(frozen=True)
class StudyResult:
    """Everything a study found.

    Attributes:
        settings: what was run.
        tables: rows by table name: ``runs`` (a row a net), ``barriers`` (a row a pair), ``curves``, ``history``,
            ``certified``.
        inputs: data set -> SHA-256 of the numbers used.
        files: what was written.
    """

    settings: dict[str, Any]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    inputs: Mapping[str, str]
    files: Sequence[Path]

    @property
    def headline_columns(self) -> list[str]:
        """Headings of :attr:`headline`: the widths as trained, then after weight matching."""
        return ["data", "pair", *(f"width {w}" for w in self._widths), *(f"{w}, matched" for w in self._widths)]

    @property
    def headline(self) -> list[list[Any]]:
        """Median barrier per data point, a row for each data set and pair of optimizers."""
        groups: dict[tuple[str, str], dict[tuple[str, int], list[float]]] = {}
        for row in self.tables["barriers"]:
            key = (row["dataset"], f"{row['optimizer_a']} to {row['optimizer_b']}")
            cell = groups.setdefault(key, {}).setdefault((row["alignment"], row["width"]), [])
            cell.append(row["barrier"] / row["points"])
        columns = [(alignment, width) for alignment in ALIGNMENTS for width in self._widths]
        return [
            [*key, *(float(np.median(cells[column])) if column in cells else "" for column in columns)]
            for key, cells in groups.items()
        ]

    @property
    def _widths(self) -> list[int]:
        return sorted({row["width"] for row in self.tables["barriers"]})

    @property
    def summary(self) -> str:
        """What was trained and joined, in a sentence or two."""
        runs, barriers = self.tables["runs"], self.tables["barriers"]
        diverged = sum(row["diverged"] for row in runs)
        inside = sum(row["in_region"] for row in runs)
        missed = [1 - row["barrier_on_grid"] / row["barrier"] for row in barriers if row["barrier"] > 0]
        return (
            f"{len(runs)} nets trained ({diverged} diverged, {inside} ended inside their optimizer's region), "
            f"{len(barriers)} segments between them measured exactly; a grid of {GRID_POINTS} points "
            f"misses {np.median(missed):.2%} of the barrier in the median and at most {max(missed):.1%}. Loss: half "
            "the squared error, summed over the data."
        )

    def for_report(self) -> dict[str, Any]:
        """Return what the report shows beside the figures."""
        return {
            "summary": self.summary,
            "headline_columns": self.headline_columns,
            "headline": self.headline,
            "certified": list(self.tables["certified"]),
        }


@in_float64
def real_data_study(
    settings: StudySettings, folder: Path, *, resume: bool = False, reporter: Reporter = SILENT
) -> StudyResult:
    """Return the study, cell by cell (one data set at one width); each cell is on disk as soon as it is done.

    Args:
        settings: the study.
        folder: where the cells, the nets and their tables go; made if missing.
        resume: take cells of the same settings that are already there.
        reporter: is told of every cell.

    Raises:
        InputError: data that cannot be had, or a folder that cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = {name: load_dataset(name, n=rows, seed=settings.seed, bias=True) for name, rows in settings.datasets}
    cells = [(name, width) for name in data for width in settings.widths]
    reporter.start("study", len(cells))
    found, files = [], []
    for name, width in cells:
        path = folder / f"{name}-w{width}.json"
        cell = _stored(path, settings) if resume else None
        if cell is None:
            cell = measure_cell(settings, data[name], name, width)
            write_npz(path.with_suffix(".npz"), cell.pop("nets"))
            write_json(path, {"study": settings.digest(), **cell})
        found.append(cell)
        files += [path, path.with_suffix(".npz")]
        reporter.advance("study")
    reporter.finish("study")
    tables = {table: [row for cell in found for row in cell[table]] for table in TABLES}
    widest = max(settings.widths)
    tables["curves"] = [row for row in tables["curves"] if row["width"] == widest]
    return StudyResult(settings.to_json(), tables, {name: _digest(part) for name, part in data.items()}, files)


def _stored(path: Path, settings: StudySettings) -> dict[str, Any] | None:
    """Return a finished cell of this very study, or ``None``: then it is measured again."""
    try:
        cell: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(cell, dict) and cell.get("study") == settings.digest() and all(table in cell for table in TABLES)
    return cell if whole and path.with_suffix(".npz").exists() else None


def _digest(data: Dataset) -> str:
    return hashlib.sha256(data.X.tobytes() + data.Y.tobytes()).hexdigest()
