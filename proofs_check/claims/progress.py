"""What a run tells while it goes on."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from proofs_check.claims.results import ClaimResult

__all__ = ["BarReporter", "Reporter", "terminal_reporter"]


class Reporter:
    """Receives what happens in a run; this one says nothing. A context manager around the run."""

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def advanced(self, trial: str, done: int, total: int) -> None:
        """Work on ``trial`` (such as ``"L1"`` or ``"L1.coupled"``) ended; ``done`` of ``total`` units are done.

        The total shrinks when a trial ends early.
        """

    def judged(self, result: ClaimResult) -> None:
        """A claim and all its controls are done."""


class BarReporter(Reporter):
    """A progress bar on a console."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", justify="right"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("claims", total=None)

    def __enter__(self) -> BarReporter:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advanced(self, trial: str, done: int, total: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, description=trial, completed=done, total=total)


def terminal_reporter() -> Reporter:
    """Return a bar on standard error when that is a terminal, else a silent reporter."""
    return BarReporter(Console(stderr=True)) if sys.stderr.isatty() else Reporter()
