"""Strict JSON: a NaN or an infinity never leaves unseen, and what is written can be read by any parser."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Literal

import jax
import numpy as np

from modeconn.errors import InputError

__all__ = ["NonFinite", "dumps", "json_number", "plain"]

NonFinite = Literal["refuse", "string"]


def json_number(x: float, nonfinite: NonFinite = "refuse", where: str = "value") -> float | str:
    """Return x if it is finite; otherwise raise :class:`InputError`, or return "nan", "inf" or "-inf" if asked to.

    Example:
        >>> json_number(0.5), json_number(float("-inf"), "string")
        (0.5, '-inf')
    """
    if math.isfinite(x):
        return x
    if nonfinite == "string":
        return repr(float(x))
    raise InputError(f"JSON output: {where} is {float(x)!r}, and JSON has no such number; check the inputs of this run")


def plain(value: Any, nonfinite: NonFinite = "refuse", where: str = "value") -> Any:
    """Return ``value`` built of dict, list, str, int, float, bool and None only.

    Records (NamedTuple, dataclass) become objects, tuples and arrays become lists, a Fraction becomes the string
    "p/q", an Enum its value, a path its text. Nothing is rounded: float32 numbers become the equal float64.

    Args:
        value: what to convert.
        nonfinite: "refuse" raises on NaN or infinity; "string" writes "nan", "inf", "-inf".
        where: name of the value, for the message.

    Raises:
        InputError: a number that JSON does not have, named by its place.
        TypeError: a type or a key that has no JSON form.

    Example:
        >>> plain({"a": np.float32(0.5), "b": (np.arange(2), Fraction(1, 3))})
        {'a': 0.5, 'b': [[0, 1], '1/3']}
    """
    if value is None or (isinstance(value, bool | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value, nonfinite, where)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return json_number(float(value), nonfinite, where)
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return plain(np.asarray(value).tolist(), nonfinite, where)
    if isinstance(value, Fraction | PurePath):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    elif is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"JSON output: {where} has the key {key!r}; keys must be strings")
        return {key: plain(item, nonfinite, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, nonfinite, f"{where}[{i}]") for i, item in enumerate(value)]
    raise TypeError(f"JSON output: {where} is of type {type(value).__name__}, which has no JSON form")


def dumps(value: Any, *, nonfinite: NonFinite = "refuse", indent: int | None = 2) -> str:
    """Return strict JSON text (one trailing newline); floats are written so that they read back bit for bit.

    Example:
        >>> print(dumps({"barrier": 0.1}, indent=None), end="")
        {"barrier": 0.1}
    """
    return json.dumps(plain(value, nonfinite), allow_nan=False, ensure_ascii=False, indent=indent) + "\n"
