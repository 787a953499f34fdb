"""The claims of the library hold on a short trial, and every control is refuted exactly, at its smallest shape."""

from dataclasses import replace

import pytest

from modeconn.errors import ExitCode
from proofs_check.claims import CLAIMS, ClaimsFile, load_claims, replay, verify_claims
from proofs_check.claims.blocks import sample
from proofs_check.claims.trial import confirm, evaluate

LIBRARY = ["L1", "L2", "L3", "L4", "L5", "S1", "ADAM"]
"""The other families have tests of their own, in the folders ``tests/claims_*``."""

FEW = {
    "L1": ("l1", "sum_column"),
    "L2": ("l1", "nuclear"),
    "L3": ("adamw", "l1"),
    "L4": ("nuclear",),
    "L5": ("l1", "sum_column"),
}
"""Potentials tried: JAX compiles one program for each, and for each shape and form."""


def few(claim_id):
    claim = CLAIMS[claim_id]
    if claim_id not in FEW:
        return claim
    return replace(claim, instances=lambda shape: claim.instances(shape, FEW[claim_id]), shapes=claim.shapes[:2])


@pytest.mark.parametrize("claim_id", LIBRARY)
def test_a_claim_holds_and_its_controls_fall(claim_id, short):
    """Theory: the statement is true (ADAM: known to be false), every control false; exact arithmetic confirms it."""
    report = verify_claims([few(claim_id)], replace(short, instances=48, block=24) if claim_id == "S1" else short)
    (result,) = report.claims
    wanted = {"S1": "certified", "ADAM": "refuted"}.get(claim_id, "not refuted")
    assert (result.verdict, result.reason, report.errors) == (wanted, "", ())
    assert result.trial.applicable >= 8 / result.claim.cost
    assert (result.trial.rounding, result.trial.unconfirmed) == (0, 0)
    for control in result.controls:
        found = control.trial.pursuit.candidate
        own = result.claim.control(control.id)
        assert found.confirmed
        assert found.shape == tuple(own.shapes[0])
        case = evaluate(own, found.instance)
        assert case.violates
        assert confirm(own, case) is True


@pytest.mark.parametrize("claim_id", ["L1", "L2", "L3", "L4", "L5"])
def test_a_steered_search_for_a_violation_finds_none(claim_id):
    """Theory: true for every instance, so the allowance must suffice for the worst of many, not for typical ones."""
    claim = CLAIMS[claim_id]
    lion = replace(claim, instances=lambda shape: claim.instances(shape, ("l1",)))
    found = sample(lion, claim.shapes[0], 150, 7)
    assert len(found.cases) > 100
    assert found.error is None
    assert not any(case.violates for case in found.cases)


@pytest.mark.parametrize("claim_id", ["L1", "L2", "L5"])
def test_exact_arithmetic_finds_nothing_wrong_with_a_true_claim(claim_id):
    """Certificate: the exact runs of lion meet the statement on drawn instances, the float check aside."""
    claim = CLAIMS[claim_id]
    lion = replace(claim, instances=lambda shape: claim.instances(shape, ("l1",)))
    seen = [case for shape in claim.shapes[:2] for case in sample(lion, shape, 15, 5).cases]
    assert len(seen) > 20
    assert all(claim.confirm(case.instance) is False for case in seen)


@pytest.mark.parametrize(("claim_id", "control_id"), [("S1", "midpoint"), ("L1", "twice-the-rate")])
def test_a_control_made_a_claim_by_hand_is_refuted_with_a_witness(claim_id, control_id, tmp_path, short):
    """The user's story: a file with the control as its claim; the verdict, the exit code, the witness, its replay."""
    path = tmp_path / "mine.py"
    path.write_text(
        "from proofs_check.claims import CLAIMS as LIBRARY\n\n"
        f"CLAIMS = [LIBRARY[{claim_id!r}].control({control_id!r})]\n"
    )
    file = ClaimsFile.read(path)
    report = verify_claims(load_claims(file), short, run_dir=tmp_path / "run", claims_file=file)
    (result,) = report.claims
    assert (result.claim.id, result.verdict) == (f"{claim_id}.{control_id}", "refuted")
    assert report.exit_code is ExitCode.REFUTED
    again = replay(tmp_path / "run" / result.trial.witness)
    assert (again.reproduced, again.confirmed, again.exit_code) == (True, True, ExitCode.REFUTED)
    assert again.margin == again.stored_margin
