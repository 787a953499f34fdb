"""The idx format of MNIST and Fashion-MNIST: gzip, a big-endian header, unsigned bytes."""

from __future__ import annotations

import gzip
import math
import os
import zlib

import numpy as np

from modeconn.errors import InputError

__all__ = ["read_idx"]

_UNSIGNED_BYTE = 0x08


def read_idx(path: str | os.PathLike[str], ndim: int) -> np.ndarray:
    """Return the uint8 array in a gzipped idx file with ``ndim`` axes.

    The header is two zero bytes, the type 0x08, the number of axes, and one big-endian 32-bit size an axis; exactly
    the product of the sizes must follow.

    Raises:
        InputError: missing or truncated file, bad gzip, wrong magic number, or sizes that disagree with the data.
    """
    try:
        with gzip.open(path, "rb") as stream:
            header = stream.read(4 + 4 * ndim)
            if header[:4] != bytes([0, 0, _UNSIGNED_BYTE, ndim]):
                expected, found = bytes([0, 0, _UNSIGNED_BYTE, ndim]).hex(), header[:4].hex()
                raise InputError(f"{path}: expected idx magic number {expected}, found {found}; is it another file?")
            if len(header) < 4 + 4 * ndim:
                raise InputError(f"{path}: the idx header ends early; download the file again")
            shape = tuple(int.from_bytes(header[4 + 4 * k : 8 + 4 * k], "big") for k in range(ndim))
            size = math.prod(shape)
            data = _read_at_most(stream, size + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; set MODECONN_DATA to the folder that holds it") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a readable gzip file ({error}); download it again") from error
    if len(data) != size:
        more = "more" if len(data) > size else f"{len(data)}"
        raise InputError(f"{path}: header says {size} bytes, found {more}; download the file again")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_at_most(stream: gzip.GzipFile, size: int) -> bytes:
    """Return up to ``size`` bytes, read in pieces so that a corrupt size cannot ask for all memory at once."""
    pieces, left = [], size
    while left and (piece := stream.read(min(left, 1 << 24))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
