"""What families share: a random generator for each block, a tally of margins, and batches that fit in memory."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from modeconn.campaigns.family import Parameters
from modeconn.campaigns.tally import KEPT, Tally, decade

__all__ = ["block_generator", "in_halves", "tally_of_margins"]

R = TypeVar("R")

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


def tally_of_margins(margins: Sequence[float] | np.ndarray, first: int, judge: Judge, *, certified: int = 0) -> Tally:
    """Return the tally of a block in which every instance met the hypotheses.

    Args:
        margins: one for each instance; negative means violated, NaN that nothing can be said.
        first: id of the first instance.
        judge: index -> ``"refuted"``, ``"rounding"`` or ``"undecided"``, and what to keep of the instance.
        certified: how many came with an accepted certificate.
    """
    values = np.asarray(margins, dtype=float)
    known = np.flatnonzero(~np.isnan(values))
    verdicts: Counter[str] = Counter()
    kept: list[dict[str, Any]] = []
    for i in np.flatnonzero(~(values >= 0)):
        verdict, detail = judge(int(i))
        verdicts[verdict] += 1
        if verdict != "rounding" and len(kept) < KEPT:
            margin = None if np.isnan(values[i]) else float(values[i])
            kept.append({"id": first + int(i), "margin": margin, "verdict": verdict, **detail})
    worst = known[np.argmin(values[known])] if len(known) else None
    return Tally(
        instances=len(values),
        certified=certified,
        refuted=verdicts["refuted"],
        rounding=verdicts["rounding"],
        undecided=verdicts["undecided"],
        margin=None if worst is None else float(values[worst]),
        at=None if worst is None else first + int(worst),
        histogram=dict(sorted(Counter(decade(float(values[i])) for i in known).items())),
        violations=tuple(kept),
    )


def in_halves(work: Callable[[int, int], R], start: int, stop: int) -> tuple[list[R], int]:
    """Return ``work`` over the range, cut in two as often as memory asks for, and how often that was.

    Args:
        work: (start, stop) -> result; may raise MemoryError or JAX's RESOURCE_EXHAUSTED.
        start: first index.
        stop: after the last.

    Raises:
        MemoryError: a single instance does not fit.

    Example:
        >>> def work(a, b):
        ...     if b - a > 2:
        ...         raise MemoryError
        ...     return b - a
        >>> in_halves(work, 0, 5)
        ([2, 1, 2], 2)
    """
    try:
        return [work(start, stop)], 0
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        if stop - start == 1:
            raise MemoryError("one instance does not fit in memory; make the instances smaller") from error
    middle = (start + stop) // 2
    (left, i), (right, j) = in_halves(work, start, middle), in_halves(work, middle, stop)
    return left + right, i + j + 1
