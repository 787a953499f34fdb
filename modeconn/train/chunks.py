"""Which nets run side by side: groups of one compiled program, cut into chunks that fit the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from modeconn.errors import unknown_name
from modeconn.optim import optimizer_from_name
from modeconn.train.fleet import Fleet
from modeconn.train.program import Lanes, Recipe, TrainState

__all__ = ["PADDINGS", "Chunk", "Padding", "cut", "group", "padded_widths"]

Padding = Literal["power_of_two", "largest"]
PADDINGS = ("power_of_two", "largest")

_MEMORY_BUDGET = {"cpu": 32 << 20}
_DEVICE_BUDGET = 2 << 30
_ACTIVATIONS, _COPIES = 4, 12
"""Arrays of the size of the activations, and of the weights, that a step keeps: for the default chunk size only."""


@dataclass
class Chunk:
    """Nets that run side by side on one device; ``lanes`` may exceed their number (the last net is then repeated).

    Attributes:
        recipe: the program.
        padded_width: columns of the stacked hidden matrices.
        members: positions in the fleet.
        lanes: nets the program is compiled for.
        step: steps done.
        state: weights and memory, or ``None`` before the first step.
    """

    recipe: Recipe
    padded_width: int
    members: np.ndarray
    lanes: int
    step: int = 0
    state: TrainState | None = None

    @property
    def rows(self) -> np.ndarray:
        """Positions in the fleet, lane by lane."""
        return np.concatenate([self.members, np.repeat(self.members[-1:], self.lanes - len(self.members))])

    @property
    def can_split(self) -> bool:
        """Whether halving it would make it smaller."""
        return len(self.members) > 1 and self.lanes > lane_quantum(self.padded_width)

    def halves(self, take: Callable[[TrainState, np.ndarray], TrainState]) -> list[Chunk]:
        """Return the two halves, at the step this one has reached; ``take(state, lanes)`` selects lanes of a state."""
        half = -(-len(self.members) // 2)
        lanes, parts = _rounded_up(half, lane_quantum(self.padded_width)), []
        for start, stop in ((0, half), (half, len(self.members))):
            index = np.minimum(np.arange(start, start + lanes), stop - 1)
            state = None if self.state is None else take(self.state, index)
            parts.append(Chunk(self.recipe, self.padded_width, self.members[start:stop], lanes, self.step, state))
        return parts


def _rounded_up(number: int, quantum: int) -> int:
    return -(-number // quantum) * quantum


def lane_quantum(columns: int) -> int:
    """Return the number that lane counts are multiples of: at least 64 neurons and 2 nets side by side.

    Below that the matrix products of a CPU switch to other kernels, with other rounding; above it a net's bits do not
    depend on how many run beside it.
    """
    return max(2, -(-64 // columns))


def padded_widths(fleet: Fleet, padding: Padding) -> np.ndarray:
    """Return the number of columns each net is stored with while it trains, (F,).

    ``power_of_two``: the next one, which depends on the net alone, so that its rounding does not depend on the fleet,
    and wastes less than half; one program an optimizer and power of two. ``largest``: the largest width of the fleet;
    one program an optimizer. Practical variants of Muon read a factor of the learning rate off the shape of a leaf:
    they are not padded.

    Example:
        >>> fleet = Fleet.of(optimizer="lion", learning_rate=1e-3, width=[3, 8, 9])
        >>> padded_widths(fleet, "power_of_two").tolist(), padded_widths(fleet, "largest").tolist()
        ([4, 8, 16], [9, 9, 9])
    """
    if padding not in PADDINGS:
        raise unknown_name("padding", padding, PADDINGS)
    largest = int(fleet.width.max())
    columns = [1 << (int(w) - 1).bit_length() if padding == "power_of_two" else largest for w in fleet.width]
    shape_free = np.array([optimizer_from_name(name).is_theory for name in fleet.optimizer])
    return np.where(shape_free, columns, fleet.width)


def group(
    fleet: Fleet, loss: str, schedule: str, batch_size: int | None, padding: Padding
) -> dict[tuple[Recipe, int], np.ndarray]:
    """Return the positions of the nets that share a program, by recipe and padded width."""
    members: dict[tuple[Recipe, int], list[int]] = {}
    for i, columns in enumerate(padded_widths(fleet, padding)):
        betas = tuple(name for name in ("b1", "b2") if not np.isnan(getattr(fleet, name)[i]))
        recipe = Recipe(fleet.optimizer[i], betas, loss, schedule, batch_size)
        members.setdefault((recipe, int(columns)), []).append(i)
    return {key: np.array(positions) for key, positions in members.items()}


def default_lanes(platform: str, columns: int, points: int, d: int, c: int, itemsize: int) -> int:
    """Return how many nets of ``columns`` neurons on ``points`` data points fit the working memory meant for a chunk.

    On a CPU that is the cache: smaller chunks than the memory would allow are faster.
    """
    bytes_a_net = itemsize * columns * (_ACTIVATIONS * points + _COPIES * (d + c + 1))
    return max(1, _MEMORY_BUDGET.get(platform, _DEVICE_BUDGET) // bytes_a_net)


def cut(recipe: Recipe, columns: int, members: np.ndarray, largest: int, devices: int) -> list[Chunk]:
    """Return chunks of equal size, at most ``largest`` nets each (or one quantum), enough to occupy the devices.

    Example:
        >>> recipe = Recipe("lion", (), "half_squared_error", "constant", None)
        >>> [(len(chunk.members), chunk.lanes) for chunk in cut(recipe, 8, np.arange(40), 20, 1)]
        [(16, 16), (16, 16), (8, 16)]
    """
    quantum = lane_quantum(columns)
    fitting = max(quantum, largest // quantum * quantum)
    number = max(-(-len(members) // fitting), min(devices, -(-len(members) // quantum)))
    lanes = _rounded_up(-(-len(members) // number), quantum)
    parts = [members[start : start + lanes] for start in range(0, len(members), lanes)]
    return [Chunk(recipe, columns, part, lanes) for part in parts]


def lanes_of(fleet: Fleet, chunk: Chunk, dtype: np.dtype) -> Lanes:
    """Return the per-net numbers of a chunk, in the dtype of training."""
    rows = chunk.rows
    return Lanes(
        instance_id=fleet.instance_id[rows].astype(np.uint32),
        width=fleet.width[rows].astype(np.int32),
        learning_rate=fleet.learning_rate[rows].astype(dtype),
        weight_decay=fleet.weight_decay[rows].astype(dtype),
        betas={name: getattr(fleet, name)[rows].astype(dtype) for name in chunk.recipe.betas},
    )
