"""Certificates of segment and polyline barriers: what they look like, how one is made, how one is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from proofs_check.checker.frame import FORMAT, CertificateError, ProblemError, fields
from proofs_check.exact.piecewise import Line, SegmentLoss, segment_loss, surviving_pieces
from proofs_check.exact.polynomial import is_at_most
from proofs_check.exact.rational import ExactInputError, number_from, number_to_string, round_down, round_up
from proofs_check.exact.segment import Enclosure, baseline_line

__all__ = ["barrier_certificate", "barrier_problem", "check_polyline_barrier", "check_segment_barrier"]

_LOSS_BOUNDS = ("max_loss_lower", "max_loss_upper")


def barrier_certificate(enclosure: Enclosure, baseline: str, kind: str = "segment-barrier") -> dict[str, Any]:
    """Return the certificate, as JSON values, of an enclosure from :mod:`proofs_check.exact.segment`.

    It states the bounds and names the parameters that attain the lower ones. It holds no weights and no data: the
    checker takes these from the user.

    Args:
        enclosure: what was found.
        baseline: the baseline it was found with.
        kind: ``"segment-barrier"`` or ``"polyline-barrier"``.

    Example:
        >>> half = Fraction(1, 2)
        >>> barrier_certificate(Enclosure(half, half, half, half, half, half, half, half), "linear")["evidence"]
        {'t': '1/2', 't_max_loss': '1/2'}
    """
    return {
        "format": FORMAT,
        "kind": kind,
        "statement": {
            "baseline": baseline,
            "lower": number_to_string(enclosure.lower),
            "upper": number_to_string(enclosure.upper),
            "max_loss_lower": number_to_string(enclosure.max_loss_lower),
            "max_loss_upper": number_to_string(enclosure.max_loss_upper),
        },
        "evidence": {
            "t": number_to_string(enclosure.t_lower),
            "t_max_loss": number_to_string(enclosure.t_max_loss),
        },
    }


def barrier_problem(nets: Sequence[Sequence[Any]], X: Any, Y: Any) -> dict[str, Any]:
    """Return the problem of the chain through ``nets``, as JSON values that denote the very numbers given.

    Args:
        nets: two nets ``(W, A, b)`` for a segment, more for a polyline.
        X: data, (n, d).
        Y: targets, (n, c) or (n,).

    Example:
        >>> barrier_problem([([[0.5]], None, None), ([["1/3"]], None, None)], [[1]], [0])["nets"][1]
        {'W': [['1/3']]}
    """
    named = [{key: part for key, part in zip("WAb", net, strict=True) if part is not None} for net in nets]
    written: dict[str, Any] = _json_values({"nets": named, "X": X, "Y": Y})
    return written


def _json_values(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {key: _json_values(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json_values(part) for part in value]
    return number_to_string(value) if isinstance(value, Fraction) else value


def check_segment_barrier(statement: Any, evidence: Any, problem: Mapping[str, Any]) -> str:
    """Decide a ``"segment-barrier"`` certificate; return the accepted statement in words.

    Statement: ``{"baseline", "lower", "upper"}`` and optionally ``{"max_loss_lower", "max_loss_upper"}``, numbers as
    strings ``"p/q"``. Evidence: ``{"t"}`` and, with the latter, ``{"t_max_loss"}``. Accepted iff the loss minus the
    baseline at t is at least ``lower`` and no quartic piece exceeds ``upper`` anywhere, both decided exactly. A cheap
    bound in integers settles most pieces, Sturm sequences the rest.

    Args:
        statement: what the certificate states.
        evidence: what it shows.
        problem: ``{"nets": [net, net], "X", "Y"}``, or ``"net0"`` and ``"net1"``; a net is ``{"W", "A", "b"}`` with
            ``A`` or ``b`` left out where absent. JSON numbers denote the float they are read as, strings exact numbers.

    Raises:
        CertificateError: malformed, or not accepted.
        ProblemError: the problem cannot be used.
    """
    losses = _losses(problem)
    if len(losses) != 1:
        raise CertificateError(f"segment-barrier: expected a problem with two nets, found {len(losses) + 1}")
    return _check_chain(statement, evidence, losses, "segment")


def check_polyline_barrier(statement: Any, evidence: Any, problem: Mapping[str, Any]) -> str:
    """Decide a ``"polyline-barrier"`` certificate: as for a segment, net k of K + 1 standing at t = k / K."""
    return _check_chain(statement, evidence, _losses(problem), "polyline")


def _check_chain(statement: Any, evidence: Any, losses: list[SegmentLoss], noun: str) -> str:
    stated = fields(statement, "statement", ("baseline", "lower", "upper"), _LOSS_BOUNDS)
    with_loss = any(key in stated for key in _LOSS_BOUNDS)
    stated = fields(statement, "statement", ("baseline", "lower", "upper", *(_LOSS_BOUNDS if with_loss else ())))
    shown = fields(evidence, "evidence", ("t", "t_max_loss") if with_loss else ("t",))
    if not isinstance(stated["baseline"], str):
        raise CertificateError("statement.baseline: expected a name")
    try:
        line = baseline_line(stated["baseline"], losses[0](Fraction(0)), losses[-1](Fraction(1)))
    except ExactInputError as error:
        raise CertificateError(str(error)) from None
    lower, upper = _stated(stated, "lower"), _stated(stated, "upper")
    _decide(losses, line, lower, upper, _stated(shown, "t"), f"barrier above the {stated['baseline']} baseline")
    words = f"{noun} barrier above the {stated['baseline']} baseline in {_brief(lower, upper)}"
    if with_loss:
        low, high = (_stated(stated, key) for key in _LOSS_BOUNDS)
        _decide(losses, (Fraction(0), Fraction(0)), low, high, _stated(shown, "t_max_loss"), "largest loss")
        words += f", largest loss in {_brief(low, high)}"
    return words


def _stated(part: Mapping[str, Any], key: str) -> Fraction:
    """Return an exact number of the certificate: a string or an integer, so that no reader can round it."""
    if not isinstance(part[key], str | int):
        raise CertificateError(f"{key}: expected a string such as '3/7', found {type(part[key]).__name__}")
    try:
        return number_from(part[key], key)
    except ExactInputError as error:
        raise CertificateError(str(error)) from None


def _brief(lower: Fraction, upper: Fraction) -> str:
    """Return an interval in floats rounded outward, for the reader."""
    return f"[{round_down(lower):.17g}, {round_up(upper):.17g}]"


def _decide(losses: list[SegmentLoss], line: Line, lower: Fraction, upper: Fraction, t: Fraction, noun: str) -> None:
    """Return nothing if ``lower <= max (loss - line) <= upper``, with ``lower`` reached at t."""
    count = len(losses)
    if not 0 <= t <= 1:
        raise CertificateError(f"{noun}: the witness t lies outside [0, 1]")
    k = min(int(t * count), count - 1)
    if losses[k](t * count - k) - line[0] - line[1] * t < lower:
        raise CertificateError(f"{noun}: the value at the witness t is below the stated lower bound")
    for k, loss in enumerate(losses):
        local = (line[0] + line[1] * k / count, line[1] / count)
        open_pieces, _ = surviving_pieces(loss, local, ceiling=upper)
        for piece, start, end in open_pieces:
            if not is_at_most(piece, upper, start, end):
                raise CertificateError(
                    f"{noun}: the stated upper bound is exceeded for some t between {float((start + k) / count):.6g} "
                    f"and {float((end + k) / count):.6g}"
                )


def _losses(problem: Mapping[str, Any]) -> list[SegmentLoss]:
    """Return the exact losses along the segments of the problem."""
    try:
        if "nets" in problem:
            found = fields(problem, "problem", ("nets", "X", "Y"), ("about",))
            nets = found["nets"]
        else:
            found = fields(problem, "problem", ("net0", "net1", "X", "Y"), ("about",))
            nets = [found["net0"], found["net1"]]
        if not isinstance(nets, list | tuple) or len(nets) < 2:
            raise ProblemError("problem.nets: expected a list of at least two nets")
        read = [fields(net, f"net {k}", ("W",), ("A", "b")) for k, net in enumerate(nets)]
        chain = [(net["W"], net.get("A"), net.get("b")) for net in read]
        return [segment_loss(*pair, found["X"], found["Y"]) for pair in pairwise(chain)]
    except (CertificateError, ExactInputError) as error:
        raise ProblemError(str(error)) from None
