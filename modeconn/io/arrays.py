"""Arrays out of ``.npz`` and ``.safetensors`` files that nobody vouches for."""

from __future__ import annotations

import io
import math
import os
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np

from modeconn.errors import InputError

__all__ = ["parse_npz", "read_arrays", "read_bytes", "real_floats"]

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, OSError,
               ValueError, struct.error, MemoryError, OverflowError)  # fmt: skip
_HEADER_ERRORS = (ValueError, TypeError, SyntaxError, EOFError, KeyError, struct.error, RecursionError, OverflowError)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file; raise :class:`InputError` when it is missing, empty or unreadable."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be read ({reason}); check the path and its permissions") from error
    if not data:
        raise InputError(f"{path}: the file is empty; write it again")
    return data


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _parse_npy(data: bytes, name: str) -> np.ndarray:
    """Return the array of one .npy member: its header checked against its length, nothing ever unpickled."""
    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            version = np.lib.format.read_magic(stream)
            read_header = (
                np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read_header(stream)
    except (*_HEADER_ERRORS, Warning) as error:
        raise InputError(f"{name}: not a readable array ({_one_line(error)}); write the file again") from error
    if dtype.hasobject:
        raise InputError(f"{name}: holds pickled Python objects, which are never loaded; store plain numbers")
    count = math.prod(shape)
    if any(size < 0 for size in shape) or count * dtype.itemsize != len(data) - stream.tell():
        raise InputError(f"{name}: header says {shape} of {dtype}, the data have another length; write the file again")
    values = np.frombuffer(data, dtype, count, stream.tell()) if count and dtype.itemsize else np.zeros(count, dtype)
    return values.reshape(shape, order="F" if fortran else "C").copy()


def parse_npz(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Return the arrays in the bytes of an ``.npz``. Check sums are verified and nothing is unpickled."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(set(names)) != len(names):
                raise InputError(f"{name}: two arrays have one name; write the file again")
            if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
                raise InputError(f"{name}: expected stored or deflated arrays; write it with numpy.savez")
            if sum(member.file_size for member in members) > 1100 * len(data) + 4096:
                raise InputError(f"{name}: announces more data than it can hold; write the file again")
            contents = {member: archive.read(member) for member in names}
    except InputError:
        raise
    except _ZIP_ERRORS as error:
        raise InputError(f"{name}: not a readable .npz ({_one_line(error)}); truncated or not an .npz?") from error
    return {
        member.removesuffix(".npy"): _parse_npy(content, f"{name}: {member.removesuffix('.npy')}")
        for member, content in contents.items()
    }


def _parse_safetensors(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Return the arrays in the bytes of a ``.safetensors`` file (which carries no check sum of its data)."""
    import safetensors
    import safetensors.numpy

    try:
        return safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{name}: not a readable .safetensors ({_one_line(error)}); truncated?") from error


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` or ``.safetensors`` file by name, with the dtype they were stored in.

    Raises:
        InputError: another suffix, a missing, empty, truncated or corrupt file, or pickled objects.
    """
    suffix = Path(path).suffix
    if suffix not in (".npz", ".safetensors"):
        raise InputError(f"{path}: expected a .npz or .safetensors file, found suffix {suffix!r}; convert or rename it")
    data = read_bytes(path)
    return parse_npz(data, str(path)) if suffix == ".npz" else _parse_safetensors(data, str(path))


def real_floats(array: np.ndarray, name: str) -> np.ndarray:
    """Return the array in native floats without rounding: floats keep their dtype, whole numbers become float64.

    Raises:
        InputError: complex, boolean, text or extended numbers, integers beyond 2^53, NaN or infinite entries.
    """
    dtype = array.dtype
    if dtype.kind in "iu":
        if array.size and (int(array.max()) > 2**53 or int(array.min()) < -(2**53)):
            raise InputError(f"{name}: holds integers beyond 2^53, which floats round; scale the data")
        return array.astype(np.float64)
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise InputError(f"{name}: expected real numbers (float16, float32, float64 or whole), found {dtype}; convert")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise InputError(f"{name}: holds {bad} NaN or infinite entries; expected finite numbers, clean them first")
    return array.astype(dtype.newbyteorder("="))
