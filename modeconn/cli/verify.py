"""Put claims on trial and, when the whole library is, end with a study of nets trained on real data.

  modeconn verify                          every claim, then the study; writes runs/verify/report.html
  modeconn verify --claim L1 --claim S1    some claims, no study
  modeconn verify my_claims.py             the claims of your own file
  modeconn verify --campaign runs/million  finished campaigns beside the verdicts of the claims they are about

Verdicts: certified (an exact checker accepted every instance), not refuted (tried, none failed), refuted (a witness,
confirmed exactly, is written for 'modeconn replay'), undecided (and why)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import add_json, jobs, write_json
from modeconn.errors import ExitCode, InputError, unknown_name

if TYPE_CHECKING:
    from proofs_check.claims import Claim

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", nargs="?", metavar="CLAIMS.py", help="a file of your own that defines CLAIMS")
    parser.add_argument("--claim", nargs="+", action="extend", metavar="ID", help="only these claims, such as L1 S1")
    parser.add_argument("--profile", default="quick", help="how many instances: quick (default), ci or deep")
    parser.add_argument("--seed", type=int, default=0, help="seed of every random choice (default 0)")
    parser.add_argument("--jobs", metavar="J", type=jobs, default=1, help="worker processes (default 1)")
    parser.add_argument("--out", metavar="FOLDER", help="the run's folder (default runs/<file or 'verify'>)")
    parser.add_argument("--resume", action="store_true", help="keep the finished parts of an interrupted run in --out")
    parser.add_argument(
        "--campaign", nargs="+", action="extend", default=[], metavar="FOLDER", help="show these finished campaigns too"
    )
    study = parser.add_mutually_exclusive_group()
    study.add_argument("--study", action="store_true", default=None, help="run the study on real data as well")
    study.add_argument("--no-study", dest="study", action="store_false", help="leave the study out")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run the trial and the study, write the run's folder, print the table of verdicts."""
    from modeconn.cli.progress import progress
    from modeconn.cli.tables import print_study, print_verdicts
    from modeconn.report.campaign import campaign_rows
    from modeconn.report.run_folder import write_run
    from modeconn.studies import STUDY_PROFILES, real_data_study
    from proofs_check.claims import CLAIMS, load_claims, verify_claims
    from proofs_check.claims.profiles import PROFILES

    if args.profile not in PROFILES:
        raise unknown_name("profile", args.profile, PROFILES)
    library = CLAIMS if args.file is None else {claim.id: claim for claim in load_claims(args.file)}
    for wanted in args.claim or ():
        if wanted not in library:
            raise unknown_name("claim", wanted, library)
    claims = [library[wanted] for wanted in dict.fromkeys(args.claim or library)]
    name = "-".join(args.claim) if args.claim else "verify" if args.file is None else Path(args.file).stem
    with_study = args.study if args.study is not None else (args.file is None and args.claim is None)
    folder = Path(args.out or Path("runs") / name)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: expected a folder, found the file {folder}; choose another name")
    campaigns = campaign_rows(map(Path, args.campaign), folder)

    with progress(sys.stderr) as reporter:
        report = verify_claims(
            claims,
            profile=args.profile,
            seed=args.seed,
            jobs=args.jobs,
            run_dir=folder,
            resume=args.resume,
            reporter=reporter,
            claims_file=args.file,
        )
        study = None
        if with_study:
            study = real_data_study(
                replace(STUDY_PROFILES[args.profile], seed=args.seed),
                folder / "study",
                resume=args.resume,
                reporter=reporter,
            )
    payload = report.to_json() | ({"campaigns": campaigns} if campaigns else {})
    written = write_run(folder, payload, study, command=["modeconn", *sys.argv[1:]])
    write_json(args.json, payload)
    if args.json != "-":
        print_verdicts(payload)
        for row in campaigns:
            print(_line(row))
        if study is not None:
            print_study(study)
        print(f"\nreport: {written}")
    is_refuted = any(_refutes(row, {**CLAIMS, **library}.get(row["claim"])) for row in campaigns)
    return ExitCode.REFUTED if is_refuted else ExitCode(report.exit_code)


def _line(row: Mapping[str, Any]) -> str:
    """Return what a campaign says of a claim, in one line."""
    what = f"{row['claim']}{', control ' + row['control'] if row['control'] else ''}"
    margin = "" if row["margin"] is None else f", smallest margin {row['margin']:.3g}"
    return f"{what}: campaign {row['campaign']}: {row['verdict']}, {row['instances']:,} instances{margin}"


def _refutes(row: Mapping[str, Any], claim: Claim | None) -> bool:
    """Return whether a campaign refuted a claim that is not expected to fall (a control is)."""
    return row["verdict"] == "refuted" and not row["control"] and (claim is None or claim.expected != "refuted")
