"""List the claims, or show one with its statement, hypotheses and controls."""

from __future__ import annotations

import argparse
from typing import Any

from modeconn.cli.options import add_json, write_json
from modeconn.errors import ExitCode, unknown_name

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("id", nargs="?", help="show this claim only")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Print the claims."""
    from proofs_check.claims import CLAIMS

    if args.id is not None and args.id not in CLAIMS:
        raise unknown_name("claim", args.id, CLAIMS)
    chosen = [CLAIMS[args.id]] if args.id is not None else list(CLAIMS.values())
    shown: list[dict[str, Any]] = [
        {
            "id": claim.id,
            "statement": claim.statement,
            "source": claim.source,
            "expected": claim.expected,
            "hypotheses": [hypothesis.text for hypothesis in claim.hypotheses],
            "shapes": [list(shape) for shape in claim.shapes],
            "controls": [{"id": control.id, "statement": control.statement} for control in claim.controls],
        }
        for claim in chosen
    ]
    write_json(args.json, {"schema": "modeconn.claims/1", "claims": shown})
    if args.json == "-":
        return ExitCode.HELD
    for claim in shown:
        false_theorem = "  (published, false: must be refuted)" if claim["expected"] == "refuted" else ""
        print(f"{claim['id']}  {claim['source']}{false_theorem}\n    {claim['statement']}")
        if args.id is not None:
            for text in claim["hypotheses"]:
                print(f"    hypothesis: {text}")
            for control in claim["controls"]:
                print(f"    control {control['id']}: {control['statement']}")
        else:
            print(f"    {len(claim['controls'])} controls: {', '.join(control['id'] for control in claim['controls'])}")
    return ExitCode.HELD
