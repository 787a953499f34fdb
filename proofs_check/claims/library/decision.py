"""A check in floats together with the exact arithmetic that confirms its violations."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from proofs_check.claims.claim import Instance, Outcome

__all__ = ["Decision"]


class Decision(NamedTuple):
    """How a statement and a violation of it are decided; spread into a claim or control with ``**decision._asdict()``.

    Attributes:
        check: instance -> outcome, in float64.
        confirm: instance -> whether the statement is violated in exact arithmetic; ``None`` where that cannot tell.
    """

    check: Callable[[Instance], Outcome]
    confirm: Callable[[Instance], bool | None]
