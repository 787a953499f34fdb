"""What can go wrong with a user's input, and the exit codes of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum

__all__ = ["ExitCode", "InputError", "unknown_name"]


class ExitCode(IntEnum):
    """Exit status of every ``modeconn`` command."""

    HELD = 0
    REFUTED = 1
    BAD_INPUT = 2
    UNDECIDED = 3


class InputError(ValueError):
    """The input cannot be used.

    The message is one line that says what was expected, what was found and what to do. The command line
    prints it and leaves with :attr:`ExitCode.BAD_INPUT`.
    """


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that no registry holds, with the nearest known one.

    Example:
        >>> str(unknown_name("optimizer", "moun", ["muon", "lion"]))
        "unknown optimizer 'moun': did you mean 'muon'? Known: lion, muon"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return InputError(f"unknown {kind} {name!r}:{hint} Known: {', '.join(names)}")
