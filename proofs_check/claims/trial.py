"""One instance on trial: hypotheses, check, and exact confirmation of a violation."""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from modeconn.errors import InputError
from modeconn.io import plain
from proofs_check.claims.claim import Claim, Instance, Outcome

__all__ = ["Case", "ClaimError", "as_float", "confirm", "evaluate"]


class ClaimError(InputError):
    """The claim itself misbehaved: it raised, or its margin is not a finite number.

    Attributes:
        instance: the instance it happened on, if one was drawn.
    """

    def __init__(self, message: str, instance: Instance | None = None) -> None:
        super().__init__(message)
        self.instance = instance


@dataclass(frozen=True)
class Case:
    """An instance and what became of it: vacuous (``missed`` is the hypothesis it misses) or checked."""

    instance: Instance
    margin: float | Fraction = math.inf
    certified: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
    missed: str | None = None

    @property
    def violates(self) -> bool:
        """Whether the check found the statement violated, to the precision of the check."""
        return self.missed is None and self.margin < 0


def as_float(margin: float | Fraction) -> float:
    """Return the nearest float, the largest one for exact margins beyond all floats.

    Example:
        >>> as_float(Fraction(1, 4)), as_float(Fraction(-(10**400)))
        (0.25, -1.7976931348623157e+308)
    """
    try:
        return float(margin)
    except OverflowError:
        return sys.float_info.max if margin > 0 else -sys.float_info.max


def _whereabouts(error: BaseException) -> str:
    """Return the file and line that raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != __file__]
    return f" at {own[-1].filename}:{own[-1].lineno}" if own else ""


def _guarded(claim: Claim, part: str, instance: Instance, function: Any) -> Any:
    try:
        return function(instance)
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())
        raise ClaimError(
            f"claim {claim.id!r}: {part} raised {type(error).__name__}: {text}{_whereabouts(error)}", instance
        ) from error


def evaluate(claim: Claim, drawn: Instance) -> Case:
    """Return the case of one instance: the first hypothesis it misses, or its checked margin.

    Raises:
        ClaimError: a hypothesis or the check raised, the check returned no :class:`Outcome`, or its margin is not a
            finite number; the instance is attached.
    """
    try:
        instance = plain(drawn, where="instance")
    except (InputError, TypeError) as error:
        raise ClaimError(f"claim {claim.id!r}: an instance must hold JSON values ({error})") from None
    if not isinstance(instance, dict):
        raise ClaimError(f"claim {claim.id!r}: an instance must be a dict, found {type(drawn).__name__}", instance)
    for hypothesis in claim.hypotheses:
        if not _guarded(claim, f"hypothesis {hypothesis.text!r}", instance, hypothesis.holds):
            return Case(instance, missed=hypothesis.text)
    outcome = _guarded(claim, "check", instance, claim.check)
    if not isinstance(outcome, Outcome):
        raise ClaimError(f"claim {claim.id!r}: check must return an Outcome, found {type(outcome).__name__}", instance)
    margin = outcome.margin if isinstance(outcome.margin, Fraction) else float(outcome.margin)
    if not isinstance(margin, Fraction) and not math.isfinite(margin):
        raise ClaimError(f"claim {claim.id!r}: the margin is {margin}; check must return a finite number", instance)
    try:
        detail = plain(dict(outcome.detail), nonfinite="string", where="detail")
    except TypeError as error:
        raise ClaimError(f"claim {claim.id!r}: the detail must hold JSON values ({error})", instance) from None
    return Case(instance, margin, bool(outcome.certified), detail)


def confirm(claim: Claim, case: Case) -> bool | None:
    """Return whether the violation is real, decided exactly; ``None`` when nothing exact decides.

    An exact margin decides by itself; otherwise the claim's ``confirm`` does.
    """
    if isinstance(case.margin, Fraction):
        return case.margin < 0
    if claim.confirm is None:
        return None
    answer = _guarded(claim, "confirm", case.instance, claim.confirm)
    return None if answer is None else bool(answer)
