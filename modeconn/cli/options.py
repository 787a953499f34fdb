"""Options that several commands share, and the readers behind them."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modeconn.environment import most_workers
from modeconn.errors import InputError

__all__ = [
    "LARGEST_NUMBER",
    "MOST_NUMBERS",
    "MOST_POINTS",
    "add_data",
    "add_json",
    "add_loss",
    "add_seed",
    "jobs",
    "points",
    "positive_integer",
    "positive_integers",
    "ready_folder",
    "seed",
    "seeds",
    "write_json",
]

MOST_NUMBERS = 10_000
"""Most numbers that a list or a range on the command line may name."""

MOST_POINTS = 10**7
"""Most points of a path that a command samples."""

LARGEST_NUMBER = 10**15
"""Largest whole number on the command line; what takes less says so itself."""

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,1000}\s*", re.ASCII)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json FILE|-``."""
    parser.add_argument(
        "--json", metavar="FILE|-", help="write the result as JSON to FILE, or to standard output with -"
    )


def add_data(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Add ``--data``."""
    parser.add_argument(
        "--data",
        metavar="D",
        required=required,
        help="data: a name (breast_cancer, digits, diabetes, mnist, ...) or a file: .npz (X, y), .csv (last column y)",
    )
    parser.add_argument("--bias", action="store_true", help="append a constant column to the inputs")


def add_loss(parser: argparse.ArgumentParser) -> None:
    """Add ``--loss``."""
    parser.add_argument(
        "--loss",
        metavar="NAME",
        default="half_squared_error",
        help="half_squared_error, logistic or cross_entropy (default half_squared_error)",
    )


def add_seed(parser: argparse.ArgumentParser, what: str = "every random choice") -> None:
    """Add ``--seed``."""
    parser.add_argument("--seed", metavar="S", type=seed, default=0, help=f"seed of {what} (default 0)")


def positive_integer(text: str) -> int:
    """Read a whole number of at least 1."""
    return _whole(text, 1)


def jobs(text: str) -> int:
    """Read a number of worker processes."""
    value, most = _whole(text, 1), most_workers()
    if value > most:
        raise argparse.ArgumentTypeError(f"expected at most {most} workers on this machine, found {value}")
    return value


def points(text: str) -> int:
    """Read how many points of a path to look at."""
    value = _whole(text, 2)
    if value > MOST_POINTS:
        raise argparse.ArgumentTypeError(f"expected at most {MOST_POINTS} points, found {value}")
    return value


def seed(text: str) -> int:
    """Read a seed: a whole number of at least 0."""
    return _whole(text, 0)


def positive_integers(text: str) -> list[int]:
    """Read ``"8"``, ``"8,32,128"``, the range ``"1:3"`` with both ends, or several of them: ``"1:4,8"``.

    Example:
        >>> positive_integers("8,32"), positive_integers("1:3"), positive_integers("1:3,8")
        ([8, 32], [1, 2, 3], [1, 2, 3, 8])
    """
    return _whole_numbers(text, 1)


def seeds(text: str) -> list[int]:
    """Read seeds, written like :func:`positive_integers` but from 0 on.

    Example:
        >>> seeds("0:3")
        [0, 1, 2, 3]
    """
    return _whole_numbers(text, 0)


def _whole_numbers(text: str, least: int) -> list[int]:
    """Read a list of whole numbers and ranges; a range is counted before it is written out."""
    values: list[int] = []
    for part in text.split(","):
        ends = part.split(":")
        if len(ends) > 2 or not all(end.strip() for end in ends):
            raise argparse.ArgumentTypeError(f"expected whole numbers such as 8,32,128 or 1:3, found {text[:40]!r}")
        low, high = _whole(ends[0], least), _whole(ends[-1], least)
        if high < low:
            raise argparse.ArgumentTypeError(f"expected a range from low to high, found the empty range {part[:40]!r}")
        if len(values) + high - low + 1 > MOST_NUMBERS:
            raise argparse.ArgumentTypeError(
                f"expected at most {MOST_NUMBERS} numbers, found more in {text[:40]!r}; name fewer"
            )
        values += range(low, high + 1)
    if len(set(values)) < len(values):
        raise argparse.ArgumentTypeError(f"expected different numbers, found one twice in {text[:40]!r}; name it once")
    return values


def _whole(text: str, least: int) -> int:
    """Read a whole number of at least ``least``, in ASCII digits."""
    if not _WHOLE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected a whole number such as 8, found {text[:40]!r}")
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, found {text.strip()[:40]}")
    if value > LARGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"expected a whole number of at most 10^15, found {text.strip()[:40]}")
    return value


def ready_folder(path: str, make: bool = True) -> Path:
    """Return the folder of ``--out``, made if there is none; or, without ``make``, only looked at beforehand.

    Raises:
        InputError: it is a file, or cannot be made or written to.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: expected a folder, found the file {folder}; choose another name")
    if not make:
        above = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not above.is_dir():
            raise InputError(f"--out: cannot make the folder {folder}: {above} is a file; choose another place")
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out: cannot make the folder {folder}: {error.strerror}; choose another place") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"--out: cannot write to the folder {folder}; choose another place")
    return folder


def write_json(target: str | None, payload: Mapping[str, Any]) -> None:
    """Write ``payload`` where ``--json`` says; do nothing without it."""
    from modeconn.io import dumps, write_text

    if target is None:
        return
    text = dumps(payload)
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_text(target, text)
