"""A block of a trial: draw the instances, check them, confirm the violations, count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from proofs_check.claims.claim import Claim, Instance, Shape
from proofs_check.claims.draws import derive_seed, draw
from proofs_check.claims.profiles import Block
from proofs_check.claims.trial import Case, ClaimError, as_float, confirm, evaluate

__all__ = ["BlockResult", "Candidate", "Sample", "candidate_from", "run_block", "sample"]


@dataclass(frozen=True)
class Candidate:
    """A violating instance, JSON values only.

    Attributes:
        block: index of the block that drew it, ``None`` when it was found while shrinking.
        shape: its dimensions, ``None`` when the claim's own search found it.
        margin_exact: the margin as ``"p/q"`` where it is exact.
        confirmed: exact arithmetic confirmed the violation (``True``) or could not tell (``None``).
    """

    block: int | None
    shape: Shape | None
    instance: Instance
    margin: float
    margin_exact: str | None
    detail: Mapping[str, Any]
    confirmed: bool | None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Candidate:
        """Return the candidate that ``asdict`` and JSON took apart."""
        shape = fields["shape"]
        return cls(**{**fields, "shape": None if shape is None else tuple(shape)})


def candidate_from(case: Case, shape: Shape | None, confirmed: bool | None, block: int | None = None) -> Candidate:
    """Return the candidate of a violating case."""
    exact = str(case.margin) if isinstance(case.margin, Fraction) else None
    return Candidate(block, shape, case.instance, as_float(case.margin), exact, case.detail, confirmed)


@dataclass
class Sample:
    """Checked instances of one shape, in the order drawn.

    Attributes:
        cases: those that met the hypotheses.
        vacuous: how many missed which hypothesis.
        error: what ended the sample early.
    """

    cases: list[Case] = field(default_factory=list)
    vacuous: Counter[str] = field(default_factory=Counter)
    error: ClaimError | None = None

    def take(self, claim: Claim, instance: Instance) -> float | None:
        """Check one more instance; return the violation to be maximised."""
        if self.error is not None:
            return None
        try:
            case = evaluate(claim, instance)
        except ClaimError as error:
            self.error = error
            return None
        if case.missed is not None:
            self.vacuous[case.missed] += 1
            return None
        self.cases.append(case)
        return -as_float(case.margin)


def sample(claim: Claim, shape: Shape, count: int, seed: int) -> Sample:
    """Return ``count`` drawn and checked instances, the later ones steered towards violation."""
    found = Sample()
    try:
        draw(claim.instances(shape), count, seed, lambda instance: found.take(claim, instance))
    except Exception as error:
        text = " ".join(str(error).split())
        found.error = ClaimError(f"claim {claim.id!r}: drawing instances raised {type(error).__name__}: {text}")
    return found


def _searched(claim: Claim, count: int, seed: int) -> Sample:
    """Return the instances of the claim's own search, checked."""
    found = Sample()
    try:
        worst = claim.search(seed, count) if claim.search is not None else ()
    except Exception as error:
        text = " ".join(str(error).split())
        found.error = ClaimError(f"claim {claim.id!r}: search raised {type(error).__name__}: {text}")
        return found
    for instance in worst:
        found.take(claim, instance)
    return found


@dataclass(frozen=True)
class BlockResult:
    """What a block found, JSON values only.

    Attributes:
        instances: drawn, vacuous ones included.
        vacuous: how many missed which hypothesis.
        certified: how many came with an accepted certificate.
        margin: the worst margin, ``None`` when every instance was vacuous.
        violations: negative margins.
        rounding: violations that exact arithmetic dismissed.
        unconfirmed: violations that nothing exact could decide.
        candidate: a confirmed violation, or else the worst unconfirmed one.
        error: why the block ended early, with the instance it happened on.
    """

    index: int
    shape: Shape | None
    instances: int
    vacuous: Mapping[str, int]
    certified: int
    margin: float | None
    violations: int
    rounding: int
    unconfirmed: int
    candidate: Candidate | None
    error: str | None
    error_instance: Instance | None
    seconds: float

    @property
    def is_decisive(self) -> bool:
        """Whether the trial ends here: a confirmed violation or an error."""
        return self.error is not None or (self.candidate is not None and self.candidate.confirmed is True)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> BlockResult:
        """Return the result that :meth:`to_json` took apart."""
        shape, candidate = fields["shape"], fields["candidate"]
        return cls(
            **{
                **fields,
                "shape": None if shape is None else tuple(shape),
                "candidate": None if candidate is None else Candidate.from_json(candidate),
            }
        )


def run_block(claim: Claim, block: Block, seed: int) -> BlockResult:
    """Return what the instances of one block show. A function of its arguments only (save the seconds).

    Violations are confirmed in the order drawn, until one is; a violation that ``confirm`` dismisses as rounding is
    counted, and the block goes on.

    Args:
        claim: the claim, or a control as a claim of its own.
        block: shape and count.
        seed: of the whole run; the block's own is derived from it, the claim's id and the block's index.
    """
    start = time.perf_counter()
    own_seed = derive_seed(seed, claim.id, block.index)
    if block.shape is None:
        found = _searched(claim, block.count, own_seed)
    else:
        found = sample(claim, block.shape, block.count, own_seed)
    error = found.error
    rounding = unconfirmed = 0
    candidate: Candidate | None = None
    violating = [case for case in found.cases if case.violates]
    try:
        for case in violating:
            verdict = confirm(claim, case)
            rounding += verdict is False
            unconfirmed += verdict is None
            if verdict or (verdict is None and (candidate is None or as_float(case.margin) < candidate.margin)):
                candidate = candidate_from(case, block.shape, verdict, block.index)
            if verdict:
                break
    except ClaimError as raised:
        error = error or raised
    return BlockResult(
        index=block.index,
        shape=block.shape,
        instances=len(found.cases) + sum(found.vacuous.values()),
        vacuous=dict(sorted(found.vacuous.items())),
        certified=sum(case.certified for case in found.cases),
        margin=min((as_float(case.margin) for case in found.cases), default=None),
        violations=len(violating),
        rounding=rounding,
        unconfirmed=unconfirmed,
        candidate=candidate,
        error=None if error is None else f"{error} (shape {block.shape}, block {block.index})",
        error_instance=None if error is None else error.instance,
        seconds=time.perf_counter() - start,
    )
