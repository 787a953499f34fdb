"""The checker: a certificate and the user's problem in, accepted or not accepted out."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proofs_check.checker.cells import MAX_CELLS
from proofs_check.checker.frame import FORMAT, CertificateError, CheckResult, ProblemError, fields, read_object
from proofs_check.checker.registry import KINDS

__all__ = ["check_certificate", "write_certificate"]


def check_certificate(
    certificate: Mapping[str, Any] | str | os.PathLike[str],
    problem: Mapping[str, Any] | str | os.PathLike[str],
    *,
    max_cells: int = MAX_CELLS,
) -> CheckResult:
    """Return whether the statement of a certificate is true of the user's problem, decided in exact arithmetic.

    The weights and the data come from ``problem`` alone. There is no tolerance: a slack is part of the statement.

    Args:
        certificate: ``{"format": "modeconn.certificate/1", "kind", "statement", "evidence"}``; or the path of a JSON
            file. Two notes may stand beside them and decide nothing: ``"about"`` is not read, and
            ``"problem": {"sha256": ...}``, the digest of the problem file it was made for, only explains a rejection.
        problem: what the statement is about, see the check of the kind; or the path of a JSON file.
        max_cells: the largest number of ordered cells that checks about narrow nets take on.

    Returns:
        ``accepted`` and a reason in one line. A certificate of the wrong format, kind or form is not accepted.

    Raises:
        CertificateError: there is no such file, or it is not a JSON object (truncated, say).
        ProblemError: the problem cannot be used.

    Example:
        >>> problem = {"nets": [{"W": [[2]]}, {"W": [[-2]]}], "X": [[1]], "Y": [1]}
        >>> statement = {"baseline": "endpoint_max", "lower": "0", "upper": "0"}
        >>> frame = {"format": "modeconn.certificate/1", "kind": "segment-barrier", "statement": statement}
        >>> check_certificate({**frame, "evidence": {"t": "0"}}, problem)
        CheckResult(accepted=True, reason='segment barrier above the endpoint_max baseline in [0, 0]')
        >>> statement["upper"] = "-1/1000"
        >>> check_certificate({**frame, "evidence": {"t": "0"}}, problem).accepted
        False
    """
    setting = read_object(problem, "problem", ProblemError)
    found = read_object(certificate, "certificate", CertificateError)
    try:
        found = fields(found, "certificate", ("format", "kind", "statement", "evidence"), ("about", "problem"))
        if found["format"] != FORMAT:
            raise CertificateError(f"certificate.format: expected {FORMAT!r}")
        kind = found["kind"]
        if not isinstance(kind, str) or kind not in KINDS:
            raise CertificateError(f"certificate.kind: expected one of {', '.join(sorted(KINDS))}")
        return CheckResult(True, KINDS[kind](found["statement"], found["evidence"], setting, max_cells=max_cells))
    except CertificateError as error:
        return CheckResult(False, f"{error}{_other_file(found.get('problem'), problem)}")


def _other_file(note: Any, problem: Mapping[str, Any] | str | os.PathLike[str]) -> str:
    """Return a remark for a rejection if the certificate was made for another problem file, by its own account."""
    if isinstance(note, Mapping) and "sha256" in note and not isinstance(problem, Mapping):
        try:
            digest = hashlib.sha256(Path(problem).read_bytes()).hexdigest()
        except OSError:  # gone since it was read: nothing to compare with
            return ""
        if note["sha256"] != digest:
            return " (the certificate names another problem file)"
    return ""


def write_certificate(path: str | os.PathLike[str], certificate: Mapping[str, Any]) -> None:
    """Write a certificate or a problem as JSON, whole or not at all."""
    target = Path(path)
    with tempfile.NamedTemporaryFile("w", dir=target.parent, suffix=".tmp", delete=False, encoding="utf-8") as file:
        try:
            json.dump(certificate, file, indent=1, allow_nan=False)
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, target)
