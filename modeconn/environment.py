"""Where a result comes from: versions, platform, devices."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import modeconn

__all__ = ["environment", "most_workers"]

_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "optax", "hypothesis", "scikit-learn", "matplotlib", "clarabel")


def environment() -> dict[str, Any]:
    """Return versions, platform and devices as JSON values; starts the JAX backend to name the device."""
    import jax

    return {
        "modeconn": modeconn.__version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "backend": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "device_count": jax.device_count(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def most_workers() -> int:
    """Return how many worker processes are sensible on this machine: more would only crowd its memory."""
    return max(16, 8 * (os.cpu_count() or 1))
