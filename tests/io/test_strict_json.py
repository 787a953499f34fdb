"""Strict JSON: any parser reads it, floats come back bit for bit, NaN and infinity never slip through."""

import enum
import json
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePosixPath
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeconn.errors import InputError
from modeconn.io import dumps, plain, write_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def strict(text: str) -> object:
    """Parse, and refuse the names NaN and Infinity that Python's parser lets through."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


@given(JSON_VALUES)
def test_round_trip(value: object) -> None:
    """Oracle: the parser of the standard library; -0.0 and the last bit of floats included."""
    assert repr(strict(dumps(value))) == repr(value)


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: float
    y: object


@dataclass(frozen=True)
class Record:
    name: str
    values: tuple[float, ...]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.1), 0.1),
        (np.float32(0.1), 0.10000000149011612),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array([[1.0, 2.0]]), [[1.0, 2.0]]),
        (jnp.arange(2), [0, 1]),
        (Fraction(-1, 3), "-1/3"),
        (PurePosixPath("a/b"), "a/b"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Point(1.0, None), {"x": 1.0, "y": None}),
        (Record("r", (1.0, 2.0)), {"name": "r", "values": [1.0, 2.0]}),
        ({"a": (np.float64(1.0), [Fraction(2)])}, {"a": [1.0, ["2"]]}),
    ],
)
def test_records_arrays_and_numbers(value: object, expected: object) -> None:
    """Oracle: by hand."""
    assert strict(dumps(value)) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nonfinite_numbers_are_refused_by_place_or_spelt_out(bad: float) -> None:
    """Oracle: by construction; in a float, an array, a nested record."""
    for value, place in (
        (bad, "value is"),
        ({"a": [1.0, bad]}, r"value\.a\[1\]"),
        ({"p": Point(1.0, np.array([[bad]]))}, r"value\.p\.y\[0\]\[0\]"),
        (np.float32(bad), "value is"),
        (jnp.array(bad), "value is"),
    ):
        with pytest.raises(InputError, match=place):
            dumps(value)
    assert strict(dumps({"x": bad, "y": np.array([bad])}, nonfinite="string")) == {"x": str(bad), "y": [str(bad)]}


@pytest.mark.parametrize("value", [{1: 2}, object(), {1, 2}, b"bytes", 1j, Point])
def test_what_json_cannot_hold(value: object) -> None:
    """Oracle: by construction; a mistake of the programmer, not of the user."""
    with pytest.raises(TypeError, match="JSON output"):
        dumps(value)


def test_nothing_is_written_when_a_number_is_not_finite(tmp_path) -> None:
    """Oracle: the file that was there before."""
    path = tmp_path / "out.json"
    write_json(path, {"x": 1})
    with pytest.raises(InputError, match=r"value\.x"):
        write_json(path, {"x": math.nan})
    assert json.loads(path.read_text()) == {"x": 1}
