"""Who sits where: the slots of a net while neurons come, go and move to dead slots."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from modeconn.constructions.gram_path import GramPath
from modeconn.constructions.pair import Pair

__all__ = ["NoFreeSlot", "SlotSchedule", "neuron_path"]


class NoFreeSlot(Exception):
    """More neurons are alive than there are slots."""


class SlotSchedule:
    """Knots of a path under construction: bases and weights of the m slots, from the first net on."""

    def __init__(self, base: NDArray[np.int32], t: Float[np.ndarray, " m"]) -> None:
        self.base, self.t = base.astype(np.int32), t.astype(np.float64)
        self.knots = [(self.base.copy(), self.t.copy())]

    def place(self, moves: Mapping[int, tuple[int, float]]) -> None:
        """Add a knot: slot -> (base, t) for the slots that change."""
        for slot, (base, t) in moves.items():
            self.base[slot], self.t[slot] = base, t
        self.knots.append((self.base.copy(), self.t.copy()))

    def reweigh(self, weights: Mapping[int, float]) -> None:
        """Add a knot with these weights of bases (absent: 0), each in one slot; new ones enter dead slots.

        Raises:
            NoFreeSlot: no dead slot is left for a base that enters. A slot that empties is not free before the knot.
        """
        seat = {int(self.base[j]): j for j in np.flatnonzero(self.t > 0).tolist()}
        free = iter(np.flatnonzero(self.t == 0).tolist())
        moves: dict[int, tuple[int, float]] = {slot: (base, 0.0) for base, slot in seat.items()}
        for base, t in weights.items():
            if t > 0:
                slot = seat[base] if base in seat else next(free, None)
                if slot is None:
                    raise NoFreeSlot
                moves[slot] = (base, t)
        self.place(moves)

    def settle(self, home: Mapping[int, int]) -> None:
        """Move every live base to its home slot (homes differ), through dead slots; a knot for each round.

        Psi does not change: a neuron leaves its slot as it grows in another. One dead slot suffices.

        Raises:
            NoFreeSlot: a move is needed and there is no dead slot.
        """
        while True:
            live = np.flatnonzero(self.t > 0).tolist()
            stray = {int(self.base[j]): j for j in live if home[int(self.base[j])] != j}
            if not stray:
                return
            dead = set(np.flatnonzero(self.t == 0).tolist())
            if not dead:
                raise NoFreeSlot
            moving = {base: home[base] for base in stray if home[base] in dead}
            if not moving:  # only cycles are left: break one
                moving = {min(stray): min(dead)}
            moves: dict[int, tuple[int, float]] = {}
            for base, target in moving.items():
                moves[target] = (base, float(self.t[stray[base]]))
                moves[stray[base]] = (base, 0.0)
            self.place(moves)

    def path(self, pair: Pair) -> GramPath:
        """Return the knots as a path over the neurons of the pair."""
        bases, weights = zip(*self.knots, strict=True)
        return neuron_path(pair, np.stack(bases), np.stack(weights))


def neuron_path(pair: Pair, base: NDArray[np.int32], t: Float[np.ndarray, "K m"]) -> GramPath:
    """Return the path with these knots over the neurons of the pair: 0..m-1 of the first net, m..2m-1 of the second."""
    W, A = np.concatenate([pair.W0, pair.W1], 1), np.concatenate([pair.A0, pair.A1], 1)
    return GramPath(W, A, base, t, pair.has_bias)
