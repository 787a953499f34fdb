"""Two reduced nets into one path: neurons of one class share slots, the others take dead ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Int

from modeconn.constructions.acceptance import moved_by_rounding
from modeconn.constructions.cell_classes import Classes
from modeconn.constructions.cell_exact import exact_signs, same_sides
from modeconn.constructions.cell_level import knot_loss_bounds, slack_of_path
from modeconn.constructions.cell_path import cell_path
from modeconn.constructions.cell_state import CellState, live_slots
from modeconn.constructions.connection import Connection
from modeconn.constructions.pair import Pair

__all__ = ["Reduced", "join", "relocated", "shared_seats"]


@dataclass(frozen=True)
class Reduced:
    """A net after its reduction at fixed sides and signs, one straight piece away from it.

    Attributes:
        state: the reduced state.
        classes: classes of the net's slots.
        how: what was done, in words.
        drift: largest change of the prediction, relative to its terms.
    """

    state: CellState
    classes: Classes
    how: str
    drift: float

    @property
    def live(self) -> int:
        """Return the number of live neurons."""
        return int(live_slots(self.state).sum())


def shared_seats(first: Reduced, last: Reduced, X: Float[np.ndarray, "n d"]) -> tuple[Int[np.ndarray, " m"], int]:
    """Return a seat for every live slot of ``last`` (-1 where dead), and how many slots the two need together.

    Neurons of one class may sit in one slot: on the way between them nothing changes sides (checked exactly, since
    rounding can move neurons that lie on a hyperplane to its two sides). The others get slots that are dead in
    ``first``, their own if possible; a seat is -2 if there is none left.
    """
    alive0, alive1 = live_slots(first.state), live_slots(last.state)
    names0, names1 = first.classes.keys(), last.classes.keys()
    sides0, sides1 = exact_signs(X, first.state.u), exact_signs(X, last.state.u)
    open_seats: dict[bytes, list[int]] = {}
    for j in np.flatnonzero(alive0).tolist():
        open_seats.setdefault(names0[first.classes.label[j]], []).append(j)
    seat = np.full(len(alive0), -1)
    movers = np.flatnonzero(alive1).tolist()

    def fitting(j: int) -> list[int]:
        seats = open_seats.get(names1[last.classes.label[j]], [])
        return [k for k in seats if same_sides(sides0[k], sides1[j])]

    for stay in (True, False):  # those that need not move come first
        for j in movers:
            fit = [k for k in fitting(j) if k == j or not stay] if seat[j] < 0 else []
            if fit:
                seat[j] = fit[0]
                open_seats[names1[last.classes.label[j]]].remove(fit[0])
    shared = int((seat >= 0).sum())
    taken = alive0.copy()
    for j in movers:
        if seat[j] < 0 and not taken[j]:
            seat[j], taken[j] = j, True
    free = iter(np.flatnonzero(~taken).tolist())
    for j in movers:
        if seat[j] < 0:
            seat[j] = next(free, -2)
    return seat, int(alive0.sum()) + len(movers) - shared


def relocated(state: CellState, seat: Int[np.ndarray, " m"]) -> list[CellState] | None:
    """Return the knots that bring every live slot j to slot seat[j], the last one included; ``None`` if stuck.

    A neuron leaves its slot as it grows in a dead one, which changes neither prediction nor region. A cycle needs one
    spare dead slot.
    """
    seat = seat.copy()
    knots: list[CellState] = []
    current = CellState(*(leaf.copy() for leaf in state))
    while True:
        alive = live_slots(current)
        stray = [j for j in np.flatnonzero(alive).tolist() if seat[j] != j]
        if not stray:
            return knots
        moves = {j: int(seat[j]) for j in stray if not alive[seat[j]]}
        if not moves:
            spare = np.flatnonzero(~alive)
            if not len(spare):
                return None
            moves = {stray[0]: int(spare[0])}
        u, beta, sign = (leaf.copy() for leaf in current)
        after = seat.copy()
        for j, k in moves.items():
            u[k], beta[k], sign[k], after[k] = current.u[j], current.beta[j], current.sign[j], seat[j]
            u[j], beta[j], sign[j], after[j] = 0.0, 0.0, 1.0, -1
        seat, current = after, CellState(u, beta, sign)
        knots.append(current)


def join(pair: Pair, name: str, first: Reduced, last: Reduced) -> Connection:
    """Return the path net0 - reduced - (shared and disjoint slots) - reduced - net1, or why there is none.

    All pieces are straight in (u, beta): reduction at fixed sides, then (1 - s) u_A next to s u_B, moves of net1's
    neurons to their own slots, and net1's reduction backwards.
    """
    seat, needed = shared_seats(first, last, pair.X)
    shared = first.live + last.live - needed
    numbers = (
        f"live neurons {first.live} and {last.live} ({first.how}; {last.how}), {shared} of them in shared slots: "
        f"{needed} slots needed, width {pair.width}"
    )

    def answer(reason: str) -> Connection:
        return Connection(
            None, name, pair.width, first.live, last.live, needed, None, None, (), reason,
            drift=max(first.drift, last.drift),
        )  # fmt: skip

    if needed > pair.width:
        return answer(f"the width does not suffice for these nets: {numbers}")
    moves = relocated(last.state, seat)
    if moves is None:
        return answer(f"no dead slot to permute neurons through: {numbers}")
    knots: Sequence[CellState] = [first.state, *reversed(moves), last.state]
    path = cell_path((pair.W0, pair.A0), knots, (pair.W1, pair.A1), pair.has_bias)
    crossed = path.crossings(pair.X)
    if crossed:
        return answer(f"rounding brought {len(crossed)} neurons across a hyperplane; {numbers}")
    losses, slack = knot_loss_bounds(pair, path.states), slack_of_path(pair, path)
    moved = moved_by_rounding(pair, losses, slack)
    if moved is not None:
        return answer(f"{moved}; {numbers}")
    return Connection(
        path, name, pair.width, first.live, last.live, needed,
        level=Fraction(max(losses)), radius_slack=slack, knot_losses=losses,
        reason=numbers, drift=max(first.drift, last.drift),
    )  # fmt: skip
