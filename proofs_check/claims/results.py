"""Verdicts from counts: what may be said of a claim, and what a run as a whole comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modeconn.errors import ExitCode
from proofs_check.claims.blocks import BlockResult
from proofs_check.claims.claim import Claim, Verdict
from proofs_check.claims.search import Pursuit

__all__ = ["SCHEMA", "ClaimResult", "ControlResult", "TrialResult", "VerifyReport", "judge"]

SCHEMA = "modeconn.verify/1"


@dataclass(frozen=True)
class TrialResult:
    """The blocks of one trial, of a claim or of a control, added up.

    Attributes:
        instances: drawn, vacuous ones included.
        vacuous: how many missed which hypothesis.
        certified: how many came with an accepted certificate.
        margin: the worst margin, that of the counterexample where there is one; ``None`` when all were vacuous.
        violations: negative margins found by the check.
        rounding: violations that exact arithmetic dismissed.
        unconfirmed: violations that nothing exact could decide.
        pursuit: the counterexample, or the worst unconfirmed violation.
        witness: where it was written, relative to the run folder.
        error: the claim misbehaved, and how.
        seconds: spent by all processes together.
    """

    instances: int
    vacuous: Mapping[str, int]
    certified: int
    margin: float | None
    violations: int
    rounding: int
    unconfirmed: int
    pursuit: Pursuit | None
    witness: str | None
    error: str | None
    seconds: float

    @classmethod
    def of(cls, blocks: Sequence[BlockResult], pursuit: Pursuit | None, witness: str | None) -> TrialResult:
        """Return the sum of the blocks that count."""
        vacuous: Counter[str] = Counter()
        for block in blocks:
            vacuous.update(block.vacuous)
        margins = [block.margin for block in blocks if block.margin is not None]
        if pursuit is not None:
            margins.append(pursuit.candidate.margin)
        return cls(
            instances=sum(block.instances for block in blocks),
            vacuous=dict(vacuous),
            certified=sum(block.certified for block in blocks),
            margin=min(margins, default=None),
            violations=sum(block.violations for block in blocks),
            rounding=sum(block.rounding for block in blocks),
            unconfirmed=sum(block.unconfirmed for block in blocks),
            pursuit=pursuit,
            witness=witness,
            error=next((block.error for block in blocks if block.error is not None), None),
            seconds=sum(block.seconds for block in blocks) + (pursuit.seconds if pursuit is not None else 0.0),
        )

    @property
    def refuted(self) -> bool:
        """Whether exact arithmetic confirmed a violation."""
        return self.error is None and self.pursuit is not None and self.pursuit.candidate.confirmed is True

    @property
    def applicable(self) -> int:
        """How many instances met the hypotheses."""
        return self.instances - sum(self.vacuous.values())

    def counts(self) -> dict[str, Any]:
        """Return the numbers as JSON values, under the names of the contract."""
        return {
            "instances": self.instances,
            "vacuous": sum(self.vacuous.values()),
            "vacuous_by_hypothesis": dict(self.vacuous),
            "certified": self.certified,
            "margin": self.margin,
            "violations": self.violations,
            "rounding": self.rounding,
            "unconfirmed": self.unconfirmed,
            "witness": self.witness,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class ControlResult:
    """A control and whether it came out refuted, as it must."""

    id: str
    statement: str
    trial: TrialResult

    @property
    def refuted(self) -> bool:
        """Whether the false variant was found out."""
        return self.trial.refuted

    def to_json(self) -> dict[str, Any]:
        """Return the control as JSON values."""
        return {"id": self.id, "refuted": self.refuted, "statement": self.statement, **self.trial.counts()}


@dataclass(frozen=True)
class ClaimResult:
    """A claim and its verdict.

    Attributes:
        reason: why the verdict is what it is, in words; empty when there is nothing to add.
    """

    claim: Claim
    verdict: Verdict
    reason: str
    trial: TrialResult
    controls: tuple[ControlResult, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """One line for each way in which the claim or a control misbehaved."""
        trials = (self.trial, *(control.trial for control in self.controls))
        return tuple(trial.error for trial in trials if trial.error is not None)

    @property
    def is_as_expected(self) -> bool:
        """Whether a true claim held, or a published false one was refuted."""
        if self.claim.expected == "refuted":
            return self.verdict == "refuted"
        return self.verdict in ("certified", "not refuted")

    @property
    def seconds(self) -> float:
        """Time spent on the claim and its controls."""
        return self.trial.seconds + sum(control.trial.seconds for control in self.controls)

    def to_json(self) -> dict[str, Any]:
        """Return the claim as JSON values: the contract's names and a few more."""
        return {
            "id": self.claim.id,
            "verdict": self.verdict,
            **self.trial.counts(),
            "controls": [control.to_json() for control in self.controls],
            "seconds": self.seconds,
            "statement": self.claim.statement,
            "source": self.claim.source,
            "expected": self.claim.expected,
            "reason": self.reason,
            "errors": list(self.errors),
        }


def judge(claim: Claim, trial: TrialResult, controls: Sequence[ControlResult]) -> ClaimResult:
    """Return the verdict that the counts allow, and no stronger one.

    * refuted: a violation confirmed by exact arithmetic;
    * undecided: an error, a violation nobody confirmed, no instance that met the hypotheses, a control that survived,
      or a published false theorem that was not caught;
    * certified: every instance that met the hypotheses has an accepted certificate;
    * not refuted: anything else.
    """
    verdict, reason = _verdict(claim, trial, controls)
    return ClaimResult(claim, verdict, reason, trial, tuple(controls))


def _verdict(claim: Claim, trial: TrialResult, controls: Sequence[ControlResult]) -> tuple[Verdict, str]:
    faults = [t.error for t in (trial, *(c.trial for c in controls)) if t.error is not None]
    survivors = [control.id for control in controls if not control.refuted]
    if trial.refuted:
        survived = f"control {', '.join(survivors)} survived" if survivors else ""
        return "refuted", faults[0] if faults else survived
    if faults:
        return "undecided", faults[0]
    if trial.unconfirmed:
        how = "its exact check could not decide" if claim.confirm is not None else "it has no exact check"
        violation = 0.0 if trial.pursuit is None else -trial.pursuit.candidate.margin
        return "undecided", f"violated by {violation:.3g} in floats, but {how}"
    if trial.applicable == 0:
        most = max(trial.vacuous, key=lambda text: trial.vacuous[text], default="no instance was drawn")
        return "undecided", f"all {trial.instances} instances vacuous: {most}"
    if survivors:
        return "undecided", f"control {', '.join(survivors)} survived"
    if claim.expected == "refuted":
        return "undecided", "known to be false, but no counterexample was found"
    return ("certified" if trial.certified == trial.applicable else "not refuted"), ""


@dataclass(frozen=True)
class VerifyReport:
    """A run of claims.

    Attributes:
        claims: in the order given.
        seconds: wall time.
        environment: versions, platform, device, precision, seed, profile.
    """

    claims: tuple[ClaimResult, ...]
    seconds: float
    environment: Mapping[str, Any]

    @property
    def errors(self) -> tuple[str, ...]:
        """One line for each way in which a claim misbehaved."""
        return tuple(line for claim in self.claims for line in claim.errors)

    @property
    def exit_code(self) -> ExitCode:
        """``BAD_INPUT`` if a claim misbehaved, else ``REFUTED`` if one was unexpectedly, else ``UNDECIDED``, or 0."""
        surprises = [claim for claim in self.claims if not claim.is_as_expected]
        if self.errors:
            return ExitCode.BAD_INPUT
        if any(claim.verdict == "refuted" for claim in surprises):
            return ExitCode.REFUTED
        return ExitCode.UNDECIDED if surprises else ExitCode.HELD

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values, schema ``modeconn.verify/1``."""
        return {
            "schema": SCHEMA,
            "claims": [claim.to_json() for claim in self.claims],
            "exit_code": int(self.exit_code),
            "seconds": self.seconds,
            "environment": dict(self.environment),
        }

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Claim id -> verdict."""
        return {claim.claim.id: claim.verdict for claim in self.claims}
