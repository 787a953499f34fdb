"""Arctangent and pi as intervals."""

import math
from fractions import Fraction

import pytest

from proofs_check.exact.arc import arctangent, pi
from proofs_check.exact.interval import Interval


@pytest.mark.parametrize("x", [-1e6, -3.7, -1.0, -1e-8, 0.0, 1e-300, 0.3, 1.0, 50.0, 1e18])
def test_arctangent_of_floats(x):
    """Independent implementation: math.atan is right to an ulp; the interval is far tighter, in absolute terms."""
    found = arctangent(Fraction(x))
    assert found.lower <= found.upper
    assert abs(float(found.lower) - math.atan(x)) <= 1e-15 * abs(math.atan(x)) + 1e-34
    assert found.width <= Fraction(1, 2**115)


def test_enclosures_contain_what_closed_forms_say():
    """Closed form: arctan 1 = pi/4, arctan(1/sqrt 3) = pi/6 by its tangent, addition theorem, odd function."""
    third, half = arctangent(Fraction(1, 3)), arctangent(Fraction(1, 2))
    assert (third + half - pi() / 4).contains(0)
    assert (arctangent(Fraction(7)) + arctangent(Fraction(-7))).contains(0)
    assert (arctangent(Fraction(7)) + arctangent(Fraction(1, 7)) - pi() / 2).contains(0)


def test_pi_to_thirty_digits():
    """Closed form: the digits of pi."""
    digits = Fraction("3.14159265358979323846264338327950288")
    assert (pi() - digits).lower > 0
    assert (pi() - digits).upper < Fraction(1, 10**35)


def test_intervals_are_enclosed():
    """By construction: every number of the operand lies in the answer, at the number of bits asked for."""
    wide = Interval(Fraction(-2), Fraction(1, 2))
    found = arctangent(wide)
    for k in range(26):
        assert found.contains(arctangent(Fraction(-20 + k, 10)))
    coarse = arctangent(Interval.point(Fraction(1, 3), 40))
    assert coarse.contains(arctangent(Fraction(1, 3)))
    assert coarse.width > Fraction(1, 2**60)
