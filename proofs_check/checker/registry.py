"""The registry of certificate kinds: one entry decides one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from proofs_check.checker.attained import check_attained
from proofs_check.checker.cell_path import check_cell_path
from proofs_check.checker.cells import MAX_CELLS
from proofs_check.checker.gram_path import check_gram_path
from proofs_check.checker.least_radius import check_least_radius
from proofs_check.checker.linear_path import check_linear_path
from proofs_check.checker.narrow_kinds import NARROW_KINDS
from proofs_check.checker.ridge_kinds import RIDGE_KINDS
from proofs_check.checker.segment import check_polyline_barrier, check_segment_barrier
from proofs_check.checker.teacher_path import check_teacher_path

__all__ = ["KINDS", "Check"]


class Check(Protocol):
    """The check of one kind; it raises CertificateError, or ProblemError where the problem is to blame."""

    def __call__(self, statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = ...) -> str:
        """Return the accepted statement in words."""
        ...


def _without_cells(check: Callable[[Any, Any, Mapping[str, Any]], str]) -> Check:
    """Return a check that enumerates no cells as one that may be given a limit on them."""

    def checked(statement: Any, evidence: Any, problem: Mapping[str, Any], max_cells: int = MAX_CELLS) -> str:
        return check(statement, evidence, problem)

    return checked


KINDS: dict[str, Check] = {
    **NARROW_KINDS,
    **RIDGE_KINDS,
    "attained": _without_cells(check_attained),
    "cell-path": _without_cells(check_cell_path),
    "gram-path": _without_cells(check_gram_path),
    "least-radius": check_least_radius,
    "linear-path": _without_cells(check_linear_path),
    "polyline-barrier": _without_cells(check_polyline_barrier),
    "segment-barrier": _without_cells(check_segment_barrier),
    "teacher-path": _without_cells(check_teacher_path),
}
"""Certificate kind -> its check."""
