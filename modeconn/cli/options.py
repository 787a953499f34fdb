"""Options that several commands share, and the readers behind them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["add_data", "add_json", "integers", "positive_integer", "write_json"]


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


def positive_integer(text: str) -> int:
    """Read a whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, found {text!r}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {value}")
    return value


def integers(text: str) -> list[int]:
    """Read ``"8"``, ``"8,32,128"`` or the range ``"0:3"`` with both ends.

    Example:
        >>> integers("8,32"), integers("0:3")
        ([8, 32], [0, 1, 2, 3])
    """
    try:
        if ":" in text:
            start, stop = text.split(":")
            values = list(range(int(start), int(stop) + 1))
        else:
            values = [int(word) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected whole numbers such as 8,32,128 or 0:3, found {text!r}") from None
    if not values:
        raise argparse.ArgumentTypeError(f"expected at least one number, found the empty range {text!r}")
    return values


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
