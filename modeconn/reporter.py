"""What long work tells while it runs; the command line draws it, a library call stays silent."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SILENT", "Reporter"]


class Reporter(Protocol):
    """What long work tells while it runs."""

    def start(self, task: str, total: int) -> None:
        """A task of ``total`` steps begins."""

    def advance(self, task: str, steps: int = 1) -> None:
        """``steps`` more of the task are done."""

    def finish(self, task: str) -> None:
        """The task is over."""


class _Silent:
    def start(self, task: str, total: int) -> None:
        pass

    def advance(self, task: str, steps: int = 1) -> None:
        pass

    def finish(self, task: str) -> None:
        pass


SILENT: Reporter = _Silent()
