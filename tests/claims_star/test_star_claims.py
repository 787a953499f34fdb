"""The claims on the teacher-student model hold on a short trial, their controls fall, sabotage is noticed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import jax
import numpy as np
import pytest

from modeconn.population import population_loss
from modeconn.precision import float64
from modeconn.star import Minima, four_piece_path, squared_lengths
from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.blocks import sample
from proofs_check.claims.library import g1, g3, g4, g6, g7, g7b, g_minima, g_probability
from proofs_check.claims.trial import evaluate

SHORT = Profile("short", instances=16, block=16, searched=4, shrink=4, polish=0, hint="")
VERDICTS = {"G1": "not refuted", "G2": "not refuted", "G3": "not refuted", "G4": "certified", "G5": "not refuted"}
VERDICTS |= {"G6": "not refuted", "G7": "refuted", "G7B": "not refuted"}


@pytest.mark.parametrize("claim_id", VERDICTS)
def test_a_claim_holds_and_its_controls_fall(claim_id):
    """Theory: true (G7: false), every control false, by exact margins."""
    (result,) = verify_claims([CLAIMS[claim_id]], SHORT).claims
    assert (result.errors, result.reason) == ((), "")
    assert result.verdict == VERDICTS[claim_id]
    assert result.is_as_expected
    assert result.trial.applicable >= 4
    assert (result.trial.rounding, result.trial.unconfirmed) == (0, 0)
    for control in result.controls:
        found = control.trial.pursuit.candidate
        own = result.claim.control(control.id)
        assert evaluate(own, found.instance).margin == Fraction(found.margin_exact) < 0


@pytest.mark.parametrize("shape", g1.SHAPES[:3])
def test_exact_equality_is_loss_zero_in_closed_form(shape):
    """Independent implementation: the closed form of the population loss in float64."""
    M, d, _ = shape
    cases = sample(CLAIMS["G1"], shape, 30, 3).cases
    assert {case.detail["zero_loss"] for case in cases} == {True, False}
    loss_of = jax.jit(population_loss)
    for case in cases:
        with float64():
            loss = float(loss_of(np.array(g1.edited_rows(case.instance), float).T, np.eye(d, M)))
        assert abs(loss) < 1e-13 if case.detail["zero_loss"] else loss > 1e-5


def test_every_law_of_finite_variance_refutes_g7():
    """Theory: the limit of the spider bound exceeds 1 whenever kappa is finite; at m = 4^9 it exceeds the claim."""
    margins = {
        law: evaluate(CLAIMS["G7"], {"M": 4, "m": 4**9, "r": 4, "law": law, "seed": 1}).margin for law in g7.LAWS
    }
    assert all(margins[law] < 0 for law in ("equal", "simplex", "half-normal", "pareto-3", "squared-normal"))
    assert margins["pareto-1.5"] > 0


def test_the_level_of_a_refutation_is_exact():
    """Closed form: 380 of 400 at probability 0.99 is unlikely to the power of nine, 395 is not."""
    bound = Fraction(99, 100)
    assert g_probability.frequency_margin(370, 400, bound) < 0 < g_probability.frequency_margin(395, 400, bound)
    assert g_probability.frequency_margin(0, 400, Fraction(-1)) > 0


def test_label_search_by_hand():
    """By construction: two swapped teachers need a spare place; with one they take three pieces."""
    swapped = {"M": 2, "first": {"labels": [1, 2]}, "second": {"labels": [2, 1]}}
    assert g_minima.label_steps(swapped, 9) is None
    spare = {"M": 2, "first": {"labels": [1, 2, 0]}, "second": {"labels": [2, 1, 0]}}
    assert g_minima.label_steps(spare, 9) == 3
    assert g_minima.label_steps({**spare, "second": spare["first"]}, 9) == 0


# ------------------------------------------------------------------------------------------------ sabotage


def alone(claim_id):
    return replace(CLAIMS[claim_id], controls=())


def test_a_criterion_that_forgets_zero_neurons_is_noticed():
    """Sabotage: positions where one foot is zero no longer count."""

    def strict(labels, M):
        return np.array([np.all([(feet == j).all(0).any() for j in range(1, M + 1)]) for feet in labels])

    broken = replace(alone("G3"), check=g3._is_criterion(strict))
    assert verify_claims([broken], SHORT).claims[0].verdict == "refuted"


def test_a_path_through_no_minimum_is_noticed(monkeypatch):
    """Sabotage: the construction returns a centre that is no minimum; the checker does not accept it."""

    def path(first, second):
        corners = g4.__dict__["_honest"](first, second)
        corners[2] = Minima(corners[2].labels, corners[2].magnitudes * 0.5)
        return corners

    monkeypatch.setattr(g4, "_honest", g4.four_piece_path, raising=False)
    monkeypatch.setattr(g4, "four_piece_path", path)
    (result,) = verify_claims([alone("G4")], SHORT).claims
    assert any("does not accept" in str(error) for error in result.errors)


def test_an_overstated_spider_bound_is_noticed(monkeypatch):
    """Sabotage: a lower bound above the two-piece length contradicts it."""

    def inflated(first, second):
        found = squared_lengths(first, second)
        return found._replace(spider=found.spider * 4)

    monkeypatch.setattr(g6, "squared_lengths", inflated)
    (result,) = verify_claims([alone("G6")], SHORT).claims
    assert any("wrong side" in str(error) for error in result.errors)


def test_rows_that_meet_are_noticed(monkeypatch):
    """Sabotage: the exact probability of disjoint rows is replaced by the claimed bound minus a little."""
    monkeypatch.setattr(g7b, "disjoint_probability", lambda m, a, b: 1 - Fraction(a * b, m) - Fraction(1, 10**6))
    assert verify_claims([alone("G7B")], SHORT).claims[0].verdict == "refuted"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (lambda first, second: [first] * 5, "misses an end"),
        (lambda first, second: [first] * 3 + four_piece_path(first, second), "more than 4"),
    ],
)
def test_a_path_that_is_not_the_one_asked_for_is_noticed(monkeypatch, path, reason):
    """Sabotage: all pieces are minima, but they lead nowhere, or they are more than four."""
    monkeypatch.setattr(g4, "four_piece_path", path)
    (result,) = verify_claims([alone("G4")], SHORT).claims
    assert any(reason in str(error) for error in result.errors)
