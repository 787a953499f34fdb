"""The claims on published relatives: verdicts, controls, and sabotage of the code they rest on."""

from fractions import Fraction

import numpy as np
import pytest

from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.blocks import sample
from proofs_check.claims.library import (
    dropout,
    few_samples,
    init_rate,
    no_permutation,
    permuted_barrier,
    pieces,
    safran,
)
from proofs_check.claims.trial import confirm, evaluate
from proofs_check.exact.plane_net import permute_hidden

SHORT = Profile("short", instances=16, block=8, searched=0, shrink=8, polish=4, hint="")
VERDICTS = {
    "KUD1": "certified",
    "KUD2": "certified",
    "SIM": "not refuted",
    "ENT": "not refuted",
    "ZHAN": "not refuted",
    "AIN": "not refuted",
    "SAF": "not refuted",
}


@pytest.mark.parametrize("claim_id", VERDICTS)
def test_a_claim_holds_and_its_controls_fall(claim_id):
    """Theory: the statement is true, every control false; the counterexample violates its control exactly."""
    report = verify_claims([CLAIMS[claim_id]], SHORT)
    (result,) = report.claims
    assert (result.verdict, result.reason, report.errors) == (VERDICTS[claim_id], "", ())
    assert not result.trial.vacuous
    for control in result.controls:
        own, found = result.claim.control(control.id), control.trial.pursuit.candidate
        assert (found.confirmed, found.shape) == (True, tuple(own.shapes[0]))
        case = evaluate(own, found.instance)
        assert case.violates
        assert confirm(own, case) is True


def violations(claim_id, shape_index=0, count=4):
    """How many of a few instances violate the claim or make it raise."""
    claim = CLAIMS[claim_id]
    found = sample(claim, tuple(claim.shapes[shape_index]), count, 3)
    return sum(case.violates for case in found.cases) + (found.error is not None)


@pytest.mark.parametrize("claim_id", ["KUD1", "KUD2", "SIM", "ENT", "ZHAN", "AIN"])
def test_untampered_claims_have_no_violation(claim_id):
    """By construction: what the sabotage below must change."""
    assert violations(claim_id) == 0


def test_a_chain_that_skips_the_copying_is_rejected(monkeypatch):
    """Sabotage: hidden weights of live neurons replaced on the way; the checker refuses the bound."""
    whole = dropout.dropout_path
    monkeypatch.setattr(dropout, "dropout_path", lambda *args: [knot for k, knot in enumerate(whole(*args)) if k != 1])
    assert violations("KUD1", 3, 8) > 0


def test_a_data_set_with_connected_minima_is_a_failure(monkeypatch):
    """Sabotage: the search gives up."""
    monkeypatch.setattr(few_samples, "first_disconnected", lambda width, seed: None)
    assert violations("KUD2") > 0


def test_a_wrong_count_is_a_failure(monkeypatch):
    """Sabotage: one piece more in the formula."""
    monkeypatch.setattr(pieces, "piece_count", lambda r, m: 4)
    assert violations("SIM") > 0


def test_a_lost_piece_is_a_failure(monkeypatch):
    """Sabotage: one piece of the union forgotten, in formula and enumeration alike; the students notice."""
    whole = pieces.affine_pieces
    monkeypatch.setattr(pieces, "affine_pieces", lambda *args: set(sorted(whole(*args), key=repr)[1:]))
    monkeypatch.setattr(pieces, "piece_count", lambda r, m: 2)
    assert violations("SIM", 0, 8) > 0


def test_nets_left_unaligned_are_a_failure(monkeypatch):
    """Sabotage: the assignment is ignored, at a width where that shows."""
    monkeypatch.setattr(permuted_barrier.Pair, "aligned", lambda self: self)
    assert violations("ZHAN", 1, 8) > 0
    monkeypatch.setattr(init_rate, "match_initial", lambda one, other: other)
    found = CLAIMS["ENT"].check
    outcomes = [found({"d": 1, "h": 4096, "seed": seed, "eighth": 4}).margin for seed in range(5)]
    assert min(outcomes) < 0


def test_a_pair_that_a_permutation_aligns_is_a_failure(monkeypatch):
    """Sabotage: the second net is the first in another order."""
    copy = lambda *args: permute_hidden(no_permutation.first_net(*args), ((1, 0), (0, 1)))  # noqa: E731
    monkeypatch.setattr(no_permutation, "second_net", copy)
    assert violations("AIN") > 0


def test_a_minimum_of_loss_zero_is_a_failure(monkeypatch):
    """Sabotage: the record of a minimum that is global."""
    whole = safran.verified_minimum(6)
    record = whole.__class__(6, whole.box, whole.loss - whole.loss, whole.pivots, whole.split_curvature)
    monkeypatch.setattr(safran, "verified_minimum", lambda k: record)
    assert CLAIMS["SAF"].check({"k": 6, "t": 20}).margin < 0


def test_known_numbers_of_the_counterexample():
    """Closed form by hand: with shift 1, both layers swapped, the error at t <= 1/2 is t / (4 (1 - t))."""
    one, other = no_permutation.first_net(Fraction(1)), no_permutation.second_net(Fraction(1))
    for t in (Fraction(1, 8), Fraction(1, 3), Fraction(1, 2)):
        errors = no_permutation._errors(one, other, t)
        assert errors[0] == errors[1] == Fraction(1, 4)
        assert errors[3] == t / (4 * (1 - t))


def test_known_numbers_of_the_swap():
    """Independent implementation: Monte Carlo over two million inputs, within five standard errors; closed form."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 2_000_000))
    relu = lambda z: np.maximum(z, 0)  # noqa: E731
    residual = relu(0.75 * x + 0.25 * y) + relu(0.25 * x + 0.75 * y) - relu(x) - relu(y)
    values = residual**2 / 2
    found = float(safran.swap_loss(Fraction(1, 4)).lower)
    assert abs(values.mean() - found) < 5 * values.std() / len(values) ** 0.5
    assert abs(float(safran.swap_height().lower) - (1 / 4 - 1 / (2 * np.pi))) < 1e-15
