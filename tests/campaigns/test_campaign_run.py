"""Campaigns that are cut, killed, damaged and resumed: the same summary, nothing lost, nothing counted twice."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from modeconn.campaigns import InThisProcess, Tally, engine_from_name, run_campaign, shards, spec_from_table
from modeconn.cli import main
from modeconn.errors import InputError
from modeconn.memory import in_halves

SEGMENTS = {"family": "segment-barrier", "instances": 512 * 6, "n": 3, "d": 2, "width": 2, "points": 5}
BALLS = {"family": "ball-contraction", "instances": 1024 * 3, "rows": 1, "columns": 2, "steps": 2}
FALSE = {"family": "narrow-barrier", "instances": 32, "n": 4, "d": 2, "width": 2, "bound": "narrower"}
SPEC = spec_from_table({"seed": 1, "job": [SEGMENTS, BALLS, FALSE]}, "small")


def summary_of(folder, engine=InThisProcess, **options):
    return run_campaign(SPEC, folder, engine, **options).summary.to_json()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The summary of an undisturbed run in one process."""
    return summary_of(tmp_path_factory.mktemp("whole") / "out")


def test_every_instance_is_counted_once(whole):
    """Oracle: the specification; the false bound is refuted, the true statements are not."""
    assert [cell["instances"] for cell in whole["cells"]] == [cell.instances for cell in SPEC.cells]
    assert [cell["verdict"] for cell in whole["cells"]] == ["not refuted", "not refuted", "refuted"]
    assert whole["verdict"] == "refuted"
    assert sum(sum(cell["histogram"].values()) for cell in whole["cells"]) == whole["instances"]
    for violation in whole["cells"][2]["violations"]:
        assert violation["margin"] < 0
        assert set(violation["problem"]) == {"X", "y"}


@pytest.mark.parametrize("size", [1, 700, 10**9])
def test_the_summary_does_not_depend_on_the_shards(whole, size, tmp_path):
    """Conserved quantity: the summary, over shard sizes."""
    assert summary_of(tmp_path, shard=size) == whole


def test_two_processes_find_the_same(whole, tmp_path):
    """Conserved quantity: the summary, over engines."""
    assert summary_of(tmp_path, engine_from_name("processes", 2), jobs=2, shard=1024) == whole


def test_a_cluster_of_two_workers_finds_the_same(whole, tmp_path):
    """Conserved quantity: the summary, on a real Dask cluster on loopback."""
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    engine = engine_from_name("dask", 2)
    assert summary_of(tmp_path, engine, jobs=2, shard=1024) == whole


def test_a_cluster_that_loses_a_worker_finds_the_same(whole, tmp_path):
    """Oracle: SIGKILL to a worker of a Dask cluster while shards are out; conserved quantity: the summary."""
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    before = set(multiprocessing.active_children())
    killed = []

    class Kills:
        """A reporter that kills a worker once something is done."""

        def start(self, task, total):
            """Nothing."""

        def finish(self, task):
            """Nothing."""

        def advance(self, task, steps=1):
            """Kill once."""
            workers = sorted(set(multiprocessing.active_children()) - before, key=lambda worker: worker.pid)
            if steps and not killed:
                os.kill(workers[0].pid, signal.SIGKILL)
                killed.append(workers[0].pid)

    run = run_campaign(SPEC, tmp_path, engine_from_name("dask", 2), jobs=2, shard=512, reporter=Kills())
    assert killed
    assert run.summary.to_json() == whole


class Stopped(Exception):
    """The power goes."""


class StopsAfter(InThisProcess):
    """An executor that takes so many shards."""

    def __init__(self, count):
        self.count = count

    def submit(self, fn, /, *args, **kwargs):
        if self.count == 0:
            raise Stopped
        self.count -= 1
        return super().submit(fn, *args, **kwargs)


def test_interrupted_and_resumed_with_other_shards(whole, tmp_path):
    """Conserved quantity: the summary; the shards that were written are not worked on again."""
    with pytest.raises(Stopped):
        run_campaign(SPEC, tmp_path, lambda: StopsAfter(4), shard=512)
    kept = sorted(path.name for path in tmp_path.glob("shards/*/*.json"))
    assert kept
    run = run_campaign(SPEC, tmp_path, InThisProcess, shard=1500, resume=True)
    assert run.summary.to_json() == whole
    assert run.instances == SPEC.instances - 512 * len(kept)
    assert set(kept) <= {path.name for path in tmp_path.glob("shards/*/*.json")}


def test_a_killed_worker_costs_its_shard_only(whole, tmp_path):
    """Oracle: SIGKILL to a worker while shards are out; conserved quantity: the summary."""
    before = set(multiprocessing.active_children())

    def kill():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(tmp_path.glob("shards/*/*.json")):
            time.sleep(0.005)
        for process in set(multiprocessing.active_children()) - before:
            os.kill(process.pid, signal.SIGKILL)
            return

    killer = threading.Thread(target=kill)
    killer.start()
    run = run_campaign(SPEC, tmp_path, engine_from_name("processes", 2), jobs=2, shard=1)
    killer.join()
    assert run.lost > 0
    assert run.summary.to_json() == whole


class Dies(Executor):
    """An executor whose workers always die."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_exception(BrokenProcessPool("killed"))
        return future


def test_workers_that_always_die_end_the_run(tmp_path):
    """Oracle: by construction; a clear error in place of an endless loop."""
    with pytest.raises(InputError, match="workers died 3 times while shard segment-barrier"):
        summary_of(tmp_path, Dies)


PROGRAM = """
import signal, sys
from modeconn.cli import main
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with Ctrl-C ignored
    sys.exit(main(["campaign", sys.argv[1], "--out", sys.argv[2], "--shard", "16", "--jobs", "2"]))
"""


@pytest.fixture
def program(tmp_path):
    """The file of a campaign, and a function that starts it with two workers in the folder ``out``, two shards done."""
    spec, script, out = tmp_path / "spec.toml", tmp_path / "program.py", tmp_path / "out"
    spec.write_text('seed = 5\n[[job]]\nfamily = "narrow-barrier"\ninstances = 480\nn = 4\nd = 2\nwidth = 2\n')
    script.write_text(PROGRAM)
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, str(script), str(spec), str(out)], stderr=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        until(lambda: len(list(out.glob("shards/*/*.json"))) >= 2)
        workers = [pid for pid in children(process.pid) if "spawn_main" in command_of(pid)]
        assert len(workers) == 2
        return process, workers

    yield spec, out, start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def until(condition):
    """Wait until it is so."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def command_of(pid):
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def children(pid):
    """The processes that a process has started, read off the processes themselves."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(folder.name))
    return found


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@on_linux
def test_an_interrupted_campaign_ends_with_one_line(program, capsys):
    """Oracle: Ctrl-C to program and workers; no traceback, no process left; meanwhile the folder is taken."""
    spec, out, start = program
    spec.write_text(spec.read_text().replace("480", "1000000"))  # nothing that ends in the meantime
    process, workers = start()
    assert main(["campaign", str(spec), "--out", str(out), "--resume"]) == 2
    assert "another campaign is at work" in capsys.readouterr().err
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.decode() == "modeconn: interrupted; what was finished is on disk\n"
    until(lambda: not any(map(command_of, workers)))


@on_linux
def test_a_killed_campaign_goes_on(program, tmp_path, capsys):
    """Oracle: SIGKILL to the whole program, whose workers end with it; conserved quantity: bytes of the summary."""
    spec, killed, start = program
    whole = tmp_path / "whole"
    process, workers = start()
    process.kill()
    process.communicate()
    until(lambda: not any(map(command_of, workers)))
    assert 2 <= len(list(killed.glob("shards/*/*.json"))) < 30
    assert main(["campaign", str(spec), "--out", str(killed)]) == 2
    assert "go on with --resume" in capsys.readouterr().err
    assert main(["campaign", str(spec), "--out", str(killed), "--resume", "--shard", "100"]) == 0
    assert main(["campaign", str(spec), "--out", str(whole)]) == 0
    assert (killed / "summary.json").read_bytes() == (whole / "summary.json").read_bytes()
    assert "480" in (killed / "report.html").read_text()


@pytest.mark.parametrize("damage", ["truncated", "changed", "renamed", "empty"])
def test_a_damaged_shard_is_put_aside_and_done_again(whole, damage, tmp_path):
    """Conserved quantity: the summary; the checksum, the name and the form of the file are all watched."""
    summary_of(tmp_path, shard=1024)
    victim = sorted(tmp_path.glob("shards/segment*/*.json"))[1]
    if damage == "truncated":
        victim.write_bytes(victim.read_bytes()[:-20])
    elif damage == "changed":
        record = json.loads(victim.read_text())
        record["tally"]["instances"] += 1
        victim.write_text(json.dumps(record))
    elif damage == "renamed":
        victim.rename(victim.with_name("000000000512-000000001536.json"))
    else:
        victim.write_text("")
    run = run_campaign(SPEC, tmp_path, InThisProcess, resume=True)
    assert run.summary.to_json() == whole
    assert len(run.damaged) == 1
    assert run.instances == 1024
    assert len(list(tmp_path.glob("damaged/*/*.json"))) == 1


def test_no_flipped_bit_changes_what_is_read(tmp_path):
    """Oracle: every byte of a shard's file changed in turn: it is refused, or says what it said."""
    spec = spec_from_table({"job": [{**BALLS, "instances": 1024}]}, "one")
    run_campaign(spec, tmp_path, InThisProcess)
    (path,) = tmp_path.glob("shards/*/*.json")
    sound, wanted = path.read_bytes(), shards.ShardStore(tmp_path, spec).load()
    refused = 0
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        store = shards.ShardStore(tmp_path, spec)
        found = store.load()
        refused += bool(store.damaged)
        assert store.damaged or found == wanted
    assert refused > 0.9 * len(sound)


def test_a_larger_or_smaller_specification_takes_what_it_can_use(tmp_path):
    """Conserved quantity: the summary of the new file; shards beyond its end are neither counted nor lost."""
    sizes = {"small": 512 * 2, "large": 512 * 5}
    specs = {
        name: spec_from_table({"seed": 1, "job": [{**SEGMENTS, "instances": size}]}, "x")
        for name, size in sizes.items()
    }
    whole = {name: run_campaign(spec, tmp_path / name, InThisProcess) for name, spec in specs.items()}
    folder = tmp_path / "both"
    run_campaign(specs["large"], folder, InThisProcess, shard=1024)
    smaller = run_campaign(specs["small"], folder, InThisProcess, resume=True)
    larger = run_campaign(specs["large"], folder, InThisProcess, resume=True)
    assert smaller.summary.to_json() == whole["small"].summary.to_json()
    assert larger.summary.to_json() == whole["large"].summary.to_json()
    assert (smaller.instances, larger.instances) == (0, 0)


def test_a_clock_that_goes_backwards_is_survived(whole, tmp_path, monkeypatch):
    """Oracle: a clock that falls by an hour at every look; the summary knows no time, the rate is 0."""
    now = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(now)))
    run = run_campaign(SPEC, tmp_path, InThisProcess)
    assert run.seconds < 0
    assert run.rate == 0.0
    assert run.summary.to_json() == whole


def test_the_workers_time_is_told(tmp_path):
    """Conserved quantity: in one process the workers' time is within that of the run."""
    run = run_campaign(SPEC, tmp_path, InThisProcess)
    assert 0 < run.busy <= run.seconds
    assert run.cpu > 0


def test_two_campaigns_in_one_folder_are_refused(tmp_path):
    """Oracle: by construction; the lock is gone once its holder is."""
    with shards.locked(tmp_path), pytest.raises(InputError, match="another campaign is at work"):
        summary_of(tmp_path)
    with shards.locked(tmp_path):
        pass


def test_another_seed_is_refused(tmp_path):
    """Oracle: by construction."""
    summary_of(tmp_path)
    other = spec_from_table({"seed": 2, "job": [SEGMENTS]}, "small")
    with pytest.raises(InputError, match="holds a campaign of seed 1, this one has seed 2"):
        run_campaign(other, tmp_path, InThisProcess, resume=True)


def test_a_full_disk_loses_nothing(whole, tmp_path, monkeypatch):
    """Oracle: no space in the middle of a file; conserved quantity: the summary after there is room again."""
    calls = Counter()

    def full(descriptor):
        calls["fsync"] += 1
        if calls["fsync"] > 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"cannot write .*json.*space"):
        summary_of(tmp_path, shard=512)
    monkeypatch.undo()
    kept = len(list(tmp_path.glob("shards/*/*.json")))
    assert kept >= 1
    assert not list(tmp_path.rglob("*.tmp"))
    run = run_campaign(SPEC, tmp_path, InThisProcess, shard=512, resume=True)
    assert run.summary.to_json() == whole
    assert run.instances == SPEC.instances - kept * 512


def test_memory_that_does_not_suffice_is_halved(monkeypatch, whole, tmp_path, capsys):
    """Oracle: a device that holds 100 instances; conserved quantity: the summary, which says nothing of the machine."""
    from modeconn.campaigns.families import segment_barrier

    exact = segment_barrier.barrier_exact_batch

    def small(nets0, nets1, X, Y, engine):
        if len(nets0.W) > 300:
            raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return exact(nets0, nets1, X, Y, engine=engine)

    monkeypatch.setattr(segment_barrier, "barrier_exact_batch", small)
    run = run_campaign(SPEC, tmp_path / "library", InThisProcess)
    assert run.summary.halved == 6
    assert run.summary.to_json() == whole
    spec = tmp_path / "spec.toml"
    spec.write_text("[[job]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in SEGMENTS.items()))
    assert main(["campaign", str(spec), "--out", str(tmp_path / "command")]) == 0
    assert "cut in two for want of memory: 6" in capsys.readouterr().err
    assert json.loads((tmp_path / "command" / "run.json").read_text())["halved"] == 6


def test_one_instance_too_large_is_an_error():
    """Oracle: by construction."""

    def never(start, stop):
        raise MemoryError

    with pytest.raises(MemoryError, match="one instance does not fit"):
        in_halves(never, 0, 4)


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("Unable to allocate 447 GiB")])
def test_instances_too_large_for_the_machine_are_bad_input(error, monkeypatch, tmp_path):
    """Oracle: by construction: drawing a block already asks for too much."""
    from modeconn.campaigns.families import segment_barrier

    def draw(*_):
        raise error

    monkeypatch.setattr(segment_barrier, "block_generator", draw)
    with pytest.raises(InputError, match=r"segment-barrier with .* make the instances smaller"):
        summary_of(tmp_path)


def test_a_check_that_raises_leaves_its_instance_undecided(monkeypatch):
    """Oracle: by construction; the error is kept with the instance's number."""
    from dataclasses import replace

    from modeconn.campaigns.families import claims
    from proofs_check.claims import CLAIMS

    def broken(instance):
        raise ZeroDivisionError("by construction")

    monkeypatch.setattr(claims, "_on_trial", lambda parameters: replace(CLAIMS["S1"], check=broken))
    found = claims.FAMILY.run_block({"claim": "S1", "control": "", "shape": 1}, 0, 0)
    assert found.undecided == 1
    assert "by construction" in found.violations[0]["error"]
    assert isinstance(found, Tally)


def test_families_are_listed(capsys):
    """Oracle: the registry."""
    assert main(["campaign", "--families", "--json", "-"]) == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)["families"]]
    assert "segment-barrier" in names
    assert main(["campaign"]) == 2
    assert main(["campaign", "x.toml", "--scheduler", "tcp://1", "--engine", "inline"]) == 2
