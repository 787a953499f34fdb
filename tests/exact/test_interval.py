"""Interval arithmetic contains the truth, whatever the precision."""

import operator
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proofs_check.exact import interval as iv
from proofs_check.exact.interval import Interval
from proofs_check.exact.rational import ExactInputError

NUMBERS = st.tuples(st.integers(), st.integers(1, 10**6)).map(lambda pair: Fraction(*pair))
BITS = st.sampled_from([2, 5, 24, 128])


@st.composite
def intervals(draw):
    """An interval of a drawn precision, and a number inside."""
    x, below, above = draw(NUMBERS), draw(NUMBERS), draw(NUMBERS)
    found = Interval(x - abs(below), x + abs(above), draw(BITS))
    return found, x


@given(intervals(), intervals(), st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv]))
def test_operations_contain_the_exact_result(first, second, operation):
    """Oracle: the same operation on fractions inside the operands."""
    (a, x), (b, y) = first, second
    if operation is operator.truediv:
        assume(b.lower > 0 or b.upper < 0)
    exact = operation(x, y)
    for found in (operation(a, b), operation(a, y), operation(x, b)):
        assert found.contains(exact)


@given(intervals())
def test_functions_contain_the_exact_result(pair):
    """Oracle: the same function on a fraction inside."""
    a, x = pair
    assert abs(a).contains(abs(x))
    assert abs(a).lower >= 0
    assert a.square().contains(x * x)
    assert (-a).contains(-x)
    assert iv.enclosure(iv.maximum(a, 0)).contains(max(x, Fraction(0)))
    assert iv.enclosure(iv.minimum(a, 1)).contains(min(x, Fraction(1)))
    assert iv.enclosure(iv.sign(a)).contains(iv.sign(x))


@given(st.fractions(min_value=0), BITS)
def test_square_root_brackets(x, bits):
    """Oracle: squaring the ends; squares of rationals are exact."""
    root = iv.enclosure(iv.square_root(x, bits), bits)
    assert root.lower**2 <= x <= root.upper**2
    assert root.width <= root.upper * Fraction(4, 2**bits)
    assert iv.square_root(x * x, bits) == x


@given(intervals())
def test_square_root_of_an_interval_contains_the_roots(pair):
    """Oracle: the root of the square of a number inside."""
    a, x = pair
    assert iv.enclosure(iv.square_root(a.square())).contains(abs(x))


def test_precision_bounds_the_size_of_the_numbers():
    """Oracle: by construction, exact arithmetic would need 2**k digits after k squarings."""
    x = Interval.point(Fraction(10, 11), bits=64)
    for _ in range(40):
        x = x.square() * Fraction(2, 3) + Fraction(1, 7)
    assert max(end.numerator.bit_length() for end in (x.lower, x.upper)) <= 64
    assert max(end.denominator.bit_length() for end in (x.lower, x.upper)) <= 128


def test_short_numbers_stay_exact():
    """Oracle: fractions."""
    third = Interval.point(1) / 3
    assert third.is_point
    assert third.lower == Fraction(1, 3)
    assert (third + third + third).is_equal(1)


def test_comparisons_say_when_they_do_not_know():
    """Oracle: the order of the ends."""
    a, b = Interval(Fraction(0), Fraction(1)), Interval(Fraction(1), Fraction(2))
    assert (a.is_at_most(b), a.is_below(b), b.is_below(a), b.is_at_most(a)) == (True, None, False, None)
    assert a.is_equal(b) is None
    assert a.is_equal(3) is False
    assert Interval.point(2).is_equal(2) is True


def test_bad_operands():
    """Oracle: by construction."""
    with pytest.raises(ZeroDivisionError, match="contains 0"):
        Interval.point(1) / Interval(Fraction(-1), Fraction(1))
    with pytest.raises(ExactInputError, match="lower <= upper"):
        Interval(Fraction(1), Fraction(0))
    with pytest.raises(ExactInputError, match=">= 0"):
        iv.square_root(Fraction(-1))
