"""The records: what a claim must be to go on trial, and a control as a claim of its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from modeconn.errors import InputError
from proofs_check.claims import CLAIMS, Control, Outcome, check_claim, claims_by_id, load_claims
from proofs_check.claims.profiles import MIN_PER_SHAPE, PROFILES, plan
from proofs_check.claims.registry import MODULES

SYNTHETIC = claims_by_id(load_claims(Path(__file__).with_name("synthetic.py")))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "a/b"}, "names files"),
        ({"id": ""}, "names files"),
        ({"shapes": []}, "no shapes"),
        ({"cost": 0.0}, "cost must be positive"),
        ({"cost": float("nan")}, "cost must be positive"),
        ({"expected": "false"}, "'held' or 'refuted'"),
        ({"check": None}, "check must be a function"),
        ({"controls": [Control("c", "")] * 2}, "share an id"),
        ({"controls": [Control("c@d", "")]}, "names files"),
        ({"controls": [Control("c", "", shapes=[])]}, "no shapes"),
    ],
)
def test_unusable_claims_are_refused_in_one_line(changes, words):
    """By construction: one part is broken, and the message names the claim and the part."""
    with pytest.raises(InputError, match=words) as caught:
        check_claim(replace(SYNTHETIC["true"], **changes))
    assert "claim" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_control_replaces_its_own_parts_and_keeps_the_rest():
    """By construction."""
    base = replace(SYNTHETIC["rounding"], controls=[Control("other", "another", shapes=[(3,)])])
    control = base.control("other")
    assert (control.id, control.statement, control.shapes) == ("rounding.other", "another", [(3,)])
    assert control.check is base.check
    assert control.confirm is base.confirm
    assert control.controls == ()
    with pytest.raises(InputError, match="did you mean 'other'"):
        base.control("othr")


def test_control_with_its_own_check_does_not_inherit_confirm():
    """By construction: the claim's exact check is about another statement."""
    check = lambda instance: Outcome(-1.0)  # noqa: E731
    base = replace(SYNTHETIC["rounding"], controls=[Control("c", "", check=check)])
    assert base.control("c").confirm is None
    own = replace(base, controls=[Control("c", "", check=check, confirm=bool)])
    assert own.control("c").confirm is bool


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@pytest.mark.parametrize("cost", [0.5, 1.0, 40.0, 1e6])
def test_plan_covers_every_shape_and_keeps_to_the_budget(profile, cost):
    """Conserved quantity: blocks add up to the profile's instances over the cost, spread evenly over the shapes."""
    claim = replace(SYNTHETIC["true"], cost=cost)
    blocks = plan(claim, profile)
    assert [block.index for block in blocks] == list(range(len(blocks)))
    per_shape = {shape: sum(b.count for b in blocks if b.shape == shape) for shape in claim.shapes}
    assert len(set(per_shape.values())) == 1
    budget = profile.instances / cost
    total = sum(per_shape.values())
    assert budget <= total
    assert total < budget + 3 or total == MIN_PER_SHAPE * 3
    assert max(b.count for b in blocks) <= max(MIN_PER_SHAPE, profile.block / cost + 1)


def test_profiles_try_harder_one_after_the_other():
    """By construction."""
    quick, ci, deep = PROFILES.values()
    for part in ("instances", "searched", "shrink", "polish"):
        assert getattr(quick, part) < getattr(ci, part) < getattr(deep, part)


def test_registry_lists_every_module_of_the_library():
    """By construction: the folder and the table agree, and the ids are those of the claims."""
    folder = Path(__file__).parents[2] / "proofs_check" / "claims" / "library"
    exporting = {path.stem for path in folder.glob("*.py") if "\nCLAIM" in path.read_text(encoding="utf-8")}
    assert set(MODULES.values()) == exporting
    for claim_id in CLAIMS:
        assert CLAIMS[claim_id].id == claim_id
        assert CLAIMS[claim_id].controls
    assert "L9" not in CLAIMS
    assert CLAIMS.get("L9") is None
