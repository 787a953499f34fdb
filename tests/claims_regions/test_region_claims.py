"""The claims about how two regions meet hold on a short trial, their controls fall, and sabotage is noticed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from proofs_check.claims import CLAIMS, Profile, verify_claims
from proofs_check.claims.draws import draw
from proofs_check.claims.library import r1, r2, r_cases
from proofs_check.claims.library.r_cases import Rejected, accept, level_of, regional_problems, system_of
from proofs_check.claims.trial import evaluate

SHORT = Profile("short", instances=12, block=12, searched=4, shrink=4, polish=0, hint="")


@pytest.mark.parametrize("claim_id", ["R1", "R2", "R3", "R4"])
def test_a_claim_holds_and_its_controls_fall(claim_id):
    """Theory: the statement is true, every control false, by exact margins; R1 to R3 with accepted certificates."""
    (result,) = verify_claims([CLAIMS[claim_id]], SHORT).claims
    assert (result.errors, result.reason) == ((), "")
    assert result.verdict == ("not refuted" if claim_id == "R4" else "certified")
    assert result.trial.applicable >= 4
    assert (result.trial.rounding, result.trial.unconfirmed) == (0, 0)
    assert len(result.controls) == 3
    for control in result.controls:
        found = control.trial.pursuit.candidate
        assert found.margin_exact is not None
        assert evaluate(CLAIMS[claim_id].control(control.id), found.instance).margin == Fraction(found.margin_exact)


def test_a_radius_too_small_is_rejected(monkeypatch):
    """Sabotage: the net above is presented for a ball smaller by a millionth."""
    honest = r_cases.least_radius

    def lying(system, level):
        found = honest(system, level)
        return replace(found, square_upper=found.square_upper * Fraction(999998, 10**6))

    r_cases._capacity.cache_clear()
    monkeypatch.setattr(r_cases, "least_radius", lying)
    (result,) = verify_claims([replace(CLAIMS["R3"], controls=())], SHORT).claims
    r_cases._capacity.cache_clear()
    assert result.verdict == "undecided"
    assert "attained certificate rejected" in result.errors[0]


def test_one_part_fewer_is_rejected_by_the_checker(monkeypatch):
    """Sabotage: the construction of R1 with k - 1 parts."""
    honest = r1.common_point
    monkeypatch.setattr(r1, "common_point", lambda net, ball, box: honest(net, ball, ball))
    (result,) = verify_claims([replace(CLAIMS["R1"], controls=(), shapes=((1, 1),))], SHORT).claims
    assert result.verdict == "undecided"
    assert "outside" in result.errors[0]


def test_a_loss_said_to_be_larger_is_rejected(monkeypatch):
    """Sabotage: the lower end of the attainable loss moved up by a thousandth."""
    honest = r2.attainable_loss

    def lying(system, radius, capacity):
        found = honest(system, radius, capacity)
        return replace(found, lower=found.lower * Fraction(1001, 1000))

    r2._loss.cache_clear()
    monkeypatch.setattr(r2, "attainable_loss", lying)
    (result,) = verify_claims([replace(CLAIMS["R2"], controls=(), shapes=((2, 1),))], SHORT).claims
    r2._loss.cache_clear()
    assert result.verdict in ("undecided", "refuted")
    assert result.errors or result.trial.pursuit is not None


def test_instances_reach_contradictory_and_parallel_data():
    """By construction: targets that no net interpolates, levels above the least loss, a zero row."""
    seen = []
    draw(regional_problems((4, 2), eighths=(0, 4)), 80, 3, seen.append)
    systems = [system_of(instance) for instance in seen]
    assert any(system.least_loss > 0 for system in systems)
    assert any(not any(row) for system in systems for row in system.X)
    assert any(level_of(instance) > system.least_loss for instance, system in zip(seen, systems, strict=True))


def test_a_refused_certificate_is_an_error():
    """By construction."""
    frame = {"format": "modeconn.certificate/1", "kind": "attained", "statement": {}, "evidence": {}}
    with pytest.raises(Rejected, match="attained certificate rejected"):
        accept(frame, {"X": [[1]], "y": [1], "region": {"norm": "linf", "radius": "1"}})
