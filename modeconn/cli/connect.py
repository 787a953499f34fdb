"""Build the path between two wide nets that never exceeds the worse end's loss nor leaves the optimizer's region.

  modeconn connect A.npz B.npz --data D --region spectral:1.5 --certificate path.json --plot path.svg
  modeconn connect A.npz B.npz --data D --region linf:0.8
  modeconn connect A.npz B.npz --data D --region spectral:1.5,linf:0.8      W, then the output weights

Regions: spectral:R (Muon), linf:R (AdamW, Lion; one output), frobenius:R, schatten:P:R with P >= 2, joint-frobenius:R;
'&' intersects two. A bias counts as a last row of W. --certificate writes the certificate, its problem beside it, and
has the independent exact checker decide.

Exit 0: the path is built; 2: bad input; 3: the width does not suffice for these nets (the numbers are printed), or the
checker did not accept."""

from __future__ import annotations

import argparse
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeconn.cli.options import add_data, add_json, add_loss, points, write_json
from modeconn.errors import ExitCode, InputError

if TYPE_CHECKING:
    from modeconn.constructions import Connection, WideRegion
    from modeconn.data import Dataset
    from modeconn.nets import Net
    from modeconn.paths import Barrier
    from modeconn.studies.connectivity_samples import PathSamples

__all__ = ["configure", "run"]

CHECKABLE = 400_000_000
"""Largest estimate of multiplications for which the checker is run at once: a minute or two."""

FIGURES = (".svg", ".png", ".pdf")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("net_a", metavar="A", help="first net: .npz or .safetensors with W (d, m), a (c, m), b (m,)")
    parser.add_argument("net_b", metavar="B", help="second net, of the same shape")
    add_data(parser)
    parser.add_argument("--region", metavar="R", required=True, help="such as spectral:1.5 or linf:0.8 (see above)")
    parser.add_argument(
        "--construction",
        metavar="NAME",
        default="auto",
        help="such as tau-climb (default auto: the cheapest that joins)",
    )
    add_loss(parser)
    parser.add_argument("--certificate", metavar="OUT", help="write the certificate (JSON) and have it checked")
    parser.add_argument("--problem", metavar="OUT", help="write nets, data and region; default: beside the certificate")
    parser.add_argument("--path", metavar="OUT.npz", help="write the knots of the path")
    parser.add_argument("--plot", metavar="OUT.svg", help="draw loss and live neurons along it: .svg, .png or .pdf")
    parser.add_argument(
        "--points", metavar="K", type=points, default=129, help="nets of the path to sample (default 129)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Build the path, look at it by forward passes, write what was asked for, print the numbers."""
    from modeconn.constructions import connect, region_from_text
    from modeconn.data import load_dataset
    from modeconn.io import read_net
    from modeconn.paths import barrier_exact
    from modeconn.studies.connectivity_samples import sample_path

    _check_outputs(args)
    region = region_from_text(args.region)
    if args.certificate is not None:
        _check_region(region)
    nets = read_net(args.net_a), read_net(args.net_b)
    data = load_dataset(args.data, bias=args.bias)
    found = connect(*nets, data.X, data.Y, region, args.loss, args.construction)
    straight = barrier_exact(*nets, data.X, data.Y, loss=args.loss, baseline="endpoint_max")
    seen = None
    if found.path is not None:
        seen = sample_path(found.path, data.X, data.Y, region, args.loss, args.points)
    record = _record(found, straight, seen, data, region)
    if args.problem is not None or (args.certificate is not None and found.joined):
        record |= _certified(args, nets, data, region, found)
    if found.path is not None and args.path is not None:
        found.path.save(args.path)  # type: ignore[attr-defined]
        record["path"] = args.path
    if args.plot is not None and seen is not None:
        _plot(args.plot, args, nets, data, seen)
        record["plot"] = args.plot
    write_json(args.json, record)
    if args.json != "-":
        _print(record)
    return ExitCode.HELD if found.joined and record.get("accepted") is not False else ExitCode.UNDECIDED


def _check_outputs(args: argparse.Namespace) -> None:
    """Raise for outputs that cannot be written, before any work."""
    for option in ("certificate", "problem", "path", "plot"):
        value = getattr(args, option)
        if value is not None and not Path(value).parent.is_dir():
            raise InputError(f"--{option}: expected an existing folder for {value}; make {Path(value).parent} first")
    if args.plot is not None and Path(args.plot).suffix not in FIGURES:
        raise InputError(f"--plot: expected a name ending in {', '.join(FIGURES)}, found {args.plot}")
    if args.path is not None and Path(args.path).suffix != ".npz":
        raise InputError(f"--path: expected a name ending in .npz, found {args.path}")
    if args.certificate is not None and args.loss != "half_squared_error":
        raise InputError(f"--certificate: the checker knows half_squared_error only, found {args.loss}; leave it out")
    if args.certificate is not None and args.certificate in (args.problem, args.path, args.plot):
        raise InputError(f"--certificate: expected a file of its own, found {args.certificate} twice; rename one")


def _check_region(region: WideRegion) -> None:
    """Raise for a region that the checker does not know."""
    from proofs_check.checker.wide_region import MAX_POWER

    for ball in region.balls:
        p = ball.exponent
        if math.isfinite(p) and (p % 2 or p > MAX_POWER):
            raise InputError(
                f"--certificate: certificates of Schatten balls need an even p from 2 to {MAX_POWER}, found "
                f"{ball.norm}; take an even p or leave --certificate out"
            )


def _record(
    found: Connection, straight: Barrier, seen: PathSamples | None, data: Dataset, region: WideRegion
) -> dict[str, Any]:
    """Return the numbers."""
    record: dict[str, Any] = {
        "schema": "modeconn.connect/1",
        "joined": found.joined,
        "construction": found.construction,
        "reason": found.reason,
        "region": region.to_json(),
        "data": data.name,
        "n": data.n,
        "width": found.width,
        "live": [found.live0, found.live1],
        "needed": found.needed,
        "N": found.functionals or None,
        "rank": found.rank or None,
        "segment": straight.to_json(),
    }
    if seen is None or found.path is None or found.level is None or found.radius_slack is None:
        return record
    return record | {
        "pieces": found.path.pieces,
        "level": str(found.level),
        "level_float": _rounded_up(found.level),
        "level_slack": found.level_slack,
        "radius_slack": str(found.radius_slack),
        "drift": found.drift,
        "sampled": {
            "nets": len(seen.t),
            "max_loss": seen.max_loss,
            "argmax_t": seen.argmax_t,
            "rise": seen.rise,
            "excess": float(seen.excess.max()),
            "least_live": int(seen.live.min()),
        },
    }


def _rounded_up(level: Fraction) -> float:
    """Return a float that is no smaller."""
    value = float(level)
    return value if Fraction(value) >= level else math.nextafter(value, math.inf)


def _certified(
    args: argparse.Namespace, nets: tuple[Net, Net], data: Dataset, region: WideRegion, found: Connection
) -> dict[str, Any]:
    """Write problem and certificate, and let the checker decide if it can in a minute or two."""
    from modeconn.constructions import problem_to_json
    from modeconn.io import file_sha256, write_json
    from proofs_check.checker import check_certificate

    target = None if args.certificate is None else Path(args.certificate)
    problem = Path(args.problem) if args.problem else target.with_name(f"{target.stem}-problem.json")  # type: ignore[union-attr]
    write_json(problem, problem_to_json(*nets, data.X, data.Y, region))
    record: dict[str, Any] = {"problem": str(problem)}
    if target is None or not found.joined:
        return record
    certificate = found.certificate() | {"problem": {"sha256": file_sha256(problem)}}
    write_json(target, certificate)
    record["certificate"] = str(target)
    changes = sum(map(len, certificate["evidence"]["knots"]))
    if changes * (data.n * data.c + data.d**2 + data.c**2) > CHECKABLE:
        return record | {"accepted": None, "checker": "not run: the certificate is large"}
    result = check_certificate(target, problem)
    return record | {"accepted": result.accepted, "checker": result.reason}


def _plot(target: str, args: argparse.Namespace, nets: tuple[Net, Net], data: Dataset, seen: PathSamples) -> None:
    """Draw loss and live neurons along the path, and the straight segment."""
    import numpy as np

    from modeconn.paths import segment_loss
    from modeconn.plots.connect import draw_connections
    from modeconn.plots.style import figure_style

    t = np.linspace(0.0, 1.0, 401)
    common = {
        "case": f"{Path(args.net_a).stem} to {Path(args.net_b).stem}, {args.region}",
        "optimizer": "muon" if args.region.startswith("spectral") else "adamw",
        "worse_end": float(max(seen.loss[0], seen.loss[-1])),
    }
    straight = segment_loss(*nets, data.X, data.Y, t, args.loss)
    rows = [
        common | {"path": "segment", "t": t.tolist(), "loss": straight.tolist(), "live": None},
        common | {"path": "constructed", "t": seen.t.tolist(), "loss": seen.loss.tolist(), "live": seen.live.tolist()},
    ]
    with figure_style():
        draw_connections(rows).savefig(target, dpi=160)


def _print(record: dict[str, Any]) -> None:
    """Print the numbers, one a line."""
    out, live = sys.stdout, record["live"]
    known = "" if record["N"] is None else f"; N = {record['N']}"
    lines = {
        "width": f"{record['width']} neurons, {record['n']} points of {record['data']}",
        "live": f"{live[0]} and {live[1]} after reduction{known}; {record['needed']} slots suffice",
        "segment": f"barrier {record['segment']['barrier']:.6g} above the worse end (straight line, exact)",
    }
    if not record["joined"]:
        print(f"no path: width {record['width']} does not suffice for these nets", file=out)
        lines["reason"] = record["reason"]
    else:
        print(f"path built: {record['construction']}, {record['pieces']} pieces", file=out)
        seen = record["sampled"]
        where = "inside" if seen["excess"] <= 0 else "outside"
        lines |= {
            "how": record["reason"],
            "level": f"{record['level_float']!r}, "
            f"above the rounded-up loss of the worse end by {record['level_slack']:.3g}",
            "slack": f"radii times 1 + {record['radius_slack']}",
            "sampled": f"loss <= {seen['max_loss']!r} at {seen['nets']} nets, worst at t = {seen['argmax_t']:.4g}; "
            f"norms {where} by {abs(seen['excess']):.3g} of the radius; {seen['least_live']} or more live neurons",
        }
    for key in ("path", "plot", "problem", "certificate"):
        if key in record:
            lines[key] = record[key]
    if record.get("accepted") is not None:
        lines["checker"] = f"{'certified' if record['accepted'] else 'NOT accepted'}: {record['checker']}"
    elif "certificate" in record:
        command = f"modeconn check {record['certificate']} --problem {record['problem']}"
        lines["checker"] = f"{record['checker']}; run: {command}"
    for key, text in lines.items():
        print(f"{key:<12} {text}", file=out)
