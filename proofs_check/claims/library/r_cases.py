"""Problems and capacities for the claims about how two regions meet, each computed once and certified."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.capacity import Capacity, TypeSystem, least_radius, type_system
from proofs_check.checker import check_certificate
from proofs_check.claims.claim import Hypothesis, Instance, Shape
from proofs_check.claims.library.narrow_problems import problems

__all__ = [
    "FITTABLE",
    "SHAPES",
    "Rejected",
    "accept",
    "accept_for",
    "capacity_of",
    "level_of",
    "needed_width",
    "regional_problems",
    "states",
    "system_of",
]

SHAPES: tuple[Shape, ...] = ((1, 1), (2, 1), (3, 2), (4, 2), (4, 3))
"""Numbers of data points and of inputs."""


class Rejected(AssertionError):
    """The checker did not accept a certificate that the constructor made."""


def accept(certificate: Mapping[str, Any], problem: Mapping[str, Any]) -> None:
    """Raise :class:`Rejected` unless the checker accepts the certificate for this problem."""
    verdict = check_certificate(certificate, problem)
    if not verdict.accepted:
        raise Rejected(f"{certificate['kind']} certificate rejected: {verdict.reason}")


def accept_for(instance: Instance, certificate: Mapping[str, Any], problem: Mapping[str, Any] | None = None) -> None:
    """Raise unless the checker accepts the certificate for the instance's own data, in the problem's region if any."""
    region = {key: value for key, value in (problem or {}).items() if key == "region"}
    accept(certificate, {"X": instance["X"], "y": instance["y"], **region})


def regional_problems(shape: Shape, **choices: Sequence[Any]) -> SearchStrategy[Instance]:
    """Return instances ``{"X", "y", "eighths", ...}`` of shape (n, d), small integers, with further choices by name.

    The level is ``eighths`` of the way up from the least loss of all nets to that of the zero net.
    """
    kinds = problems((*shape, 2), targets=("random", "taught", "one"), output_weights=("free",))
    drawn = st.fixed_dictionaries({key: st.sampled_from(list(values)) for key, values in choices.items()})
    return st.builds(lambda p, more: {"X": p["problem"]["X"], "y": p["problem"]["y"], **more}, kinds, drawn)


def system_of(instance: Instance) -> TypeSystem:
    """Return the data of an instance with all neuron types."""
    return _system(json.dumps([instance["X"], instance["y"]]))


@lru_cache(maxsize=256)
def _system(text: str) -> TypeSystem:
    return type_system(*json.loads(text))


def level_of(instance: Instance) -> Fraction:
    """Return the level of an instance."""
    system = system_of(instance)
    zero = system.loss((Fraction(0),) * system.n)
    return system.least_loss + Fraction(instance.get("eighths", 0), 8) * (zero - system.least_loss)


def capacity_of(instance: Instance) -> Capacity:
    """Return the least radius of the ball that reaches the instance's level, both ends accepted by the checker.

    Raises:
        Rejected: a certificate was refused, or no net was found above.
    """
    return _capacity(json.dumps([instance["X"], instance["y"]]), level_of(instance))


@lru_cache(maxsize=256)
def _capacity(text: str, level: Fraction) -> Capacity:
    instance = dict(zip(("X", "y"), json.loads(text), strict=True))
    found = least_radius(_system(text), level)
    if found.net is None or found.square_upper is None:
        raise Rejected("no net of the least radius was found")
    above, below = found.upper_certificate(), found.lower_certificate()
    accept_for(instance, below)
    accept_for(instance, *above)
    states(below, level, found.square_lower)
    states(above[0], level)
    return found


def states(certificate: Mapping[str, Any], level: Fraction, square: Fraction = Fraction(0)) -> None:
    """Raise :class:`Rejected` unless a certificate is about this level and bounds the radius squared by so much."""
    statement = certificate["statement"]
    if Fraction(statement["level"]) != level or Fraction(statement.get("radius_product_lower", 0)) < square:
        raise Rejected(f"{certificate['kind']} certificate states less than the claim uses: {dict(statement)}")


def needed_width(instance: Instance) -> int:
    """Return N = n + d (d + 1) / 2 + 1, the width from which on reduced nets fit."""
    n, d = len(instance["X"]), len(instance["X"][0])
    return n + d * (d + 1) // 2 + 1


def _is_fittable(instance: Instance) -> bool:
    system = system_of(instance)
    return system.least_loss < system.loss((Fraction(0),) * system.n)


FITTABLE = Hypothesis("the zero net is not optimal", _is_fittable)
