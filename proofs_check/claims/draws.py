"""The one door to Hypothesis: repeatable draws of different instances, steered at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings, target
from hypothesis import seed as hypothesis_seed
from hypothesis.internal.conjecture import providers
from hypothesis.strategies import SearchStrategy, lists

from proofs_check.claims.claim import Instance

__all__ = ["derive_seed", "draw"]

BATCH = 8
"""Instances drawn at a time while exploring."""

STEERED = 16
"""Fewer instances than this are all explored: steering needs some to start from."""


def derive_seed(*parts: object) -> int:
    """Return a 32-bit seed that depends on all parts and on nothing else."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big")


@contextmanager
def _no_constants_of_loaded_modules() -> Iterator[None]:
    """Keep the draws a function of the seed.

    Hypothesis mixes in constants it finds in whatever local modules happen to be imported, so the same seed
    would draw other instances in another process (and a cache folder would appear beside the user's files).
    """
    original = providers._get_local_constants
    providers._get_local_constants = lambda: providers.Constants()
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        providers._get_local_constants = original
        providers.CONSTANTS_CACHE.cache.clear()


def draw(strategy: SearchStrategy[Instance], count: int, seed: int, visit: Callable[[Instance], float | None]) -> None:
    """Call ``visit`` on ``count`` different instances, the last quarter of them steered towards a large score.

    The first three quarters are independent draws, simple and extreme values among them. Hypothesis left to itself
    would spend most of a small budget on near copies of a few instances, so they are drawn several at a time and an
    instance that was there already is not visited again. The rest mutate the best so far. Nothing is shrunk: a
    counterexample shrunk by Hypothesis would end at the tolerance. A strategy with fewer than ``count`` different
    instances gives them all. Overhead: about 0.5 ms an instance and 20 us a float in it.

    Args:
        strategy: of instances.
        count: how many to visit.
        seed: with the same seed the same instances are drawn, whatever else is loaded or has run.
        visit: instance -> finite score to maximise, or ``None`` for no score. Must not raise.

    Example:
        >>> from hypothesis import strategies as st
        >>> seen = []
        >>> draw(st.integers(0, 10**6), 100, 0, lambda i: seen.append(i) or float(i))
        >>> len(set(seen)), max(seen)
        (100, 1000000)
    """
    seen: set[str] = set()

    def visit_new(instance: Instance, limit: int) -> float | None:
        size = len(seen)
        if size < limit:
            seen.add(repr(instance))
        return visit(instance) if len(seen) > size else None

    def explore(limit: int, attempt: int) -> None:
        def visit_batch(instances: list[Instance]) -> None:
            for instance in instances:
                visit_new(instance, limit)

        batches = lists(strategy, min_size=BATCH, max_size=BATCH)
        _run(visit_batch, batches, seed + attempt, 2 + 2 * (limit - len(seen)) // BATCH, (Phase.generate,))

    def steer(instance: Instance) -> None:
        score = visit_new(instance, count)
        if score is not None:
            target(score)

    with _no_constants_of_loaded_modules():
        explore(count - count // 4, 0)
        if count >= STEERED:
            _run(steer, strategy, seed, 2 * (count - len(seen)), (Phase.generate, Phase.target))
        size, attempt = -1, 1
        while size < len(seen) < count:  # what is missing because draws repeated themselves
            size = len(seen)
            explore(count, attempt)
            attempt += 1


def _run(
    body: Callable[[Any], None], strategy: SearchStrategy[Any], seed: int, examples: int, phases: Sequence[Phase]
) -> None:
    """Let Hypothesis run ``body`` on examples, from the seed alone."""
    configured = settings(
        max_examples=examples,
        phases=phases,
        database=None,
        derandomize=False,
        deadline=None,
        verbosity=Verbosity.quiet,
        suppress_health_check=tuple(HealthCheck),
        backend="hypothesis",
    )
    hypothesis_seed(seed)(configured(given(strategy)(body)))()
