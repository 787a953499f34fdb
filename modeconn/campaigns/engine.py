"""Where shards are worked on: this process, processes of this machine, or a Dask cluster; all as executors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

from modeconn.environment import most_workers
from modeconn.errors import InputError, unknown_name

__all__ = ["ENGINES", "Engine", "InThisProcess", "engine_from_name"]

Engine = Callable[[], Any]
"""Opens an executor, as a context manager; called again when the executor is broken."""

_WORKER_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
}
"""One core a worker, since the parallelism is that of the shards; 64-bit floats and precise products.

``NPROC`` is the size of XLA's pools of threads: without it a worker takes all cores for its larger operations and is in
the way of the others.
"""


class InThisProcess(Executor):
    """An executor that works at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables for the processes started inside; those the user has set stay."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


class _Recorded(SpawnContext):
    """Starts processes as ``spawn`` does, and knows which."""

    def __init__(self) -> None:
        self.started: list[BaseProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # type: ignore[override]
        """Return a new process."""
        self.started.append(SpawnContext.Process(*args, **kwargs))
        return self.started[-1]


def _begin_worker() -> None:
    """Leave interrupts to the program that started the worker, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    program = multiprocessing.parent_process()

    def follow() -> None:
        if program is not None:
            program.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def _processes(jobs: int) -> Iterator[Executor]:
    context = _Recorded()
    with _environment(**_WORKER_ENVIRONMENT):
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_worker)
        try:
            yield pool
        except BaseException:
            for process in context.started:
                if process.pid is not None:
                    process.terminate()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _dask(address: str | None, jobs: int) -> Iterator[Executor]:
    """Open a Dask cluster: the scheduler at an address, or a cluster of this machine with ``jobs`` workers."""
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError:
        raise InputError("the engine 'dask' needs dask.distributed: pip install 'modeconn[cluster]'") from None
    with _environment(**_WORKER_ENVIRONMENT):
        cluster = None
        if address is None:
            cluster = LocalCluster(n_workers=jobs, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
        try:
            client = Client(address if cluster is None else cluster, timeout="20s")
        except (OSError, TimeoutError, ValueError) as error:  # ValueError: no port in the address
            raise InputError(
                f"no Dask scheduler answers at {address}: {error}; start one with 'dask scheduler'"
            ) from None
        try:
            yield client.get_executor(pure=False, retries=2)
        finally:
            client.close()
            if cluster is not None:
                cluster.close()


ENGINES = ("inline", "processes", "dask")


def engine_from_name(name: str, jobs: int, scheduler: str | None = None) -> Engine:
    """Return the engine of this name.

    Args:
        name: ``inline`` (this process), ``processes`` (``jobs`` of them, spawned) or ``dask``.
        jobs: worker processes.
        scheduler: address of a Dask scheduler such as ``tcp://10.0.0.1:8786``; ``None`` starts a cluster here.

    Raises:
        InputError: an unknown name, a scheduler for an engine that has none, or too many workers for this machine.
    """
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    if scheduler is not None and name != "dask":
        raise InputError(f"a scheduler is for the engine dask, found {name!r}; add --engine dask")
    if scheduler is None and jobs > most_workers():
        raise InputError(f"expected at most {most_workers()} workers on this machine, found {jobs}; add --scheduler")
    if name == "inline":
        return InThisProcess
    if name == "processes":
        return lambda: _processes(jobs)
    return lambda: _dask(scheduler, jobs)
