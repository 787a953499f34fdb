"""Every claim of the registry is a complete record, and its instances are files waiting to be written."""

import json
from pathlib import Path

import pytest

import proofs_check.claims.library as library
from proofs_check.claims import CLAIMS, check_claim
from proofs_check.claims.draws import draw
from proofs_check.claims.registry import MODULES


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_a_claim_says_what_it_claims_and_can_fail(claim_id):
    """By construction: a statement, a source, hypotheses in words, and controls that state something else."""
    claim = CLAIMS[claim_id]
    check_claim(claim)
    assert claim.id == claim_id
    assert claim.source.strip()
    assert claim.controls
    assert all(hypothesis.text.strip() for hypothesis in claim.hypotheses)
    statements = [claim.statement, *(control.statement for control in claim.controls)]
    assert all(statement.strip() for statement in statements)
    assert len(set(statements)) == len(statements)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_a_control_differs_from_its_claim_by_more_than_words(claim_id):
    """By construction: another check, other hypotheses or other instances."""
    for control in CLAIMS[claim_id].controls:
        assert any(part is not None for part in (control.check, control.hypotheses, control.instances)), control.id


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_the_first_shape_is_the_smallest(claim_id):
    """By construction: the search for a counterexample shrinks along the list, and ends at its head."""
    claim = CLAIMS[claim_id]
    for trial in (claim, *(claim.control(control.id) for control in claim.controls)):
        assert sum(trial.shapes[0]) == min(map(sum, trial.shapes))


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_instances_are_json_drawn_alike_for_a_seed(claim_id):
    """Independent implementation: ``json`` gives back every instance, and the same seed draws the same ones."""
    claim = CLAIMS[claim_id]
    for trial in (claim, *(claim.control(control.id) for control in claim.controls)):
        texts = ([], [])
        for seen in texts:
            draw(trial.instances(tuple(trial.shapes[0])), 6, 3, lambda i, seen=seen: seen.append(json.dumps(dict(i))))
        assert texts[0] == texts[1]
        assert len(set(texts[0])) > 1
        assert all(json.dumps(json.loads(text)) == text for text in texts[0])


def test_every_module_that_defines_a_claim_is_registered():
    """By construction: the registry names the files of the folder that define CLAIM."""
    files = Path(library.__file__).parent.glob("*.py")
    assert {file.stem for file in files if "\nCLAIM = " in file.read_text()} == set(MODULES.values())
