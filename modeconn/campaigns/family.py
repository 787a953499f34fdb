"""Families of instances that a campaign can try, and the one registry of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modeconn.campaigns.tally import Tally
from modeconn.errors import InputError, unknown_name
from modeconn.lazy_registry import LazyRegistry

__all__ = [
    "FAMILIES",
    "MODULES",
    "Family",
    "Parameters",
    "family_from_name",
    "names",
    "positive_numbers",
    "whole_numbers",
]

Parameters = Mapping[str, Any]
"""Name -> number or string."""


@dataclass(frozen=True)
class Family:
    """A statement and a way to draw instances of it by number.

    Attributes:
        name: its key in :data:`FAMILIES`.
        statement: what is checked, in one line.
        grain: instances are drawn and checked in blocks of this many, the same blocks however they are spread.
        defaults: parameter -> default, ``None`` where one must be given.
        check: raises :class:`InputError` for parameters that make no sense.
        run_block: (parameters, block, seed) -> what the instances ``block * grain .. (block + 1) * grain - 1`` show: a
            function of its arguments.
        about: parameters -> id of the claim that the statement belongs to.
        shard: instances in a shard unless another number is asked for: a few seconds of one core.
    """

    name: str
    statement: str
    grain: int
    defaults: Parameters
    check: Callable[[Parameters], None]
    run_block: Callable[[Parameters, int, int], Tally]
    about: Callable[[Parameters], str]
    shard: int


MODULES: dict[str, str] = {
    "claim": "claims",
    "gram-reduction": "gram_reduction",
    "segment-barrier": "segment_barrier",
    "narrow-barrier": "narrow_barrier",
    "ball-contraction": "ball_contraction",
    "trained-pair": "trained_pair",
}
"""Name of the family -> module of :mod:`modeconn.campaigns.families` that exports it as ``FAMILY``."""


FAMILIES: Mapping[str, Family] = LazyRegistry("modeconn.campaigns.families", MODULES, "FAMILY")


def family_from_name(name: str) -> Family:
    """Return the family of this name, or raise :class:`InputError` with the nearest one."""
    if name not in FAMILIES:
        raise unknown_name("family", name, FAMILIES)
    return FAMILIES[name]


def whole_numbers(parameters: Parameters, *keys: str) -> None:
    """Raise :class:`InputError` unless these parameters are whole numbers >= 1 that a machine integer holds."""
    for key in keys:
        value = parameters[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
            raise InputError(f"expected a whole number below 2^31 and at least 1 for {key}, found {value!r}")


def positive_numbers(parameters: Parameters, *keys: str) -> None:
    """Raise :class:`InputError` unless these parameters are finite numbers > 0."""
    for key in keys:
        value = parameters[key]
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise InputError(f"expected a finite number above 0 for {key}, found {value!r}")


def names(parameters: Parameters, *keys: str) -> None:
    """Raise :class:`InputError` unless these parameters are text."""
    for key in keys:
        if not isinstance(parameters[key], str):
            raise InputError(f'expected a name in quotes such as "x" for {key}, found {parameters[key]!r}')
