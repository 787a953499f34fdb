"""Print the barrier of the straight segment between two nets of half squared error or another convex loss.

The default method is exact: the weights are read as the dyadic rationals they are, and the answer is a certified
enclosure [lower, upper] in rational arithmetic, rounded outward to floats."""

from __future__ import annotations

import argparse
import sys

from modeconn.cli.options import add_data, add_json, add_loss, points, write_json
from modeconn.errors import ExitCode, InputError

__all__ = ["configure", "run"]

METHODS = ("certified", "float64", "grid")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "net_a", metavar="A", help="first net: .npz or .safetensors with W (d, m), a (m,) or (c, m), b (m,)"
    )
    parser.add_argument("net_b", metavar="B", help="second net, of the same shape")
    add_data(parser)
    parser.add_argument(
        "--baseline",
        metavar="NAME",
        default="linear",
        help="linear, endpoint_max or endpoint_mean (default linear); with the last, monotone segments have a barrier",
    )
    add_loss(parser)
    parser.add_argument(
        "--method",
        metavar="NAME",
        default=None,
        help="certified: rational enclosure (default for squared error); float64: exact algorithm in floats, any loss; "
        "grid: maximum over --points samples, a lower bound only",
    )
    parser.add_argument("--points", metavar="K", type=points, default=1001, help="points of the grid (default 1001)")
    parser.add_argument("--align", action="store_true", help="permute B's neurons by weight matching with A first")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compute the barrier and print it."""
    from modeconn.align import weight_matching
    from modeconn.data import load_dataset
    from modeconn.errors import unknown_name
    from modeconn.io import read_net
    from modeconn.paths import barrier_certified, barrier_exact, net_barrier_on_grid

    method = args.method or ("certified" if args.loss == "half_squared_error" else "float64")
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if method == "certified" and args.loss != "half_squared_error":
        raise InputError(f"certified enclosures need half_squared_error, found {args.loss}; use --method float64")
    net_a, net_b = read_net(args.net_a), read_net(args.net_b)
    data = load_dataset(args.data, bias=args.bias)
    if args.align:
        net_b, _ = weight_matching(net_a, net_b)
    if method == "certified":
        result = barrier_certified(net_a, net_b, data.X, data.Y, baseline=args.baseline)
    elif method == "float64":
        result = barrier_exact(net_a, net_b, data.X, data.Y, loss=args.loss, baseline=args.baseline)
    else:
        result = net_barrier_on_grid(
            net_a, net_b, data.X, data.Y, loss=args.loss, baseline=args.baseline, points=args.points
        )
    payload = {"schema": "modeconn.barrier/1", **result.to_json()}
    write_json(args.json, payload)
    if args.json != "-":
        for key in (
            "barrier",
            "max_loss",
            "argmax_t",
            "baseline",
            "loss_start",
            "loss_end",
            "lower",
            "upper",
            "method",
        ):
            print(f"{key:<11} {payload[key]}", file=sys.stdout)
    return ExitCode.HELD
