"""The library of claims: one table, imported claim by claim."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from proofs_check.claims.claim import Claim, check_claim

__all__ = ["CLAIMS", "MODULES"]

MODULES: dict[str, str] = {
    "L1": "l1",
    "L2": "l2",
    "L3": "l3",
    "L4": "l4",
    "L5": "l5",
    "S1": "s1",
    "ADAM": "adam",
    "N1": "n1",
    "N2": "n2",
    "N3": "n3",
    "N4": "n4",
    "N5": "n5",
    "N6": "n6",
    "N7": "n7",
    "N8": "n8",
}
"""Claim id -> module of :mod:`proofs_check.claims.library` that exports it as ``CLAIM``."""


class _Library(Mapping[str, Claim]):
    """The claims by id; a claim's module is imported when it is first asked for, so that names are free."""

    def __getitem__(self, name: str) -> Claim:
        claim = importlib.import_module(f"proofs_check.claims.library.{MODULES[name]}").CLAIM
        check_claim(claim)
        return claim

    def __contains__(self, name: object) -> bool:
        return name in MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


CLAIMS: Mapping[str, Claim] = _Library()
