"""``modeconn topology`` and ``modeconn check`` end to end: the JSON, the certificates, bad input."""

import copy
import json
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest

from modeconn.cli import main
from modeconn.cli.topology_record import level_set_result, topology_record
from modeconn.topology import Landscape, point_from_json, point_loss, problem_from_json
from proofs_check.checker import barrier_certificate, check_certificate
from proofs_check.exact import segment_enclosure

EXAMPLE = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}
WITNESS = {"X": [[1, 0], [2, 1], [1, 1], [-2, 1]], "y": [1, 0, -1, -2]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the worked example, and the command line run in it."""
    (tmp_path / "p.json").write_text(json.dumps(EXAMPLE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def topology(capsys, *words):
    status, out, err = call(capsys, "topology", *words, "--json", "-")
    assert (status, err) == (0, "")
    return json.loads(out)


def write(name, value):
    Path(name).write_text(value if isinstance(value, str) else json.dumps(value))


def test_the_worked_example(folder, capsys):
    """Oracle: hand-worked; least loss 1/140 at width 1, four components in two orbits at 2, one at 3."""
    found = topology(capsys, "p.json", "--width", 2, "--widths", "1:3")
    assert found["schema"] == "modeconn.topology/1"
    contract = {
        "width", "cells", "min_loss", "level", "components", "orbits", "orbit_of", "barriers", "representatives",
    }  # fmt: skip
    assert contract <= set(found)
    assert [found[key] for key in ("width", "cells", "min_loss", "level", "components", "orbits")] == [
        2, 78, "0", "0", 4, 2,
    ]  # fmt: skip
    assert sorted(found["orbit_of"]) == [0, 0, 1, 1]
    assert found["barriers"] == [["0" if i == j else "1/140" for i in range(4)] for j in range(4)]
    problem = problem_from_json(EXAMPLE)
    nets = [point_from_json(net) for net in found["representatives"]]
    assert [point_loss(problem, net) for net in nets] == [0] * 4
    for net, orbit in zip(nets, found["orbit_of"], strict=True):
        mirrored = [found["orbit_of"][k] for k, other in enumerate(nets) if other == net[::-1]]
        assert mirrored == [orbit]
    keys = ("width", "components", "orbits", "min_loss", "barrier", "orbit_barrier")
    assert [[stair[key] for key in keys] for stair in found["widths"]] == [
        [1, 1, 1, "1/140", None, None],
        [2, 4, 2, "0", "1/140", "1/140"],
        [3, 1, 1, "0", None, None],
    ]
    assert {key: found[key] for key in found if key not in ("schema", "widths")} == found["widths"][1]


def test_levels(folder, capsys):
    """Oracle: by construction; just below the barrier two orbits, at it one component."""
    below = topology(capsys, "p.json", "--width", 2, "--level", "1/141")
    assert (below["level"], below["min_loss"], below["components"], below["orbits"]) == ("1/141", "0", 4, 2)
    at = topology(capsys, "p.json", "--width", 2, "--level", "1/140")
    assert (at["components"], at["orbits"], at["barriers"]) == (1, 1, [["0"]])
    decimal = topology(capsys, "p.json", "--width", 2, "--level", "0.01")
    assert (decimal["level"], decimal["components"]) == ("1/100", 1)
    stairs = topology(capsys, "p.json", "--widths", "1,3", "--level", "0")
    assert set(stairs) == {"schema", "widths"}
    assert [(s["min_loss"], s["components"], s["representatives"] == []) for s in stairs["widths"]] == [
        ("1/140", 0, True),
        ("0", 1, False),
    ]


def test_a_level_that_is_out_of_reach(folder, capsys):
    """Oracle: the least loss 1/140, hand-worked; it is named, and what is known is printed and certified."""
    words = ["topology", "p.json", "--width", 1, "--level", 0, "--certificate", "c.json", "--json", "-"]
    status, out, err = call(capsys, *words)
    assert status == 2
    assert "1/140" in err
    assert err.count("\n") == 1
    assert [json.loads(out)[key] for key in ("components", "min_loss", "representatives")] == [0, "1/140", []]
    assert call(capsys, "check", "c.json", "--problem", "p.json")[0] == 0


MUTATIONS = {
    "c.json": [
        lambda c: c["statement"].update(components=5),
        lambda c: c["statement"].update(orbits=1),
        lambda c: c["statement"].update(level="1/140"),
        lambda c: c["statement"]["representatives"].reverse() or c["statement"]["representatives"].pop(),
        lambda c: c["evidence"]["nus"].pop(),
        lambda c: c["evidence"]["points"].pop(),
        lambda c: c.update(kind="barrier"),
        lambda c: c.pop("evidence"),
    ],
    "c-minimum.json": [
        lambda c: c["statement"].update(value="1/1000"),
        lambda c: c["statement"].update(width=1, point=c["statement"]["point"][:1]),
        lambda c: c["statement"]["point"][0].update(s=-c["statement"]["point"][0]["s"]),
    ],
    "c-barrier-0-2.json": [
        lambda c: c["statement"].update(value="1/139"),
        lambda c: c["statement"].update(value="1/141"),
        lambda c: c["evidence"]["nus"].clear(),
        lambda c: c["evidence"]["points"].pop(1),
        lambda c: c["statement"].update(end=c["statement"]["start"]),
    ],
    "c-region-avoids-0.json": [
        lambda c: c["statement"].update(level="1/140"),
        lambda c: c["evidence"]["avoid"].pop(),
        lambda c: c["evidence"]["avoid"][0].update(nu=["0", "0", "0"]),
        lambda c: c["evidence"]["avoid"][0]["cell"].reverse(),
    ],
}


def test_certificates_are_accepted_and_mutations_rejected(folder, capsys):
    """Oracle: certificate; the checker derives all from the problem file. Each mutation is false or lacks evidence."""
    write("p.json", EXAMPLE | {"region": {"norm": "linf", "radius": 0.6}})
    found = topology(capsys, "p.json", "--width", 2, "--certificate", "c.json")
    verdicts = {entry["orbit"]: entry["verdict"] for entry in found["orbits_in_region"]}
    assert sorted(verdicts.values()) == ["avoids", "meets"]
    assert verdicts[0] == "avoids"
    assert set(found["certificates"]) == set(MUTATIONS) == {path.name for path in folder.glob("c*.json")}
    rejected = 0
    for name, mutations in MUTATIONS.items():
        status, out, err = call(capsys, "check", name, "--problem", "p.json")
        assert (status, err) == (0, ""), out
        assert out.startswith("accepted: ")
        assert "\n" not in out.strip()
        certificate = json.loads(Path(name).read_text())
        for k, mutate in enumerate(mutations):
            changed = copy.deepcopy(certificate)
            mutate(changed)
            write("mutated.json", changed)
            status, out, _ = call(capsys, "check", "mutated.json", "--problem", "p.json", "--json", "-")
            assert (status, json.loads(out)["accepted"]) == (1, False), (name, k)
            rejected += 1
        write("mutated.json", Path(name).read_text()[:-20])
        status, _, err = call(capsys, "check", "mutated.json", "--problem", "p.json")
        assert status == 2
        assert "not valid JSON" in err
    with capsys.disabled():
        print(f"\nmodeconn check: {rejected} mutations rejected")
    assert rejected >= 20


def test_certificates_of_another_problem(folder, capsys):
    """Oracle: by construction; the targets differ. The digest only explains: the same problem in other words passes."""
    topology(capsys, "p.json", "--width", 2, "--certificate", "c.json")
    write("q.json", EXAMPLE | {"y": [0, 1, 2]})
    status, out, _ = call(capsys, "check", "c.json", "--problem", "q.json")
    assert status == 1
    assert out.endswith("(the certificate names another problem file)\n")
    write("q.json", json.dumps(EXAMPLE | {"ridge": "0", "comment": "the same"}, indent=3))
    assert call(capsys, "check", "c.json", "--problem", "q.json")[0] == 0
    certificate = json.loads(Path("c.json").read_text())
    certificate["statement"]["components"] = 3
    write("c.json", certificate)
    status, out, _ = call(capsys, "check", "c.json", "--problem", "p.json")
    assert status == 1
    assert "another problem" not in out


def test_check_takes_a_limit_on_cells(folder, capsys):
    """Oracle: by construction; 12 types for 2 neurons are 144 ordered cells."""
    topology(capsys, "p.json", "--width", 2, "--certificate", "c.json")
    assert call(capsys, "check", "c.json", "--problem", "p.json", "--max-cells", 144)[0] == 0
    status, out, _ = call(capsys, "check", "c.json", "--problem", "p.json", "--max-cells", 143)
    assert status == 1
    assert "max_cells = 143" in out


def test_decimals_are_taken_as_written(folder, capsys):
    """Oracle: exact arithmetic; a prediction 1/10 has loss 0 for the target 0.1, and not for the float beside it.

    Weights of a segment problem stay the floats that they are read as.
    """
    write("p.json", '{"X": [[1.0], [-1e0]], "y": [0.1, 0.30000000000000000001], "region": null}')
    found = topology(capsys, "p.json", "--width", 2, "--certificate", "c.json")
    assert found["min_loss"] == "0"
    assert {neuron["u"][0] for neuron in found["representatives"][0]} == {"1/10", "-30000000000000000001/10" + "0" * 19}
    assert call(capsys, "check", "c.json", "--problem", "p.json")[0] == 0
    floats = {"X": [["1"], ["-1"]], "y": [str(Fraction(0.1)), "3/10"]}
    assert not check_certificate("c.json", floats).accepted
    write("c.json", json.loads(Path("c.json").read_text()) | {"statement": {"level": 0.0}})
    assert call(capsys, "check", "c.json", "--problem", "p.json")[0] == 1

    first, last = ([[0.1]], None, None), ([[0.7]], None, None)
    exact = segment_enclosure(first, last, [[1]], [0.1], baseline="endpoint_max")
    write("c.json", barrier_certificate(exact, "endpoint_max"))
    write("s.json", '{"nets": [{"W": [[0.1]]}, {"W": [[0.7]]}], "X": [[1]], "Y": [0.1]}')
    assert call(capsys, "check", "c.json", "--problem", "s.json")[0] == 0
    write("s.json", '{"nets": [{"W": [["0.1"]]}, {"W": [["0.7"]]}], "X": [[1]], "Y": ["0.1"]}')
    assert call(capsys, "check", "c.json", "--problem", "s.json")[0] == 1


@pytest.mark.parametrize(
    ("norm", "radius", "met"), [("linf", "3/5", {1}), ("spectral", "7/10", {0}), ("linf", 9, {0, 1})]
)
def test_regions(folder, capsys, norm, radius, met):
    """Oracle: hand-worked; the box of radius 3/5 meets one orbit only, the spectral ball of radius 7/10 the other."""
    write("p.json", EXAMPLE | {"region": {"norm": norm, "radius": radius}})
    found = topology(capsys, "p.json", "--width", 2)
    entries = found["orbits_in_region"]
    assert [entry["orbit"] for entry in entries] == [0, 1]
    assert {entry["orbit"] for entry in entries if entry["verdict"] == "meets"} == met
    assert all(entry["verdict"] in ("meets", "avoids") for entry in entries)
    for entry in entries:
        assert (entry["gauge"] < 1) == (entry["verdict"] == "meets") == (entry["point"] is not None)
        if entry["point"] is not None:
            assert point_loss(problem_from_json(EXAMPLE), point_from_json(entry["point"])) == 0


def test_two_barriers_that_differ():
    """Oracle: the matrix of barriers itself; exchanging neurons lowers the barrier from 15/26 to 1/70."""
    result = level_set_result(Landscape(problem_from_json(WITNESS)), 2, None, 1000)
    record = topology_record(result)
    levels, orbit_of = result.matrix.levels, record["orbit_of"]
    across = [levels[i][j] for i in range(4) for j in range(4) if orbit_of[i] != orbit_of[j]]
    assert Fraction(record["orbit_barrier"]) == min(across) == Fraction(1, 70)
    assert Fraction(record["barrier"]) == max(map(max, levels)) == Fraction(15, 26)
    stated = [c["statement"]["value"] for suffix, c in result.certificates() if "barrier" in suffix]
    assert stated == ["1/70", "15/26"]


def test_in_words_and_pictures(folder, capsys):
    """Oracle: by construction; the numbers of the JSON are in the text, and the pictures are what their names say."""
    words = ["topology", "p.json", "--width", 2, "--widths", "1:3"]
    status, out, err = call(capsys, *words, "--figure", "f.svg", "--certificate", "c.json", "--json", "j.json")
    assert (status, err) == (0, "")
    assert out.startswith("width 2: 4 components in 2 orbits of the set of loss <= 0; least loss 0; 78 cells")
    assert "1/140" in out
    assert "certificate: c-barrier-0-2.json" in out
    assert json.loads((folder / "j.json").read_text())["components"] == 4
    text = " ".join(ElementTree.parse(folder / "f.svg").getroot().itertext())
    assert "1/140" in text
    assert "width m" in text
    assert call(capsys, "topology", "p.json", "--widths", "1:2", "--figure", "f.png")[0] == 0
    assert (folder / "f.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("problem", "words", "said"),
    [
        ('{"X": [[1, NaN]], "y": [1]}', ["--width", 1], "NaN"),
        ('{"X": [[1, Infinity]], "y": [1]}', ["--width", 1], "Infinity"),
        ({"X": [["sqrt(2)"]], "y": [1]}, ["--width", 1], "X[0][0]"),
        ({"X": [["nan"]], "y": [1]}, ["--width", 1], "finite rational"),
        ({"X": [[1], [1, 2]], "y": [1, 2]}, ["--width", 1], "one length"),
        ('{"X": [[1]], "y": [1', ["--width", 1], "JSON"),
        ("[]", ["--width", 1], "object"),
        (EXAMPLE | {"ridge": "1/10"}, ["--width", 2, "--figure", "f.png"], "ridge"),
        (EXAMPLE | {"region": {"norm": "nuclear", "radius": 1}}, ["--width", 2], "nuclear"),
        (EXAMPLE | {"regio": None}, ["--width", 2], "did you mean 'region'"),
        (EXAMPLE, [], "--width"),
        (EXAMPLE, ["--width", 0], "--width"),
        (EXAMPLE, ["--widths", "3:1"], "empty range"),
        (EXAMPLE, ["--widths", "0:2"], "at least 1"),
        (EXAMPLE, ["--width", 2, "--level", "pi"], "--level"),
        (EXAMPLE, ["--width", 2, "--level=-1"], "least loss"),
        (EXAMPLE, ["--width", 3, "--max-cells", 363], "364 cells"),
        (EXAMPLE, ["--widths", "1:40"], "MiB"),
        (EXAMPLE, ["--widths", "1:2", "--certificate", "c.json"], "--width"),
        (EXAMPLE, ["--width", 2, "--certificate", "no/c.json"], "create the folder"),
        (EXAMPLE, ["--width", 2, "--figure", "f.pdf"], ".svg or .png"),
    ],
)
def test_bad_input_is_one_line(folder, capsys, problem, words, said):
    """Oracle: by construction; exit 2, one line on standard error that names what is wrong, no file written."""
    write("p.json", problem)
    status, out, err = call(capsys, "topology", "p.json", *words)
    assert status == 2
    assert err.startswith("modeconn: error: ")
    assert err.count("\n") == 1
    assert said in err
    assert "internal" not in err
    assert out == "" or "--level=-1" in words
    assert [path.name for path in folder.iterdir()] == ["p.json"]


def test_missing_files(folder, capsys):
    """Oracle: by construction."""
    assert call(capsys, "topology", "none.json", "--width", 1)[0] == 2
    assert call(capsys, "check", "none.json", "--problem", "p.json")[0] == 2
    assert call(capsys, "check", "p.json", "--problem", "none.json")[0] == 2
    assert call(capsys, "check", "p.json", "--problem", "p.json")[0] == 1  # an object, but no certificate


RIDGE = {"X": [["-1.7320508075688772", 1], ["1.7320508075688772", 1]], "y": [1, 1], "ridge": "0.1"}


@pytest.mark.parametrize(("width", "components"), [(1, 1), (2, 3), (3, 1)])
def test_a_ridge_term_is_decided_by_intervals(tmp_path, monkeypatch, capsys, width, components):
    """Closed form (Kim, Mishkin, Pilanci 2025): optimum beta - beta^2/4; 1, 3 and 1 components; B(beta) at width 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps(RIDGE))
    assert main(["topology", "p.json", "--width", str(width), "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    low, high = record["min_loss"]
    assert low <= 0.0975 + 1e-12
    assert high >= 0.0975 - 1e-12
    assert high - low < 1e-8
    assert (record["components"], record["undecided"]) == (components, 0)
    if width == 2:
        expected = 0.0975 + 0.5 * ((2 / 3**0.5 - 1) * 0.1 - 0.01 / 12)
        highest = max(high for row in record["barriers"] for _, high in row)
        assert highest == pytest.approx(expected, abs=1e-9)


def test_inside_needs_a_region_and_gives_no_certificate(tmp_path, monkeypatch, capsys):
    """By construction: one clear line, status 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps(EXAMPLE))
    (tmp_path / "r.json").write_text(json.dumps(RIDGE))
    for words in (["p.json", "--width", "2", "--inside"], ["r.json", "--width", "2", "--certificate", "c.json"]):
        assert main(["topology", *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1
