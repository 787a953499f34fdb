"""Engines that take no work, and the surroundings of the workers they start."""

import os
from concurrent.futures import Executor

import pytest

from modeconn.campaigns import InThisProcess, engine, engine_from_name, run_campaign, spec_from_table
from modeconn.errors import InputError

BALLS = {"family": "ball-contraction", "instances": 1024 * 2, "rows": 1, "columns": 2, "steps": 2}
SPEC = spec_from_table({"job": [BALLS]}, "balls")


class Closed(Executor):
    """An executor that takes nothing, as after a shutdown."""

    def submit(self, fn, /, *args, **kwargs):
        raise RuntimeError("cannot schedule new futures after shutdown")


class TakesOne(InThisProcess):
    """An executor that takes one shard and is shut down then."""

    def __init__(self):
        self.taken = 0

    def submit(self, fn, /, *args, **kwargs):
        self.taken += 1
        if self.taken > 1:
            raise RuntimeError("cannot schedule new futures after shutdown")
        return super().submit(fn, *args, **kwargs)


def test_an_engine_that_takes_no_work_ends_the_run(tmp_path):
    """Oracle: by construction; one line in place of an endless loop."""
    with pytest.raises(InputError, match=r"the engine takes no work; .* go on with --resume"):
        run_campaign(SPEC, tmp_path, Closed)


def test_an_engine_is_opened_anew_as_long_as_it_works(tmp_path):
    """Conserved quantity: the summary, over executors that take a single shard each; nothing counts as lost."""
    run = run_campaign(SPEC, tmp_path / "one", TakesOne, shard=1024)
    assert run.summary == run_campaign(SPEC, tmp_path / "all", InThisProcess, shard=1024).summary
    assert (run.lost, run.instances) == (0, 2048)


def test_what_the_user_has_set_for_the_workers_stays(monkeypatch):
    """Oracle: by construction; 64-bit floats and pinned products unless said otherwise, and no trace afterwards."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    for name in ("JAX_DEFAULT_MATMUL_PRECISION", "JAX_ENABLE_X64"):
        monkeypatch.delenv(name, raising=False)
    with engine._environment(**engine._WORKER_ENVIRONMENT):
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert os.environ["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"
        assert os.environ["JAX_ENABLE_X64"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "JAX_ENABLE_X64" not in os.environ


def test_more_workers_than_a_machine_bears_are_refused():
    """By construction: each worker is a process of its own; a scheduler elsewhere may have any number."""
    for name in ("processes", "dask"):
        with pytest.raises(InputError, match="workers on this machine, found 100000"):
            engine_from_name(name, 100_000)
    engine_from_name("dask", 100_000, "tcp://127.0.0.1:9")


def test_an_address_without_a_port_is_bad_input():
    """By construction: no scheduler can be found at it."""
    pytest.importorskip("distributed")
    with (
        pytest.raises(InputError, match="no Dask scheduler answers at nowhere"),
        engine_from_name("dask", 1, "nowhere")(),
    ):
        pass
