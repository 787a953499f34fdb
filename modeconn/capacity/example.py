"""A small data set on which every phase of the diagram of AdamW and Muon occurs."""

from __future__ import annotations

from modeconn.capacity.neuron_types import TypeSystem, type_system

__all__ = ["example_system"]


def example_system() -> TypeSystem:
    """Return five points in the plane: B_M*^2 is about 15.9, the box's capacity V = 38/3 is smaller.

    So between the two there are radii at which both regions hold interpolating nets and no net lies in both.

    Example:
        >>> example_system().n, example_system().d, example_system().least_loss
        (5, 2, Fraction(0, 1))
    """
    return type_system([[1, 1], [-1, 1], [2, 0], [0, 3], [2, 3]], [-1, 1, 2, 1, 2])
