"""The manifest of a run: what ran, on what, with what, and the digests of everything read and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modeconn.io import file_sha256

__all__ = ["manifest"]


def manifest(
    command: Sequence[str],
    settings: Mapping[str, Any],
    environment: Mapping[str, Any],
    inputs: Mapping[str, str],
    folder: Path,
    outputs: Iterable[Path],
) -> dict[str, Any]:
    """Return the manifest of a run.

    Args:
        command: the command line as typed.
        settings: seeds, profile, precision and whatever else determines the results.
        environment: versions, platform, device and precision of the run.
        inputs: name -> SHA-256 of the data read.
        folder: the run's folder; outputs are named relative to it.
        outputs: the files written.
    """
    return {
        "schema": "modeconn.manifest/1",
        "command": list(command),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "environment": dict(environment),
        "inputs": dict(inputs),
        "outputs": {path.relative_to(folder).as_posix(): file_sha256(path) for path in outputs},
    }
