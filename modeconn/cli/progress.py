"""Progress on standard error: a bar on a terminal, nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from modeconn.reporter import Reporter

__all__ = ["progress"]


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._ids: dict[str, int] = {}

    def start(self, task: str, total: int) -> None:
        self._ids[task] = self._bars.add_task(task, total=total)

    def advance(self, task: str, steps: int = 1) -> None:
        self._bars.advance(self._ids[task], steps)  # type: ignore[arg-type]

    def finish(self, task: str) -> None:
        self._bars.remove_task(self._ids.pop(task))  # type: ignore[arg-type]


@contextmanager
def progress(stream: TextIO) -> Iterator[Reporter]:
    """Give a reporter that draws bars on ``stream`` while it is a terminal."""
    console = Console(file=stream)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        yield _Bars(bars)
