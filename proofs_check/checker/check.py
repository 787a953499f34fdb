"""The checker: a certificate and the user's problem in, accepted or not accepted out."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proofs_check.checker.frame import FORMAT, CertificateError, CheckResult, ProblemError, fields, read_object
from proofs_check.checker.registry import KINDS

__all__ = ["check_certificate", "write_certificate"]


def check_certificate(
    certificate: Mapping[str, Any] | str | os.PathLike[str], problem: Mapping[str, Any] | str | os.PathLike[str]
) -> CheckResult:
    """Return whether the statement of a certificate is true of the user's problem, decided in exact arithmetic.

    The weights and the data come from ``problem`` alone. There is no tolerance: a slack is part of the statement.

    Args:
        certificate: ``{"format": "modeconn.certificate/1", "kind", "statement", "evidence"}``, with an optional
            ``"about"`` that is not read; or the path of a JSON file.
        problem: what the statement is about, see the check of the kind; or the path of a JSON file.

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
        found = fields(found, "certificate", ("format", "kind", "statement", "evidence"), ("about",))
        if found["format"] != FORMAT:
            raise CertificateError(f"certificate.format: expected {FORMAT!r}")
        kind = found["kind"]
        if not isinstance(kind, str) or kind not in KINDS:
            raise CertificateError(f"certificate.kind: expected one of {', '.join(sorted(KINDS))}")
        return CheckResult(True, KINDS[kind](found["statement"], found["evidence"], setting))
    except CertificateError as error:
        return CheckResult(False, str(error))


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
