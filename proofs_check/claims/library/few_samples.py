"""KUD2: h + 2 samples are enough for minima of width h that no path joins, even up to permutation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, LevelSet, Point, barrier_between, level_set_topology, problem_from_json
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import (
    accept_barrier,
    accept_components,
    accept_minimum,
    pad,
)
from proofs_check.claims.library.narrow_problems import draw_taught

__all__ = ["CLAIM", "first_disconnected"]

DRAWS = 200
"""Data sets looked at before an instance counts as a failure of the statement."""

INPUTS = 2
SHAPES = ((2,), (3,))
OVERPARAMETRISED = 3
"""From this width on the data set found must be one that h - 1 neurons interpolate as well."""


def _searches(shape: Shape) -> SearchStrategy[Instance]:
    """Return the seed of a search for a data set at width h."""
    return st.builds(lambda seed: {"width": shape[0], "seed": seed}, st.integers(0, 2**32 - 1))


@lru_cache(maxsize=256)
def first_disconnected(width: int, seed: int) -> dict[str, Any] | None:
    """Return the first data set of h + 2 samples with several orbits of zero-loss nets, ``None`` after 200 draws.

    Rows of two small integers and targets of a net; of h - 1 neurons where h >= 3.
    """
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        narrower = width - 1 if width >= OVERPARAMETRISED else width
        data = draw_taught(rng, width + 2, INPUTS, narrower, "free")
        if level_set_topology(problem_from_json(data), width, Fraction(0)).orbits > 1:
            return data
    return None


def _representatives(found: LevelSet) -> tuple[Point, Point]:
    """Return a net of the first orbit and one of the second."""
    first = next(c for c in found.components if c.orbit == 0)
    second = next(c for c in found.components if c.orbit == 1)
    return first.representative, second.representative


def _check(instance: Instance) -> Outcome:
    width = instance["width"]
    data = first_disconnected(width, instance["seed"])
    if data is None:
        return Outcome(Fraction(-1), detail={"draws": DRAWS})
    found = level_set_topology(problem_from_json(data), width)
    accept_components(found)
    one, other = _representatives(found)
    barrier = accept_barrier(found.complex, one, other).value
    least = (
        accept_minimum(CellComplex(found.complex.landscape, width - 1)) if width >= OVERPARAMETRISED else Fraction(0)
    )
    margin = min(Fraction(found.orbits - 2), barrier, -found.least_loss, -least)
    detail = {"data": data, "components": len(found.components), "orbits": found.orbits, "barrier": str(barrier)}
    return Outcome(margin, certified=True, detail=detail)


def _every_data_set(instance: Instance) -> Outcome:
    """Check: the first data set drawn has several orbits already."""
    width = instance["width"]
    data = draw_taught(np.random.default_rng(instance["seed"]), width + 2, INPUTS, width, "free")
    found = level_set_topology(problem_from_json(data), width, Fraction(0))
    return Outcome(Fraction(found.orbits - 2), detail={"data": data, "orbits": found.orbits})


def _wider(extra: int) -> Callable[[Instance], Outcome]:
    """Return the check of: the two nets stay apart when zero neurons are added to both."""

    def check(instance: Instance) -> Outcome:
        width = instance["width"]
        data = first_disconnected(width, instance["seed"])
        assert data is not None, "the claim itself fails at this seed"
        problem = problem_from_json(data)
        one, other = _representatives(level_set_topology(problem, width, Fraction(0)))
        wide = CellComplex(problem, width + extra)
        barrier = barrier_between(wide, pad(one, width + extra), pad(other, width + extra)).value
        return Outcome(Fraction(1 if barrier > 0 else -1), detail={"data": data, "barrier": str(barrier)})

    return check


def _narrow_level(instance: Instance) -> Outcome:
    """Check: the barrier is at most the least loss of h - 1 neurons."""
    width = instance["width"]
    data = first_disconnected(width, instance["seed"])
    assert data is not None, "the claim itself fails at this seed"
    problem = problem_from_json(data)
    found = level_set_topology(problem, width, Fraction(0))
    barrier = barrier_between(found.complex, *_representatives(found)).value
    narrow = CellComplex(problem, width - 1).least_loss()
    return Outcome(narrow - barrier, detail={"data": data, "barrier": str(barrier), "narrower": str(narrow)})


CLAIM = Claim(
    id="KUD2",
    statement=(
        "for h = 2 and 3 there are h + 2 samples whose interpolating nets of width h are disconnected even up to "
        "permutation, with a positive communication barrier; for h = 3 although h - 1 neurons interpolate them as well "
        f"(each instance finds a data set within {DRAWS} draws; the checker accepts components, barrier "
        "and least losses; margin: the least of orbits - 2, the barrier, and minus the least losses)"
    ),
    source="Kuditipudi et al. (2019), the theorem that not all minima are connected; our formulation, small widths",
    instances=_searches,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control("every-data-set", "all realisable data sets of h + 2 samples are so", check=_every_data_set),
        Control(
            "two-neurons-more",
            "the two nets stay apart when two zero neurons are added to both",
            check=_wider(2),
            shapes=((2,),),
        ),
        Control(
            "narrow-level",
            "the barrier is at most the least loss of h - 1 neurons",
            check=_narrow_level,
            shapes=((3,),),
        ),
    ),
    cost=24.0,
    rests_on=("N1", "N2"),
)
