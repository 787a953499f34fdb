"""Processes that perform tasks: this one, or a few workers."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Protocol

from modeconn.errors import InputError
from proofs_check.claims.claim import Claim
from proofs_check.claims.loader import ClaimsFile, claims_by_id, load_claims
from proofs_check.claims.registry import CLAIMS
from proofs_check.claims.tasks import Task, perform

__all__ = ["InProcess", "Pool", "WorkerError", "Workers"]


class WorkerError(InputError):
    """A worker process ended before its task did."""


class Pool(Protocol):
    """Slots 0, 1, ... that each perform one task at a time."""

    jobs: int

    def submit(self, slot: int, task: Task) -> None:
        """Give a free slot a task."""

    def collect(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the results of the slots that have finished; wait for at least one."""


class InProcess:
    """One slot: this process."""

    def __init__(self, claims: Mapping[str, Claim]) -> None:
        self.jobs = 1
        self._claims = claims
        self._results: list[tuple[int, dict[str, Any]]] = []

    def submit(self, slot: int, task: Task) -> None:
        """Perform the task at once."""
        self._results.append((slot, perform(task, self._claims)))

    def collect(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the result."""
        results, self._results = self._results, []
        return results


class Workers:
    """A slot for each worker process. A context manager: leaving it ends the workers, whatever they are doing.

    Workers are spawned, not forked (JAX has threads), so a script that starts them needs the usual
    ``if __name__ == "__main__":`` around its work.

    Args:
        jobs: number of processes.
        file: the user's claims file, which each worker runs; ``None`` for the claims of the library.
        serve: what a worker runs; a parameter for the tests.
    """

    def __init__(
        self, jobs: int, file: ClaimsFile | None, serve: Callable[[Connection, ClaimsFile | None], None] | None = None
    ) -> None:
        self.jobs = jobs
        self._busy: dict[int, Task] = {}
        self._processes: list[Any] = []
        self._connections: list[Connection] = []
        context = multiprocessing.get_context("spawn")
        with _interrupts_ignored():
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                process = context.Process(target=serve or _serve, args=(theirs, file), daemon=True)
                process.start()
                theirs.close()
                self._processes.append(process)
                self._connections.append(ours)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, connection in zip(self._processes, self._connections, strict=True):
            process.terminate()
            process.join()
            connection.close()

    def submit(self, slot: int, task: Task) -> None:
        """Send the task to the worker."""
        self._busy[slot] = task
        try:
            self._connections[slot].send(task)
        except OSError:
            raise self._dead(slot) from None

    def collect(self) -> list[tuple[int, dict[str, Any]]]:
        """Return what has arrived.

        Raises:
            WorkerError: a worker died at its task.
            InputError: the claims could not be loaded in the worker.
        """
        by_connection = {id(self._connections[slot]): slot for slot in self._busy}
        ready = wait([self._connections[slot] for slot in self._busy])
        results = []
        for slot in sorted(by_connection[id(connection)] for connection in ready):
            try:
                answer = self._connections[slot].recv()
            except (EOFError, OSError):
                raise self._dead(slot) from None
            if isinstance(answer, str):
                raise InputError(answer)
            del self._busy[slot]
            results.append((slot, answer))
        return results

    def _dead(self, slot: int) -> WorkerError:
        process, task = self._processes[slot], self._busy[slot]
        process.join(5.0)
        return WorkerError(
            f"a worker process died (exit status {process.exitcode}) at {task.name}; "
            "out of memory? Finished blocks are kept: run again to go on, with fewer jobs"
        )


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes started here inherit deafness to Ctrl-C: the parent alone hears it, and ends its workers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(connection: Connection, file: ClaimsFile | None) -> None:
    """Perform tasks until the other end closes."""
    claims: Mapping[str, Claim] | None = None
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        try:
            if claims is None:
                claims = CLAIMS if file is None else claims_by_id(load_claims(file))
            connection.send(perform(task, claims))
        except InputError as error:
            connection.send(str(error))
