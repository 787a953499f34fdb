"""What families share: a random generator for each block, and a tally of margins."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from modeconn.campaigns.family import Parameters
from modeconn.campaigns.tally import KEPT, Tally, decade

__all__ = ["block_generator", "tally_of_margins"]

Judge = Callable[[int], tuple[str, Mapping[str, Any]]]


def block_generator(family: str, parameters: Parameters, block: int, seed: int) -> np.random.Generator:
    """Return the generator of a block: a function of the arguments alone (Philox, keyed by their SHA-256).

    Example:
        >>> a, b = (block_generator("x", {"n": 3}, 5, 0).integers(1000) for _ in range(2))
        >>> bool(a == b)
        True
    """
    text = json.dumps([family, dict(parameters), block, seed], sort_keys=True)
    key = np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def tally_of_margins(
    margins: Sequence[float] | np.ndarray,
    first: int,
    judge: Judge,
    *,
    certified: int = 0,
    missed: Mapping[int, str] | None = None,
) -> Tally:
    """Return the tally of a block.

    Args:
        margins: one for each instance; negative means violated, NaN that nothing can be said.
        first: id of the first instance.
        judge: index -> ``"refuted"``, ``"rounding"`` or ``"undecided"``, and what to keep of the instance.
        certified: how many came with an accepted certificate.
        missed: index of a vacuous instance -> the hypothesis it missed; its margin means nothing.

    Example:
        >>> found = tally_of_margins([0.5, 0.1, -1.0], 0, lambda i: ("rounding", {}), missed={1: "width"})
        >>> found.margin, found.vacuous, found.rounding, dict(found.missed)
        (-1.0, 1, 1, {'width': 1})
    """
    values = np.asarray(margins, dtype=float)
    vacuous = dict(missed or {})
    met = np.array([i not in vacuous for i in range(len(values))], dtype=bool)
    known = np.flatnonzero(met & ~np.isnan(values))
    verdicts: Counter[str] = Counter()
    kept: list[dict[str, Any]] = []
    for i in np.flatnonzero(met & ~(values >= 0)):
        verdict, detail = judge(int(i))
        verdicts[verdict] += 1
        if verdict != "rounding" and len(kept) < KEPT:
            margin = None if np.isnan(values[i]) else float(values[i])
            kept.append({"id": first + int(i), "margin": margin, "verdict": verdict, **detail})
    worst = known[np.argmin(values[known])] if len(known) else None
    return Tally(
        instances=len(values),
        vacuous=len(vacuous),
        certified=certified,
        refuted=verdicts["refuted"],
        rounding=verdicts["rounding"],
        undecided=verdicts["undecided"],
        margin=None if worst is None else float(values[worst]),
        at=None if worst is None else first + int(worst),
        histogram=dict(sorted(Counter(decade(float(values[i])) for i in known).items())),
        missed=dict(sorted(Counter(vacuous.values()).items())),
        violations=tuple(kept),
    )
