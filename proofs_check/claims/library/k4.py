"""K4: from M* + 1 neurons on, no global optimum is isolated."""

from __future__ import annotations

from proofs_check.claims.claim import Claim, Control
from proofs_check.claims.library.k_counts import count_check
from proofs_check.claims.library.k_problems import NONZERO, PLANTED, SHAPES, nonzero_problems, zero_problems

__all__ = ["CLAIM"]

CLAIM = Claim(
    id="K4",
    statement=(
        "with m >= M* + 1 neurons no global optimum is isolated: counted by the checker from nu* and by the graph of "
        "cells, with an accepted path of global optima away from every vertex (margin: minus the isolated ones, or "
        "what is amiss)"
    ),
    source=(
        "Kim, Mishkin and Pilanci 2025, staircase of connectivity (iv); our formulation of the claim. It needs "
        "y* not 0, like K2"
    ),
    rests_on=("K3",),
    instances=nonzero_problems,
    shapes=SHAPES,
    check=count_check(lambda found: found.largest_support + 1, lambda c: -c.isolated, paths=True),
    hypotheses=(PLANTED, NONZERO),
    controls=(
        Control(
            "M-star-neurons",
            "with m >= M* neurons no global optimum is isolated",
            check=count_check(lambda found: found.largest_support, lambda c: -c.isolated),
        ),
        Control(
            "zero-fit",
            "with m >= M* + 1 neurons no global optimum is isolated, y* = 0 or not",
            instances=zero_problems,
            hypotheses=(PLANTED,),
        ),
    ),
    cost=4.0,
)
