"""The kinds of certificate about narrow nets, for the registry.

A problem is the user's JSON object: "X" and "y", optionally "output_weights", "ridge" (0) and "region"; decimals are
strings. Every check takes (statement, evidence, problem), and ``max_cells``, the largest number of ordered cells (types
** width) that it takes on; it returns the accepted statement in words or raises CertificateError (ProblemError where
the problem is to blame).

Example:
    >>> net = [{"u": ["1"], "s": 1}]
    >>> statement = {"width": 1, "level": "0", "start": net, "end": net}
    >>> NARROW_KINDS["joined"](statement, {"points": [net]}, {"X": [["2"]], "y": ["2"]})
    'the two nets of width 1 are joined in the set of loss <= 0'

Reference: theory.md section 3, claims N1, N2, N3, N6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from proofs_check.checker.narrow import (
    check_barrier,
    check_components,
    check_joined,
    check_minimum,
    check_separated,
)
from proofs_check.checker.narrow_region import check_region_avoids_component

__all__ = ["NARROW_KINDS", "NarrowCheck"]


class NarrowCheck(Protocol):
    """The check of one kind."""

    def __call__(self, statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = ...) -> str:
        """Return the accepted statement in words."""
        ...


NARROW_KINDS: dict[str, NarrowCheck] = {
    "barrier": check_barrier,
    "components": check_components,
    "joined": check_joined,
    "minimum": check_minimum,
    "region-avoids-component": check_region_avoids_component,
    "separated": check_separated,
}
"""Certificate kind -> its check."""
