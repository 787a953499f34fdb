"""The trial of the geodesic ratio: its tables and what its report says of them."""

from __future__ import annotations

import json
import math

import pytest

from modeconn.errors import InputError
from modeconn.reporter import SILENT
from modeconn.reproductions import REPRODUCTIONS
from modeconn.studies.geodesic_trial import GeodesicSettings, geodesic_findings, geodesic_trial

SETTINGS = GeodesicSettings(
    cases=((2, 0.25),), laws=("simplex", "pareto-1.5"), widths=(64, 4096), pairs=20, path_widths=(64,), pieces=4
)


@pytest.fixture(scope="module")
def tables():
    return geodesic_trial(SETTINGS, seed=3)


def test_the_tables_hold_what_the_theory_predicts(tables):
    """Closed form: bounds bracket each other and tend to the limits; the claimed bound falls below at m = 4096."""
    for row in tables["growth"]:
        assert 1 <= row["lower_least"] <= row["lower_mean"] <= row["lower_largest"]
        assert row["lower_mean"] <= row["upper_mean"]
        assert row["claimed_c1"] == pytest.approx(1 + 1 / (row["r"] * math.sqrt(row["m"])))
    (wide,) = [row for row in tables["growth"] if (row["law"], row["m"]) == ("simplex", 4096)]
    assert wide["lower_least"] > wide["claimed_c1"]
    assert wide["lower_mean"] == pytest.approx(wide["limit_lower"], rel=0.01)
    assert wide["above_at_least"] > 0.6
    for row in tables["paths"]:
        assert 1 <= row["lower"] <= row["many_piece"] <= row["two_piece"]
    for row in tables["bounded"]:
        assert row["bound"] <= row["disjoint"] <= row["at_most"]


def test_the_same_seed_gives_the_same_tables(tables):
    """By construction; and the tables are JSON."""
    assert json.loads(json.dumps(geodesic_trial(SETTINGS, seed=3))) == json.loads(json.dumps(tables))
    assert geodesic_trial(SETTINGS, seed=4) != tables


def test_the_report_takes_its_numbers_from_the_tables(tables):
    """By construction: another table, another report."""
    report = " ".join(geodesic_findings(tables))
    (wide,) = [row for row in tables["growth"] if (row["law"], row["m"]) == ("simplex", 4096)]
    assert f"{wide['lower_least']:.4f}" in report
    changed = {**tables, "growth": [{**row, "lower_least": 1.2345} for row in tables["growth"]]}
    assert "1.2345" in " ".join(geodesic_findings(changed))


def test_dense_minima_are_refused():
    """By construction: the claim is about r > 0."""
    with pytest.raises(InputError, match="zero probabilities"):
        geodesic_trial(GeodesicSettings(cases=((2, 0.0),)))


@pytest.mark.parametrize("name", ["geodesic-ratio", "star-probability"])
def test_the_figures_are_drawn_from_tables_alone(name):
    """By construction: drawn again from tables that went through JSON."""
    found = REPRODUCTIONS[name]
    tables = json.loads(json.dumps(found.compute("quick", 1, SILENT)))
    figure = found.draw(tables)
    assert len(figure.axes) == 3
    assert found.findings(tables)
    if name == "star-probability":
        assert not any(row["contradicted"] for row in tables["centres"])
