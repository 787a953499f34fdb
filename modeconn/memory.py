"""Work that does not fit in memory, done in halves."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_halves", "is_out_of_memory", "say_halved"]

R = TypeVar("R")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the host or a device has run out of memory.

    Example:
        >>> is_out_of_memory(RuntimeError("RESOURCE_EXHAUSTED: 8 bytes")), is_out_of_memory(RuntimeError("INTERNAL"))
        (True, False)
    """
    # JAX's error is a RuntimeError
    on_device = isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
    return on_device or isinstance(error, MemoryError)


def in_halves(work: Callable[[int, int], R], start: int, stop: int) -> tuple[list[R], int]:
    """Return ``work`` over the range, cut in two as often as memory asks for, and how often that was.

    Args:
        work: (start, stop) -> result; may raise MemoryError or JAX's RESOURCE_EXHAUSTED.
        start: first index.
        stop: after the last.

    Raises:
        MemoryError: a single instance does not fit.

    Example:
        >>> def work(a, b):
        ...     if b - a > 2:
        ...         raise MemoryError
        ...     return b - a
        >>> in_halves(work, 0, 5)
        ([2, 1, 2], 2)
    """
    try:
        return [work(start, stop)], 0
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if stop - start <= 1:
            raise MemoryError("one instance does not fit in memory; make the instances smaller") from error
    middle = (start + stop) // 2
    (left, i), (right, j) = in_halves(work, start, middle), in_halves(work, middle, stop)
    return left + right, i + j + 1


def say_halved(what: str, count: int) -> None:
    """Warn that a batch was cut in two so often for want of memory; say nothing when it was not."""
    if count:
        times = "once" if count == 1 else f"{count} times"
        warnings.warn(f"{what}: out of memory, so the batch was cut in two {times}", RuntimeWarning, stacklevel=3)
