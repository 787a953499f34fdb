"""Check a certificate against the problem it is about, in exact arithmetic, with nothing but the standard library.

The problem is the user's own file; nothing about it is taken from the certificate. Exit 0 accepted, 1 rejected, 2 if a
file cannot be read, is not a JSON object, or states no problem."""

from __future__ import annotations

import argparse

from modeconn.cli.options import add_json, positive_integer, write_json
from modeconn.errors import ExitCode, InputError

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from proofs_check.checker.cells import MAX_CELLS

    parser.add_argument("certificate", metavar="CERT", help="certificate, JSON")
    parser.add_argument("--problem", metavar="PROBLEM", required=True, help="the problem it is about, JSON")
    parser.add_argument(
        "--max-cells",
        metavar="N",
        type=positive_integer,
        default=MAX_CELLS,
        help=f"take on no more ordered cells of narrow nets than this (default {MAX_CELLS})",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Check the certificate and print the reason."""
    from proofs_check.checker import CertificateError, ProblemError, check_certificate

    try:
        result = check_certificate(args.certificate, args.problem, max_cells=args.max_cells)
    except (CertificateError, ProblemError) as error:
        raise InputError(str(error)) from None
    write_json(args.json, {"schema": "modeconn.check/1", "accepted": result.accepted, "reason": result.reason})
    if args.json != "-":
        print(f"{'accepted' if result.accepted else 'rejected'}: {result.reason}")
    return ExitCode.HELD if result.accepted else ExitCode.REFUTED
