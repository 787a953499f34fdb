"""``modeconn optima``: numbers, files, exit codes."""

from __future__ import annotations

import json

import pytest

from modeconn.cli.main import main

PROBLEM = {"X": [[1, 1, 1, 1], [-1, -1, -1, 1]], "y": [1, 1], "ridge": 0.1}


@pytest.fixture
def problem(tmp_path):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(PROBLEM))
    return path


def test_the_record_and_the_certificates(problem, tmp_path, capsys) -> None:
    """Known answer: m* = 1, M* = 2, 1, 3, 1 components, optimal value 39/400; the checker accepts every file."""
    out = tmp_path / "c.json"
    arguments = [
        "optima",
        str(problem),
        "--widths",
        "1:3",
        "--certificate",
        str(out),
        "--json",
        str(tmp_path / "r.json"),
    ]
    assert main(arguments) == 0
    assert "m* = 1, M* = 2; connected from width 3 on" in capsys.readouterr().out
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["is_exact"]
    assert [row["components"] for row in record["components"]] == [1, 3, 1]
    assert [row["count"] for row in record["widths"]] == [[1, 1], [3, 3], [1, 1]]
    assert record["value"]["lower"] <= 39 / 400 <= record["value"]["upper"]
    assert len(record["certificates"]) == 4
    for path in record["certificates"]:
        assert main(["check", path, "--problem", str(problem)]) == 0


@pytest.mark.parametrize("change", [{"ridge": 0}, {"output_weights": "fixed"}])
def test_other_problems_are_bad_input(problem, change) -> None:
    """By construction."""
    problem.write_text(json.dumps({**PROBLEM, **change}))
    assert main(["optima", str(problem)]) == 2


def test_bad_options(problem) -> None:
    """By construction."""
    assert main(["optima", str(problem), "--widths", "0:2"]) == 2
    assert main(["optima", str(problem), "--certificate", "no/such/folder/c.json"]) == 2
    assert main(["optima", "no-such-file.json"]) == 2
