"""The command line: contracts of the JSON, exit codes, one clear line for bad input."""

import json
import subprocess
import sys

import numpy as np
import pytest

from modeconn.cli import main
from modeconn.cli.main import COMMANDS, INTERNAL_ERROR
from modeconn.io import write_net
from modeconn.nets import Net
from proofs_check.checker import barrier_problem, write_certificate

BARRIER_KEYS = {
    "barrier", "max_loss", "argmax_t", "baseline", "loss_start", "loss_end", "lower", "upper", "method",
}  # fmt: skip


@pytest.fixture
def nets(tmp_path):
    """Two nets that compute |x| with swapped neurons, and data on which the midpoint is 0: barrier 1/2 by hand."""
    write_net(tmp_path / "a.npz", Net(np.array([[1.0, -1.0]]), np.array([[1.0, 1.0]])))
    write_net(tmp_path / "b.safetensors", Net(np.array([[-1.0, 1.0]]), np.array([[1.0, 1.0]])))
    np.savez(tmp_path / "data.npz", X=np.array([[1.0]]), y=np.array([1.0]))
    return tmp_path


def call(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("method", ["certified", "float64", "grid"])
def test_barrier_prints_its_contract(nets, capsys, method):
    """Closed form: f(t) = |1 - 2t|, so the largest loss is 1/2 at t = 1/2."""
    words = ["barrier", nets / "a.npz", nets / "b.safetensors", "--data", nets / "data.npz", "--method", method]
    status, out, err = call(capsys, *words, "--json", "-")
    record = json.loads(out)
    assert (status, err) == (0, "")
    assert set(record) == BARRIER_KEYS | {"schema"}
    assert record["barrier"] == pytest.approx(0.5, abs=1e-12)
    assert record["argmax_t"] == 0.5
    assert record["lower"] <= 0.5
    if method == "certified":
        assert record["lower"] == record["upper"] == 0.5
    if method == "grid":
        assert record["upper"] is None


def test_barrier_in_words_and_aligned(nets, capsys):
    """By construction: weight matching undoes the swap, so nothing is left of the barrier."""
    status, out, _ = call(
        capsys, "barrier", nets / "a.npz", nets / "b.safetensors", "--data", nets / "data.npz", "--align"
    )
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "barrier", "max_loss", "argmax_t", "baseline", "loss_start", "loss_end", "lower", "upper", "method",
    ]  # fmt: skip
    assert float(out.splitlines()[0].split()[1]) == 0.0


def test_json_goes_to_a_file(nets, capsys):
    """By construction: the file holds what standard output would."""
    words = ["barrier", nets / "a.npz", nets / "b.safetensors", "--data", nets / "data.npz"]
    call(capsys, *words, "--json", nets / "out.json")
    _, out, _ = call(capsys, *words, "--json", "-")
    assert json.loads((nets / "out.json").read_text()) == json.loads(out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], None),
        (["brrier"], "did you mean 'barrier'"),
        (["barrier", "a.npz"], "see modeconn barrier --help"),
        (["barrier", "a.npz", "missing.npz", "--data", "data.npz"], "missing.npz"),
        (["barrier", "a.npz", "b.safetensors", "--data", "dgits"], "did you mean 'digits'"),
        (["barrier", "a.npz", "b.safetensors", "--data", "data.npz", "--baseline", "linaer"], "did you mean 'linear'"),
        (["barrier", "a.npz", "b.safetensors", "--data", "data.npz", "--loss", "hinge"], "unknown loss"),
        (["barrier", "a.npz", "b.safetensors", "--data", "data.npz", "--points", "0"], "at least 2"),
        (["barrier", "a.npz", "wide.npz", "--data", "data.npz"], "equal widths"),
        (["barrier", "a.npz", "b.safetensors", "--data", "nan.npz"], "NaN"),
        (["barrier", "a.npz", "torn.npz", "--data", "data.npz"], "torn.npz"),
        (
            ["barrier", "a.npz", "b.safetensors", "--data", "data.npz", "--json", "no/such/folder/out.json"],
            "cannot write",
        ),
        (["train", "--data", "data.npz", "--optimizer", "moun"], "did you mean 'muon'"),
        (["train", "--data", "data.npz", "--width", "0"], "width"),
        (["train", "--data", "data.npz", "--width", "many"], "whole number such as 8"),
        (["train", "--data", "data.npz", "--weight-decay", "-1"], "weight decay"),
        (["train", "--data", "data.npz", "--optimizer", "signum"], "--learning-rate"),
        (["train", "--data", "data.npz", "--steps", "0"], "at least 1"),
        (["verify", "--claim", "L9"], "unknown claim"),
        (["verify", "--profile", "quik"], "did you mean 'quick'"),
        (["verify", "--jobs", "0"], "at least 1"),
        (["verify", "missing_claims.py"], "missing_claims.py"),
        (["verify", "broken.py"], "broken.py"),
        (["verify", "raises.py"], "raises.py"),
        (["verify", "--claim", "S1", "--out", "a.npz"], "expected a folder"),
        (["replay", "data.npz"], "data.npz"),
        (["replay", "missing.json"], "missing.json"),
        (["claims", "L9"], "unknown claim"),
        (["check", "missing.json", "--problem", "empty.json"], "missing.json"),
        (["check", "empty.json", "--problem", "data.npz"], "data.npz"),
    ],
)
def test_bad_input_is_one_line_and_status_two(nets, capsys, monkeypatch, words, said):
    """By construction: no traceback, one line on standard error, nothing on standard output."""
    monkeypatch.chdir(nets)
    write_net("wide.npz", Net(np.ones((1, 3)), np.ones((1, 3))))
    np.savez("nan.npz", X=np.array([[np.nan]]), y=np.array([1.0]))
    (nets / "torn.npz").write_bytes((nets / "a.npz").read_bytes()[:100])
    (nets / "empty.json").write_text("{}")
    (nets / "broken.py").write_text("CLAIMS = [")
    (nets / "raises.py").write_text("raise RuntimeError('on import')")
    status, out, err = call(capsys, *words)
    if said is None:
        assert status == 0
        assert "commands:" in out
        return
    assert status == 2
    assert out == ""
    assert err.startswith("modeconn: error: ")
    assert err.count("\n") == 1
    assert said in err


def test_an_internal_error_has_its_own_status_and_no_traceback(nets, capsys, monkeypatch):
    """By construction: a bug is neither bad input nor a verdict."""

    def bug(*_, **__):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("modeconn.paths.barrier_certified", bug)
    words = ["barrier", nets / "a.npz", nets / "b.safetensors", "--data", nets / "data.npz"]
    status, _, err = call(capsys, *words)
    assert status == INTERNAL_ERROR
    assert "ZeroDivisionError" in err
    assert "Traceback" not in err
    with pytest.raises(ZeroDivisionError):
        main(["--debug", *map(str, words)])


def test_check_accepts_and_rejects(nets, capsys):
    """Closed form: the barrier of the swapped pair is 1/2, not 1/3."""
    pair = [([[1.0, -1.0]], [[1.0, 1.0]], None), ([[-1.0, 1.0]], [[1.0, 1.0]], None)]
    write_certificate(nets / "problem.json", barrier_problem(pair, [[1.0]], [[1.0]]))
    for upper, expected in (("1/2", 0), ("1/3", 1)):
        statement = {"baseline": "linear", "lower": "0", "upper": upper}
        certificate = {"format": "modeconn.certificate/1", "kind": "segment-barrier", "statement": statement}
        write_certificate(nets / "cert.json", {**certificate, "evidence": {"t": "0"}})
        status, out, _ = call(capsys, "check", nets / "cert.json", "--problem", nets / "problem.json")
        assert status == expected
        assert out.startswith("accepted" if expected == 0 else "rejected")


def test_train_writes_nets_that_barrier_reads(nets, capsys, monkeypatch):
    """End to end: the nets on disk are joined by the next command."""
    monkeypatch.chdir(nets)
    status, out, _ = call(
        capsys, "train", "--data", "data.npz", "--optimizer", "lion", "--width", "2", "--seeds", "0:1",
        "--steps", "3", "--out", "nets", "--json", "-",
    )  # fmt: skip
    assert status == 0
    files = [row["file"] for row in json.loads(out)["runs"]]
    assert files == ["lion-w2-s0.npz", "lion-w2-s1.npz"]
    status, out, _ = call(capsys, "barrier", *(f"nets/{name}" for name in files), "--data", "data.npz", "--json", "-")
    assert status == 0
    assert json.loads(out)["method"] == "certified"


def test_claims_lists_all_and_shows_one(capsys):
    """By construction: the registry is the list."""
    from proofs_check.claims import CLAIMS

    _, out, _ = call(capsys, "claims", "--json", "-")
    assert [claim["id"] for claim in json.loads(out)["claims"]] == list(CLAIMS)
    _, out, _ = call(capsys, "claims", "L4")
    assert all(control.id in out for control in CLAIMS["L4"].controls)


def test_verify_of_one_claim_writes_its_run(tmp_path, capsys):
    """The contract of the verdicts, and a report without a study."""
    status, out, _ = call(capsys, "verify", "--claim", "S1", "--out", tmp_path / "run", "--json", "-")
    record = json.loads(out)
    assert status == 0
    assert {"schema", "claims", "seconds", "environment"} <= set(record)
    (claim,) = record["claims"]
    assert {"id", "verdict", "instances", "vacuous", "margin", "controls", "seconds"} <= set(claim)
    assert claim["verdict"] == "certified"
    assert all(control["refuted"] for control in claim["controls"])
    assert {"report.html", "verdicts.json", "manifest.json"} <= {path.name for path in (tmp_path / "run").iterdir()}


def test_a_control_on_trial_is_refuted_and_replays(tmp_path, capsys):
    """The user's story: exit status 1, a witness, and the same violation when it is replayed."""
    file = tmp_path / "control.py"
    file.write_text(
        "from proofs_check.claims import CLAIMS as LIBRARY\nCLAIMS = [LIBRARY['S1'].control('knots-only')]\n"
    )
    status, out, _ = call(capsys, "verify", file, "--out", tmp_path / "run", "--json", "-")
    (claim,) = json.loads(out)["claims"]
    assert (status, claim["verdict"]) == (1, "refuted")
    witness = tmp_path / "run" / claim["witness"]
    status, out, _ = call(capsys, "replay", witness, "--json", "-")
    assert status == 1
    assert json.loads(out)["reproduced"] is True


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_of_every_command(command, capsys):
    """By construction: help exits with 0 and tells the exit status of the command."""
    with pytest.raises(SystemExit) as stop:
        main([*([] if command is None else [command]), "--help"])
    assert stop.value.code == 0
    assert "exit status" in capsys.readouterr().out


def test_as_a_process():
    """End to end: python -m modeconn, from any folder, starts quickly because nothing heavy is imported for help."""
    found = subprocess.run([sys.executable, "-m", "modeconn", "--version"], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("modeconn ")


def test_graph_of_the_claims(tmp_path, capsys):
    """Oracle: the SVG's text; the verdicts of a run colour it; files that are no record of verdicts are refused."""
    record = tmp_path / "verdicts.json"
    record.write_text(json.dumps({"claims": [{"id": "ADAM", "verdict": "refuted", "expected": "refuted"}]}))
    graph = tmp_path / "graph.svg"
    assert main(["claims", "--graph", str(graph), "--verdicts", str(tmp_path)]) == 0
    assert ">refuted, as expected<" in graph.read_text()
    row = {"id": "ADAM", "verdict": "refuted", "expected": "refuted"}
    rows = [{**row, "verdict": verdict} for verdict in ("proved", None, [], 1)] + [{**row, "id": []}, {"id": "ADAM"}, 3]
    for bad in ({}, [], 3, {"claims": None}, *({"claims": [row]} for row in rows)):
        record.write_text(json.dumps(bad))
        assert main(["claims", "--graph", str(graph), "--verdicts", str(record)]) == 2
        assert "is not a verdicts.json" in capsys.readouterr().err
    assert main(["claims", "--verdicts", str(record)]) == 2
    assert main(["claims", "--graph", str(tmp_path / "graph.png")]) == 2
