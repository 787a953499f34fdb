"""Witness files: self-contained, exact, and honest when replayed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from modeconn.errors import ExitCode, InputError
from proofs_check.claims import claims_by_id, load_claims, read_witness, replay, verify_claims

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a run of a claims file that has since been deleted."""
    folder = tmp_path_factory.mktemp("witness")
    file = folder / "gone.py"
    shutil.copy(HERE / "synthetic.py", file)
    claims = claims_by_id(load_claims(file))
    chosen = [claims[i] for i in ("true", "false", "unconfirmed", "searched")]
    verify_claims(chosen, run_dir=folder, claims_file=file)
    file.unlink()
    return folder / "witnesses"


@pytest.mark.parametrize("name", ["false", "true@half", "searched"])
def test_replay_reproduces_without_the_claims_file(run, name):
    """By construction: the text of the file is in the witness, and the same instance gives the same exact margin."""
    result = replay(run / f"{name}.json")
    assert result.reproduced
    assert result.confirmed
    assert result.margin == result.stored_margin < 0
    assert result.exit_code == ExitCode.REFUTED
    assert result.notes == ()
    assert "violation reproduced" in result.text()
    json.dumps(result.to_json(), allow_nan=False)


def test_unconfirmed_violation_is_replayed_as_such(run):
    """By construction: nothing exact decides."""
    result = replay(run / "unconfirmed.json")
    assert result.reproduced
    assert result.confirmed is None
    assert "nothing exact confirms it" in result.text()


def test_witness_says_what_it_is_about(run):
    """By construction."""
    record = read_witness(run / "true@half.json")
    assert (record["schema"], record["claim"], record["control"]) == ("modeconn.witness/1", "true", "half")
    assert record["statement"] == "sum x <= n / 2"
    assert record["shape"] == [1]
    assert record["claims_file"]["text"] == (HERE / "synthetic.py").read_text()
    assert record["instance_hex"]["x"] == [x.hex() for x in record["instance"]["x"]]


def rewrite(path, target, **changes):
    record = json.loads(path.read_text())
    target.write_text(json.dumps({**record, **changes}))
    return target


def test_witness_that_no_longer_violates_does_not_reproduce(run, tmp_path):
    """By construction: an instance inside the statement, honestly spelt."""
    harmless = rewrite(
        run / "false.json", tmp_path / "w.json", instance={"x": [0.5]}, instance_hex={"x": [(0.5).hex()]}
    )
    result = replay(harmless)
    assert not result.reproduced
    assert result.margin == 0.5
    assert result.exit_code == ExitCode.HELD
    assert "does not reproduce" in result.text()


def test_witness_outside_the_hypotheses_does_not_reproduce(tmp_path):
    """By construction: a control that drops the hypothesis is refuted; its instance says nothing of the claim."""
    (claim,) = load_claims(HERE / "my_claims.py")
    verify_claims([claim], run_dir=tmp_path, claims_file=HERE / "my_claims.py")
    witness = tmp_path / "witnesses" / "shared-hidden@any-two.json"
    assert replay(witness).reproduced
    result = replay(rewrite(witness, tmp_path / "w.json", control=None))
    assert not result.reproduced
    assert result.missed == "the nets have the same hidden weights"
    assert "hypothesis fails" in result.text()
    assert any("statement" in note for note in result.notes)


def test_dismissed_violation_does_not_reproduce(run, tmp_path):
    """By construction: the rounding claim violates in floats, and its exact check dismisses it."""
    changed = rewrite(run / "false.json", tmp_path / "w.json", claim="rounding")
    result = replay(changed)
    assert result.margin < 0
    assert result.confirmed is False
    assert result.exit_code == ExitCode.HELD


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "modeconn.witness/2"}, "expected a witness with schema"),
        ({"instance": None}, "'instance' is missing"),
        ({"instance": {"x": [0.1]}}, "instance and instance_hex differ"),
        ({"claims_file": {"path": "a.py", "sha256": "0", "text": "CLAIMS = []"}}, "does not match its SHA-256"),
        ({"claims_file": {}}, "needs path, sha256 and text"),
        ({"claims_file": None}, "unknown claim 'false'"),
        ({"claim": "fals"}, "did you mean 'false'"),
        ({"control": "half"}, "unknown control"),
    ],
)
def test_altered_witness_is_bad_input(run, tmp_path, changes, words):
    """By construction: one field is broken."""
    with pytest.raises(InputError, match=words) as caught:
        replay(rewrite(run / "false.json", tmp_path / "w.json", **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", '{"schema"', "\x00"])
def test_unreadable_witness_is_bad_input(tmp_path, text):
    """By construction: empty, another JSON, truncated, binary; and a file that is not there."""
    path = tmp_path / "w.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"w\.json"):
        read_witness(path)
    with pytest.raises(InputError, match="cannot read the witness"):
        read_witness(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot read the witness"):
        read_witness(tmp_path)


def test_stale_witness_of_an_earlier_run_is_removed(tmp_path):
    """By construction: the claim is repaired between two runs in the same folder."""
    claims = claims_by_id(load_claims(HERE / "synthetic.py"))
    claim = claims["false"]
    verify_claims([claim], run_dir=tmp_path)
    assert (tmp_path / "witnesses" / "false.json").exists()
    verify_claims([replace(claim, check=claims["certified"].check)], run_dir=tmp_path)
    assert not (tmp_path / "witnesses" / "false.json").exists()
