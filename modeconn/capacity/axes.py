"""Axes of a phase diagram around the decays at which the regions become empty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from modeconn.capacity.box import least_gauge_sum
from modeconn.capacity.inputs import whole_width
from modeconn.capacity.least_radius import least_radius
from modeconn.capacity.neuron_types import TypeSystem
from modeconn.errors import InputError

__all__ = ["geometric_axis", "natural_axes"]


MOST_VALUES = 1000
"""Most values of an axis: a diagram has a million cells then."""


def geometric_axis(low: float, high: float, count: int) -> list[Fraction]:
    """Return ``count`` numbers of three digits from low to high, evenly spaced on a logarithmic scale.

    Example:
        >>> [str(v) for v in geometric_axis(0.25, 4, 3)]
        ['1/4', '1', '4']
    """
    if not (0 < low < high < math.inf) or not 2 <= count <= MOST_VALUES:
        raise InputError(
            f"axis: expected 0 < low < high and 2 to {MOST_VALUES} values, found {low}, {high} and {count}"
        )
    ratio = (high / low) ** (1 / (count - 1))
    return sorted({Fraction(f"{low * ratio**k:.3g}") for k in range(count)})


def natural_axes(
    system: TypeSystem, widths: Sequence[int], level: Fraction = Fraction(0), counts: tuple[int, int] = (48, 24)
) -> tuple[list[Fraction], list[Fraction]]:
    """Return decays of AdamW and Muon around the least radii, so that a diagram shows every phase.

    Args:
        system: the data.
        widths: the widths of the diagram.
        level: loss <= level.
        counts: values on the axis of AdamW and of Muon.
    """
    widths = [whole_width(width, "widths") for width in widths]
    if not widths:
        raise InputError("widths: expected at least one, found none")
    gauge = least_gauge_sum(system, level).value
    ball = least_radius(system, level).lower
    lowest, highest = (math.sqrt(width / gauge) for width in (min(widths), max(widths)))
    return geometric_axis(lowest / 2, 1.6 * highest, counts[0]), geometric_axis(0.6 / ball, 1.3 / ball, counts[1])
