"""Numbers into exact arithmetic and out of it."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.exact import rational as q


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_dyadic_it_stores(x):
    """Oracle: by construction, float.hex spells the stored number exactly and float.as_integer_ratio gives it."""
    exact = q.number_from(x)
    assert exact == q.number_from(x.hex()) == Fraction(*x.as_integer_ratio())
    assert q.round_down(exact) == x == q.round_up(exact)


@given(st.fractions())
def test_strings_round_trip(x):
    """Oracle: the inverse function."""
    assert q.number_from(q.number_to_string(x)) == x


def test_numbers_too_long_for_decimals_round_trip():
    """Oracle: the inverse function, beyond the 4300 digits that Python converts."""
    x = Fraction(3**30_000, 7**9_000)
    assert "0x" in q.number_to_string(x)
    assert q.number_from(q.number_to_string(-x)) == -x


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3/7", Fraction(3, 7)),
        ("-6/4", Fraction(-3, 2)),
        ("0.1", Fraction(1, 10)),
        ("1e-30", Fraction(1, 10**30)),
        (".5", Fraction(1, 2)),
        ("2.", Fraction(2)),
        (" +7 ", Fraction(7)),
        ("-0x1.8p-3", Fraction(-3, 16)),
        ("0x10/0x3", Fraction(16, 3)),
        ("0x0.00000000000000000000000001", Fraction(1, 16**26)),
    ],
)
def test_spellings(text, value):
    """Oracle: values written by hand."""
    assert q.number_from(text) == value


BAD = [math.nan, math.inf, -math.inf, True, None, "", "x", "1/0", "1/-2", "1.5/2", "nan", "inf", "1_000", "1 2", "１"]
BAD += ["1e999999999", "0x1p999999", "0x", "1/2/3", "9" * 5000, [1], {}, b"1", 1j]


@pytest.mark.parametrize("value", BAD, ids=lambda v: repr(v)[:20])
def test_garbage_is_refused_in_one_line(value):
    """Oracle: by construction."""
    with pytest.raises(q.ExactInputError) as caught:
        q.number_from(value, "X[0]")
    assert str(caught.value).startswith("X[0]: expected")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("value", [[[1, 2], [3]], [[1], 2], [], [[]], 5, "12", None, [[1], [math.nan]]])
def test_ragged_or_empty_matrices_are_refused(value):
    """Oracle: by construction."""
    with pytest.raises(q.ExactInputError):
        q.matrix_from(value)


def test_arrays_are_read_without_their_library():
    """Oracle: float32 values are dyadic, so the conversion is exact."""
    values = np.array([[0.1, 2.0]], dtype=np.float32)
    assert q.matrix_from(values) == [[Fraction(float(values[0, 0])), Fraction(2)]]
    assert q.number_from(np.float32(0.1)) == Fraction(float(np.float32(0.1)))
    assert q.number_from(np.int64(3)) == 3


@given(st.fractions(), st.integers(-20, 80))
def test_dyadic_rounding_brackets(x, bits):
    """Oracle: definition of floor and ceiling on the grid."""
    unit = Fraction(2) ** -bits
    low, high = q.floor_dyadic(x, bits), q.ceil_dyadic(x, bits)
    assert low <= x <= high
    assert x - low < unit
    assert high - x < unit
    assert (low / unit).denominator == (high / unit).denominator == 1


@given(st.fractions(min_value=Fraction(-(10**30)), max_value=Fraction(10**30)))
def test_float_rounding_is_outward_and_tight(x):
    """Oracle: neighbouring floats."""
    low, high = q.round_down(x), q.round_up(x)
    assert Fraction(low) <= x <= Fraction(high)
    assert high == low or high == math.nextafter(low, math.inf)


def test_float_rounding_out_of_range():
    """Oracle: the range of binary64."""
    huge = Fraction(10) ** 400
    assert (q.round_down(huge), q.round_up(huge)) == (float.fromhex("0x1.fffffffffffffp1023"), math.inf)
    assert (q.round_down(-huge), q.round_up(-huge)) == (-math.inf, -float.fromhex("0x1.fffffffffffffp1023"))
    assert q.round_down(1 / huge) == 0.0 < q.round_up(1 / huge)
