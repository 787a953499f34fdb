"""Precision is explicit: 64-bit floats and full matmul precision wherever a number feeds a verdict."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import jax

__all__ = ["float64", "in_float64"]

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def float64() -> Iterator[None]:
    """Switch on 64-bit floats and the highest matmul precision, locally.

    Accelerators multiply matrices in reduced precision by default (TF32, bfloat16), which alone can flip
    a verdict. Inside this context they do not.

    Example:
        >>> import jax.numpy as jnp
        >>> with float64():
        ...     print(jnp.ones(2).dtype)
        float64
    """
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Return ``function`` made to run inside :func:`float64`; for entry points that take NumPy arrays."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with float64():
            return function(*args, **kwargs)

    return wrapped
