"""The open case of N8: two inputs, two neurons, one output, zero loss. No barrier above L*_1 is known there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np

from modeconn.topology import CellComplex, communication_barrier, level_set_topology, problem_from_json
from modeconn.topology.level_set import join_level_set
from proofs_check.claims.library.narrow_cases import accept_barrier, accept_minimum, farthest_pair

__all__ = ["Case", "Judgement", "certify_exception", "draw_case", "judge_case", "mutate_case"]

INPUTS, WIDTH = 2, 2
SIZES = (3, 4, 5, 6, 7)
ENTRY = 4
"""Largest absolute value of an entry of X and of the teacher's weights."""


@dataclass(frozen=True)
class Case:
    """Data that two neurons fit exactly: integer rows, and the teacher whose outputs are the targets.

    Attributes:
        X: (n, 2).
        W: hidden weights of the teacher (2, 2), a row for each neuron.
        signs: its output weights, +1 or -1.
        output_weights: ``"free"``, or ``"fixed"`` at +1.
    """

    X: tuple[tuple[int, ...], ...]
    W: tuple[tuple[int, ...], ...]
    signs: tuple[int, ...]
    output_weights: Literal["free", "fixed"]

    def data(self) -> dict[str, Any]:
        """Return the problem as JSON values."""
        y = [
            sum(s * max(0, x[0] * w[0] + x[1] * w[1]) for w, s in zip(self.W, self.signs, strict=True)) for x in self.X
        ]
        return {"X": [list(x) for x in self.X], "y": y, "output_weights": self.output_weights}


class Judgement(NamedTuple):
    """What became of a case.

    Attributes:
        kind: the zero-loss nets are ``"connected"``, or ``"joined"`` at L*_1, or an ``"exception"``: they are not.
        barrier: the highest barrier between two of their components, 0 if there is only one.
        below: L*_1.
    """

    kind: Literal["connected", "joined", "exception"]
    barrier: Fraction
    below: Fraction

    @property
    def ratio(self) -> float:
        """The barrier over L*_1: above 1 for an exception."""
        if not self.below:
            return float("inf") if self.barrier else 0.0
        return float(self.barrier / self.below)


def _rows(values: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())


def draw_case(rng: np.random.Generator) -> Case:
    """Return a random case with entries in -4..4, small ones more often."""
    n, entry = int(rng.choice(SIZES)), int(rng.integers(1, ENTRY + 1))
    output_weights: Literal["free", "fixed"] = "fixed" if rng.random() < 0.25 else "free"
    signs = (1, 1) if output_weights == "fixed" else tuple(rng.choice([1, -1], WIDTH).tolist())
    X, W = (rng.integers(-entry, entry + 1, (rows, INPUTS)) for rows in (n, WIDTH))
    return Case(_rows(X), _rows(W), signs, output_weights)


def mutate_case(case: Case, rng: np.random.Generator) -> Case:
    """Return a case that differs in an entry of X or of the teacher, or by a row more or less."""
    X, W = np.array(case.X), np.array(case.W)
    change = rng.random()
    if change < 0.1 and len(X) < SIZES[-1]:
        X = np.concatenate([X, rng.integers(-ENTRY, ENTRY + 1, (1, INPUTS))])
    elif change < 0.2 and len(X) > SIZES[0]:
        X = np.delete(X, rng.integers(len(X)), axis=0)
    else:
        target = X if change < 0.7 else W
        place = tuple(rng.integers(size) for size in target.shape)
        target[place] = np.clip(target[place] + rng.choice([-2, -1, 1, 2]), -ENTRY, ENTRY)
    return replace(case, X=_rows(X), W=_rows(W))


def judge_case(case: Case) -> Judgement:
    """Return whether all zero-loss nets are joined at L*_1, decided exactly.

    Cost: a few milliseconds; most cases are connected at zero loss already.

    Example:
        >>> X = ((-1, -2), (3, 0), (2, -1))
        >>> judge_case(Case(X, ((1, 0), (0, -1)), (1, 1), "free")).kind
        'joined'
    """
    cells = CellComplex(problem_from_json(case.data()), WIDTH)
    joined, _ = join_level_set(cells, Fraction(0))
    if sum(joined.orbit_size(root) for root in joined.roots()) == 1:
        return Judgement("connected", Fraction(0), Fraction(0))
    below = CellComplex(cells.landscape, WIDTH - 1).least_loss()
    barrier = communication_barrier(level_set_topology(cells, level=Fraction(0))).highest
    return Judgement("exception" if barrier > below else "joined", barrier, below)


def certify_exception(case: Case) -> Judgement:
    """Return the judgement of an exception after the checker accepted its barrier and L*_1.

    Raises:
        Rejected: it refused.
        ValueError: the case is no exception.
    """
    cells = CellComplex(problem_from_json(case.data()), WIDTH)
    found = level_set_topology(cells, level=Fraction(0))
    below = accept_minimum(CellComplex(cells.landscape, WIDTH - 1))
    pair = farthest_pair(found)
    if pair is None or pair[2] <= below:
        raise ValueError("case: expected one with a barrier above L*_1, found none")
    barrier = accept_barrier(cells, *(found.components[k].representative for k in pair[:2])).value
    return Judgement("exception", barrier, below)
