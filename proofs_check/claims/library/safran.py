"""SAF: spurious minima of the teacher-student loss, and the barrier of one swap."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.constructions.symmetric_minimum import symmetric_minimum
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.exact.arc import pi
from proofs_check.exact.interval import Interval
from proofs_check.exact.relu_pair import relu_pair
from proofs_check.exact.symmetric_minimum import (
    SymmetricMinimum,
    critical_box,
    hessian_pivots,
    verify_symmetric_minimum,
)

__all__ = ["CLAIM", "swap_height", "swap_loss", "verified_minimum"]

LEAST, MOST = 6, 20
"""The widths of the published theorem."""

STEPS = 64


def _cases(shape: Shape) -> SearchStrategy[Instance]:
    """Return a width k up to that of the shape, and a time t = i / 64 other than 1/2."""
    times = st.integers(0, STEPS).filter(lambda i: 2 * i != STEPS)
    return st.fixed_dictionaries({"k": st.integers(min(LEAST, shape[0]), shape[0]), "t": times})


@lru_cache(maxsize=64)
def verified_minimum(k: int) -> SymmetricMinimum | None:
    """Return the verified minimum of k neurons, ``None`` if the intervals do not show one."""
    return verify_symmetric_minimum(k, symmetric_minimum(k).tolist())


def swap_loss(t: Fraction) -> Interval:
    """Return F on the segment from W = I to the same net with two neurons swapped, t not 0, 1/2 or 1."""
    one, zero = Interval.point(1), Interval.point(0)
    size = Interval.point((1 - t) ** 2 + t**2)
    between = relu_pair(Interval.point(2 * t * (1 - t)), size, size).correlation()
    near, far = (relu_pair(Interval.point(c), size, one).correlation() for c in (1 - t, t))
    teacher = relu_pair(zero, one, one).correlation()
    return size / 2 + between - 2 * (near + far) + teacher + Fraction(1, 2)


def swap_height() -> Interval:
    """Return 1/4 - 1/(2 pi), the loss halfway, where both neurons are (e_1 + e_2) / 2."""
    return Fraction(1, 4) - 1 / (2 * pi())


def _minimum(instance: Instance) -> SymmetricMinimum:
    found = verified_minimum(instance["k"])
    assert found is not None, "the intervals do not show a minimum"
    return found


def _swap_slack(instance: Instance) -> Fraction:
    """Return by how much the loss of the swap at time t stays below the height claimed."""
    t = Fraction(instance["t"], STEPS)
    return (swap_height() - (swap_loss(t) if 0 < t < 1 else Interval.point(0))).lower


def _check(instance: Instance) -> Outcome:
    found = _minimum(instance)
    margin = min(found.loss.lower, min(found.pivots), -found.split_curvature, _swap_slack(instance))
    detail = {
        "parameters": [float(x.lower) for x in found.box],
        "loss": float(found.loss.lower),
        "least_pivot": float(min(found.pivots)),
        "split_curvature": float(found.split_curvature),
    }
    return Outcome(margin, detail=detail)


@lru_cache(maxsize=8)
def _last_pivot(k: int) -> Interval:
    """Return the last pivot of the Hessian that was looked at: positive at a minimum, negative at a saddle."""
    box = critical_box(k, symmetric_minimum(k).tolist())
    assert box is not None, "the intervals do not show a critical point"
    return hessian_pivots(k, box)[-1]


def _saddle(instance: Instance) -> Outcome:
    """Check the Hessian of the symmetric critical point at any k >= 5."""
    last = _last_pivot(instance["k"])
    return Outcome(last.upper if last.upper < 0 else last.lower, detail={"last_pivot": float(last.lower)})


def _global(instance: Instance) -> Outcome:
    return Outcome(-_minimum(instance).loss.lower)


def _survives(instance: Instance) -> Outcome:
    return Outcome(_minimum(instance).split_curvature)


def _twelfth(instance: Instance) -> Outcome:
    return Outcome((Fraction(1, 12) - swap_height()).upper)


WIDTH = Hypothesis(f"{LEAST} <= k <= {MOST}", lambda i: LEAST <= i["k"] <= MOST)

CLAIM = Claim(
    id="SAF",
    statement=(
        "for k in 6..20, k students against k orthonormal teachers and Gaussian inputs, the symmetric critical point "
        "of type (1, k - 1) exists and is a strict local minimum of positive loss; splitting its first neuron makes it "
        "a saddle; and the segment that swaps two neurons of a global minimum stays below 1/4 - 1/(2 pi), its loss "
        "halfway, elsewhere (Krawczyk box and pivots in rational intervals; margin: the least of the loss, the pivots, "
        "minus the curvature after the split, and the slack of the swap at time t)"
    ),
    source="Safran, Shamir (2018), Theorem 1; Safran, Yehudai, Shamir (2021) for the split; theory section 6",
    instances=_cases,
    shapes=((6,), (20,)),
    check=_check,
    hypotheses=(WIDTH,),
    controls=(
        Control("five-neurons", "the critical point is a minimum at k = 5 too", _saddle, hypotheses=(), shapes=((5,),)),
        Control("global", "the minima found are global", _global, shapes=((6,),)),
        Control("still-a-minimum", "with a neuron split it is still a local minimum", _survives, shapes=((6,),)),
        Control("twelfth", "the barrier of the swap is at most 1/12", _twelfth, shapes=((6,),)),
    ),
    cost=24.0,
)
