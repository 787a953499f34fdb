"""K3: with M* neurons some global optimum is isolated."""

from __future__ import annotations

from proofs_check.claims.claim import Claim, Control, Instance
from proofs_check.claims.library.k_counts import count_check
from proofs_check.claims.library.k_problems import NONZERO, PLANTED, SHAPES, nonzero_problems

__all__ = ["CLAIM"]


def _at_M_star(instance: Instance) -> Instance:
    return {**instance, "extra": 0}


CLAIM = Claim(
    id="K3",
    statement=(
        "with M* neurons, the largest support of a vertex of the optimal polytope, some global optimum is isolated: "
        "counted by the checker from nu* and by the graph of cells (margin: isolated optima beyond one, or minus what "
        "is amiss)"
    ),
    source=(
        "Kim, Mishkin and Pilanci 2025, staircase of connectivity (iii); our formulation of the claim. That the set is "
        "not connected, as it is also put, needs M* >= 2 or two vertices: see the control"
    ),
    instances=lambda shape: nonzero_problems(shape).map(_at_M_star),
    shapes=SHAPES,
    check=count_check(lambda found: found.largest_support, lambda c: c.isolated - 1),
    hypotheses=(PLANTED, NONZERO),
    controls=(
        Control(
            "one-more-neuron",
            "with M* + 1 neurons some global optimum is isolated",
            check=count_check(lambda found: found.largest_support + 1, lambda c: c.isolated - 1),
        ),
        Control(
            "all-isolated",
            "with M* neurons all global optima are isolated",
            check=count_check(lambda found: found.largest_support, lambda c: c.isolated - c.components),
        ),
        Control(
            "never-connected",
            "with M* neurons the set of global optima is not connected (M* = 1 with one vertex included)",
            check=count_check(lambda found: found.largest_support, lambda c: c.components - 2),
        ),
    ),
    cost=2.0,
)
