"""A user's claims file: what loads, and one line with file and line for what does not."""

import sys
from pathlib import Path

import pytest

from modeconn.errors import ExitCode, InputError
from proofs_check.claims import load_claims, replay, verify_claims

HERE = Path(__file__).parent
GOOD = (HERE / "my_claims.py").read_text()


def test_the_example_holds_and_its_control_is_refuted():
    """Closed form: the loss is convex in the output weights, and |x| against 0 has a bump between for free W."""
    report = verify_claims(load_claims(HERE / "my_claims.py"), "ci", claims_file=HERE / "my_claims.py")
    assert report.verdicts == {"shared-hidden": "not refuted"}
    assert report.exit_code == ExitCode.HELD
    assert report.claims[0].trial.applicable == report.claims[0].trial.instances == 120
    assert len([line for line in GOOD.splitlines() if line]) <= 25


def test_a_control_taken_by_hand_is_refuted_with_a_replayable_witness(tmp_path):
    """By construction: the story of a user who puts a control on trial."""
    file = tmp_path / "trial.py"
    file.write_text(GOOD + '\nCLAIMS = [CLAIM.control("any-two")]\n')
    report = verify_claims(load_claims(file), claims_file=file, run_dir=tmp_path)
    assert report.verdicts == {"shared-hidden.any-two": "refuted"}
    assert report.exit_code == ExitCode.REFUTED
    result = replay(tmp_path / report.claims[0].trial.witness)
    assert result.exit_code == ExitCode.REFUTED
    assert result.confirmed


@pytest.mark.parametrize("ending", ["CLAIMS = [CLAIM]", "CLAIMS = {'any key': CLAIM}", "CLAIMS = (CLAIM,)", ""])
def test_list_dict_or_single_claim(tmp_path, ending):
    """By construction."""
    file = tmp_path / "claims.py"
    file.write_text(f"{GOOD}\n{ending}\n")
    assert [claim.id for claim in load_claims(file)] == ["shared-hidden"]


def test_a_file_may_import_its_neighbour_and_leaves_the_path_alone(tmp_path):
    """By construction."""
    (tmp_path / "neighbour_of_claims.py").write_text(GOOD)
    file = tmp_path / "claims.py"
    file.write_text("from neighbour_of_claims import CLAIM\n")
    before = list(sys.path)
    try:
        assert [claim.id for claim in load_claims(file)] == ["shared-hidden"]
    finally:
        sys.modules.pop("neighbour_of_claims", None)
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = (1,\ny = 2\n", r"claims\.py:1: syntax error"),
        ("import math\n\n1 / 0\n", r"claims\.py:3: the claims file raised ZeroDivisionError: division by zero"),
        ("import no_such_module\n", r"claims\.py:1: the claims file raised ModuleNotFoundError"),
        ("import json\njson.loads('{')\n", r"claims\.py:2: the claims file raised JSONDecodeError"),
        ("raise SystemExit('bye')\n", r"claims\.py:1: the claims file raised SystemExit: bye"),
        ("x = 1\n", "defines neither CLAIMS nor CLAIM"),
        ("CLAIMS = []\n", "non-empty list or dict"),
        ("CLAIMS = 3\n", "non-empty list or dict"),
        ("CLAIMS = 'abc'\n", "non-empty list or dict"),
        ("CLAIMS = [1]\n", "expected Claim objects, found a int"),
        (GOOD + "\nCLAIMS = [CLAIM, CLAIM]\n", "two claims share an id"),
        ("x = '\x00'\n", r"claims\.py"),
    ],
)
def test_unusable_file_is_one_line(tmp_path, text, words):
    """By construction: the message names the file, the line where there is one, and the trouble."""
    file = tmp_path / "claims.py"
    file.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        load_claims(file)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)


def test_unreadable_file_is_one_line(tmp_path):
    """By construction: missing, a folder, not text."""
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.py", tmp_path, tmp_path / "binary.py"):
        with pytest.raises(InputError, match="cannot read the claims file"):
            load_claims(path)
