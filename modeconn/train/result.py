"""What a fleet returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.train.fleet import Fleet

__all__ = ["FleetResult", "unstack"]


@dataclass(frozen=True, eq=False)
class FleetResult:
    """Trained nets and how their training went; leading axis F in the order of ``fleet``. NumPy arrays throughout.

    Attributes:
        fleet: the specification.
        nets: final weights, W (F, d, M), A (F, c, M), b (F, M), padded with exact zeros to the largest width M.
        initial: weights before the first step, padded likewise.
        recorded_steps: (R,) steps after which the loss was recorded, from 0 to the last.
        history: (F, R) loss over all data, in the dtype of training.
        final_loss: (F,) loss of the final weights, in float64 whatever the dtype of training.
        kkt: (F,) KKT score (claim L3) of the final weights in the optimizer's limit problem, in float64.
        kkt_by_leaf: its summands by leaf name.
        ratios: lam ||x||_dual by leaf name, (F,), in float64: the region is where all are <= 1.
        diverged: (F,) whether a recorded loss or a final weight is NaN or infinite. Such instances stay in every
            array as they are: leave them out by this flag, and say how many.
        diverged_at: (F,) the first recorded step with such a loss, -1 where there is none.
        settings: options of the run, device, precision, and how often a chunk was ``halved`` for want of memory;
            on a GPU what the ``fused`` program trained, and ``warnings`` why it did not train what it should have.
    """

    fleet: Fleet
    nets: Net
    initial: Net
    recorded_steps: np.ndarray
    history: np.ndarray
    final_loss: np.ndarray
    kkt: np.ndarray
    kkt_by_leaf: dict[str, np.ndarray]
    ratios: dict[str, np.ndarray]
    diverged: np.ndarray
    diverged_at: np.ndarray
    settings: dict[str, Any]

    def __len__(self) -> int:
        return len(self.fleet)

    def in_region(self, tolerance: float = 1e-6) -> np.ndarray:
        """Return (F,) whether lam ||leaf||_dual <= 1 + tolerance in every leaf; False where diverged.

        The default tolerance is the rounding of float32 weights on the boundary.
        """
        return np.all([ratio <= 1 + tolerance for ratio in self.ratios.values()], axis=0)


def unstack(result: FleetResult, index: int, *, initial: bool = False) -> Net:
    """Return net ``index`` at its own width, without padding: the final weights, or the initial ones.

    Raises:
        InputError: no such instance.
    """
    if not -len(result) <= index < len(result):
        raise InputError(f"unstack: expected an instance below {len(result)}, found {index}")
    width = int(result.fleet.width[index])
    stack = result.initial if initial else result.nets
    return jax.tree.map(lambda leaf: leaf[index][..., :width], stack)
