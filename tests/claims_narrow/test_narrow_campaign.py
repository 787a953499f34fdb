"""The campaign on the open case of N8: what it decides, and that an interruption changes nothing."""

from __future__ import annotations

import importlib.util
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.topology import communication_barrier, level_set_topology, problem_from_json
from proofs_check.claims.library import narrow_open_case
from proofs_check.claims.library.narrow_open_case import Case, certify_exception, draw_case, judge_case, mutate_case

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "campaign_n8.py"
SPEC = importlib.util.spec_from_file_location("campaign_n8", SCRIPT)
campaign_n8 = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(campaign_n8)

WORKED = Case(((-1, -2), (3, 0), (2, -1)), ((1, 0), (0, -1)), (1, 1), "free")


def test_cases_are_fitted_exactly_and_judged_by_their_barrier():
    """Independent implementation: the public functions on the same data; the teacher has zero loss."""
    rng = np.random.default_rng(0)
    cases = [draw_case(rng) for _ in range(12)]
    for case in [*cases, *(mutate_case(case, rng) for case in cases)]:
        problem = problem_from_json(case.data())
        found = communication_barrier(problem, 2)
        below = level_set_topology(problem, 1).least_loss
        judged = judge_case(case)
        assert found.level_set.least_loss == 0
        assert (judged.kind == "connected") == (len(found.level_set.components) == 1)
        assert judged.kind != "exception"
        if judged.kind == "joined":
            assert (judged.barrier, judged.below) == (found.highest, below)
            assert judged.ratio == float(found.highest / below) <= 1


def test_an_exception_would_be_noticed(monkeypatch):
    """Sabotage: with a least loss of width 1 that is too small, every barrier would be an exception."""

    class Low(narrow_open_case.CellComplex):
        def least_loss(self):
            return super().least_loss() / 2

    honest = judge_case(WORKED)
    assert (honest.kind, honest.barrier, honest.below) == ("joined", Fraction(9, 140), Fraction(9, 140))
    with pytest.raises(ValueError, match="found none"):
        certify_exception(WORKED)
    monkeypatch.setattr(narrow_open_case, "CellComplex", Low)
    assert judge_case(WORKED).kind == "exception"


def test_a_campaign_goes_on_where_it_stopped(monkeypatch):
    """By construction: two batches in a row, or with the state written and read between them."""
    monkeypatch.setattr(campaign_n8, "BATCH", 15)
    straight = campaign_n8.Campaign(3)
    straight.run_batch()
    state = json.loads(json.dumps(straight.to_json()))
    straight.run_batch()
    resumed = campaign_n8.Campaign.from_json(state, 3)
    resumed.run_batch()
    first, second = straight.to_json(), resumed.to_json()
    first.pop("seconds"), second.pop("seconds")
    assert first == second
    assert first["counts"]["drawn"] == 30
    assert first["exceptions"] == []
    with pytest.raises(InputError, match="seed"):
        campaign_n8.Campaign.from_json(state, 4)
