"""Exact communication barriers between the global minima of random integer problems, against a bound (N7, N8)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from modeconn.campaigns.families.drawing import block_generator, tally_of_margins
from modeconn.campaigns.family import Family, Parameters, names, whole_numbers
from modeconn.campaigns.tally import Tally
from modeconn.errors import unknown_name
from modeconn.topology import CellComplex, Landscape, communication_barrier, level_set_topology, problem_from_json

__all__ = ["BOUNDS", "FAMILY"]

BOUNDS = ("origin", "narrower")
"""``origin``: the loss of the zero net (N7, true). ``narrower``: the least loss of one neuron less (N8, false)."""


NAME = "narrow-barrier"
GRAIN = 16
DEFAULTS: Parameters = {"n": None, "d": None, "width": None, "entries": 2, "bound": "origin"}
"""Parameters: ``n`` data, ``d`` inputs, ``width``, ``entries`` (the largest of X and y), ``bound``.

    In every second problem a single target is not zero: one neuron less often fits it, so barriers are compared with 0.
    """


def _check(parameters: Parameters) -> None:
    """Raise :class:`modeconn.errors.InputError` for numbers below 1 or an unknown bound."""
    whole_numbers(parameters, "n", "d", "width", "entries")
    names(parameters, "bound")
    if parameters["bound"] not in BOUNDS:
        raise unknown_name("bound", parameters["bound"], BOUNDS)


def _run_block(parameters: Parameters, block: int, seed: int) -> Tally:
    """Return bound minus barrier, exactly, for every problem of the block."""
    draw = block_generator(NAME, parameters, block, seed)
    n, d, e = parameters["n"], parameters["d"], parameters["entries"]
    problems: list[dict[str, Any]] = []
    while len(problems) < GRAIN:
        X = draw.integers(-e, e + 1, (n, d)).tolist()
        y = (
            draw.integers(-e, e + 1, n).tolist()
            if len(problems) % 2
            else [int(draw.integers(1, e + 1))] + [0] * (n - 1)
        )
        if any(map(any, X)):
            problems.append({"X": X, "y": y})
    margins = [_margin(problem, parameters["width"], parameters["bound"]) for problem in problems]
    return tally_of_margins(
        [float(margin) for margin in margins],
        block * GRAIN,
        lambda i: ("refuted", {"problem": problems[i], "exact": str(margins[i])}),
    )


def _margin(problem: dict[str, Any], width: int, bound: str) -> Fraction:
    """Return the bound minus the highest barrier between global minima; the bound itself if they are connected."""
    read = problem_from_json(problem)
    found = level_set_topology(read, width)
    highest = found.level if len(found.components) < 2 else communication_barrier(found).highest
    limit_of_zero = sum((y * y for y in read.y), Fraction(0)) / 2
    if bound == "origin":
        limit = limit_of_zero
    else:
        limit = CellComplex(Landscape(read), width - 1).least_loss() if width > 1 else limit_of_zero
    return Fraction(max(limit, found.level) - highest)


FAMILY = Family(
    NAME,
    "every barrier between global minima is at most the bound, in exact arithmetic (theory N7; N8 is false)",
    GRAIN,
    DEFAULTS,
    _check,
    _run_block,
    about=lambda parameters: {"origin": "N7", "narrower": "N8"}[parameters["bound"]],
    shard=1_000,
)
