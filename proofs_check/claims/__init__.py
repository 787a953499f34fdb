"""Claims: statements that can fail, their runner, and witnesses that can be replayed."""

from proofs_check.claims.blocks import Candidate
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape, Verdict, check_claim
from proofs_check.claims.loader import ClaimsFile, claims_by_id, load_claims
from proofs_check.claims.pool import WorkerError
from proofs_check.claims.profiles import PROFILES, Profile
from proofs_check.claims.registry import CLAIMS
from proofs_check.claims.results import ClaimResult, ControlResult, TrialResult, VerifyReport
from proofs_check.claims.runner import verify_claims
from proofs_check.claims.trial import ClaimError
from proofs_check.claims.witness import ReplayResult, read_witness, replay

__all__ = [
    "CLAIMS",
    "PROFILES",
    "Candidate",
    "Claim",
    "ClaimError",
    "ClaimResult",
    "ClaimsFile",
    "Control",
    "ControlResult",
    "Hypothesis",
    "Instance",
    "Outcome",
    "Profile",
    "ReplayResult",
    "Shape",
    "TrialResult",
    "Verdict",
    "VerifyReport",
    "WorkerError",
    "check_claim",
    "claims_by_id",
    "load_claims",
    "read_witness",
    "replay",
    "verify_claims",
]
