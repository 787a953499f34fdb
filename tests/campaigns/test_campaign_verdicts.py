"""What may be said of a cell, from its tally and what is missing, and of a campaign, from its cells."""

import pytest

from modeconn.campaigns import Tally, spec_from_table
from modeconn.campaigns.families.drawing import tally_of_margins
from modeconn.campaigns.summary import summarise, verdict_of
from modeconn.campaigns.tally import total

CELL = {"family": "ball-contraction", "instances": 1024, "rows": 1, "columns": [1, 2, 3], "steps": 1}


@pytest.mark.parametrize(
    ("tally", "missing", "verdict"),
    [
        (Tally(instances=4, margin=1.0, at=0), 0, "not refuted"),
        (Tally(instances=4, margin=1.0, at=0), 1, "unfinished"),
        (Tally(instances=4, certified=4, margin=1.0, at=0), 1, "unfinished"),
        (Tally(instances=4, undecided=1), 1, "unfinished"),
        (Tally(), 4, "unfinished"),
        (Tally(instances=4, certified=4), 0, "certified"),
        (Tally(instances=4, certified=3, vacuous=1), 0, "certified"),
        (Tally(instances=4, certified=3), 0, "not refuted"),
        (Tally(instances=4, vacuous=4), 0, "undecided"),
        (Tally(instances=4, certified=3, undecided=1), 0, "undecided"),
        (Tally(instances=4, refuted=1, undecided=1), 9, "refuted"),
    ],
)
def test_verdicts_of_a_cell(tally, missing, verdict):
    """Oracle: the vocabulary of verdicts; nothing is said of instances that were not tried."""
    assert verdict_of(tally, missing) == verdict


def test_the_worst_cell_speaks_for_the_campaign():
    """Oracle: by construction; a cell without any shard is unfinished."""
    spec = spec_from_table({"job": [CELL]}, "x")
    ids = [cell.id for cell in spec.cells]
    good, bad = Tally(instances=1024, margin=1.0, at=0), Tally(instances=1024, refuted=1)
    some = summarise(spec, {ids[0]: {(0, 1024): good}})
    assert (some.verdict, [cell.missing for cell in some.cells]) == ("unfinished", [0, 1024, 1024])
    assert summarise(spec, {name: {(0, 1024): good} for name in ids}).verdict == "not refuted"
    assert summarise(spec, {ids[0]: {(0, 1024): good}, ids[1]: {(0, 1024): bad}}).verdict == "refuted"


def test_margins_that_are_not_numbers_are_undecided_and_few_violations_are_kept():
    """Oracle: by construction; every violation is counted, the first ten by id are kept, however they are merged."""
    judged = tally_of_margins([float("nan"), 1.0, -1.0], 5, lambda i: ("undecided", {}))
    assert (judged.undecided, [kept["id"] for kept in judged.violations]) == (2, [5, 7])
    many = total(tally_of_margins([-1.0] * 8, 8 * k, lambda i: ("refuted", {})) for k in (2, 0, 1))
    assert (many.refuted, [kept["id"] for kept in many.violations]) == (24, list(range(10)))
