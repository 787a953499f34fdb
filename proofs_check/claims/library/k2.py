"""K2: from m* + 1 neurons on, some global optima are joined by paths of global optima."""

from __future__ import annotations

from proofs_check.claims.claim import Claim, Control
from proofs_check.claims.library.k_counts import count_check
from proofs_check.claims.library.k_problems import NONZERO, PLANTED, SHAPES, nonzero_problems, zero_problems

__all__ = ["CLAIM"]

CLAIM = Claim(
    id="K2",
    statement=(
        "with m >= m* + 1 neurons some component of the set of global optima is not a point: counted by the checker "
        "from nu* and by the graph of cells, and shown by a path of global optima that the checker accepts (margin: "
        "such components beyond one, or minus what is amiss)"
    ),
    source=(
        "Kim, Mishkin and Pilanci 2025, staircase of connectivity (ii); our formulation of the claim. It needs "
        "y* not 0: beyond the critical beta the zero net is the only optimum, at every width"
    ),
    rests_on=("K1",),
    instances=nonzero_problems,
    shapes=SHAPES,
    check=count_check(lambda found: found.smallest_support + 1, lambda c: c.components - c.isolated - 1, paths=True),
    hypotheses=(PLANTED, NONZERO),
    controls=(
        Control(
            "m-star-neurons",
            "with m >= m* neurons some component is not a point",
            check=count_check(lambda found: found.smallest_support, lambda c: c.components - c.isolated - 1),
        ),
        Control(
            "zero-fit",
            "with m >= m* + 1 neurons some component is not a point, y* = 0 or not",
            instances=zero_problems,
            hypotheses=(PLANTED,),
        ),
    ),
    cost=3.0,
)
