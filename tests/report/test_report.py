"""The report page and the folder of a run: self-contained, complete, escaped, digested."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from modeconn.plots import FIGURES
from modeconn.report import csv_text, render_report, write_run
from modeconn.studies import StudySettings, real_data_study

VERDICTS = {
    "schema": "modeconn.verify/1",
    "seconds": 1.0,
    "environment": {
        "modeconn": "0",
        "python": "3",
        "platform": "p",
        "backend": "cpu",
        "device": "d",
        "device_count": 1,
        "packages": {"jax": "0"},
        "precision": "float64",
        "seed": 0,
        "profile": "quick",
    },
    "claims": [
        {
            "id": "X",
            "statement": "a < b & <script>alert(1)</script>",
            "source": "nobody",
            "verdict": "not refuted",
            "expected": "held",
            "instances": 5,
            "vacuous": 1,
            "margin": 0.25,
            "controls": [{"id": "dropped", "refuted": True}, {"id": "changed", "refuted": False}],
            "seconds": 0.5,
        }
    ],
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    settings = StudySettings(datasets=(("breast_cancer", 30),), widths=(3,), seeds=2, steps=4, certified_width=3)
    study = real_data_study(settings, folder / "study")
    return folder, write_run(folder, VERDICTS, study, ["modeconn", "verify"]), study


def test_page_needs_nothing_else(written):
    """By construction: no script, no link, no image from elsewhere; every figure of the registry is inline."""
    page = written[1].read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert page.count("<svg") == len(FIGURES)
    for spec in FIGURES.values():
        assert spec.title in page


def test_statements_are_escaped_and_controls_counted(written):
    """By construction."""
    page = written[1].read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert "1 of 2" in page


def test_manifest_digests_every_output(written):
    """Independent implementation: hashlib over the files."""
    folder = written[0]
    record = json.loads((folder / "manifest.json").read_text())
    assert {"report.html", "verdicts.json", "study/runs.csv", "study/barriers.csv"} <= set(record["outputs"])
    for name, digest in record["outputs"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert record["settings"]["study"]["seeds"] == 2
    assert set(record["inputs"]) == {"breast_cancer"}


def test_csv_holds_every_row(written):
    """By construction."""
    lines = Path(written[0] / "study" / "barriers.csv").read_text().splitlines()
    assert len(lines) == 1 + len(written[2].tables["barriers"])
    assert csv_text([]) == "\n" or csv_text([]) == ""


def test_a_page_of_verdicts_alone():
    """By construction: without a study there is no figure."""
    page = render_report("title", "subtitle", VERDICTS, None, {}, [("command", "modeconn verify")])
    assert "<svg" not in page
    assert "Claims on trial" in page
