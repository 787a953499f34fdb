"""S1: the maximum of the loss along a segment is computed, not sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.nets import Net
from modeconn.paths import barrier_exact
from proofs_check.checker import barrier_certificate, barrier_problem, check_certificate
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.tensors import tensors
from proofs_check.exact.piecewise import SegmentLoss, segment_loss
from proofs_check.exact.segment import BASELINES, Enclosure, baseline_line, segment_enclosure

__all__ = ["CLAIM"]

ALLOWANCE = Fraction(1, 10**9)
SHAPES = ((1, 1, 1, 1), (3, 2, 2, 1), (4, 3, 5, 2), (8, 3, 6, 1))


def _segments(shape: Shape) -> SearchStrategy[Instance]:
    """Return pairs of nets of shape (n, d, m, c) with data: zero rows, equal points and dead neurons included."""
    n, d, m, c = shape
    names = {"W": (d, m), "A": (c, m), "b": (m,)}
    nets = {name + end: tensors(size, 2.0) for name, size in names.items() for end in "01"}
    return st.fixed_dictionaries(
        {**nets, "X": tensors((n, d), 2.0), "Y": tensors((n, c), 2.0), "baseline": st.sampled_from(BASELINES)}
    )


def _plain(instance: Instance, end: str) -> tuple[Any, Any, Any]:
    return instance[f"W{end}"], instance[f"A{end}"], instance[f"b{end}"]


def _enclosure(instance: Instance, proposals: Iterable[float] = ()) -> Enclosure:
    nets = _plain(instance, "0"), _plain(instance, "1")
    return segment_enclosure(*nets, instance["X"], instance["Y"], instance["baseline"], proposals=proposals)


def _check(instance: Instance) -> Outcome:
    nets = [Net(*(np.asarray(leaf, np.float64) for leaf in _plain(instance, end))) for end in "01"]
    X, Y = np.asarray(instance["X"], np.float64), np.asarray(instance["Y"], np.float64)
    found = barrier_exact(*nets, X, Y, baseline=instance["baseline"])
    enclosure = _enclosure(instance, proposals=[float(found.argmax_t)])
    verdict = check_certificate(
        barrier_certificate(enclosure, instance["baseline"]),
        barrier_problem([_plain(instance, end) for end in "01"], instance["X"], instance["Y"]),
    )
    value, unit = Fraction(float(found.barrier)), 1 + enclosure.max_loss_upper
    error = max(enclosure.lower - value, value - enclosure.upper, Fraction(0)) / unit
    enclosed = min(enclosure.lower - Fraction(float(found.lower)), Fraction(float(found.upper)) - enclosure.upper)
    return Outcome(
        min(ALLOWANCE - error, ALLOWANCE + enclosed / unit),
        certified=verdict.accepted and error <= ALLOWANCE,
        detail={"float64": float(value), "lower": str(enclosure.lower), "upper": str(enclosure.upper)},
    )


def _sampled_at(points: Callable[[SegmentLoss], Iterable[Fraction]]) -> Callable[[Instance], Outcome]:
    """Return the exact check of: the largest height at these parameters is the barrier."""

    def check(instance: Instance) -> Outcome:
        loss = segment_loss(_plain(instance, "0"), _plain(instance, "1"), instance["X"], instance["Y"])
        start, slope = baseline_line(instance["baseline"], loss(Fraction(0)), loss(Fraction(1)))
        value = max(loss(t) - start - slope * t for t in points(loss))
        enclosure = _enclosure(instance)
        return Outcome(ALLOWANCE - (enclosure.lower - value) / (1 + enclosure.max_loss_upper))

    return check


def _grid(loss: SegmentLoss) -> Iterable[Fraction]:
    return (Fraction(k, 10) for k in range(11))


def _knots(loss: SegmentLoss) -> Iterable[Fraction]:
    return [Fraction(0), *(Fraction(*piece.end) for piece in loss.pieces())]


def _midpoint(loss: SegmentLoss) -> Iterable[Fraction]:
    return (Fraction(0), Fraction(1, 2), Fraction(1))


def _without_sign_changes(instance: Instance) -> Outcome:
    """Check: the barrier is that of the one quartic through the losses at t = 0, 1/4, 1/2, 3/4, 1."""
    loss = segment_loss(_plain(instance, "0"), _plain(instance, "1"), instance["X"], instance["Y"])
    start, slope = baseline_line(instance["baseline"], loss(Fraction(0)), loss(Fraction(1)))
    nodes = [Fraction(k, 4) for k in range(5)]

    def quartic(t: Fraction) -> Fraction:
        value = Fraction(0)
        for a in nodes:
            weight = Fraction(1)
            for b in nodes:
                weight *= 1 if a == b else (t - b) / (a - b)
            value += weight * loss(a)
        return value

    dense = [Fraction(k, 256) for k in range(257)]
    enclosure = _enclosure(instance)
    gap = abs(enclosure.lower - max(quartic(t) - start - slope * t for t in dense))
    return Outcome(Fraction(1, 100) - gap / (1 + enclosure.max_loss_upper))


CLAIM = Claim(
    id="S1",
    statement=(
        "the float64 barrier of a segment (sorted sign changes, quartic pieces, roots of cubics) is the maximum over "
        f"all t: within {float(ALLOWANCE):g} (1 + max loss) of a rational enclosure that the checker accepts, and its "
        "own interval contains that enclosure"
    ),
    source="theory S1, proved there",
    instances=_segments,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control("eleven-point-grid", "the maximum over t = 0, 0.1, ..., 1 is the barrier", check=_sampled_at(_grid)),
        Control("knots-only", "the maximum is reached at a sign change or an end", check=_sampled_at(_knots)),
        Control("midpoint", "the maximum is reached at t = 0, 1/2 or 1", check=_sampled_at(_midpoint)),
        Control(
            "one-quartic",
            "the loss is one quartic all along the segment (to 1/100 of 1 + max loss)",
            check=_without_sign_changes,
        ),
    ),
)
