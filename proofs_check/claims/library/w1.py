"""W1: at width N (N + 1, 2 N) any two nets of a spectral-type region are joined below the loss of the worse one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.constructions import problem_to_json, recombine
from modeconn.constructions.functionals import Functionals
from modeconn.constructions.reduction import reduce_pair
from proofs_check.checker import check_certificate
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.w_cases import (
    ALLOWANCE,
    SHAPES,
    functionals,
    join,
    nets_of,
    pair_of,
    region_of,
    wide_pairs,
)
from proofs_check.claims.library.w_exact import (
    Matrix,
    at_knot,
    exact,
    largest_eigenvalue_below,
    loss_of,
    sums_of,
    trace,
)
from proofs_check.claims.library.w_exchanged import below_the_barrier, exchanged
from proofs_check.claims.library.w_segment import highest_on_segment
from proofs_check.exact.interval import Scalar, enclosure, maximum, square_root

__all__ = ["CLAIM"]

PLANE: tuple[Shape, ...] = ((1, 2, 1), (3, 2, 1), (2, 2, 2))
EXCESS = Fraction(1, 10**6)


def _check(instance: Instance) -> Outcome:
    """Return what the rounding allowance leaves of level and radii, after the checker accepted the path."""
    joined = join(instance)
    found = joined.found
    detail = {
        "width": found.width,
        "N": found.functionals,
        "live": [found.live0, found.live1],
        "pieces": joined.path.pieces,
        "construction": found.construction,
        "rounding": float(joined.rounding),
    }
    return Outcome(ALLOWANCE - joined.rounding, certified=True, detail=detail)


def _refuted_by(margin: Fraction, certificate: dict[str, Any], problem: dict[str, Any], **detail: Any) -> Outcome:
    """Return a violation that the checker sees as well: if it accepts the certificate, the margin is 1."""
    verdict = check_certificate(certificate, problem)
    return Outcome(Fraction(1) if verdict.accepted else margin, detail={**detail, "checker": verdict.reason})


def _turned(shape: Shape) -> SearchStrategy[Instance]:
    """Return pairs in the plane, the second net the first one turned by a right angle, with an exponent below 2."""

    def turn(instance: Instance, p: str) -> Instance:
        first, second = instance["net0"]["W"]
        turned = {**instance["net0"], "W": [[-v for v in second], first]}
        return {**instance, "net1": turned, "p": p}

    pairs = wide_pairs(shape, regions=("spectral",), routes=("edge-walk",), nets=("plain", "rank-one"), biases=(False,))
    return st.builds(turn, pairs, st.sampled_from(["1", "3/2"]))


def _schatten(instance: Instance) -> Outcome:
    """Check: the path that keeps a ball with p >= 2 keeps the Schatten-p ball of its ends, p < 2, as well."""
    joined = join(instance)
    path, p = joined.path, Fraction(instance["p"])
    grams = [at_knot(path, k, joined.X).hidden for k in range(path.pieces + 1)]
    between = [_mean(G, H) for G, H in pairwise(grams)]
    ends = maximum(_schatten_power(grams[0], p), _schatten_power(grams[-1], p))
    highest = max(enclosure(_schatten_power(G, p)).lower for G in (*grams, *between))
    return Outcome(enclosure(ends).upper - highest, detail={"p": instance["p"], "highest": float(highest)})


def _mean(G: Matrix, H: Matrix) -> Matrix:
    return [[(p + q) / 2 for p, q in zip(row, other, strict=True)] for row, other in zip(G, H, strict=True)]


def _schatten_power(G: Matrix, p: Fraction) -> Scalar:
    """Return the Schatten-p norm of W to the power p = 1 or 3/2, as an interval, from G = W W^T of the plane."""
    total, product = trace(G), G[0][0] * G[1][1] - G[0][1] ** 2
    root = square_root(total**2 - 4 * product)
    first = (total + root) / 2
    last = maximum((total - root) / 2, Fraction(0))
    if p == 1:
        return square_root(first) + square_root(last)
    return square_root(square_root(first * first * first)) + square_root(square_root(last * last * last))


def _shared_slot(instance: Instance) -> Outcome:
    """Check: where both reduced nets are alive in a slot, their neurons may fade into each other there."""
    pair = pair_of(instance)
    (t0, t1), m = (end.t for end in reduce_pair(pair).ends), pair.width
    knots = [[[j, j, str(Fraction(t))] for j, t in enumerate(t0.tolist())]]
    knots.append([[j, m + j, str(Fraction(t))] for j, t in enumerate(t1.tolist())])
    knots.append([[j, m + j, "1"] for j in range(m)])
    X, Y = exact(pair.X), exact(pair.Y)
    level = max(loss_of(sums_of(exact(W), exact(A), X).prediction, Y) for W, A in _ends(pair))
    (W0, A0), (W1, A1) = ((W * np.sqrt(t), A * np.sqrt(t)) for (W, A), t in zip(_ends(pair), (t0, t1), strict=True))
    worst = Fraction(0)
    for near, far in ((Fraction(4, 5), Fraction(3, 5)), (Fraction(3, 5), Fraction(4, 5))):
        W, A = _blend(W0, W1, near, far), _blend(A0, A1, near, far)
        worst = max(worst, loss_of(sums_of(W, A, X).prediction, Y))
    certificate = _certificate(knots, level * (1 + ALLOWANCE) + ALLOWANCE)
    shared = int(((t0 > 0) & (t1 > 0)).sum())
    allowed = level + ALLOWANCE * (1 + level)
    return _refuted_by(allowed - worst, certificate, _problem(instance), shared=shared, loss=float(worst))


def _ends(pair: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    return (pair.W0, pair.A0), (pair.W1, pair.A1)


def _blend(P: Any, Q: Any, p: Fraction, q: Fraction) -> Matrix:
    rows = zip(exact(P), exact(Q), strict=True)
    return [[p * x + q * y for x, y in zip(row, other, strict=True)] for row, other in rows]


def _certificate(knots: Any, level: Fraction) -> dict[str, Any]:
    statement = {"level": str(level), "radius_slack": "0"}
    return {
        "format": "modeconn.certificate/1",
        "kind": "gram-path",
        "statement": statement,
        "evidence": {"knots": knots},
    }


def _problem(instance: Instance) -> dict[str, Any]:
    return problem_to_json(*nets_of(instance), instance["X"], instance["Y"], region_of(instance))


def _outside(instance: Instance) -> Outcome:
    """Check: a path that swells by a millionth beyond the ball of W on its way stays in the ball."""
    joined = join(instance)
    found, pair, m = joined.found, joined.pair, joined.pair.width
    ball = pair.region.over("W")[0]
    value = ball.value(pair.W0, pair.A0)
    if value == 0:
        return Outcome(Fraction(0), detail={"W": "zero"})
    factor = Fraction(((1 + float(EXCESS)) * float(ball.radius) / value) ** 2)
    hidden = sums_of(exact(pair.W0), exact(pair.A0), joined.X).hidden
    square = factor * (trace(hidden) if ball.norm == "frobenius" else largest_eigenvalue_below(hidden))
    swell = [[[j, j, str(t)] for j in range(m)] for t in (factor, Fraction(1))]
    certificate = found.certificate()
    certificate["evidence"]["knots"] = swell + certificate["evidence"]["knots"]
    certificate["statement"]["level"] = str(10**9 * joined.scale * (1 + factor) ** 2)
    return _refuted_by(ball.radius**2 - square, certificate, joined.problem, norm=ball.norm)


def _traces_only(instance: Instance) -> Outcome:
    """Check: a reduction that keeps prediction and traces keeps the spectral ball."""
    pair = pair_of(instance)
    rule = Functionals("trace", "trace")
    radius = pair.region.over("W")[0].radius
    margins = []
    for W, A in _ends(pair):
        t = recombine(rule.features(W, A, pair.X)).t
        reduced = sums_of(exact(W), exact(A), exact(pair.X), [Fraction(v) for v in t.tolist()])
        margins.append(radius**2 - largest_eigenvalue_below(reduced.hidden))
    return Outcome(min(margins), detail={"radius": str(radius)})


def _segment(instance: Instance) -> Outcome:
    """Check: the straight segment is such a path."""
    pair = pair_of(instance)
    level, highest = highest_on_segment(pair)
    return Outcome(level - highest, detail={"level": float(level), "highest": float(highest)})


def _one_neuron_fewer(instance: Instance) -> Outcome:
    """Check: nets of the joint Frobenius ball are joined at width N - 1; refuted by their certified barrier."""
    pair = pair_of(instance)
    assert functionals((*pair.X.shape, 1), "joint") == pair.width + 1
    return below_the_barrier(instance)


def _at_width(route: str, **choices: Any) -> Any:
    return lambda shape: wide_pairs(shape, routes=(route,), **choices)


CLAIM = Claim(
    id="W1",
    statement=(
        "in a ball of the Gram matrices (spectral, Schatten-4, Frobenius, products of two, joint Frobenius) any two "
        "nets of width N are joined by an explicit path on which the loss never exceeds that of the worse one, "
        "N = n c + d (d + 1) / 2 + c (c + 1) / 2 (traces only for Frobenius): by the tau climb at m = N, along edges "
        "at m = N + 1, in disjoint slots at m = 2 N; the checker accepts each path (margin: 1e-9 minus the level "
        "above the worse end, relative, and minus the slack of the radii)"
    ),
    source="theory W1, proved there",
    instances=wide_pairs,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "schatten-below-2",
            "the path keeps Schatten-p balls with p < 2, which no condition on W W^T alone makes convex",
            check=_schatten,
            instances=_turned,
            shapes=PLANE,
        ),
        Control(
            "missing-dead-slot",
            "m < live0 + live1 slots do for the exchange: two neurons fade into each other in one slot",
            check=_shared_slot,
            instances=_at_width("tau-climb", regions=("spectral",), nets=("plain",)),
            shapes=((3, 2, 1), (2, 2, 2)),
        ),
        Control(
            "outside-by-1e-6",
            "a path that swells to 1 + 1e-6 times the radius stays in the ball",
            check=_outside,
            instances=_at_width("auto", regions=("spectral", "frobenius")),
        ),
        Control(
            "moved-gram",
            "a reduction that keeps prediction and traces, but not the Gram matrices, keeps the spectral ball",
            check=_traces_only,
            instances=_at_width("disjoint-slots", regions=("spectral",), nets=("plain",)),
            shapes=PLANE,
        ),
        Control("straight-segment", "the straight segment is such a path", check=_segment),
        Control(
            "one-neuron-fewer",
            "width N - 1 suffices in the joint Frobenius ball",
            check=_one_neuron_fewer,
            instances=exchanged("joint", "tau-climb"),
            shapes=((2, 1, 1),),
        ),
    ),
    cost=3.0,
)
