"""Arrays out of ``.npz`` and ``.safetensors`` files that nobody vouches for."""

from __future__ import annotations

import ast
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
_LONGEST_HEADER = 1 << 16


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


def _parse_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Return shape, column-major, dtype and the offset of the numbers of an .npy, or raise ValueError.

    The header is a Python literal of three keys; NumPy's own parser goes through more of Python than that.
    """
    if data[:6] != b"\x93NUMPY" or len(data) < 12 or data[6] not in (1, 2, 3):
        raise ValueError("no .npy header")
    start = 10 if data[6] == 1 else 12
    end = start + int.from_bytes(data[8:start], "little")
    if end > min(len(data), _LONGEST_HEADER):
        raise ValueError("the header ends early")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fields = ast.literal_eval(data[start:end].decode("utf-8" if data[6] == 3 else "latin-1").strip())
        if not isinstance(fields, dict) or set(fields) != {"descr", "fortran_order", "shape"}:
            raise ValueError("the header does not have its three keys")
        shape, descr = fields["shape"], fields["descr"]
        sizes = isinstance(shape, tuple) and all(type(size) is int and 0 <= size < 2**63 for size in shape)
        if not sizes or len(shape) > 32 or not isinstance(descr, str) or not isinstance(fields["fortran_order"], bool):
            raise ValueError("the header does not describe a plain array")
        dtype = np.dtype(descr)
        if dtype.subdtype or dtype.names or math.prod(max(size, 1) for size in shape) * dtype.itemsize >= 2**63:
            raise ValueError("the header does not describe a plain array")
        return shape, fields["fortran_order"], dtype, end


def _parse_npy(data: bytes, name: str) -> np.ndarray:
    """Return the array of one .npy member: its header checked against its length, nothing ever unpickled."""
    try:
        shape, fortran, dtype, start = _parse_header(data)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, Warning) as error:
        raise InputError(f"{name}: not a readable array ({_one_line(error)}); write the file again") from error
    if dtype.hasobject:
        raise InputError(f"{name}: holds pickled Python objects, which are never loaded; store plain numbers")
    count = math.prod(shape)
    if count * dtype.itemsize != len(data) - start or dtype.itemsize == 0:
        raise InputError(f"{name}: header says {shape} of {dtype}, the data have another length; write the file again")
    return np.frombuffer(data, dtype, count, start).reshape(shape, order="F" if fortran else "C").copy()


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
