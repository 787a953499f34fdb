"""AIN: two nets that compute one function, and no permutation of neurons that aligns them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.exact.plane_net import PlaneNet, interpolate, misclassified_share, permute_hidden, plane_net

__all__ = ["CLAIM", "ORDERS", "first_net", "is_labelled", "second_net"]

QUARTER = Fraction(1, 4)
HALF = Fraction(1, 2)
ORDERS = tuple((first, second) for first in permutations(range(2)) for second in permutations(range(2)))
"""The permutations of two hidden layers of two neurons."""


def first_net(shift: Fraction, scale: Fraction = Fraction(1), slope: Fraction = Fraction(0)) -> PlaneNet:
    """Return f(p, q) = -scale (relu(shift - relu(p + shift)) + relu(relu(-q))): the p side carries the shift.

    With shift >= 1 this is -scale (relu(-p) + relu(-q)) on the square.
    """
    hidden = [([[1, 0], [0, -1]], [shift, 0]), ([[-1, 0], [0, 1]], [shift, 0])]
    return plane_net([*hidden, ([[-scale, -scale]], [0])], slope)


def second_net(shift: Fraction, scale: Fraction = Fraction(1), slope: Fraction = Fraction(0)) -> PlaneNet:
    """Return the same function, the shift on the q side: -scale (relu(relu(-p)) + relu(shift - relu(q + shift)))."""
    hidden = [([[-1, 0], [0, 1]], [0, shift]), ([[1, 0], [0, -1]], [0, shift])]
    return plane_net([*hidden, ([[-scale, -scale]], [0])], slope)


def is_labelled(p: Fraction, q: Fraction) -> bool:
    """Return the label: both coordinates positive."""
    return p > 0 and q > 0


def _pairs(shape: Shape) -> SearchStrategy[Instance]:
    """Return shifts from [1, 4], scales, and a time in (0, 1); numbers are texts of fractions."""
    quarters = st.integers(4, 16).map(lambda k: str(Fraction(k, 4)))
    scales = st.sampled_from(["1/3", "1", "1", "7/2"])
    times = st.integers(1, 2 ** shape[0] - 1).map(lambda k: str(Fraction(k, 2 ** shape[0])))
    return st.fixed_dictionaries(
        {"shift": quarters, "other_shift": quarters, "scale": scales, "other_scale": scales, "t": times}
    )


def _number(instance: Instance, key: str) -> Fraction:
    return Fraction(instance[key])


def _pair(instance: Instance, is_equal: bool, slope: Fraction = Fraction(0)) -> tuple[PlaneNet, PlaneNet]:
    shift, scale, other_scale = (_number(instance, key) for key in ("shift", "scale", "other_scale"))
    other = shift if is_equal else _number(instance, "other_shift")
    return first_net(shift, scale, slope), second_net(other, other_scale, slope)


def _errors(one: PlaneNet, other: PlaneNet, t: Fraction) -> list[Fraction]:
    """Return the errors at time t of the segments to the other net under all permutations."""
    return [misclassified_share(interpolate(one, permute_hidden(other, orders), t), is_labelled) for orders in ORDERS]


def _outcome(one: PlaneNet, other: PlaneNet, t: Fraction) -> Outcome:
    ends = [misclassified_share(net, is_labelled) for net in (one, other)]
    halfway, there = _errors(one, other, HALF), _errors(one, other, t)
    margin = min(min(halfway) - QUARTER, QUARTER - max(halfway), QUARTER - max(there), -max(ends))
    detail = {"halfway": [str(e) for e in halfway], "at_t": [str(e) for e in there], "ends": str(max(ends))}
    return Outcome(margin, detail=detail)


def _check(instance: Instance) -> Outcome:
    return _outcome(*_pair(instance, is_equal=True), _number(instance, "t"))


def _with_own_copy(instance: Instance) -> Outcome:
    """Check the statement for the first net and a permuted, rescaled copy of itself."""
    one, _ = _pair(instance, is_equal=True)
    copy = first_net(_number(instance, "shift"), _number(instance, "other_scale"))
    return _outcome(one, permute_hidden(copy, ORDERS[3]), _number(instance, "t"))


def _starts_late(instance: Instance) -> Outcome:
    """Check: no permutation errs before t = 1/8."""
    errors = _errors(*_pair(instance, is_equal=True), Fraction(1, 16))
    return Outcome(-max(errors), detail={"errors": [str(e) for e in errors]})


def _altered(**changes: Any) -> Callable[[Instance], Outcome]:
    """Return the same check of another pair."""
    return lambda instance: _outcome(*_pair(instance, **changes), _number(instance, "t"))


CLAIM = Claim(
    id="AIN",
    statement=(
        "the nets -r (relu(c - relu(p + c)) + relu(relu(-q))) and -s (relu(relu(-p)) + relu(c - relu(q + c))), c >= 1, "
        "classify the square [-1, 1]^2 without error (label: p, q > 0), and under each of the four permutations of "
        "their hidden neurons the net halfway between them errs on exactly 1/4 of it; at no other t on more (margin: "
        "minus the largest departure, exact)"
    ),
    source=(
        "Ainsworth, Hayase, Srinivasa (2023), Git Re-Basin, the counterexample to a single basin, with slope 0 instead "
        "of the 1/100 of their code (with which the two nets themselves err); our formulation, c = r = s = 1 is theirs"
    ),
    instances=_pairs,
    shapes=((3,), (8,)),
    check=_check,
    hypotheses=(Hypothesis("c >= 1, so that p + c >= 0 on the square", lambda i: Fraction(i["shift"]) >= 1),),
    controls=(
        Control("own-copy", "the same for the first net and a permuted copy of itself", check=_with_own_copy),
        Control(
            "unequal-shifts", "the same when the two nets have shifts of their own", check=_altered(is_equal=False)
        ),
        Control(
            "slope-of-the-code",
            "the same with slope 1/100 on negative numbers",
            check=_altered(is_equal=True, slope=Fraction(1, 100)),
        ),
        Control("late-start", "under no permutation does the error begin before t = 1/8", check=_starts_late),
    ),
    cost=8.0,
)
