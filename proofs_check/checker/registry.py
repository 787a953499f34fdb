"""The registry of certificate kinds: one entry decides one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proofs_check.checker.narrow_kinds import NARROW_KINDS
from proofs_check.checker.segment import check_polyline_barrier, check_segment_barrier

__all__ = ["KINDS", "Check"]

Check = Callable[[Any, Any, Mapping[str, Any]], str]
"""``(statement, evidence, problem) -> the accepted statement in words``; raises CertificateError, or ProblemError."""

KINDS: dict[str, Check] = {
    **NARROW_KINDS,
    "polyline-barrier": check_polyline_barrier,
    "segment-barrier": check_segment_barrier,
}
"""Certificate kind -> its check."""
