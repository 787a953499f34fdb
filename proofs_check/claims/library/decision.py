"""A check in floats together with the exact arithmetic that confirms its violations."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from proofs_check.claims.claim import Instance, Outcome

__all__ = ["ROUNDING", "Decision", "decide"]

ROUNDING = 1e-6
"""Margins are relative: a violation larger than this is not rounding, whatever exact arithmetic makes of the case."""


class Decision(NamedTuple):
    """How a statement and a violation of it are decided; spread into a claim or control with ``**decision._asdict()``.

    Attributes:
        check: instance -> outcome, in float64.
        confirm: instance -> whether the statement is violated in exact arithmetic; ``None`` where that cannot tell.
    """

    check: Callable[[Instance], Outcome]
    confirm: Callable[[Instance], bool | None]


def decide(check: Callable[[Instance], Outcome], violated: Callable[[Instance], bool | None]) -> Decision:
    """Return the decision of a statement about code that exact arithmetic follows on its own.

    ``violated`` speaks of the exact run, ``check`` of what the code under test did. Where the first sees nothing wrong
    and the second a violation too large for rounding, the code did something else than the statement says: that must
    not pass for rounding, so the case stays open (``None``).

    Example:
        >>> wrong = decide(lambda i: Outcome(-0.5), lambda i: False)
        >>> rounded = decide(lambda i: Outcome(-1e-12), lambda i: False)
        >>> print(wrong.confirm({}), rounded.confirm({}))
        None False
    """

    def confirm(instance: Instance) -> bool | None:
        answer = violated(instance)
        if answer is False and check(instance).margin < -ROUNDING:
            return None
        return answer

    return Decision(check, confirm)
