"""The study of wide nets, its tables and its three figures, at a size of seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modeconn.constructions import connect
from modeconn.errors import InputError
from modeconn.io import dumps
from modeconn.nets import Net
from modeconn.reporter import SILENT
from modeconn.reproductions import REPRODUCTIONS, same_optimizer, spectrum, width
from modeconn.studies import connectivity
from modeconn.studies.connectivity import CONNECTIVITY_PROFILES, ConnectivitySettings, connectivity_study
from modeconn.studies.connectivity_nets import DataCase

SMALL = ConnectivitySettings(
    cases=(DataCase("tiny", "synthetic:n=4,d=2,teacher=2,seed=3", (3, 8, 16)),),
    optimizers=("adamw", "muon"),
    seeds=2,
    steps=120,
    chain_steps=40,
)
"""N = 4 + 3 + 1 = 8 in spectral balls."""


class Counter:
    """A reporter that counts."""

    def __init__(self):
        self.total, self.done, self.open = 0, 0, set()

    def start(self, task, total):
        self.open.add(task)
        self.total += total

    def advance(self, task, steps=1):
        assert task in self.open
        self.done += steps

    def finish(self, task):
        self.open.remove(task)


@pytest.fixture(scope="module")
def told():
    return Counter()


@pytest.fixture(scope="module")
def tables(told):
    return connectivity_study(SMALL, told)


def test_groups_summarise_their_pairs(tables) -> None:
    """Independent implementation: fractions and medians counted again from the pairs."""
    assert len(tables["groups"]) == 9
    assert len(tables["pairs"]) == 3 * (1 + 1 + 2)
    keys = ("dataset", "width", "optimizer_a", "optimizer_b")
    for group in tables["groups"]:
        rows = [row for row in tables["pairs"] if all(row[key] == group[key] for key in keys)]
        assert len(rows) == group["pairs"] > 0
        assert group["cross"] == (group["optimizer_a"] != group["optimizer_b"])
        assert group["constructed"] == sum(row["joined"] for row in rows) / len(rows)
        for way in ("segment", "chain"):
            barriers = sorted(row[f"{way}_barrier"] for row in rows)
            assert group[way] == sum(barrier <= 0.01 for barrier in barriers) / len(rows)
            assert group[f"{way}_barrier"] == pytest.approx((barriers[0] + barriers[-1]) / 2)
        assert group["decided"] == rows[0]["joined"]
        assert group["certified"] == group["decided"]


def test_the_theorem_shows_in_the_groups(tables) -> None:
    """Oracle: W1. From N on every pair in a spectral ball is joined, no pair gets worse than its ends, and inside."""
    for group in tables["groups"]:
        assert group["N"] == (8 if group["kind"] == "gram" else None)
        assert (group["kind"] == "gram") == ("muon" in (group["optimizer_a"], group["optimizer_b"]))
        if group["kind"] == "gram" and group["width"] >= 8:
            assert group["constructed"] == 1
    joined = [row for row in tables["pairs"] if row["joined"]]
    assert len(joined) >= 6
    for row in joined:
        assert row["needed"] <= row["width"]
        assert row["barrier"] < 1e-9
        assert row["sampled_rise"] < 1e-9
        assert row["radius_slack"] <= 2e-9
        assert row["sampled_excess"] <= 1e-9
    assert all(row["seed_a"] != row["seed_b"] for row in tables["pairs"])


def test_the_tables_are_told_reproduced_and_json(tables, told) -> None:
    """By construction: one step a group; the same settings give the same tables."""
    assert told.done == told.total == 9
    assert not told.open
    assert dumps(connectivity_study(SMALL)) == dumps(tables)
    with pytest.raises(InputError, match="at least 2 seeds"):
        replace(SMALL, seeds=1)


def test_profiles_bracket_the_thresholds() -> None:
    """Closed form: N = n c + d (d + 1) / 2 + c (c + 1) / 2 with d - 1 components and a bias."""
    for profile in CONNECTIVITY_PROFILES.values():
        for case in profile.cases:
            n, d = (case.rows, case.components + 1) if case.rows else (16, 4)
            c = len(case.classes) if case.classes else 1
            N = n * c + d * (d + 1) // 2 + c * (c + 1) // 2
            assert min(case.widths) < N / 2
            assert max(case.widths) > 2 * N
    assert "n=16,d=4" in connectivity.SYNTHETIC.source


def test_figure_of_widths(tables, monkeypatch) -> None:
    """By construction: the reproduction computes the study; lines of the figure are the columns of the groups."""
    monkeypatch.setitem(width.CONNECTIVITY_PROFILES, "quick", SMALL)
    reproduction = REPRODUCTIONS["width"]
    found = reproduction.compute("quick", 0, SILENT)
    assert dumps(found) == dumps(tables)
    figure = reproduction.draw(found)
    assert len(figure.axes) == 3
    drawn = [list(line.get_ydata()) for line in figure.axes[0].lines]
    muon = [g["constructed"] for g in tables["groups"] if g["optimizer_a"] == g["optimizer_b"] == "muon"]
    assert muon in drawn
    assert muon[1:] == [1, 1]
    assert any(list(line.get_xdata()) == [8, 8] for line in figure.axes[0].lines)  # N
    (words,) = reproduction.findings(found)
    assert "Muon from width" in words
    assert "N = 8" in words
    figure.canvas.draw()


def test_figure_of_spectra(monkeypatch) -> None:
    """Oracle: W2's bound on gram paths; singular values by NumPy at the ends of a path."""
    case = DataCase("tiny", "synthetic:n=4,d=2,teacher=2,seed=3", (16,))  # 2 N
    monkeypatch.setitem(spectrum.CASES, "quick", case)
    monkeypatch.setitem(spectrum.SEEDS, "quick", 2)
    monkeypatch.setitem(spectrum.STEPS, "quick", 80)
    reproduction = REPRODUCTIONS["spectrum"]
    found = reproduction.compute("quick", 0, SILENT)
    assert len(found["pairs"]) == 1 + 2 + 1 + 1
    gram = [row for row in found["pairs"] if row["bound_claimed"]]
    assert len(gram) == 4
    for row in gram:
        assert row["margin"] >= -1e-10
        assert row["reduction_change"] < 1e-9
        assert row["stable_least"] >= min(row["stable_a"], row["stable_b"]) - 1e-10
    figure = reproduction.draw(found)
    assert len(figure.axes) == 12
    assert all("held at every sample" in text for text in reproduction.findings(found)[:3])
    figure.canvas.draw()


def test_spectra_along_a_path() -> None:
    """Independent implementation: stable and effective rank from NumPy's singular values."""
    rng = np.random.default_rng(0)
    nets = [Net(rng.normal(size=(3, 40)) / 9, rng.normal(size=(1, 40)) / 9) for _ in range(2)]
    path = connect(*nets, rng.normal(size=(5, 3)), np.zeros(5), "spectral:2").path
    curve, row = spectrum._along(path, True)
    for k in (0, len(curve["t"]) // 2, -1):
        s = np.linalg.svd(np.asarray(path.net(curve["t"][k] * path.pieces).W), compute_uv=False)
        p = s / s.sum()
        assert curve["stable_rank"][k] == pytest.approx((s**2).sum() / s[0] ** 2)
        assert curve["effective_rank"][k] == pytest.approx(np.exp(-(p * np.log(p)).sum()))
        assert [values[k] for values in curve["singular_values"]] == pytest.approx(s.tolist())
    assert row["margin"] == pytest.approx(min(curve["stable_rank"]) - min(row["stable_a"], row["stable_b"]))


def test_a_broken_bound_is_told() -> None:
    """By construction: a margin below zero."""
    common = {"case": "one", "construction": "edge-walk", "region": "r", "stable_least": 1.0, "reduction_change": 0.0}
    rows = [common | {"margin": margin, "bound_claimed": True} for margin in (0.1, -1e-3)]
    assert "FAILED" in spectrum._findings({"pairs": rows})[0]
    assert "no pair joined" in spectrum._findings({"pairs": [common | {"construction": None}]})[0]


def test_figure_of_one_pair_each(monkeypatch) -> None:
    """Oracle: the worse end bounds the constructed path; the curves end at the losses of the nets."""
    case = DataCase("tiny", "synthetic:n=4,d=2,teacher=2,seed=3", (16,))
    monkeypatch.setitem(same_optimizer.CASES, "quick", case)
    monkeypatch.setitem(same_optimizer.STEPS, "quick", (120, 40))
    reproduction = REPRODUCTIONS["same-optimizer"]
    found = reproduction.compute("quick", 0, SILENT)
    assert [row["certified"] for row in found["pairs"]] == [True, True, True]
    assert len(found["curves"]) == 9
    for row in found["curves"]:
        pair = next(p for p in found["pairs"] if p["optimizer"] == row["optimizer"])
        assert (row["t"][0], row["t"][-1]) == (0, 1)
        assert sorted(row["t"]) == row["t"]
        assert row["loss"][0] == pytest.approx(pair["loss_a"], abs=1e-9)
        assert row["loss"][-1] == pytest.approx(pair["loss_b"], abs=1e-9)
        barrier = max(row["loss"]) - row["worse_end"]
        if row["path"] == "constructed":
            assert barrier < 1e-9
        else:
            assert barrier <= pair[f"{row['path']}_barrier"] + 1e-9
    assert all("accepted by the exact checker" in text for text in reproduction.findings(found))
    reproduction.draw(found).canvas.draw()
