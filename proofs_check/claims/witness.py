"""Witness files: a violation that can be carried away and replayed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modeconn.errors import ExitCode, InputError, unknown_name
from modeconn.io import write_json
from modeconn.precision import float64
from proofs_check.claims.blocks import Candidate
from proofs_check.claims.claim import Claim, Instance
from proofs_check.claims.environment import versions
from proofs_check.claims.loader import ClaimsFile, claims_by_id, load_claims
from proofs_check.claims.registry import CLAIMS
from proofs_check.claims.search import Pursuit
from proofs_check.claims.trial import as_float, confirm, evaluate

__all__ = ["SCHEMA", "ReplayResult", "read_witness", "replay", "witness_record", "write_witness"]

SCHEMA = "modeconn.witness/1"
REPLAY_SCHEMA = "modeconn.replay/1"

_REQUIRED: dict[str, type | tuple[type, ...]] = {
    "claim": str,
    "control": (str, type(None)),
    "statement": str,
    "claims_file": (dict, type(None)),
    "instance": dict,
    "instance_hex": dict,
    "margin": (int, float),
}


def _in_hex(value: Any) -> Any:
    """Return the JSON value with every float spelt in hexadecimal, which no printing or parsing can round."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, Mapping):
        return {key: _in_hex(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_hex(item) for item in value]
    return value


def witness_record(
    claim: Claim, control_id: str | None, found: Pursuit, file: ClaimsFile | None, seed: int, profile: str
) -> dict[str, Any]:
    """Return the witness as JSON values: everything needed to check the violation again, elsewhere.

    Args:
        claim: the claim, also when one of its controls was on trial.
        control_id: the control, or ``None``.
        found: the counterexample.
        file: the user's claims file, whose text is stored; ``None`` for a claim of the library.
        seed: of the run.
        profile: name of the profile of the run.
    """
    trial = claim if control_id is None else claim.control(control_id)
    return {
        "schema": SCHEMA,
        "claim": claim.id,
        "control": control_id,
        "statement": trial.statement,
        "source": claim.source,
        "hypotheses": [hypothesis.text for hypothesis in trial.hypotheses],
        "claims_file": None if file is None else asdict(file),
        "seed": seed,
        "profile": profile,
        **_candidate_fields(found.candidate),
        "drawn": None if found.drawn is None else _candidate_fields(found.drawn),
        "tried": found.tried,
        "versions": versions(),
    }


def _candidate_fields(candidate: Candidate) -> dict[str, Any]:
    return {
        "block": candidate.block,
        "shape": None if candidate.shape is None else list(candidate.shape),
        "margin": candidate.margin,
        "margin_exact": candidate.margin_exact,
        "confirmed": candidate.confirmed,
        "detail": dict(candidate.detail),
        "instance": candidate.instance,
        "instance_hex": _in_hex(candidate.instance),
    }


def write_witness(path: Path, record: Mapping[str, Any]) -> None:
    """Write the witness; the file appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, record)


def read_witness(path: str | Path) -> dict[str, Any]:
    """Return the record of a witness file.

    Raises:
        InputError: unreadable or truncated, another schema, a field missing, numbers that disagree with their
            hexadecimal form, or a claims file that disagrees with its digest.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read the witness ({error.strerror})") from None
    except ValueError:
        raise InputError(f"{path}: not a complete JSON file; write the witness again with `modeconn verify`") from None
    found = record.get("schema") if isinstance(record, dict) else None
    if found != SCHEMA:
        raise InputError(f"{path}: expected a witness with schema {SCHEMA!r}, found {found!r}")
    for key, kind in _REQUIRED.items():
        if not isinstance(record.get(key, ...), kind):
            raise InputError(f"{path}: field {key!r} is missing or of the wrong kind; the witness was altered")
    if _in_hex(record["instance"]) != record["instance_hex"]:
        raise InputError(f"{path}: instance and instance_hex differ; the witness was altered")
    file = record["claims_file"]
    if file is not None:
        if not all(isinstance(file.get(key), str) for key in ("path", "sha256", "text")):
            raise InputError(f"{path}: claims_file needs path, sha256 and text; the witness was altered")
        if hashlib.sha256(file["text"].encode()).hexdigest() != file["sha256"]:
            raise InputError(f"{path}: the text of the claims file does not match its SHA-256; the witness was altered")
    return record


@dataclass(frozen=True)
class ReplayResult:
    """What checking a witness again showed.

    Attributes:
        reproduced: the hypotheses hold, the margin is negative, and exact arithmetic does not dismiss it.
        margin: found now, ``None`` when a hypothesis fails.
        stored_margin: found when the witness was written.
        confirmed: exact arithmetic confirms the violation (``True``), dismisses it (``False``), cannot tell (``None``).
        missed: the hypothesis that fails, if one does.
        notes: what has changed since the witness was written.
    """

    claim: str
    control: str | None
    statement: str
    instance: Instance
    reproduced: bool
    margin: float | None
    stored_margin: float
    confirmed: bool | None
    missed: str | None
    detail: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """``REFUTED`` when the violation reproduces, ``HELD`` when it does not."""
        return ExitCode.REFUTED if self.reproduced else ExitCode.HELD

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "schema": REPLAY_SCHEMA,
            "claim": self.claim,
            "control": self.control,
            "statement": self.statement,
            "reproduced": self.reproduced,
            "margin": self.margin,
            "stored_margin": self.stored_margin,
            "confirmed": self.confirmed,
            "missed": self.missed,
            "detail": dict(self.detail),
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """Return the result in a few lines of words."""
        name = self.claim if self.control is None else f"{self.claim}, control {self.control}"
        lines = [f"{name}: {self.statement}"]
        if self.missed is not None:
            lines.append(f"does not reproduce: the hypothesis fails: {self.missed}")
        elif not self.reproduced:
            dismissed = ", and exact arithmetic finds no violation" if self.confirmed is False else ""
            lines.append(f"does not reproduce: margin {self.margin!r} (stored {self.stored_margin!r}){dismissed}")
        else:
            how = "confirmed exactly" if self.confirmed else "in floats; nothing exact confirms it"
            lines.append(f"violation reproduced: margin {self.margin!r} (stored {self.stored_margin!r}), {how}")
        return "\n".join(lines + [f"note: {note}" for note in self.notes])


def replay(path: str | Path) -> ReplayResult:
    """Return what the witness shows when its instance is checked and confirmed again, in 64-bit floats.

    A witness of a user's claim carries the claims file and *runs the Python code in it*: replay files you trust.

    Raises:
        InputError: not a witness, an unknown claim, or a claim that raises.
    """
    record = read_witness(path)
    notes = []
    claims = _claims_of(record)
    if record["claim"] not in claims:
        raise unknown_name("claim", record["claim"], claims)
    claim = claims[record["claim"]]
    trial = claim if record["control"] is None else claim.control(record["control"])
    if trial.statement != record["statement"]:
        notes.append("the statement of the claim has changed since the witness was written")
    stored = record.get("versions")
    if isinstance(stored, dict):
        notes += [f"{k} was {stored[k]}, is {v}" for k, v in versions().items() if k in stored and stored[k] != v]
    with float64():
        case = evaluate(trial, record["instance"])
        confirmed = confirm(trial, case) if case.violates else None
    return ReplayResult(
        claim=record["claim"],
        control=record["control"],
        statement=trial.statement,
        instance=case.instance,
        reproduced=case.violates and confirmed is not False,
        margin=as_float(case.margin) if case.missed is None else None,
        stored_margin=record["margin"],
        confirmed=confirmed,
        missed=case.missed,
        detail=case.detail,
        notes=tuple(notes),
    )


def _claims_of(record: Mapping[str, Any]) -> Mapping[str, Claim]:
    """Return the claims a witness chooses from: the library's, or those of the file inside it."""
    if record["claims_file"] is None:
        return CLAIMS
    stored = record["claims_file"]
    return claims_by_id(load_claims(ClaimsFile(stored["path"], stored["text"], stored["sha256"])))
