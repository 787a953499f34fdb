"""Saved paths of either kind."""

from __future__ import annotations

import os

from modeconn.constructions.cell_path import CellPath, load_cell_path
from modeconn.constructions.gram_path import GramPath, load_gram_path
from modeconn.io import read_arrays

__all__ = ["load_path"]


def load_path(path: str | os.PathLike[str]) -> GramPath | CellPath:
    """Return the path in an ``.npz`` that ``save`` of either kind of path wrote.

    Raises:
        InputError: a file that is none, or one that was damaged.
    """
    return load_cell_path(path) if "kind" in read_arrays(path) else load_gram_path(path)
