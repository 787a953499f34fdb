"""The frame of the reproductions: what is written, that it repeats, and what is refused."""

import hashlib
import json
import sys
from types import SimpleNamespace

import matplotlib.pyplot
import pytest
from matplotlib.figure import Figure

from modeconn.cli import main
from modeconn.errors import InputError
from modeconn.reproductions import REPRODUCTIONS, Reproduction, write_reproduction


def compute(profile, seed, reporter):
    """A line of three points; <b> must be escaped on the page."""
    reporter.start("points", 3)
    rows = [{"x": x, "y": x * seed} for x in range(3 if profile == "quick" else 5)]
    reporter.advance("points", 3)
    reporter.finish("points")
    return {"points": rows}


def draw(tables):
    """The line."""
    figure = Figure()
    figure.subplots().plot([row["x"] for row in tables["points"]], [row["y"] for row in tables["points"]])
    return figure


LINE = Reproduction("a-line", "A line", "x < y", ("L1",), compute, draw, findings=lambda tables: ["all <b>fine</b>"])


@pytest.fixture
def only_the_line(monkeypatch):
    """A registry that holds the line alone."""
    monkeypatch.setattr(REPRODUCTIONS, "modules", {"a-line": "a_line"})
    monkeypatch.setitem(sys.modules, "modeconn.reproductions.a_line", SimpleNamespace(REPRODUCTION=LINE))


def test_everything_is_written_with_its_digest(only_the_line, tmp_path, capsys):
    """Oracle: the manifest's digests against the files; text of the page."""
    assert main(["reproduce", "a-line", "--seed", "2", "--out", str(tmp_path)]) == 0
    assert str(tmp_path / "a-line" / "report.html") in capsys.readouterr().out
    folder = tmp_path / "a-line"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["outputs"]) == {"a-line.svg", "a-line.png", "tables.json", "points.csv", "report.html"}
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert (folder / "points.csv").read_text() == "x,y\n0,0\n1,2\n2,4\n"
    page = (folder / "report.html").read_text()
    assert "<svg" in page
    assert "all &lt;b&gt;fine&lt;/b&gt;" in page
    assert "x &lt; y" in page


def test_the_same_seed_gives_the_same_files(only_the_line, tmp_path):
    """Conserved quantity: bytes of figure and tables over two runs."""
    for name in ("one", "two"):
        assert main(["reproduce", "all", "--out", str(tmp_path / name)]) == 0
    for name in ("a-line.svg", "a-line.png", "tables.json"):
        first, second = ((tmp_path / run / "a-line" / name).read_bytes() for run in ("one", "two"))
        assert first == second


def test_list_as_json(only_the_line, capsys):
    """Oracle: by construction."""
    assert main(["reproduce", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"] == [{"name": "a-line", "title": "A line", "claims": ["L1"]}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a-lin"], "did you mean 'a-line'"),
        (["a-line", "--profile", "huge"], "unknown profile 'huge'"),
        (["a-line", "--out", "FILE"], "expected a folder, found the file"),
        (["a-line", "--seed", "-1"], "--seed: expected a whole number of at least 0, found -1"),
    ],
)
def test_bad_input(only_the_line, words, said, tmp_path, capsys):
    """Oracle: exit code 2 and one line that says what to do."""
    (tmp_path / "file").write_text("")
    assert main(["reproduce", *[str(tmp_path / "file") if word == "FILE" else word for word in words]]) == 2
    assert said in capsys.readouterr().err


def test_an_empty_table_is_refused(tmp_path):
    """Oracle: by construction; nothing is written."""
    with pytest.raises(InputError, match=r"none in \['points'\]"):
        write_reproduction(LINE, {"points": []}, tmp_path / "out", [], "quick", 0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_the_registry_names_what_its_modules_export(name):
    """Oracle: the registry against the modules; every claim a figure names is in the library."""
    from proofs_check.claims import CLAIMS

    found = REPRODUCTIONS[name]
    assert found.name == name
    assert set(found.claims) <= set(CLAIMS)
    assert found.title
    assert found.caption
    assert matplotlib.pyplot.get_fignums() == []
