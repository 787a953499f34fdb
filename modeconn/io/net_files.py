"""Nets in files: ``.npz`` and ``.safetensors`` with the same keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import jax
import numpy as np

from modeconn.errors import InputError
from modeconn.io.arrays import read_arrays, real_floats
from modeconn.io.atomic import npz_bytes, write_bytes
from modeconn.nets import Net, check_net, output_weights, width

__all__ = ["NET_KEYS", "read_net", "write_net"]

NET_KEYS: dict[str, str] = {
    "W": "hidden weights (d, m)",
    "a": "output weights (m,) or (c, m)",
    "b": "optional biases (m,)",
    "fixed_output": "optional flag: true when the output weights are fixed at +1 (then a is all ones)",
}
"""The keys of a net file. A file with any other key is refused: a misspelt bias must not be dropped silently."""


def read_net(path: str | os.PathLike[str]) -> Net:
    """Return the net in a ``.npz`` or ``.safetensors`` file, with NumPy leaves.

    Numbers are read exactly: float16, float32 and float64 keep their dtype, whole numbers become float64. Convert with
    ``jax.tree.map(jnp.asarray, net)``, inside :func:`modeconn.precision.float64` if the file holds float64.

    Args:
        path: file with the keys of :data:`NET_KEYS`.

    Returns:
        Net with W (d, m), A (c, m) or ``None`` where ``fixed_output`` is true, b (m,) or ``None``.

    Raises:
        InputError: one line, for a missing, truncated, corrupt or pickled file, another suffix, missing or unknown
            keys, shapes that disagree, width 0, or numbers that are not finite.
    """
    arrays = read_arrays(path)
    unknown = sorted(set(arrays) - set(NET_KEYS))
    missing = [key for key in ("W", "a") if key not in arrays]
    if unknown or missing:
        fault = f"no {' and no '.join(missing)}" if missing else f"unknown {', '.join(unknown)[:100]}"
        raise InputError(f"{path}: {fault}; a net has W (d, m), a (m,) or (c, m), optional b (m,) and fixed_output")
    fixed = _read_flag(arrays["fixed_output"], path) if "fixed_output" in arrays else False
    W, a = real_floats(arrays["W"], f"{path}: W"), real_floats(arrays["a"], f"{path}: a")
    b = real_floats(arrays["b"], f"{path}: b") if "b" in arrays else None
    A = a[None] if a.ndim == 1 else a
    # check_net also holds for NumPy leaves; Net's fields are annotated with the arrays that optimizers see.
    check_net(Net(*cast("tuple[jax.Array, ...]", (W, A, b))), str(path))
    if fixed and not (A.shape[0] == 1 and (A == 1).all()):
        raise InputError(f"{path}: fixed_output is true but a is not all ones; drop the flag or set a to ones")
    return Net(*cast("tuple[jax.Array, ...]", (W, None if fixed else A, b)))


def _read_flag(flag: np.ndarray, path: str | os.PathLike[str]) -> bool:
    if flag.size != 1 or flag.dtype.kind not in "biu" or int(flag.item()) not in (0, 1):
        raise InputError(f"{path}: expected fixed_output to be one true or false, found {flag.dtype} {flag.shape}")
    return bool(flag.item())


def write_net(path: str | os.PathLike[str], net: Net) -> Path:
    """Write a net to ``.npz`` or ``.safetensors`` (by suffix), atomically and without rounding; return the path.

    ``a`` is (m,) for one output and (c, m) for several. A net with output weights fixed at +1 gets ``a`` all ones and
    ``fixed_output`` true, so that other tools need not know the flag. The same net gives the same bytes.

    Raises:
        InputError: another suffix, a net that :func:`modeconn.nets.check_net` refuses, or a failed write (full disk,
            read-only folder); the file that was there is then unchanged.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_net(Path(folder) / "net.npz", Net(np.eye(2), np.ones((1, 2)), np.zeros(2)))
        ...     read_net(path).W.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    suffix = Path(path).suffix
    if suffix not in (".npz", ".safetensors"):
        raise InputError(f"{path}: a net is written as .npz or .safetensors, found suffix {suffix!r}; choose one")
    check_net(net)
    A = np.asarray(output_weights(net))
    arrays = {"W": np.asarray(net.W), "a": A[0] if A.shape[0] == 1 else A}
    if net.b is not None:
        arrays["b"] = np.asarray(net.b)
    if net.A is None:
        arrays["a"] = np.ones(width(net), arrays["W"].dtype)
        arrays["fixed_output"] = np.array(True)
    for key, array in arrays.items():
        if key != "fixed_output":
            arrays[key] = real_floats(array, f"net: {key}")
    return write_bytes(path, npz_bytes(arrays) if suffix == ".npz" else _safetensors_bytes(arrays))


def _safetensors_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    import safetensors.numpy

    packed = {key: np.ascontiguousarray(array).reshape(array.shape) for key, array in arrays.items()}
    return safetensors.numpy.save(packed, metadata={"format": "modeconn two-layer ReLU net"})
