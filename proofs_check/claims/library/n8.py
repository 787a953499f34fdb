"""N8, a conjecture that is false: the barrier between global minima is at most the least loss of one neuron less."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from hypothesis.strategies import SearchStrategy

from modeconn.topology import CellComplex, LevelSet
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_cases import accept_barrier, accept_minimum, farthest_pair
from proofs_check.claims.library.narrow_problems import build_problem, level_set_of, problems, zero_loss

__all__ = ["CLAIM", "Excess", "excess_of", "mutated"]

SHAPES = ((4, 2, 2), (5, 2, 2), (4, 2, 3))
ROW_KINDS = ("generic", "small")
TARGET_KINDS = ("random", "taught", "one", "one")
CLIMBS = 16
"""Starts of the search; it ends with the first that violates the statement."""
STEPS = 8
"""Mutations tried from a start."""
ENTRIES = {"X": 3, "y": 4}
"""Largest absolute value of an entry that a mutation writes."""


class Excess(NamedTuple):
    """The pair of minima with the highest barrier.

    Attributes:
        found: the set of global minima.
        pair: numbers of two components, ``None`` if there are no two.
        value: their communication barrier; the least loss if there are no two.
        below: L*_{m-1}, the least loss of one neuron less.
    """

    found: LevelSet
    pair: tuple[int, int] | None
    value: Fraction
    below: Fraction


def excess_of(found: LevelSet) -> Excess:
    """Return the highest barrier between two components of a set of global minima, and what it is compared with."""
    cells = found.complex
    below = CellComplex(cells.landscape, cells.width - 1).least_loss()
    farthest = farthest_pair(found)
    if farthest is None:
        return Excess(found, None, found.least_loss, below)
    return Excess(found, farthest[:2], farthest[2], below)


def _bounded(factor: int = 1) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the barrier is at most ``factor`` L*_{m-1}; a violation is accepted by the checker."""

    def check(instance: Instance) -> Outcome:
        excess = excess_of(level_set_of(instance))
        cells, margin = excess.found.complex, max(factor * excess.below, excess.found.least_loss) - excess.value
        if margin < 0 and excess.pair is not None:
            start, end = (excess.found.components[k].representative for k in excess.pair)
            assert accept_barrier(cells, start, end).value == excess.value, "one barrier, two computations"
            accept_minimum(CellComplex(cells.landscape, cells.width - 1))
        detail = {
            "barrier": str(excess.value),
            "least_loss": str(excess.found.least_loss),
            "least_loss_of_one_neuron_less": str(excess.below),
        }
        return Outcome(margin, certified=margin < 0, detail=detail)

    return check


def _problems(shape: Shape) -> SearchStrategy[Instance]:
    return problems(shape, rows=ROW_KINDS, targets=TARGET_KINDS, output_weights=("free",))


def _one_target(shape: Shape) -> SearchStrategy[Instance]:
    """Return problems where a single target is not zero: one neuron less often fits it exactly."""
    return problems(shape, rows=ROW_KINDS, targets=("one",), output_weights=("free",))


def mutated(instance: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return the instance with one or two entries of X or y changed by little."""
    X, y = np.array(instance["problem"]["X"]), np.array(instance["problem"]["y"])
    for _ in range(rng.integers(1, 3)):
        target, size = (y, ENTRIES["y"]) if rng.random() < 0.3 else (X, ENTRIES["X"])
        place = tuple(rng.integers(k) for k in target.shape)
        target[place] = np.clip(target[place] + rng.choice([-2, -1, 1, 2]), -size, size)
    problem = {**instance["problem"], "X": X.tolist(), "y": y.tolist()}
    return {**instance, "problem": problem}


def _search(seed: int, count: int) -> Sequence[Instance]:
    """Return the problems of the worst margins (relative to the loss of the zero net) that hill climbing found."""
    rng = np.random.default_rng(seed)
    tried: dict[str, tuple[Fraction, Instance]] = {}

    def margin(instance: Instance) -> Fraction:
        key = json.dumps(instance)
        if key not in tried:
            excess = excess_of(level_set_of(instance))
            unit = zero_loss(excess.found.complex.landscape.problem) or Fraction(1)
            tried[key] = ((max(excess.below, excess.found.least_loss) - excess.value) / unit, instance)
        return tried[key][0]

    for _ in range(CLIMBS):
        shape, seed_of_problem = SHAPES[rng.integers(len(SHAPES))], int(rng.integers(2**32))
        rows, targets = (kinds[rng.integers(len(kinds))] for kinds in (ROW_KINDS, TARGET_KINDS))
        best = build_problem(shape, rows, targets, "free", seed_of_problem)
        for _ in range(STEPS):
            best = min(best, mutated(best, rng), key=margin)
        if margin(best) < 0:
            break
    return [instance for _, instance in sorted(tried.values(), key=lambda pair: pair[0])[:count]]


CLAIM = Claim(
    id="N8",
    statement=(
        "two global minima of width m are joined at max(L*_m, L*_{m-1}): the barrier is at most the least loss of one "
        "neuron less (margin: that minus the barrier, exact; for a violation the checker accepts both)"
    ),
    source="a conjecture, refuted in theory N8; for d = 2, m = 2, one output and zero loss no exception is known",
    rests_on=("N2",),
    instances=_problems,
    shapes=SHAPES,
    check=_bounded(),
    search=_search,
    controls=(
        Control(
            "hundredfold",
            "the barrier is at most 100 times the least loss of one neuron less",
            check=_bounded(100),
            instances=_one_target,
            shapes=((4, 2, 3),),
        ),
        Control("no-barrier", "two global minima are joined at their own level", check=_bounded(0)),
    ),
    expected="refuted",
    cost=3.0,
)
