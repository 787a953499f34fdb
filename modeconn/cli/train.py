"""Train a fleet of two-layer nets, every combination of optimizer, width, rate, decay and seed, and save each net.

  modeconn train --data breast_cancer --optimizer adamw muon --width 16 --seeds 0:3 --out runs/nets

writes OPTIMIZER-wWIDTH-sSEED.npz (W, a) and runs.csv. With --bias the data get a constant column, and the last row of W
is the bias: give barrier the same --bias."""

from __future__ import annotations

import argparse
import sys

from modeconn.cli.options import (
    add_data,
    add_json,
    add_loss,
    positive_integer,
    positive_integers,
    ready_folder,
    seeds,
    write_json,
)
from modeconn.errors import ExitCode, InputError

__all__ = ["MOST_WEIGHTS", "configure", "run"]

MOST_WEIGHTS = 10**9
"""Most weights that the nets of a fleet may have together: a few of them fill the memory of a machine."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data(parser)
    parser.add_argument(
        "--optimizer", nargs="+", default=["adamw"], metavar="NAME", help="such as adamw lion muon (default adamw)"
    )
    parser.add_argument(
        "--width", type=positive_integers, default=[32], metavar="M[,M]|A:B", help="hidden widths (default 32)"
    )
    parser.add_argument("--seeds", type=seeds, default=[0], metavar="S[,S]|A:B", help="seeds (default 0)")
    parser.add_argument(
        "--learning-rate", type=float, nargs="+", metavar="EPS", help="default: the study's, by optimizer"
    )
    parser.add_argument(
        "--weight-decay", type=float, nargs="+", metavar="LAM", help="default: the study's, by optimizer"
    )
    parser.add_argument(
        "--steps", metavar="K", type=positive_integer, default=600, help="full-batch steps (default 600)"
    )
    parser.add_argument(
        "--schedule",
        metavar="NAME",
        default="cosine",
        help="decay of the rate: constant, linear or cosine (default cosine)",
    )
    add_loss(parser)
    parser.add_argument(
        "--dtype", default="float32", choices=("float32", "float64"), help="of training (default float32)"
    )
    parser.add_argument("--out", metavar="FOLDER", default="runs/nets", help="folder of the nets (default runs/nets)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Train, write the nets and the table, print where each ended."""
    from modeconn.cli.progress import progress
    from modeconn.cli.tables import print_runs
    from modeconn.data import load_dataset
    from modeconn.io import write_net, write_text
    from modeconn.optim import optimizer_from_name
    from modeconn.report import csv_text
    from modeconn.studies import HYPERPARAMETERS, run_rows
    from modeconn.train import Fleet, train_fleet, unstack

    data = load_dataset(args.data, bias=args.bias)
    parts = []
    for name in args.optimizer:
        optimizer_from_name(name)
        known = HYPERPARAMETERS.get(name)
        if known is None and (args.learning_rate is None or args.weight_decay is None):
            raise InputError(f"{name} has no default rate and decay; give --learning-rate and --weight-decay")
        rate, decay = known or (0.0, 0.0)
        parts.append(
            Fleet.grid(
                optimizers=[name],
                learning_rates=args.learning_rate or [rate],
                widths=args.width,
                weight_decays=args.weight_decay if args.weight_decay is not None else [decay],
                seeds=args.seeds,
            )
        )
    fleet = Fleet.concat(*parts)
    weights = int(fleet.width.sum()) * (data.d + data.c)
    if weights > MOST_WEIGHTS:
        raise InputError(
            f"expected nets of at most 10^9 weights together, found {weights}; take fewer or narrower nets"
        )
    folder = ready_folder(args.out)
    with progress(sys.stderr) as reporter:
        reporter.start("training", len(fleet) * args.steps)
        told = 0

        def tell(done: int, total: int) -> None:
            nonlocal told
            reporter.advance("training", done - told)
            told = done

        result = train_fleet(
            fleet,
            data.X,
            data.Y,
            loss=args.loss,
            steps=args.steps,
            schedule=args.schedule,
            dtype=args.dtype,
            progress=tell,
        )
        reporter.finish("training")
    rows = run_rows(result, data, args.data)
    several = len(args.learning_rate or [0]) * len(args.weight_decay or [0]) > 1
    for i, row in enumerate(rows):
        rates = f"-lr{row['learning_rate']:g}-wd{row['weight_decay']:g}" if several else ""
        row["file"] = f"{row['optimizer']}-w{row['width']}-s{row['seed']}{rates}.npz"
        if not row["diverged"]:
            write_net(folder / row["file"], unstack(result, i))
    write_text(folder / "runs.csv", csv_text(rows))
    write_json(args.json, {"schema": "modeconn.train/1", "folder": str(folder), "runs": rows})
    if args.json != "-":
        print_runs(rows)
        print(f"\nnets and runs.csv: {folder}")
    return ExitCode.HELD
