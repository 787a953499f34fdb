"""Shards: which instances are done, which are missing, and the files that say so."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from modeconn.campaigns.family import FAMILIES
from modeconn.campaigns.spec import Cell, Spec
from modeconn.campaigns.tally import Tally
from modeconn.errors import InputError
from modeconn.io import dumps, write_json, write_text

__all__ = ["Shard", "ShardStore", "locked", "missing_shards"]

SCHEMA = "modeconn.shard/1"

SHARE = 4
"""Into how many parts for each worker what is left is cut at the end of a campaign."""


class Shard(NamedTuple):
    """The instances ``start .. stop - 1`` of a cell."""

    cell: Cell
    start: int
    stop: int

    @property
    def id(self) -> str:
        """A stable name, that of its file."""
        return f"{self.cell.id}/{self.start:012d}-{self.stop:012d}"


def missing_shards(
    spec: Spec, done: Mapping[str, Mapping[tuple[int, int], Any]], size: int | None = None, jobs: int = 1
) -> Iterator[Shard]:
    """Yield the shards that fill what is not done: whole blocks, of about ``size`` instances.

    With several workers the last ones are smaller, each at most 1 / (:data:`SHARE` ``jobs``) of the instances that are
    left, so that the workers finish together.

    Args:
        spec: the campaign.
        done: cell id -> finished ranges, disjoint; they may come from a run with shards of another size.
        size: instances in a shard, rounded up to the family's grain; ``None``: the family's own number.
        jobs: workers.
    """
    gaps = [Shard(cell, *gap) for cell in spec.cells for gap in _gaps(cell, done.get(cell.id, {}))]
    left = sum(gap.stop - gap.start for gap in gaps)
    for cell, at, stop in gaps:
        family = FAMILIES[cell.family]
        while at < stop:
            largest = family.shard if size is None else size
            wanted = largest if jobs == 1 else min(largest, left // (SHARE * jobs))
            end = min(at + max(1, -(-wanted // family.grain)) * family.grain, stop)
            yield Shard(cell, at, end)
            left -= end - at
            at = end


def _gaps(cell: Cell, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what disjoint ranges leave of the instances of a cell."""
    at = 0
    for start, stop in [*sorted(ranges), (cell.instances, cell.instances)]:
        if at < min(start, cell.instances):
            yield at, min(start, cell.instances)
        at = max(at, stop)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one campaign; the lock goes with the process, however it ends.

    Raises:
        InputError: another campaign is at work in the folder, or it cannot be one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "campaign.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise InputError(f"cannot use the folder {folder}: {error.strerror or error}; choose another --out") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"another campaign is at work in {folder}; wait for it, or choose another --out") from None
        yield
    finally:
        os.close(handle)


class ShardStore:
    """The folder ``shards/``: one file a shard, written whole or not at all, with a checksum.

    A file of this campaign that is damaged is put aside under ``damaged/`` and its instances are done again.
    """

    def __init__(self, folder: Path, spec: Spec) -> None:
        self.folder = folder
        self.spec = spec
        self.damaged: list[str] = []

    def begin(self, resume: bool) -> None:
        """Claim the folder for this campaign: its seed is written down, and those of other seeds are refused.

        The summary of an earlier end goes: it is written again when the campaign is finished.

        Raises:
            InputError: the folder holds shards and ``resume`` is not set, or those of another seed.
        """
        note = self.folder / "campaign.json"
        is_used = (self.folder / "shards").exists()
        if is_used and not resume:
            raise InputError(f"{self.folder} holds a campaign: go on with --resume, or choose another --out")
        if is_used:
            try:
                seed = json.loads(note.read_text(encoding="utf-8"))["seed"]
            except (OSError, ValueError, KeyError, TypeError):
                raise InputError(
                    f"{note} is missing or damaged: whose shards are these? choose another --out"
                ) from None
            if seed != self.spec.seed:
                raise InputError(
                    f"{self.folder} holds a campaign of seed {seed}, this one has seed {self.spec.seed}; "
                    "choose another --out"
                )
        (self.folder / "summary.json").unlink(missing_ok=True)
        write_json(note, {"schema": "modeconn.campaign/1", "name": self.spec.name, "seed": self.spec.seed})

    def save(self, shard: Shard, tally: Tally) -> None:
        """Write a finished shard."""
        path = self.folder / "shards" / f"{shard.id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        found = tally.to_json()
        record = {
            "schema": SCHEMA,
            "seed": self.spec.seed,
            "family": shard.cell.family,
            "parameters": dict(shard.cell.parameters),
            "start": shard.start,
            "stop": shard.stop,
            "sha256": _sha256(found),
            "tally": found,
        }
        write_text(path, dumps(record, indent=None))

    def load(self) -> dict[str, dict[tuple[int, int], Tally]]:
        """Return what is done: cell id -> range -> tally; of two ranges that overlap, one is put aside."""
        done: dict[str, dict[tuple[int, int], Tally]] = {}
        for cell in self.spec.cells:
            ranges: dict[tuple[int, int], Tally] = {}
            end = 0
            for path in sorted((self.folder / "shards" / cell.id).glob("*.json")):
                found = self._read(cell, path)
                if found is None or found[0] < end or found[1] > cell.instances:
                    if found is None or found[1] <= cell.instances:
                        self._put_aside(path)
                    continue
                start, end, tally = found
                ranges[start, end] = tally
            done[cell.id] = ranges
        return done

    def _read(self, cell: Cell, path: Path) -> tuple[int, int, Tally] | None:
        """Return a shard's range and tally, or ``None`` if the file is not what was written."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            start, stop = record["start"], record["stop"]
            tally = Tally.from_json(record["tally"])
            is_sound = (
                record["schema"] == SCHEMA
                and record["seed"] == self.spec.seed
                and record["parameters"] == dict(cell.parameters)
                and record["sha256"] == _sha256(record["tally"])
                and path.stem == f"{start:012d}-{stop:012d}"
                and 0 <= start < stop
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (start, stop, tally) if is_sound else None

    def _put_aside(self, path: Path) -> None:
        target = self.folder / "damaged" / path.parent.name
        target.mkdir(parents=True, exist_ok=True)
        os.replace(path, target / path.name)
        self.damaged.append(f"{path.parent.name}/{path.name}")


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()
