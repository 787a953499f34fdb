"""Finished work on disk, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modeconn.errors import InputError
from modeconn.io.atomic import write_text_atomic

__all__ = ["RunFolder"]

SCHEMA = "modeconn.block/1"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


class RunFolder:
    """The folder ``runs/<name>`` of a run: ``blocks/``, ``witnesses/``, ``errors/``.

    Each stored piece of work carries the digest of everything it depends on and a checksum of itself. A piece with
    another digest (an edited claim, another seed or profile) or a wrong checksum (a damaged file) is done again.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            (self.path / "blocks").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path}: cannot be a run folder ({error.strerror}); name another folder") from None

    def load(self, name: str, digest: str) -> dict[str, Any] | None:
        """Return the stored result, or ``None`` when the work has to be done."""
        try:
            record = json.loads(self._file(name).read_text(encoding="utf-8"))
            result = record["result"]
            is_sound = record["digest"] == digest and record["sha256"] == _sha256(result)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return result if is_sound else None

    def save(self, name: str, digest: str, result: Mapping[str, Any]) -> None:
        """Store a result; the file appears complete or not at all."""
        record = {"schema": SCHEMA, "digest": digest, "sha256": _sha256(result), "result": result}
        write_text_atomic(self._file(name), _canonical(record) + "\n")

    def _file(self, name: str) -> Path:
        return self.path / "blocks" / f"{name}.json"


def _sha256(result: Any) -> str:
    return hashlib.sha256(_canonical(result).encode()).hexdigest()
