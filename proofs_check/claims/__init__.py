"""Claims: statements that can fail, their runner, and witnesses that can be replayed."""

from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape, Verdict

__all__ = ["Claim", "Control", "Hypothesis", "Instance", "Outcome", "Shape", "Verdict"]
