"""``modeconn phase-diagram`` end to end: the folder, its certificates, the record, bad input."""

import csv
import json
from xml.etree import ElementTree

import pytest

from modeconn.cli import main
from modeconn.cli.phase_diagram import axis
from modeconn.errors import InputError

LINE = {"X": [[1], [-1]], "y": [1, 1]}


def call(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_from_the_problem_to_checked_certificates(tmp_path, capsys):
    """Certificate: every file written is accepted by ``modeconn check``; table, record and figure agree."""
    (tmp_path / "p.json").write_text(json.dumps(LINE))
    out = tmp_path / "out"
    words = ["phase-diagram", tmp_path / "p.json", "--lambda-a", "0.3:3:5", "--lambda-m", "1/2,1", "--widths", "2,8"]
    status, text, err = call(capsys, *words, "--out", out)
    assert (status, err) == (0, "")
    assert "least radius of Muon's ball, width >= 4: [1.41421356, 1.41421356]" in text
    record = json.loads((out / "phase-diagram.json").read_text())
    assert record["counts"]["undecided"] == 0
    for entry in record["certificates"].values():
        assert call(capsys, "check", out / entry["file"], "--problem", out / entry["problem"])[0] == 0
    rows = list(csv.DictReader((out / "phase-diagram.csv").read_text().splitlines()))
    assert [row["reason"] for row in rows] == [cell["reason"] for cell in record["cells"]]
    assert len(rows) == 5 * 2 * 2
    assert {name for row in rows for name in row["certificates"].split()} == set(record["certificates"])
    assert ElementTree.parse(out / "phase-diagram.svg").getroot().tag.endswith("svg")
    assert (out / "phase-diagram.png").read_bytes()[:4] == b"\x89PNG"
    manifest = json.loads((out / "manifest.json").read_text())
    assert {"problem.json", "phase-diagram.csv", "phase-diagram.svg"} <= set(manifest["outputs"])


def test_a_second_run_leaves_no_old_certificate_behind(tmp_path, capsys):
    """By construction: other axes, other certificates; the folder holds those of the record only."""
    (tmp_path / "p.json").write_text(json.dumps(LINE))
    words = ["phase-diagram", tmp_path / "p.json", "--widths", "2", "--out", tmp_path / "out"]
    assert call(capsys, *words, "--lambda-a", "0.3:3:6", "--lambda-m", "0.3:2:5")[0] == 0
    status, text, _ = call(capsys, *words, "--lambda-a", "1/2", "--lambda-m", "1/2", "--json", "-")
    assert status == 0
    named = {entry["file"] for entry in json.loads(text)["certificates"].values()}
    kept = {f"certificates/{path.name}" for path in (tmp_path / "out" / "certificates").glob("*.json")}
    assert {name for name in kept if not name.endswith("-problem.json")} == named


def test_points_of_a_data_set(tmp_path, capsys):
    """By construction: five points of diabetes in two directions; the numbers used are in problem.json."""
    words = ["phase-diagram", "--data", "diabetes", "--points", 5, "--lambda-a", "0.5:2:3", "--lambda-m", "0.5:2:3"]
    status, text, err = call(capsys, *words, "--widths", "8", "--out", tmp_path, "--json", "-")
    assert (status, err) == (0, "")
    record = json.loads(text)
    assert (record["n"], record["d"]) == (5, 2)
    assert "diabetes" in record["about"]
    assert len(json.loads((tmp_path / "problem.json").read_text())["X"]) == 5


@pytest.mark.parametrize(
    "words",
    [
        ["missing.json"],
        ["--lambda-a", "0:2"],
        ["--lambda-m", "2:1"],
        ["--lambda-a", "-1,2"],
        ["--lambda-a", "many"],
        ["--lambda-a", "1e400"],
        ["--lambda-m", "1e-400,1"],
        ["--lambda-a", "1e-300:1:3"],
        ["--lambda-a", "1:2:3:4"],
        ["--lambda-a", "0.1:1:1000000000"],
        ["--lambda-a", "1,1.0"],
        ["--lambda-m", "1/2,1,0.5"],
        ["--widths", "0"],
        ["--widths", "2,2"],
        ["--widths", "10000000000000"],
        ["--level", "-1"],
        ["--level", "1000000"],
        ["--data", "digits"],
        ["--data", "diabetes", "--inputs", "99"],
        ["--points", "3"],
        ["--data", "diabetes", "--points", "300"],
        ["p.json", "--data", "diabetes"],
    ],
)
def test_bad_input(words, tmp_path, capsys, monkeypatch):
    """One line on standard error, exit 2, no folder left half written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps(LINE))
    status, _, err = call(capsys, "phase-diagram", *words, "--out", tmp_path / "o")
    assert status == 2
    assert err.startswith("modeconn: error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [("1e400", "1e-30 to 1e30"), ("1:2:3:4", "0.2:2:10"), ("1,1", "twice"), ("2:1", "low < high"), ("1:2:1", "values")],
)
def test_the_reason_is_said(text, said, capsys):
    """By construction: the line says what is wrong with the axis, not only that it is."""
    status, _, err = call(capsys, "phase-diagram", "--lambda-a", text)
    assert status == 2
    assert said in err


@pytest.mark.parametrize("record", ["{", "[]", "null", '{"certificates": [1]}', '{"certificates": {"a": {"file": 1}}}'])
def test_a_damaged_record_removes_nothing(record, tmp_path, capsys):
    """By construction: a file that the damaged record does not name stays, the new record is whole."""
    (tmp_path / "p.json").write_text(json.dumps(LINE))
    out = tmp_path / "out"
    (out / "certificates").mkdir(parents=True)
    (out / "certificates" / "mine.json").write_text("{}")
    (out / "phase-diagram.json").write_text(record)
    words = ["--lambda-a", "1/2", "--lambda-m", "1/2", "--widths", "2", "--out", out]
    assert call(capsys, "phase-diagram", tmp_path / "p.json", *words)[0] == 0
    assert (out / "certificates" / "mine.json").exists()
    assert json.loads((out / "phase-diagram.json").read_text())["counts"]["overlap"] == 1


def test_a_tiny_level_is_printed_short(tmp_path, capsys):
    """By construction: six digits in print, all of them in the record."""
    (tmp_path / "p.json").write_text(json.dumps(LINE))
    words = ["--lambda-a", "1/2", "--lambda-m", "1/2", "--widths", "2", "--level", "1e-300", "--out", tmp_path / "o"]
    status, text, err = call(capsys, "phase-diagram", tmp_path / "p.json", *words)
    assert (status in (0, 3), err) == (True, "")
    assert "loss <= 1e-300\n" in text
    assert json.loads((tmp_path / "o" / "phase-diagram.json").read_text())["level"] == f"1/{10**300}"


@pytest.mark.parametrize(("x", "y"), [("1", "1e300"), ("1", "1e-300"), ("1e-300", "1"), ("1e300", "1")])
def test_data_beyond_the_solvers(x, y, tmp_path, capsys):
    """By construction: one line that asks for another unit."""
    (tmp_path / "p.json").write_text(json.dumps({"X": [[x], [f"-{x}"]], "y": [y, y]}))
    status, _, err = call(capsys, "phase-diagram", tmp_path / "p.json", "--out", tmp_path / "o")
    assert status == 2
    assert "another unit" in err
    assert err.count("\n") == 1


def test_problems_that_the_diagram_is_not_about(tmp_path, capsys):
    """By construction: a ridge term, fixed output weights, targets that no net interpolates."""
    for extra in ({"ridge": "1/10"}, {"output_weights": "fixed"}, {"X": [[1], [1]], "y": [0, 1]}):
        (tmp_path / "p.json").write_text(json.dumps({**LINE, **extra}))
        status, _, err = call(capsys, "phase-diagram", tmp_path / "p.json", "--out", tmp_path / "o")
        assert status == 2
        assert err.count("\n") == 1


def test_axes():
    """Closed form."""
    assert [str(v) for v in axis("0.25:4:3")] == ["1/4", "1", "4"]
    assert len(axis("0.2:2")) == 16
    with pytest.raises(InputError):
        axis("1:2:1")
