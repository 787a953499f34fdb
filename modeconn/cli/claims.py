"""List the claims, or show one with its statement, hypotheses and controls; draw which rests on which.

modeconn claims                                           all of them
modeconn claims N6                                        one in full
modeconn claims --graph graph.svg --verdicts runs/verify  coloured by the verdicts of that run; an arrow that follows
                                                          from others is left out"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import add_json, write_json
from modeconn.errors import ExitCode, InputError, unknown_name

if TYPE_CHECKING:
    from proofs_check.claims import Claim

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("id", metavar="ID", nargs="?", help="show this claim only")
    parser.add_argument("--graph", metavar="FILE.svg", help="draw the graph of the claims")
    parser.add_argument("--verdicts", metavar="RUN", help="colour the graph by this run's folder or verdicts.json")
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
            "rests_on": list(claim.rests_on),
            "controls": [{"id": control.id, "statement": control.statement} for control in claim.controls],
        }
        for claim in chosen
    ]
    if args.verdicts is not None and args.graph is None:
        raise InputError("--verdicts colours the graph: give --graph FILE.svg as well")
    if args.graph is not None:
        _draw(args.graph, chosen, {} if args.verdicts is None else _verdicts(args.verdicts))
    write_json(args.json, {"schema": "modeconn.claims/1", "claims": shown})
    if args.json == "-" or (args.graph is not None and args.id is None):
        return ExitCode.HELD
    for claim in shown:
        false_theorem = "  (published, false: must be refuted)" if claim["expected"] == "refuted" else ""
        print(f"{claim['id']}  {claim['source']}{false_theorem}\n    {claim['statement']}")
        if args.id is not None:
            for text in claim["hypotheses"]:
                print(f"    hypothesis: {text}")
            if claim["rests_on"]:
                print(f"    rests on {', '.join(claim['rests_on'])}")
            for control in claim["controls"]:
                print(f"    control {control['id']}: {control['statement']}")
        else:
            print(f"    {len(claim['controls'])} controls: {', '.join(control['id'] for control in claim['controls'])}")
    return ExitCode.HELD


def _draw(path: str, claims: list[Claim], verdicts: Mapping[str, str]) -> None:
    """Write the graph of the claims."""
    from modeconn.io import write_text
    from modeconn.plots import to_svg
    from modeconn.plots.claim_graph import claim_graph

    if not path.endswith(".svg"):
        raise InputError(f"--graph: expected a file name that ends in .svg, found {path!r}")
    write_text(path, to_svg(claim_graph({claim.id: claim.rests_on for claim in claims}, verdicts)))
    print(f"graph: {path}", file=sys.stderr)


def _verdicts(source: str) -> dict[str, str]:
    """Return the verdict of each claim of a run; a refutation that was expected is named so."""
    from modeconn.plots.claim_graph import VERDICT_COLOURS

    path = Path(source) / "verdicts.json" if Path(source).is_dir() else Path(source)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        found = {
            row["id"]: "refuted, as expected" if row["verdict"] == row["expected"] == "refuted" else row["verdict"]
            for row in record["claims"]
        }
        unknown = [verdict for verdict in found.values() if verdict not in VERDICT_COLOURS]
        if unknown:
            raise ValueError(unknown)
        return found
    except OSError as error:
        raise InputError(f"--verdicts: cannot read {path}: {error.strerror or error}; name a run's folder") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"--verdicts: {path} is not a verdicts.json of 'modeconn verify'") from None
