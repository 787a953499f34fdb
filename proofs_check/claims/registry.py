"""The library of claims: one table, imported claim by claim."""

from __future__ import annotations

from collections.abc import Mapping

from modeconn.lazy_registry import LazyRegistry
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
    "W1": "w1",
    "W1B": "w1b",
    "W2": "w2",
    "W3": "w3",
    "W4": "w4",
    "R1": "r1",
    "R2": "r2",
    "R3": "r3",
    "R4": "r4",
    "K1": "k1",
    "K2": "k2",
    "K3": "k3",
    "K4": "k4",
    "K5": "k5",
    "K5V": "k5v",
    "G1": "g1",
    "G2": "g2",
    "G3": "g3",
    "G4": "g4",
    "G5": "g5",
    "G6": "g6",
    "G7": "g7",
    "G7B": "g7b",
    "G8": "g8",
    "G9": "g9",
    "AIN": "no_permutation",
    "SIM": "pieces",
    "KUD1": "dropout",
    "KUD2": "few_samples",
    "SAF": "safran",
    "ZHAN": "permuted_barrier",
    "ENT": "init_rate",
}
"""Claim id -> module of :mod:`proofs_check.claims.library` that exports it as ``CLAIM``."""


CLAIMS: Mapping[str, Claim] = LazyRegistry("proofs_check.claims.library", MODULES, "CLAIM", check_claim)
