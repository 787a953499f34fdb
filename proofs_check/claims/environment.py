"""What a run depended on: versions, platform, device, precision, and the code itself."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import modeconn
import proofs_check
from modeconn.environment import environment

__all__ = ["code_digest", "describe_environment", "versions"]

PRECISION = "float64, matmul precision highest"


PACKAGES = ("hypothesis", "jax", "jaxlib", "numpy", "scipy", "optax")


def versions() -> dict[str, str]:
    """Return the versions of what a verdict depends on."""
    found = {"python": platform.python_version(), "modeconn": modeconn.__version__}
    return found | {name: importlib.metadata.version(name) for name in PACKAGES}


@functools.cache
def code_digest() -> str:
    """Return the SHA-256 over every source file of modeconn and proofs_check: an edit makes stored blocks stale."""
    digest = hashlib.sha256()
    for package in (modeconn, proofs_check):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def describe_environment(seed: int, profile: str, jobs: int) -> dict[str, Any]:
    """Return the environment of a run as JSON values; starts the JAX backend to name the device."""
    return environment() | {"precision": PRECISION, "seed": seed, "profile": profile, "jobs": jobs}
