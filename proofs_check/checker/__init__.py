"""Certificate checker, standard library only: it decides, from the user's problem, whether a certificate is true."""

from proofs_check.checker.check import check_certificate, write_certificate
from proofs_check.checker.frame import FORMAT, CertificateError, CheckResult, ProblemError
from proofs_check.checker.registry import KINDS, Check
from proofs_check.checker.segment import barrier_certificate, barrier_problem

__all__ = [
    "FORMAT",
    "KINDS",
    "CertificateError",
    "Check",
    "CheckResult",
    "ProblemError",
    "barrier_certificate",
    "barrier_problem",
    "check_certificate",
    "write_certificate",
]
