"""The summary of a campaign: a function of what was found, byte for byte the same however it was run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modeconn.campaigns.family import FAMILIES
from modeconn.campaigns.spec import Cell, Spec
from modeconn.campaigns.tally import Tally, total

__all__ = ["CellResult", "Summary", "summarise"]

SCHEMA = "modeconn.campaign-summary/2"

CampaignVerdict = Literal["certified", "not refuted", "refuted", "undecided", "unfinished"]


def verdict_of(tally: Tally, missing: int) -> CampaignVerdict:
    """Return what may be said after this tally, of a cell of which so many instances are missing.

    Example:
        >>> verdict_of(Tally(instances=4, margin=0.0, at=1), 0), verdict_of(Tally(instances=4, refuted=1), 9)
        ('not refuted', 'refuted')
    """
    if tally.refuted:
        return "refuted"
    if missing:
        return "unfinished"
    if tally.undecided or tally.instances == tally.vacuous:
        return "undecided"
    return "certified" if tally.certified == tally.instances - tally.vacuous else "not refuted"


@dataclass(frozen=True)
class CellResult:
    """A cell, its tally so far, and how many of its instances are missing."""

    cell: Cell
    tally: Tally
    missing: int

    @property
    def verdict(self) -> CampaignVerdict:
        """What may be said of the statement in this cell."""
        return verdict_of(self.tally, self.missing)

    def to_json(self) -> dict[str, Any]:
        """Return the cell's line as JSON values."""
        tally = self.tally.to_json()
        tally.pop("halved")  # depends on the machine, not on what was found
        family = FAMILIES[self.cell.family]
        return {
            "cell": self.cell.id,
            "family": self.cell.family,
            "parameters": dict(self.cell.parameters),
            "statement": family.statement,
            "claim": family.about(self.cell.parameters),
            "verdict": self.verdict,
            "missing": self.missing,
            **tally,
        }


@dataclass(frozen=True)
class Summary:
    """All cells of a campaign, in the order of its file."""

    spec: Spec
    cells: tuple[CellResult, ...]

    @property
    def tally(self) -> Tally:
        """The tally over all cells; its ``at`` is a number within a cell and means nothing here."""
        return total(cell.tally for cell in self.cells)

    @property
    def verdict(self) -> CampaignVerdict:
        """The worst verdict of the cells."""
        order: tuple[CampaignVerdict, ...] = ("refuted", "unfinished", "undecided", "not refuted", "certified")
        return min((cell.verdict for cell in self.cells), key=order.index)

    @property
    def halved(self) -> int:
        """How often a batch was cut in two for want of memory."""
        return self.tally.halved

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values: no time, no machine."""
        tally = self.tally
        return {
            "schema": SCHEMA,
            "name": self.spec.name,
            "seed": self.spec.seed,
            "verdict": self.verdict,
            "instances": tally.instances,
            "vacuous": tally.vacuous,
            "certified": tally.certified,
            "refuted": tally.refuted,
            "undecided": tally.undecided,
            "cells": [cell.to_json() for cell in self.cells],
        }


def summarise(spec: Spec, done: Mapping[str, Mapping[tuple[int, int], Tally]]) -> Summary:
    """Return the summary of what is done.

    Args:
        spec: the campaign.
        done: cell id -> range -> tally, ranges disjoint.
    """
    cells = []
    for cell in spec.cells:
        ranges = done.get(cell.id, {})
        missing = cell.instances - sum(stop - start for start, stop in ranges)
        cells.append(CellResult(cell, total(ranges[key] for key in sorted(ranges)), missing))
    return Summary(spec, tuple(cells))
