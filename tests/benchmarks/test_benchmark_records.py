"""Records of benchmarks: what is written, what is refused, and when nothing is timed."""

from __future__ import annotations

import copy
import importlib
import itertools
import json
import sys
from pathlib import Path

import pytest
import records
from records import Times, gate, growth, record, rounds, write_records
from schema import check_document, read_document

from modeconn.errors import InputError

BENCHMARKS = Path(records.__file__).parent
SCRIPTS = sorted(path.stem for path in BENCHMARKS.glob("bench_*.py"))
NAN, INF = float("nan"), float("inf")


def test_a_written_file_reads_back_as_it_was(tmp_path, rows, capsys):
    """Conserved quantity: the records of the file are those given; more numbers stand beside them."""
    target = tmp_path / "x.json"
    rows[2] = record(
        "demo", "third", 0.5, size={"n": 4}, gate=0.0, growth=[growth("all", "n", 4, 16.0, "n^2")], extra=[1, None]
    )
    write_records(str(target), rows, quick=True)
    document = read_document(target)
    assert document["records"] == rows
    assert document["quick"] is True
    assert {"device", "cpus", "commit", "modified", "load_before", "load"} <= set(document["environment"])
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert "[met: <= 3 s]" in printed[0]
    assert "[missed: <= 3 s]" in printed[1]


def test_ratios_are_those_of_the_times(rows):
    """Closed form: 6 / 2 against the first peer, 1 / 4 of the floor."""
    assert rows[0]["speedup"] == 3.0
    assert rows[1]["floor_share"] == 0.25
    assert [row["outcome"] for row in rows] == ["met", "missed", "no goal"]


WRONG = {
    "gate not a number": (1, {"gate_error": NAN}, "gate_error"),
    "gate infinite": (0, {"gate_error": INF}, "gate_error"),
    "gate negative": (0, {"gate_error": -1e-9}, "gate_error"),
    "gate above what is allowed": (1, {"gate_error": 2e-8}, "allowed"),
    "gate is text": (0, {"gate_error": "0"}, "gate_error"),
    "gate is a truth value": (0, {"gate_error": False}, "gate_error"),
    "met without a goal": (2, {"outcome": "met"}, "outcome"),
    "a goal without an outcome": (0, {"outcome": "no goal"}, "outcome"),
    "another outcome": (0, {"outcome": "almost"}, "outcome"),
    "no goal in words": (1, {"goal": None}, "outcome"),
    "met by more time than there was": (1, {"outcome": "met"}, "do not go with"),
    "missed in time": (0, {"outcome": "missed"}, "do not go with"),
    "no time": (2, {"seconds": 0.0}, "seconds"),
    "time not a number": (2, {"seconds": NAN}, "seconds"),
    "peer without time": (0, {"peers": {"loop": 6.0, "other": 0.0}}, "other"),
    "peer negative": (0, {"peers": {"loop": -6.0}, "speedup": -3.0}, "loop"),
    "peer infinite": (0, {"peers": {"loop": 6.0, "other": INF}}, "other"),
    "peer is text": (0, {"peers": {"loop": "6"}}, "loop"),
    "speedup of another time": (0, {"speedup": 3.5}, "speedup"),
    "speedup without a peer": (2, {"speedup": 2.0}, "speedup"),
    "peer without a speedup": (0, {"speedup": None}, "speedup"),
    "floor that counts nothing": (1, {"bound": None}, "floor"),
    "what is counted without a floor": (2, {"bound": "bytes"}, "floor"),
    "share of another floor": (1, {"floor_share": 0.5}, "floor_share"),
    "floor of nothing": (1, {"floor_seconds": 0.0, "floor_share": 0.0}, "floor_seconds"),
    "size is a number": (0, {"size": 3}, "size"),
    "one study instead of a list": (2, {"growth": {"x": 1}}, "growth"),
    "study without its cost": (2, {"growth": [{"series": "a", "over": "n", "x": 1, "cost_is": "n"}]}, "cost"),
    "study at size 0": (2, {"growth": [growth("a", "n", 0, 1.0, "n")]}, "growth x"),
    "case twice": (1, {"case": "first"}, "first"),
    "two benchmarks": (1, {"benchmark": "other"}, "benchmark"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_inconsistent_record_is_refused(document, name):
    """By construction: one entry is made wrong; the message is one line that names it."""
    check_document(document, "x.json")
    which, change, word = WRONG[name]
    document["records"][which].update(change)
    with pytest.raises(InputError, match=word) as raised:
        check_document(document, "x.json")
    assert str(raised.value).startswith("x.json")
    assert "\n" not in str(raised.value)


def test_every_entry_is_asked_for(document):
    """By construction: without any one of the entries that records had from the beginning, a file is refused."""
    for part in (("environment",), ("records", 0)):
        names = list(document[part[0]] if len(part) == 1 else document["records"][0])
        for name in set(names) - {"gate_allowed", "growth", "processor", "load_before", "modified"}:
            cut = copy.deepcopy(document)
            del (cut[part[0]] if len(part) == 1 else cut["records"][0])[name]
            with pytest.raises(InputError, match=name):
                check_document(cut, "x.json")


OLDER = (
    {"benchmark": "barrier", "sizes": {"n": 5}, "rows": [{"name": "exact", "ms": 1.0}]},
    {"environment": {"device": "cpu"}, "records": [{"outcome": "met", "ratio": 1.4}]},
    {"schema": "modeconn.benchmark/0", "records": []},
    [1, 2],
    None,
)


@pytest.mark.parametrize("content", OLDER)
def test_a_file_of_another_form_says_what_to_do(tmp_path, content):
    """By construction: forms that earlier versions wrote, and no records at all."""
    target = tmp_path / "old.json"
    target.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"old\.json: expected records of the form .*; measure it again"):
        read_document(target)


def test_every_cut_file_is_noticed(tmp_path, document):
    """By construction: no proper prefix of a file of records reads as one."""
    target, text = tmp_path / "cut.json", json.dumps(document, indent=1)
    target.write_text(text)
    assert read_document(target) == document
    for length in (*range(0, len(text), 37), len(text) - 1):
        target.write_text(text[:length])
        with pytest.raises(InputError, match=r"cut\.json: expected JSON, found a cut or damaged file"):
            read_document(target)
    with pytest.raises(InputError, match="cannot be read"):
        read_document(tmp_path / "none.json")


def test_what_is_refused_is_not_written(tmp_path, rows):
    """Conserved quantity: the file that was there keeps its bytes."""
    target = tmp_path / "x.json"
    write_records(str(target), rows)
    before = target.read_bytes()
    for name, value in (("gate_error", NAN), ("outcome", "almost")):
        changed = [{**rows[0], name: value}, *rows[1:]]
        with pytest.raises(InputError, match=name):
            write_records(str(target), changed)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize(("error", "passes"), [(0.0, True), (1e-9, True), (1.1e-9, False), (INF, False), (NAN, False)])
def test_the_gate(error, passes):
    """Closed form: passes iff error <= 1e-9; not a number does not."""
    if passes:
        assert gate("case", error, 1e-9) == error
    else:
        with pytest.raises(SystemExit, match=r"case: .* nothing was timed"):
            gate("case", error, 1e-9)


def test_times_are_taken_in_turns_after_warming_up(monkeypatch):
    """By construction: a clock that each call moves by a known amount, the first call by more."""
    now, order, ticks = (
        [0.0],
        [],
        {"a": itertools.chain([100.0], [5.0, 3.0, 4.0]), "b": itertools.chain([50.0], [1.0] * 3)},
    )

    def call(name):
        order.append(name)
        now[0] += next(ticks[name])

    monkeypatch.setattr(records.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(records.time, "process_time", lambda: 2 * now[0])
    found = rounds({name: lambda name=name: call(name) for name in ticks}, 3)
    assert order == ["a", "b"] * 4
    assert found == {"a": Times(3.0, 4.0, 6.0), "b": Times(1.0, 1.0, 2.0)}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_benchmark_takes_the_same_options(monkeypatch, capsys, script):
    """By construction: each is called as on the command line."""
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    with pytest.raises(SystemExit) as left:
        importlib.import_module(script).main()
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "--json FILE" in shown
    assert "--quick" in shown
