"""``modeconn witness`` end to end: the record, the folder, its certificates, exit codes."""

import argparse
import json
from functools import partial

import pytest

from modeconn.cli import main
from modeconn.cli.witness import seconds
from modeconn.studies import witness_climb, witness_fleet, witness_search
from modeconn.studies.witness_fleet import FleetSettings
from modeconn.studies.witness_search import SearchSettings, search_witnesses

QUICK = {"rates": (1.0,), "inits": ("he",), "tuning_seeds": 8, "steps": 300}


def call(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def quick(monkeypatch):
    """Fleets and rounds of a test's size."""
    monkeypatch.setattr(witness_fleet, "FleetSettings", partial(FleetSettings, **QUICK))
    monkeypatch.setattr(witness_search, "DRAWS", 20)
    small = FleetSettings(**{**QUICK, "optimizers": ("adamw", "muon")})
    monkeypatch.setattr(witness_climb.climb_by_training, "__kwdefaults__",
                        {**witness_climb.climb_by_training.__kwdefaults__, "fleets": small})  # fmt: skip


def test_search_to_certificates(quick, tmp_path, capsys):
    """Certificate: what the command wrote is accepted by ``modeconn check``; the record is the file's.

    The search goes on from two rounds made before, in which there is a witness.
    """
    folder = tmp_path / "out"
    folder.mkdir()
    search_witnesses(SearchSettings(seed=3), 1e9, rounds=2, folder=folder)
    words = ["witness", "--budget", "1s", "--seed", 3, "--seeds", 8, "--out", folder, "--resume", "--json", "-"]
    status, out, err = call(capsys, *words)
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert record["found"] is True
    assert {"problem", "width", "lambda", "radii", "reaches", "gaps", "barrier", "certificates", "fractions"} <= set(
        record
    )
    assert set(record["fractions"]) == {"adamw", "lion", "muon"}
    stored = json.loads((folder / "witness.json").read_text())
    assert stored == {key: value for key, value in record.items() if key != "found"}
    assert sum(file.startswith("certificates/box-avoids") for file in record["certificates"]) == record["orbits"] - 1
    for file, entry in record["certificates"].items():
        assert call(capsys, "check", folder / file, "--problem", folder / entry["problem"])[0] == 0
    lines = (folder / "runs.csv").read_text().splitlines()
    assert len(lines) == 1 + 3 * 8
    page = (folder / "report.html").read_text()
    assert page.count("<svg") == 4
    assert record["barrier"] in page
    assert not any(word in page for word in ("<script", "<link", "src=", 'href="http'))
    assert {"witness.json", "runs.csv", "report.html", "slice.npz"} <= set(
        json.loads((folder / "manifest.json").read_text())["outputs"]
    )


def test_given_problem_without_witness(tmp_path, capsys):
    """By construction: |x| has one orbit at width 2, so nothing is found: exit 3 and the reason."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"X": [[1], [-1]], "y": [1, 1]}))
    words = ["witness", "--problem", path, "--out", tmp_path / "o"]
    status, out, _ = call(capsys, *words)
    assert status == 3
    assert "1 orbits" in out
    status, out, _ = call(capsys, *words, "--json", "-")
    assert (status, json.loads(out)["found"]) == (3, False)


def test_nothing_within_the_budget(quick, tmp_path, capsys):
    """By construction: with one input and one point no orbits differ; the counts are told."""
    words = ["witness", "--d", 1, "--n", "1", "--entries", 1, "--budget", "1s", "--out", tmp_path / "o"]
    status, out, _ = call(capsys, *words)
    assert status == 3
    assert "problems drawn" in out


@pytest.mark.parametrize(
    "words",
    [
        ["--n", "5:3"],
        ["--n", "many"],
        ["--budget", "soon"],
        ["--budget", "-1s"],
        ["--width", "0"],
        ["--n", "60"],
        ["--problem", "missing.json"],
    ],
)
def test_bad_input(words, tmp_path, capsys):
    """One line on standard error, exit 2."""
    status, _, err = call(capsys, "witness", *words, "--out", tmp_path / "o")
    assert status == 2
    assert err.startswith("modeconn: error: ")
    assert err.count("\n") == 1


def test_targets_that_the_width_cannot_reach(tmp_path, capsys):
    """Closed form: one neuron fits one of (1, -1) at x = 1, 2; the least loss is named."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"X": [[1], [2]], "y": [1, -1]}))
    status, _, err = call(capsys, "witness", "--problem", path, "--width", 1, "--out", tmp_path / "o")
    assert status == 2
    assert "least loss" in err


def test_readers():
    """Closed form."""
    assert seconds("1.5m") == 90.0
    with pytest.raises(argparse.ArgumentTypeError):
        seconds("inf")
