"""One known answer: what the theory says, what was found, how, and whether the two agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from scipy.stats import t as student

from modeconn.plots.tables import Row
from proofs_check.checker import check_certificate

__all__ = ["HOW", "Answer", "Found", "certified", "exact", "interval", "numerical", "sampled"]

How = Literal["certified", "exact", "interval", "numerical", "sampled", "refused"]
Relation = Literal["=", ">", ">=", "<="]
Number = Fraction | float | int

HOW: dict[How, str] = {
    "certified": "a rational, and the independent checker accepted a certificate of it",
    "exact": "a rational, computed without rounding",
    "interval": "two rigorous ends",
    "numerical": "floats",
    "sampled": "a mean over random draws; the tolerance is the half-width of its 99.9 % interval",
    "refused": "the checker refuses the certificate, or it states another number: never an agreement",
}
"""How a number was obtained."""

ROUNDING = 1e-12
"""Largest relative difference between two numbers computed in floats."""

CONFIDENCE = 0.999


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        lower: lower end; the number itself if there is no interval.
        upper: upper end.
        how: a key of :data:`HOW`.
        tolerance: largest difference from the known value that counts as agreement, absolute.
    """

    lower: Fraction
    upper: Fraction
    how: How
    tolerance: float


def exact(value: Fraction | int) -> Found:
    """Return a rational number that was computed exactly; it has to be equal."""
    return Found(Fraction(value), Fraction(value), "exact", 0.0)


def certified(value: Fraction | int, key: str, certificate: Mapping[str, Any], problem: Mapping[str, Any]) -> Found:
    """Return a rational number whose certificate the independent checker accepts for this problem.

    Args:
        value: the number.
        key: its place in the statement of the certificate.
        certificate: as the checker reads it.
        problem: what the certificate is about.
    """
    accepted = check_certificate(certificate, problem).accepted and Fraction(certificate["statement"][key]) == value
    return Found(Fraction(value), Fraction(value), "certified" if accepted else "refused", 0.0)


def interval(lower: Number, upper: Number, tolerance: float) -> Found:
    """Return two rigorous ends; both have to be this near, and the known value between them."""
    return Found(Fraction(lower), Fraction(upper), "interval", tolerance)


def numerical(value: float, tolerance: float | None = None) -> Found:
    """Return a number computed in floats; by default it has to agree to 1e-12 of its size."""
    allowed = ROUNDING * max(1.0, abs(value)) if tolerance is None else tolerance
    return Found(Fraction(value), Fraction(value), "numerical", allowed)


def sampled(values: Sequence[float] | np.ndarray) -> Found:
    """Return a mean over independent draws with the half-width of its 99.9 % interval (Student) as tolerance."""
    values = np.asarray(values, float)
    mean = Fraction(float(values.mean()))
    half = float(student.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return Found(mean, mean, "sampled", half)


@dataclass(frozen=True)
class Answer:
    """A known answer beside what was found.

    Attributes:
        id: its name in the table, unique.
        claim: id of the statement of the theory it belongs to.
        what: the number, in words.
        known: its value in the theory: a rational, or a float where it is irrational.
        text: that value as one writes it.
        found: what the library computes.
        relation: between what was found and the known value.
        note: what else to know, e.g. why they differ.
    """

    id: str
    claim: str
    what: str
    known: Number
    text: str
    found: Found
    relation: Relation = "="
    note: str = ""

    @property
    def difference(self) -> float:
        """Distance from the known value to the farther end; for an inequality, by how much it fails."""
        known, found = Fraction(self.known), self.found
        if self.relation == "=":
            return float(max(abs(found.lower - known), abs(found.upper - known)))
        return max(0.0, float(found.upper - known if self.relation == "<=" else known - found.lower))

    @property
    def agrees(self) -> bool:
        """Whether the relation holds, to the tolerance; an interval has to hold the known value as well."""
        known, found = Fraction(self.known), self.found
        if found.how == "refused":
            return False
        if self.relation == ">":
            return found.lower > known
        if self.relation == "=" and found.how == "interval":
            last = Fraction(math.ulp(float(known)))  # the known value itself is rounded
            if not found.lower - last <= known <= found.upper + last:
                return False
        return self.difference <= found.tolerance

    def row(self) -> Row:
        """Return the answer as a row of the table."""
        return {
            "id": self.id,
            "claim": self.claim,
            "what": self.what,
            "relation": self.relation,
            "known": self.text,
            "ours": _text(self.found),
            "how": self.found.how,
            "difference": self.difference,
            "tolerance": self.found.tolerance,
            "agrees": "yes" if self.agrees else "no",
            "known_value": float(self.known),
            "lower": float(self.found.lower),
            "upper": float(self.found.upper),
            "note": self.note,
        }


def _text(found: Found) -> str:
    if found.how in ("exact", "certified") and found.lower == found.upper:
        short = str(found.lower)
        return short if len(short) <= 12 else f"{float(found.lower):.10g}"
    if found.how == "refused":
        return "refused"
    middle = float(found.lower + found.upper) / 2
    return f"{middle:.5g} ± {found.tolerance:.1g}" if found.how == "sampled" else f"{middle:.10g}"
