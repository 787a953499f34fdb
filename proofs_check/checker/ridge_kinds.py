"""The kinds of certificate about ridge-regularised optima, for the registry.

A problem is the user's JSON object as for narrow nets: "X", "y" and "ridge" > 0. Reference: theory.md section 4, claims
K1 to K5.
"""

from __future__ import annotations

from proofs_check.checker.narrow_kinds import NarrowCheck
from proofs_check.checker.ridge_descent import check_ridge_descent
from proofs_check.checker.ridge_gap import check_minimum_norm, check_ridge_gap
from proofs_check.checker.ridge_optima import check_ridge_optimal_set

__all__ = ["RIDGE_KINDS"]

RIDGE_KINDS: dict[str, NarrowCheck] = {
    "minimum-norm": check_minimum_norm,
    "ridge-descent": check_ridge_descent,
    "ridge-gap": check_ridge_gap,
    "ridge-optimal-set": check_ridge_optimal_set,
}
"""Certificate kind -> its check."""
