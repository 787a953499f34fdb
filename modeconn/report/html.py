"""One self-contained page: verdicts, study, figures inline, provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from modeconn.plots import FIGURES, to_svg
from modeconn.plots.tables import Row

__all__ = ["render_report"]


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or math.isinf(value) or math.isnan(value):
        return str(value)
    return f"{value:.3g}"


def _tone(claim: Mapping[str, Any]) -> str:
    if claim["verdict"] == "refuted" and claim.get("expected") == "refuted":
        return "as-expected"
    return str(claim["verdict"]).replace(" ", "-")


def render_report(
    title: str,
    subtitle: str,
    verdicts: Mapping[str, Any] | None,
    study: Mapping[str, Any] | None,
    tables: Mapping[str, Sequence[Row]],
    provenance: Sequence[tuple[str, str]],
) -> str:
    """Return the report as one HTML page that opens from disk: no script, no font, no link but to campaigns beside it.

    Args:
        title: heading.
        subtitle: one line under it.
        verdicts: the report of the claims (``modeconn.verify/1``), perhaps with ``campaigns``, or ``None``.
        study: ``summary``, ``headline_columns``, ``headline`` and ``certified``, or ``None``.
        tables: the study's tables by name; figures of :data:`modeconn.plots.FIGURES` are drawn where it is there.
        provenance: lines of the last table.
    """
    environment = Environment(
        loader=PackageLoader("modeconn.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = _number
    shown = None
    if verdicts is not None:
        defaults = {"expected": "held", "reason": "", "statement": "", "source": ""}
        campaigns = verdicts.get("campaigns", [])
        shown = {
            "claims": [
                {
                    **defaults,
                    **claim,
                    "tone": _tone(claim),
                    "campaigns": [row for row in campaigns if row["claim"] == claim["id"]],
                }
                for claim in verdicts["claims"]
            ],
            "campaigns": campaigns,
        }
    figures = [
        {"title": spec.title, "caption": spec.caption, "svg": to_svg(spec.draw(tables[spec.table]))}
        for spec in FIGURES.values()
        if tables.get(spec.table)
    ]
    return environment.get_template("template.html").render(
        title=title, subtitle=subtitle, verdicts=shown, study=study, figures=figures, provenance=provenance
    )
