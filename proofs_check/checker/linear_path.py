"""Certificates that two minima of a linear net are joined by a chain of segments of minima."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from proofs_check.checker.frame import CertificateError, ProblemError, fields
from proofs_check.checker.wide_read import at_most
from proofs_check.exact.linear_net import chain_error
from proofs_check.exact.rational import ExactInputError, matrix_from

__all__ = ["check_linear_path"]

Layers = list[list[list[Fraction]]]


def check_linear_path(statement: Any, evidence: Any, problem: Mapping[str, Any]) -> str:
    """Decide a ``"linear-path"`` certificate; return the accepted statement in words.

    Statement: ``{"pieces": k}``: start and end are joined by k straight pieces on which A_L ... A_1 = Q throughout.
    Evidence: ``{"points"}``, the k - 1 nets between them. Accepted iff the product is Q at L + 1 points of every piece,
    its ends included: its entries have degree at most L along a piece.

    Args:
        statement: what the certificate states.
        evidence: what it shows.
        problem: ``{"Q", "start", "end"}``; nets are lists of layers, the first layer first, each a list of rows.

    Raises:
        CertificateError: malformed, or not accepted.
        ProblemError: the problem cannot be used.

    Example:
        >>> problem = {"Q": [[2]], "start": [[[1]], [[2]]], "end": [[[1]], [[2]]]}
        >>> check_linear_path({"pieces": 1}, {"points": []}, problem)
        'the two minima of the linear net are joined by straight pieces of minima: 1'
    """
    try:
        Q = matrix_from(problem.get("Q"), "problem.Q")
    except ExactInputError as error:
        raise ProblemError(str(error)) from None
    start, end = (_net(problem.get(key), f"problem.{key}", ProblemError) for key in ("start", "end"))
    shapes = _shapes(start)
    before = [len(Q[0]), *(rows for rows, _ in shapes)]
    if shapes != _shapes(end) or [columns for _, columns in shapes] != before[:-1] or before[-1] != len(Q):
        raise ProblemError(
            "problem: expected two nets of equal shapes whose layers lead from the columns of Q to its rows"
        )
    pieces = fields(statement, "statement", ("pieces",))["pieces"]
    points = fields(evidence, "evidence", ("points",))["points"]
    if isinstance(pieces, bool) or not isinstance(pieces, int) or not isinstance(points, list):
        raise CertificateError("statement.pieces: expected an integer; evidence.points: expected a list")
    if len(points) != pieces - 1:
        raise CertificateError(f"evidence.points: expected {pieces - 1}, one less than the pieces, found {len(points)}")
    between = [_net(point, f"evidence.points[{k}]", CertificateError) for k, point in enumerate(points)]
    if any(_shapes(net) != shapes for net in between):
        raise CertificateError("evidence.points: expected nets of the shapes of the ends")
    worst = chain_error([start, *between, end], Q)
    if worst:
        raise CertificateError(f"the product differs from Q by {at_most(worst)} somewhere on the chain")
    return f"the two minima of the linear net are joined by straight pieces of minima: {pieces}"


def _net(value: Any, name: str, error: type[ValueError]) -> Layers:
    if not isinstance(value, list) or not value:
        raise error(f"{name}: expected a list of layers")
    try:
        return [matrix_from(layer, f"{name}[{l}]") for l, layer in enumerate(value)]
    except ExactInputError as found:
        raise error(str(found)) from None


def _shapes(net: Layers) -> list[tuple[int, int]]:
    return [(len(layer), len(layer[0])) for layer in net]
