"""The figures of the published relatives: tables against known numbers, and figures drawn from tables alone."""

import json

import numpy as np
import pytest

from modeconn.reporter import SILENT
from modeconn.reproductions import (
    REPRODUCTIONS,
    affine_pieces,
    dropout_path,
    init_rate,
    no_permutation,
    permuted_barrier,
    spurious_minima,
)
from proofs_check.claims.registry import MODULES

NAMES = ("no-permutation", "affine-pieces", "dropout-path", "spurious-minima", "permuted-barrier", "init-rate")


@pytest.fixture(scope="module")
def tables():
    """The tables of every figure, at sizes that take a second, after a trip through JSON."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(no_permutation, "TIMES", {"quick": 8})
        patch.setattr(affine_pieces, "WIDEST", {"quick": 4})
        patch.setattr(affine_pieces, "JOINED_UP_TO", {"quick": 12})
        patch.setattr(dropout_path, "COPIES", (1, 4))
        patch.setattr(dropout_path, "PAIRS", {"quick": 2})
        patch.setattr(dropout_path, "DATA_SETS", {"quick": 1})
        patch.setattr(spurious_minima, "WIDTHS", {"quick": (5, 6)})
        patch.setattr(spurious_minima, "STEPS", {"quick": 4})
        patch.setattr(permuted_barrier, "TEACHERS", {"quick": (2,)})
        patch.setattr(permuted_barrier, "WIDEST", {"quick": 16})
        patch.setattr(permuted_barrier, "PAIRS", {"quick": 8})
        patch.setattr(permuted_barrier, "TIMES", {"quick": 3})
        patch.setattr(init_rate, "DIMENSIONS", {"quick": (2, 4)})
        patch.setattr(init_rate, "WIDTHS", {"quick": (8, 32, 128)})
        patch.setattr(init_rate, "PAIRS", {"quick": 16})
        return {name: json.loads(json.dumps(REPRODUCTIONS[name].compute("quick", 0, SILENT))) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_drawn_from_its_tables(name, tables):
    """By construction: it names registered claims, draws from parsed JSON, says something about it."""
    found = REPRODUCTIONS[name]
    assert found.name == name
    assert set(found.claims) <= set(MODULES)
    figure = found.draw(tables[name])
    figure.canvas.draw()
    assert all(ax.has_data() or ax.patches or "swapped" in ax.get_title() or ax.lines for ax in figure.axes)
    assert all(found.findings(tables[name]))


def test_numbers_of_the_counterexample_and_of_the_counts(tables):
    """Closed form: error 1/4 halfway under all permutations; T(2, 3) = 12, T(2, 4) = 62, T(3, 4) = 60."""
    errors = tables["no-permutation"]["errors"]
    assert [row["exact"] for row in errors if row["t"] == 0.5] == ["1/4"] * 4
    assert {row["exact"] for row in errors if row["t"] in (0.0, 1.0)} == {"0"}
    rows = {(row["r"], row["m"]): row for row in tables["affine-pieces"]["pieces"]}
    assert [rows[key]["enumerated"] for key in ((2, 3), (2, 4), (3, 4))] == [12, 62, 60]
    assert rows[2, 3]["components"] == 1
    assert rows[1, 10]["enumerated"] is None


def test_numbers_of_paths_minima_and_barriers(tables):
    """Theory: chain <= epsilon; k = 5 a saddle and k = 6 a minimum; bounds in order; 0 at m = M."""
    for row in tables["dropout-path"]["pairs"]:
        assert row["path"] <= row["epsilon"] + 1e-12
    for row in tables["dropout-path"]["data_sets"]:
        assert row["orbits"] >= 2
        assert row["samples"] == row["width"] + 2
    minima = {row["k"]: row for row in tables["spurious-minima"]["minima"]}
    assert (minima[5]["verdict"], minima[6]["verdict"]) == ("saddle", "strict local minimum")
    swap = {row["t"]: row["loss"] for row in tables["spurious-minima"]["swap"]}
    np.testing.assert_allclose(swap[0.5], 1 / 4 - 1 / (2 * np.pi), rtol=1e-14)
    np.testing.assert_allclose(swap[0.25], swap[0.75], rtol=1e-14)
    for row in tables["permuted-barrier"]["barriers"]:
        assert row["lower"] <= row["aligned"] + 1e-12
        assert row["aligned"] <= row["unaligned"] + 1e-12
        assert (row["aligned"] == 0) == (row["m"] == row["M"])


def test_slopes_at_initialisation(tables):
    """Theory: steeper than the published upper bound, by more than the interval."""
    for row in tables["init-rate"]["slopes"]:
        assert row["low"] < row["slope"] < row["high"] < row["published"] < 0
