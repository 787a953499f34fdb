"""Certificates that two minima of the teacher-student model are joined by a chain of segments of minima."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from proofs_check.checker.frame import CertificateError, ProblemError, fields
from proofs_check.exact.rational import ExactInputError, matrix_from
from proofs_check.exact.teacher import is_same_ray, is_teacher

__all__ = ["check_teacher_path"]


def check_teacher_path(statement: Any, evidence: Any, problem: Mapping[str, Any]) -> str:
    """Decide a ``"teacher-path"`` certificate; return the accepted statement in words.

    Statement: ``{"pieces": k}``: start and end are joined by k straight pieces along which the student
    sum_i relu(w_i . x) never ceases to be the teacher sum_{j <= M} relu(x_j). Evidence: ``{"points"}``, the k - 1
    points between them. Accepted iff every point computes the teacher, as a function, and along every piece every
    neuron stays on one ray (then the function is affine along the piece, hence constant).

    Args:
        statement: what the certificate states.
        evidence: what it shows.
        problem: ``{"M", "start", "end"}``; the points are matrices with one neuron a row, (m, d).

    Raises:
        CertificateError: malformed, or not accepted.
        ProblemError: the problem cannot be used.
    """
    M = problem.get("M")
    if isinstance(M, bool) or not isinstance(M, int) or M < 1:
        raise ProblemError("problem.M: expected a positive integer, the number of teachers")
    start, end = (_point(problem.get(key), f"problem.{key}", ProblemError) for key in ("start", "end"))
    m, d = len(start), len(start[0])
    if (len(end), len(end[0])) != (m, d) or d < M:
        raise ProblemError(f"problem: expected two matrices (m, d) with d >= {M}")
    pieces = fields(statement, "statement", ("pieces",))["pieces"]
    points = fields(evidence, "evidence", ("points",))["points"]
    if isinstance(pieces, bool) or not isinstance(pieces, int) or not isinstance(points, list):
        raise CertificateError("statement.pieces: expected an integer; evidence.points: expected a list")
    if len(points) != pieces - 1:
        raise CertificateError(f"evidence.points: expected {pieces - 1}, one less than the pieces, found {len(points)}")
    between = [_point(point, f"evidence.points[{k}]", CertificateError) for k, point in enumerate(points)]
    chain = [start, *between, end]
    for k, point in enumerate(chain):
        if (len(point), len(point[0])) != (m, d):
            raise CertificateError(f"point {k}: expected a matrix ({m}, {d})")
        if not is_teacher(point, M):
            raise CertificateError(f"point {k}: it is not a minimum: it does not compute the teacher")
    for k, (first, second) in enumerate(pairwise(chain)):
        if not all(map(is_same_ray, first, second)):
            raise CertificateError(f"piece {k}: a neuron leaves its ray, so the piece is not shown to stay at loss 0")
    return f"the two minima are joined by {pieces} straight pieces of minima"


def _point(value: Any, name: str, error: type[ValueError]) -> Sequence[Sequence[Fraction]]:
    try:
        return matrix_from(value, name)
    except ExactInputError as problem:
        raise error(str(problem)) from None
