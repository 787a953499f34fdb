"""The table of known answers: its rows, its rule of agreement, and that a wrong function shows."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from modeconn.reporter import SILENT
from modeconn.reproductions import REPRODUCTIONS
from modeconn.reproductions.answers import (
    HOW,
    Answer,
    Found,
    certified,
    exact,
    interval,
    narrow,
    narrow_answers,
    numerical,
    regularised,
    relatives,
    sampled,
    star,
    wide,
)
from modeconn.topology import (
    certify_components,
    communication_barrier,
    level_set_topology,
    problem_from_json,
    problem_to_json,
)
from proofs_check.claims.registry import MODULES

PROBLEM = problem_from_json({"X": [[1], [-1]], "y": [1, 1]})


@pytest.fixture(scope="module")
def rows():
    """The table by id, with smaller samples, after a trip through JSON."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(star, "WIDTH", 4096)
        patch.setattr(relatives, "PAIRS", 128)
        tables = REPRODUCTIONS["known-answers"].compute("quick", 0, SILENT)
    parsed = json.loads(json.dumps(tables))["answers"]
    assert len({row["id"] for row in parsed}) == len(parsed)
    return {row["id"]: row for row in parsed}


def answer(known, found, relation="="):
    """An answer of which only the comparison matters."""
    return Answer("id", "W1", "a number", known, str(known), found, relation)


def test_every_statement_has_a_row(rows):
    """By construction: the claims that the figure names are those of its rows, and are registered."""
    claims = set(REPRODUCTIONS["known-answers"].claims)
    assert {row["claim"] for row in rows.values()} == claims
    assert claims <= set(MODULES)
    assert {row["how"] for row in rows.values()} == set(HOW) - {"refused"}


def test_what_does_not_agree(rows):
    """Theory and tests of its parts: the limit of G7 as published, the dip of the permuted barrier, and targets of
    ones in the partial-sum family (one vertex: m* = M* = 2 at n = 3); nothing else."""
    assert {name for name, row in rows.items() if row["agrees"] == "no"} == {
        "G7 published",
        "ZHAN dip",
        "K sums 3, ones, M*",
        "K sums 5, ones, m*",
        "K sums 5, ones, M*",
    }
    assert rows["K sums 3, ones, M*"]["ours"] == "2"


def test_numbers_against_closed_forms(rows):
    """Closed forms, written down here once more."""
    known = {
        "N8 barrier, d = 2, m = 3": 1 / 2,
        "N8 barrier, d = 3, m = 2": 1 / 106,
        "N8 barrier, d = 2, m = 2": 101 / 26,
        "W1 three rows": 3.4 / 2**0.5,
        "K √3 value, β = 1/2": 7 / 16,
        "K √3 barrier, β = 1": (2 / 3**0.5 - 1 - 1 / 12) / 2,
        "G9 any peak": (2**0.5 - 1) ** 2,
        "SAF swap": (math.pi - 2) / (4 * math.pi),
        "SIM T(3, 5)": 450,
    }
    for name, value in known.items():
        row = rows[name]
        np.testing.assert_allclose([row["known_value"], row["lower"], row["upper"]], value, rtol=1e-9, err_msg=name)
    for beta in ("1/10", "1/2", "1"):
        assert rows[f"K √3 barrier, β = {beta}"]["difference"] <= 1e-10


def test_the_figure_and_the_text_come_from_the_table(rows):
    """By construction: every row is written once, and every disagreement is told."""
    found, tables = REPRODUCTIONS["known-answers"], {"answers": list(rows.values())}
    figure = found.draw(tables)
    figure.canvas.draw()
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert all(texts.count(row["what"]) >= 1 for row in rows.values())
    text = found.findings(tables)
    assert len(text) == 1 + sum(row["agrees"] == "no" for row in rows.values())
    assert text[0].startswith(f"{len(rows) - 5} of {len(rows)} ")


@pytest.mark.parametrize(
    ("known", "found", "relation", "agrees"),
    [
        (Fraction(1, 3), exact(Fraction(1, 3)), "=", True),
        (Fraction(1, 3), exact(Fraction(1, 3) + Fraction(1, 10**30)), "=", False),
        (2, interval(1, 3, 1.0), "=", True),
        (2, interval(1, 3, 0.9), "=", False),
        (2, interval(2.1, 2.2, 1.0), "=", False),
        (0.1, interval(Fraction(1, 10), Fraction(1, 10), 1e-15), "=", True),
        (1.0, numerical(1 + 1e-11), "=", False),
        (1.0, numerical(1 + 1e-13), "=", True),
        (1, exact(1), ">", False),
        (1, exact(2), ">", True),
        (1, exact(0), ">=", False),
        (1, exact(0), "<=", True),
        (1, exact(2), "<=", False),
        (0, Found(Fraction(0), Fraction(0), "refused", 1.0), "=", False),
        (1, Found(Fraction(0), Fraction(0), "refused", 1.0), "<=", False),
    ],
)
def test_the_rule_of_agreement(known, found, relation, agrees):
    """By hand."""
    assert answer(known, found, relation).agrees is agrees


def test_a_mean_and_its_interval():
    """Student's table: t = 636.619 for one degree of freedom at 99.9 %."""
    found = sampled([0.0, 2.0])
    assert found.lower == found.upper == 1
    assert found.tolerance == pytest.approx(636.619, rel=1e-6)


def test_only_an_accepted_certificate_of_this_number_counts():
    """The checker, on a false statement, and on a true one about another number."""
    found = level_set_topology(PROBLEM, 2)
    certificate, stated = certify_components(found), problem_to_json(PROBLEM)
    assert certified(2, "components", certificate, stated).how == "certified"
    assert certified(3, "components", certificate, stated).how == "refused"
    certificate["statement"]["components"] = 3
    assert certified(3, "components", certificate, stated).how == "refused"


def tampered_barriers(found):
    """The barriers, all twice as high."""
    matrix = communication_barrier(found)
    merges = tuple(type(merge)(2 * merge.level, merge.groups) for merge in matrix.merges)
    return type(matrix)(matrix.level_set, matrix.levels, merges)


def test_a_wrong_barrier_shows(monkeypatch):
    """By construction: a library that doubles barriers gets none of them past the table."""
    monkeypatch.setattr(narrow, "communication_barrier", tampered_barriers)
    verdicts = {each.id: each.agrees for each in narrow_answers(0)}
    assert [name for name, agrees in verdicts.items() if not agrees] == [
        "N8 barrier, d = 2, m = 3",
        "N8 barrier, d = 3, m = 2",
        "N8 barrier, d = 2, m = 2",
        "N5 barrier, m = 2",
    ]


WRONG = (
    (wide, "level_set_topology", lambda problem, width: level_set_topology(problem, 5 - width), "W1 |x|, m = 2"),
    (regularised, "connection_width", lambda found: 4, "K √3 width"),
    (star, "spider_limit", lambda M, r, kappa: 1.101, "G7 limit"),
    (star, "are_linearly_connected", lambda first, second: np.array(True), "G2 apart"),
    (relatives, "affine_pieces", lambda teacher, m: [None], "SIM T(2, 3)"),
    (relatives, "verify_symmetric_minimum", lambda k, proposal: None, "SAF k = 6"),
)


@pytest.mark.parametrize(("module", "name", "wrong", "shows"), WRONG, ids=[name for _, name, _, _ in WRONG])
def test_a_wrong_function_shows(module, name, wrong, shows, monkeypatch):
    """By construction: with one function of the library replaced, the row that rests on it does not agree."""
    monkeypatch.setattr(module, name, wrong)
    if hasattr(module, "WIDTH"):
        monkeypatch.setattr(module, "WIDTH", 64)
    answers = getattr(module, f"{module.__name__.rpartition('.')[2]}_answers")(0)
    assert not next(each for each in answers if each.id == shows).agrees
