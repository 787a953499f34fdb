"""The unit of work that travels to a process: one block of a trial, or the pursuit of its counterexample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modeconn.precision import float64
from proofs_check.claims.blocks import Candidate, run_block
from proofs_check.claims.claim import Claim
from proofs_check.claims.profiles import Block, Profile
from proofs_check.claims.search import pursue

__all__ = ["Task", "perform", "trial_name"]


@dataclass(frozen=True)
class Task:
    """What to do: run ``block``, or pursue ``candidate`` where there is no block.

    Attributes:
        control_id: the control on trial, ``None`` for the claim itself.
    """

    claim_id: str
    control_id: str | None
    block: Block | None
    candidate: Candidate | None
    profile: Profile
    seed: int

    @property
    def name(self) -> str:
        """Name of the task's file."""
        trial = trial_name(self.claim_id, self.control_id)
        return f"{trial}.{self.block.index:05d}" if self.block is not None else f"{trial}.pursuit"


def trial_name(claim_id: str, control_id: str | None) -> str:
    """Return the name that files of a trial carry; no claim id holds an ``@``.

    Example:
        >>> trial_name("L1", None), trial_name("L1", "coupled")
        ('L1', 'L1@coupled')
    """
    return claim_id if control_id is None else f"{claim_id}@{control_id}"


def perform(task: Task, claims: Mapping[str, Claim]) -> dict[str, Any]:
    """Return the result of a task as JSON values, computed in 64-bit floats; the same in any process."""
    claim = claims[task.claim_id]
    trial = claim if task.control_id is None else claim.control(task.control_id)
    with float64():
        if task.block is not None:
            return run_block(trial, task.block, task.seed).to_json()
        assert task.candidate is not None
        return pursue(trial, task.candidate, task.profile, task.seed).to_json()
