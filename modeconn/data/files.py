"""Data of the user's own: ``.npz`` with X and y, or ``.csv`` with the target in the last column."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np

from modeconn.data.sources import Table
from modeconn.errors import InputError
from modeconn.io import parse_npz, read_bytes, real_floats

__all__ = ["read_csv_table", "read_npz_table", "read_table"]


def read_table(path: Path) -> Table:
    """Return inputs and targets of a data file, by its suffix."""
    match path.suffix:
        case ".npz":
            return read_npz_table(path)
        case ".csv":
            return read_csv_table(path)
    raise InputError(f"{path}: expected a .npz or .csv data file, found suffix {path.suffix!r}; convert it")


def read_npz_table(path: Path) -> Table:
    """Return X (n, d) and y, shape (n,) or (n, c), of an ``.npz``; float16 and float32 are read exactly."""
    arrays = parse_npz(read_bytes(path), str(path))
    if set(arrays) != {"X", "y"}:
        found = ", ".join(sorted(arrays))[:100] or "none"
        raise InputError(
            f"{path}: expected exactly the arrays X (n, d) and y (n,) or (n, c), found {found}; rename them"
        )
    X, y = (real_floats(arrays[key], f"{path}: {key}").astype(np.float64) for key in ("X", "y"))
    if X.ndim != 2 or y.ndim not in (1, 2) or len(X) != len(y):
        raise InputError(f"{path}: expected X (n, d) and y (n,) or (n, c), found {X.shape} and {y.shape}; reshape them")
    return Table(X, Y=y[:, None] if y.ndim == 1 else y)


def read_csv_table(path: Path) -> Table:
    """Return the columns of a comma-separated file: the last one is the target, all others are inputs.

    The first line is a header when none of its cells is a number. Blank lines are skipped.

    Raises:
        InputError: a cell that is not a finite number or a line of another length (named by its line), fewer than two
            columns, no data, or a file that is not UTF-8 text.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as comma-separated UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[float]] = []
    columns = 0
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns == 0:
                columns = len(cells)
                if columns < 2:
                    raise InputError(
                        f"{path}, line {reader.line_num}: one column; expected inputs and a target, by commas"
                    )
                if all(_number(cell) is None for cell in cells):
                    continue
            rows.append(_parse_row(cells, columns, f"{path}, line {reader.line_num}"))
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: not comma-separated text ({error}); save it again"
        ) from error
    if not rows:
        raise InputError(f"{path}: no line of numbers; expected one data point a line, the target last")
    table = np.array(rows, np.float64)
    return Table(table[:, :-1], Y=table[:, -1:])


def _number(cell: str) -> float | None:
    """Return the number in a cell, or None; ``1_000`` is not one."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _parse_row(cells: list[str], columns: int, where: str) -> list[float]:
    if len(cells) != columns:
        raise InputError(f"{where}: found {len(cells)} cells, expected {columns} as in the first line; complete it")
    row = []
    for k, cell in enumerate(cells, 1):
        value = _number(cell)
        if value is None:
            raise InputError(f"{where}, column {k}: {cell[:40]!r} is not a number; correct or drop the line")
        if not math.isfinite(value):
            raise InputError(f"{where}, column {k}: {cell[:40]!r} is not finite; correct or drop the line")
        row.append(value)
    return row
