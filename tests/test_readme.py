"""The README is tested: its files, its Python, its commands."""

import re
import shlex
from pathlib import Path

import pytest

from modeconn.cli import main
from modeconn.cli.main import COMMANDS
from proofs_check.claims import load_claims, verify_claims

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def blocks(language):
    return [text for name, text in BLOCKS if name == language]


def test_the_claims_file_shown_is_the_one_tested(tmp_path):
    """By construction: same text; it is not refuted and its control is."""
    (shown,) = [text for text in blocks("python") if "CLAIM = Claim(" in text]
    assert shown == (ROOT / "tests/claims_frame/my_claims.py").read_text(encoding="utf-8")
    path = tmp_path / "my_claims.py"
    path.write_text(shown, encoding="utf-8")
    report = verify_claims(load_claims(path), claims_file=path)
    (claim,) = report.claims
    assert claim.verdict == "not refuted"
    assert all(control.refuted for control in claim.controls)


def test_the_control_shown_is_refuted(tmp_path):
    """By construction: a control is false."""
    (shown,) = [text for text in blocks("python") if ".control(" in text]
    path = tmp_path / "control.py"
    path.write_text(shown, encoding="utf-8")
    (claim,) = verify_claims(load_claims(path), claims_file=path).claims
    assert claim.verdict == "refuted"


def test_the_library_example_runs(monkeypatch):
    """By construction: the code as printed, fewer steps."""
    (shown,) = [text for text in blocks("python") if "barrier_exact" in text]
    scope: dict[str, object] = {}
    exec(shown.replace("steps=500", "steps=5"), scope)
    assert scope["barrier"].barrier >= 0  # type: ignore[attr-defined]


COMMAND_LINES = [
    line.split("#")[0].strip()
    for text in blocks("sh")
    for line in text.splitlines()
    if line.strip().removeprefix(".venv/bin/").startswith("modeconn ")
]


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_shown_is_understood(line, capsys):
    """By construction: with --help appended the command and its options parse far enough to print help."""
    words = shlex.split(line.removeprefix(".venv/bin/"))[1:]
    assert words[0] in COMMANDS
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for word in words:
        if word.startswith("--"):
            assert word in text


def test_there_are_commands_to_try():
    """By construction: the search above finds them."""
    assert len(COMMAND_LINES) >= 8
