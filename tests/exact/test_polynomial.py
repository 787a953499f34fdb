"""Sturm sequences, exact comparison and rigorous maxima of polynomials."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.exact.polynomial import (
    Maximum,
    Polynomial,
    bernstein_coefficients,
    count_roots,
    is_at_most,
    isolate_roots,
    maximum_enclosure,
    maximum_over_pieces,
    square_free_factors,
)
from proofs_check.exact.rational import ExactInputError

SMALL = st.integers(-18, 18).map(lambda k: Fraction(k, 6))
ROOTS = st.lists(SMALL, max_size=5)
NO_ROOT = Polynomial([1, 1, 1])


def from_roots(roots, lead=Fraction(1)):
    """The polynomial with these roots."""
    p = Polynomial([lead])
    for root in roots:
        p = p * Polynomial([-root, 1])
    return p


@given(ROOTS, SMALL, SMALL, st.booleans())
def test_roots_are_counted_and_isolated(roots, a, b, padded):
    """Oracle: by construction from rational roots, some multiple, with a factor that has none."""
    a, b = min(a, b), max(a, b)
    p = from_roots(roots) * (NO_ROOT if padded else Polynomial([1]))
    inside = sorted({root for root in roots if a <= root <= b})
    assert count_roots(p, a, b) == len(inside)
    width = Fraction(1, 50)
    found = isolate_roots(p, a, b, width)
    assert len(found) == len(inside)
    for (low, high), root in zip(found, inside, strict=True):
        assert low == root == high or low < root < high
        assert high - low <= width
    assert all(first[1] <= second[0] for first, second in pairwise(found))


def test_irrational_roots_are_isolated():
    """Oracle: closed form, the Chebyshev polynomial T_5 has five real roots, cos((2k+1) pi / 10)."""
    p = Polynomial([0, 5, 0, -20, 0, 16])
    found = isolate_roots(p, Fraction(-1), Fraction(1), Fraction(1, 10**12))
    expected = [-0.9510565162951535, -0.5877852522924731, 0.0, 0.5877852522924731, 0.9510565162951535]
    assert [float(low + high) / 2 for low, high in found] == pytest.approx(expected, abs=1e-12)


@given(ROOTS, ROOTS)
def test_square_free_factors_multiply_to_the_polynomial(single, double):
    """Oracle: multiplying out; and the multiplicities counted by hand."""
    roots = single + double + double
    p = from_roots(roots, Fraction(-2))
    factors = square_free_factors(p)
    product = Polynomial([1])
    for multiplicity, factor in enumerate(factors, start=1):
        for _ in range(multiplicity):
            product = product * factor
        assert factor.degree == sum(roots.count(root) == multiplicity for root in set(roots))
    assert product.primitive() in (p.primitive(), (-p).primitive())


@given(ROOTS, SMALL, SMALL, st.sampled_from([-2, 1]), st.booleans())
def test_comparison_agrees_with_the_signs_between_the_roots(roots, a, b, lead, padded):
    """Oracle: brute force, the sign at the ends and between all neighbouring roots."""
    a, b = min(a, b), max(a, b)
    p = from_roots(roots, Fraction(lead)) * (NO_ROOT if padded else Polynomial([1]))
    knots = [a, *sorted({root for root in roots if a < root < b}), b]
    points = knots + [(x + y) / 2 for x, y in pairwise(knots)]
    assert is_at_most(p, 0, a, b) == all(p(t) <= 0 for t in points)


@pytest.mark.parametrize("power", [2, 4])
def test_touching_is_allowed_and_exceeding_by_nearly_nothing_is_not(power):
    """Oracle: by construction, -(t**2 - 2)**power touches 0 at the irrational root of 2 and nowhere exceeds it."""
    p = Polynomial([-1])
    for _ in range(power):
        p = p * Polynomial([-2, 0, 1])
    ends = Fraction(0), Fraction(2)
    assert is_at_most(p, 0, *ends)
    assert not is_at_most(p, Fraction(-1, 10**100), *ends)
    assert not is_at_most(p + Fraction(1, 10**100), 0, *ends)


def test_comparison_of_special_polynomials():
    """Oracle: by hand."""
    zero, one = Fraction(0), Fraction(1)
    assert is_at_most(Polynomial([]), 0, zero, one)
    assert not is_at_most(Polynomial([]), -1, zero, one)
    assert is_at_most(Polynomial([3]), 3, zero, one)
    assert is_at_most(Polynomial([0, 1]), 1, one, one)
    assert not is_at_most(Polynomial([0, 1]), 1, one, one + Fraction(1, 10**30))
    with pytest.raises(ExactInputError):
        is_at_most(Polynomial([1]), 1, one, zero)
    with pytest.raises(ExactInputError):
        count_roots(Polynomial([]), zero, one)


@given(st.lists(SMALL, min_size=1, max_size=6), SMALL, SMALL, st.sampled_from([1, 10**3, 10**12]))
def test_maximum_is_enclosed(coefficients, a, b, fineness):
    """Oracle: certificate (is_at_most decides the upper end, evaluation the lower) and a grid."""
    a, b = min(a, b), max(a, b)
    p, tolerance = Polynomial(coefficients), Fraction(1, fineness)
    found = maximum_enclosure(p, a, b, tolerance)
    assert a <= found.argument <= b
    assert p(found.argument) == found.lower <= found.upper <= found.lower + tolerance
    assert is_at_most(p, found.upper, a, b)
    assert all(p(a + (b - a) * k / 20) <= found.upper for k in range(21))


def test_maximum_of_a_quartic_in_closed_form():
    """Oracle: closed form, -(t**2 - 2)**2 + t has its largest critical value at a root of -4 t**3 + 8 t + 1."""
    p = Polynomial([-4, 1, 4, 0, -1])
    found = maximum_enclosure(p, Fraction(0), Fraction(2), Fraction(1, 2**60))
    (low, high) = isolate_roots(p.derivative(), Fraction(0), Fraction(2), Fraction(1, 2**60))[-1]
    assert abs(found.lower - p((low + high) / 2)) < Fraction(1, 2**59)


def test_maximum_over_pieces_keeps_the_floor():
    """Oracle: by hand."""
    line = Polynomial([0, 1])
    zero, one = Fraction(0), Fraction(1)
    assert maximum_over_pieces([(line, zero, one), (-line, zero, one)], one / 9) == Maximum(one, one, one)
    floor = Maximum(Fraction(2), Fraction(2), zero)
    assert maximum_over_pieces([(line, zero, one)], one / 9, floor) == floor
    for bad in (lambda: maximum_over_pieces([], one), lambda: maximum_enclosure(line, zero, one, zero)):
        with pytest.raises(ExactInputError):
            bad()


@given(st.lists(SMALL, min_size=1, max_size=5), SMALL, SMALL)
def test_bernstein_coefficients_reproduce_the_polynomial(coefficients, a, b):
    """Oracle: the definition of the Bernstein form, evaluated at points."""
    from math import comb

    p = Polynomial(coefficients)
    bounds = bernstein_coefficients(p, a, b)
    degree = len(bounds) - 1
    for s in (Fraction(0), Fraction(1, 3), Fraction(1)):
        value = sum(c * comb(degree, k) * s**k * (1 - s) ** (degree - k) for k, c in enumerate(bounds))
        assert value == p(a + (b - a) * s)
