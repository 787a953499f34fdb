"""Finished work on disk, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modeconn.errors import InputError
from modeconn.io import dumps, write_text

__all__ = ["BlockStore"]

SCHEMA = "modeconn.block/1"


class BlockStore:
    """The folder of finished blocks, one JSON file each.

    A file carries the digest of everything the block depends on and a checksum of the result. A file with another
    digest (an edited claim, another seed or profile) or a wrong checksum (a damaged file) counts for nothing: the
    block is done again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be a folder of a run ({error.strerror}); name another") from None

    def load(self, name: str, digest: str) -> dict[str, Any] | None:
        """Return the stored result, or ``None`` when the work has to be done."""
        try:
            record = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
            result = record["result"]
            is_sound = record["digest"] == digest and record["sha256"] == _sha256(result)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return result if is_sound else None

    def save(self, name: str, digest: str, result: Mapping[str, Any]) -> None:
        """Store a result; the file appears complete or not at all."""
        record = {"schema": SCHEMA, "digest": digest, "sha256": _sha256(result), "result": result}
        write_text(self.folder / f"{name}.json", dumps(record, indent=None))


def _sha256(result: Any) -> str:
    return hashlib.sha256(json.dumps(result, sort_keys=True, allow_nan=False).encode()).hexdigest()
