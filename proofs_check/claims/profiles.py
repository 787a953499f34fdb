"""How hard to try: instances per claim and control, and the effort spent on a counterexample."""

from __future__ import annotations

import math
from dataclasses import dataclass

from modeconn.errors import unknown_name
from proofs_check.claims.claim import Claim, Shape

__all__ = ["PROFILES", "Block", "Profile", "plan", "profile_from_name"]

MIN_PER_SHAPE = 4
"""Instances drawn at each shape, however costly the claim."""


@dataclass(frozen=True)
class Profile:
    """Numbers of instances for a claim of cost 1; a claim's cost divides them.

    A control gets what a claim gets, so that a control put on trial as a claim of its own meets the same instances.

    Attributes:
        instances: drawn per claim and per control, at most: a trial stops at its first confirmed violation.
        block: drawn per block, the unit of work that is kept on disk.
        searched: instances taken from a claim's own search.
        shrink: draws per shape while a counterexample is made smaller, and again to make its violation larger.
        polish: perturbed instances tried to make the violation larger still.
        hint: what to expect, in words.
    """

    name: str
    instances: int
    block: int
    searched: int
    shrink: int
    polish: int
    hint: str


PROFILES: dict[str, Profile] = {
    p.name: p
    for p in (
        Profile("quick", 48, 16, 8, 30, 60, "a look: a minute or two for the whole library"),
        Profile("ci", 120, 40, 16, 60, 200, "what continuous integration runs: a few minutes"),
        Profile("deep", 2000, 200, 64, 400, 1000, "overnight"),
    )
}


def profile_from_name(name: str) -> Profile:
    """Return the profile of this name, or raise :class:`InputError` with the nearest one."""
    if name not in PROFILES:
        raise unknown_name("profile", name, PROFILES)
    return PROFILES[name]


@dataclass(frozen=True)
class Block:
    """A unit of work: ``count`` instances at one shape; shape ``None`` means the claim's own search."""

    index: int
    shape: Shape | None
    count: int


def plan(claim: Claim, profile: Profile) -> tuple[Block, ...]:
    """Return the blocks of a trial, in order: round after round over the shapes, smallest first.

    Depends on the claim and the profile only, never on how the work is spread over processes.

    Example:
        >>> from hypothesis import strategies as st
        >>> from proofs_check.claims import Claim, Outcome
        >>> claim = Claim("x", "0 <= 1", "", lambda shape: st.just({}), [(1,), (2,)], lambda i: Outcome(1.0))
        >>> [(b.index, b.shape, b.count) for b in plan(claim, PROFILES["quick"])]
        [(0, (1,), 12), (1, (2,), 12), (2, (1,), 12), (3, (2,), 12)]
    """
    shapes = [tuple(shape) for shape in claim.shapes]
    per_shape = max(MIN_PER_SHAPE, math.ceil(profile.instances / claim.cost / len(shapes)))
    rounds = math.ceil(per_shape / max(MIN_PER_SHAPE, round(profile.block / claim.cost)))
    blocks: list[Block] = []
    for r in range(rounds):
        count = per_shape // rounds + (r < per_shape % rounds)
        blocks += [Block(len(blocks) + k, shape, count) for k, shape in enumerate(shapes)]
    if claim.search is not None:
        blocks.append(Block(len(blocks), None, max(1, round(profile.searched / claim.cost))))
    return tuple(blocks)
