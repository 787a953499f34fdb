"""All benchmarks in one command: everything is run, failures are named, records of failed runs stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import run

WRITES = "import sys; open(sys.argv[sys.argv.index('--json') + 1], 'w').write('new')\n"
SCRIPTS = {
    "bench_fleet.py": WRITES,
    "bench_bad.py": WRITES + "raise SystemExit('the answer is off; nothing was timed')\n",
    "bench_silent.py": "",
    "bench_two_words.py": WRITES,
    "table.py": "import sys, pathlib; pathlib.Path(sys.argv[2], 'README.md').write_text(' '.join(sys.argv[3:]))\n",
}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder of made-up benchmarks on a machine with two cores; returns (arguments) -> exit status."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    monkeypatch.setattr(run, "HERE", folder)
    monkeypatch.setattr(run, "probe", lambda: ("cpu", "cpu", 1, 2))
    return lambda *arguments: run.main([*map(str, arguments)])


def test_everything_is_run_and_failures_are_named(bench, tmp_path, capfd):
    """By construction: one script fails after writing, one writes nothing; the other two count."""
    results = tmp_path / "benchmarks" / "results"
    results.mkdir()
    (results / "cpu-2-cores-bad.json").write_text("old")
    assert bench() == 1
    found = {path.name: path.read_text() for path in results.iterdir() if path.suffix == ".json"}
    assert found == {
        "cpu-2-cores-fleet.json": "new",
        "cpu-2-cores-two-words.json": "new",
        "cpu-2-cores-bad.json": "old",
    }
    assert set((results / "README.md").read_text().split()) == {str(results / name) for name in found}
    assert not list(results.glob("*.new"))
    captured = capfd.readouterr()
    assert captured.err.splitlines()[-2:] == ["bad: failed with status 1", "silent: wrote no records"]
    assert "records, page and plots" in captured.out


def test_named_benchmarks_only(bench, tmp_path):
    """By construction: status 0 if what was asked for ended well; an unknown name is refused before anything runs."""
    assert bench("two_words", "--out", tmp_path / "out") == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"cpu-2-cores-two-words.json", "README.md"}
    with pytest.raises(SystemExit) as left:
        bench("nothing", "--out", tmp_path / "none")
    assert left.value.code == 2
    assert not (tmp_path / "none").exists()


def test_what_does_not_fit_the_time_is_named(bench, tmp_path, monkeypatch, capfd):
    """By construction: the first sleeps longer than there is; the second is not begun."""
    (tmp_path / "benchmarks" / "bench_fleet.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr(run, "LEAST_SECONDS", 0.5)
    assert bench("fleet", "two_words", "--minutes", 1 / 60, "--out", tmp_path / "out") == 1
    lines = capfd.readouterr().err.splitlines()
    assert lines[-3:-1] == ["fleet: not finished in time", "two_words: not begun, no time left"] or lines[-2:] == [
        "fleet: not finished in time",
        "two_words: not begun, no time left",
    ]


def test_without_an_accelerator_nothing_is_measured(bench, tmp_path, capfd):
    """By construction: refused with status 2, in one line, before a folder is made."""
    assert bench("--accelerator", "--out", tmp_path / "out") == 2
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_accelerator_is_tested_first(bench, tmp_path, monkeypatch):
    """By construction: the checks come first, then what an accelerator is for, named after the device."""
    tasks = []
    monkeypatch.setattr(run, "probe", lambda: ("gpu", "NVIDIA H200", 2, 16))
    monkeypatch.setattr(run, "run_all", lambda given, minutes: tasks.append((given, minutes)) or {})
    bench("--accelerator", "--out", tmp_path / "out")
    ((given, minutes),) = tasks
    assert minutes == run.MINUTES
    assert [task.name for task in given] == ["tests on this device", *run.ACCELERATED]
    assert given[1].target == tmp_path / "out" / "nvidia-h200-2-fleet.json"
    assert all((Path(run.__file__).parents[1] / check).exists() for check in run.CHECKS)


def test_quick_runs_stay_out_of_the_results(bench, tmp_path, monkeypatch):
    """By construction: every script is told, and its file goes to runs/benchmarks."""
    tasks = []
    monkeypatch.setattr(run, "run_all", lambda given, minutes: tasks.append(given) or {})
    bench("--quick")
    assert {task.target.parent for task in tasks[0]} == {tmp_path / "runs" / "benchmarks"}
    assert all("--quick" in task.command for task in tasks[0])


def test_no_benchmark_is_forgotten():
    """By construction: one for each script of the folder, those for an accelerator first."""
    folder = Path(run.__file__).parent
    assert sorted(run.benchmarks()) == sorted(path.stem[6:] for path in folder.glob("bench_*.py"))
    assert tuple(run.benchmarks()[: len(run.ACCELERATED)]) == run.ACCELERATED


def test_this_machine_has_a_name():
    """By construction: the test runs on it; the process that was asked has ended."""
    backend, device, devices, cores = run.probe()
    assert devices >= 1
    assert run.machine(backend, device, devices, cores) == (
        f"cpu-{cores}-cores" if backend == "cpu" else run.slug(f"{device}-{devices}")
    )
