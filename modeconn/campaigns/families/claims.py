"""Instances of a claim of the library, or of one of its controls, drawn as ``modeconn verify`` draws them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from modeconn.campaigns.family import Family, Parameters, names, whole_numbers
from modeconn.campaigns.tally import KEPT, Tally, decade
from modeconn.errors import InputError, unknown_name
from proofs_check.claims import CLAIMS
from proofs_check.claims.blocks import sample
from proofs_check.claims.claim import Claim
from proofs_check.claims.draws import derive_seed
from proofs_check.claims.trial import ClaimError, as_float, confirm

__all__ = ["FAMILY"]


NAME = "claim"
GRAIN = 16
DEFAULTS: Parameters = {"claim": None, "control": "", "shape": 1}
"""Parameters: ``claim`` (an id), ``control`` (an id, or empty for the claim itself), ``shape`` (1, 2, ...)."""


def _check(parameters: Parameters) -> None:
    """Raise :class:`InputError` for an unknown claim or control, or a shape it does not have."""
    names(parameters, "claim", "control")
    if parameters["claim"] not in CLAIMS:
        raise unknown_name("claim", parameters["claim"], CLAIMS)
    whole_numbers(parameters, "shape")
    claim = _on_trial(parameters)
    if parameters["shape"] > len(claim.shapes):
        raise InputError(f"claim {claim.id} has {len(claim.shapes)} shapes, found shape {parameters['shape']}")


def _run_block(parameters: Parameters, block: int, seed: int) -> Tally:
    """Return what ``grain`` drawn instances show; fewer where the claim has no more different ones."""
    claim = _on_trial(parameters)
    shape = tuple(claim.shapes[parameters["shape"] - 1])
    found = sample(claim, shape, GRAIN, derive_seed(seed, claim.id, shape, block))
    first = block * GRAIN
    counts: Counter[str] = Counter()
    kept: list[dict[str, Any]] = []
    for k, case in enumerate(found.cases):
        if not case.violates:
            continue
        try:
            verdict = {True: "refuted", False: "rounding", None: "undecided"}[confirm(claim, case)]
        except ClaimError as error:
            verdict = "undecided"
            found.error = found.error or error
        counts[verdict] += 1
        if verdict != "rounding" and len(kept) < KEPT:
            margin = as_float(case.margin)
            kept.append({"id": first + k, "margin": margin, "verdict": verdict, "instance": case.instance})
    if found.error is not None:
        counts["undecided"] += 1
        kept.append({"id": first + len(found.cases), "margin": None, "error": str(found.error)[:500]})
    margins = [as_float(case.margin) for case in found.cases]
    worst = min(range(len(margins)), key=margins.__getitem__, default=None)
    vacuous = sum(found.vacuous.values())
    return Tally(
        instances=len(found.cases) + vacuous + (found.error is not None),
        vacuous=vacuous,
        certified=sum(case.certified for case in found.cases),
        refuted=counts["refuted"],
        rounding=counts["rounding"],
        undecided=counts["undecided"],
        margin=None if worst is None else margins[worst],
        at=None if worst is None else first + worst,
        histogram=dict(sorted(Counter(decade(margin) for margin in margins).items())),
        missed=dict(sorted(found.vacuous.items())),
        violations=tuple(kept),
    )


def _on_trial(parameters: Parameters) -> Claim:
    claim = CLAIMS[parameters["claim"]]
    return claim if not parameters["control"] else claim.control(parameters["control"])


FAMILY = Family(
    NAME,
    "the claim of the library, at one of its shapes",
    GRAIN,
    DEFAULTS,
    _check,
    _run_block,
    about=lambda parameters: str(parameters["claim"]),
    shard=320,
)
