"""Putting claims on trial: the run as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from modeconn.errors import InputError
from modeconn.io import write_json
from modeconn.reporter import SILENT, Reporter
from proofs_check.claims.blocks import BlockResult
from proofs_check.claims.claim import Claim
from proofs_check.claims.environment import code_digest, describe_environment, versions
from proofs_check.claims.loader import ClaimsFile, claims_by_id
from proofs_check.claims.pool import InProcess, Pool, Workers
from proofs_check.claims.profiles import Profile, profile_from_name
from proofs_check.claims.registry import CLAIMS
from proofs_check.claims.results import ClaimResult, ControlResult, TrialResult, VerifyReport, judge
from proofs_check.claims.schedule import Schedule, Trial
from proofs_check.claims.search import Pursuit
from proofs_check.claims.store import BlockStore
from proofs_check.claims.tasks import Task, trial_name
from proofs_check.claims.witness import witness_record, write_witness

__all__ = ["verify_claims"]


def verify_claims(
    claims: Iterable[Claim] | Mapping[str, Claim],
    profile: str | Profile = "quick",
    seed: int = 0,
    jobs: int = 1,
    run_dir: str | Path | None = None,
    resume: bool = True,
    reporter: Reporter = SILENT,
    claims_file: str | Path | ClaimsFile | None = None,
) -> VerifyReport:
    """Return the verdicts on the claims and their controls.

    Each claim is cut into blocks of instances. What a block finds depends on the claim, the profile and the seed only,
    so neither ``jobs`` nor an interruption changes a verdict, a count or a margin. A trial ends at its first violation
    that exact arithmetic confirms; the counterexample is then made small and its violation large.

    Args:
        claims: what to put on trial.
        profile: how hard to try: ``"quick"``, ``"ci"``, ``"deep"`` or a :class:`Profile`.
        seed: of every draw.
        jobs: processes; more than one needs claims of the library or a ``claims_file``, which they can load.
        run_dir: folder for finished blocks (``blocks/``), counterexamples (``witnesses/``) and instances on which a
            claim raised (``errors/``); ``None`` keeps everything in memory.
        resume: use the finished blocks that ``run_dir`` holds of this very run: same claims, profile, seed, code and
            versions (what a claims file imports from beside it is not watched). Claims made in this process start
            afresh, since nothing tells whether they are the same.
        reporter: told about progress.
        claims_file: the file the claims were loaded from; its text goes into witnesses.

    Returns:
        The report. A claim that raised is undecided there, its error in ``errors``, and the others go on.

    Raises:
        InputError: a claim that cannot be put on trial, or an unknown profile.
        WorkerError: a worker process died; the finished blocks are kept.

    Example:
        >>> from fractions import Fraction
        >>> from hypothesis import strategies as st
        >>> from proofs_check.claims import Control, Outcome
        >>> square = Claim(
        ...     "square", "x^2 >= x for integers x", "folklore",
        ...     instances=lambda shape: st.fixed_dictionaries({"x": st.integers(-9, 9)}), shapes=[()],
        ...     check=lambda i: Outcome(Fraction(i["x"] ** 2 - i["x"])),
        ...     controls=[Control("halves", "x^2 >= x for multiples of 1/2",
        ...                       check=lambda i: Outcome(Fraction(i["x"], 2) ** 2 - Fraction(i["x"], 2)))],
        ... )
        >>> report = verify_claims([square])
        >>> report.verdicts, report.claims[0].controls[0].trial.margin
        ({'square': 'not refuted'}, -0.25)
    """
    start = time.perf_counter()
    chosen = claims_by_id(claims)
    effort = profile if isinstance(profile, Profile) else profile_from_name(profile)
    file = claims_file if claims_file is None or isinstance(claims_file, ClaimsFile) else ClaimsFile.read(claims_file)
    run = _Run(chosen, effort, seed, file, None if run_dir is None else Path(run_dir), resume, reporter)
    with _pool(chosen, file, jobs) as pool:
        results = run.through(pool)
    return VerifyReport(
        tuple(results[claim_id] for claim_id in chosen),
        time.perf_counter() - start,
        describe_environment(seed, effort.name, jobs),
    )


def _is_library(claims: Mapping[str, Claim]) -> bool:
    """Return whether these are the library's own claims, unchanged."""
    return all(name in CLAIMS and CLAIMS[name] is claim for name, claim in claims.items())


@contextlib.contextmanager
def _pool(claims: Mapping[str, Claim], file: ClaimsFile | None, jobs: int) -> Iterator[Pool]:
    """Yield the processes to work with."""
    if jobs < 1:
        raise InputError(f"expected at least one job, found {jobs}")
    if jobs == 1:
        yield InProcess(claims)
        return
    if file is None and not _is_library(claims):
        raise InputError("claims made in this process cannot travel to others: use jobs=1 or put them in a file")
    with Workers(jobs, file) as workers:
        yield workers


class _Run:
    """One run in progress: schedule, store, verdicts as they come."""

    def __init__(
        self,
        claims: Mapping[str, Claim],
        profile: Profile,
        seed: int,
        file: ClaimsFile | None,
        run_dir: Path | None,
        resume: bool,
        reporter: Reporter,
    ) -> None:
        self.claims, self.profile, self.seed, self.file, self.reporter = claims, profile, seed, file, reporter
        self.run_dir, self.resume = run_dir, resume
        self.store = None if run_dir is None else BlockStore(run_dir / "blocks")
        self.schedule = Schedule(list(claims.values()), profile, seed)
        self._origin = "library" if _is_library(claims) else secrets.token_hex()
        self.started: set[str] = set()
        self.results: dict[str, ClaimResult] = {}

    def through(self, pool: Pool) -> dict[str, ClaimResult]:
        """Work until every claim has a verdict."""
        free = list(range(pool.jobs))
        busy: dict[int, Task] = {}
        while True:
            while free and (task := self._next_undone(free[0])) is not None:
                busy[free[0]] = task
                pool.submit(free.pop(0), task)
            if not busy:
                return self.results
            for slot, result in pool.collect():
                task = busy.pop(slot)
                if self.store is not None:
                    self.store.save(task.name, self._digest(task), result)
                self._record(task, result)
                free.append(slot)

    def _next_undone(self, slot: int) -> Task | None:
        """Return the next task that the store does not answer."""
        while (task := self.schedule.next_task(slot)) is not None:
            if task.claim_id not in self.started:
                self.started.add(task.claim_id)
                self.reporter.start(task.claim_id, sum(trial.units for trial in self.schedule.trials[task.claim_id]))
            stored = self.store.load(task.name, self._digest(task)) if self.store is not None and self.resume else None
            if stored is None:
                return task
            self._record(task, stored)
        return None

    def _record(self, task: Task, result: Mapping[str, Any]) -> None:
        """Take in a result; judge the claim when it was the last."""
        found = BlockResult.from_json(result) if task.block is not None else Pursuit.from_json(result)
        self.schedule.trial_of(task).record(task, found)
        self.reporter.advance(task.claim_id)
        if task.claim_id not in self.results and self.schedule.is_done(task.claim_id):
            self.results[task.claim_id] = self._judge(self.claims[task.claim_id])
            self.reporter.finish(task.claim_id)

    def _judge(self, claim: Claim) -> ClaimResult:
        """Return the verdict on a claim whose trials are through."""
        own, *others = (self._close(trial) for trial in self.schedule.trials[claim.id])
        controls = [
            ControlResult(control.id, control.statement, result)
            for control, result in zip(claim.controls, others, strict=True)
        ]
        return judge(claim, own, controls)

    def _close(self, trial: Trial) -> TrialResult:
        """Return the sum of a trial; write its witness, or the instance it raised on."""
        blocks = trial.counted()
        name = trial_name(trial.claim.id, trial.control_id)
        witness = f"witnesses/{name}.json"
        failure = f"errors/{name}.json"
        last = blocks[-1]
        if self.run_dir is not None:
            for stale in (self.run_dir / witness, self.run_dir / failure):
                stale.unlink(missing_ok=True)
            if trial.pursuit is not None:
                record = witness_record(
                    trial.claim, trial.control_id, trial.pursuit, self.file, self.seed, self.profile.name
                )
                write_witness(self.run_dir / witness, record)
            if last.error is not None:
                (self.run_dir / "errors").mkdir(exist_ok=True)
                write_json(self.run_dir / failure, {"error": last.error, "instance": last.error_instance})
        written = self.run_dir is not None and trial.pursuit is not None
        return TrialResult.of(blocks, trial.pursuit, witness if written else None)

    def _digest(self, task: Task) -> str:
        """Return the digest of everything the result of a task depends on."""
        claim = self.claims[task.claim_id]
        source = self.file.sha256 if self.file is not None else self._origin
        parts = (task, claim.statement, source, code_digest(), sorted(versions().items()))
        return hashlib.sha256(repr(parts).encode()).hexdigest()
