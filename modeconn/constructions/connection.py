"""What a construction returns: a path with its level and slack, or the numbers for which the width does not suffice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from modeconn.errors import InputError
from modeconn.nets import Net

__all__ = ["Connection", "WidePath"]


class WidePath(Protocol):
    """A path of nets whose loss is bounded by its knots: a :class:`GramPath` or a ``CellPath``."""

    @property
    def pieces(self) -> int:
        """Return the number of pieces between knots."""

    def net(self, tau: float) -> Net:
        """Return the net at tau in [0, pieces]; knots are the integers."""

    def nets(self, taus: Sequence[float] | Float[np.ndarray, " k"]) -> Net:
        """Return the nets at many taus, stacked along a leading axis."""

    def certificate(self, level: Fraction, radius_slack: Fraction) -> dict[str, Any]:
        """Return the certificate that the path stays at loss <= level and in the region, as JSON values."""


@dataclass(frozen=True)
class Connection:
    """A path between two nets in a sublevel set of a region, or why the construction has none.

    Attributes:
        path: ``None`` when the width does not suffice for these nets.
        construction: name in :data:`modeconn.constructions.CONSTRUCTIONS`.
        width: m.
        live0: neurons of the first net that are left after its reduction.
        live1: of the second.
        needed: width from which on the construction is sure to join these two reduced nets.
        level: the loss never exceeds this number: at least both end losses, above them by rounding only.
        radius_slack: every leaf stays in its ball of (1 + radius_slack) times the radius; 0 for nets inside.
        knot_losses: upper bounds of the loss at the knots; between knots it is convex.
        reason: what was done, or why there is no path, with the numbers.
        functionals: N of the theory, the number of equations the reduction keeps.
        rank: how many of them are independent on these two nets.
        drift: largest change of an equation by the reductions, relative to its size.
    """

    path: WidePath | None
    construction: str
    width: int
    live0: int
    live1: int
    needed: int
    level: Fraction | None
    radius_slack: Fraction | None
    knot_losses: tuple[float, ...]
    reason: str
    functionals: int = 0
    rank: int = 0
    drift: float = 0.0

    @property
    def joined(self) -> bool:
        """Return whether there is a path."""
        return self.path is not None

    @property
    def level_slack(self) -> float:
        """Return the level minus the larger of the upper bounds ``knot_losses`` of the two ends: 0, or rounding.

        The exact loss of the worse end lies below its upper bound by rounding, too.
        """
        if self.level is None:
            return float("nan")
        return float(self.level - Fraction(max(self.knot_losses[0], self.knot_losses[-1])))

    def certificate(self) -> dict[str, Any]:
        """Return the certificate of the path as JSON values; the checker reads the problem from elsewhere.

        Raises:
            InputError: there is no path.
        """
        if self.path is None or self.level is None or self.radius_slack is None:
            raise InputError(f"connect: no path to certify: {self.reason}")
        return self.path.certificate(self.level, self.radius_slack)
