"""Arrays of numbers for instances: varied, degenerate on purpose, and cheap to draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

__all__ = ["KINDS", "tensors"]


def _dyadic(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    return rng.integers(-16, 17, shape) / 16


def _sparse(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    return _dyadic(rng, shape) * (rng.random(shape) < rng.choice([0, 0.25, 0.5]))


def _tied(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    return rng.choice([-1.0, -0.5, 0.5, 1.0], shape)


def _equal(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape) * rng.choice([0.25, 1.0])


def _dense(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    return np.clip(rng.normal(size=shape) / 2, -1, 1)


def _low_rank(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    return _dyadic(rng, (*shape[:-1], 1)) * _dyadic(rng, shape[-1:])


def _repeated(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    rows = _dyadic(rng, shape)
    return rows[rng.integers(0, len(rows), len(rows))]


KINDS: dict[str, Callable[[np.random.Generator, Sequence[int]], np.ndarray]] = {
    "dyadic": _dyadic,
    "sparse": _sparse,
    "tied": _tied,
    "equal": _equal,
    "dense": _dense,
    "low_rank": _low_rank,
    "repeated": _repeated,
}
"""Ways to fill an array with numbers in [-1, 1]: multiples of 1/16, half or more of them zero (all at times), few
magnitudes, a single magnitude, full 53-bit floats, products of a column and a row, rows drawn with repetition."""


def tensors(shape: Sequence[int], limit: float = 1.0) -> st.SearchStrategy[list[Any]]:
    """Return arrays of a shape with entries in [-limit, limit] as nested lists.

    Hypothesis draws the kind and a seed, NumPy the entries: a mutation of the seed is a new array, so that instances
    stay different from one another, where drawing entry by entry makes most of them near copies.

    Example:
        >>> from proofs_check.claims.draws import draw
        >>> seen = []
        >>> draw(tensors((2, 3)), 40, 0, lambda array: seen.append(str(array)))
        >>> len(set(seen)) > 30
        True
    """

    def fill(kind: str, seed: int) -> list[Any]:
        filled: list[Any] = (limit * KINDS[kind](np.random.default_rng(seed), tuple(shape))).tolist()
        return filled

    return st.builds(fill, st.sampled_from(list(KINDS)), st.integers(0, 2**32 - 1))
