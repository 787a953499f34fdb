"""Which task comes next, and when a trial is over: neither depends on how many processes work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proofs_check.claims.blocks import BlockResult, Candidate
from proofs_check.claims.claim import Claim
from proofs_check.claims.profiles import Profile, plan
from proofs_check.claims.search import Pursuit
from proofs_check.claims.tasks import Task

__all__ = ["Schedule", "Trial"]


class Trial:
    """The blocks of one claim or control, in order, up to the first decisive one; then the pursuit of a violation.

    With several processes, blocks behind a decisive one may be finished as well. They do not count.
    """

    def __init__(self, claim: Claim, control_id: str | None, profile: Profile, seed: int) -> None:
        self.claim = claim
        self.control_id = control_id
        on_trial = claim if control_id is None else claim.control(control_id)
        blocks = plan(on_trial, profile)
        self._tasks = [Task(claim.id, control_id, block, None, profile, seed) for block in blocks]
        self._results: dict[int, BlockResult] = {}
        self._pending: set[str] = set()
        self._next = 0
        self.pursuit: Pursuit | None = None

    @property
    def units(self) -> int:
        """How many pieces of work there may be."""
        return len(self._tasks) + 1

    def _end(self) -> int:
        """Return the index after the last block that counts."""
        return min((k + 1 for k, result in self._results.items() if result.is_decisive), default=len(self._tasks))

    def counted(self) -> list[BlockResult]:
        """Return the results that count, in order."""
        return [self._results[k] for k in range(self._end()) if k in self._results]

    def _candidate(self) -> Candidate | None:
        """Return what to pursue: a confirmed violation, or else the worst one; nothing after an error."""
        counted = self.counted()
        found = [result.candidate for result in counted if result.candidate is not None]
        if not found or counted[-1].error is not None:
            return None
        return min(found, key=lambda candidate: (candidate.confirmed is not True, candidate.margin))

    def next_task(self) -> Task | None:
        """Return the next task, or ``None`` when there is nothing to start now."""
        if self._next < self._end():
            task = self._tasks[self._next]
            self._next += 1
        elif self._pending or self.is_done:
            return None
        else:
            first = self._tasks[0]
            task = Task(first.claim_id, first.control_id, None, self._candidate(), first.profile, first.seed)
        self._pending.add(task.name)
        return task

    def record(self, task: Task, result: BlockResult | Pursuit) -> None:
        """Take in the result of a task."""
        self._pending.discard(task.name)
        if isinstance(result, Pursuit):
            self.pursuit = result
        else:
            self._results[result.index] = result

    @property
    def is_done(self) -> bool:
        """Whether everything that counts is in."""
        if self._pending or self._next < self._end():
            return False
        return self.pursuit is not None or self._candidate() is None


class Schedule:
    """All trials of a run. A process stays with a claim while it can: its compiled functions are shared there."""

    def __init__(self, claims: Sequence[Claim], profile: Profile, seed: int) -> None:
        self.trials = {
            claim.id: [
                Trial(claim, control_id, profile, seed) for control_id in (None, *(c.id for c in claim.controls))
            ]
            for claim in claims
        }
        self._at: dict[int, str] = {}

    def _order(self, slot: int) -> Iterator[str]:
        """Yield claim ids: those no other slot works on first, so that a slot comes back to its own."""
        others = {claim_id for other, claim_id in self._at.items() if other != slot}
        return iter(sorted(self.trials, key=lambda claim_id: claim_id in others))

    def next_task(self, slot: int) -> Task | None:
        """Return the next task for a free slot, or ``None`` when there is nothing to start now."""
        for claim_id in self._order(slot):
            for trial in self.trials[claim_id]:
                task = trial.next_task()
                if task is not None:
                    self._at[slot] = claim_id
                    return task
        return None

    def trial_of(self, task: Task) -> Trial:
        """Return the trial a task belongs to."""
        return next(trial for trial in self.trials[task.claim_id] if trial.control_id == task.control_id)

    def is_done(self, claim_id: str) -> bool:
        """Whether a claim and all its controls are through."""
        return all(trial.is_done for trial in self.trials[claim_id])
