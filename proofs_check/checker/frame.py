"""The common frame of certificates: their errors, the answer of a check, and strict reading of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["FORMAT", "CertificateError", "CheckResult", "ProblemError", "WrittenFloat", "fields", "read_object"]

FORMAT = "modeconn.certificate/1"
"""Value of the field "format" of every certificate."""


class CertificateError(ValueError):
    """The certificate cannot be read, or what it states is false or not shown; the message says which."""


class ProblemError(ValueError):
    """The user's problem cannot be used: nothing was decided. The message says what to change."""


class WrittenFloat(float):
    """A JSON number with a point or an exponent: the float nearest to it, and ``text``, the decimal that is written.

    A net's weight is the float (that is what ran); a number of a narrow problem is the decimal (0.1 is one tenth).

    Example:
        >>> WrittenFloat("0.10") == 0.1, WrittenFloat("0.10").text
        (True, '0.10')
    """

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        """Read the text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class CheckResult(NamedTuple):
    """The answer of the checker.

    Attributes:
        accepted: the statement is true of the user's problem.
        reason: the statement in words, or why it was not accepted, in one line.
    """

    accepted: bool
    reason: str


def fields(value: Any, name: str, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Return an object that has exactly these fields; one that nobody checks would look like part of the statement.

    Raises:
        CertificateError: not an object, a field missing or unknown.

    Example:
        >>> fields({"t": "1/2"}, "evidence", ["t"])
        {'t': '1/2'}
    """
    if not isinstance(value, Mapping):
        raise CertificateError(f"{name}: expected an object, found {type(value).__name__}")
    missing = [key for key in required if key not in value]
    unknown = sorted(repr(key)[:40] for key in value if key not in required and key not in optional)
    if missing or unknown:
        raise CertificateError(f"{name}: missing fields: {missing or 'none'}; unknown fields: {unknown or 'none'}")
    return dict(value)


def read_object(source: Any, name: str, error: type[ValueError]) -> Mapping[str, Any]:
    """Return a JSON object from a mapping or from the file at a path, strictly: no NaN, no field given twice.

    Numbers with a point or an exponent in a file keep their text: see :class:`WrittenFloat`.

    Args:
        source: mapping or path.
        name: what is read, for the message.
        error: :class:`CertificateError` or :class:`ProblemError`.

    Raises:
        ValueError: of the given type: no such file, not JSON, not an object.
    """
    if isinstance(source, Mapping):
        return source
    if not isinstance(source, str | os.PathLike):
        raise error(f"{name}: expected an object or a path, found {type(source).__name__}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a field is given twice")
        return found

    def no_constant(text: str) -> float:
        raise ValueError(f"{text} is not a number")

    try:
        text = Path(source).read_text(encoding="utf-8")
        found = json.loads(text, object_pairs_hook=once, parse_float=WrittenFloat, parse_constant=no_constant)
    except OSError as problem:
        raise error(f"{name}: cannot read {os.fspath(source)}: {problem.strerror or problem}") from None
    except RecursionError:
        raise error(f"{name}: {os.fspath(source)} is nested too deeply") from None
    except ValueError as problem:
        raise error(f"{name}: {os.fspath(source)} is not valid JSON: {str(problem)[:120]}") from None
    if not isinstance(found, dict):
        raise error(f"{name}: expected a JSON object in {os.fspath(source)}, found {type(found).__name__}")
    return found
