"""Regions of wide nets: what they contain, how they are written, what is refused."""

from fractions import Fraction

import numpy as np
import pytest

from modeconn.constructions import Ball, WideRegion, functionals_of, region_from_json, region_from_text
from modeconn.errors import InputError
from modeconn.regions import norm_from_name
from proofs_check.checker.wide_region import read_region

TEXTS = (
    "spectral:1.5",
    "linf:0.8",
    "spectral:1.5,linf:0.8",
    "frobenius:2",
    "schatten:4:2",
    "joint-frobenius:3",
    "schatten:6:1/3,frobenius:0.1",
    "spectral:2&frobenius:3",
    "frobenius:3&joint-frobenius:4",
)


@pytest.mark.parametrize("text", TEXTS)
def test_json_round_trip_and_the_checker_reads_it(text):
    """Oracle: the same region again; the independent reader of the checker takes the JSON too."""
    region = region_from_text(text)
    again = region_from_json(region.to_json())
    assert set(again.balls) == set(region.balls)
    assert read_region(region.to_json())


def test_radii_are_exact():
    """Oracle: the decimal as written, not the float nearest to it."""
    assert {ball.radius for ball in region_from_text("spectral:0.1").balls} == {Fraction(1, 10)}
    assert Ball("W", "linf", 0.1).radius == Fraction(1, 10)
    assert Ball("W", "schatten:2", "3").norm == "frobenius"
    assert Ball("A", "schatten:inf", "3").norm == "spectral"


@pytest.mark.parametrize("norm", ["spectral", "frobenius", "schatten:4", "schatten:3.5", "linf"])
def test_norms_are_those_of_the_norm_registry(norm):
    """Oracle: independent implementation, the norms of single leaves."""
    rng = np.random.default_rng(0)
    W, A = rng.normal(size=(3, 300)), rng.normal(size=(2, 300))  # wide enough for LAPACK: nothing to compile
    for leaf, matrix in (("W", W), ("A", A)):
        value = Ball(leaf, norm, 2).value(W, A)
        assert value == pytest.approx(float(norm_from_name(norm).value(matrix)), rel=1e-12)
    joint = Ball("joint", "frobenius", 2).value(W, A)
    assert joint == pytest.approx(float(np.sqrt((W**2).sum() + (A**2).sum())), rel=1e-14)


@pytest.mark.parametrize(
    ("text", "kind", "rule"),
    [
        ("spectral:1", "gram", ("gram", "gram")),
        ("frobenius:1", "gram", ("trace", "trace")),
        ("joint-frobenius:1", "gram", ("joint", "joint")),
        ("spectral:1,frobenius:2", "gram", ("gram", "trace")),
        ("frobenius:1&joint-frobenius:1", "gram", ("trace", "trace")),
        ("spectral:1&frobenius:1", "gram", ("gram", "gram")),
        ("linf:1", "box", None),
        ("spectral:1,linf:1", "mixed", None),
    ],
)
def test_kinds_and_functionals(text, kind, rule):
    """Oracle: theory section 2a, which functionals each ball needs."""
    region = region_from_text(text)
    assert region.kind == kind
    if rule is not None:
        found = functionals_of(region)
        assert (found.hidden, found.output) == rule


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("spectral", "expected NORM:RADIUS"),
        ("spectral:0", "> 0"),
        ("spectral:-1", "> 0"),
        ("spectral:inf", "> 0"),
        ("spectral:nan", "expected a finite rational"),
        ("nuclear:1", "unknown norm"),
        ("schatten:1.5:1", "not covered"),
        ("linf:1,linf:1,linf:1", "expected NORM:RADIUS"),
        ({"W": {"norm": "spectral", "radius": 1}}, "a ball for W and one for A"),
        ({"W": {"norm": "spectral"}}, "expected"),
        ({"joint": {"norm": "spectral", "radius": 1}}, "joint ball"),
        ([], "a ball for W and one for A"),
        (3, "expected"),
    ],
)
def test_bad_regions_are_named(value, message):
    """Oracle: the message says what is wrong."""
    with pytest.raises(InputError, match=message):
        region_from_text(value) if isinstance(value, str) else region_from_json(value)


def test_a_net_outside_is_named_with_the_amount():
    """Oracle: by hand; norm 2 in a ball of radius 1.6 is outside by a quarter."""
    region = WideRegion((Ball("W", "linf", "1.6"), Ball("A", "linf", "1.6")))
    inside, outside = np.ones((1, 2)), np.full((1, 2), -2.0)
    region.check_contains(inside, inside, "net")
    with pytest.raises(InputError, match=r"net: linf norm of A is 2, outside the radius 1.6 by 0.25"):
        region.check_contains(inside, outside, "net")
