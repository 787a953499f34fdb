"""The manifest of a run: what ran, on what, with what, and the digests of everything read and written."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

import modeconn

__all__ = ["environment", "manifest", "sha256_of"]

_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "optax", "hypothesis", "scikit-learn", "matplotlib")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def environment() -> dict[str, Any]:
    """Return versions, platform and devices as JSON values."""
    device = jax.devices()[0]
    return {
        "modeconn": modeconn.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": jax.default_backend(),
        "device": device.device_kind,
        "device_count": jax.device_count(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def manifest(
    command: Sequence[str],
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    folder: Path,
    outputs: Iterable[Path],
) -> dict[str, Any]:
    """Return the manifest of a run.

    Args:
        command: the command line as typed.
        settings: seeds, profile, precision and whatever else determines the results.
        inputs: name -> SHA-256 of the data read.
        folder: the run's folder; outputs are named relative to it.
        outputs: the files written.
    """
    return {
        "schema": "modeconn.manifest/1",
        "command": list(command),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "environment": environment(),
        "inputs": dict(inputs),
        "outputs": {path.relative_to(folder).as_posix(): sha256_of(path) for path in outputs},
    }
