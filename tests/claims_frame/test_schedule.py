"""The order of work: whatever order results arrive in, the same blocks count."""

import itertools
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from proofs_check.claims import PROFILES, Outcome, claims_by_id, load_claims
from proofs_check.claims.blocks import run_block
from proofs_check.claims.schedule import Schedule, Trial
from proofs_check.claims.search import pursue

SYNTHETIC = claims_by_id(load_claims(Path(__file__).with_name("synthetic.py")))
QUICK = PROFILES["quick"]


def perform(task, claims):
    claim = claims[task.claim_id]
    trial = claim if task.control_id is None else claim.control(task.control_id)
    if task.block is not None:
        return run_block(trial, task.block, task.seed)
    return pursue(trial, task.candidate, task.profile, task.seed)


def counts(trial):
    return [replace(block, seconds=0.0) for block in trial.counted()], trial.pursuit and trial.pursuit.candidate


def test_blocks_behind_the_first_decisive_one_do_not_count():
    """By construction: all blocks are performed, in many orders, and only those up to the first violation count."""
    check = lambda instance: Outcome(Fraction(3 - 2 * len(instance["x"])))  # noqa: E731
    claim = replace(SYNTHETIC["false"], check=check, shapes=[(1,), (1,), (2,), (1,), (2,)])
    decisive = {2, 4}
    found = set()
    for order in itertools.islice(itertools.permutations(range(5)), 0, 120, 17):
        trial = Trial(claim, None, QUICK, 0)
        tasks = [trial.next_task() for _ in range(5)]
        assert trial.next_task() is None
        for k in order:
            assert not trial.is_done
            trial.record(tasks[k], perform(tasks[k], {"false": claim}))
        pursuit = trial.next_task()
        assert pursuit.block is None
        assert pursuit.candidate.block == min(decisive)
        trial.record(pursuit, perform(pursuit, {"false": claim}))
        assert trial.is_done
        assert [block.index for block in trial.counted()] == [0, 1, 2]
        found.add(repr(counts(trial)))
    assert len(found) == 1


def test_an_error_ends_a_trial_without_a_pursuit():
    """By construction: the first block violates without confirmation, the second raises."""

    def check(instance):
        if len(instance["x"]) == 2:
            raise ValueError("two")
        return Outcome(-1.0)

    claim = replace(SYNTHETIC["true"], check=check, shapes=[(1,), (2,), (4,)], controls=())
    trial = Trial(claim, None, QUICK, 0)
    for _ in range(2):
        task = trial.next_task()
        trial.record(task, perform(task, {"true": claim}))
    assert trial.next_task() is None
    assert trial.is_done
    assert trial.counted()[-1].error is not None


def test_results_do_not_depend_on_slots_or_arrival():
    """Independent scheduling: 1 to 4 slots, results arriving in random order."""
    claims = {i: SYNTHETIC[i] for i in ("true", "false", "survivor")}
    claims["never"] = replace(SYNTHETIC["true"], id="never", check=lambda i: Outcome(Fraction(-1)), controls=())
    found = set()
    for slots in (1, 2, 4):
        rng = random.Random(slots)
        schedule = Schedule(list(claims.values()), QUICK, 0)
        busy = {}
        while True:
            for slot in set(range(slots)) - set(busy):
                if (task := schedule.next_task(slot)) is not None:
                    busy[slot] = task
            if not busy:
                break
            slot = rng.choice(list(busy))
            task = busy.pop(slot)
            schedule.trial_of(task).record(task, perform(task, claims))
        assert all(schedule.is_done(claim_id) for claim_id in claims)
        found.add(repr([counts(trial) for trials in schedule.trials.values() for trial in trials]))
    assert len(found) == 1


def test_a_slot_stays_with_its_claim():
    """By construction: two slots start at different claims and keep to them while there is work."""
    schedule = Schedule([SYNTHETIC["true"], SYNTHETIC["survivor"]], QUICK, 0)
    taken = [[schedule.next_task(slot).claim_id for slot in (0, 1)] for _ in range(4)]
    assert taken == [["true", "survivor"]] * 4
