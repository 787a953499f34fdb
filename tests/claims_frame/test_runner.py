"""Verdicts, counts and exit codes of whole runs; the same numbers whatever the jobs and the interruptions."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import strategies as st

from modeconn.errors import ExitCode, InputError
from proofs_check.claims import Hypothesis, Outcome, claims_by_id, environment, load_claims, runner, verify_claims

HERE = Path(__file__).parent
FILE = HERE / "synthetic.py"
SYNTHETIC = claims_by_id(load_claims(FILE))


def verify(*ids, profile="quick", **options):
    return verify_claims([SYNTHETIC[i] for i in ids], profile, claims_file=FILE, **options)


def numbers(report):
    """Return the claims of a report without what may differ: times, and nothing else."""

    def timeless(value):
        if isinstance(value, dict):
            return {key: timeless(item) for key, item in value.items() if key != "seconds"}
        return [timeless(item) for item in value] if isinstance(value, list) else value

    return timeless(report.to_json()["claims"])


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, verify(*SYNTHETIC, run_dir=folder)


VERDICTS = {
    "true": ("not refuted", ""),
    "false": ("refuted", ""),
    "vacuous": ("undecided", "all 48 instances vacuous: x_1 > 1"),
    "rounding": ("not refuted", ""),
    "unconfirmed": ("undecided", "its exact check could not decide"),
    "raises": ("undecided", "check raised ZeroDivisionError: float division by zero at "),
    "nan": ("undecided", "the margin is nan"),
    "survivor": ("undecided", "control also-true survived"),
    "certified": ("certified", ""),
    "published": ("refuted", ""),
    "searched": ("refuted", ""),
}


@pytest.mark.parametrize("claim_id", VERDICTS)
def test_verdict_and_reason(everything, claim_id):
    """By construction: each synthetic claim has one fate."""
    _, report = everything
    verdict, words = VERDICTS[claim_id]
    result = next(claim for claim in report.claims if claim.claim.id == claim_id)
    assert result.verdict == verdict
    assert words in result.reason
    assert bool(words) == bool(result.reason)


def test_errors_name_file_and_line_and_keep_the_instance(everything):
    """By construction: the division is on a known line; the instance that raised is on disk."""
    folder, report = everything
    line = next(k for k, text in enumerate(FILE.read_text().splitlines(), 1) if "1.0 /" in text)
    assert report.exit_code == ExitCode.BAD_INPUT
    assert len(report.errors) == 2
    assert f"{FILE}:{line} (shape (1,), block 0)" in report.errors[0]
    assert json.loads((folder / "errors" / "raises.json").read_text())["instance"] == {"x": [0.0]}


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["true", "rounding", "certified", "published"], ExitCode.HELD),
        (["true", "false", "vacuous"], ExitCode.REFUTED),
        (["true", "survivor"], ExitCode.UNDECIDED),
        (["unconfirmed"], ExitCode.UNDECIDED),
        (["false", "raises"], ExitCode.BAD_INPUT),
    ],
)
def test_exit_codes(ids, code):
    """By construction: error before refuted before undecided; a published false theorem must be refuted."""
    assert verify(*ids).exit_code == code


def test_published_false_theorem_that_is_not_caught_is_undecided():
    """By construction: the statement is true here."""
    report = verify_claims([replace(SYNTHETIC["true"], expected="refuted")])
    assert report.verdicts == {"true": "undecided"}
    assert report.exit_code == ExitCode.UNDECIDED


def test_json_is_the_contract(everything):
    """The contract: names and types, strict JSON."""
    _, report = everything
    record = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert record["schema"] == "modeconn.verify/1"
    assert {"modeconn", "packages", "platform", "device", "precision", "seed", "profile"} <= set(record["environment"])
    assert isinstance(record["seconds"], float)
    for claim in record["claims"]:
        assert {"id", "verdict", "instances", "vacuous", "margin", "controls", "seconds"} <= set(claim)
        assert type(claim["instances"]) is int
        assert type(claim["vacuous"]) is int
        assert claim["margin"] is None or isinstance(claim["margin"], float)
        assert all(type(control["refuted"]) is bool for control in claim["controls"])


def test_counts_and_margins_agree_with_a_recount():
    """Independent implementation: count and take the minimum in the check itself."""
    margins, missed = [], []

    def holds(instance):
        missed.append(instance["x"][0] <= 0)
        return not missed[-1]

    def check(instance):
        margins.append(len(instance["x"]) - sum(instance["x"]))
        return Outcome(margins[-1])

    claim = replace(SYNTHETIC["true"], check=check, hypotheses=[Hypothesis("x_1 > 0", holds)], controls=())
    result = verify_claims([claim], "ci").claims[0].to_json()
    assert result["instances"] == len(missed) == 120
    assert result["vacuous"] == sum(missed) > 0
    assert result["vacuous_by_hypothesis"] == {"x_1 > 0": sum(missed)}
    assert result["margin"] == min(margins)


def test_rounding_is_counted_and_never_refutes():
    """By construction: negative margins exactly where x_1 > 0, all dismissed by the exact check."""
    result = verify("rounding").claims[0]
    assert result.trial.violations == result.trial.rounding > 0
    assert result.trial.margin == -1e-17
    assert result.trial.pursuit is None


def test_an_exact_margin_too_small_for_a_float_still_refutes():
    """By construction: the margin is -10^-400, whose float is zero."""
    tiny = replace(SYNTHETIC["true"], check=lambda i: Outcome(Fraction(-1, 10**400)), controls=())
    report = verify_claims([tiny])
    assert report.verdicts == {"true": "refuted"}
    assert report.claims[0].trial.pursuit.candidate.margin_exact == f"-1/{10**400}"


def test_control_put_on_trial_as_a_claim_is_refuted_with_a_witness(tmp_path):
    """By construction: the control is false, so as a claim it is refuted and the exit code says so."""
    report = verify_claims([SYNTHETIC["true"].control("half")], run_dir=tmp_path)
    assert report.verdicts == {"true.half": "refuted"}
    assert report.exit_code == ExitCode.REFUTED
    assert (tmp_path / report.claims[0].trial.witness).is_file()


def test_seed_decides_the_draws():
    """By construction."""
    one, again, other = (numbers(verify("true", seed=seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"profile": "depe"}, "did you mean 'deep'"),
        ({"jobs": 0}, "at least one job"),
        ({"run_dir": FILE}, "cannot be a folder of a run"),
    ],
)
def test_bad_arguments_are_one_line(arguments, words):
    """By construction."""
    with pytest.raises(InputError, match=words):
        verify("true", **arguments)


def test_claims_made_here_cannot_travel():
    """By construction: closures do not reach another process."""
    with pytest.raises(InputError, match="put them in a file"):
        verify_claims([SYNTHETIC["true"]], jobs=2)


def test_strategy_and_instances_that_misbehave_are_errors():
    """By construction."""

    def one(**parts):
        report = verify_claims([replace(SYNTHETIC["true"], controls=(), **parts)])
        assert report.exit_code == ExitCode.BAD_INPUT
        return report.errors[0]

    nothing = st.integers().filter(lambda k: False)
    assert "drawing instances raised Unsatisfiable" in one(instances=lambda shape: nothing)
    assert "drawing instances raised InvalidArgument" in one(instances=lambda shape: st.floats("a"))
    assert "JSON values" in one(instances=lambda shape: st.just({"x": {1, 2}}))
    assert "JSON values" in one(instances=lambda shape: st.just({"x": float("nan")}))
    assert "must be a dict" in one(instances=lambda shape: st.just([1.0]))
    assert "must return an Outcome" in one(check=lambda i: 1.0)
    assert "hypothesis 'h' raised KeyError" in one(hypotheses=[Hypothesis("h", lambda i: i["y"])])
    assert "check raised SystemExit" in one(check=lambda i: sys.exit(3))
    assert "confirm raised KeyError" in one(check=lambda i: Outcome(-1.0), confirm=lambda i: i["y"])
    assert "search raised TypeError" in one(search=lambda seed: [])


def test_jobs_do_not_change_the_numbers(everything, tmp_path):
    """Independent scheduling: two spawned workers and one process agree on everything but the seconds."""
    folder, report = everything
    parallel = verify(*SYNTHETIC, jobs=2, run_dir=tmp_path)
    assert numbers(parallel) == numbers(report)
    witnesses = sorted(path.name for path in (folder / "witnesses").iterdir())
    assert witnesses == sorted(path.name for path in (tmp_path / "witnesses").iterdir())
    for name in witnesses:
        assert (folder / "witnesses" / name).read_bytes() == (tmp_path / "witnesses" / name).read_bytes()


class Counting:
    """A reporter that counts."""

    def __init__(self):
        self.totals, self.steps, self.finished = {}, {}, []

    def start(self, task, total):
        self.totals[task] = total

    def advance(self, task, steps=1):
        self.steps[task] = self.steps.get(task, 0) + steps

    def finish(self, task):
        self.finished.append(task)


def test_reporter_hears_of_every_claim_once():
    """Conserved quantity: no more steps than announced, every task finished once."""
    reporter = Counting()
    verify("true", "false", "raises", reporter=reporter)
    assert sorted(reporter.finished) == sorted(reporter.totals) == ["false", "raises", "true"]
    assert all(0 < reporter.steps[task] <= reporter.totals[task] for task in reporter.totals)


def test_resume_redoes_damaged_blocks_and_keeps_the_others(tmp_path):
    """By construction: one block is truncated, one has a digit changed; the rest keep their time stamps."""
    ids = ("true", "false", "survivor")
    first = verify(*ids, run_dir=tmp_path)
    files = sorted((tmp_path / "blocks").iterdir())
    assert len(files) > 5
    files[0].write_text(files[0].read_text()[:40])
    text = files[-1].read_text()
    altered = text.replace('"seconds": 0.', '"seconds": 1.')
    assert altered != text
    files[-1].write_text(altered)
    stamps = {path: path.stat().st_mtime_ns for path in files}
    again = verify(*ids, run_dir=tmp_path)
    assert numbers(again) == numbers(first)
    redone = {path for path in files if path.stat().st_mtime_ns != stamps[path]}
    assert redone == {files[0], files[-1]}


def test_resume_starts_afresh_when_anything_changed(tmp_path):
    """By construction: another seed, another text of the file, or resume=False uses no stored block."""

    def stamps():
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run" / "blocks").iterdir()}

    file = tmp_path / "claims.py"
    file.write_text(FILE.read_text())

    def run(**options):
        claim = claims_by_id(load_claims(file))["true"]
        verify_claims([claim], "quick", run_dir=tmp_path / "run", claims_file=file, **options)
        return stamps()

    before = run()
    assert run() == before
    for change in ({"seed": 1}, {"seed": 1, "resume": False}):
        after = run(**change)
        assert all(after[name] != before[name] for name in before)
        before = after
    file.write_text(FILE.read_text() + "\n# edited\n")
    after = run(seed=1)
    assert all(after[name] != before[name] for name in before)


def test_an_edit_of_the_code_makes_stored_blocks_stale(tmp_path, monkeypatch):
    """By construction: a copy of a package with one character changed has another digest."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "rule.py").write_text("BOUND = 1\n")
    monkeypatch.setattr(environment.proofs_check, "__file__", str(package / "__init__.py"))
    before = environment.code_digest.__wrapped__()
    assert environment.code_digest.__wrapped__() == before
    (package / "rule.py").write_text("BOUND = 2\n")
    assert environment.code_digest.__wrapped__() != before


HELD = """
import sys, time
from pathlib import Path
sys.path.insert(0, {folder!r})
from dataclasses import replace
from synthetic import TRUE, FALSE

def held(instance):
    while len(instance["x"]) == 4 and Path({hold!r}).exists():
        time.sleep(0.01)
    return TRUE.check(instance)

CLAIMS = [replace(TRUE, check=held), FALSE]
"""

DRIVER = """
import signal, sys
from proofs_check.claims import load_claims, runner, verify_claims
runner.code_digest = lambda: "this code"
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with Ctrl-C ignored
    path, folder, jobs = sys.argv[1:]
    verify_claims(load_claims(path), "quick", jobs=int(jobs), run_dir=folder, claims_file=path)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupt_and_resume_give_the_same_numbers(tmp_path, monkeypatch, jobs):
    """Independent run: interrupted by Ctrl-C while held up in a check and resumed, against one never interrupted."""
    monkeypatch.setattr(runner, "code_digest", lambda: "this code")
    file, driver, folder, hold = (tmp_path / name for name in ("held.py", "driver.py", "run", "hold"))
    file.write_text(HELD.format(folder=str(HERE), hold=str(hold)))
    driver.write_text(DRIVER)
    hold.touch()
    process = subprocess.Popen(
        [sys.executable, str(driver), str(file), str(folder), str(jobs)],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        give_up = time.monotonic() + 60
        while len(list(folder.glob("blocks/*.json"))) < 2 and time.monotonic() < give_up:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == -signal.SIGINT
    assert complaint.count("Traceback") == 1
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("blocks/*")}
    assert len(kept) >= 2
    assert {path.suffix for path in kept} == {".json"}

    hold.unlink()
    resumed = verify_claims(load_claims(file), "quick", run_dir=folder, claims_file=file)
    whole = verify_claims(load_claims(file), "quick", run_dir=tmp_path / "whole", claims_file=file)
    assert numbers(resumed) == numbers(whole)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(folder.glob("blocks/*.json"))) > len(kept)
