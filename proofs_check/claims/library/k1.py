"""K1: with m* neurons there are finitely many global optima."""

from __future__ import annotations

from fractions import Fraction

from modeconn.topology import Enclosures, least_objective
from proofs_check.claims.claim import Claim, Control, Instance, Outcome
from proofs_check.claims.library.k_counts import count_check
from proofs_check.claims.library.k_problems import NONZERO, PLANTED, SHAPES, nonzero_problems, optima_of

__all__ = ["CLAIM"]

MAX_CELLS = 10_000


def _at_m_star(instance: Instance) -> Instance:
    return {**instance, "extra": 0}


def _fewer_attain(instance: Instance) -> Outcome:
    """Check: m* - 1 neurons reach the optimal value, by the lower end of an interval for what they reach."""
    found = optima_of(instance)
    width = found.smallest_support - 1
    if width == 0:
        least = sum((v * v for v in found.problem.y), Fraction(0)) / 2
    else:
        least = Fraction(least_objective(Enclosures(found.problem, width, MAX_CELLS))[0])
    return Outcome(Fraction(found.value) - least, detail={"width": width, "least": float(least)})


CLAIM = Claim(
    id="K1",
    statement=(
        "with m* neurons, the smallest support of a vertex of the optimal polytope, the set of global optima of the "
        "ridge-regularised problem is finite: all its components are points; the checker derives them from nu*, the "
        "graph of cells counts as many (margin: minus what is amiss in either)"
    ),
    source="Kim, Mishkin and Pilanci 2025, staircase of connectivity (i); our formulation of the claim",
    instances=lambda shape: nonzero_problems(shape).map(_at_m_star),
    shapes=SHAPES,
    check=count_check(lambda found: found.smallest_support, lambda c: c.isolated - c.components),
    hypotheses=(PLANTED, NONZERO),
    controls=(
        Control(
            "one-more-neuron",
            "with m* + 1 neurons the set of global optima is finite",
            check=count_check(lambda found: found.smallest_support + 1, lambda c: c.isolated - c.components),
        ),
        Control("one-fewer-neuron", "m* - 1 neurons reach the optimal value", check=_fewer_attain),
        Control(
            "one-point",
            "with m* neurons the global optimum is one net",
            check=count_check(lambda found: found.smallest_support, lambda c: 1 - c.components),
        ),
    ),
    cost=2.0,
)
