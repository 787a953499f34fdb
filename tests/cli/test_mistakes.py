"""What a first-time user types wrong, command by command: one line that says what to do, exit 2, no traceback."""

import json

import numpy as np
import pytest

from modeconn.cli import main
from modeconn.cli.main import COMMANDS
from modeconn.io import write_net
from modeconn.nets import Net

EXAMPLE = {"X": [[-1, -2], [3, 0], [2, -1]], "y": [0, 1, 1]}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of good files and bad ones."""
    folder = tmp_path_factory.mktemp("mistakes")
    rng = np.random.default_rng(0)

    def net(name, d=2, m=12, c=1, **bias):
        write_net(folder / name, Net(rng.normal(size=(d, m)) / 4, rng.normal(size=(c, m)) / 4, **bias))

    net("a.npz")
    net("b.npz")
    net("narrow.npz", m=5)
    net("d3.npz", d=3)
    net("c2.npz", c=2)
    net("bias.npz", b=np.zeros(12))
    X, y = rng.normal(size=(3, 2)), rng.normal(size=3)
    arrays = {
        "data": {"X": X, "y": y}, "nan": {"X": np.full((3, 2), np.nan), "y": y}, "keys": {"A": y},
        "d3data": {"X": np.ones((3, 3)), "y": y}, "y2": {"X": X, "y": np.ones((3, 2))}, "short": {"X": X, "y": y[:2]},
        "none": {"X": X[:0], "y": y[:0]}, "words": {"X": np.array([["a", "b"]]), "y": y[:1]}, "flat": {"X": y, "y": y},
    }  # fmt: skip
    for name, found in arrays.items():
        np.savez(folder / f"{name}.npz", **found)
    (folder / "torn.npz").write_bytes((folder / "a.npz").read_bytes()[:200])
    (folder / "empty.npz").write_bytes(b"")
    (folder / "binary.json").write_bytes(bytes(range(256)))
    texts = {
        "p.json": json.dumps(EXAMPLE), "ridge.json": json.dumps(EXAMPLE | {"ridge": "1/10"}), "e.json": "{}",
        "torn.json": '{"X": [[1', "list.json": "[1]", "deep.json": "[" * 5000, "nan.json": '{"X": [[NaN]], "y": [1]}',
        "ragged.json": '{"X": [[1, 2], [3]], "y": [1, 2]}', "text.json": '{"X": [[1]], "y": ["x"]}', "file": "x",
        "extra.json": '{"X": [[1]], "y": [1], "lambda": 3}', "zero.json": '{"X": [[1, 2]], "y": [0]}',
        "words.csv": "a,b\n1,x\n", "ragged.csv": "1,2,3\n1,2\n", "empty.csv": "", "notes.txt": "hello",
        "wrong.toml": '[[job]]\nfamily = "segment-bariers"\ninstances = 1\n', "torn.toml": "seed = [",
        "claims.py": "x = 1\n",
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "folder").mkdir()
    return folder


PAIR, DATA, BALL = "a.npz b.npz ", "--data data.npz ", "--region spectral:2 "
MISTAKES = {
    "barrier": [
        ("a.npz", "required: B, --data"),
        ("a.npz missing.npz " + DATA, "no such file"),
        ("a.npz folder " + DATA, ".npz or .safetensors"),
        ("a.npz notes.txt " + DATA, ".npz or .safetensors"),
        ("a.npz keys.npz " + DATA, "no W"),
        ("a.npz empty.npz " + DATA, "empty"),
        ("a.npz torn.npz " + DATA, "not a readable .npz"),
        ("a.npz narrow.npz " + DATA, "equal widths"),
        ("a.npz d3.npz " + DATA, "equal shapes"),
        ("a.npz c2.npz " + DATA, "equal shapes"),
        ("a.npz bias.npz " + DATA, "both or neither"),
        (PAIR + "--data d3data.npz", "shape (n, 2)"),
        (PAIR + "--data nan.npz", "NaN"),
        (PAIR + "--data keys.npz", "X (n, d)"),
        (PAIR + "--data short.npz", "reshape"),
        (PAIR + "--data none.npz", "at least one row"),
        (PAIR + "--data words.npz", "real numbers"),
        (PAIR + "--data flat.npz", "reshape"),
        (PAIR + "--data y2.npz", "(3, 1)"),
        (PAIR + "--data words.csv", "not a number"),
        (PAIR + "--data ragged.csv", "expected 3"),
        (PAIR + "--data empty.csv", "empty"),
        (PAIR + "--data dgits", "'digits'"),
        (PAIR + DATA + "--method certifed", "'certified'"),
        (PAIR + DATA + "--baseline linaer", "'linear'"),
        (PAIR + DATA + "--loss mse", "cross_entropy"),
        (PAIR + DATA + "--loss logistic", "{-1, +1}"),
        (PAIR + DATA + "--points 1 --method grid", "at least 2"),
        (PAIR + DATA + "--points 1000000000000 --method grid", "at most"),
        (PAIR + DATA + "--json folder", "it is a folder"),
        (PAIR + DATA + "--json file/x.json", "not a folder"),
        (PAIR + DATA + "--basline linear", "see modeconn barrier --help"),
    ],
    "connect": [
        (PAIR + DATA, "required: --region"),
        ("a.npz missing.npz " + DATA + BALL, "no such file"),
        ("a.npz narrow.npz " + DATA + BALL, "equal widths"),
        ("a.npz d3.npz " + DATA + BALL, "equal shapes"),
        (PAIR + "--data nan.npz " + BALL, "NaN"),
        (PAIR + DATA + "--region spectrl:2", "'spectral'"),
        (PAIR + DATA + "--region spectral", "NORM:RADIUS"),
        (PAIR + DATA + "--region spectral:x", "rational"),
        (PAIR + DATA + "--region spectral:-1", "> 0"),
        (PAIR + DATA + "--region spectral:nan", "rational"),
        (PAIR + DATA + "--region schatten:2", "'schatten:P'"),
        (PAIR + DATA + "--region schatten:1:9", "p >= 2"),
        (PAIR + DATA + "--region schatten:3:9 --certificate c.json", "even p"),
        (PAIR + DATA + "--region schatten:2.5:9 --certificate c.json", "even p"),
        (PAIR + DATA + "--region schatten:4:9&schatten:7:9 --certificate c.json", "even p"),
        (PAIR + DATA + "--region linf:1,spectral:2,linf:3", "or two of them"),
        (PAIR + DATA + "--region spectral:0.001", "enlarge the region"),
        ("c2.npz c2.npz --data y2.npz --region linf:20", "one output only"),
        ("c2.npz c2.npz --data y2.npz --region spectral:20,linf:20", "one output only"),
        (PAIR + DATA + BALL + "--construction taucimb", "'tau-climb'"),
        (PAIR + DATA + BALL + "--construction scaled-cells", "not meant for"),
        (PAIR + DATA + BALL + "--certificate no/c.json", "existing folder"),
        (PAIR + DATA + BALL + "--plot p.jpg", ".svg"),
        (PAIR + DATA + BALL + "--path p.json", ".npz"),
        (PAIR + DATA + BALL + "--points 1000000000000", "at most"),
        (PAIR + DATA + BALL + "--loss logistic --certificate c.json", "half_squared_error only"),
        (PAIR + DATA + BALL + "--certificate c.json --problem c.json", "a file of its own"),
    ],
    "check": [
        ("", "required: CERT, --problem"),
        ("missing.json --problem p.json", "cannot read"),
        ("torn.json --problem p.json", "not valid JSON"),
        ("e.json --problem torn.json", "not valid JSON"),
        ("e.json --problem folder", "directory"),
        ("binary.json --problem p.json", "not valid JSON"),
        ("list.json --problem p.json", "expected a JSON object"),
        ("deep.json --problem p.json", "nested too deeply"),
        ("e.json --problem nan.json", "NaN"),
        ("e.json --problem p.json --max-cells 0", "at least 1"),
    ],
    "train": [
        ("--data missing.npz", "no such file"),
        ("--data nan.npz", "NaN"),
        (DATA + "--optimizer moun", "'muon'"),
        (DATA + "--width 0", "at least 1"),
        (DATA + "--width 999999999999", "10^9 weights"),
        (DATA + "--seeds 5000000000", "2^32"),
        (DATA + "--learning-rate nan", "finite"),
        (DATA + "--weight-decay -1", ">= 0"),
        (DATA + "--steps 0", "at least 1"),
        (DATA + "--schedule cosin", "'cosine'"),
        (DATA + "--loss mse", "cross_entropy"),
        (DATA + "--dtype float16", "float32"),
        (DATA + "--out file", "expected a folder"),
        (DATA + "--out file/x", "cannot make the folder"),
        (DATA + "--out /proc/none", "cannot make the folder"),
    ],
    "topology": [
        ("missing.json --width 2", "problem file"),
        ("p.json", "--width M or --widths A:B"),
        ("torn.json --width 2", "JSON"),
        ("list.json --width 2", "object"),
        ("deep.json --width 2", "JSON"),
        ("a.npz --width 2", "JSON"),
        ("ragged.json --width 2", "row lengths"),
        ("text.json --width 2", "rational"),
        ("extra.json --width 2", "unknown key"),
        ("p.json --width 40", "too large"),
        ("p.json --widths 1:10000", "too large"),
        ("ridge.json --widths 1:9999", "too large"),
        ("p.json --width 2 --level x", "rational"),
        ("p.json --width 2 --inside", "region"),
        ("p.json --width 2 --figure f.jpg", ".svg"),
        ("p.json --width 2 --figure no/f.svg", "folder"),
        ("p.json --widths 1:2 --certificate c.json", "name the width"),
    ],
    "optima": [
        ("missing.json", "problem file"),
        ("p.json", "ridge > 0"),
        ("torn.json", "JSON"),
        ("e.json", '"X"'),
        ("folder", "problem file"),
        ("binary.json", "JSON"),
        ("ridge.json --widths 0:2", "at least 1"),
        ("ridge.json --widths 60", "too large"),
        ("ridge.json --widths 1:10000", "too large"),
        ("ridge.json --certificate no/c.json", "folder that exists"),
    ],
    "witness": [
        ("--d 0", "at least 1"),
        ("--d 100", "at most 6"),
        ("--n 0:2", "at least 1"),
        ("--n 200", "at most 24 different points"),
        ("--budget 1d", "60s, 10m or 2h"),
        ("--jobs 100000", "workers on this machine"),
        ("--seed -1", "at least 0"),
        ("--problem missing.json", "problem file"),
        ("--problem torn.json", "JSON"),
        ("--problem p.json --width 1", "width 1"),
        ("--out file", "expected a folder"),
    ],
    "phase-diagram": [
        ("missing.json", "problem file"),
        ("ridge.json", "no ridge term"),
        ("p.json --data diabetes", "found both"),
        ("--points 5", "expected --data"),
        ("--data digits", "one output"),
        ("p.json --lambda-a 2:1", "low < high"),
        ("p.json --lambda-a 1:2:100000000", "1000 values"),
        ("p.json --lambda-m 1,1", "one twice"),
        ("p.json --widths 1:1000", "at most 100 widths"),
        ("p.json --level -1", ">= 0"),
        ("p.json --out file", "expected a folder"),
        ("p.json --out file/x", "cannot make the folder"),
    ],
    "reproduce": [
        ("staircas", "'staircase'"),
        ("width --profile qick", "'quick'"),
        ("width --seed -1", "at least 0"),
        ("width --out file", "expected a folder"),
        ("width --out file/x", "cannot make the folder"),
        ("width staircase", "see modeconn reproduce --help"),
    ],
    "claims": [
        ("L9", "unknown claim"),
        ("L1 L2", "see modeconn claims --help"),
        ("--graph g.png", ".svg"),
        ("--graph no/g.svg", "create it first"),
        ("--verdicts folder", "--graph"),
        ("--graph g.svg --verdicts missing", "cannot read"),
        ("--graph g.svg --verdicts p.json", "not a verdicts.json"),
        ("--graph g.svg --verdicts deep.json", "not a verdicts.json"),
    ],
    "replay": [
        ("", "required: FILE"),
        ("missing.json", "cannot read"),
        ("torn.json", "not a complete JSON"),
        ("e.json", "schema"),
        ("folder", "directory"),
        ("deep.json", "nested too deeply"),
    ],
    "verify": [
        ("--claim L9", "unknown claim"),
        ("--profile quik", "'quick'"),
        ("missing.py", "cannot read"),
        ("claims.py", "CLAIMS"),
        ("--claim L1 --out file", "expected a folder"),
    ],
    "campaign": [
        ("", "SPEC.toml"),
        ("missing.toml", "cannot read"),
        ("torn.toml", "not valid TOML"),
        ("wrong.toml", "'segment-barrier'"),
        ("folder", "directory"),
    ],
}


def test_every_command_is_here():
    """Oracle: the registry of commands."""
    assert set(MISTAKES) == set(COMMANDS)


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [(command, *case) for command, cases in MISTAKES.items() for case in cases],
    ids=lambda value: str(value).strip(),
)
def test_a_mistake_is_one_line_and_exit_two(place, capsys, monkeypatch, command, words, said):
    """By construction: nothing on standard output, one line on standard error that names the fault."""
    monkeypatch.chdir(place)
    status = main([command, *words.split()])
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    assert captured.err.startswith("modeconn: error: ")
    assert captured.err.count("\n") == 1
    assert said.lower() in captured.err.lower()


def test_schatten_balls_without_a_certificate(place, capsys, monkeypatch):
    """By construction: odd and fractional p have paths; only certificates need an even p."""
    monkeypatch.chdir(place)
    for region in ("schatten:3:9", "schatten:2.5:9"):
        status = main(["connect", "a.npz", "b.npz", "--data", "data.npz", "--region", region])
        assert (status, capsys.readouterr().out.startswith("path built")) == (0, True)


def test_too_little_memory_is_bad_input(place, capsys, monkeypatch):
    """By construction: no traceback, no call for a bug report."""
    monkeypatch.chdir(place)

    def full(*_, **__):
        raise MemoryError("Unable to allocate 7.11 PiB")

    monkeypatch.setattr("modeconn.paths.barrier_certified", full)
    assert main(["barrier", "a.npz", "b.npz", "--data", "data.npz"]) == 2
    assert capsys.readouterr().err == (
        "modeconn: error: out of memory: Unable to allocate 7.11 PiB; ask for less at once\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_the_same_things_the_same_way(capsys, command):
    """Oracle: house rules; every option has a help text, exit codes stand below, defaults read '(default ...)'."""
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert left.value.code == 0
    assert text.startswith(f"usage: modeconn {command} ")
    assert text.endswith("exit status: 0 held, 1 refuted, 2 bad input, 3 undecided")
    assert "--json FILE|- write the result as JSON to FILE, or to standard output with -" in text
    if command not in ("verify", "campaign"):
        assert "(default)" not in text
