"""What a claim is: a statement that can fail, with the hypotheses, the check and the controls that make it honest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from hypothesis.strategies import SearchStrategy

from modeconn.errors import InputError, unknown_name

__all__ = ["Claim", "Control", "Hypothesis", "Instance", "Outcome", "Shape", "Verdict", "check_claim"]

Instance = Mapping[str, Any]
"""One case of a claim, JSON values only, so that a witness is a file."""

Shape = tuple[int, ...]
"""Dimensions of an instance, drawn from a short list so that compilation does not dominate."""

Verdict = Literal["certified", "not refuted", "refuted", "undecided"]


@dataclass(frozen=True)
class Outcome:
    """What the check of one instance found.

    Attributes:
        margin: how far inside the statement the instance lies, in the claim's own units; negative means violated
            by ``-margin``. Finite. A :class:`fractions.Fraction` says that the margin is exact.
        certified: an independent exact checker accepted a certificate for this instance.
        detail: the numbers behind the margin, JSON values.
    """

    margin: float | Fraction
    certified: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hypothesis:
    """A hypothesis of the statement as a predicate; instances that miss it are counted as vacuous."""

    text: str
    holds: Callable[[Instance], bool]


@dataclass(frozen=True)
class Control:
    """A false variant of a claim, which must come out refuted; ``None`` takes the claim's own part.

    One exception: a control with a ``check`` of its own is another statement, which the claim's ``confirm`` knows
    nothing about. It brings its own ``confirm``, or margins that are exact.

    Attributes:
        id: short name, unique within the claim.
        statement: the false statement, that is, what was dropped or changed.
    """

    id: str
    statement: str
    check: Callable[[Instance], Outcome] | None = None
    hypotheses: Sequence[Hypothesis] | None = None
    instances: Callable[[Shape], SearchStrategy[Instance]] | None = None
    shapes: Sequence[Shape] | None = None
    confirm: Callable[[Instance], bool | None] | None = None


@dataclass(frozen=True)
class Claim:
    """A statement put on trial.

    Attributes:
        id: id of the statement, such as ``"L1"``.
        statement: what is claimed, in words and formulas, with the rounding allowance if the check has one.
        source: paper and theorem number.
        instances: shape -> Hypothesis strategy of instances (plain dicts of JSON values).
        shapes: the shapes drawn from, smallest first: the search for a counterexample shrinks along this list.
        check: instance -> :class:`Outcome`, in float64 or exact.
        hypotheses: machine-checked predicates. Together they say everything the statement assumes of an instance:
            the search for a large violation perturbs the numbers of an instance and trusts only them.
        controls: false variants that must come out refuted.
        confirm: instance -> ``True`` when exact arithmetic confirms that the statement is violated, ``False`` when it
            shows the violation was rounding, ``None`` when it cannot tell. A violation that nobody confirms, by this
            or by a :class:`fractions.Fraction` margin, is reported as undecided, never as refuted.
        search: (seed, count) -> at most ``count`` instances, the worst of a search of the claim's own (a fleet in
            float32, say), handed to ``check`` beside the drawn ones.
        expected: ``"refuted"`` for a published statement known to be false; anything else then is a surprise.
        cost: relative cost of one instance; a profile's number of instances is divided by it.
        rests_on: ids of the claims that the proof of this one uses.
    """

    id: str
    statement: str
    source: str
    instances: Callable[[Shape], SearchStrategy[Instance]]
    shapes: Sequence[Shape]
    check: Callable[[Instance], Outcome]
    hypotheses: Sequence[Hypothesis] = ()
    controls: Sequence[Control] = ()
    confirm: Callable[[Instance], bool | None] | None = None
    search: Callable[[int, int], Sequence[Instance]] | None = None
    expected: Literal["held", "refuted"] = "held"
    cost: float = 1.0
    rests_on: Sequence[str] = ()

    def control(self, control_id: str) -> Claim:
        """Return the control as a claim of its own: the false variant, put on trial alone.

        Raises:
            InputError: no control has this id.
        """
        by_id = {c.id: c for c in self.controls}
        if control_id not in by_id:
            raise unknown_name(f"control of claim {self.id!r}", control_id, by_id)
        found = by_id[control_id]
        changes = {
            name: value
            for name in ("check", "hypotheses", "instances", "shapes", "confirm")
            if (value := getattr(found, name)) is not None
        }
        if found.check is not None:
            changes.setdefault("confirm", None)
        return replace(
            self,
            id=f"{self.id}.{found.id}",
            statement=found.statement,
            controls=(),
            search=None,
            expected="held",
            **changes,
        )


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def check_claim(claim: Claim) -> None:
    """Raise :class:`InputError` unless the claim can be put on trial: ids, shapes, a positive cost, callables."""
    name = f"claim {claim.id!r}"
    ids = [c.id for c in claim.controls]
    for text in (claim.id, *ids):
        if not isinstance(text, str) or not _ID.fullmatch(text):
            raise InputError(f"{name}: id {text!r} names files; use letters, digits and . _ + - only")
    if len(set(ids)) < len(ids):
        raise InputError(f"{name}: two controls share an id among {', '.join(ids)}; give each its own")
    if isinstance(claim.rests_on, str) or claim.id in claim.rests_on:
        raise InputError(f"{name}: rests_on must be a tuple of ids of other claims, found {claim.rests_on!r}")
    if not claim.cost > 0:
        raise InputError(f"{name}: cost must be positive, found {claim.cost}; 1 is the cost of a cheap instance")
    if claim.expected not in ("held", "refuted"):
        raise InputError(f"{name}: expected must be 'held' or 'refuted', found {claim.expected!r}")
    for trial in (claim, *(claim.control(i) for i in ids)):
        if len(trial.shapes) == 0:
            raise InputError(
                f"claim {trial.id!r}: no shapes; list at least one, smallest first, such as [(1, 2), (2, 3)]"
            )
        for part in ("instances", "check"):
            if not callable(getattr(trial, part)):
                raise InputError(f"claim {trial.id!r}: {part} must be a function, found {getattr(trial, part)!r}")
