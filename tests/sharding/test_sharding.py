"""One, two and eight forced host devices, and two processes on loopback: the same numbers, the same verdicts."""

import json
import socket
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import same_on_devices

from modeconn.sharding import map_batch, own_rows


@pytest.fixture(scope="module")
def on_devices(tmp_path_factory):
    """What a process finds on 1, 2 and 8 devices."""
    folder = tmp_path_factory.mktemp("devices")
    return {count: same_on_devices.on_devices(count, folder / str(count)) for count in (1, 2, 8)}


@pytest.mark.parametrize("count", [2, 8])
def test_forced_host_devices_find_the_same(on_devices, count):
    """Conserved quantity: barriers to their own stated rounding, trained nets and the campaign's summary exactly."""
    one, many = on_devices[1], on_devices[count]
    assert (one["devices"], many["devices"]) == (1, count)
    assert same_on_devices.differences(one, many) == []


@pytest.mark.parametrize("name", ["verdicts", "summary", "nets", "barriers"])
def test_differences_are_seen(on_devices, name):
    """Oracle: a change made by hand; a barrier one float above its stated rounding."""
    one = on_devices[1]
    above = [float(np.nextafter(one["upper"][0], np.inf)), *one["barrier"][1:]]
    changed = {"barrier": above} if name == "barriers" else {name: one[name] + "x"}
    assert same_on_devices.differences(one, one | changed) == [name]


RANK = """
import json, sys

import numpy as np
import jax
jax.config.update("jax_enable_x64", True)
rank, port = int(sys.argv[1]), sys.argv[2]
if port != "alone":
    jax.distributed.initialize(coordinator_address=f"127.0.0.1:{port}", num_processes=2, process_id=rank)
from modeconn.errors import InputError
from modeconn.train import Fleet, train_fleet_on_processes
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
fleet = Fleet.grid(optimizers=["adamw", "muon"], learning_rates=[0.01], widths=[8, 3], seeds=[0])
fleet = Fleet.concat(fleet, Fleet.of(optimizer="lion", learning_rate=0.01, width=2))
result = train_fleet_on_processes(fleet, X, Y, steps=20, dtype="float64")
refused = ""
try:
    train_fleet_on_processes(fleet.take([0]), X, Y, steps=1)
except InputError as error:
    refused = str(error)
print(json.dumps({
    "W": np.asarray(result.nets.W).tolist(), "history": result.history.tolist(), "kkt": result.kkt.tolist(),
    "ratios": {name: ratio.tolist() for name, ratio in result.ratios.items()},
    "diverged": result.diverged.tolist(), "size": len(result), "refused": refused,
}))
"""


def test_two_processes_train_the_same_fleet(tmp_path):
    """Conserved quantity: every number of the result, bit for bit, over one process and two on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    logs = [(tmp_path / f"rank{rank}").open("w+") for rank in range(2)]
    ranks = [
        subprocess.Popen([sys.executable, "-c", RANK, str(rank), str(port)], stdout=log, stderr=subprocess.STDOUT)
        for rank, log in enumerate(logs)
    ]
    try:
        codes = [rank.wait(timeout=240) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    texts = [(tmp_path / f"rank{rank}").read_text() for rank in range(2)]
    for log in logs:
        log.close()
    assert codes == [0, 0], "\n".join(texts)[-3000:]
    first, second = (json.loads(next(line for line in text.splitlines() if line.startswith("{"))) for text in texts)
    assert first == second
    assert "each of 2 processes, found 1" in first.pop("refused")
    done = subprocess.run([sys.executable, "-c", RANK, "0", "alone"], capture_output=True, text=True, check=True)
    alone = json.loads(done.stdout.splitlines()[-1])
    assert alone.pop("refused") == ""
    assert first == alone


def test_rows_of_a_single_process_are_all_rows():
    """Oracle: by construction."""
    assert own_rows(5).tolist() == [0, 1, 2, 3, 4]


def test_a_batch_smaller_than_the_mesh_is_filled_up():
    """Oracle: by construction."""
    assert map_batch(jnp.negative, np.arange(1.0)).tolist() == [0.0]
