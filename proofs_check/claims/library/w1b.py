"""W1B: for one output and two balls of one kind, one neuron fewer than N is enough; two fewer are not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from modeconn.constructions import connect_pair
from proofs_check.claims.claim import Claim, Control, Instance, Outcome, Shape
from proofs_check.claims.library.w_cases import ALLOWANCE, BALANCED, functionals, join, pair_of, wide_pairs
from proofs_check.claims.library.w_exchanged import below_the_barrier, exchanged

__all__ = ["CLAIM"]

SHAPES: tuple[Shape, ...] = ((2, 1, 1), (3, 2, 1), (4, 2, 1), (3, 3, 1))


def _pairs(shape: Shape, regions: tuple[str, ...] = ("spectral", "spectral", "frobenius")) -> Any:
    return wide_pairs(shape, regions=regions, routes=(BALANCED,))


def _check(instance: Instance) -> Outcome:
    """Return what the rounding allowance leaves of level and radii, after the checker accepted the path."""
    joined = join(instance)
    found = joined.found
    detail = {"width": found.width, "live": [found.live0, found.live1], "rounding": float(joined.rounding)}
    return Outcome(ALLOWANCE - joined.rounding, certified=True, detail=detail)


def _two_fewer(instance: Instance) -> Outcome:
    """Check: nets of Muon's ball are joined at width N - 2; refuted by their certified barrier."""
    pair = pair_of(instance)
    assert functionals((*pair.X.shape, 1), "spectral") == pair.width + 2
    return below_the_barrier(instance)


def _plain_climb(instance: Instance) -> Outcome:
    """Check: the tau climb of W1 joins the nets at this width too."""
    found = connect_pair(pair_of(instance), "tau-climb")
    return Outcome(Fraction(0 if found.joined else found.width - found.needed), detail={"reason": found.reason})


CLAIM = Claim(
    id="W1B",
    statement=(
        "two nets with one output and N - 1 neurons, N = n + d (d + 1) / 2 + 1 in Muon's ball (N = n + 2 in a product "
        "of two Frobenius balls), are joined below the loss of the worse one inside the ball: scaling all hidden "
        "weights against all output weights spares one functional; the checker accepts each path (margin: 1e-9 minus "
        "the level above the worse end, relative, and minus the slack of the radii)"
    ),
    source="proved in modeconn.constructions.balanced_climb; sharpens theory W1",
    rests_on=("W1",),
    instances=_pairs,
    shapes=SHAPES,
    check=_check,
    controls=(
        Control(
            "two-neurons-fewer",
            "width N - 2 suffices in Muon's ball",
            check=_two_fewer,
            instances=exchanged("spectral", BALANCED),
            shapes=((2, 1, 1),),
        ),
        Control(
            "tau-climb",
            "the tau climb of W1, with N functionals, joins all pairs at width N - 1",
            check=_plain_climb,
        ),
    ),
    cost=3.0,
)
