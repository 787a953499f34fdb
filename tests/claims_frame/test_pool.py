"""Workers: a death is one clear line, and what was finished stays."""

import os
from pathlib import Path

import pytest

from modeconn.errors import InputError
from proofs_check.claims import WorkerError, load_claims, verify_claims

DEADLY = """
import os
from fractions import Fraction
from hypothesis import strategies as st
from proofs_check.claims import Claim, Outcome

def check(instance):
    if instance["k"] == 7 and os.getpid() != {parent}:
        os.kill(os.getpid(), 9)
    return Outcome(Fraction(1))

def integers(shape):
    return st.fixed_dictionaries({{"k": st.integers(0, shape[0])}})

CLAIMS = [Claim("deadly", "none", "", integers, [(1,), (2,), (7,)], check)]
"""


def test_worker_that_dies_is_one_line_and_finished_blocks_stay(tmp_path):
    """By construction: k = 7 kills the worker and exists at the last shape only; resuming in this process finishes."""
    file = tmp_path / "deadly.py"
    file.write_text(DEADLY.format(parent=os.getpid()))
    arguments = {"claims": load_claims(file), "profile": "ci", "run_dir": tmp_path / "run", "claims_file": file}
    with pytest.raises(WorkerError, match=r"died \(exit status -9\) at deadly\.00002") as caught:
        verify_claims(**arguments, jobs=2)
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)
    kept = {path.name for path in (tmp_path / "run" / "blocks").iterdir()}
    assert kept <= {"deadly.00000.json", "deadly.00001.json"}
    assert kept
    report = verify_claims(**arguments)
    assert report.verdicts == {"deadly": "not refuted"}


def test_file_that_fails_in_a_worker_only_is_one_line(tmp_path):
    """By construction: the file raises in any process but this one."""
    file = tmp_path / "picky.py"
    text = f"import os\nassert os.getpid() == {os.getpid()}, 'not here'\n"
    file.write_text(text + (Path(__file__).with_name("my_claims.py")).read_text())
    with pytest.raises(InputError, match=r"picky\.py:2: the claims file raised AssertionError: not here"):
        verify_claims(load_claims(file), jobs=2, claims_file=file)
