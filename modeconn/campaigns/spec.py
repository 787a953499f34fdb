"""What a campaign tries: a TOML file of jobs, each a product of parameters, with a number of instances for each."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modeconn.campaigns.family import Family, Parameters, family_from_name
from modeconn.errors import InputError, unknown_name

__all__ = ["Cell", "Spec", "read_spec", "spec_from_table"]

_OWN = ("family", "instances")
_MOST_CELLS = 10_000
_MOST_INSTANCES = 10**12
"""Bounds that catch a slip of the pen; names of shards have twelve digits."""


@dataclass(frozen=True)
class Cell:
    """One family at fixed parameters; its instances are numbered 0, 1, ..., and each depends on its number alone.

    Attributes:
        family: key in :data:`modeconn.campaigns.FAMILIES`.
        parameters: name -> value, complete.
        instances: how many, a multiple of the family's grain.
    """

    family: str
    parameters: Parameters
    instances: int

    @property
    def id(self) -> str:
        """A stable name: of the family and its parameters, not of the number of instances or the place in the file."""
        text = json.dumps([self.family, dict(self.parameters)], sort_keys=True)
        return f"{self.family}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Spec:
    """A campaign: its cells, in the order of the file, and the seed of every draw."""

    name: str
    seed: int
    cells: tuple[Cell, ...]

    @property
    def instances(self) -> int:
        """How many instances there are in all."""
        return sum(cell.instances for cell in self.cells)


def read_spec(path: str | os.PathLike[str]) -> Spec:
    """Return the campaign that a TOML file describes.

    Raises:
        InputError: no such file, not TOML, an unknown field, family or parameter, a cell given twice.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from None
    return spec_from_table(table, Path(path).stem)


def spec_from_table(table: Mapping[str, Any], name: str) -> Spec:
    """Return the campaign of a parsed table; lists of values are multiplied out.

    Example:
        >>> job = {"family": "segment-barrier", "instances": 512, "n": 4, "d": 2, "width": [2, 3]}
        >>> spec = spec_from_table({"seed": 7, "job": [job]}, "demo")
        >>> spec.name, spec.instances, [cell.parameters["width"] for cell in spec.cells]
        ('demo', 1024, [2, 3])
    """
    for key in table:
        if key not in ("name", "seed", "job"):
            raise unknown_name("field of a campaign", key, ("name", "seed", "job"))
    jobs = table.get("job")
    if not isinstance(jobs, list) or not jobs:
        raise InputError("campaign: expected at least one [[job]] table, found none")
    seed = table.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise InputError(f"campaign: expected a seed in [0, 2^32), found {seed!r}")
    cells = tuple(cell for number, job in enumerate(jobs) for cell in _cells(number, job))
    times = Counter(cell.id for cell in cells)
    for cell in cells:
        if times[cell.id] > 1:
            raise InputError(
                f"campaign: {cell.family} with {dict(cell.parameters)} is there twice; its instances would be counted "
                "twice: merge the jobs"
            )
    return Spec(str(table.get("name", name)), seed, cells)


def _cells(number: int, job: Any) -> list[Cell]:
    """Return the cells of one job."""
    where = f"job {number + 1}"
    if not isinstance(job, Mapping) or "family" not in job:
        raise InputError(f"{where}: expected a table with a family, found {job!r}")
    family = family_from_name(str(job["family"]))
    count = job.get("instances")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST_INSTANCES:
        raise InputError(
            f"{where}: expected a whole number of instances for each cell, from 1 to 10^12, found {count!r}"
        )
    values = {key: value if isinstance(value, list) else [value] for key, value in job.items() if key not in _OWN}
    for key, listed in values.items():
        if not listed:
            raise InputError(f"{where}: expected at least one value for {key}, found an empty list")
    if math.prod(map(len, values.values())) > _MOST_CELLS:
        raise InputError(f"{where}: the lists multiply out to more than {_MOST_CELLS:,} cells; make them shorter")
    rounded = -(-count // family.grain) * family.grain
    products = itertools.product(*values.values())
    return [Cell(family.name, _complete(family, where, dict(zip(values, p, strict=True))), rounded) for p in products]


def _complete(family: Family, where: str, given: dict[str, Any]) -> Parameters:
    """Return the parameters with the family's defaults, checked by the family."""
    for key in given:
        if key not in family.defaults:
            raise unknown_name(f"parameter of {family.name}", key, family.defaults)
    parameters = {**family.defaults, **given}
    missing = sorted(key for key, value in parameters.items() if value is None)
    if missing:
        raise InputError(f"{where}: {family.name} needs {', '.join(missing)}; give one value or a list")
    family.check(parameters)
    return dict(sorted(parameters.items()))
