"""Run a stored witness again: does the violation reproduce, and does exact arithmetic confirm it?"""

from __future__ import annotations

import argparse

from modeconn.cli.options import add_json, write_json
from modeconn.errors import InputError

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", metavar="FILE", help="a witness written by modeconn verify")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Replay the witness; exit 1 when it still refutes its claim."""
    from proofs_check.claims import replay

    try:
        result = replay(args.file)
    except RecursionError:
        raise InputError(f"{args.file}: nested too deeply to be a witness of 'modeconn verify'") from None
    write_json(args.json, result.to_json())
    if args.json != "-":
        print(result.text())
    return result.exit_code
