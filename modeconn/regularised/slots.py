"""From walks of amounts to paths of nets: every feature with a positive amount needs a neuron that carries it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from modeconn.errors import InputError

__all__ = ["Arrangement", "arrange", "rearrange"]

Slot = tuple[int, Fraction]
"""(column, amount); the column of an empty slot, amount 0, means nothing."""

Arrangement = tuple[Slot, ...]
"""What each of the m neurons carries."""

EMPTY: Slot = (-1, Fraction(0))


def arrange(walk: Sequence[Sequence[Fraction]], start: Arrangement) -> list[Arrangement]:
    """Return a walk of amounts as arrangements in slots: a column that appears takes a slot that is empty by then.

    Between consecutive arrangements every slot keeps its column or is empty at one end.

    Args:
        walk: amounts (K,) of all columns.
        start: arrangement of the first ones.

    Raises:
        InputError: more columns are alive at a time than there are slots.
    """
    slots = [slot if slot[1] else EMPTY for slot in start]
    path = [tuple(slots)]
    for here, there in pairwise(walk):
        empty = [j for j, slot in enumerate(slots) if not slot[1]]
        for k, amount in enumerate(there):
            if amount and not here[k]:
                if not empty:
                    raise InputError(
                        f"path: expected a width that leaves a neuron at zero, found {len(slots)} neurons in use; "
                        "add neurons"
                    )
                slots[empty.pop(0)] = (k, Fraction(0))
        slots = [(k, there[k]) if k >= 0 and there[k] else EMPTY for k, _ in slots]
        path.append(tuple(slots))
    return path


def rearrange(start: Arrangement, goal: Arrangement) -> list[Arrangement]:
    """Return a path that moves the contents of slots one by one, each into an empty slot, until they lie as in goal.

    Args:
        start: with at least one empty slot.
        goal: the same contents in other slots.

    Raises:
        InputError: all slots are in use and the order differs.
    """
    path = [start]
    slots = list(start)

    def move(source: int, target: int) -> None:
        slots[source], slots[target] = EMPTY, slots[source]
        path.append(tuple(slots))

    for j, wanted in enumerate(goal):
        if not wanted[1] or slots[j] == wanted:
            continue
        if slots[j][1]:
            empty = next((k for k, slot in enumerate(slots) if not slot[1]), None)
            if empty is None:
                raise InputError(
                    f"path: expected an empty neuron to exchange others through, found {len(slots)} in use"
                )
            move(j, empty)
        move(next(k for k, slot in enumerate(slots) if slot == wanted and goal[k] != wanted), j)
    return path
