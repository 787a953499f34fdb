"""Atomic writes: a file is either the old one or the complete new one, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from modeconn.errors import InputError
from modeconn.io.strict_json import NonFinite, dumps

__all__ = ["file_sha256", "npz_bytes", "write_bytes", "write_json", "write_npz", "write_text"]

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run again",
    errno.EDQUOT: "the disk quota is used up; free some space and run again",
    errno.EFBIG: "the file is larger than this system allows; raise the limit or write less",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EACCES: "permission denied; choose a folder you may write to",
    errno.EPERM: "permission denied; choose a folder you may write to",
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "its folder is not a folder; check the path",
    errno.EISDIR: "it is a folder; give a file name",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def _cannot_write(path: Path, error: OSError) -> InputError:
    """Return the one-line error of a failed write, with the remedy."""
    remedy = _REMEDIES.get(error.errno or 0, error.strerror or str(error))
    return InputError(f"cannot write {path}: {remedy} (a file that was there is unchanged)")


def write_bytes(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write ``data`` to ``path`` atomically and return the path.

    A temporary file in the same folder is written, flushed to the disk (fsync) and renamed over ``path``; a reader
    sees the old file or the new one, never a part. A link is followed, the mode of an existing file is kept, and a
    device or pipe such as ``/dev/stdout`` is written to directly.

    Raises:
        InputError: full disk, read-only or missing folder, no permission; the old file is intact and no temporary
            file stays behind.
    """
    shown = Path(path)
    try:
        target = Path(os.path.realpath(path))
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            mode = None
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if mode is not None and not stat.S_ISREG(mode):
            with open(path, "wb") as stream:
                stream.write(data)
            return shown
        _replace(target, data, mode)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            raise _cannot_write(shown, error) from error
        raise InputError(f"cannot write {str(path)!r}: not a file name ({error})") from error
    return shown


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    """Write a temporary file beside ``target`` and rename it over; remove it on any failure, interrupts included."""
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if mode is not None:
                os.fchmod(stream.fileno(), stat.S_IMODE(mode))
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Flush the folder's entry to the disk, where the system lets a folder be opened; the file is already in place."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write ``text`` in UTF-8, atomically; see :func:`write_bytes`."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], value: Any, *, nonfinite: NonFinite = "refuse") -> Path:
    """Write ``value`` as strict JSON, atomically; see :func:`modeconn.io.strict_json.dumps`."""
    return write_text(path, dumps(value, nonfinite=nonfinite))


def npz_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Return the bytes of an uncompressed ``.npz`` of the arrays: the same arrays give the same bytes.

    Raises:
        InputError: an array of Python objects, which could only be pickled.
    """
    parts = {key: np.asarray(array) for key, array in arrays.items()}
    for key, array in parts.items():
        if array.dtype.hasobject:
            raise InputError(f"npz: {key} holds Python objects, which would be pickled; store numbers or text")
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **parts)
    return stream.getvalue()


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> Path:
    """Write arrays as ``.npz``, atomically and never pickled; see :func:`write_bytes`."""
    return write_bytes(path, npz_bytes(arrays))


def file_sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from error
