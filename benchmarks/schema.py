"""What a file of records must hold, checked whenever one is written or read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modeconn.errors import InputError

__all__ = ["OUTCOMES", "SCHEMA", "check_document", "read_document"]

SCHEMA = "modeconn.benchmark/1"
OUTCOMES = ("met", "missed", "no goal")
AGAIN = "measure it again with `python benchmarks/run.py`"
SECONDS = re.compile(r"(?:\d+ in )?<= (\d+(?:\.\d+)?) s")
"""A goal that is a time alone, which the outcome must agree with."""

CLOSE = 1e-9
"""Relative error within which a stored ratio is that of the stored times."""

ENVIRONMENT: dict[str, type | tuple[type, ...]] = {
    "device": str,
    "backend": str,
    "devices": int,
    "cpus": int,
    "load": (int, float),
    "platform": str,
    "python": str,
    "versions": dict,
    "commit": (str, type(None)),
}
RECORD: dict[str, type | tuple[type, ...]] = {
    "benchmark": str,
    "case": str,
    "outcome": str,
    "goal": (str, type(None)),
    "gate_error": (int, float),
    "size": dict,
    "dtype": str,
    "precision": str,
    "seconds": (int, float),
    "peers": dict,
    "speedup": (int, float, type(None)),
    "floor_seconds": (int, float, type(None)),
    "floor_share": (int, float, type(None)),
    "bound": (str, type(None)),
}
GROWTH: dict[str, type | tuple[type, ...]] = {
    "series": str,
    "over": str,
    "x": (int, float),
    "cost": (int, float),
    "cost_is": str,
}


def read_document(path: Path) -> dict[str, Any]:
    """Return a file of records, checked.

    Raises:
        InputError: the file cannot be read, is cut off, or is of another form.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise InputError(f"{path.name}: expected JSON, found a cut or damaged file ({error}); {AGAIN}") from None
    check_document(document, path.name)
    return dict(document)


def check_document(document: Any, name: str) -> None:
    """Stop unless a document is what ``write_records`` writes: types, finite gates, outcomes that fit their goals.

    Raises:
        InputError: where it is not, in one line.
    """
    found = document.get("schema") if isinstance(document, Mapping) else None
    if found != SCHEMA:
        raise InputError(f"{name}: expected records of the form {SCHEMA}, found {found or 'an older form'}; {AGAIN}")
    _check_types(document.get("environment"), ENVIRONMENT, f"{name}: environment")
    records = document.get("records")
    if not isinstance(records, list) or not records:
        raise InputError(f"{name}: expected a list of records, found {type(records).__name__}, empty or none")
    for row in records:
        case = row.get("case", "?") if isinstance(row, Mapping) else "?"
        check_record(row, f"{name}: {case}")
    _check_one(name, "benchmark of the file", {row["benchmark"] for row in records})
    twice = {row["case"] for row in records if sum(other["case"] == row["case"] for other in records) > 1}
    if twice:
        raise InputError(f"{name}: expected every case once, found {sorted(twice)} again")


def check_record(row: Any, where: str) -> None:
    """Stop unless one record is consistent in itself."""
    _check_types(row, RECORD, where)
    if not (math.isfinite(row["gate_error"]) and row["gate_error"] >= 0):
        raise InputError(f"{where}: expected a finite gate_error >= 0, found {row['gate_error']}")
    allowed = row.get("gate_allowed")
    if allowed is not None and not row["gate_error"] <= allowed:
        raise InputError(f"{where}: gate_error {row['gate_error']} is above the allowed {allowed}; it has no time")
    if row["outcome"] not in OUTCOMES or (row["outcome"] == "no goal") != (row["goal"] is None):
        raise InputError(f"{where}: outcome {row['outcome']!r} does not go with the goal {row['goal']!r}")
    limit = None if row["goal"] is None else SECONDS.fullmatch(row["goal"])
    if limit is not None and (row["seconds"] <= float(limit[1])) != (row["outcome"] == "met"):
        raise InputError(f"{where}: {row['seconds']} s do not go with {row['outcome']!r}, goal {row['goal']!r}")
    if (row["floor_seconds"] is None) != (row["bound"] is None):
        raise InputError(f"{where}: a floor and what it counts go together, found one of them")
    floors = {} if row["floor_seconds"] is None else {"floor_seconds": row["floor_seconds"]}
    for name, seconds in {"seconds": row["seconds"], **row["peers"], **floors}.items():
        _check_positive(seconds, f"{where}: {name}")
    first = next(iter(row["peers"].values()), None)
    _check_ratio(row["speedup"], first, row["seconds"], f"{where}: speedup")
    _check_ratio(row["floor_share"], row["floor_seconds"], row["seconds"], f"{where}: floor_share")
    studies = row.get("growth", [])
    if not isinstance(studies, list):
        raise InputError(f"{where}: growth is {studies!r}, expected a list of studies; {AGAIN}")
    for growth in studies:
        _check_types(growth, GROWTH, f"{where}: growth")
        for name in ("x", "cost"):
            _check_positive(growth[name], f"{where}: growth {name}")


def _check_types(found: Any, expected: Mapping[str, Any], where: str) -> None:
    if not isinstance(found, Mapping):
        raise InputError(f"{where}: expected an object, found {type(found).__name__}; {AGAIN}")
    if missing := [name for name in expected if name not in found]:
        raise InputError(f"{where}: expected {', '.join(missing)}, found nothing there; {AGAIN}")
    for name, kinds in expected.items():
        if not isinstance(found[name], kinds) or isinstance(found[name], bool):
            raise InputError(f"{where}: {name} is {found[name]!r}, a {type(found[name]).__name__}; {AGAIN}")


def _check_positive(number: Any, where: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < math.inf:
        raise InputError(f"{where}: expected a positive finite number, found {number!r}")


def _check_ratio(ratio: float | None, above: float | None, below: float, where: str) -> None:
    wanted = None if above is None else above / below
    same = ratio is None if wanted is None else ratio is not None and math.isclose(ratio, wanted, rel_tol=CLOSE)
    if not same:
        raise InputError(f"{where}: expected {wanted}, the ratio of the times, found {ratio}")


def _check_one(name: str, what: str, found: Iterable[str]) -> None:
    if len(names := sorted(found)) != 1:
        raise InputError(f"{name}: expected one {what}, found {names}")
