"""``python -m proofs_check.checker CERTIFICATE --problem PROBLEM``: 0 accepted, 1 rejected, 2 bad input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from proofs_check.checker.cells import MAX_CELLS
from proofs_check.checker.check import check_certificate
from proofs_check.checker.frame import CertificateError, ProblemError


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one certificate; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m proofs_check.checker",
        description="Decide in exact arithmetic whether a certificate is true of a problem.",
        epilog="Exit code: 0 accepted, 1 rejected, 2 bad input.",
    )
    parser.add_argument("certificate", help="certificate, a JSON file")
    parser.add_argument("--problem", required=True, help="the problem it is about, a JSON file of yours")
    parser.add_argument("--max-cells", type=int, default=MAX_CELLS, help="take on no more ordered cells of narrow nets")
    options = parser.parse_args(arguments)
    try:
        result = check_certificate(options.certificate, options.problem, max_cells=options.max_cells)
    except (CertificateError, ProblemError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{'accepted' if result.accepted else 'rejected'}: {result.reason}")
    return 0 if result.accepted else 1


if __name__ == "__main__":
    sys.exit(main())
