"""Rows of a study's tables, selected and summarised for a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Row", "distinct", "select", "spread"]

Row = Mapping[str, Any]


def distinct(rows: Iterable[Row], key: str) -> list[Any]:
    """Return the distinct values of a column in order of first appearance."""
    return list(dict.fromkeys(row[key] for row in rows))


def select(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """Return the rows whose columns have the wanted values.

    Example:
        >>> select([{"width": 8, "loss": 1.0}, {"width": 32, "loss": 0.5}], width=32)
        [{'width': 32, 'loss': 0.5}]
    """
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def spread(
    rows: Sequence[Row], by: str, value: Callable[[Row], float]
) -> tuple[list[Any], np.ndarray, np.ndarray, np.ndarray]:
    """Return the values of column ``by`` with the minimum, median and maximum of ``value`` at each."""
    keys = sorted(set(row[by] for row in rows))
    groups = [np.array([value(row) for row in rows if row[by] == key]) for key in keys]
    stats = np.array([(g.min(), np.median(g), g.max()) for g in groups]).reshape(-1, 3)
    return keys, stats[:, 0], stats[:, 1], stats[:, 2]
