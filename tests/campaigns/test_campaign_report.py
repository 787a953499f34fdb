"""Finished campaigns beside the verdicts of the claims they are about."""

import json

import pytest

from modeconn.campaigns import InThisProcess, read_spec, run_campaign
from modeconn.cli import main
from modeconn.io import file_sha256
from modeconn.report.campaign import campaign_rows

SPEC = """seed = 1

[[job]]
family = "narrow-barrier"
instances = 32
n = 4
d = 2
width = 2
bound = ["origin", "narrower"]

[[job]]
family = "claim"
instances = 16
claim = "S1"
control = "midpoint"
"""

OWN = """
from fractions import Fraction
from hypothesis import strategies as st
from proofs_check.claims import Claim, Control, Outcome

whole = lambda shape: st.fixed_dictionaries({"x": st.integers(-3, 3)})
control = Control("below", "x^2 < 0", check=lambda case: Outcome(Fraction(-1 - case["x"] ** 2)))
CLAIM = Claim("ID", "x^2 >= 0", "own", whole, [(1,)], lambda case: Outcome(Fraction(case["x"] ** 2)), [], [control])
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The file and the folder of a finished campaign."""
    home = tmp_path_factory.mktemp("campaigns")
    spec, folder = home / "spec.toml", home / "run"
    spec.write_text(SPEC)
    assert main(["campaign", str(spec), "--out", str(folder)]) == 1
    return spec, folder


def verify(claim, out, *words):
    """The exit status of a trial of an own claim of this name, and its report."""
    source = out.parent / f"{claim}.py"
    source.write_text(OWN.replace("ID", claim))
    status = main(["verify", str(source), "--out", str(out), *map(str, words)])
    page = out / "report.html"
    return status, page.read_text() if page.exists() else ""


def test_rows_are_those_of_the_summary(finished, tmp_path):
    """Oracle: the specification and the summary's own numbers."""
    _, folder = finished
    rows = campaign_rows([folder], tmp_path)
    assert [(row["claim"], bool(row["control"]), row["verdict"]) for row in rows] == [
        ("N7", False, "not refuted"),
        ("N8", False, "refuted"),
        ("S1", True, "refuted"),
    ]
    cells = json.loads((folder / "summary.json").read_text())["cells"]
    assert [row["instances"] for row in rows] == [cell["instances"] for cell in cells]
    assert [row["margin"] for row in rows] == [cell["margin"] for cell in cells]
    assert (tmp_path / rows[0]["page"]).resolve() == (folder / "report.html").resolve()


def test_the_report_shows_them_beside_the_claim(finished, tmp_path, capsys):
    """Oracle: the page's text; a refuted control and a claim that must fall leave the exit status alone."""
    _, folder = finished
    status, page = verify("N7", tmp_path / "run", "--campaign", folder)
    assert status == 0
    assert ">spec</a>: not refuted, 32 instances" in page
    assert "N7: campaign spec: not refuted, 32 instances, smallest margin" in capsys.readouterr().out
    stored = json.loads((tmp_path / "run" / "verdicts.json").read_text())
    assert [row["claim"] for row in stored["campaigns"]] == ["N7", "N8", "S1"]
    status, page = verify("N7", tmp_path / "without")
    assert status == 0
    assert "Campaigns" not in page
    assert "href" not in page


def test_a_campaign_that_refutes_a_claim_refutes_it(finished, tmp_path):
    """Oracle: a claim called N8 that is expected to hold, and a campaign with violations of N8."""
    _, folder = finished
    assert verify("N8", tmp_path / "run", "--campaign", folder)[0] == 1


def test_folders_that_do_not_count_are_refused(finished, tmp_path, capsys):
    """Oracle: by construction; one line each, before anything is tried."""
    spec, folder = finished

    def refusal(*folders):
        assert verify("N7", tmp_path / "run", "--campaign", *folders)[0] == 2
        return capsys.readouterr().err

    assert "no summary.json" in refusal(tmp_path)
    assert "twice" in refusal(folder, folder / ".." / folder.name)
    copy = tmp_path / "copy"
    run_campaign(read_spec(spec), copy, InThisProcess)
    assert "is not finished" in refusal(copy)
    assert main(["campaign", str(spec), "--out", str(copy), "--resume"]) == 1
    written = (copy / "summary.json").read_text()
    (copy / "summary.json").write_text(written.replace('"refuted": 0', '"refuted": 1', 1))
    assert "damaged" in refusal(copy)
    (copy / "summary.json").write_text(written.replace("campaign-summary/2", "campaign-summary/1"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["outputs"]["summary.json"] = file_sha256(copy / "summary.json")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "another version" in refusal(copy)


def test_a_campaign_at_work_has_no_summary(finished, tmp_path):
    """Oracle: by construction: what an earlier end wrote is gone once a larger campaign has begun in the folder."""
    spec, _ = finished
    folder = tmp_path / "run"
    assert main(["campaign", str(spec), "--out", str(folder)]) == 1
    run_campaign(read_spec(spec), folder, InThisProcess, resume=True)
    assert not (folder / "summary.json").exists()
