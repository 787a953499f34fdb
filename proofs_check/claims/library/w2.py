"""W2: along the path of W1 the stable rank never falls below that of both ends; reductions keep the spectrum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.r_cases import Rejected
from proofs_check.claims.library.w_cases import ALLOWANCE, join, nets_of, pair_of, wide_pairs
from proofs_check.claims.library.w_exact import (
    Matrix,
    at_knot,
    exact,
    gap_to,
    largest_eigenvalue_above,
    largest_eigenvalue_below,
    sums_of,
    trace,
)
from proofs_check.claims.library.w_segment import STEPS, weights_between

__all__ = ["CLAIM", "stable_rank_below", "stable_rank_margin"]

SHAPES: tuple[Shape, ...] = ((1, 1, 1), (2, 2, 1), (2, 2, 2), (3, 3, 1), (4, 2, 2))
GRAM_REGIONS = ("spectral", "schatten:4", "spectral/frobenius")
"""Regions whose functionals hold all of W W^T; for Frobenius balls its trace does, and only that is kept."""


def _at_knots(instance: Instance) -> list[Matrix]:
    """Return W W^T at the knots of the accepted path, exactly; it is linear between them."""
    joined = join(instance)
    return [at_knot(joined.path, k, joined.X).hidden for k in range(joined.path.pieces + 1)]


def stable_rank_below(G: Matrix) -> Fraction:
    """Return a lower bound of tr G / lambda_max(G), decided exactly."""
    return trace(G) / largest_eigenvalue_above(G)


def stable_rank_margin(grams: Sequence[Matrix], least: Fraction) -> Fraction:
    """Return the least of tr G (1 + 1e-9) / least - lambda_max(G), relative to tr G, exactly where it is negative.

    Raises:
        Rejected: the sign cannot be told.
    """
    margins = []
    for G in grams:
        total = trace(G)
        if not total:
            continue
        room = (1 + ALLOWANCE) / least
        margins.append(room - largest_eigenvalue_below(G) / total)
        if margins[-1] >= 0 > room - largest_eigenvalue_above(G) / total:
            raise Rejected("the largest eigenvalue is not enclosed finely enough")
    return min(margins)


def _off_segment(G: Matrix, start: Matrix, end: Matrix) -> Fraction:
    """Return the distance of G, largest entry, from the nearest (1 - s) G_A + s G_B."""
    cells = [(p, a, b - a) for rows in zip(G, start, end, strict=True) for p, a, b in zip(*rows, strict=True)]
    length = sum((move**2 for _, _, move in cells), Fraction(0))
    along = sum(((p - a) * move for p, a, move in cells), Fraction(0)) / length if length else Fraction(0)
    s = min(max(along, Fraction(0)), Fraction(1))
    return max(abs(p - a - s * move) for p, a, move in cells)


def _check(instance: Instance) -> Outcome:
    """Return the least of: room of the stable rank, and 1e-9 minus what rounding moved W W^T, relative to its trace."""
    grams = _at_knots(instance)
    start, end = grams[0], grams[-1]
    size = max(trace(start), trace(end))
    moved = [_off_segment(G, start, end) for G in grams]
    if instance["route"] == "disjoint-slots":
        moved += [min(gap_to(G, start), gap_to(G, end)) for G in grams]
    elif len(grams) > 2:
        moved += [gap_to(grams[1], start), gap_to(grams[-2], end)]
    least = min(stable_rank_below(G) for G in (start, end))
    drift = max(moved) / size
    detail = {
        "stable_ranks": [float(stable_rank_below(G)) for G in grams],
        "drift": float(drift),
        "route": instance["route"],
    }
    return Outcome(min(stable_rank_margin(grams, least), ALLOWANCE - drift), detail=detail)


def _is_nonzero(instance: Instance) -> bool:
    pair = pair_of(instance)
    return bool(pair.W0.any() and pair.W1.any())


NONZERO = Hypothesis("W is not 0 at either end", _is_nonzero)


def _least_at_ends(instance: Instance) -> Outcome:
    """Check: on the whole path, with midpoints, the stable rank is at least that of the worse end."""
    grams = _at_knots(instance)
    between = [
        [[(p + q) / 2 for p, q in zip(*rows, strict=True)] for rows in zip(G, H, strict=True)]
        for G, H in pairwise(grams)
    ]
    least = min(stable_rank_below(grams[0]), stable_rank_below(grams[-1]))
    return Outcome(stable_rank_margin([*grams, *between], least), detail={"least": float(least)})


def _larger_end(instance: Instance) -> Outcome:
    """Check: the stable rank is at least that of the better end."""
    grams = _at_knots(instance)
    least = max(stable_rank_below(grams[0]), stable_rank_below(grams[-1]))
    return Outcome(stable_rank_margin(grams, least), detail={"least": float(least)})


def _kept(instance: Instance, reference: Callable[[Matrix, Matrix, Matrix], Fraction]) -> Outcome:
    grams = _at_knots(instance)
    size = max(trace(grams[0]), trace(grams[-1]))
    moved = max(reference(G, grams[0], grams[-1]) for G in grams) / size
    return Outcome(ALLOWANCE - moved, detail={"moved": float(moved)})


def _never_changes(instance: Instance) -> Outcome:
    """Check: W W^T is that of the first net all along, though the second net has another."""
    return _kept(instance, lambda G, start, end: gap_to(G, start))


def _traces_do(instance: Instance) -> Outcome:
    """Check: the path for Frobenius balls, which keeps the trace, keeps W W^T in its reductions."""
    return _kept(instance, lambda G, start, end: min(gap_to(G, start), gap_to(G, end)))


def _segment(instance: Instance) -> Outcome:
    """Check: on the straight segment as well the stable rank is at least that of the worse end."""
    pair = pair_of(instance)
    X = exact(pair.X)
    grams = [sums_of(*weights_between(pair, Fraction(k, STEPS)), X).hidden for k in range(STEPS + 1)]
    least = min(stable_rank_below(G) for G in (grams[0], grams[-1]))
    return Outcome(stable_rank_margin(grams, least), detail={"least": float(least)})


def _differ(instance: Instance) -> bool:
    first, last = nets_of(instance)
    return bool((first.W @ first.W.T != last.W @ last.W.T).any())


def _pairs(*routes: str, **choices: Any) -> Any:
    return lambda shape: wide_pairs(shape, routes=routes, **{"regions": GRAM_REGIONS, **choices})


CLAIM = Claim(
    id="W2",
    statement=(
        "on the path of W1 through disjoint slots or along edges W W^T moves straight from G_A to G_B: it does not "
        "change while a net is reduced or its neurons change slots, nor at all if G_A = G_B, and "
        "srank = tr G / lambda_max(G) >= min(srank_A, srank_B) throughout (margin: room of tr G / srank above "
        "lambda_max, or 1e-9 minus the largest entry by which rounding moved W W^T, both relative to the trace)"
    ),
    source="theory W2, proved there",
    rests_on=("W1",),
    instances=_pairs("disjoint-slots", "edge-walk"),
    shapes=SHAPES,
    check=_check,
    hypotheses=(NONZERO,),
    controls=(
        Control(
            "tau-climb",
            "the stable rank stays above that of the worse end on the tau climb too, which takes tau I off W W^T",
            check=_least_at_ends,
            instances=_pairs("tau-climb"),
        ),
        Control(
            "traces-only",
            "a reduction that keeps prediction and traces keeps W W^T",
            check=_traces_do,
            instances=_pairs("disjoint-slots", regions=("frobenius",)),
        ),
        Control("larger-end", "srank >= max(srank_A, srank_B) throughout", check=_larger_end),
        Control(
            "never-changes",
            "W W^T does not change at all on the path, whatever the ends",
            check=_never_changes,
            hypotheses=(NONZERO, Hypothesis("G_A != G_B", _differ)),
        ),
        Control(
            "straight-segment", "srank >= min(srank_A, srank_B) holds on the straight segment as well", check=_segment
        ),
    ),
    cost=3.0,
)
