"""A narrow-net problem: data, output weights, regularisation and region, as exact numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from modeconn.cells.rational import as_fraction, fraction_text
from modeconn.errors import InputError, unknown_name

__all__ = ["Ball", "Problem", "ProductRegion", "problem_from_json", "problem_to_json", "read_problem"]

Vector = tuple[Fraction, ...]

BALLS = ("linf", "spectral")
"""Norms whose balls a problem may be confined to: entrywise (AdamW, Lion) and operator norm (Muon)."""

_KEYS = {"X", "y", "output_weights", "ridge", "region"}
_NOTES = {"name", "comment", "description"}  # for the reader of the file


@dataclass(frozen=True)
class Ball:
    """{w : |w| <= radius} for one leaf."""

    norm: Literal["linf", "spectral"]
    radius: Fraction


@dataclass(frozen=True)
class ProductRegion:
    """A ball for the hidden weights W and one for the output weights alpha."""

    W: Ball
    A: Ball


@dataclass(frozen=True)
class Problem:
    """Least squares with a two-layer ReLU net of one output: loss(theta) = 1/2 sum_i (f(x_i) - y_i)^2.

    Attributes:
        X: rows (n, d).
        y: targets (n,).
        output_weights: ``"free"``, or ``"fixed"`` at +1.
        ridge: beta of + beta/2 (|W|^2 + |alpha|^2).
        region: where the weights must stay, or ``None``.
    """

    X: tuple[Vector, ...]
    y: Vector
    output_weights: Literal["free", "fixed"] = "free"
    ridge: Fraction = Fraction(0)
    region: ProductRegion | None = None

    def __post_init__(self) -> None:
        lengths = {len(row) for row in self.X}
        if not self.X or lengths == {0} or len(lengths) != 1:
            raise InputError(f"X: expected n >= 1 rows of one length d >= 1, found row lengths {sorted(lengths)}")
        if len(self.y) != len(self.X):
            raise InputError(f"y: expected one target a row of X ({len(self.X)}), found {len(self.y)}")
        if self.output_weights not in ("free", "fixed"):
            raise unknown_name("output_weights", str(self.output_weights), ["free", "fixed"])
        if self.ridge < 0:
            raise InputError(f"ridge: expected a number >= 0, found {self.ridge}")

    @property
    def dimension(self) -> int:
        """The number d of inputs."""
        return len(self.X[0])

    @property
    def signs(self) -> tuple[int, ...]:
        """The signs an output weight can have."""
        return (1, -1) if self.output_weights == "free" else (1,)


def _ball(data: Any, where: str) -> Ball:
    if not isinstance(data, Mapping) or set(data) != {"norm", "radius"}:
        raise InputError(f'{where}: expected {{"norm": ..., "radius": ...}}, found {data!r}')
    if data["norm"] not in BALLS:
        raise unknown_name("norm", str(data["norm"]), BALLS)
    radius = as_fraction(data["radius"], f"{where}.radius")
    if radius <= 0:
        raise InputError(f"{where}.radius: expected a positive number, found {radius}")
    return Ball(data["norm"], radius)


def _region(data: Any) -> ProductRegion | None:
    if data is None:
        return None
    if isinstance(data, Mapping) and set(data) == {"W", "A"}:
        return ProductRegion(_ball(data["W"], "region.W"), _ball(data["A"], "region.A"))
    both = _ball(data, "region")
    return ProductRegion(both, both)


def _rows(data: Any, where: str) -> list[Any]:
    if not isinstance(data, list | tuple):
        raise InputError(f"{where}: expected a list, found {type(data).__name__}")
    return list(data)


def problem_from_json(data: Any) -> Problem:
    """Return the problem that a parsed JSON object describes.

    ``{"X": [[..]], "y": [..], "output_weights": "free"|"fixed", "ridge": "0", "region": null|{"norm", "radius"}}``;
    only X and y are required. Numbers are JSON numbers, taken as the decimal that is written, or strings ``"3/7"``.

    Raises:
        InputError: a key is missing or unknown, a shape is wrong, an entry is not a finite rational.

    Example:
        >>> problem_from_json({"X": [[1, "1/2"]], "y": [0.1]}).y
        (Fraction(1, 10),)
    """
    if not isinstance(data, Mapping):
        raise InputError(f'problem: expected an object with "X" and "y", found {type(data).__name__}')
    for key in data:
        if key not in _KEYS | _NOTES:
            raise unknown_name("key of the problem", str(key), _KEYS)
    for key in ("X", "y"):
        if key not in data:
            raise InputError(f'problem: expected the key "{key}", found {sorted(data)}; give X (rows) and y (targets)')
    X = tuple(
        tuple(as_fraction(v, f"X[{i}][{k}]") for k, v in enumerate(_rows(row, f"X[{i}]")))
        for i, row in enumerate(_rows(data["X"], "X"))
    )
    y = tuple(as_fraction(v, f"y[{i}]") for i, v in enumerate(_rows(data["y"], "y")))
    return Problem(
        X,
        y,
        data.get("output_weights", "free"),
        as_fraction(data.get("ridge", 0), "ridge"),
        _region(data.get("region")),
    )


def read_problem(path: str | Path) -> Problem:
    """Return the problem in a JSON file; see :func:`problem_from_json`.

    Raises:
        InputError: the file cannot be read, is no JSON, or describes no problem.
    """

    def refuse(constant: str) -> Any:
        raise InputError(f"{path}: expected finite numbers, found {constant}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise InputError(f"{path}: expected each field once, found one of {sorted(found)} twice")
        return found

    try:
        text = Path(path).read_text(encoding="utf-8")
        data = json.loads(text, parse_float=str, parse_constant=refuse, object_pairs_hook=once)
    except OSError as error:
        raise InputError(f"{path}: expected a problem file, found none that can be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: expected JSON, found {error}; see the README for the format") from error
    return problem_from_json(data)


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """Return the JSON object of a problem, rationals as strings; inverse of :func:`problem_from_json`."""

    def ball(of: Ball) -> dict[str, str]:
        return {"norm": of.norm, "radius": fraction_text(of.radius)}

    region = problem.region
    return {
        "X": [[fraction_text(v) for v in row] for row in problem.X],
        "y": [fraction_text(v) for v in problem.y],
        "output_weights": problem.output_weights,
        "ridge": fraction_text(problem.ridge),
        "region": None if region is None else {"W": ball(region.W), "A": ball(region.A)},
    }
