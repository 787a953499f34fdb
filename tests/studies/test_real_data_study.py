"""The study on real data, on a small scale: what is in its tables, resume, and the exactness of its numbers."""

import json
from dataclasses import replace

import numpy as np
import pytest

from modeconn.data import load_dataset
from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths import barrier_exact
from modeconn.studies import STUDY_PROFILES, StudySettings, real_data_study

SMALL = StudySettings(datasets=(("breast_cancer", 40),), widths=(3, 5), seeds=2, steps=8, certified_width=3)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, real_data_study(SMALL, folder)


def test_every_pair_is_measured_twice(study):
    """By construction: 3 pairs within an optimizer and 3 across, one pair of seeds each, with and without alignment."""
    rows = study[1].tables["barriers"]
    assert len(rows) == 2 * 2 * 6
    assert {row["alignment"] for row in rows} == {"as trained", "weight matching"}
    assert len(study[1].tables["runs"]) == 2 * 3 * 2


def test_barriers_are_those_of_the_nets_on_disk(study):
    """Independent route: the nets are read back from the NPZ file and the barrier computed anew."""
    folder, result = study
    data = load_dataset("breast_cancer", n=40, bias=True)
    with np.load(folder / "breast_cancer-w5.npz") as arrays:
        for row in result.tables["barriers"]:
            if row["width"] != 5 or row["alignment"] != "as trained":
                continue
            nets = [
                Net(*(arrays[f"breast_cancer-w5-{row[f'optimizer_{k}']}-s{row[f'seed_{k}']}-{leaf}"] for leaf in "Wa"))
                for k in "ab"
            ]
            again = barrier_exact(*nets, data.X, data.Y)
            assert row["barrier"] == again.barrier
            assert row["barrier_on_grid"] <= row["upper"]


def test_certified_rows_enclose_the_float_value(study):
    """Certificate: the checker accepted the enclosure, and the float64 barrier lies in it up to rounding."""
    certified = study[1].tables["certified"]
    assert len(certified) == 6
    exact = {(r["pair"]): r for r in certified}
    assert all(row["checker"] == "accepted" and row["lower"] <= row["upper"] for row in exact.values())
    assert all(row["difference"] <= 1e-9 * (1 + row["upper"]) for row in certified)


def test_resume_takes_finished_cells_and_nothing_else(study, tmp_path):
    """Conserved quantity: the tables. A cell of other settings, or a damaged one, is measured again."""
    folder, result = study
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    marked = tmp_path / "breast_cancer-w3.json"
    cell = json.loads(marked.read_text())
    cell["runs"][0]["loss_per_point"] = -1.0
    marked.write_text(json.dumps(cell))
    (tmp_path / "breast_cancer-w5.json").write_text('{"study": ')
    again = real_data_study(SMALL, tmp_path, resume=True)
    assert again.tables["runs"][0]["loss_per_point"] == -1.0
    assert again.tables["barriers"] == result.tables["barriers"]
    other = real_data_study(replace(SMALL, steps=9), tmp_path, resume=True)
    assert other.tables["runs"][0]["loss_per_point"] != -1.0


def test_headline_is_the_median_per_point(study):
    """Closed form, on one group."""
    row = study[1].headline[0]
    values = [
        r["barrier"] / r["points"]
        for r in study[1].tables["barriers"]
        if [r["dataset"], f"{r['optimizer_a']} to {r['optimizer_b']}"] == row[:2]
        and (r["alignment"], r["width"]) == ("weight matching", 3)
    ]
    assert study[1].headline_columns[4] == "3, matched"
    assert row[4] == np.median(values)


def test_profiles_and_settings():
    """By construction: every profile has optimizers with hyperparameters; one seed makes no pair."""
    for settings in STUDY_PROFILES.values():
        assert set(settings.optimizers) <= set(settings.learning)
        assert settings.certified_width in settings.widths
    with pytest.raises(InputError, match="at least 2 seeds"):
        StudySettings(seeds=1)
