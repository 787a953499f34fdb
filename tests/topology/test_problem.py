"""Problem files: what is read, what is refused."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from modeconn.errors import InputError
from modeconn.topology import Problem, problem_from_json, problem_to_json, read_problem


def test_numbers_are_taken_as_written(tmp_path: Path) -> None:
    """Oracle: by construction. The JSON number 0.1 is one tenth, not the float next to it."""
    path = tmp_path / "problem.json"
    path.write_text('{"X": [[0.1, "3/7"], [2, "-0.25"]], "y": [1e-2, 1], "region": {"norm": "linf", "radius": 1.3}}')
    problem = read_problem(path)
    assert ((Fraction(1, 10), Fraction(3, 7)), (Fraction(2), Fraction(-1, 4))) == problem.X
    assert problem.y == (Fraction(1, 100), Fraction(1))
    assert problem.region is not None
    assert problem.region.W.radius == problem.region.A.radius == Fraction(13, 10)


def test_problems_survive_a_round_trip() -> None:
    """Oracle: by construction."""
    ball = {"norm": "spectral", "radius": "3/2"}
    data = {"X": [[1, 0]], "y": ["1/3"], "output_weights": "fixed", "ridge": "1/10"}
    for region in (None, ball, {"W": ball, "A": {"norm": "linf", "radius": 2}}):
        problem = problem_from_json({**data, "region": region})
        assert problem_from_json(json.loads(json.dumps(problem_to_json(problem)))) == problem


GOOD: dict[str, Any] = {"X": [[1, 2], [3, 4]], "y": [1, 2]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": [[1, 2], [3]]}, "rows of one length"),
        ({"X": []}, "rows of one length"),
        ({"X": [[], []]}, "rows of one length"),
        ({"X": [[1, "nan"], [3, 4]]}, r"X\[0\]\[1\]"),
        ({"X": [[1, "sqrt(2)"], [3, 4]]}, "finite rational"),
        ({"X": "12"}, "expected a list"),
        ({"y": [1]}, "one target a row"),
        ({"y": {"0": 1}}, "expected a list"),
        ({"output_weights": "frozen"}, "did you mean|unknown output_weights"),
        ({"ridge": -1}, "number >= 0"),
        ({"region": {"norm": "l1", "radius": 1}}, "unknown norm"),
        ({"region": {"norm": "linf", "radius": 0}}, "positive"),
        ({"region": {"norm": "linf"}}, "radius"),
        ({"regoin": None}, "region"),
    ],
)
def test_bad_problems_are_refused(change: dict[str, Any], message: str) -> None:
    """Oracle: by construction; the message names the place."""
    with pytest.raises(InputError, match=message):
        problem_from_json({**GOOD, **change})


@pytest.mark.parametrize("text", ["", "{", '{"X": [[NaN]], "y": [1]}', "[1]", '{"y": [1]}', "[" * 100_000])
def test_bad_files_are_refused(tmp_path: Path, text: str) -> None:
    """Oracle: by construction."""
    path = tmp_path / "problem.json"
    path.write_text(text)
    with pytest.raises(InputError):
        read_problem(path)
    with pytest.raises(InputError, match="can be read"):
        read_problem(tmp_path / "missing.json")


def test_a_problem_is_a_value() -> None:
    """Oracle: by construction: equal, hashable, immutable."""
    assert isinstance(problem_from_json(GOOD), Problem)
    assert hash(problem_from_json(GOOD)) == hash(problem_from_json(json.loads(json.dumps(GOOD))))


def test_notes_are_allowed_and_a_field_given_twice_is_not(tmp_path):
    """By construction: the checker reads the same files."""
    path = tmp_path / "p.json"
    path.write_text('{"X": [[1]], "y": [2], "comment": "one point"}')
    assert read_problem(path).y == (2,)
    path.write_text('{"X": [[1]], "y": [2], "y": [3]}')
    with pytest.raises(InputError, match="twice"):
        read_problem(path)
