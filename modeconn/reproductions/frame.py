"""What a reproduction is: tables computed from a seed, a figure drawn from the tables alone, and a page with both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from modeconn.plots.tables import Row
from modeconn.reporter import Reporter

__all__ = ["PROFILES", "Compute", "Draw", "Profile", "Reproduction", "Tables"]

Profile = Literal["quick", "full"]
PROFILES: tuple[Profile, ...] = ("quick", "full")
"""``quick`` takes seconds and shows the effect, ``full`` takes minutes and is what one would print."""

Tables = dict[str, list[Row]]
"""Name -> rows of JSON values, all rows of a table with the same columns."""

Compute = Callable[[Profile, int, Reporter], Tables]
Draw = Callable[[Mapping[str, Sequence[Row]]], Figure]


@dataclass(frozen=True)
class Reproduction:
    """A figure of a paper or of a theorem, made again from nothing.

    Attributes:
        name: what one types, words joined by dashes.
        title: heading of its page.
        caption: how to read the figure, and what in it is exact, certified or sampled.
        claims: ids of the claims it illustrates.
        compute: (profile, seed, reporter) -> tables; the same tables for the same profile and seed.
        draw: tables -> figure; no number in the figure comes from anywhere else.
        findings: tables -> paragraphs of plain text that say what the tables show; optional.
    """

    name: str
    title: str
    caption: str
    claims: tuple[str, ...]
    compute: Compute
    draw: Draw
    findings: Callable[[Mapping[str, Sequence[Row]]], Sequence[str]] | None = None
