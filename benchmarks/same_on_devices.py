"""The same verdicts, nets and barriers from 1, 2 and 8 forced host devices.

    python benchmarks/same_on_devices.py [--claims S1 L1 ...]

Each number of devices runs in a process of its own: claims on trial, a campaign, a fleet, a batch of barriers. Verdicts
(all but the seconds and the machine) and the campaign's summary must agree byte for byte, the nets bit for bit, the
barriers within the rounding they state. Exit status 1 otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

DEVICES = (1, 2, 8)
CLAIMS = ("S1", "L1", "W1")
EXACT = ("verdicts", "summary", "nets")


def findings(folder: Path, claims: Sequence[str]) -> dict[str, Any]:
    """What the devices of this process find: texts and digests, barriers with the ends of their intervals."""
    import jax

    from modeconn.campaigns import InThisProcess, run_campaign, spec_from_table
    from modeconn.nets import Net
    from modeconn.paths import barrier_exact_batch
    from modeconn.train import Fleet, train_fleet
    from proofs_check.claims import CLAIMS as LIBRARY
    from proofs_check.claims import verify_claims

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    first, second = (Net(rng.normal(size=(37, 2, 3)), rng.normal(size=(37, 1, 3))) for _ in range(2))  # type: ignore[arg-type]
    barriers = barrier_exact_batch(first, second, X, Y, engine="device")
    fleet = Fleet.grid(optimizers=["adamw", "muon"], learning_rates=[0.01], widths=[3, 8], seeds=range(5))
    nets = train_fleet(fleet, X, Y, steps=20, dtype="float64").nets
    job = {"family": "segment-barrier", "instances": 1024, "n": 3, "d": 2, "width": 2, "points": 5}
    summary = run_campaign(spec_from_table({"job": [job]}, "x"), folder / "campaign", InThisProcess).summary
    trial = verify_claims([LIBRARY[name] for name in claims], run_dir=folder / "verify").to_json()
    return {
        "devices": jax.local_device_count(),
        "verdicts": json.dumps(json.loads(json.dumps(trial["claims"]), object_hook=_without_seconds), sort_keys=True),
        "summary": json.dumps(summary.to_json(), sort_keys=True),
        "nets": hashlib.sha256(np.asarray(nets.W).tobytes() + np.asarray(nets.A).tobytes()).hexdigest(),
        **{name: np.asarray(getattr(barriers, name)).tolist() for name in ("barrier", "lower", "upper")},
    }


def _without_seconds(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "seconds"}


def on_devices(count: int, folder: Path, claims: Sequence[str] = ()) -> dict[str, Any]:
    """What a process with so many host devices finds; raises RuntimeError with its last words if it fails."""
    command = [sys.executable, __file__, "--inside", str(folder), "--claims", *claims]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "JAX_NUM_CPU_DEVICES": str(count)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def differences(one: dict[str, Any], many: dict[str, Any]) -> list[str]:
    """Names of what two numbers of devices do not agree on."""
    found = [name for name in EXACT if one[name] != many[name]]
    lower, barrier, upper = (np.array(row) for row in (one["lower"], many["barrier"], one["upper"]))
    return found if bool(((lower <= barrier) & (barrier <= upper)).all()) else [*found, "barriers"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run on each number of devices, compare with one, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", nargs="*", default=CLAIMS, metavar="ID", help="claims to put on trial")
    parser.add_argument("--inside", metavar="FOLDER", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.inside is not None:
        print(json.dumps(findings(Path(args.inside), args.claims)))
        return 0
    with tempfile.TemporaryDirectory() as home:
        found = {count: on_devices(count, Path(home) / str(count), args.claims) for count in DEVICES}
    print(f"devices  {'verdicts':<13} {'campaign':<13} {'nets':<13} barriers: largest difference from one device")
    bad = 0
    for count, row in found.items():
        digests = "  ".join(hashlib.sha256(row[name].encode()).hexdigest()[:12] for name in EXACT)
        apart = np.abs(np.array(row["barrier"]) - np.array(found[1]["barrier"])).max()
        wrong = differences(found[1], row) + ([] if row["devices"] == count else ["number of devices"])
        bad += len(wrong)
        print(f"{row['devices']:>7}  {digests}  {apart:.1e}  {'differ: ' + ', '.join(wrong) if wrong else 'the same'}")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
