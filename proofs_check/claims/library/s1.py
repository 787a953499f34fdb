"""S1: the maximum of the loss along a segment is computed, not sampled."""

from __future__ import annotations

import math
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


def _segments(
    shape: Shape, left_out: tuple[str, ...] = ("", "", "b", "A", "Ab"), twins: tuple[bool, ...] = (False, True)
) -> SearchStrategy[Instance]:
    """Return pairs of nets of shape (n, d, m, c) with data: zero rows, equal points and dead neurons included.

    With or without bias; for one output the output weights may be fixed at +1 (``A`` is null). Two nets drawn freely
    mostly have no barrier: their mean is the better net. So half of the pairs are twins, the same function with its
    neurons in reverse order and rescaled, and the targets are what both predict.
    """
    n, d, m, c = shape
    sizes = {"W": (d, m), "A": (c, m), "b": (m,)}
    nets = {name + end: tensors(size, 2.0) for name, size in sizes.items() for end in "01"}
    choices = [names for names in left_out if c == 1 or "A" not in names]

    def build(drawn: dict[str, Any]) -> Instance:
        gone, are_twins = drawn.pop("left_out"), drawn.pop("twins")
        pair = {**drawn, **{name + end: None for name in gone for end in "01"}}
        return {**pair, **_twins(pair)} if are_twins else pair

    return st.fixed_dictionaries(
        {
            **nets,
            "left_out": st.sampled_from(choices),
            "twins": st.sampled_from(twins),
            "X": tensors((n, d), 2.0),
            "Y": tensors((n, c), 2.0),
            "baseline": st.sampled_from(BASELINES),
        }
    ).map(build)


def _twins(pair: Instance) -> dict[str, Any]:
    """Return the targets that net 0 meets, and another net that meets them too."""
    W, A, b = (None if leaf is None else np.asarray(leaf, float) for leaf in _plain(pair, "0"))
    assert W is not None
    hidden = np.maximum(np.asarray(pair["X"]) @ W + (0 if b is None else b), 0)
    factor = 1 if A is None else 2  # relu(2 z) / 2 = relu(z)
    return {
        "Y": (hidden @ (np.ones((1, len(W[0]))) if A is None else A).T).tolist(),
        "W1": (factor * W[:, ::-1]).tolist(),
        "A1": None if A is None else (A[:, ::-1] / factor).tolist(),
        "b1": None if b is None else (factor * b[::-1]).tolist(),
    }


def _free(shape: Shape) -> SearchStrategy[Instance]:
    return _segments(shape, ("",), (False,))


def _plain(instance: Instance, end: str) -> tuple[Any, Any, Any]:
    return instance[f"W{end}"], instance[f"A{end}"], instance[f"b{end}"]


def _net(instance: Instance, end: str) -> Net:
    leaves: Any = (None if leaf is None else np.asarray(leaf, np.float64) for leaf in _plain(instance, end))
    return Net(*leaves)


def _enclosure(instance: Instance, proposals: Iterable[float] = ()) -> Enclosure:
    nets = _plain(instance, "0"), _plain(instance, "1")
    return segment_enclosure(*nets, instance["X"], instance["Y"], instance["baseline"], proposals=proposals)


def _check(instance: Instance) -> Outcome:
    X, Y = np.asarray(instance["X"], np.float64), np.asarray(instance["Y"], np.float64)
    found = barrier_exact(_net(instance, "0"), _net(instance, "1"), X, Y, baseline=instance["baseline"])
    value, lower, upper, max_loss, start, end, t = (
        Fraction(float(number))
        for number in (
            found.barrier, found.lower, found.upper, found.max_loss, found.loss_start, found.loss_end, found.argmax_t
        )
    )  # fmt: skip
    truth = _enclosure(instance, proposals=[float(t)])
    verdict = check_certificate(
        barrier_certificate(truth, instance["baseline"]),
        barrier_problem([_plain(instance, end) for end in "01"], instance["X"], instance["Y"]),
    )
    loss = segment_loss(_plain(instance, "0"), _plain(instance, "1"), instance["X"], instance["Y"])
    base, slope = baseline_line(instance["baseline"], truth.loss_start, truth.loss_end)
    errors = (
        max(truth.lower - value, value - truth.upper),
        abs(loss(t) - base - slope * t - value) if 0 <= t <= 1 else Fraction(1),
        max(truth.max_loss_lower - max_loss, max_loss - truth.max_loss_upper),
        abs(start - truth.loss_start),
        abs(end - truth.loss_end),
        max(lower - truth.lower, truth.upper - upper),
    )
    margin = ALLOWANCE - max(errors) / (1 + truth.max_loss_upper)
    return Outcome(
        margin if verdict.accepted else Fraction(-1),
        certified=verdict.accepted and margin >= 0,
        detail={"float64": float(value), "lower": str(truth.lower), "upper": str(truth.upper)},
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
    """Check: at t = 1/8, 3/8, 5/8, 7/8 the loss is that of the quartic through the losses at t = 0, 1/4, ..., 1."""
    loss = segment_loss(_plain(instance, "0"), _plain(instance, "1"), instance["X"], instance["Y"])
    nodes = [Fraction(k, 4) for k in range(5)]
    heights = [loss(t) for t in nodes]

    def quartic(t: Fraction) -> Fraction:
        weights = (math.prod((t - b) / (a - b) for b in nodes if b != a) for a in nodes)
        return sum((w * h for w, h in zip(weights, heights, strict=True)), Fraction(0))

    between = [Fraction(k, 8) for k in (1, 3, 5, 7)]
    return Outcome(ALLOWANCE - max(abs(quartic(t) - loss(t)) for t in between) / (1 + max(heights)))


CLAIM = Claim(
    id="S1",
    statement=(
        "the float64 barrier of a segment (sorted sign changes, quartic pieces, roots of cubics) is the maximum over "
        "all t, attained at the t it names: these, the largest loss and the losses at the ends lie within "
        f"{float(ALLOWANCE):g} (1 + max loss) of a rational enclosure that the checker accepts, and its own interval "
        "contains that enclosure as closely (half squared error)"
    ),
    source="theory S1, proved there",
    instances=_segments,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "eleven-point-grid",
            "the maximum over t = 0, 0.1, ..., 1 is the barrier",
            check=_sampled_at(_grid),
            instances=_free,
        ),
        Control(
            "knots-only",
            "the maximum is reached at a sign change or an end",
            check=_sampled_at(_knots),
            instances=_free,
        ),
        Control(
            "midpoint",
            "the maximum is reached at t = 0, 1/2 or 1",
            check=_sampled_at(_midpoint),
            instances=_free,
        ),
        Control(
            "one-quartic",
            "the loss is one quartic all along the segment",
            check=_without_sign_changes,
        ),
    ),
)
