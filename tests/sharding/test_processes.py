"""Processes of jax.distributed on loopback: what each brings, what all are refused, and what becomes of a dead one."""

import json
import os
import socket
import subprocess
import sys
from operator import itemgetter

import jax
import numpy as np
import pytest

from modeconn import sharding
from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.paths import barrier_exact_batch, barrier_exact_batch_on_processes
from modeconn.sharding import gather_rows, own_rows
from modeconn.train import Fleet, processes, train_fleet, train_fleet_on_processes

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 1))
FLEET = Fleet.of(optimizer="lion", learning_rate=0.01, width=[2, 4, 3, 2, 1])
INITIAL = Net(RNG.normal(size=(5, 2, 4)), RNG.normal(size=(5, 1, 4)))
PAIRS = [Net(RNG.normal(size=(7, 2, 4)), RNG.normal(size=(7, 1, 4))) for _ in range(2)]
OPTIONS = {"steps": 5, "dtype": "float64"}
PROCESSES = 3


def table(count):
    """Rows of several dtypes, with and without trailing axes."""
    numbers = np.arange(count)
    return {
        "wide": numbers[:, None] * np.linspace(0.0, 1.0, 3),
        "flag": numbers % 2 == 0,
        "small": (-numbers).astype(np.int8),
        "single": numbers.astype(np.float32),
        "empty": np.zeros((count, 0)),
    }


def said(work, *arguments, **options):
    """What the error says that this raises."""
    try:
        work(*arguments, **options)
    except InputError as error:
        return str(error)
    return "nothing"


def fails_here(*_, **__):
    """A training that ends in an error."""
    raise InputError("one net does not fit")


def of_rank(rank, port, deadly):
    """What one process finds; the last of them dies in the middle of the training if that is asked for."""
    jax.config.update("jax_enable_x64", True)
    jax.distributed.initialize(f"127.0.0.1:{port}", num_processes=PROCESSES, process_id=rank)
    last = rank == PROCESSES - 1
    if deadly:
        processes.train_fleet = dies if last else train_fleet
        train_fleet_on_processes(FLEET, X, Y, **OPTIONS)
        return None
    gathered = {}
    for count in (1, 4, 5):
        rows = gather_rows(jax.tree.map(itemgetter(own_rows(count)), table(count)), count)
        gathered[count] = all(
            rows[name].dtype == leaf.dtype and np.array_equal(rows[name], leaf) for name, leaf in table(count).items()
        )
    result = train_fleet_on_processes(FLEET, X, Y, initial=INITIAL, **OPTIONS)
    other = FLEET if rank else Fleet.of(optimizer="lion", learning_rate=0.02, width=[2, 4, 3, 2, 1])
    refusals = {
        "few": said(train_fleet_on_processes, FLEET.take([0, 1]), X, Y, **OPTIONS),
        "fleet": said(train_fleet_on_processes, other, X, Y, **OPTIONS),
        "data": said(train_fleet_on_processes, FLEET, X + rank, Y, **OPTIONS),
        "initial": said(train_fleet_on_processes, FLEET, X, Y, initial=Net(INITIAL.W[:2], INITIAL.A[:2]), **OPTIONS),
    }
    barriers = barrier_exact_batch_on_processes(*PAIRS, X, Y, engine="device")
    refusals |= {
        "pairs": said(barrier_exact_batch_on_processes, INITIAL, INITIAL, X + rank, Y),
        "two": said(barrier_exact_batch_on_processes, *(Net(W[:2], A[:2]) for W, A, _ in PAIRS), X, Y),
        "uneven": said(barrier_exact_batch_on_processes, PAIRS[0], INITIAL, X, Y),
    }
    processes.train_fleet = fails_here if last else train_fleet
    refusals["failed"] = said(train_fleet_on_processes, FLEET, X, Y, **OPTIONS)
    return {"gathered": gathered, "W": result.nets.W.tolist(), "kkt": result.kkt.tolist(), "refusals": refusals} | {
        name: getattr(barriers, name).tolist() for name in ("barrier", "lower", "upper")
    }


def dies(*_, **__):
    """What a killed process does."""
    os._exit(9)


if __name__ == "__main__":
    print(json.dumps(of_rank(int(sys.argv[1]), sys.argv[2], sys.argv[3] == "deadly")))

START = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


def launched(folder, kind):
    """Exit codes and texts of the processes; all of them end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    logs = [(folder / f"rank{rank}").open("w+") for rank in range(PROCESSES)]
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", START, __file__, str(rank), port, kind], stdout=log, stderr=subprocess.STDOUT
        )
        for rank, log in enumerate(logs)
    ]
    try:
        codes = [rank.wait(timeout=240) for rank in ranks]
    finally:
        for rank, log in zip(ranks, logs, strict=True):
            rank.kill()
            log.close()
    return codes, [(folder / f"rank{rank}").read_text() for rank in range(PROCESSES)]


def test_three_processes_bring_their_own_rows_and_fail_together(tmp_path):
    """Oracle: one process; by construction for the rows; an error on one process is an error on each."""
    codes, texts = launched(tmp_path, "sound")
    assert codes == [0] * PROCESSES, "\n".join(texts)[-3000:]
    found = [json.loads(next(line for line in text.splitlines() if line.startswith("{"))) for text in texts]
    alone = train_fleet(FLEET, X, Y, initial=INITIAL, **OPTIONS)
    barriers = barrier_exact_batch(*PAIRS, X, Y, engine="device")
    for rank, one in enumerate(found):
        assert one["gathered"] == {"1": True, "4": True, "5": True}
        assert one["W"] == alone.nets.W.tolist()
        assert one["kkt"] == alone.kkt.tolist()
        assert ((barriers.lower <= one["barrier"]) & (one["barrier"] <= barriers.upper)).all()
        assert ((one["lower"] <= barriers.barrier) & (barriers.barrier <= one["upper"])).all()
        assert "a pair for each of 3 processes, found 2" in one["refusals"]["two"]
        assert "the same input on every process" in one["refusals"]["pairs"]
        assert "as many first as second" in one["refusals"]["uneven"]
        assert "each of 3 processes, found 2" in one["refusals"]["few"]
        assert "the same input on every process" in one["refusals"]["fleet"]
        assert "the same input on every process" in one["refusals"]["data"]
        assert "expected 5 initial nets" in one["refusals"]["initial"]
        expected = "one net does not fit" if rank == PROCESSES - 1 else "process 2 of 3 has failed"
        assert expected in one["refusals"]["failed"]


def test_a_process_that_dies_ends_the_others(tmp_path):
    """Oracle: by construction; no process waits for ever, and none ends as if all were well."""
    codes, texts = launched(tmp_path, "deadly")
    assert codes[-1] == 9
    assert all(code != 0 for code in codes), "\n".join(texts)[-3000:]


def test_processes_meet_before_they_train(monkeypatch):
    """Oracle: by construction; the first meeting has a deadline of seconds, which trainings of other lengths miss."""
    order = []

    def watched(module, name):
        function = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, **k: (order.append(name), function(*a, **k))[1])

    watched(sharding, "gather_rows")
    watched(processes, "train_fleet")
    train_fleet_on_processes(FLEET, X, Y, **OPTIONS)
    assert order == ["gather_rows", "train_fleet", "gather_rows"]


def test_an_error_of_one_process_keeps_its_kind(monkeypatch):
    """Oracle: by construction."""

    def broken(*_, **__):
        raise ZeroDivisionError("by construction")

    monkeypatch.setattr(processes, "train_fleet", broken)
    with pytest.raises(ZeroDivisionError, match="by construction"):
        train_fleet_on_processes(FLEET, X, Y, **OPTIONS)
