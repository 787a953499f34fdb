"""What a shard found, as numbers that add up the same however the instances were cut into shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import frexp, isfinite
from typing import Any

from modeconn.errors import InputError

__all__ = ["KEPT", "Tally", "decade", "total"]

KEPT = 10
"""Violations kept with their instance; all are counted."""


def decade(margin: float) -> str:
    """Return the bin of the histogram that a margin falls in: its sign and its power of two.

    Example:
        >>> decade(0.0), decade(0.3), decade(-5.0)
        ('0', '+2^-2', '-2^2')
    """
    if margin == 0:
        return "0"
    return f"{'+' if margin > 0 else '-'}2^{frexp(margin)[1] - 1}"


@dataclass(frozen=True)
class Tally:
    """Counts over a set of instances. Sums, minima and first-by-id lists only: merging is exact, in any order.

    Attributes:
        instances: drawn.
        vacuous: missed a hypothesis of the statement.
        certified: came with an accepted certificate.
        refuted: violations that exact arithmetic confirmed.
        rounding: negative margins that were dismissed: by exact arithmetic, or within the stated rounding.
        undecided: negative margins that nothing decided, and instances on which the check raised.
        margin: the smallest margin, ``None`` when there is none.
        at: id of the first instance that attains it.
        histogram: bin of :func:`decade` -> instances.
        missed: hypothesis -> vacuous instances that missed it.
        violations: the first :data:`KEPT` by id, each ``{"id", "margin", ...}``.
        halved: how often a batch was cut in two for want of memory.
    """

    instances: int = 0
    vacuous: int = 0
    certified: int = 0
    refuted: int = 0
    rounding: int = 0
    undecided: int = 0
    margin: float | None = None
    at: int | None = None
    histogram: Mapping[str, int] = field(default_factory=dict)
    missed: Mapping[str, int] = field(default_factory=dict)
    violations: tuple[Mapping[str, Any], ...] = ()
    halved: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both sets of instances, which must be disjoint."""
        ends = [(t.margin, t.at) for t in (self, other) if t.margin is not None and t.at is not None]
        margin, at = min(ends, default=(None, None))
        kept = sorted((*self.violations, *other.violations), key=lambda violation: violation["id"])[:KEPT]
        return Tally(
            instances=self.instances + other.instances,
            vacuous=self.vacuous + other.vacuous,
            certified=self.certified + other.certified,
            refuted=self.refuted + other.refuted,
            rounding=self.rounding + other.rounding,
            undecided=self.undecided + other.undecided,
            margin=margin,
            at=at,
            histogram=_added(self.histogram, other.histogram),
            missed=_added(self.missed, other.missed),
            violations=tuple(kept),
            halved=self.halved + other.halved,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {**asdict(self), "violations": [dict(violation) for violation in self.violations]}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Tally:
        """Return the tally that :meth:`to_json` took apart; raises :class:`InputError` for anything else."""
        try:
            found = cls(**{**fields, "violations": tuple(fields["violations"])})
        except (TypeError, KeyError) as error:
            raise InputError(f"tally: expected the fields of a tally, found {sorted(fields)} ({error})") from None
        counts = (found.instances, found.vacuous, found.certified, found.refuted, found.rounding, found.undecided)
        if any(not isinstance(count, int) or count < 0 for count in counts):
            raise InputError(f"tally: expected counts >= 0, found {counts}")
        if found.margin is not None and not isfinite(found.margin):
            raise InputError(f"tally: expected a finite margin, found {found.margin}")
        return found


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted((Counter(first) + Counter(second)).items()))


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the tally of disjoint sets of instances."""
    result = Tally()
    for tally in tallies:
        result = result + tally
    return result
