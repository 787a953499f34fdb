"""Whether a finished path may be returned: rounding must not have moved its loss or its norms."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from modeconn.constructions.pair import REGION_TOLERANCE, Pair

__all__ = ["MAX_LEVEL_SLACK", "moved_by_rounding"]

MAX_LEVEL_SLACK = 1e-9
"""A path whose level exceeds the worse end by more than this, relative to ell(0) + that loss, is not returned."""


def moved_by_rounding(pair: Pair, losses: Sequence[float], slack: Fraction) -> str | None:
    """Return why a path with these losses at its knots and this radius slack is not returned, ``None`` if it is.

    The level, the largest loss, may exceed the two ends by :data:`MAX_LEVEL_SLACK` only, and the radius slack twice
    the tolerance of the input.
    """
    level, ends = max(losses), max(losses[0], losses[-1])
    scale = ends + float(pair.loss.value(np.zeros_like(pair.Y), pair.Y))
    if level - ends <= MAX_LEVEL_SLACK * scale and slack <= 2 * REGION_TOLERANCE:
        return None
    return (
        f"rounding moved the path: loss {level:.6g} against {ends:.6g} at the ends, radius slack {float(slack):.3g}; "
        "the neurons are too nearly dependent"
    )
