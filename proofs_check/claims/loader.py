"""Claims from a user's own file, in a form that another process can load again."""

from __future__ import annotations

import hashlib
import linecache
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from modeconn.errors import InputError
from proofs_check.claims.claim import Claim, check_claim

__all__ = ["ClaimsFile", "claims_by_id", "load_claims"]


@dataclass(frozen=True)
class ClaimsFile:
    """A user's claims file as it was when read: its text travels with it, to workers and into witnesses.

    Attributes:
        path: where it was found.
        text: its contents.
        sha256: of the text.
    """

    path: str
    text: str
    sha256: str

    @classmethod
    def read(cls, path: str | Path) -> ClaimsFile:
        """Return the file, or raise :class:`InputError` when it cannot be read as text."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise InputError(f"{path}: cannot read the claims file ({reason}); expected a Python file") from None
        return cls.of(str(path), text)

    @classmethod
    def of(cls, path: str, text: str) -> ClaimsFile:
        """Return the file with its digest."""
        return cls(path, text, hashlib.sha256(text.encode()).hexdigest())


def claims_by_id(claims: Iterable[Claim] | Mapping[str, Claim]) -> dict[str, Claim]:
    """Return the claims under their ids, or raise :class:`InputError` if one cannot be put on trial."""
    listed = list(claims.values()) if isinstance(claims, Mapping) else list(claims)
    for claim in listed:
        if not isinstance(claim, Claim):
            raise InputError(f"expected Claim objects, found a {type(claim).__name__}; see proofs_check.claims.Claim")
        check_claim(claim)
    ids = [claim.id for claim in listed]
    if len(set(ids)) < len(ids):
        raise InputError(f"two claims share an id among {', '.join(ids)}; give each its own")
    return {claim.id: claim for claim in listed}


def load_claims(source: str | Path | ClaimsFile) -> list[Claim]:
    """Return the claims of a user's file: a module that defines ``CLAIM`` or ``CLAIMS`` (a list or a dict).

    The file runs as a module of its own, with its folder importable while it does.

    Args:
        source: path of the file, or the file already read.

    Raises:
        InputError: one line with file and line: unreadable, a syntax error, an exception on import, neither name
            defined, not claims, an id used twice.
    """
    file = source if isinstance(source, ClaimsFile) else ClaimsFile.read(source)
    module = _execute(file)
    if hasattr(module, "CLAIMS"):
        found: Any = module.CLAIMS
    elif hasattr(module, "CLAIM"):
        found = [module.CLAIM]
    else:
        raise InputError(f"{file.path}: defines neither CLAIMS nor CLAIM; end the file with CLAIMS = [my_claim]")
    if not isinstance(found, (Mapping, Sequence)) or isinstance(found, str) or len(found) == 0:
        raise InputError(f"{file.path}: CLAIMS must be a non-empty list or dict of claims, found {found!r:.80}")
    try:
        return list(claims_by_id(found).values())
    except InputError as error:
        raise InputError(f"{file.path}: {error}") from None


def _execute(file: ClaimsFile) -> ModuleType:
    """Run the text as a module and return it."""
    name = f"modeconn_claims_{file.sha256[:16]}"
    module = ModuleType(name)
    module.__file__ = file.path
    folder = str(Path(file.path).resolve().parent)
    linecache.cache[file.path] = (len(file.text), None, file.text.splitlines(keepends=True), file.path)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        exec(compile(file.text, file.path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise InputError(_why(file.path, error)) from None
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
    return module


def _why(path: str, error: BaseException) -> str:
    """Return one line on why a claims file did not run."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return f"{path}:{error.lineno}: syntax error: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    where = f"{path}:{lines[-1]}" if lines else path
    return f"{where}: the claims file raised {type(error).__name__}: {' '.join(str(error).split())}"
