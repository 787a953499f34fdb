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

_CPU_BYTES, _CPU_NEURONS = 1 << 19, 64
_CPU_ACTIVATION_COPIES, _CPU_WEIGHT_COPIES = 3, 4
"""On a CPU: what one core's cache holds of a chunk, its least number of neurons, and the arrays a step goes through."""
_DEVICE_BYTES = 2 << 30
_ACTIVATION_COPIES, _WEIGHT_COPIES = 4, 12
"""On an accelerator: memory of a chunk, and how many arrays of either size a step is reckoned to keep."""


@dataclass(eq=False)
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

    def halves(self, take: Callable[[TrainState, np.ndarray], TrainState]) -> list[Chunk]:
        """Return chunks of half as many lanes, at the step this one has reached.

        Args:
            take: (state, lanes) -> these lanes of a state.
        """
        lanes = -(-self.lanes // 2)
        parts = []
        for start in range(0, len(self.members), lanes):
            members = self.members[start : start + lanes]
            index = np.minimum(np.arange(start, start + lanes), start + len(members) - 1)
            state = None if self.state is None else take(self.state, index)
            parts.append(Chunk(self.recipe, self.padded_width, members, lanes, self.step, state))
        return parts


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


def default_lanes(
    platform: str, columns: int, points: int, d: int, c: int, itemsize: int, members: int | None = None
) -> int:
    """Return how many nets of ``columns`` neurons run side by side on ``points`` data points.

    On a CPU the number depends on the sizes alone, not on how many nets (``members``) there are: the rounding of a net
    would change with it. It is the power of two whose chunk fits the cache of one core. An accelerator takes as many
    nets as there are, up to a power of two, within the memory meant for a chunk.

    Example:
        >>> default_lanes("cpu", columns=16, points=32, d=4, c=1, itemsize=4)
        64
    """
    if platform == "cpu":
        copies = _CPU_ACTIVATION_COPIES * points + _CPU_WEIGHT_COPIES * (d + c)
        fitting = max(1, _CPU_BYTES // (itemsize * columns * copies), _CPU_NEURONS // columns)
        return 1 << (fitting.bit_length() - 1)
    bytes_a_net = itemsize * columns * (_ACTIVATION_COPIES * points + _WEIGHT_COPIES * (d + c + 1))
    fitting = max(1, _DEVICE_BYTES // bytes_a_net)
    return fitting if members is None else min(fitting, 1 << (members - 1).bit_length())


def cut(recipe: Recipe, columns: int, members: np.ndarray, lanes: int) -> list[Chunk]:
    """Return chunks of ``lanes`` nets, the last one perhaps of fewer.

    Example:
        >>> recipe = Recipe("lion", (), "half_squared_error", "constant", None)
        >>> [(len(chunk.members), chunk.lanes) for chunk in cut(recipe, 8, np.arange(10), 4)]
        [(4, 4), (4, 4), (2, 4)]
    """
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
