"""The same runs in exact arithmetic: what confirms, or dismisses, a violation seen in float64."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from modeconn.optim import POTENTIALS
from proofs_check.claims.claim import Instance
from proofs_check.exact.interval import Scalar, enclosure
from proofs_check.exact.lion_k import LionKState, lion_k_trajectory
from proofs_check.exact.potentials import ExactPotential, exact_potential

__all__ = ["EXACT", "any_above", "ball_of", "exact_run", "gradients_of", "potential_of"]

EXACT = ("l1", "frobenius", "nuclear", "huber_l1", "soft_l1")
"""Potentials whose runs exact arithmetic can follow (the nuclear norm for matrices with one row or one column)."""


def gradients_of(instance: Instance) -> list[list[list[float]]]:
    """Return the gradients (T, d, m) in their unit, as the floats that every run of the instance starts from."""
    return [[[entry * instance["scale"] for entry in row] for row in g] for g in instance["gradients"]]


def potential_of(instance: Instance) -> ExactPotential | None:
    """Return the exact counterpart of the instance's potential, ``None`` where there is none."""
    name = instance["potential"]
    x0 = instance["x0"]
    if name not in EXACT or (name == "nuclear" and min(len(x0), len(x0[0])) > 1):
        return None
    threshold = getattr(POTENTIALS[name], "delta", 1)
    return exact_potential(name, threshold)


def ball_of(instance: Instance) -> str:
    """Return the ball in which decay holds the run: ``"linf"`` or ``"l2"`` (the spectral ball of a vector)."""
    return "l2" if instance["potential"] in ("frobenius", "nuclear") else "linf"


def exact_run(instance: Instance, form: str | None = None) -> list[LionKState] | None:
    """Return the states of a run of :func:`~proofs_check.claims.library.runs.run_instances`, start included.

    Args:
        instance: the run; its floats are taken as the dyadic numbers that they store.
        form: another form of decay than the instance's, such as ``"coupled"``.
    """
    potential = potential_of(instance)
    if potential is None:
        return None
    return lion_k_trajectory(
        instance["x0"],
        gradients_of(instance),
        potential,
        instance["lr"],
        instance["decay"],
        instance["b1"],
        instance["b2"],
        form or instance["form"],
    )


def any_above(values: Iterable[Scalar], bound: Scalar | Fraction | int = 0) -> bool | None:
    """Decide whether some value exceeds ``bound``: ``None`` when an enclosure is too wide to tell.

    Example:
        >>> any_above([Fraction(-1), Fraction(1, 10**40)]), any_above([Fraction(0)])
        (True, False)
    """
    limit = enclosure(bound)
    undecided = False
    for value in values:
        number = enclosure(value)
        if number.lower > limit.upper:
            return True
        undecided = undecided or number.upper > limit.lower
    return None if undecided else False
