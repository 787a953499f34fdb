"""The witnesses that ship with the package."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from modeconn.studies.witness import Witness, examine
from modeconn.topology import problem_from_json

__all__ = ["shipped_records", "shipped_witnesses"]


def shipped_records() -> list[dict[str, Any]]:
    """Return the stored records: data, width, radii, reaches, barrier, and the fractions of runs measured once."""
    text = resources.files("modeconn.studies").joinpath("witnesses.json").read_text(encoding="utf-8")
    records: list[dict[str, Any]] = json.loads(text)["witnesses"]
    return records


def shipped_witnesses() -> tuple[Witness, ...]:
    """Return the shipped witnesses, computed anew from their data and width alone.

    Example:
        >>> [(str(w.barrier), {norm: str(r) for norm, r in w.radii.items()}) for w in shipped_witnesses()][0]
        ('72/65', {'linf': '9/5', 'spectral': '9/4'})
    """
    found = [examine(problem_from_json(record["problem"]), record["width"]) for record in shipped_records()]
    return tuple(witness for witness in found if witness is not None)
